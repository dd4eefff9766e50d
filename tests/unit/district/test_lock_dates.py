"""Menu 6.2: what an order of lock dates changes, and whom it affects."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from services.chassis.errors import Refused
from services.district.lock_dates import rules, setting
from services.district.lock_dates.routes import LockOrder
from services.district.lock_dates.rules import Order, Wish, after_order, changed, dates_in, effects, grades_in_words

UNIT, YEAR = "03101", "2025-2026"
JUNE, JULY, AUGUST = dt.date(2026, 6, 30), dt.date(2026, 7, 15), dt.date(2026, 8, 1)
AT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
PRIMARY: dict[str, Any] = {"_id": "31300001", "name": "Trường Tiểu học An Hồng", "path": ["031", UNIT], "levels": ["TH"]}
OTHER: dict[str, Any] = {"_id": "31300002", "name": "Trường THCS Bình Minh", "path": ["031", UNIT], "levels": ["THCS"]}


def carried_out(order: Order, school: str | None = None, document: dict[str, Any] | None = None) -> Any:
    return changed(document, order, unit=UNIT, school=school, actor="031-cb01", at=AT)


def test_a_first_date_tells_all_dates_of_the_unit_and_a_line_of_history() -> None:
    change, entries = carried_out(Order(YEAR, None, (Wish("intake", None, JUNE),)))
    assert change.document["_id"] == f"{UNIT}:{YEAR}:common"
    (fact,) = change.facts
    assert (fact.school, [(d.matter, d.grade, d.on) for d in fact.dates]) == (None, [("intake", None, JUNE)])
    assert [(e.before, e.after) for e in entries] == [(None, JUNE)]


def test_the_same_order_again_changes_nothing() -> None:
    order = Order(YEAR, None, (Wish("intake", 5, JUNE),))
    change, _ = carried_out(order)
    assert carried_out(order, document=change.document) is None


def test_a_date_for_every_grade_takes_the_place_of_single_ones_of_the_same_matter_alone() -> None:
    first, _ = carried_out(Order(YEAR, None, (Wish("intake", 5, JUNE), Wish("withdrawal", 5, JULY))))
    change, entries = carried_out(Order(YEAR, None, (Wish("intake", None, AUGUST),)), document=first.document)
    assert rules.kept(change.document) == {("intake", None): AUGUST, ("withdrawal", 5): JULY}
    assert {(e.grade, e.before, e.after) for e in entries} == {(None, None, AUGUST), (5, JUNE, None)}


def test_a_date_that_is_taken_away_leaves_the_history_and_an_open_window() -> None:
    first, _ = carried_out(Order(YEAR, ("31300001",), (Wish("intake", 1, JUNE),)), "31300001")
    change, entries = carried_out(Order(YEAR, ("31300001",), (Wish("intake", 1, None),)), "31300001", first.document)
    assert change.document["dates"] == []
    assert [(e.school, e.before, e.after) for e in entries] == [("31300001", JUNE, None)]


def test_the_preview_names_who_is_bound_by_another_day_and_who_keeps_an_own_one() -> None:
    own, _ = carried_out(Order(YEAR, ("31300002",), (Wish("intake", None, JULY),)), "31300002")
    documents = [own.document]
    order = Order(YEAR, None, (Wish("intake", None, JUNE),))
    waiting = {"intake": {("31300001", g): 10 for g in range(1, 6)} | {("31300002", 6): 99}}
    found = effects(
        [PRIMARY, OTHER],
        dates_in(documents),
        dates_in(after_order(documents, order, UNIT)),
        year=YEAR,
        matters=("intake",),
        concerned=waiting,  # type: ignore[arg-type]  # the keys are the literals
    )
    assert [(e.school, e.grades, e.before, e.after, e.concerned) for e in found] == [("31300001", (1, 2, 3, 4, 5), None, JUNE, 50)]


def test_a_stricter_day_of_the_unit_above_stays_in_force_in_the_preview() -> None:
    above = {"_id": "x", "unit": "031", "year": YEAR, "school": None, "dates": [{"matter": "intake", "grade": None, "on": "2026-06-30"}]}
    order = Order(YEAR, ("31300001",), (Wish("intake", 1, AUGUST),))
    after = after_order([above], order, UNIT)
    assert effects([PRIMARY], dates_in([above]), dates_in(after), year=YEAR, matters=("intake",), concerned={}) == []


@pytest.mark.parametrize(
    ("grades", "words"), [([], "Mọi khối"), ([None], "Mọi khối"), ([1, 2, 3], "Khối 1–3"), ([6, 8, 9], "Khối 6, 8–9"), ([5], "Khối 5")]
)
def test_grades_that_follow_each_other_are_told_together(grades: list[int | None], words: str) -> None:
    assert grades_in_words(grades) == words


class Branch:
    """A unit with one school."""

    async def own_schools(self, unit: str) -> list[dict[str, Any]]:
        assert unit == UNIT
        return [PRIMARY]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order(YEAR, None, ()), "HB-DIS-060"),
        (Order(YEAR, None, (Wish("intake", None, dt.date(2062, 6, 30)),)), "HB-DIS-061"),
        (Order(YEAR, (), (Wish("intake", None, JUNE),)), "HB-DIS-062"),
        (Order(YEAR, ("31300001", "31300002"), (Wish("intake", None, JUNE),)), "HB-DIS-063"),
    ],
)
async def test_an_order_without_date_or_school_or_beyond_the_branch_is_refused(order: Order, code: str) -> None:
    with pytest.raises(Refused, match=code):
        await setting.chosen_schools(Branch(), UNIT, order)  # type: ignore[arg-type]  # only the schools are asked for


def test_the_last_day_for_the_admissions_portal_is_told_apart_from_the_others() -> None:
    order = Order(YEAR, None, (Wish("intake", None, JUNE), Wish("admissions", 5, JUNE)))
    change, entries = carried_out(order)
    (fact,) = change.facts
    assert [(d.matter, d.grade) for d in fact.dates] == [("intake", None)]
    assert [(d.grade, d.on) for d in fact.admissions] == [(5, JUNE)]
    assert {(e.matter, e.grade) for e in entries} == {("intake", None), ("admissions", 5)}


def test_a_day_for_the_admissions_portal_affects_final_grades_alone() -> None:
    order = Order(YEAR, None, (Wish("admissions", None, JUNE),))
    found = effects(
        [PRIMARY],
        (),
        dates_in(after_order([], order, UNIT)),
        year=YEAR,
        matters=("admissions",),
        concerned={"admissions": {(PRIMARY["_id"], 5): 40}},
    )
    assert [(e.matter, e.grades, e.after, e.concerned) for e in found] == [("admissions", (5,), JUNE, 40)]


def test_no_other_grade_can_be_given_a_day_for_the_admissions_portal() -> None:
    for grades, fits in (([], True), ([5, 9, 12], True), ([4], False)):
        asked = {"year": YEAR, "matter": "admissions", "grades": grades, "on": "2026-05-25"}
        if fits:
            assert LockOrder.model_validate(asked).order().wishes
        else:
            with pytest.raises(ValidationError, match="admissions"):
                LockOrder.model_validate(asked)
