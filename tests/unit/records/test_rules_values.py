"""Values that a grade does not have, warnings that keep nothing from going on, and which rule set is in force."""

from __future__ import annotations

import pytest

from services.records.imports import findings as found
from services.records.imports.preview import preview
from services.records.rules.primary import check_primary, primary_verdict
from services.records.rules.remarks import remarks
from services.records.rules.ruleset import NoRuleSetError, PrimaryRules, SecondaryRules, chosen, primary_rules, rule_sets, secondary_rules
from services.records.rules.secondary import check_secondary, mark_of, secondary_verdict
from services.records.schoolyear import PrimaryResult, Result, SecondaryResult, SecondarySubject
from tests.unit.records.import_files import made, with_result
from tests.unit.records.test_rules_primary import pupil as primary_pupil
from tests.unit.records.test_rules_secondary import pupil as secondary_pupil

YEAR = "2025-2026"


def with_subject(result: SecondaryResult, at: int, **values: str) -> SecondaryResult:
    changed = result.subjects[at].model_copy(update=values)
    return result.model_copy(update={"subjects": (*result.subjects[:at], changed, *result.subjects[at + 1 :])})


def with_cell(result: PrimaryResult, at: int, **values: object) -> PrimaryResult:
    changed = result.subjects[at].model_copy(update=values)
    return result.model_copy(update={"subjects": (*result.subjects[:at], changed, *result.subjects[at + 1 :])})


@pytest.mark.parametrize("value", ["11", "-1", "8.55", "NaN", "Infinity", "Đ", "tám", "1e30", "10.1"])
def test_an_impossible_mark_is_refused_once_and_nothing_is_computed_from_it(value: str) -> None:
    result = with_subject(secondary_pupil(["6.0"] * 8), 1, semester1=value)
    [wrong] = check_secondary(result, 6, YEAR)
    assert (wrong.kind, wrong.field, wrong.found, wrong.article) == ("value", "Toán: HKI", value, "TT 22/2021 Điều 5")
    assert wrong.right in wrong.message_vi
    assert secondary_verdict(result, 6, YEAR).promoted is None


@pytest.mark.parametrize("value", ["8.0", "Tốt", "K"])
def test_a_commented_subject_has_no_marks_and_no_other_levels(value: str) -> None:
    [wrong] = check_secondary(with_subject(secondary_pupil(["6.0"] * 8), 8, reassessed=value), 6, YEAR)
    assert (wrong.kind, wrong.field, wrong.found) == ("value", "Giáo dục thể chất: Sau đánh giá lại", value)


def test_a_subject_of_another_level_is_refused_by_name() -> None:
    result = secondary_pupil(["6.0"] * 8)
    foreign = SecondarySubject(name="Vật lí", semester1="6.0", semester2="6.0", year="6.0")
    [wrong] = check_secondary(result.model_copy(update={"subjects": (*result.subjects, foreign)}), 6, YEAR)
    assert (wrong.kind, wrong.found) == ("subject", "Vật lí")


@pytest.mark.parametrize("mark", [-1, 11])
def test_a_primary_mark_outside_the_range_is_refused(mark: int) -> None:
    result = with_cell(primary_pupil(), 1, mark=mark)
    [wrong] = check_primary(result, 1, YEAR)
    assert (wrong.kind, wrong.field, wrong.found, wrong.right) == ("value", "Toán: Điểm KTĐK", str(mark), "0-10")
    assert primary_verdict(result, 1, YEAR) is None


def test_a_primary_subject_without_marks_cannot_have_one_and_levels_are_the_circular_s() -> None:
    [wrong] = check_primary(with_cell(primary_pupil(), 2, mark=9), 1, YEAR)
    assert (wrong.kind, wrong.field) == ("value", "Đạo đức: Điểm KTĐK")
    [wrong] = check_primary(with_cell(primary_pupil(), 2, level="Đ"), 1, YEAR)
    assert (wrong.kind, wrong.right) == ("value", "T, H, C")
    assert wrong.article == "TT 27/2020 Điều 7"


def test_a_primary_subject_of_a_higher_grade_is_refused_by_name() -> None:
    [wrong] = check_primary(with_cell(primary_pupil(), 2, name="Khoa học"), 1, YEAR)
    assert (wrong.kind, wrong.found) == ("subject", "Khoa học")


def kinds(result: Result, grade: int) -> list[tuple[str, str]]:
    return [(remark.kind, remark.field) for remark in remarks(result, grade, YEAR)]


def test_a_mark_of_zero_is_remarked_and_goes_on() -> None:
    low = with_cell(primary_pupil(mark=4, rating="Chưa hoàn thành", award=""), 0, mark=0)
    assert kinds(low, 1) == [("zero", "Tiếng Việt: Điểm KTĐK")]
    assert check_primary(low, 1, YEAR) == []
    zero = with_subject(secondary_pupil(["6.0"] * 7 + ["0"]), 7, semester1="0", semester2="0", year="0")
    assert kinds(zero, 6) == [("zero", "Tin học: CN")]


def test_a_pupil_moved_up_by_the_principal_is_remarked() -> None:
    result = primary_pupil(mark=4, rating="Chưa hoàn thành", award="").model_copy(update={"promoted": True})
    [remark] = remarks(result, 1, YEAR)
    assert (remark.kind, remark.article) == ("decided", "TT 27/2020 Điều 11.2")
    assert check_primary(result, 1, YEAR) == []


