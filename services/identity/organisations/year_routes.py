"""The school years of a school."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from contracts.access import Action
from services.chassis.access import Who, require
from services.identity.at_hand import Db, RequestId
from services.identity.messages import Body, Code
from services.identity.organisations import opening, school_years
from services.identity.organisations.opening import Dates
from services.identity.organisations.routes import school_of

if TYPE_CHECKING:
    from services.chassis.mongo import Document

router = APIRouter(prefix="/api/identity/schools/{school}/years")

Year = Annotated[str, StringConstraints(pattern=r"^20\d{2}-20\d{2}$")]


class SchoolYear(BaseModel):
    """`deadline` is the school's own date for its transcripts; `national_deadline` binds every school."""

    year: str
    open: bool
    starts_on: dt.date
    ends_on: dt.date
    deadline: dt.date | None
    national_deadline: dt.date
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    reason: str


class YearOrder(Body):
    """The year to open; one before the open year needs a `reason`."""

    year: Year
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class DatesOrder(Body):
    starts_on: dt.date
    ends_on: dt.date
    deadline: dt.date | None = None


@router.get("")
async def list_years(school: Code, who: Who, db: Db) -> list[SchoolYear]:
    """All years that were opened, newest first."""
    document = await school_of(db, school)
    require(who, Action.VIEW_SCHOOL if who.school else Action.VIEW_BRANCH, school=school, path=tuple(document["path"]))
    return [_told(year) for year in await opening.years(db, document)]


@router.post("")
async def open_year(school: Code, order: YearOrder, who: Who, db: Db, request_id: RequestId) -> list[SchoolYear]:
    """Closes the year that was open. The next year, or one that was open before."""
    require(who, Action.MANAGE_SCHOOL_YEARS, school=school, path=tuple((await school_of(db, school))["path"]))
    await opening.order_year(db, school, order.year, reason=order.reason, actor=who.person, request_id=request_id)
    return [_told(year) for year in await opening.years(db, await school_of(db, school))]


@router.put("/{year}/dates")
async def set_dates(school: Code, year: Year, order: DatesOrder, *, who: Who, db: Db, request_id: RequestId) -> SchoolYear:
    require(who, Action.MANAGE_SCHOOL_YEARS, school=school, path=tuple((await school_of(db, school))["path"]))
    dates = Dates(order.starts_on, order.ends_on, order.deadline)
    return _told(await opening.set_dates(db, school, year, dates, actor=who.person, request_id=request_id))


def _told(year: Document) -> SchoolYear:
    return SchoolYear(
        year=year["year"],
        open=year["state"] == school_years.OPEN,
        starts_on=dt.date.fromisoformat(year["starts_on"]),
        ends_on=dt.date.fromisoformat(year["ends_on"]),
        deadline=dt.date.fromisoformat(year["deadline"]) if year["deadline"] else None,
        national_deadline=school_years.national_deadline(year["year"]),
        opened_at=year["opened_at"],
        closed_at=year["closed_at"],
        reason=year["reason"],
    )
