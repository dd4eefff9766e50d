"""JSON under /api/records/locks: the final lock of a school year."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from contracts.access import Action
from services.chassis.access import Who, require, require_fresh
from services.records.at_hand import Year, reading, store_of
from services.records.locks import desk
from services.records.locks.dates import dates_of
from services.records.locks.store import lock_of

router = APIRouter(prefix="/api/records/locks")


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DayOrder(Body):
    """`day` as dd/MM/yyyy or yyyy-MM-dd; "" takes the school's own day back."""

    day: Annotated[str, StringConstraints(max_length=40)]


class PersonOrder(Body):
    person: Annotated[str, StringConstraints(max_length=40)]


class ReasonOrder(Body):
    reason: Annotated[str, StringConstraints(max_length=4000)]


class ActShown(BaseModel):
    at: dt.datetime
    by: str
    act: str
    reason: str


class LockShown(BaseModel):
    """`last_correction` is the last day on which data may be corrected; `inspector` the staff code of who witnesses for the Ban TTND."""

    school: str
    year: str
    locked: bool
    planned_on: dt.date | None
    national_deadline: dt.date
    last_correction: dt.date
    inspector: str | None
    history: list[ActShown]


@router.get("")
async def lock(request: Request, who: Who, year: Year = None) -> LockShown:
    looked_at = await reading(request, who, year)
    require(who, Action.VIEW_CORRECTION, school=looked_at.school, own=True)
    return shown(await lock_of(looked_at.store.db, looked_at.school, looked_at.year))


def shown(found: dict[str, Any]) -> LockShown:
    dates = dates_of(found)
    return LockShown(
        school=found["school"],
        year=found["year"],
        locked=found["locked"],
        planned_on=dates.planned,
        national_deadline=dates.national,
        last_correction=dates.last_correction,
        inspector=found["inspector"],
        history=[ActShown(**entry) for entry in found["history"]],
    )


@router.post("/plan", status_code=204)
async def plan(request: Request, who: Who, order: DayOrder, year: Year = None) -> None:
    """Set the day on which the school means to lock the year."""
    looked_at = await reading(request, who, year)
    require(who, Action.PLAN_LOCK, school=looked_at.school)
    await desk.plan(store_of(request), looked_at.school, looked_at.year, order.day, actor=who.person)


@router.post("/inspector", status_code=204)
async def inspector(request: Request, who: Who, order: PersonOrder, year: Year = None) -> None:
    """Appoint who witnesses unlocks for the people's inspection board this year."""
    looked_at = await reading(request, who, year)
    require_fresh(who, Action.LOCK_YEAR, school=looked_at.school)
    await desk.appoint(store_of(request), looked_at.school, looked_at.year, order.person, actor=who.person)


@router.post("/lock", status_code=204)
async def lock_year(request: Request, who: Who, order: ReasonOrder, year: Year = None) -> None:
    """ "Khóa học bạ": from now on nothing of the year is created, signed or corrected."""
    looked_at = await reading(request, who, year)
    require_fresh(who, Action.LOCK_YEAR, school=looked_at.school)
    await desk.lock_year(store_of(request), looked_at.school, looked_at.year, order.reason, actor=who.person)


@router.post("/unlock", status_code=204)
async def unlock_year(request: Request, who: Who, order: ReasonOrder, year: Year = None) -> None:
    looked_at = await reading(request, who, year)
    require_fresh(who, Action.LOCK_YEAR, school=looked_at.school)
    await desk.unlock_year(store_of(request), looked_at.school, looked_at.year, order.reason, actor=who.person)
