"""The windows of intake, withdrawal and admissions that oversight units set in menu 6.2. Plain data in, decision out; no I/O.

Whoever lets something be sent or withdrawn asks `refuse_if_closed` at the server's time; what was asked for in time goes out also later.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.lock_dates import LockDate, Matter, in_force
from services.chassis.clock import in_vietnam
from services.chassis.errors import Refused
from services.publishing.admissions.errors import ADMISSIONS_CLOSED
from services.publishing.errors import INTAKE_CLOSED, WITHDRAWAL_CLOSED

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSALS = {"intake": INTAKE_CLOSED, "withdrawal": WITHDRAWAL_CLOSED, "admissions": ADMISSIONS_CLOSED}


@dataclass(frozen=True)
class Windows:
    """What publishing knows for one school: the units above it (root first), their names, and every date that may bind it."""

    school: str
    path: tuple[str, ...]
    dates: tuple[LockDate, ...]
    units: Mapping[str, str]


def bound_by(windows: Windows, matter: Matter, *, year: str, grade: int | None) -> LockDate | None:
    return in_force(windows.dates, matter, year=year, path=windows.path, school=windows.school, grade=grade)


def closed(windows: Windows, matter: Matter, *, year: str, grade: int | None, at: dt.datetime) -> LockDate | None:
    """The lock date that has passed at the moment `at`, whose last hour is 24:00 +07:00 of its day; None while the window is open."""
    date = bound_by(windows, matter, year=year, grade=grade)
    return date if date is not None and in_vietnam(at).date() > date.on else None


def refuse_if_closed(windows: Windows, matter: Matter, *, year: str, grade: int | None, at: dt.datetime) -> None:
    """Raises Refused with the day and the unit that set it."""
    date = closed(windows, matter, year=year, grade=grade, at=at)
    if date is not None:
        raise Refused(REFUSALS[matter], on=f"{date.on:%d/%m/%Y}", unit=windows.units.get(date.unit, date.unit))
