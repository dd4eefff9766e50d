"""Lock dates of menu 6.2: which of them is in force for a school and grade. Plain data in, a date out.

A lock date is the last day, to its end in Vietnam's time, on which transcripts of a school year are taken in, may be withdrawn, or
(those of final grades) may be sent to the admissions portal.
Within one unit the most specific prevails: school and grade, school, grade, common. Of several units above a school each has its
word, and the earliest of their days counts: a unit may be stricter than the one above it, never laxer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Matter = Literal["intake", "withdrawal", "admissions"]
MATTERS: tuple[Matter, ...] = ("intake", "withdrawal", "admissions")
GRADES: dict[str, tuple[int, ...]] = {"TH": (1, 2, 3, 4, 5), "THCS": (6, 7, 8, 9), "THPT": (10, 11, 12)}
"""By level of a school."""
FINAL_GRADES: tuple[int, ...] = tuple(grades[-1] for grades in GRADES.values())
"""5, 9, 12: who leaves them applies to another school, so their transcripts go to the admissions portal."""


@dataclass(frozen=True)
class LockDate:
    """`school` None: for every school below `unit`; `grade` None: for every grade."""

    unit: str
    year: str
    matter: Matter
    school: str | None
    grade: int | None
    on: dt.date


def concerns(matter: Matter, grade: int) -> bool:
    """Admissions are about final grades alone."""
    return matter != "admissions" or grade in FINAL_GRADES


def in_force(
    dates: Iterable[LockDate], matter: Matter, *, year: str, path: tuple[str, ...], school: str, grade: int | None
) -> LockDate | None:
    """The one that binds `grade` of `school`, which lies below the units of `path` (root first).

    `grade` None, a whole class or school, is bound by dates for every grade alone.
    """
    chosen: dict[str, LockDate] = {}
    for date in dates:
        fits = (date.matter, date.year) == (matter, year) and date.unit in path
        if not (fits and date.school in (None, school) and date.grade in (None, grade)):
            continue
        known = chosen.get(date.unit)
        if known is None or _specific(date) > _specific(known):
            chosen[date.unit] = date
    return min(chosen.values(), key=lambda d: (d.on, path.index(d.unit)), default=None)


def _specific(date: LockDate) -> tuple[bool, bool]:
    return date.school is not None, date.grade is not None
