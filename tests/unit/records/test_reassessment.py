"""Who is to be assessed again in summer: TT 22/2021, Điều 13 and 14; TT 27/2020, Điều 11."""

from __future__ import annotations

import pytest

from services.records.imports.preview import preview
from services.records.rules.reassessment import must_be_reassessed, only_reassessed
from services.records.schoolyear import PrimaryResult, SecondaryResult
from tests.unit.records.import_files import made

YEAR = "2025-2026"
SECONDARY = next(r for r in preview(made("THCS", pupils=3)[0]).results.values() if isinstance(r, SecondaryResult) and r.promoted)
PRIMARY = next(r for r in preview(made("TH", pupils=3)[0]).results.values() if isinstance(r, PrimaryResult) and r.completed)


def secondary(study: str, conduct: str, *, promoted: bool = False, absent: int = 0, reassessed: str = "") -> SecondaryResult:
    first, *others = SECONDARY.subjects
    return SECONDARY.model_copy(
        update={
            "study": (*SECONDARY.study[:2], study),
            "conduct": (*SECONDARY.conduct[:2], conduct),
            "promoted": promoted,
            "absent_excused": absent,
            "subjects": (first.model_copy(update={"reassessed": reassessed}), *others),
        }
    )


@pytest.mark.parametrize(
    ("study", "conduct", "named"),
    [
        ("Đạt", "Đạt", False),
        ("Tốt", "Tốt", False),
        ("Chưa đạt", "Đạt", True),
        ("Đạt", "Chưa đạt", True),
        ("Chưa đạt", "Chưa đạt", True),
        ("", "Đạt", False),
    ],
)
def test_a_secondary_pupil_below_dat_in_study_or_conduct_is_named(study: str, conduct: str, named: bool) -> None:
    assert must_be_reassessed(secondary(study, conduct), 6, YEAR) is named


@pytest.mark.parametrize(("absent", "named"), [(45, True), (46, False)])
def test_whoever_was_absent_too_often_cannot_move_up_and_is_not_named(absent: int, named: bool) -> None:
    assert must_be_reassessed(secondary("Chưa đạt", "Đạt", absent=absent), 6, YEAR) is named


def test_whoever_was_assessed_again_or_moved_up_waits_no_longer() -> None:
    assert not must_be_reassessed(secondary("Chưa đạt", "Đạt", reassessed="5.0"), 6, YEAR)
    assert not must_be_reassessed(secondary("Chưa đạt", "Đạt", promoted=True), 6, YEAR)
    trained = secondary("Đạt", "Chưa đạt").model_copy(update={"conduct_reassessed": "Chưa đạt"})
    assert not must_be_reassessed(trained, 6, YEAR)


@pytest.mark.parametrize(
    ("rating", "completed", "promoted", "named"),
    [
        ("Hoàn thành", True, True, False),
        ("Chưa hoàn thành", False, False, True),
        ("Chưa hoàn thành", False, True, False),
        ("Hoàn thành", True, False, False),
        ("", False, False, False),
    ],
)
def test_a_primary_pupil_who_did_not_complete_and_was_not_moved_up_is_named(
    rating: str, completed: bool, promoted: bool, named: bool
) -> None:
    result = PRIMARY.model_copy(update={"rating": rating, "completed": completed, "promoted": promoted})
    assert must_be_reassessed(result, 1, YEAR) is named


def test_of_a_secondary_result_only_the_summers_values_and_what_follows_may_differ() -> None:
    june = secondary("Chưa đạt", "Đạt")
    august = secondary("Đạt", "Đạt", promoted=True, reassessed="5.5")
    assert only_reassessed(june, august, 6, YEAR)
    assert not only_reassessed(june, august.model_copy(update={"award": "Học sinh Giỏi"}), 6, YEAR)
    assert not only_reassessed(june, august.model_copy(update={"conduct": (*august.conduct[:2], "Tốt")}), 6, YEAR)
    first, *others = august.subjects
    assert not only_reassessed(june, august.model_copy(update={"subjects": (first.model_copy(update={"year": "9.9"}), *others)}), 6, YEAR)
    assert not only_reassessed(secondary("Đạt", "Đạt", promoted=True), secondary("Tốt", "Đạt", promoted=True), 6, YEAR)


def test_of_a_primary_result_only_what_was_not_completed_and_what_follows_may_differ() -> None:
    first, second, *others = PRIMARY.subjects
    outcome = {"rating": "Chưa hoàn thành", "completed": False, "promoted": False}
    june = PRIMARY.model_copy(update={"subjects": (first.model_copy(update={"level": "C"}), second, *others), **outcome})
    passed = {"rating": "Hoàn thành", "completed": True, "promoted": True}
    august = june.model_copy(update={"subjects": (first.model_copy(update={"level": "H"}), second, *others), **passed})
    assert only_reassessed(june, august, 1, YEAR)
    other = second.model_copy(update={"comment": "Khác."})
    assert not only_reassessed(june, august.model_copy(update={"subjects": (august.subjects[0], other, *others)}), 1, YEAR)
    assert not only_reassessed(PRIMARY, august, 1, YEAR)
