"""Every query about admissions.

admissions: of each transcript that was sent to the portal, what became of it. admission_jobs: one a push, by its id: what is still to be
done about it (ready → sent → done; revoking → done).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis import aggregates, clock
from services.chassis.mongo import ASCENDING, IndexModel
from services.publishing.withdrawals.rules import DRAFT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["admissions"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["admission_jobs"].create_indexes([IndexModel([("state", ASCENDING), ("next_at", ASCENDING)])])


async def load(db: Database, session: Session | None, transcripts: Iterable[str]) -> dict[str, Document]:
    found = await db["admissions"].find({"_id": {"$in": list(transcripts)}}, session=session).to_list(None)
    return {d["_id"]: d for d in found}


async def save(db: Database, session: Session, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
    """Raises Refused(CONFLICT) when somebody was faster."""
    await aggregates.save(db, session, "admissions", changes, actor=actor, cause=cause)


async def of_school(db: Database, school: str) -> dict[str, Document]:
    found = await db["admissions"].find({"school": school}).to_list(None)
    return {d["_id"]: d for d in found}


async def of_pupil(db: Database, school: str, year: str, pupil: str) -> list[Document]:
    """Of every version of the pupil's transcript of that year."""
    return await db["admissions"].find({"school": school, "year": year, "pupil_code": pupil}).sort("version", 1).to_list(None)


async def withdrawing(db: Database, session: Session | None, transcripts: Iterable[str]) -> set[str]:
    """Those that somebody has asked to take back, drafts apart."""
    wanted = {"transcript": {"$in": list(transcripts)}, "open": True, "state": {"$ne": DRAFT}}
    return set(await db["withdrawals"].distinct("transcript", wanted, session=session))


async def submissions(db: Database, transcripts: Iterable[str]) -> list[Document]:
    return await db["submissions"].find({"_id": {"$in": list(transcripts)}}).to_list(None)


async def mark(db: Database, session: Session, admissions: Iterable[Document]) -> None:
    """Written into the submission as well, so that a withdrawal at the same moment comes before or after it and never beside it."""
    for each in admissions:
        await db["submissions"].update_one({"_id": each["_id"]}, {"$set": {"admission": each["push"]}}, session=session)


async def add_jobs(db: Database, session: Session, admissions: Iterable[Document]) -> None:
    fresh = [
        {
            "_id": a["push"],
            "transcript": a["_id"],
            "school": a["school"],
            "state": "ready",
            "attempts": 0,
            "asked": 0,
            "digest": None,
            "made_at": a["requested_at"],
            "next_at": a["requested_at"],
        }
        for a in admissions
    ]
    if fresh:
        await db["admission_jobs"].insert_many(fresh, session=session)


async def set_job(db: Database, push: str, standing: str, session: Session | None = None, **fields: Any) -> bool:
    """False when it is no longer in the state `standing`: something else is to be done about it now."""
    done = await db["admission_jobs"].update_one({"_id": push, "state": standing}, {"$set": fields}, session=session)
    return done.matched_count == 1


async def revoke(db: Database, session: Session, pushes: Iterable[str]) -> None:
    fields = {"state": "revoking", "attempts": 0, "next_at": clock.now()}
    await db["admission_jobs"].update_many({"_id": {"$in": list(pushes)}}, {"$set": fields}, session=session)


async def wake(db: Database) -> None:
    """What waits for the portal to come back is due."""
    now = clock.now()
    waiting = {"state": {"$in": ["ready", "revoking"]}, "next_at": {"$gt": now}}
    await db["admission_jobs"].update_many(waiting, {"$set": {"next_at": now}})
