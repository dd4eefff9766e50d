"""Opening a school year, and the dates of a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.errors import UNKNOWN_SCHOOL
from services.identity.organisations import school_years, store
from services.identity.organisations.errors import YEAR_OUT_OF_TURN
from services.identity.store import one

if TYPE_CHECKING:
    import datetime as dt

    from services.chassis.mongo import Database, Document, Session


@dataclass(frozen=True)
class Dates:
    """The first and last day of lessons, and the school's own date for its transcripts if it has one."""

    starts_on: dt.date
    ends_on: dt.date
    deadline: dt.date | None


async def open_year(
    db: Database, session: Session, school: Document, year: str, *, imported: bool, reason: str, actor: str, cause: str
) -> Document:
    """The school with the year open, within the caller's transaction. Raises Refused as `school_years.opened`."""
    known = await store.years_of(db, school["_id"], session)
    found = school_years.opened(school, known, year, imported=imported, reason=reason, actor=actor, at=clock.now())
    await save(db, session, "schools", [Change(found.school)], actor=actor, cause=cause)
    await save(db, session, "school_years", [Change(y) for y in found.years], actor=actor, cause=cause)
    details = {"before": school["year"], "after": year, "imported": imported, "reason": reason.strip()}
    await audit.record(
        db, session, actor=actor, act="school year opened", subject=school["_id"], place=school["_id"], request_id=cause, details=details
    )
    return {**found.school, "sequence": school["sequence"] + 1}


async def order_year(db: Database, school: str, year: str, *, reason: str, actor: str, request_id: str) -> Document:
    """The next year opened, or an earlier one again with a reason. Raises Refused: UNKNOWN_SCHOOL and as `school_years.opened`."""

    async def work(session: Session) -> Document:
        before = await _school(db, session, school)
        return await open_year(db, session, before, year, imported=False, reason=reason[:500], actor=actor, cause=request_id)

    return await transaction(db, work)


async def set_dates(db: Database, school: str, year: str, dates: Dates, *, actor: str, request_id: str) -> Document:
    """Of a year that was opened once. Raises Refused: UNKNOWN_SCHOOL, YEAR_OUT_OF_TURN for another year, WRONG_DATES."""

    async def work(session: Session) -> Document:
        place = await _school(db, session, school)
        before = (await store.years_of(db, school, session)).get(year)
        if before is None and place["year"] == year:
            before = {**school_years.blank(school, year), "state": school_years.OPEN}
        if before is None:
            raise Refused(YEAR_OUT_OF_TURN, year=year)
        after = school_years.with_dates(before, starts_on=dates.starts_on, ends_on=dates.ends_on, deadline=dates.deadline)
        if after == before:
            return before
        await save(db, session, "school_years", [Change(after)], actor=actor, cause=request_id)
        kept = ("starts_on", "ends_on", "deadline")
        details = {"year": year, "before": {k: before[k] for k in kept}, "after": {k: after[k] for k in kept}}
        await audit.record(db, session, actor=actor, act="dates set", subject=school, place=school, request_id=request_id, details=details)
        return after

    return await transaction(db, work)


async def years(db: Database, school: Document) -> list[Document]:
    """All that were opened, newest first; a school from before years were kept shows its open one with the usual dates."""
    known = await store.years_of(db, school["_id"])
    if school["year"] is not None and school["year"] not in known:
        known[school["year"]] = {**school_years.blank(school["_id"], school["year"]), "state": school_years.OPEN}
    return sorted(known.values(), key=lambda year: str(year["year"]), reverse=True)


async def _school(db: Database, session: Session, code: str) -> Document:
    school = await one(db, "schools", code, session)
    if school is None:
        raise Refused(UNKNOWN_SCHOOL, school=code)
    return school
