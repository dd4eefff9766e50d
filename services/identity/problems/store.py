"""What problem reports ask of the database, and their indexes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.identity.problems.reports import DONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document

MOST_SHOWN = 1000


async def ensure_indexes(db: Database) -> None:
    await db["problems"].create_indexes(
        [IndexModel([(key, ASCENDING), ("at", DESCENDING)], name=key) for key in ("place", "by")],
    )


async def told_since(db: Database, person: str, since: dt.datetime) -> int:
    return await db["problems"].count_documents({"by": person, "at": {"$gte": since}})


async def problems(db: Database, wanted: Mapping[str, Any]) -> list[Document]:
    """The newest first."""
    return await db["problems"].find(dict(wanted)).sort([("at", DESCENDING), ("_id", ASCENDING)]).to_list(MOST_SHOWN)


async def open_in(db: Database, place: str) -> int:
    return await db["problems"].count_documents({"place": place, "state": {"$ne": DONE}})


async def unread_of(db: Database, person: str) -> int:
    return await db["problems"].count_documents({"by": person, "read": False})


async def mark_read(db: Database, problem: str) -> None:
    await db["problems"].update_one({"_id": problem}, {"$set": {"read": True}})


async def counts(db: Database, places: Sequence[str]) -> dict[str, dict[str, int]]:
    """By place and state."""
    rows = db["problems"].aggregate(
        [{"$match": {"place": {"$in": list(places)}}}, {"$group": {"_id": {"place": "$place", "state": "$state"}, "n": {"$sum": 1}}}]
    )
    found: dict[str, dict[str, int]] = {}
    async for row in rows:
        found.setdefault(row["_id"]["place"], {})[row["_id"]["state"]] = int(row["n"])
    return found
