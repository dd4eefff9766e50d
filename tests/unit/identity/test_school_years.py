"""School years of a school: which one is open, how another is opened, and the dates that bind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Refused
from services.identity.organisations.school_years import (
    CLOSED,
    OPEN,
    binding_deadline,
    blank,
    national_deadline,
    next_of,
    opened,
    with_dates,
    year_of,
)

AT = dt.datetime(2026, 8, 1, 3, 0, tzinfo=dt.UTC)
SCHOOL: dict[str, Any] = {"_id": "31300001", "name": "Trường", "unit": "03101", "path": ["031", "03101"], "year": None}
Known = dict[str, dict[str, Any]]


def after(known: Known, school: dict[str, Any], year: str, *, imported: bool = False, reason: str = "") -> tuple[Known, dict[str, Any]]:
    found = opened(school, known, year, imported=imported, reason=reason, actor="31300001003", at=AT)
    return {**known, **{y["year"]: y for y in found.years}}, found.school


def opened_years(known: Known) -> list[str]:
    return [year for year, document in known.items() if document["state"] == OPEN]


def test_opening_the_next_year_closes_the_one_before() -> None:
    known, school = after({}, SCHOOL, "2025-2026", imported=True)
    known, school = after(known, school, "2026-2027")
    assert school["year"] == "2026-2027"
    assert {y: d["state"] for y, d in known.items()} == {"2025-2026": CLOSED, "2026-2027": OPEN}
    assert (known["2025-2026"]["closed_by"], known["2025-2026"]["closed_at"]) == ("31300001003", AT)


def test_the_import_of_a_later_year_opens_it_even_when_one_is_left_out() -> None:
    known, school = after({}, SCHOOL, "2023-2024", imported=True)
    known, school = after(known, school, "2025-2026", imported=True)
    assert opened_years(known) == ["2025-2026"] == [school["year"]]


def test_an_earlier_year_is_opened_again_only_with_a_reason() -> None:
    known, school = after({}, SCHOOL, "2024-2025", imported=True)
    known, school = after(known, school, "2025-2026")
    with pytest.raises(Refused, match="HB-IDN-029"):
        after(known, school, "2024-2025", reason="  ")
    known, school = after(known, school, "2024-2025", reason="Đính chính học bạ")
    assert (opened_years(known), known["2024-2025"]["reason"]) == (["2024-2025"], "Đính chính học bạ")
    known, school = after(known, school, "2025-2026")
    assert opened_years(known) == ["2025-2026"]


@pytest.mark.parametrize("year", ["2027-2028", "2024-2025", "2025-2027", "2026", "2026-2027 "])
def test_a_year_out_of_turn_is_not_opened(year: str) -> None:
    known, school = after({}, SCHOOL, "2025-2026", imported=True)
    with pytest.raises(Refused, match="HB-IDN-067"):
        after(known, school, year, reason="vì cần")


def test_the_open_year_is_not_opened_once_more() -> None:
    known, school = after({}, SCHOOL, "2025-2026", imported=True)
    with pytest.raises(Refused, match="HB-IDN-069"):
        after(known, school, "2025-2026")


def test_a_closed_school_opens_no_year() -> None:
    with pytest.raises(Refused, match="HB-IDN-060"):
        after({}, {**SCHOOL, "ended_on": "2025-07-01"}, "2025-2026")


def test_a_school_from_before_years_were_kept_closes_its_open_one() -> None:
    known, _ = after({}, {**SCHOOL, "year": "2025-2026"}, "2026-2027")
    assert {y: d["state"] for y, d in known.items()} == {"2025-2026": CLOSED, "2026-2027": OPEN}


@given(st.lists(st.tuples(st.integers(2020, 2030), st.booleans(), st.sampled_from(("", "lý do"))), max_size=12))
def test_exactly_one_year_is_open_once_one_was_opened(acts: list[tuple[int, bool, str]]) -> None:
    known: Known = {}
    school = SCHOOL
    for first, imported, reason in acts:
        try:
            known, school = after(known, school, f"{first}-{first + 1}", imported=imported, reason=reason)
        except Refused:
            continue
    assert opened_years(known) == ([school["year"]] if school["year"] else [])


def test_the_national_deadline_is_the_twentieth_of_august_after_the_year() -> None:
    assert national_deadline("2025-2026") == dt.date(2026, 8, 20)


def test_the_schools_own_deadline_binds_where_it_has_one() -> None:
    year = blank("31300001", "2025-2026")
    assert binding_deadline(year) == ("Hạn toàn quốc hoàn thành học bạ số", dt.date(2026, 8, 20))
    own = with_dates(year, starts_on=dt.date(2025, 9, 5), ends_on=dt.date(2026, 5, 31), deadline=dt.date(2026, 6, 30))
    assert binding_deadline(own) == ("Hạn hoàn thành học bạ của nhà trường", dt.date(2026, 6, 30))


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "deadline"),
    [
        (dt.date(2026, 5, 31), dt.date(2025, 9, 5), None),
        (dt.date(2025, 6, 30), dt.date(2026, 5, 31), None),
        (dt.date(2025, 9, 5), dt.date(2026, 8, 21), None),
        (dt.date(2025, 9, 5), dt.date(2026, 5, 31), dt.date(2026, 8, 21)),
        (dt.date(2025, 9, 5), dt.date(2026, 5, 31), dt.date(2025, 9, 5)),
    ],
)
def test_dates_out_of_order_or_out_of_the_year_are_refused(starts_on: dt.date, ends_on: dt.date, deadline: dt.date | None) -> None:
    with pytest.raises(Refused, match="HB-IDN-068"):
        with_dates(blank("31300001", "2025-2026"), starts_on=starts_on, ends_on=ends_on, deadline=deadline)


def test_a_school_year_begins_on_the_first_of_august() -> None:
    assert (year_of(dt.date(2026, 7, 31)), year_of(dt.date(2026, 8, 1))) == ("2025-2026", "2026-2027")
    assert next_of("2025-2026") == "2026-2027"
