"""Which units and schools belonged to a unit on which day. Plain rows in, decisions out.

Reorganised units keep their past: a school year is looked at with the tree as it was at its end (or today, where it goes on), so a
school that moved stands under the unit that answered for it then. A school that has closed is told apart from those that go on.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.chassis.mongo import Document

LAST_DAY = (8, 31)
FIRST_DAY = (9, 1)
"""Month and day of the end and the beginning of a school year; a school that closed before has no part in it."""


@dataclass(frozen=True)
class Branch:
    """Units and schools as they were called and stood on the day; `closed` ended before it, in the course of the school year."""

    day: dt.date
    units: list[Document] = field(default_factory=list)
    schools: list[Document] = field(default_factory=list)
    closed: list[Document] = field(default_factory=list)


def day_of(year: str | None, today: dt.date) -> dt.date:
    """The day on which a school year ("2025-2026") is looked at: its last, or today as long as it goes on."""
    return min(today, dt.date(int(year[:4]) + 1, *LAST_DAY)) if year else today


def begin_of(year: str | None, day: dt.date) -> dt.date:
    return dt.date(int(year[:4]), *FIRST_DAY) if year else day


def at(row: Mapping[str, Any], day: dt.date) -> Document | None:
    """The unit or school as it was on the day, or as it first was when the day is before that; None after its end.

    A school registers when it comes to use the system, and brings results of a school year that is over. Rows without a past have always
    been so.
    """
    ended = row.get("abolished_on")
    if ended and ended <= day.isoformat():
        return None
    if not row.get("spans"):
        return dict(row)
    wanted = max(day.isoformat(), _begins(row))
    span = next((s for s in row["spans"] if (s["valid_from"] or "") <= wanted and (s["valid_to"] is None or wanted < s["valid_to"])), None)
    return {**row, "name": span["name"], "path": span["path"]} if span else None


def branch_of(unit: str, units: Iterable[Document], schools: Iterable[Document], year: str | None, today: dt.date) -> Branch:
    """What was below the unit in the school year; not among its units: itself, and one that came later and has no school then."""
    day = day_of(year, today)
    found = Branch(day)
    for row in schools:
        then = at(row, day)
        if then is not None:
            if unit in then["path"]:
                found.schools.append(then)
        elif unit in row["path"] and begin_of(year, day).isoformat() < (row.get("abolished_on") or "") <= day.isoformat():
            found.closed.append(dict(row))
    above = {code for school in found.schools for code in school["path"]}
    for row in units:
        then = at(row, day)
        there = then is not None and (row["_id"] in above or _begins(row) <= day.isoformat())
        if then is not None and there and unit in then["path"] and row["_id"] != unit:
            found.units.append(then)
    return found


def _begins(row: Mapping[str, Any]) -> str:
    return min((s["valid_from"] or "" for s in row.get("spans") or ()), default="")


def below(unit: str, path: Iterable[str]) -> str | None:
    """The unit right below `unit` on the path to something; None when it stands right below `unit` itself."""
    codes = list(path)
    after = codes[codes.index(unit) + 1 :]
    return after[0] if after else None
