"""Queries of district over what others tell it; those of menu 6.1 stand in `certificate_store.py`, those of 6.3 in `lookup/`.

units, schools, classes, transcripts: a row a subject, as the newest event says. counts, days: kept with them (`model/counting.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from services.chassis import clock
from services.chassis.mongo import ASCENDING, IndexModel
from services.district import branch, certificate_store
from services.district.branch import Branch, branch_of
from services.district.lock_dates import store as lock_dates
from services.district.lookup import store as lookup
from services.district.model import taking
from services.district.statistics import STATES
from services.district.withdrawals import store as withdrawals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.event import Event
    from contracts.events.identity import SchoolChangedV1, UnitChangedV1
    from contracts.events.records import ClassImportedV1, TranscriptMovedV1
    from services.chassis.mongo import Database, Document, Session

Counts = dict[tuple[str, int], dict[str, int]]
"""By school and grade."""


async def ensure_indexes(db: Database) -> None:
    await db["units"].create_indexes([IndexModel([("path", ASCENDING)]), IndexModel([("spans.path", ASCENDING)], name="past")])
    await db["schools"].create_indexes([IndexModel([("path", ASCENDING)]), IndexModel([("spans.path", ASCENDING)], name="past")])
    await db["classes"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    by_number = [("school", ASCENDING), ("year", ASCENDING), ("grade", ASCENDING), ("state", ASCENDING)]
    await db["transcripts"].create_indexes([IndexModel(by_number)])
    await lookup.ensure_indexes(db)
    await db["summaries"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["counts"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["days"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING), ("day", ASCENDING)])])
    await certificate_store.ensure_indexes(db)
    await lock_dates.ensure_indexes(db)
    await withdrawals.ensure_indexes(db)


def today() -> dt.date:
    return clock.in_vietnam(clock.now()).date()


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db

    # what others tell

    async def save_units(self, session: Session, events: Sequence[Event[UnitChangedV1]]) -> None:
        await taking.take(self.db, session, taking.UNITS, events)

    async def save_schools(self, session: Session, events: Sequence[Event[SchoolChangedV1]]) -> None:
        await taking.take(self.db, session, taking.SCHOOLS, events)
        await certificate_store.follow(self.db, session, {e.data.code for e in events})
        await withdrawals.follow(self.db, session, {e.data.code for e in events})

    async def save_classes(self, session: Session, events: Sequence[Event[ClassImportedV1]]) -> None:
        await taking.take(self.db, session, taking.CLASSES, events)

    async def save_moves(self, session: Session, events: Sequence[Event[TranscriptMovedV1]]) -> None:
        await taking.take(self.db, session, taking.TRANSCRIPTS, events)

    # units and schools

    async def unit(self, code: str) -> Document | None:
        found: Document | None = await self.db["units"].find_one({"_id": code})
        return found

    async def unit_names(self, codes: Iterable[str]) -> dict[str, str]:
        found = await self.db["units"].find({"_id": {"$in": list(codes)}}, projection={"name": 1}).to_list(None)
        return {u["_id"]: u["name"] for u in found}

    async def school(self, code: str) -> Document | None:
        found: Document | None = await self.db["schools"].find_one({"_id": code})
        return found

    async def own_schools(self, unit: str) -> list[Document]:
        """Those that the unit answers for now, and those that it answered for last, by name."""
        return await self.db["schools"].find({"path": unit}, projection={"spans": 0}).sort("name", 1).to_list(None)

    async def branch(self, unit: str, year: str | None) -> Branch:
        """The unit's branch as it was in a school year; schools by name."""
        ever = {"$or": [{"path": unit}, {"spans.path": unit}]}
        units = await self.db["units"].find(ever).sort("name", 1).to_list(None)
        schools = await self.db["schools"].find(ever).sort("name", 1).to_list(None)
        return branch_of(unit, units, schools, year, today())

    # numbers

    async def years(self, unit: str) -> list[str]:
        """Those of which any school that is or was of the branch has data, newest first."""
        ever = {"$or": [{"path": unit}, {"spans.path": unit}]}
        schools = await self.db["schools"].distinct("_id", ever)
        return sorted(await self.db["counts"].distinct("year", {"school": {"$in": schools}}), reverse=True)

    async def counts(self, schools: Sequence[str], year: str) -> tuple[Counts, Counts]:
        """Pupils (imported, and those whose data forbid a transcript), and transcripts by state."""
        pupils: Counts = {}
        states: Counts = {}
        async for row in self.db["counts"].find({"school": {"$in": list(schools)}, "year": year}):
            key = (row["school"], row["grade"])
            if "pupils" in row:
                _add(pupils.setdefault(key, {}), {"pupils": row["pupils"], "refused": row.get("refused", 0)})
            if "states" in row:
                _add(states.setdefault(key, {}), row["states"])
        return pupils, states

    async def summaries(self, schools: Sequence[str], year: str) -> dict[str, dict[str, int]]:
        """By school, class summaries by state."""
        found: dict[str, dict[str, int]] = {}
        wanted = {"school": {"$in": list(schools)}, "year": year, "summaries": {"$exists": True}}
        async for row in self.db["counts"].find(wanted, projection={"school": 1, "summaries": 1}):
            _add(found.setdefault(row["school"], {}), row["summaries"])
        return found

    async def totals(self, schools: Sequence[str], year: str) -> dict[str, int]:
        """Pupils, and transcripts by state, of all these schools together."""
        wanted = {"school": {"$in": list(schools)}, "year": year}
        sums = {state: {"$sum": f"$states.{state}"} for state in STATES}
        found = self.db["counts"].aggregate([{"$match": wanted}, {"$group": {"_id": None, "pupils": {"$sum": "$pupils"}, **sums}}])
        return {name: number for row in await found.to_list(1) for name, number in row.items() if name != "_id" and number}

    async def days(self, schools: Sequence[str], year: str, *, since: dt.date | None = None) -> list[Document]:
        """By day: {day, and for each milestone {all: how many, h09: at that hour}}, oldest first."""
        wanted: Document = {"school": {"$in": list(schools)}, "year": year}
        if since is not None:
            wanted["day"] = {"$gte": since.isoformat()}
        found: dict[str, Document] = {}
        async for row in self.db["days"].find(wanted, projection={"_id": 0, "school": 0, "year": 0, "run": 0}):
            day = found.setdefault(row.pop("day"), {})
            for milestone, numbers in row.items():
                _add(day.setdefault(milestone, {}), numbers)
        return [{"day": day, **found[day]} for day in sorted(found)]


def _add(to: dict[str, int], numbers: dict[str, int]) -> None:
    for name, number in numbers.items():
        to[name] = to.get(name, 0) + number


def place(row: Document, year: str | None) -> Document:
    """A unit or school as it stood in a school year; one that had ended by then as it stood last."""
    return branch.at(row, branch.day_of(year, today())) or row
