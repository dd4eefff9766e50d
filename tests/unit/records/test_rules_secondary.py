"""TT 22/2021 by hand-made cases and by properties."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.records.rules.ruleset import NoRuleSetError, secondary_rules
from services.records.rules.secondary import check_secondary, study_result, year_average
from services.records.schoolyear import SecondaryResult, SecondarySubject

YEAR = "2025-2026"
RULES = secondary_rules(6, YEAR)
SCORED = ["Ngữ văn", "Toán", "Ngoại ngữ 1", "Giáo dục công dân", "Lịch sử và Địa lí", "Khoa học tự nhiên", "Công nghệ", "Tin học"]
COMMENTS = ["Giáo dục thể chất", "Nghệ thuật", "Hoạt động trải nghiệm, hướng nghiệp", "Nội dung giáo dục của địa phương"]
MARK = st.decimals(0, 10, places=1)


def pupil(marks: list[str], comments: str = "Đ Đ Đ Đ", **more: object) -> SecondaryResult:
    """The same marks in both semesters and the year."""
    subjects = [
        SecondarySubject(name=name, semester1=value, semester2=value, year=value)
        for name, value in zip(SCORED + COMMENTS, marks + comments.split(), strict=True)
    ]
    study, _ = study_result(RULES, [Decimal(mark) for mark in marks], comments.split())
    plain = {"pupil": "1", "subjects": subjects, "study": (study,) * 3, "conduct": ("Tốt",) * 3, "promoted": study != "Chưa đạt"}
    return SecondaryResult.model_validate(plain | more)


def kinds(result: SecondaryResult) -> list[tuple[str, str, str]]:
    return [(wrong.kind, wrong.found, wrong.right) for wrong in check_secondary(result, 6, YEAR)]


def level(marks: str, comments: str = "Đ Đ Đ Đ") -> tuple[str, bool]:
    return study_result(RULES, [Decimal(mark) for mark in marks.split()], comments.split())


@pytest.mark.parametrize(
    ("marks", "comments", "right"),
    [
        ("8.0 8.0 8.0 8.0 8.0 8.0 6.5 6.5", "Đ Đ Đ Đ", "Tốt"),
        ("8.0 8.0 8.0 8.0 8.0 7.9 6.5 6.5", "Đ Đ Đ Đ", "Khá"),
        ("8.0 8.0 8.0 8.0 8.0 8.0 6.5 6.4", "Đ Đ Đ Đ", "Khá"),
        ("6.5 6.5 6.5 6.5 6.5 6.5 5.0 5.0", "Đ Đ Đ Đ", "Khá"),
        ("6.5 6.5 6.5 6.5 6.5 6.4 5.0 5.0", "Đ Đ Đ Đ", "Đạt"),
        ("6.5 6.5 6.5 6.5 6.5 6.5 5.0 4.9", "Đ Đ Đ Đ", "Đạt"),
        ("5.0 5.0 5.0 5.0 5.0 5.0 3.5 3.5", "Đ Đ Đ CĐ", "Đạt"),
        ("5.0 5.0 5.0 5.0 5.0 5.0 3.5 3.4", "Đ Đ Đ Đ", "Chưa đạt"),
        ("5.0 5.0 5.0 5.0 5.0 4.9 3.5 3.5", "Đ Đ Đ Đ", "Chưa đạt"),
        ("5.0 5.0 5.0 5.0 5.0 5.0 5.0 5.0", "Đ Đ CĐ CĐ", "Chưa đạt"),
    ],
)
def test_the_study_result_follows_article_9_2_at_its_edges(marks: str, comments: str, right: str) -> None:
    assert level(marks, comments) == (right, False)


@pytest.mark.parametrize(
    ("marks", "comments", "right"),
    [
        ("8.5 8.5 8.5 8.5 8.5 8.5 8.5 4.0", "Đ Đ Đ Đ", ("Khá", True)),  # Tốt but for one subject at Đạt
        ("8.5 8.5 8.5 8.5 8.5 8.5 8.5 3.0", "Đ Đ Đ Đ", ("Đạt", True)),  # Tốt but for one subject at Chưa đạt
        ("6.5 6.5 6.5 6.5 6.5 6.5 6.5 3.0", "Đ Đ Đ Đ", ("Đạt", True)),  # Khá but for one subject at Chưa đạt
        ("8.5 8.5 8.5 8.5 8.5 8.5 8.5 8.5", "CĐ Đ Đ Đ", ("Khá", True)),  # Tốt but for one comment subject
        ("8.5 8.5 8.5 8.5 8.5 8.5 8.5 5.0", "Đ Đ Đ Đ", ("Khá", False)),  # one level only
        ("6.5 6.5 6.5 6.5 6.5 6.5 6.5 4.0", "Đ Đ Đ Đ", ("Đạt", False)),  # one level only
        ("8.5 8.5 8.5 8.5 8.5 8.5 3.0 3.0", "Đ Đ Đ Đ", ("Chưa đạt", False)),  # two subjects pull
        ("8.5 8.5 8.5 8.5 8.5 8.5 8.5 4.0", "CĐ Đ Đ Đ", ("Đạt", False)),  # a mark and a comment pull
        ("5.0 5.0 5.0 5.0 5.0 5.0 5.0 3.0", "Đ Đ Đ Đ", ("Chưa đạt", False)),  # Đạt but for one: 9.3 names Tốt and Khá only
    ],
)
def test_exactly_one_subject_that_pulls_two_levels_raises_by_one(marks: str, comments: str, right: tuple[str, bool]) -> None:
    assert level(marks, comments) == right


@settings(deadline=None)
@given(MARK, MARK)
def test_the_year_average_is_the_exact_weighted_mean_rounded_half_up(first: Decimal, second: Decimal) -> None:
    exact = (Fraction(first) + 2 * Fraction(second)) / 3
    assert Fraction(year_average(RULES, first, second)) == Fraction((exact * 10 + Fraction(1, 2)).__floor__(), 10)


def test_binary_floats_would_round_these_averages_wrongly() -> None:
    assert year_average(RULES, Decimal("8.2"), Decimal("8.3")) == Decimal("8.3")
    assert year_average(RULES, Decimal("6.4"), Decimal("6.5")) == Decimal("6.5")
    assert year_average(RULES, Decimal("0.1"), Decimal("0.1")) == Decimal("0.1")


@settings(deadline=None)
@given(st.lists(MARK, min_size=8, max_size=8), st.lists(st.sampled_from(["Đ", "CĐ"]), min_size=4, max_size=4))
def test_the_raise_is_one_level_and_never_without_a_cause(marks: list[Decimal], comments: list[str]) -> None:
    order = RULES.order
    got, raised = study_result(RULES, marks, comments)
    best = [study_result(RULES, [*marks[:at], Decimal(10), *marks[at + 1 :]], comments)[0] for at in range(8)]
    best += [study_result(RULES, marks, [*comments[:at], "Đ", *comments[at + 1 :]])[0] for at in range(4)]
    if raised:
        assert got in {"Đạt", "Khá"}
        assert max(map(order.index, best)) > order.index(got)
    assert study_result(RULES, marks[::-1], comments[::-1]) == (got, raised)


def test_a_result_that_agrees_with_itself_has_no_contradictions() -> None:
    assert kinds(pupil(["9.0"] * 8, award="Học sinh Xuất sắc")) == []
    assert kinds(pupil(["8.5"] * 8, award="Học sinh Giỏi")) == []
    assert kinds(pupil(["6.0"] * 8)) == []
    assert kinds(pupil(["3.0"] * 8)) == []


def test_a_wrong_year_average_is_one_contradiction_only() -> None:
    result = pupil(["8.5"] * 8, award="Học sinh Giỏi")
    wrong = (result.subjects[0].model_copy(update={"year": "3.0"}), *result.subjects[1:])
    assert kinds(result.model_copy(update={"subjects": wrong})) == [("average", "3.0", "8.5")]


def test_a_comment_subject_takes_its_second_semester_for_the_year() -> None:
    result = pupil(["6.0"] * 8)
    subject = result.subjects[8].model_copy(update={"semester1": "CĐ", "semester2": "Đ", "year": "CĐ"})
    assert ("average", "CĐ", "Đ") in kinds(result.model_copy(update={"subjects": (*result.subjects[:8], subject, *result.subjects[9:])}))


@pytest.mark.parametrize(
    ("first", "second", "year"),
    [
        ("Tốt", "Tốt", "Tốt"),
        ("Khá", "Tốt", "Tốt"),
        ("Đạt", "Tốt", "Khá"),
        ("Chưa đạt", "Tốt", "Khá"),
        ("Tốt", "Khá", "Khá"),
        ("Khá", "Khá", "Khá"),
        ("Đạt", "Khá", "Khá"),
        ("Chưa đạt", "Khá", "Đạt"),
        ("Tốt", "Đạt", "Khá"),
        ("Khá", "Đạt", "Đạt"),
        ("Đạt", "Đạt", "Đạt"),
        ("Chưa đạt", "Đạt", "Đạt"),
        ("Tốt", "Chưa đạt", "Chưa đạt"),
        ("Khá", "Chưa đạt", "Chưa đạt"),
        ("Đạt", "Chưa đạt", "Chưa đạt"),
        ("Chưa đạt", "Chưa đạt", "Chưa đạt"),
    ],
)
def test_conduct_of_the_year_follows_article_8(first: str, second: str, year: str) -> None:
    promoted = year != "Chưa đạt"
    assert kinds(pupil(["6.0"] * 8, conduct=(first, second, year), promoted=promoted)) == []
    other = "Khá" if year != "Khá" else "Đạt"
    assert kinds(pupil(["6.0"] * 8, conduct=(first, second, other), promoted=promoted)) == [("conduct", other, year)]


def test_awards_need_both_results_good_and_six_subjects_at_nine() -> None:
    six = ["9.0"] * 6 + ["8.9"] * 2
    assert kinds(pupil(six, award="Học sinh Xuất sắc")) == []
    assert kinds(pupil(["9.0"] * 5 + ["8.9"] * 3, award="Học sinh Xuất sắc")) == [("award", "Học sinh Xuất sắc", "Học sinh Giỏi")]
    assert kinds(pupil(six, award="Học sinh Giỏi", conduct=("Khá",) * 3)) == [("award", "Học sinh Giỏi", "")]
    assert kinds(pupil(six)) == [("award", "", "Học sinh Xuất sắc")]


def test_45_absences_are_allowed_and_46_are_not() -> None:
    assert kinds(pupil(["6.0"] * 8, absent_excused=40, absent_unexcused=5)) == []
    assert kinds(pupil(["6.0"] * 8, absent_excused=40, absent_unexcused=6)) == [("promotion", "x", "")]


def test_a_pupil_who_passed_the_summer_assessment_moves_up() -> None:
    result = pupil(["6.0"] * 5 + ["3.0"] * 3)
    assert result.study[2] == "Chưa đạt"
    again = tuple(subject.model_copy(update={"reassessed": "6.0"}) if subject.year == "3.0" else subject for subject in result.subjects)
    assert kinds(result.model_copy(update={"subjects": again, "promoted": True})) == []
    assert kinds(result.model_copy(update={"subjects": again, "promoted": False})) == [("promotion", "", "x")]


def test_each_kind_names_its_article_and_column() -> None:
    result = pupil(["6.0"] * 8, study=("Đạt", "Tốt", "Tốt"), conduct=("Tốt", "Tốt", "Đạt"), award="Học sinh Giỏi", promoted=False)
    assert [(wrong.kind, wrong.field, wrong.article) for wrong in check_secondary(result, 6, YEAR)] == [
        ("study", "Kết quả học tập: HKII", "TT 22/2021 Điều 9.2"),
        ("study", "Kết quả học tập: CN", "TT 22/2021 Điều 9.2"),
        ("conduct", "Kết quả rèn luyện: CN", "TT 22/2021 Điều 8.2"),
        ("award", "Danh hiệu", "TT 22/2021 Điều 15"),
        ("promotion", "Lên lớp", "TT 22/2021 Điều 12"),
    ]


def test_what_is_not_there_yet_is_no_contradiction() -> None:
    result = pupil(["6.0"] * 8, study=("Đạt", "", "Tốt"), conduct=("Tốt", "", ""))
    gap = result.subjects[0].model_copy(update={"semester2": "", "year": ""})
    assert kinds(result.model_copy(update={"subjects": (gap, *result.subjects[1:])})) == []


def test_rules_are_chosen_by_grade_and_school_year() -> None:
    for grade, first, before in [(6, "2021-2022", "2020-2021"), (9, "2024-2025", "2023-2024"), (10, "2022-2023", "2021-2022")]:
        assert secondary_rules(grade, first).version == 1
        with pytest.raises(NoRuleSetError):
            secondary_rules(grade, before)
    with pytest.raises(NoRuleSetError):
        secondary_rules(5, YEAR)
