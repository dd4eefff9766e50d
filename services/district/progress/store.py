"""Queries below a school: its classes, and whose signature its transcripts wait for. A school year has some thousand rows at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.district.progress.rules import ACTS, STEPS
from services.district.statistics import GONE

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document

HELD = [*STEPS, *ACTS]
SHOWN = {"pupil_name": 1, "state": 1, "version": 1, "awaited": 1, "since": 1, "refusal": 1, "problem": 1}
MOST = 500
"""Pupils of one class that a page shows."""


async def classes(db: Database, school: str, year: str) -> list[Document]:
    return await db["classes"].find({"school": school, "year": year}).sort("code", 1).to_list(None)


async def states(db: Database, school: str, year: str) -> dict[str, dict[str, int]]:
    """By class: transcripts in each state."""
    rows = db["transcripts"].aggregate(
        [
            {"$match": {"school": school, "year": year}},
            {"$group": {"_id": {"class": "$class_code", "state": "$state"}, "n": {"$sum": 1}}},
        ]
    )
    found: dict[str, dict[str, int]] = {}
    async for row in rows:
        found.setdefault(row["_id"]["class"], {})[row["_id"]["state"]] = row["n"]
    return found


async def summaries(db: Database, school: str, year: str) -> dict[str, str]:
    """By class, the state of its class summary; cancelled ones are none."""
    found = db["summaries"].find({"school": school, "year": year, "state": {"$ne": GONE}}, projection={"class_code": 1, "state": 1})
    return {row["class_code"]: row["state"] async for row in found}


async def waiting(db: Database, school: str, year: str, class_code: str | None = None) -> list[Document]:
    """By class, state and person: {class, state, person, name, count, since}; "*" where nobody of a step is left to wait for."""
    wanted: Document = {"school": school, "year": year, "state": {"$in": HELD}}
    if class_code is not None:
        wanted["class_code"] = class_code
    key = {"class": "$class_code", "state": "$state", "person": {"$ifNull": ["$awaited.person", "*"]}}
    return await (
        db["transcripts"]
        .aggregate(
            [
                {"$match": wanted},
                {"$unwind": {"path": "$awaited", "preserveNullAndEmptyArrays": True}},
                {"$group": {"_id": key, "name": {"$first": "$awaited.name"}, "count": {"$sum": 1}, "since": {"$min": "$since"}}},
                {"$replaceWith": {"$mergeObjects": ["$_id", {"name": {"$ifNull": ["$name", ""]}, "count": "$count", "since": "$since"}]}},
            ]
        )
        .to_list(None)
    )


async def held_pupils(db: Database, school: str, year: str, class_code: str) -> list[Document]:
    """Of one class: transcripts that wait for a signature or for the administrator, by name."""
    wanted = {"school": school, "year": year, "class_code": class_code, "state": {"$in": HELD}}
    return await db["transcripts"].find(wanted, projection=SHOWN).sort([("backward", 1), ("_id", 1)]).to_list(MOST)
