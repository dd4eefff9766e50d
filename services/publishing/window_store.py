"""What publishing keeps of units, schools and their lock dates, as identity and district tell them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from contracts.lock_dates import LockDate
from services.chassis.mongo import ASCENDING, IndexModel, UpdateOne
from services.publishing.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.event import Event
    from contracts.events.district import LockDatesSetV1
    from contracts.events.identity import SchoolChangedV1, UnitChangedV1
    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["lock_dates"].create_indexes([IndexModel([("unit", ASCENDING), ("school", ASCENDING)])])


async def save_units(db: Database, session: Session, events: Sequence[Event[UnitChangedV1]]) -> None:
    await _newest(db, session, "units", events, [{"name": e.data.name} for e in events])


async def save_schools(db: Database, session: Session, events: Sequence[Event[SchoolChangedV1]]) -> None:
    await _newest(db, session, "schools", events, [{"name": e.data.name, "path": list(e.data.path)} for e in events])


async def save_dates(db: Database, session: Session, events: Sequence[Event[LockDatesSetV1]]) -> None:
    await _newest(db, session, "lock_dates", events, [e.data.model_dump(mode="json") for e in events])


async def _newest(db: Database, session: Session, collection: str, events: Sequence[Event[Any]], rows: Sequence[Document]) -> None:
    """Keep what the newest event of each subject says; an older one that comes late changes nothing."""
    writes = []
    for event, row in zip(events, rows, strict=True):
        fresh = {"$lt": [{"$ifNull": ["$seq", 0]}, event.sequence]}
        fields = {k: {"$cond": [fresh, {"$literal": v}, f"${k}"]} for k, v in {**row, "seq": event.sequence}.items()}
        writes.append(UpdateOne({"_id": event.subject}, [{"$set": fields}], upsert=True))
    if writes:
        await db[collection].bulk_write(writes, ordered=True, session=session)


async def windows_of(db: Database, school: str, session: Session | None = None) -> Windows:
    """All that may bind a school. One that identity has not told of yet is bound by nothing."""
    known = await db["schools"].find_one({"_id": school}, session=session)
    path = tuple(known["path"]) if known else ()
    wanted = {"unit": {"$in": list(path)}, "school": {"$in": [school, None]}}
    documents = await db["lock_dates"].find(wanted, session=session).to_list(None)
    units = await db["units"].find({"_id": {"$in": list(path)}}, session=session).to_list(None)
    dates = tuple(
        LockDate(d["unit"], d["year"], each.get("matter", "admissions"), d["school"], each["grade"], dt.date.fromisoformat(each["on"]))
        for d in documents
        for each in (*d["dates"], *d.get("admissions", ()))
    )
    return Windows(school, path, dates, {u["_id"]: u["name"] for u in units})
