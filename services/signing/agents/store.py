"""What jobs for signing programs ask of the database.

agent_jobs: one a batch with a token, by the batch's id. `state` ASKED (nobody has answered yet), PIN (the program waits for it),
UNPLUGGED (it waits for the token), SIGNING, or ENDED with `failure` (a key of `errors.REFUSALS`, None when the batch came to its end).
`confirmed` once the PIN was right, `agent` who has it, `heard_at` when that one was last heard, `moved_at` when it last got on.
agents: when a program last asked for work here.
The values themselves go straight into the batch's items, which nobody else moves to "returned".
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from services.chassis.mongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne
from services.signing.items import HASHED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session

ONLINE: Final = timedelta(seconds=45)
"""A program asks again at least every 25 s; one that is silent for longer loses its job to another of the same person."""
KEPT_SECONDS = 24 * 3600
ENDED = "ENDED"


async def ensure_indexes(db: Database) -> None:
    await db["agent_jobs"].create_indexes(
        [
            IndexModel([("person", ASCENDING), ("state", ASCENDING), ("created_at", ASCENDING)], name="waiting"),
            IndexModel([("ended_at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS, name="forget"),
        ]
    )
    await db["agents"].create_indexes(
        [
            IndexModel([("person", ASCENDING), ("polled_at", ASCENDING)], name="online"),
            IndexModel([("polled_at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS, name="forget"),
        ]
    )


async def polled(db: Database, agent: str, person: str, at: datetime) -> None:
    await db["agents"].update_one({"_id": agent}, {"$set": {"person": person, "polled_at": at}}, upsert=True)


async def online(db: Database, person: str, at: datetime) -> bool:
    return await db["agents"].find_one({"person": person, "polled_at": {"$gt": at - ONLINE}}, projection={"_id": 1}) is not None


async def make_job(db: Database, job: Document) -> Document:
    """The job as it stands, made when there is none; one that waits for its PIN keeps all it has."""
    made: Document | None = await db["agent_jobs"].find_one_and_update(
        {"_id": job["_id"]}, {"$setOnInsert": job}, upsert=True, projection={"items": 0}, return_document=ReturnDocument.AFTER
    )
    assert made is not None
    return made


async def job(db: Database, job_id: str) -> Document | None:
    found: Document | None = await db["agent_jobs"].find_one({"_id": job_id}, projection={"items": 0})
    return found


async def take_job(db: Database, person: str, agent: str, working: Sequence[str], at: datetime) -> Document | None:
    """The oldest open one that no other program works on, but those that this one works on already."""
    wanted: Document = {
        "person": person,
        "state": {"$ne": ENDED},
        "_id": {"$nin": list(working)},
        "$or": [{"agent": {"$in": [None, agent]}}, {"heard_at": {"$lt": at - ONLINE}}],
    }
    found: Document | None = await db["agent_jobs"].find_one_and_update(
        wanted,
        {"$set": {"state": "ASKED", "agent": agent, "heard_at": at}},
        sort=[("created_at", ASCENDING)],
        projection={"items": 0},
        return_document=ReturnDocument.AFTER,
    )
    return found


async def heard(db: Database, agent: str, working: Sequence[str], at: datetime) -> None:
    """The program says that it works on these."""
    if working:
        await db["agent_jobs"].update_many({"_id": {"$in": list(working)}, "agent": agent}, {"$set": {"heard_at": at}})


async def keep_items(db: Database, job_id: str, items: bytes) -> None:
    """What the job just signed names by its digest."""
    await db["agent_jobs"].update_one({"_id": job_id}, {"$set": {"items": items}})


async def items_of(db: Database, job_id: str, agent: str) -> bytes | None:
    found = await db["agent_jobs"].find_one({"_id": job_id, "agent": agent, "state": {"$ne": ENDED}}, projection={"items": 1})
    return bytes(found["items"]) if found is not None and "items" in found else None


async def change(db: Database, session: Session | None, job_id: str, agent: str, changes: Mapping[str, Any]) -> bool:
    """False unless the job is open and this program's."""
    done = await db["agent_jobs"].update_one(
        {"_id": job_id, "agent": agent, "state": {"$ne": ENDED}}, {"$set": dict(changes)}, session=session
    )
    return done.matched_count == 1


async def moved(db: Database, job_id: str, at: datetime) -> None:
    await db["agent_jobs"].update_one({"_id": job_id, "state": {"$ne": ENDED}}, {"$set": {"moved_at": at}})


async def end(db: Database, job_id: str, failure: str | None, at: datetime) -> None:
    """What ended first stays."""
    await db["agent_jobs"].update_one(
        {"_id": job_id, "state": {"$ne": ENDED}}, {"$set": {"state": ENDED, "failure": failure, "ended_at": at}, "$unset": {"items": ""}}
    )


async def open_items(db: Database, batch: str) -> list[Document]:
    """What a program has still to sign, in the order of the batch; only what a list of it needs."""
    wanted = {"batch": batch, "state": {"$in": HASHED}, "not_signed": None}
    projection = dict.fromkeys(("number", "kind", "pupil_name", "class_code", "prepared.xml.digest", "prepared.pdf.digest"), 1)
    return await db["items"].find(wanted, projection=projection).sort("number", ASCENDING).to_list(None)


async def open_item(db: Database, batch: str, number: int) -> Document | None:
    found: Document | None = await db["items"].find_one({"batch": batch, "number": number, "state": {"$in": HASHED}})
    return found


async def by_ids(db: Database, ids: Collection[str]) -> list[Document]:
    projection = {"state": 1, "values": 1, "not_signed": 1, "number": 1, "transcript": 1}
    return await db["items"].find({"_id": {"$in": list(ids)}}, projection=projection).sort("number", ASCENDING).to_list(None)


async def returned(db: Database, session: Session, batch: str, values: Mapping[int, list[bytes]], failures: Mapping[int, str]) -> None:
    """Items that were answered before, or have ended meanwhile, stay as they are."""
    writes = [
        UpdateOne(
            {"batch": batch, "number": number, "state": {"$in": HASHED}},
            {"$set": {"state": "returned", "values": each}, "$currentDate": {"changed_at": True}},
        )
        for number, each in values.items()
    ]
    writes += [
        UpdateOne({"batch": batch, "number": number, "state": {"$in": HASHED}}, {"$set": {"not_signed": code}})
        for number, code in failures.items()
    ]
    if writes:
        await db["items"].bulk_write(writes, ordered=False, session=session)
