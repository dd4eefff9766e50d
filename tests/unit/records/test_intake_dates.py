"""The last day of intake on the pages of records: which of the units' dates it is, and how it stands beside the school's own day."""

from __future__ import annotations

import datetime as dt

import pytest

from contracts.lock_dates import LockDate
from services.records.locks.banner import deadline_of
from services.records.locks.intake import first_day

YEAR, PATH = "2025-2026", ("031", "03101")
JUNE, JULY, AUGUST = dt.date(2026, 6, 10), dt.date(2026, 7, 1), dt.date(2026, 8, 20)


def date(on: dt.date, *, unit: str = "031", matter: str = "intake", school: str | None = None, grade: int | None = None) -> LockDate:
    return LockDate(unit, YEAR, "intake" if matter == "intake" else "withdrawal", school, grade, on)


def shown(*dates: LockDate, levels: tuple[str, ...] = ("TH",)) -> dt.date | None:
    return first_day(dates, year=YEAR, path=PATH, school="31300001", levels=levels)


def test_without_a_date_of_a_unit_above_there_is_none() -> None:
    assert shown() is None
    assert shown(date(JUNE, unit="079")) is None
    assert shown(date(JUNE, matter="withdrawal")) is None
    assert shown(date(JUNE, school="31300002")) is None


def test_the_grade_that_is_bound_first_gives_the_day_and_other_levels_do_not() -> None:
    assert shown(date(JULY), date(JUNE, grade=5)) == JUNE
    assert shown(date(JULY), date(JUNE, grade=9)) == JULY
    assert shown(date(JULY), date(JUNE, grade=9), levels=("TH", "THCS")) == JUNE


def test_a_later_day_for_the_own_school_replaces_the_common_one_of_the_same_unit_alone() -> None:
    assert shown(date(JUNE), date(JULY, school="31300001")) == JULY
    assert shown(date(JUNE), date(JULY, unit="03101", school="31300001")) == JUNE


@pytest.mark.parametrize(
    ("intake", "text", "day"),
    [
        (None, "Hạn toàn quốc hoàn thành học bạ số", AUGUST),
        (JUNE, "Ngày khóa tiếp nhận (hạn toàn quốc hoàn thành học bạ số 20/08/2026)", JUNE),
        (AUGUST, "Hạn toàn quốc hoàn thành học bạ số; khóa tiếp nhận 20/08/2026", AUGUST),
    ],
)
def test_the_earlier_day_stands_first_and_the_other_beside_it(intake: dt.date | None, text: str, day: dt.date) -> None:
    assert deadline_of("Hạn toàn quốc hoàn thành học bạ số", AUGUST, intake) == (text, day)
