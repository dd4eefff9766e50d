"""Leases by the clock of the database server, so that a process with a wrong clock can neither steal nor keep one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.chassis.mongo import DuplicateKeyError, ReturnDocument

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from services.chassis.mongo import Collection, Document

EXPIRED_OR_FREE: dict[str, Any] = {"$or": [{"$eq": [{"$ifNull": ["$lease.until", None]}, None]}, {"$lt": ["$lease.until", "$$NOW"]}]}


def owner_token() -> str:
    return uuid4().hex


def _taken(owner: str, seconds: float) -> Document:
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": int(seconds * 1000)}}
    return {"$set": {"lease": {"owner": owner, "until": until}}}


async def claim(collection: Collection, wanted: Mapping[str, Any], owner: str, seconds: float, *, sort: str = "_id") -> Document | None:
    """Lease one document that matches `wanted` and is free; None when there is none."""
    found: Document | None = await collection.find_one_and_update(
        {**wanted, "$expr": EXPIRED_OR_FREE},
        [_taken(owner, seconds)],
        sort=[(sort, 1)],
        return_document=ReturnDocument.AFTER,
    )
    return found


async def up_to(limit: int, claim_one: Callable[[], Awaitable[Document | None]]) -> list[Document]:
    """Lease one after the other until there is no more, or `limit` are held."""
    held: list[Document] = []
    while len(held) < limit and (found := await claim_one()) is not None:
        held.append(found)
    return held


async def renew(collection: Collection, key: object, owner: str, seconds: float) -> bool:
    """False when the lease was lost: the holder must stop."""
    done = await collection.update_one({"_id": key, "lease.owner": owner}, [_taken(owner, seconds)])
    return done.matched_count == 1


async def release(collection: Collection, key: object, owner: str) -> None:
    await collection.update_one({"_id": key, "lease.owner": owner}, {"$unset": {"lease": ""}})


async def hold(collection: Collection, key: str, owner: str, seconds: float) -> bool:
    """Take or renew the lease named `key`, which is made when it does not exist."""
    mine_or_free = {"_id": key, "$expr": {"$or": [EXPIRED_OR_FREE, {"$eq": ["$lease.owner", owner]}]}}
    if (await collection.update_one(mine_or_free, [_taken(owner, seconds)])).matched_count:
        return True
    try:
        await collection.insert_one({"_id": key})
    except DuplicateKeyError:
        return False
    return (await collection.update_one(mine_or_free, [_taken(owner, seconds)])).matched_count == 1
