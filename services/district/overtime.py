"""How far a branch has come day by day, and how fast it goes hour by hour. Plain rows of `Store.days` in, numbers out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from services.chassis import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MILESTONES = {
    "created": ("Đã tạo", "neutral"),
    "signed": ("Hoàn thành ký", "waiting"),
    "confirmed": ("Xác nhận hoàn thành", "danger"),
    "submitted": ("Đã gửi", "info"),
    "accepted": ("Đã tiếp nhận", "success"),
}
"""Milestone → (words, tone of its line)."""
LONGEST = 400
"""Days of one chart."""
HOURS = 24


def by_day(days: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every day from the first to the last on which anything happened, with the numbers so far; the newest LONGEST."""
    if not days:
        return []
    known = {d["day"]: d for d in days}
    first, last = dt.date.fromisoformat(days[0]["day"]), dt.date.fromisoformat(days[-1]["day"])
    sums = dict.fromkeys(MILESTONES, 0)
    rows = []
    for n in range((last - first).days + 1):
        day = first + dt.timedelta(days=n)
        for milestone in MILESTONES:
            sums[milestone] += known.get(day.isoformat(), {}).get(milestone, {}).get("all", 0)
        rows.append({"day": day, **sums})
    return rows[-LONGEST:]


def by_hour(days: Sequence[Mapping[str, Any]], milestone: str, now: dt.datetime) -> list[tuple[dt.datetime, int]]:
    """The last HOURS hours of Vietnam, the present one last: (its beginning, how many reached the milestone in it)."""
    known = {d["day"]: d.get(milestone, {}) for d in days}
    here = clock.in_vietnam(now).replace(minute=0, second=0, microsecond=0)
    hours = [here - dt.timedelta(hours=n) for n in reversed(range(HOURS))]
    return [(hour, known.get(hour.date().isoformat(), {}).get(f"h{hour.hour:02d}", 0)) for hour in hours]


def per_hour(hours: Sequence[tuple[dt.datetime, int]], now: dt.datetime) -> float:
    """The present speed: over the last full hour and what has passed of this one."""
    passed = (now - hours[-1][0]).total_seconds() / 3600
    return round((hours[-1][1] + hours[-2][1]) / (1 + passed), 1)


def hours_left(remaining: int, speed: float) -> float | None:
    """Until all is done at this speed; None when nothing moves."""
    return round(remaining / speed, 1) if speed else None
