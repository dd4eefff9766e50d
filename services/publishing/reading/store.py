"""Every query of the read API.

holders: whose a transcript is, by personal id, as records tells it; asked by equality alone, shown to nobody.
readings: answers whose files can still be fetched. reading_requests, reading_counts: requests seen, and how many in a minute.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, DuplicateKeyError, IndexModel, ReturnDocument, UpdateOne
from services.publishing.reading.consumers import GOOD_FOR, LEEWAY
from services.publishing.reading.rules import WINDOW
from services.publishing.submissions import NOT_LISTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.event import Event
    from contracts.events.records import TranscriptMovedV1
    from services.chassis.mongo import Database, Document, Session

MOST_TRANSCRIPTS = 100
"""Of one person."""


async def ensure_indexes(db: Database) -> None:
    await db["holders"].create_indexes([IndexModel([("personal_id", ASCENDING)])])
    await db["readings"].create_indexes([IndexModel([("until", ASCENDING)], expireAfterSeconds=0)])
    await db["reading_requests"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=2 * (GOOD_FOR + LEEWAY))])
    await db["reading_counts"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=2 * WINDOW)])


async def take(db: Database, session: Session, events: Sequence[Event[TranscriptMovedV1]]) -> None:
    """Keep what the newest event of each transcript says; an older one that comes late changes nothing."""
    writes = []
    for event in events:
        if event.data.kind != "transcript":
            continue
        fresh = {"$lt": [{"$ifNull": ["$seq", 0]}, event.sequence]}
        row = {"personal_id": event.data.personal_id, "seq": event.sequence}
        fields = {name: {"$cond": [fresh, {"$literal": value}, f"${name}"]} for name, value in row.items()}
        writes.append(UpdateOne({"_id": event.subject}, [{"$set": fields}], upsert=True))
    if writes:
        await db["holders"].bulk_write(writes, ordered=True, session=session)


async def transcripts_of(db: Database, personal_id: str) -> list[Document]:
    """What schools have confirmed of the person, newest first, whichever school it was."""
    held = await db["holders"].find({"personal_id": personal_id}, projection={"_id": 1}).to_list(MOST_TRANSCRIPTS)
    wanted: Document = {"_id": {"$in": [h["_id"] for h in held]}, "state": {"$nin": list(NOT_LISTED)}}
    return await db["submissions"].find(wanted).sort([("year", -1), ("version", -1)]).to_list(MOST_TRANSCRIPTS)


async def paths_of(db: Database, schools: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found = await db["schools"].find({"_id": {"$in": list(schools)}}, projection={"path": 1}).to_list(None)
    return {s["_id"]: tuple(s.get("path", ())) for s in found}


async def first_time(db: Database, consumer: str, jti: str, at: dt.datetime) -> bool:
    """Whether this request has not been seen yet."""
    try:
        await db["reading_requests"].insert_one({"_id": f"{consumer}:{jti}", "at": at})
    except DuplicateKeyError:
        return False
    return True


async def counted(db: Database, consumer: str, window: int, at: dt.datetime) -> int:
    """How many requests of the consumer the window has seen, with this one."""
    one = {"_id": f"{consumer}:{window}"}
    change = {"$inc": {"count": 1}, "$setOnInsert": {"at": at}}
    after = await db["reading_counts"].find_one_and_update(one, change, upsert=True, return_document=ReturnDocument.AFTER)
    return int(after["count"]) if after else 1


async def add_reading(db: Database, session: Session, reading: Document) -> None:
    await db["readings"].insert_one(reading, session=session)


async def reading(db: Database, key: str, consumer: str, at: dt.datetime) -> Document | None:
    found: Document | None = await db["readings"].find_one({"_id": key, "consumer": consumer, "until": {"$gt": at}})
    return found