def test_a_subject_that_needed_no_second_assessment_is_remarked() -> None:
    result = with_subject(secondary_pupil(["6.0"] * 8), 0, reassessed="7.0")
    assert kinds(result, 6) == [("reassessment", "Ngữ văn: Sau đánh giá lại")]
    passed = with_subject(secondary_pupil(["6.0"] * 8), 8, reassessed="Đ")
    assert kinds(passed, 6) == [("reassessment", "Giáo dục thể chất: Sau đánh giá lại")]
    failed = with_subject(secondary_pupil(["6.0"] * 7 + ["4.0"]), 7, reassessed="6.0")
    assert kinds(failed, 6) == []


def test_subjects_are_not_assessed_again_while_the_conduct_is_too_low() -> None:
    result = secondary_pupil(["6.0"] * 5 + ["3.0"] * 3, conduct=("Chưa đạt",) * 3, promoted=False)
    again = with_subject(result, 7, reassessed="6.0")
    assert kinds(again, 6) == [("reassessment", "Kết quả rèn luyện: CN")]


def test_training_in_summer_is_remarked_and_lets_the_pupil_move_up() -> None:
    low = ("Chưa đạt", "Chưa đạt", "Đạt")
    trained = secondary_pupil(["6.0"] * 8, conduct=low, promoted=True)
    assert check_secondary(trained, 6, YEAR) == []
    [remark] = remarks(trained, 6, YEAR)
    assert (remark.kind, remark.article) == ("training", "TT 22/2021 Điều 13")


def test_results_after_the_summer_count_for_the_promotion_and_are_checked_too() -> None:
    low = secondary_pupil(["6.0"] * 8, conduct=("Chưa đạt",) * 3, conduct_reassessed="Đạt", promoted=True)
    assert check_secondary(low, 6, YEAR) == []
    assert kinds(low, 6) == [("training", "Kết quả rèn luyện: CN")]
    failed = with_subject(secondary_pupil(["6.0"] * 5 + ["3.0", "6.0", "6.0"], promoted=True), 5, reassessed="6.0")
    assert check_secondary(failed.model_copy(update={"study_reassessed": "Đạt"}), 6, YEAR) == []
    [wrong] = check_secondary(failed.model_copy(update={"study_reassessed": "Khá"}), 6, YEAR)
    assert (wrong.field, wrong.found, wrong.right) == ("Kết quả học tập: Sau đánh giá lại", "Khá", "Đạt")


def test_a_better_conduct_without_promotion_is_no_training_but_a_contradiction() -> None:
    stays = secondary_pupil(["6.0"] * 8, conduct=("Chưa đạt", "Chưa đạt", "Đạt"), promoted=False)
    [wrong] = check_secondary(stays, 6, YEAR)
    assert (wrong.kind, wrong.found, wrong.right) == ("conduct", "Đạt", "Chưa đạt")
    more = secondary_pupil(["6.0"] * 8, conduct=("Chưa đạt", "Chưa đạt", "Khá"), promoted=True)
    assert {wrong.kind for wrong in check_secondary(more, 6, YEAR)} == {"conduct", "promotion"}


def test_every_rule_set_names_the_article_of_each_of_its_rules() -> None:
    always = {"subject", "value", "award", "promotion", "zero"}
    for rules in rule_sets():
        own = {"rating", "completion", "decided"}
        if isinstance(rules, SecondaryRules):
            own = {"regular", "average", "study", "raise", "conduct", "training", "reassessment"}
        assert always | own <= rules.articles.keys()
        assert all(rules.articles.values())
        assert rules.source
        assert {grade for subject in rules.subjects for grade in subject.scored} <= rules.applies_from.keys()


def test_a_newer_rule_set_takes_over_in_its_first_year_and_the_old_one_keeps_its_own() -> None:
    old = secondary_rules(6, YEAR)
    new = old.model_copy(update={"version": 2, "applies_from": dict.fromkeys(old.applies_from, "2026-2027")})
    assert chosen([new, old], 6, "2026-2027").version == 2
    assert chosen([new, old], 6, "2025-2026").version == 1
    ended = old.model_copy(update={"applies_until": "2024-2025"})
    assert chosen([ended], 6, "2024-2025") is ended
    with pytest.raises(NoRuleSetError):
        chosen([ended], 6, "2025-2026")


def test_a_corrected_rule_set_of_the_same_years_goes_before_the_one_it_corrects() -> None:
    first = primary_rules(1, YEAR)
    corrected = first.model_copy(update={"version": 2})
    assert chosen([corrected, first], 1, YEAR) is corrected
    assert {type(rules) for rules in rule_sets()} == {PrimaryRules, SecondaryRules}


def test_an_import_shows_what_is_remarked_and_takes_it_all_the_same() -> None:
    files, _ = made("THCS", 3)
    seen = preview(files)
    pupil = seen.pupils[0]
    result = seen.results[pupil.code]
    assert isinstance(result, SecondaryResult)
    [mathematics] = [subject for subject in result.subjects if subject.name == "Toán" and mark_of(subject.year)]
    again = preview(with_result(files, f"ket_qua/{pupil.class_code}.xlsx", 3, ("Toán", "Sau đánh giá lại"), float(mathematics.year)))
    noted = [finding for finding in again.findings if finding.code == found.REMARK.code]
    assert [(finding.pupil, finding.severity, finding.column) for finding in noted] == [(pupil.code, "warning", "Toán: Sau đánh giá lại")]
    assert "TT 22/2021 Điều 14" in noted[0].message_vi
    assert pupil.code in again.results
