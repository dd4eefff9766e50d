"""What agents ask of the database, and the indexes.

agent_pairings: codes shown and not yet used. agent_jobs: what agents were asked. pairing_guesses: wrong codes by minute.
An agent itself is a session of the kind "agent" in `sessions`, whose queries about people stand in accounts/store.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, IndexModel, ReturnDocument
from services.identity.accounts import sessions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session

OPEN = ("QUEUED", "TAKEN")
ONLINE = timedelta(seconds=45)
"""An agent asks again at least every 25 s; later than this it is taken for gone."""
KEPT_SECONDS = 24 * 3600


async def ensure_indexes(db: Database) -> None:
    await db["agent_pairings"].create_indexes(
        [
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0, name="expires"),
            IndexModel([("person", ASCENDING)], name="person"),
        ]
    )
    await db["agent_jobs"].create_indexes(
        [
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS, name="forget"),
            IndexModel([("agent", ASCENDING), ("state", ASCENDING), ("created_at", ASCENDING)], name="waiting"),
        ]
    )
    await db["pairing_guesses"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=3600, name="forget")])
    await db["sessions"].create_indexes([IndexModel([("agent", ASCENDING)], unique=True, sparse=True, name="agent")])


async def keep_pairing(db: Database, session: Session, pairing: Document) -> None:
    """A person has one code at a time."""
    await db["agent_pairings"].delete_many({"person": pairing["person"]}, session=session)
    await db["agent_pairings"].insert_one(pairing, session=session)


async def take_pairing(db: Database, session: Session, digest: str, at: datetime) -> Document | None:
    """Gone with the first who asks."""
    found: Document | None = await db["agent_pairings"].find_one_and_delete({"_id": digest, "expires_at": {"$gt": at}}, session=session)
    return found


async def still_signed_in(db: Database, session: Session, digest: str, at: datetime) -> bool:
    good = {"_id": digest, "ends_at": {"$gt": at}, "seen_at": {"$gt": at - sessions.IDLE}}
    return await db["sessions"].find_one(good, session=session) is not None


async def count_guess(db: Database, at: datetime, by: int) -> int:
    """Wrong codes of this minute, from wherever they come."""
    minute = at.strftime("%Y-%m-%dT%H:%M")
    document: Document | None = await db["pairing_guesses"].find_one_and_update(
        {"_id": minute}, {"$inc": {"wrong": by}, "$set": {"at": at}}, upsert=True, return_document=ReturnDocument.AFTER
    )
    assert document is not None
    return int(document["wrong"])


def _good(at: datetime) -> Document:
    return {"kind": "agent", "ends_at": {"$gt": at}, "seen_at": {"$gt": at - sessions.IDLE}}


async def agents_of(db: Database, person: str, at: datetime, session: Session | None = None) -> list[Document]:
    """The person's paired agents, the one paired last first."""
    return await db["sessions"].find({"person": person, **_good(at)}, session=session).sort("created_at", -1).to_list(None)


async def agent_session(db: Database, agent: str, at: datetime) -> Document | None:
    found: Document | None = await db["sessions"].find_one({"agent": agent, **_good(at)})
    return found


async def polled(db: Database, agent: str, at: datetime) -> bool:
    """Seen now; False when its session is over."""
    done = await db["sessions"].update_one({"agent": agent, **_good(at)}, {"$set": {"polled_at": at, "seen_at": at}})
    return done.matched_count == 1


async def add_job(db: Database, session: Session, job: Document) -> None:
    await db["agent_jobs"].insert_one(job, session=session)


async def job(db: Database, job_id: str, person: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db["agent_jobs"].find_one({"_id": job_id, "person": person}, session=session)
    return found


async def take_job(db: Database, agent: str, working: Sequence[str], at: datetime) -> Document | None:
    """The oldest that waits, also one that was taken before and never answered."""
    wanted: dict[str, Any] = {"agent": agent, "state": {"$in": OPEN}, "expires_at": {"$gt": at}, "_id": {"$nin": list(working)}}
    found: Document | None = await db["agent_jobs"].find_one_and_update(
        wanted, {"$set": {"state": "TAKEN", "taken_at": at}}, sort=[("created_at", ASCENDING)], return_document=ReturnDocument.AFTER
    )
    return found


async def end_job(db: Database, session: Session, job_id: str, agent: str, ended: Document) -> bool:
    """False unless it still waits, at `ended["answered_at"]`, for an answer of this agent."""
    open_one = {"_id": job_id, "agent": agent, "state": {"$in": OPEN}, "expires_at": {"$gt": ended["answered_at"]}}
    done = await db["agent_jobs"].update_one(open_one, {"$set": ended}, session=session)
    return done.matched_count == 1


async def job_of_agent(db: Database, session: Session | None, job_id: str, agent: str) -> Document | None:
    found: Document | None = await db["agent_jobs"].find_one({"_id": job_id, "agent": agent}, session=session)
    return found
