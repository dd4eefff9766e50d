"""The final lock of each school year: collection `year_locks`, one document a school and year, made when something is first set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates
from services.chassis.mongo import ReturnDocument

if TYPE_CHECKING:
    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session

LOCKS = "year_locks"


def lock_id(school: str, year: str) -> str:
    """Not the key of the year itself: that one is the subject of other events."""
    return f"{school}:{year}:lock"


def _blank(school: str, year: str) -> Document:
    return {"school": school, "year": year, "locked": False, "planned_on": None, "inspector": None, "history": []}


async def lock_of(db: Database, school: str, year: str, session: Session | None = None) -> Document:
    """The lock as it is; an open one without dates where nothing was set yet."""
    found: Document | None = await db[LOCKS].find_one({"_id": lock_id(school, year)}, session=session)
    return found or {"_id": lock_id(school, year), **_blank(school, year), "sequence": 0}


async def save_lock(db: Database, session: Session, change: Change, *, actor: str, cause: str | None = None) -> None:
    """Raises Refused(CONFLICT) when somebody else changed it meanwhile."""
    await aggregates.save(db, session, LOCKS, [change], actor=actor, cause=cause)


async def hold(db: Database, session: Session, school: str, year: str, *, numbers: int = 0) -> Document:
    """Write to the lock in this transaction, so that nobody locks or unlocks the year beside it; the lock as it is.

    `numbers` more requests have taken a number of the year ("requests").
    """
    found: Document | None = await db[LOCKS].find_one_and_update(
        {"_id": lock_id(school, year)},
        {"$inc": {"requests": numbers, "held": 1}, "$setOnInsert": {**_blank(school, year), "sequence": 1}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    assert found is not None
    return found
