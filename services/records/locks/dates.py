"""When a school year is locked and until when its data may be corrected. Plain dates in Vietnam's calendar; no I/O.

Source: Quy chế Học bạ số of a school (28/11/2025), Điều 6 (brought to the national database by 20 August) and Điều 8 (corrections end a
week before the final lock).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.deadlines import national_deadline
from services.chassis import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

BEFORE_LOCK = dt.timedelta(weeks=1)


@dataclass(frozen=True)
class Dates:
    """`planned`: the school's own day for the final lock, None while it set none; then the national day counts."""

    planned: dt.date | None
    national: dt.date

    @property
    def lock(self) -> dt.date:
        return self.planned or self.national

    @property
    def last_correction(self) -> dt.date:
        """The last day on which data may be corrected."""
        return self.lock - BEFORE_LOCK

    @property
    def late(self) -> bool:
        """The school's day is after the national one."""
        return self.lock > self.national


def dates_of(lock: Mapping[str, Any]) -> Dates:
    planned = lock["planned_on"]
    return Dates(dt.date.fromisoformat(planned) if planned else None, national_deadline(lock["year"]))


def today() -> dt.date:
    return clock.in_vietnam(clock.now()).date()
