"""The inbox: an event has its effect once for each consumer group, however often it is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import clock
from services.chassis.mongo import ASCENDING, BulkWriteError, IndexModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Session

KEEP_SECONDS = 30 * 24 * 3600
"""Longer than any topic keeps its records plus the time in which dead letters are replayed."""


class HandledMeanwhile(Exception):
    """Another consumer handled one of the events; the transaction is aborted (SERVER-34059)."""


async def handled(db: Database, group: str, ids: Sequence[str]) -> set[str]:
    """Which of these events the group has handled before."""
    found = await db["inbox"].find({"_id": {"$in": [f"{group}:{i}" for i in ids]}}, projection={"_id": 1}).to_list(None)
    return {str(d["_id"]).removeprefix(f"{group}:") for d in found}


async def mark(db: Database, session: Session, group: str, ids: Sequence[str]) -> None:
    """First statement of the handling transaction. Raises HandledMeanwhile."""
    try:
        await db["inbox"].insert_many([{"_id": f"{group}:{i}", "at": clock.now()} for i in ids], session=session)
    except BulkWriteError as problem:
        errors = (problem.details or {}).get("writeErrors", [])
        if any(e.get("code") == 11000 for e in errors):
            raise HandledMeanwhile from problem
        raise


async def ensure_indexes(db: Database) -> None:
    await db["inbox"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=KEEP_SECONDS, name="keep")])
