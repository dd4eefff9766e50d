"""Menu 6.2: what an order of lock dates changes, and whom it affects. Plain data in, changes and effects out; no I/O."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from contracts.events.district import AdmissionsDay, LockDatesSetV1, LockDay
from contracts.lock_dates import GRADES, LockDate, Matter, concerns, in_force
from services.chassis.aggregates import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from services.chassis.mongo import Document

COMMON = "common"
EVERY_GRADE = "Mọi khối"


@dataclass(frozen=True)
class Wish:
    """One date to be set, or with `on` None taken away; `grade` None: for every grade."""

    matter: Matter
    grade: int | None
    on: dt.date | None


@dataclass(frozen=True)
class Order:
    """What an officer asks for. `schools` None: dates common to all schools of the unit."""

    year: str
    schools: tuple[str, ...] | None
    wishes: tuple[Wish, ...]

    @property
    def scopes(self) -> tuple[str | None, ...]:
        return (None,) if self.schools is None else self.schools


@dataclass(frozen=True)
class Entry:
    """A line of the history."""

    matter: Matter
    school: str | None
    grade: int | None
    before: dt.date | None
    after: dt.date | None


@dataclass(frozen=True)
class Effect:
    """For these grades of a school another day is in force than before; `concerned` transcripts are bound by it."""

    school: str
    name: str
    matter: Matter
    grades: tuple[int, ...]
    before: dt.date | None
    after: dt.date | None
    concerned: int


def key_of(unit: str, year: str, school: str | None) -> str:
    return f"{unit}:{year}:{school or COMMON}"


def kept(document: Document) -> dict[tuple[Matter, int | None], dt.date]:
    return {(d["matter"], d["grade"]): dt.date.fromisoformat(d["on"]) for d in document["dates"]}


def ordered_dates(held: Mapping[tuple[Matter, int | None], dt.date]) -> list[Document]:
    """As they are kept."""
    return [{"matter": m, "grade": g, "on": held[m, g].isoformat()} for m, g in sorted(held, key=lambda k: (k[0], k[1] or 0))]


def told(unit: str, year: str, school: str | None, dates: Sequence[Document]) -> LockDatesSetV1:
    """What publishing is told."""
    common = tuple(LockDay.model_validate(d) for d in dates if d["matter"] != "admissions")
    admissions = tuple(AdmissionsDay.model_validate(d) for d in dates if d["matter"] == "admissions")
    return LockDatesSetV1(unit=unit, year=year, school=school, dates=common, admissions=admissions)


def applied(held: Mapping[tuple[Matter, int | None], dt.date], wishes: Iterable[Wish]) -> dict[tuple[Matter, int | None], dt.date]:
    """A wish for every grade takes the place of what stood for single grades beside it."""
    after = dict(held)
    for wish in wishes:
        if wish.grade is None:
            after = {key: on for key, on in after.items() if key[0] != wish.matter}
        if wish.on is None:
            after.pop((wish.matter, wish.grade), None)
        else:
            after[wish.matter, wish.grade] = wish.on
    return after


def changed(
    document: Document | None, order: Order, *, unit: str, school: str | None, actor: str, at: dt.datetime
) -> tuple[Change, list[Entry]] | None:
    """The unit's dates for one scope after the order, and what it changed; None when it changes nothing."""
    held = kept(document) if document else {}
    after = applied(held, order.wishes)
    keys = sorted({*held, *after}, key=lambda k: (k[0], k[1] or 0))
    entries = [Entry(m, school, g, held.get((m, g)), after.get((m, g))) for m, g in keys if held.get((m, g)) != after.get((m, g))]
    if not entries:
        return None
    dates = ordered_dates(after)
    state = {
        **(document or {"_id": key_of(unit, order.year, school), "unit": unit, "year": order.year, "school": school}),
        "dates": dates,
        "changed_at": at,
        "changed_by": actor,
    }
    return Change(state, told(unit, order.year, school, dates)), entries


def dates_in(documents: Iterable[Document]) -> Iterator[LockDate]:
    for document in documents:
        for (matter, grade), on in kept(document).items():
            yield LockDate(document["unit"], document["year"], matter, document["school"], grade, on)


def after_order(documents: Sequence[Document], order: Order, unit: str) -> list[Document]:
    """All dates as they would stand once the order is carried out."""
    known = {d["_id"]: d for d in documents}
    for school in order.scopes:
        key = key_of(unit, order.year, school)
        before = known.get(key, {"_id": key, "unit": unit, "year": order.year, "school": school, "dates": []})
        known[key] = {**before, "dates": ordered_dates(applied(kept(before), order.wishes))}
    return list(known.values())


def grades_of(school: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(sorted(g for level in school["levels"] for g in GRADES.get(level, ())))


def grades_for(school: Mapping[str, Any], matter: Matter) -> tuple[int, ...]:
    """Those of its grades that dates of the matter bind."""
    return tuple(grade for grade in grades_of(school) if concerns(matter, grade))


def effects(
    schools: Sequence[Mapping[str, Any]],
    before: Iterable[LockDate],
    after: Iterable[LockDate],
    *,
    year: str,
    matters: Sequence[Matter],
    concerned: Mapping[Matter, Mapping[tuple[str, int], int]],
) -> list[Effect]:
    """Who is bound by another day than before, grades with the same days together."""
    was, will = list(before), list(after)
    found: list[Effect] = []
    for school in schools:
        code, path = str(school["_id"]), tuple(school["path"])
        # of the dates of a whole country only those of this school are searched once for each grade
        here = [[d for d in dates if d.school in (None, code) and d.unit in path] for dates in (was, will)]
        for matter in matters:
            rows = []
            for grade in grades_for(school, matter):
                old, new = (in_force(dates, matter, year=year, path=path, school=code, grade=grade) for dates in here)
                days = (old.on if old else None, new.on if new else None)
                if days[0] != days[1]:
                    rows.append((days, grade))
            for days, together in groupby(rows, key=lambda row: row[0]):
                grades = tuple(grade for _, grade in together)
                number = sum(concerned.get(matter, {}).get((code, grade), 0) for grade in grades)
                found.append(Effect(code, str(school["name"]), matter, grades, days[0], days[1], number))
    return found


def grades_in_words(grades: Sequence[int | None]) -> str:
    """ "Khối 1–5", "Khối 6, 8–9", "Mọi khối"."""
    numbers = sorted(g for g in grades if g is not None)
    if not numbers:
        return EVERY_GRADE
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return "Khối " + ", ".join(f"{r[0]}" if len(r) == 1 else f"{r[0]}–{r[-1]}" for r in runs)
