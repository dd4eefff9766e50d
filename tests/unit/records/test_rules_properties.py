"""What holds of the rules for all results, whatever they are."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from services.records.rules.primary import check_primary, primary_verdict
from services.records.rules.ruleset import primary_rules, secondary_rules
from services.records.rules.secondary import (
    check_secondary,
    right_award,
    right_promotion,
    secondary_verdict,
    study_result,
    year_average,
)
from services.records.schoolyear import PrimaryResult, PrimarySubject, SecondaryResult, SecondarySubject, Trait

YEAR = "2025-2026"
LOWER = secondary_rules(6, YEAR)
ORDER = LOWER.order
SCORED = [subject.name for subject in LOWER.required(6) if 6 in subject.scored]
COMMENTS = [subject.name for subject in LOWER.required(6) if 6 not in subject.scored]
MARK = st.integers(0, 100).map(lambda tenths: Decimal(tenths) / 10)
COMMENT = st.sampled_from(["Đ", "Đ", "Đ", "CĐ"])
LEVEL = st.sampled_from(ORDER)
MODEST = settings(deadline=None, max_examples=60)


def rank(study: str) -> int:
    return ORDER.index(study)


def plain_level(marks: list[Decimal], failed: int) -> int:
    """Article 9.2 once more, as regulations say it."""
    if failed == 0 and min(marks) >= Decimal("6.5") and sum(m >= 8 for m in marks) >= 6:
        return 3
    if failed == 0 and min(marks) >= 5 and sum(m >= Decimal("6.5") for m in marks) >= 6:
        return 2
    if failed <= 1 and min(marks) >= Decimal("3.5") and sum(m >= 5 for m in marks) >= 6:
        return 1
    return 0


@st.composite
def secondary(draw: st.DrawFn) -> SecondaryResult:
    subjects = []
    for names, values in ((SCORED, MARK.map(str)), (COMMENTS, COMMENT)):
        for name in names:
            one, two = draw(values), draw(values)
            subjects.append(SecondarySubject(name=name, semester1=one, semester2=two, year=draw(values)))
    absent = draw(st.integers(0, 60))
    return SecondaryResult(
        pupil="1",
        subjects=tuple(subjects),
        study=(draw(LEVEL), draw(LEVEL), draw(LEVEL)),
        conduct=(draw(LEVEL), draw(LEVEL), draw(LEVEL)),
        absent_excused=absent,
        award=draw(st.sampled_from(["", "Học sinh Giỏi", "Học sinh Xuất sắc"])),
        promoted=draw(st.booleans()),
    )


@st.composite
def primary(draw: st.DrawFn) -> tuple[int, PrimaryResult]:
    grade = draw(st.integers(1, 5))
    rules = primary_rules(grade, YEAR)
    subjects = tuple(
        PrimarySubject(
            name=subject.name, level=draw(st.sampled_from("TTHC")), mark=draw(st.integers(3, 10)) if grade in subject.scored else None
        )
        for subject in rules.required(grade)
    )
    traits = tuple(Trait(group=trait.group, name=trait.name, level=draw(st.sampled_from("TTĐC"))) for trait in rules.traits_of(grade))
    rating = draw(st.sampled_from(list(rules.rating_names)))
    award = draw(st.sampled_from(["", *rules.award_names]))
    completed, promoted = draw(st.booleans()), draw(st.booleans())
    result = PrimaryResult(pupil="1", subjects=subjects, traits=traits, rating=rating, award=award, completed=completed, promoted=promoted)
    return grade, result


def put_right(result: SecondaryResult) -> SecondaryResult:
    """The result with every computed value as the rules give it."""
    verdict = secondary_verdict(result, 6, YEAR)
    subjects = tuple(subject.model_copy(update={"year": verdict.averages[subject.name]}) for subject in result.subjects)
    study = tuple(each[0] for each in verdict.study if each)
    right = {"subjects": subjects, "study": study, "conduct": (*result.conduct[:2], verdict.conduct), "award": verdict.award}
    settled = result.model_copy(update=right)
    after = secondary_verdict(settled.model_copy(update={"promoted": False}), 6, YEAR)
    return settled.model_copy(update={"promoted": after.promoted})


@MODEST
@given(MARK, MARK)
def test_a_year_average_is_exact_half_up_and_between_its_semesters(first: Decimal, second: Decimal) -> None:
    average = year_average(LOWER, first, second)
    exact = (Fraction(first) + 2 * Fraction(second)) / 3
    assert Fraction(average) == Fraction((exact * 10 + Fraction(1, 2)).__floor__(), 10)
    assert average == average.quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert min(first, second) <= average <= max(first, second)


@MODEST
@given(MARK, MARK, MARK)
def test_a_better_semester_never_lowers_the_year_average(first: Decimal, second: Decimal, better: Decimal) -> None:
    assert year_average(LOWER, max(first, better), second) >= year_average(LOWER, first, second)
    assert year_average(LOWER, first, max(second, better)) >= year_average(LOWER, first, second)


@MODEST
@given(secondary(), st.integers(0, len(SCORED) - 1), MARK, MARK)
def test_no_other_subject_has_a_say_in_a_subject_s_average(result: SecondaryResult, at: int, one: Decimal, two: Decimal) -> None:
    changed = result.subjects[at].model_copy(update={"semester1": str(one), "semester2": str(two)})
    other = result.model_copy(update={"subjects": (*result.subjects[:at], changed, *result.subjects[at + 1 :])})
    before, after = (secondary_verdict(each, 6, YEAR).averages for each in (result, other))
    assert {name: mark for name, mark in before.items() if name != changed.name} == {
        name: mark for name, mark in after.items() if name != changed.name
    }
    assert Decimal(after[changed.name]) == year_average(LOWER, one, two)


@MODEST
@given(st.lists(MARK, min_size=8, max_size=8), st.lists(COMMENT, min_size=4, max_size=4))
def test_article_9_3_raises_exactly_one_level_and_only_for_one_subject(marks: list[Decimal], comments: list[str]) -> None:
    got, raised = study_result(LOWER, marks, comments)
    failed = comments.count("CĐ")
    plain = plain_level(marks, failed)
    assert rank(got) == plain + raised
    cured = [plain_level([*marks[:at], Decimal(10), *marks[at + 1 :]], failed) for at in range(8)]
    cured += [plain_level(marks, failed - 1)] if failed else []
    assert raised == (max(cured) >= 2 and max(cured) - plain >= 2)


@MODEST
@given(st.lists(st.sampled_from([Decimal("8.5"), Decimal("9.0")]), min_size=7, max_size=7), st.integers(0, 49), st.integers(0, 7))
def test_one_weak_subject_among_good_ones_is_raised_wherever_it_stands(good: list[Decimal], tenths: int, at: int) -> None:
    weak = Decimal(tenths) / 10
    expected = "Khá" if weak >= Decimal("3.5") else "Đạt"
    assert study_result(LOWER, [*good[:at], weak, *good[at:]], ["Đ"] * 4) == (expected, True)


@MODEST
@given(st.lists(MARK, min_size=8, max_size=8), st.lists(COMMENT, min_size=4, max_size=4), st.integers(0, 7))
def test_a_better_mark_never_lowers_the_plain_level_and_the_best_of_all_is_good(marks: list[Decimal], comments: list[str], at: int) -> None:
    failed = comments.count("CĐ")
    better = [*marks[:at], Decimal(10), *marks[at + 1 :]]
    assert plain_level(better, failed) >= plain_level(marks, failed)
    assert rank(study_result(LOWER, better, comments)[0]) >= plain_level(marks, failed)
    assert study_result(LOWER, [Decimal(10)] * 8, ["Đ"] * 4) == ("Tốt", False)


@MODEST
@given(LEVEL, LEVEL, st.integers(0, 90))
def test_better_results_and_fewer_absences_never_cost_the_promotion(study: str, conduct: str, absences: int) -> None:
    if right_promotion(LOWER, study, conduct, absences):
        assert absences <= 45
        for better in ORDER[rank(study) :]:
            assert right_promotion(LOWER, better, conduct, absences)
        for better in ORDER[rank(conduct) :]:
            assert right_promotion(LOWER, study, better, absences // 2)


@MODEST
@given(LEVEL, LEVEL, st.lists(MARK, min_size=8, max_size=8))
def test_an_award_needs_both_results_good(study: str, conduct: str, marks: list[Decimal]) -> None:
    award = right_award(LOWER, study, conduct, marks)
    assert bool(award) == (study == conduct == "Tốt")
    if award:
        assert award == ("Học sinh Xuất sắc" if sum(mark >= 9 for mark in marks) >= 6 else "Học sinh Giỏi")


@MODEST
@given(secondary())
def test_a_result_put_right_by_the_verdict_has_no_contradiction_and_the_verdict_stays(result: SecondaryResult) -> None:
    right = put_right(result)
    assert check_secondary(right, 6, YEAR) == []
    assert secondary_verdict(right, 6, YEAR).study == secondary_verdict(result, 6, YEAR).study


@MODEST
@given(secondary())
def test_each_contradiction_names_what_was_found_what_is_right_and_its_article(result: SecondaryResult) -> None:
    for wrong in check_secondary(result, 6, YEAR):
        assert wrong.article == LOWER.articles[wrong.kind]
        assert wrong.article.startswith("TT 22/2021 Điều ")
        assert wrong.found != wrong.right
        if wrong.kind != "promotion":
            assert (f"“{wrong.found}”" if wrong.found else "để trống") in wrong.message_vi
            assert (f"“{wrong.right}”" if wrong.right else "theo quy định không có") in wrong.message_vi


@MODEST
@given(primary())
def test_a_primary_verdict_has_nothing_of_what_was_stated(drawn: tuple[int, PrimaryResult]) -> None:
    grade, result = drawn
    empty = result.model_copy(update={"rating": "", "award": "", "completed": False, "promoted": False})
    verdict = primary_verdict(result, grade, YEAR)
    assert verdict
    assert primary_verdict(empty, grade, YEAR) == verdict
    right = result.model_copy(
        update={"rating": verdict.rating, "award": verdict.award, "completed": verdict.completed, "promoted": verdict.completed}
    )
    assert check_primary(right, grade, YEAR) == []


@MODEST
@given(primary(), st.integers(0, 7))
def test_a_better_primary_cell_never_lowers_the_rating(drawn: tuple[int, PrimaryResult], at: int) -> None:
    grade, result = drawn
    rules = primary_rules(grade, YEAR)
    order = [rules.lowest_rating.name, *(rating.name for rating in reversed(rules.ratings))]
    cell = result.subjects[at % len(result.subjects)]
    better = cell.model_copy(update={"level": "T", "mark": None if cell.mark is None else 10})
    improved = result.model_copy(update={"subjects": tuple(better if each is cell else each for each in result.subjects)})
    before, after = primary_verdict(result, grade, YEAR), primary_verdict(improved, grade, YEAR)
    assert before
    assert after
    assert order.index(after.rating) >= order.index(before.rating)
