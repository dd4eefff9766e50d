"""A unit's branch in a school year: reorganised units keep their past, and schools that closed are told apart."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.district.branch import at, below, branch_of, day_of

TODAY = dt.date(2027, 3, 1)


def span(path: list[str], first: str | None, end: str | None, name: str = "Trường A") -> dict[str, Any]:
    return {"name": name, "path": path, "valid_from": first, "valid_to": end}


MOVED = {
    "_id": "a",
    "name": "Trường mới",
    "path": ["031", "02"],
    "spans": [span(["031", "01"], None, "2026-10-01"), span(["031", "02"], "2026-10-01", None, "Trường mới")],
}
CLOSED = {
    "_id": "c",
    "name": "Trường C",
    "path": ["031", "01"],
    "abolished_on": "2026-12-01",
    "spans": [span(["031", "01"], None, "2026-12-01", "Trường C")],
}
UNITS = [{"_id": "031", "name": "Sở", "path": ["031"]}, {"_id": "01", "name": "Phường 1", "path": ["031", "01"]}]


def schools_of(unit: str, year: str) -> tuple[list[str], list[str]]:
    found = branch_of(unit, UNITS, [MOVED, CLOSED], year, TODAY)
    return [s["_id"] for s in found.schools], [s["_id"] for s in found.closed]


def test_a_school_that_moved_stands_in_each_year_where_it_stood_then() -> None:
    assert schools_of("01", "2025-2026") == (["a", "c"], [])
    assert schools_of("02", "2025-2026") == ([], [])
    assert schools_of("02", "2026-2027") == (["a"], [])
    assert schools_of("031", "2025-2026")[0] == ["a", "c"]


def test_a_school_that_closed_in_the_year_is_listed_as_closed_and_before_it_not_at_all() -> None:
    assert schools_of("01", "2026-2027") == ([], ["c"])
    later = branch_of("01", UNITS, [CLOSED], "2027-2028", dt.date(2028, 1, 1))
    assert (later.schools, later.closed) == ([], [])


def test_a_unit_or_school_is_shown_by_the_name_of_that_time() -> None:
    assert at(MOVED, dt.date(2026, 1, 1)) == {**MOVED, "name": "Trường A", "path": ["031", "01"]}
    assert at(CLOSED, dt.date(2026, 12, 1)) is None


def test_what_was_told_without_a_past_has_always_been_so() -> None:
    plain = {"_id": "p", "name": "Trường P", "path": ["031", "01"]}
    assert at(plain, dt.date(1990, 1, 1)) == plain


@pytest.mark.parametrize(
    ("year", "day"), [("2025-2026", dt.date(2026, 8, 31)), ("2026-2027", TODAY), (None, TODAY)], ids=["past", "present", "none"]
)
def test_a_year_is_looked_at_on_its_last_day_or_today(year: str | None, day: dt.date) -> None:
    assert day_of(year, TODAY) == day


def test_the_unit_right_below_is_found_on_the_path_of_a_school() -> None:
    assert below("031", ["031", "01", "0101"]) == "01"
    assert below("0101", ["031", "01", "0101"]) is None


def test_a_school_that_came_after_the_year_brings_its_results_with_the_units_above_it() -> None:
    late = {"_id": "n", "name": "Trường N", "path": ["031", "03"], "spans": [span(["031", "03"], "2026-11-23", None, "Trường N")]}
    above = {"_id": "03", "name": "Phường 3", "path": ["031", "03"], "spans": [span(["031", "03"], "2026-11-23", None, "Phường 3")]}
    found = branch_of("031", [*UNITS, above], [late], "2025-2026", TODAY)
    assert ([s["_id"] for s in found.schools], [u["_id"] for u in found.units]) == (["n"], ["01", "03"])
    assert [u["_id"] for u in branch_of("031", [*UNITS, above], [], "2025-2026", TODAY).units] == ["01"]
