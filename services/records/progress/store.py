"""What waits for whose signature: two aggregations over the live transcripts of a school year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, IndexModel
from services.records.transcripts.states import AWAITED, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document

AWAITING = [state.value for state in AWAITED]
ISSUER = ""
"""In place of a person: the issue step waits for anybody with the right to issue."""
_STEP_SIGNERS: dict[State, Any] = {
    State.AWAITING_HOMEROOM: ["$content.school_class.homeroom"],
    State.AWAITING_LEADER: ["$content.school_class.leader"],
    State.AWAITING_ISSUE: [ISSUER],
}
_SIGNED_IN_PART = {
    "$map": {
        "input": {"$filter": {"input": "$signatures", "cond": {"$in": ["$$this.role", ["subjects", "subject_teacher"]]}}},
        "in": "$$this.person",
    }
}
_COVERED = {"$cond": [{"$eq": ["$content.school.level", "TH"]}, ["$content.school_class.homeroom"], []]}
"""In primary the homeroom teacher's one signature covers the own subjects (guides 003, 000), as `transcript_page.awaited` has it."""
_TEACHERS_LEFT = {
    "$setDifference": [
        {"$map": {"input": "$content.subject_teachers", "in": "$$this.staff"}},
        {"$concatArrays": [_SIGNED_IN_PART, _COVERED]},
    ]
}
WAITING_FOR = {
    "$switch": {
        "branches": [{"case": {"$eq": ["$state", state.value]}, "then": signers} for state, signers in _STEP_SIGNERS.items()],
        "default": _TEACHERS_LEFT,
    }
}
SINCE = {
    "$cond": [
        {"$eq": ["$state", State.AWAITING_SUBJECT_TEACHERS.value]},
        "$created_at",
        {"$ifNull": [{"$toDate": {"$max": "$signatures.signed_at"}}, "$created_at"]},
    ]
}
"""A step waits since the one before it was signed; the first one since the transcript was made."""


async def ensure_indexes(db: Database) -> None:
    keys = [("school", ASCENDING), ("year", ASCENDING), ("live", ASCENDING), ("state", ASCENDING), ("class_code", ASCENDING)]
    await db["transcripts"].create_indexes([IndexModel(keys, name="progress")])


def _scope(school: str, year: str, classes: Sequence[str]) -> Document:
    return {"school": school, "year": year, "live": True, "class_code": {"$in": list(classes)}}


async def waiting(db: Database, school: str, year: str, classes: Sequence[str]) -> list[Document]:
    """By class, step and person: {class, state, person, count, since}. One whom nobody of a step is left to wait for counts as "*"."""
    return await (
        db["transcripts"]
        .aggregate(
            [
                {"$match": {**_scope(school, year, classes), "state": {"$in": AWAITING}}},
                {"$project": {"class_code": 1, "state": 1, "since": SINCE, "person": WAITING_FOR}},
                {"$unwind": {"path": "$person", "preserveNullAndEmptyArrays": True}},
                {
                    "$group": {
                        "_id": {"class": "$class_code", "state": "$state", "person": {"$ifNull": ["$person", "*"]}},
                        "count": {"$sum": 1},
                        "since": {"$min": "$since"},
                    }
                },
                {"$project": {"_id": 0, "class": "$_id.class", "state": "$_id.state", "person": "$_id.person", "count": 1, "since": 1}},
            ]
        )
        .to_list(None)
    )


async def stuck(db: Database, school: str, year: str, classes: Sequence[str]) -> list[Document]:
    """Live transcripts that signing has set aside, or whose PDF cannot be made: {_id, class_code, code, reason}."""
    failed = {d["_id"]: d["problem"] async for d in db["renderings"].find({"problem": {"$ne": None}}, projection={"problem": 1})}
    wanted = {
        **_scope(school, year, classes),
        "state": {"$in": AWAITING},
        "$or": [{"stopped": {"$ne": None}}, {"_id": {"$in": list(failed)}}],
    }
    found = db["transcripts"].find(wanted, projection={"class_code": 1, "stopped": 1})
    return [
        {
            "_id": d["_id"],
            "class_code": d["class_code"],
            "code": (d.get("stopped") or {}).get("code", ""),
            "reason": (d.get("stopped") or {}).get("reason") or failed.get(d["_id"], ""),
        }
        async for d in found
    ]


async def of_class(db: Database, school: str, year: str, code: str) -> list[Document]:
    """The pupils of a class whose transcripts wait or were returned, in the order of the class list."""
    wanted = {**_scope(school, year, [code]), "state": {"$in": [*AWAITING, State.RETURNED.value]}}
    shown = {"pupil_code": 1, "pupil_name": 1, "number": 1, "state": 1, "since": SINCE, "person": WAITING_FOR, "returned": 1}
    return await db["transcripts"].aggregate([{"$match": wanted}, {"$project": shown}, {"$sort": {"number": 1, "_id": 1}}]).to_list(None)
