"""JSON of menu 6.2 Cấu hình tiếp nhận, thu hồi under /api/district/lock-dates."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.access import Action
from contracts.lock_dates import FINAL_GRADES, MATTERS, LockDate, concerns, in_force
from services.chassis.access import Who
from services.district.lock_dates import rules, setting
from services.district.lock_dates import store as lock_store
from services.district.routes import own_branch, store_of

router = APIRouter(prefix="/api/district")

YEAR_PATTERN = r"^20\d\d-20\d\d$"
Year = Annotated[str, StringConstraints(pattern=YEAR_PATTERN)]
SchoolCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Grade = Annotated[int, Field(ge=1, le=12)]


class LockOrder(BaseModel):
    """`schools` null: common to all schools of the unit. `grades` empty: every grade, in place of what stood for single ones.

    `on` null takes the date away. `preview`: only tell whom it would affect.
    """

    model_config = ConfigDict(extra="forbid")

    year: Year
    matter: Literal["intake", "withdrawal", "admissions"]
    schools: Annotated[list[SchoolCode] | None, Field(max_length=5000)] = None
    grades: Annotated[list[Grade], Field(max_length=12)] = Field(default_factory=list)
    on: dt.date | None
    preview: bool = False

    @model_validator(mode="after")
    def _final_grades(self) -> LockOrder:
        if not all(concerns(self.matter, grade) for grade in self.grades):
            raise ValueError(f"admissions are about the grades {FINAL_GRADES} alone")
        return self

    def order(self) -> rules.Order:
        grades: list[int | None] = [*sorted(set(self.grades))] or [None]
        wishes = tuple(rules.Wish(self.matter, grade, self.on) for grade in grades)
        return rules.Order(self.year, None if self.schools is None else tuple(dict.fromkeys(self.schools)), wishes)


@router.get("/lock-dates")
async def lock_dates(request: Request, who: Who, year: Annotated[str, Query(pattern=YEAR_PATTERN)]) -> dict[str, Any]:
    """What the own unit has set, and for each school and grade of the branch the day in force and the unit that set it."""
    unit = await own_branch(request, who, Action.SET_LOCK_DATES)
    store = store_of(request)
    schools = await store.own_schools(unit)
    documents = await lock_store.dates(store.db, year, {code for s in schools for code in s["path"]} | {unit})
    dates = list(rules.dates_in(documents))
    return {
        "unit": unit,
        "year": year,
        "set": [_told(d) for d in dates if d.unit == unit],
        "schools": [
            {"school": s["_id"], "name": s["name"], "grades": [_grade(dates, year, s, grade) for grade in rules.grades_of(s)]}
            for s in schools
        ],
    }


def _told(date: LockDate) -> dict[str, Any]:
    return {"matter": date.matter, "school": date.school, "grade": date.grade, "on": date.on}


def _grade(dates: list[LockDate], year: str, school: dict[str, Any], grade: int) -> dict[str, Any]:
    row: dict[str, Any] = {"grade": grade}
    for matter in MATTERS:
        date = in_force(dates, matter, year=year, path=tuple(school["path"]), school=school["_id"], grade=grade)
        row[matter] = {"on": date.on, "set_by": date.unit} if date else None
    return row


@router.get("/lock-dates/history")
async def history(
    request: Request, who: Who, year: Annotated[str, Query(pattern=YEAR_PATTERN)], page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> dict[str, Any]:
    """Every change that the own unit made: who, when, before, after."""
    unit = await own_branch(request, who, Action.SET_LOCK_DATES)
    rows, total = await lock_store.history(store_of(request).db, [unit], year, skip=(page - 1) * 50)
    keys = ("at", "actor", "actor_name", "matter", "school", "grade", "before", "after")
    return {"total": total, "changes": [{k: r[k] for k in keys} for r in rows]}


@router.post("/lock-dates")
async def set_lock_dates(request: Request, who: Who, body: LockOrder) -> dict[str, Any]:
    """ "Cấu hình khóa tiếp nhận", "Cấu hình khóa thu hồi", the last day for the admissions portal: in force at once in publishing."""
    unit = await own_branch(request, who, Action.SET_LOCK_DATES, acting=True)
    order = body.order()
    seen = await setting.preview(store_of(request), unit, order)
    changed = 0
    if not body.preview:
        changed = await setting.set_dates(store_of(request), who, unit, order, request_id=request.state.request_id)
    affected = [
        {"school": e.school, "grades": e.grades, "matter": e.matter, "before": e.before, "after": e.after, "concerned": e.concerned}
        for e in seen.effects
    ]
    return {"changed": changed, "affected": affected, "closes_now": seen.closes_now, "after_national": seen.after_national}
