"""JSON under /api/records/printing: place, date and leader for the school and for classes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from services.chassis.access import Who, require
from services.chassis.errors import NOT_FOUND, Refused
from services.records.at_hand import Year, own_school, reading
from services.records.printing import store
from services.records.printing.errors import NO_CLASS_CHOSEN
from services.records.printing.settings import Printing, checked, effective, may_lead, with_classes, with_school, without_classes
from services.records.store import class_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/api/records/printing")


class Values(BaseModel):
    """What is left out, or null, is not configured here."""

    model_config = ConfigDict(extra="forbid")

    place: str | None = Field(default=None, max_length=200)
    date: dt.date | None = None
    leader: str | None = Field(default=None, max_length=40)

    @property
    def printing(self) -> Printing:
        return Printing(place=self.place, date=self.date, leader=self.leader)


class Classes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    classes: list[str] = Field(min_length=1, max_length=200)


class ClassValues(Classes, Values):
    pass


@router.get("")
async def shown(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    """What is configured, what each class's documents will therefore say, and who may sign as leader."""
    require(who, Action.CONFIGURE_PRINTING, school=own_school(who))
    return await configuration(await reading(request, who, year))


@router.put("")
async def set_school(request: Request, who: Who, values: Values, year: Year = None) -> dict[str, Any]:
    require(who, Action.CONFIGURE_PRINTING, school=own_school(who))
    looked_at = await reading(request, who, year)
    await configure_school(looked_at, values.printing)
    return await configuration(looked_at)


@router.put("/classes")
async def set_classes(request: Request, who: Who, values: ClassValues, year: Year = None) -> dict[str, Any]:
    """What is given for these classes; what is left out stays as it was."""
    require(who, Action.CONFIGURE_PRINTING, school=own_school(who))
    looked_at = await reading(request, who, year)
    await configure_classes(looked_at, values.classes, values.printing)
    return await configuration(looked_at)


@router.post("/classes/clear")
async def clear_classes(request: Request, who: Who, chosen: Classes, year: Year = None) -> dict[str, Any]:
    """These classes follow the school's configuration again."""
    require(who, Action.CONFIGURE_PRINTING, school=own_school(who))
    looked_at = await reading(request, who, year)
    await clear(looked_at, chosen.classes)
    return await configuration(looked_at)


async def configuration(looked_at: Reading) -> dict[str, Any]:
    at = looked_at
    settings = await store.settings_of(at.store.db, at.school, at.year)
    school, staff = await at.store.school(at.school, at.year), await at.store.staff(at.school, at.year)
    classes = []
    for document in await at.store.classes(at.school, at.year):
        printed, of_class = effective(settings, school, class_of(document))
        leader = staff.get(of_class.leader)
        classes.append(
            {
                "code": of_class.code,
                "name": of_class.name,
                "grade": of_class.grade,
                "place": printed.print_place,
                "date": printed.print_date.isoformat(),
                "leader": of_class.leader,
                "leader_name": leader.name if leader else "",
                "own": settings.classes.get(of_class.code, Printing()).model_dump(mode="json", exclude_none=True),
            }
        )
    leaders = [{"staff": s.code, "name": s.name, "position": s.position} for s in staff.values() if may_lead(s)]
    return {
        "school": at.school,
        "year": at.year,
        "own": settings.school.model_dump(mode="json"),
        "imported": {"place": school.print_place, "date": school.print_date.isoformat()},
        "leaders": sorted(leaders, key=lambda row: row["staff"]),
        "classes": classes,
    }


async def configure_school(looked_at: Reading, given: Printing) -> None:
    values = checked(given, await looked_at.store.staff(looked_at.school, looked_at.year), looked_at.year)
    at = looked_at
    await store.configure(at.store.db, at.school, at.year, lambda s: with_school(s, values), classes=None, actor=at.who.person)


async def configure_classes(looked_at: Reading, codes: Sequence[str], given: Printing) -> None:
    at = looked_at
    values = checked(given, await at.store.staff(at.school, at.year), at.year)
    await _require_classes(at, codes)
    await store.configure(at.store.db, at.school, at.year, lambda s: with_classes(s, codes, values), classes=codes, actor=at.who.person)


async def clear(looked_at: Reading, codes: Sequence[str]) -> None:
    at = looked_at
    await _require_classes(at, codes)
    await store.configure(at.store.db, at.school, at.year, lambda s: without_classes(s, codes), classes=codes, actor=at.who.person)


async def _require_classes(looked_at: Reading, codes: Sequence[str]) -> None:
    if not codes:
        raise Refused(NO_CLASS_CHOSEN)
    known = {d["code"] for d in await looked_at.store.classes(looked_at.school, looked_at.year)}
    if not known.issuperset(codes):
        raise Refused(NOT_FOUND)
