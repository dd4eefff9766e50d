"""What menu 6.2 asks of the database, and its indexes.

lock_dates: of each unit, for a school year, the common dates or those of one school. lock_history: every change, who made it and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.lock_dates import FINAL_GRADES
from services.chassis import aggregates
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from contracts.access import Principal
    from contracts.lock_dates import Matter
    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session
    from services.district.lock_dates.rules import Entry

GOT_THERE = ("ACCEPTED", "WITHDRAWAL_PENDING")
"""Taken in: no lock date of the intake binds them any more, that of withdrawals does."""


async def ensure_indexes(db: Database) -> None:
    await db["lock_dates"].create_indexes([IndexModel([("year", ASCENDING), ("unit", ASCENDING), ("school", ASCENDING)])])
    await db["lock_history"].create_indexes([IndexModel([("unit", ASCENDING), ("year", ASCENDING), ("at", DESCENDING)])])


async def dates(db: Database, year: str, units: Iterable[str], session: Session | None = None) -> list[Document]:
    """All that these units keep for the year."""
    return await db["lock_dates"].find({"year": year, "unit": {"$in": list(units)}}, session=session).to_list(None)


async def load(db: Database, session: Session, keys: Iterable[str]) -> dict[str, Document]:
    found = await db["lock_dates"].find({"_id": {"$in": list(keys)}}, session=session).to_list(None)
    return {d["_id"]: d for d in found}


async def save(
    db: Database,
    session: Session,
    changes: Sequence[Change],
    entries: Sequence[Entry],
    *,
    who: Principal,
    unit: str,
    year: str,
    at: dt.datetime,
) -> None:
    await aggregates.save(db, session, "lock_dates", changes, actor=who.person)
    lines = [
        {
            "_id": str(uuid4()),
            "unit": unit,
            "year": year,
            "at": at,
            "actor": who.person,
            "actor_name": who.name,
            "matter": e.matter,
            "school": e.school,
            "grade": e.grade,
            "before": e.before.isoformat() if e.before else None,
            "after": e.after.isoformat() if e.after else None,
        }
        for e in entries
    ]
    await db["lock_history"].insert_many(lines, session=session)


async def history(
    db: Database, units: Iterable[str], year: str, *, school: str | None = None, skip: int = 0, most: int = 50
) -> tuple[list[Document], int]:
    """Newest first, and how many there are; with `school` what was set for it and for all schools."""
    wanted: Document = {"unit": {"$in": list(units)}, "year": year}
    if school is not None:
        wanted["school"] = {"$in": [school, None]}
    rows = await db["lock_history"].find(wanted).sort([("at", -1), ("school", 1), ("grade", 1)]).skip(skip).limit(most).to_list(most)
    return rows, await db["lock_history"].count_documents(wanted)


async def concerned(db: Database, schools: Sequence[str], year: str) -> dict[Matter, dict[tuple[str, int], int]]:
    """By school and grade: pupils whose transcript has not been taken in yet, transcripts that could be withdrawn, pupils who apply."""
    pupils = db["classes"].aggregate(
        [
            {"$match": {"school": {"$in": list(schools)}, "year": year}},
            {"$group": {"_id": {"school": "$school", "grade": "$grade"}, "n": {"$sum": "$pupils"}}},
        ]
    )
    taken = db["transcripts"].aggregate(
        [
            {"$match": {"school": {"$in": list(schools)}, "year": year, "state": {"$in": list(GOT_THERE)}}},
            {"$group": {"_id": {"school": "$school", "grade": "$grade"}, "n": {"$sum": 1}}},
        ]
    )
    accepted = {(r["_id"]["school"], r["_id"]["grade"]): int(r["n"]) async for r in taken}
    waiting = {(r["_id"]["school"], r["_id"]["grade"]): int(r["n"]) async for r in pupils}
    return {
        "intake": {key: max(0, n - accepted.get(key, 0)) for key, n in waiting.items()},
        "withdrawal": accepted,
        "admissions": {key: n for key, n in waiting.items() if key[1] in FINAL_GRADES},
    }
