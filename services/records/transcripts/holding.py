"""What documents are made of stays as it was read until the transaction that keeps them is through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import clock
from services.chassis.errors import CONFLICT, Refused
from services.records.locks.store import lock_of
from services.records.store import key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document, Session


async def hold(db: Database, session: Session, school: str, year: str, pupils: Sequence[Document]) -> None:
    """Keeps the year open, these pupils' classes finalised and their data as they were read.

    Raises Refused(CONFLICT) when it is so no longer.
    """
    if pupils and (await lock_of(db, school, year, session))["locked"]:
        raise Refused(CONFLICT)
    for code in sorted({p["class_code"] for p in pupils}):
        finalised = {"$or": [{"data.finalised": True}, {"finalised_at": {"$ne": None}}]}
        # a write, so that whoever takes the finalisation back at this moment collides with it
        held = await db["classes"].update_one(
            {"_id": key(school, year, code), **finalised}, {"$set": {"created_from_at": clock.now()}}, session=session
        )
        if held.matched_count != 1:
            raise Refused(CONFLICT)
    now = {p["_id"]: p async for p in db["pupils"].find({"_id": {"$in": [p["_id"] for p in pupils]}}, session=session)}
    if any(now.get(p["_id"]) != p for p in pupils):
        raise Refused(CONFLICT)
