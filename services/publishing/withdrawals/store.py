"""Every query about withdrawals.

withdrawals: requests with their history. withdrawal_orders: approved ones, until the gateway has answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates, clock
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.publishing.withdrawals.rules import APPROVED, DELETED, SEALED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session

MOST_LISTED = 5000


async def ensure_indexes(db: Database) -> None:
    await db["withdrawals"].create_indexes(
        [
            # of two who ask for the same document at once one wins
            IndexModel([("transcript", ASCENDING)], name="one_open", unique=True, partialFilterExpression={"open": True}),
            IndexModel([("school", ASCENDING), ("state", ASCENDING), ("changed_at", DESCENDING)], name="school"),
            IndexModel([("state", ASCENDING), ("changed_at", ASCENDING)], name="state"),
        ]
    )
    await db["withdrawal_orders"].create_indexes([IndexModel([("state", ASCENDING), ("next_at", ASCENDING)])])


async def save(db: Database, session: Session, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
    """Raises Refused(CONFLICT) when somebody was faster, also with another request for the same document."""
    await aggregates.save(db, session, "withdrawals", changes, actor=actor, cause=cause)


async def load(db: Database, session: Session | None, ids: Iterable[str]) -> dict[str, Document]:
    found = await db["withdrawals"].find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
    return {d["_id"]: d for d in found}


async def one(db: Database, request: str, school: str | None) -> Document:
    """Raises Refused(NOT_FOUND), also for another school's."""
    found = await db["withdrawals"].find_one({"_id": request, "school": school, "state": {"$ne": DELETED}})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def of_school(db: Database, school: str) -> list[Document]:
    """Newest first, without what was deleted as a draft."""
    wanted = {"school": school, "state": {"$ne": DELETED}}
    return await db["withdrawals"].find(wanted).sort("changed_at", -1).limit(MOST_LISTED).to_list(MOST_LISTED)


async def of_document(db: Database, transcript: str) -> list[Document]:
    wanted = {"transcript": transcript, "state": {"$ne": DELETED}}
    return await db["withdrawals"].find(wanted).sort("drafted_at", -1).to_list(100)


async def asked(db: Database, session: Session | None, transcripts: Iterable[str]) -> set[str]:
    """Those of them for which there is an open request."""
    return set(await db["withdrawals"].distinct("transcript", {"transcript": {"$in": list(transcripts)}, "open": True}, session=session))


async def to_examine(db: Database, limit: int) -> list[Document]:
    return await db["withdrawals"].find({"state": SEALED}).sort("changed_at", 1).limit(limit).to_list(limit)


# what the gateway is to be told


async def add_orders(db: Database, session: Session, requests: Iterable[Document]) -> None:
    now = clock.now()
    fresh = [{"_id": r["_id"], "state": "ready", "attempts": 0, "next_at": now} for r in requests if r["state"] == APPROVED]
    if fresh:
        await db["withdrawal_orders"].insert_many(fresh, session=session)


async def set_order(db: Database, request: str, *, attempts: int, next_at: dt.datetime) -> None:
    await db["withdrawal_orders"].update_one({"_id": request, "state": "ready"}, {"$set": {"attempts": attempts, "next_at": next_at}})


async def finish_order(db: Database, session: Session, request: str) -> None:
    await db["withdrawal_orders"].update_one({"_id": request}, {"$set": {"state": "done", "changed_at": clock.now()}}, session=session)
