"""The oversight units' lock dates of menu 6.2, as far as the pages of records show them; publishing is who goes by them.

intake_dates: what a unit keeps for a school year, common or of one school, as district last told it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from contracts.lock_dates import GRADES, LockDate, in_force
from services.chassis.mongo import ASCENDING, IndexModel, ReplaceOne

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.event import Event
    from contracts.events.district import LockDatesSetV1
    from services.chassis.mongo import Database, Session

DATES = "intake_dates"


async def ensure_indexes(db: Database) -> None:
    await db[DATES].create_indexes([IndexModel([("year", ASCENDING), ("unit", ASCENDING), ("school", ASCENDING)])])


async def save_dates(db: Database, session: Session, events: Sequence[Event[LockDatesSetV1]]) -> None:
    """Keep what the newest event of each subject says; an older one that comes late changes nothing."""
    newest = {e.subject: e for e in sorted(events, key=lambda e: e.sequence)}
    known = {d["_id"]: d["seq"] for d in await db[DATES].find({"_id": {"$in": list(newest)}}, session=session).to_list(None)}
    fresh = [e for e in newest.values() if e.sequence > known.get(e.subject, 0)]
    rows = [{"_id": e.subject, **e.data.model_dump(mode="json"), "seq": e.sequence} for e in fresh]
    if rows:
        await db[DATES].bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows], session=session)


async def intake_day(db: Database, school: str, year: str) -> dt.date | None:
    """The last day on which something of the school is taken in, for the grade that is bound first; None where no unit set one."""
    known = await db["schools"].find_one({"_id": school}, projection={"path": 1, "levels": 1})
    if known is None:
        return None
    path = tuple(known["path"])
    wanted = {"year": year, "unit": {"$in": list(path)}, "school": {"$in": [school, None]}}
    dates = [
        LockDate(d["unit"], year, each["matter"], d["school"], each["grade"], dt.date.fromisoformat(each["on"]))
        async for d in db[DATES].find(wanted)
        for each in d["dates"]
    ]
    return first_day(dates, year=year, path=path, school=school, levels=known["levels"])


def first_day(dates: Iterable[LockDate], *, year: str, path: tuple[str, ...], school: str, levels: Iterable[str]) -> dt.date | None:
    """The earliest of the days that bind the grades of the school's levels."""
    every = list(dates)
    grades = [grade for level in levels for grade in GRADES.get(level, ())]
    bound = [in_force(every, "intake", year=year, path=path, school=school, grade=grade) for grade in grades]
    return min((date.on for date in bound if date is not None), default=None)
