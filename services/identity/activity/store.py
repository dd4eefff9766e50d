"""What activity asks of the database, and its indexes.

activity: every sealed entry of every service, under "service:number". activity_seen: findings that somebody has looked at.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from contracts.audit import SealedAct
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from services.identity.activity.rules import Count

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from services.chassis.mongo import Database, Document, Session

NEWEST_FIRST = [("at", DESCENDING), ("_id", DESCENDING)]
SERVICES = ("identity", "records", "signing", "publishing", "district")
IMPORTED = "staff imported"
SIGNED_IN = "signed in"


async def ensure_indexes(db: Database) -> None:
    await db["activity"].create_indexes(
        [
            *(IndexModel([(key, ASCENDING), *NEWEST_FIRST], name=key) for key in ("place", "actor", "subject")),
            IndexModel([("request_id", ASCENDING)], name="request"),
            IndexModel([("service", ASCENDING), ("number", ASCENDING)], unique=True, name="chain"),
        ]
    )


async def keep(db: Database, session: Session, service: str, acts: Sequence[SealedAct]) -> None:
    """What is there already stays as it is."""
    writes = []
    for act in acts:
        document = {"service": service, **act.model_dump(exclude={"details"}), "details": json.dumps(act.details, sort_keys=True)}
        writes.append(UpdateOne({"_id": f"{service}:{act.number}"}, {"$setOnInsert": document}, upsert=True))
    if writes:
        await db["activity"].bulk_write(writes, ordered=False, session=session)


def sealed_act(document: Document) -> SealedAct:
    return SealedAct.model_validate({**document, "details": json.loads(document["details"])})


async def search(db: Database, wanted: Mapping[str, Any], *, limit: int) -> list[Document]:
    """The newest first."""
    return await db["activity"].find(dict(wanted)).sort(NEWEST_FIRST).limit(limit).to_list(limit)


async def count(db: Database, wanted: Mapping[str, Any], *, most: int) -> int:
    """At most `most`."""
    return await db["activity"].count_documents(dict(wanted), limit=most)


async def by_number(db: Database, wanted: Mapping[str, Any]) -> AsyncIterator[Document]:
    async for document in db["activity"].find(dict(wanted)).sort([("service", ASCENDING), ("number", ASCENDING)]):
        yield document


async def heads(db: Database) -> dict[str, str]:
    """By service, the head of its chain as far as it is known here: "number:hash"."""
    found = {}
    for service in SERVICES:
        last = await db["activity"].find_one({"service": service}, sort=[("number", DESCENDING)], projection={"number": 1, "hash": 1})
        if last:
            found[service] = f"{last['number']}:{last['hash']}"
    return found


async def per_day(db: Database, place: str, since: dt.datetime) -> list[Count]:
    """By day in Vietnam, act and actor, in no order."""
    day = {"$dateToString": {"date": "$at", "format": "%Y-%m-%d", "timezone": "+07:00"}}
    rows = db["activity"].aggregate(
        [
            {"$match": {"place": place, "at": {"$gte": since}}},
            {"$group": {"_id": {"day": day, "act": "$act", "actor": "$actor"}, "number": {"$sum": 1}, "last": {"$max": "$at"}}},
        ]
    )
    return [Count(**row["_id"], number=row["number"], last=row["last"]) async for row in rows]


async def told_devices(db: Database, people: Iterable[str], before: dt.datetime) -> dict[str, set[str]]:
    """By person, the devices that they signed in from before that moment."""
    rows = db["activity"].aggregate(
        [
            {"$match": {"actor": {"$in": list(people)}, "act": SIGNED_IN, "at": {"$lt": before}}},
            {"$group": {"_id": "$actor", "devices": {"$addToSet": "$origin.device"}}},
        ]
    )
    return {row["_id"]: set(row["devices"]) async for row in rows}


async def imports(db: Database, place: str) -> list[Document]:
    """The imports of the place's people, the oldest first."""
    return await db["activity"].find({"subject": place, "act": IMPORTED}).sort("at", ASCENDING).to_list(None)


async def seen(db: Database, place: str) -> dict[str, Document]:
    """Findings of the place that somebody has looked at, by their id."""
    return {row["finding"]: row async for row in db["activity_seen"].find({"place": place})}


async def mark_seen(db: Database, session: Session, place: str, findings: Iterable[str], *, by: str, at: dt.datetime) -> None:
    """Whoever was first stays named."""
    writes = [
        UpdateOne({"_id": f"{place}/{f}"}, {"$setOnInsert": {"place": place, "finding": f, "by": by, "at": at}}, upsert=True)
        for f in findings
    ]
    if writes:
        await db["activity_seen"].bulk_write(writes, ordered=False, session=session)
