"""What the watch over approved certificates asks of the database.

registrations: `next_check_at` is when a certificate is asked about by itself, `list` names the revocation list that covers it,
`unchecked_since` stands while nobody can be asked. revocation_lists: one document a list, asked for on its own schedule.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from services.chassis.leases import claim
from services.chassis.mongo import ASCENDING, IndexModel, UpdateOne
from services.identity.certificates.registrations import APPROVED, SUSPENDED, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session

WATCHED = [APPROVED, SUSPENDED]
CHUNK = 1000


async def ensure_indexes(db: Database) -> None:
    await db["registrations"].create_indexes(
        [
            IndexModel([("state", ASCENDING), ("next_check_at", ASCENDING)], name="watch"),
            IndexModel([("state", ASCENDING), ("facts.valid_to", ASCENDING)], name="expiry"),
            IndexModel([("list", ASCENDING), ("state", ASCENDING), ("facts.serial", ASCENDING)], name="list"),
            IndexModel(
                [("unchecked_since", ASCENDING)], partialFilterExpression={"unchecked_since": {"$exists": True}}, name="unchecked_since"
            ),
        ]
    )
    await db["revocation_lists"].create_indexes([IndexModel([("next_check_at", ASCENDING)], name="next_check_at")])


# certificates by themselves


async def claim_due(db: Database, owner: str, seconds: float, at: dt.datetime) -> Document | None:
    """One that was never looked at is due at once, so what was approved before there was a watch is found as well."""
    wanted = {"state": {"$in": WATCHED}, "next_check_at": {"$not": {"$gt": at}}}
    return await claim(db["registrations"], wanted, owner, seconds, sort="next_check_at")


async def claim_decision(db: Database, owner: str, seconds: float, at: dt.datetime) -> Document | None:
    """One that the oversight unit approved and that waits for its check."""
    return await claim(db["registrations"], {"state": WAITING, "next_check_at": {"$lte": at}}, owner, seconds, sort="next_check_at")


async def still_held(db: Database, session: Session, request: str, owner: str, states: Sequence[str]) -> Document | None:
    """The registration as it is now; None when it has moved on, or another worker has it by now."""
    wanted = {"_id": request, "lease.owner": owner, "state": {"$in": list(states)}}
    found: Document | None = await db["registrations"].find_one(wanted, session=session)
    return found


async def put_back(
    db: Database, request: str, owner: str, changes: Mapping[str, Any], *, gone: Iterable[str] = (), session: Session | None = None
) -> None:
    """Done with it for now; a worker that lost its lease writes nothing."""
    unset = {"lease": "", **dict.fromkeys(gone, "")}
    await db["registrations"].update_one({"_id": request, "lease.owner": owner}, {"$set": dict(changes), "$unset": unset}, session=session)


# revocation lists


async def know_list(db: Database, name: str, at: dt.datetime) -> bool:
    """Whether the list could be had when it was asked for last; one that is new is asked for at once."""
    found = await db["revocation_lists"].find_one({"_id": name})
    if found is None:
        await db["revocation_lists"].update_one({"_id": name}, {"$setOnInsert": {"next_check_at": at, "listed": False}}, upsert=True)
    return bool(found and found["listed"])


async def claim_list(db: Database, owner: str, seconds: float, at: dt.datetime) -> Document | None:
    return await claim(db["revocation_lists"], {"next_check_at": {"$lte": at}}, owner, seconds, sort="next_check_at")


async def put_list_back(db: Database, name: str, owner: str, changes: Mapping[str, Any]) -> None:
    await db["revocation_lists"].update_one({"_id": name, "lease.owner": owner}, {"$set": dict(changes), "$unset": {"lease": ""}})


async def forget_list(db: Database, name: str, owner: str) -> None:
    await db["revocation_lists"].delete_one({"_id": name, "lease.owner": owner})


async def one_of_list(db: Database, name: str) -> Document | None:
    """An approved certificate that the list speaks for and that is not under suspicion."""
    found: Document | None = await db["registrations"].find_one({"list": name, "state": APPROVED, "suspected": {"$ne": True}})
    return found


async def suspect(db: Database, name: str, serials: Sequence[str] | None, at: dt.datetime) -> int:
    """Those with these serial numbers, or all, are asked about by themselves at once. How many there are."""
    wanted: dict[str, Any] = {"list": name, "state": APPROVED}
    changes = {"$set": {"suspected": True, "next_check_at": at}}
    if serials is None:
        return (await db["registrations"].update_many(wanted, changes)).matched_count
    found = 0
    for start in range(0, len(serials), CHUNK):
        named = {**wanted, "facts.serial": {"$in": list(serials[start : start + CHUNK])}}
        found += (await db["registrations"].update_many(named, changes)).matched_count
    return found


async def ask_alone(db: Database, name: str, at: dt.datetime, within: dt.timedelta) -> None:
    """The list cannot be had: every certificate of it has its turn within the period, spread evenly."""
    spread = {"$add": [at, {"$multiply": [{"$rand": {}}, within.total_seconds() * 1000]}]}
    wanted = {"list": name, "state": APPROVED, "next_check_at": {"$gt": at + within}}
    await db["registrations"].update_many(wanted, [{"$set": {"next_check_at": spread}}])


async def checked_by_list(db: Database, name: str) -> None:
    """The list speaks for all that it does not name."""
    wanted = {"list": name, "state": APPROVED, "unchecked_since": {"$exists": True}, "suspected": {"$ne": True}}
    await db["registrations"].update_many(wanted, {"$unset": {"unchecked_since": "", "unchecked_told": ""}})


# the calendar


async def expired(db: Database, at: dt.datetime, most: int) -> list[str]:
    found = db["registrations"].find({"state": {"$in": WATCHED}, "facts.valid_to": {"$lte": at}}, projection={"_id": 1})
    return [r["_id"] async for r in found.limit(most)]


async def to_warn(db: Database, at: dt.datetime, days: int, most: int) -> list[Document]:
    """Approved ones that end within so many days and were not warned of it."""
    until = {"$gt": at, "$lte": at + dt.timedelta(days=days)}
    return await db["registrations"].find({"state": APPROVED, "facts.valid_to": until, "warned": {"$not": {"$lte": days}}}).to_list(most)


async def set_warned(db: Database, session: Session, warned: Mapping[str, int]) -> None:
    writes = [UpdateOne({"_id": request}, {"$set": {"warned": days}}) for request, days in warned.items()]
    await db["registrations"].bulk_write(writes, ordered=False, session=session)


async def oldest_unchecked(db: Database, at: dt.datetime) -> dt.datetime | None:
    """Since when the certificate that is worst off has not been asked about, though it should have been."""
    silent = await db["registrations"].find_one({"unchecked_since": {"$exists": True}}, sort=[("unchecked_since", ASCENDING)])
    due = {"state": {"$in": WATCHED}, "next_check_at": {"$lte": at}}
    late = await db["registrations"].find_one(due, sort=[("next_check_at", ASCENDING)])
    moments = [d[key] for d, key in ((silent, "unchecked_since"), (late, "next_check_at")) if d is not None]
    return min(moments, default=None)
