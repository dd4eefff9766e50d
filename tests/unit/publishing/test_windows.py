"""Lock dates: which is in force, when the window is closed, and what the refusal says."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.lock_dates import LockDate, Matter, in_force
from services.chassis.errors import Refused
from services.publishing.windows import Windows, closed, refuse_if_closed

SCHOOL, YEAR = "31300001", "2025-2026"
PATH = ("031", "03101")
DAY = dt.date(2026, 6, 30)


def date(
    unit: str = "03101", *, school: str | None = None, grade: int | None = None, on: dt.date = DAY, matter: Matter = "intake"
) -> LockDate:
    return LockDate(unit, YEAR, matter, school, grade, on)


def windows(*dates: LockDate) -> Windows:
    return Windows(SCHOOL, PATH, dates, {"031": "Sở GD&ĐT", "03101": "Phường An Hải"})


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "open_still"),
    [
        ("2026-06-30T23:59:59.999+07:00", True),
        ("2026-07-01T00:00:00+07:00", False),
        ("2026-06-30T16:59:59Z", True),
        ("2026-06-30T17:00:00Z", False),
    ],
)
def test_the_window_closes_at_midnight_in_vietnam_after_the_lock_date(moment: str, open_still: bool) -> None:
    found = closed(windows(date()), "intake", year=YEAR, grade=1, at=at(moment))
    assert (found is None) is open_still


def test_intake_and_withdrawal_and_school_years_are_closed_apart() -> None:
    later = at("2026-08-01T00:00:00+07:00")
    only_intake = windows(date())
    assert closed(only_intake, "withdrawal", year=YEAR, grade=1, at=later) is None
    assert closed(only_intake, "intake", year="2026-2027", grade=1, at=later) is None
    assert closed(windows(date(matter="withdrawal")), "withdrawal", year=YEAR, grade=1, at=later) is not None


def test_within_a_unit_the_more_specific_date_prevails_even_when_it_is_later() -> None:
    common, of_grade = date(), date(grade=5, on=dt.date(2026, 5, 31))
    of_school, of_both = date(school=SCHOOL, on=dt.date(2026, 7, 15)), date(school=SCHOOL, grade=5, on=dt.date(2026, 7, 31))

    def on(*dates: LockDate, grade: int = 5) -> dt.date | None:
        found = in_force(dates, "intake", year=YEAR, path=PATH, school=SCHOOL, grade=grade)
        return found.on if found else None

    assert on(common) == dt.date(2026, 6, 30)
    assert on(common, of_grade) == dt.date(2026, 5, 31)
    assert on(common, of_grade, of_school) == dt.date(2026, 7, 15)
    assert on(common, of_grade, of_school, of_both) == dt.date(2026, 7, 31)
    assert on(common, of_grade, of_both, grade=4) == dt.date(2026, 6, 30)


def test_a_unit_may_be_stricter_than_the_one_above_it_but_never_laxer() -> None:
    above, laxer = date("031"), date("03101", school=SCHOOL, on=dt.date(2026, 8, 1))
    found = in_force([above, laxer], "intake", year=YEAR, path=PATH, school=SCHOOL, grade=1)
    assert found is above
    stricter = date("03101", on=dt.date(2026, 6, 1))
    assert in_force([above, stricter], "intake", year=YEAR, path=PATH, school=SCHOOL, grade=1) is stricter


def test_dates_of_other_units_and_schools_do_not_bind() -> None:
    others = [date("03102"), date(school="31300002"), date(grade=2)]
    assert in_force(others, "intake", year=YEAR, path=PATH, school=SCHOOL, grade=1) is None


def test_the_refusal_names_the_day_the_unit_and_what_to_do() -> None:
    with pytest.raises(Refused) as refused:
        refuse_if_closed(windows(date("031")), "intake", year=YEAR, grade=1, at=at("2026-07-02T08:00:00+07:00"))
    assert refused.value.code == "HB-PUB-060"
    assert "Sở GD&ĐT" in refused.value.cause
    assert "30/06/2026" in refused.value.cause
    assert "Liên hệ Sở GD&ĐT" in refused.value.action
    with pytest.raises(Refused, match="HB-PUB-061"):
        refuse_if_closed(windows(date(matter="withdrawal")), "withdrawal", year=YEAR, grade=1, at=at("2026-07-02T08:00:00+07:00"))


UNITS = st.sampled_from([*PATH, "03102"])
SOME = st.builds(
    LockDate,
    UNITS,
    st.sampled_from([YEAR, "2024-2025"]),
    st.sampled_from(["intake", "withdrawal"]),
    st.sampled_from([None, SCHOOL, "31300002"]),
    st.sampled_from([None, 1, 2]),
    st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
)


@given(st.lists(SOME, max_size=12, unique_by=lambda d: (d.unit, d.year, d.matter, d.school, d.grade)))
def test_the_order_in_which_dates_became_known_makes_no_difference(dates: list[LockDate]) -> None:
    def found(some: list[LockDate]) -> LockDate | None:
        return in_force(some, "intake", year=YEAR, path=PATH, school=SCHOOL, grade=1)

    assert found(dates) == found(dates[::-1])
    binding = found(dates)
    if binding is not None:
        assert binding.unit in PATH
        assert binding.school in (None, SCHOOL)
        assert binding.grade in (None, 1)
