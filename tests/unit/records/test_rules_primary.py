"""TT 27/2020 by hand-made cases and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.records.rules.primary import check_primary, right_rating
from services.records.rules.ruleset import NoRuleSetError, primary_rules, rules_for
from services.records.schoolyear import PrimaryResult, PrimarySubject, Trait

YEAR = "2025-2026"
TITLE = "Học sinh Tiêu biểu hoàn thành tốt trong học tập và rèn luyện"


def pupil(  # noqa: PLR0917 - a case is a row of values
    grade: int = 1, level: str = "T", mark: int = 9, trait: str = "T", rating: str = "Hoàn thành xuất sắc", award: str = "Học sinh Xuất sắc"
) -> PrimaryResult:
    rules = primary_rules(grade, YEAR)
    subjects = tuple(
        PrimarySubject(name=subject.name, level=level, mark=mark if grade in subject.scored else None) for subject in rules.required(grade)
    )
    traits = tuple(Trait(group=known.group, name=known.name, level=trait) for known in rules.traits_of(grade))
    done = rating != "Chưa hoàn thành"
    return PrimaryResult(pupil="1", subjects=subjects, traits=traits, rating=rating, award=award, completed=done, promoted=done)


def kinds(result: PrimaryResult, grade: int = 1) -> list[tuple[str, str, str]]:
    return [(wrong.kind, wrong.found, wrong.right) for wrong in check_primary(result, grade, YEAR)]


@pytest.mark.parametrize(
    ("level", "mark", "trait", "rating"),
    [
        ("T", 9, "T", "Hoàn thành xuất sắc"),
        ("T", 8, "T", "Hoàn thành tốt"),
        ("T", 7, "T", "Hoàn thành tốt"),
        ("T", 6, "T", "Hoàn thành"),
        ("T", 10, "Đ", "Hoàn thành"),
        ("H", 10, "T", "Hoàn thành"),
        ("H", 5, "Đ", "Hoàn thành"),
        ("H", 4, "Đ", "Chưa hoàn thành"),
        ("C", 9, "T", "Chưa hoàn thành"),
        ("T", 9, "C", "Chưa hoàn thành"),
    ],
)
@pytest.mark.parametrize("grade", [1, 2, 3, 4, 5])
def test_the_rating_follows_article_9(level: str, mark: int, trait: str, rating: str, grade: int) -> None:
    award = {"Hoàn thành xuất sắc": "Học sinh Xuất sắc", "Hoàn thành tốt": TITLE}.get(rating, "")
    assert kinds(pupil(grade, level, mark, trait, rating, award), grade) == []
    other = "Hoàn thành" if rating != "Hoàn thành" else "Hoàn thành tốt"
    wrong = pupil(grade, level, mark, trait, rating, award).model_copy(update={"rating": other})
    assert kinds(wrong, grade) == [("rating", other, rating)]


def test_one_low_cell_among_many_decides() -> None:
    result = pupil()
    spoiled = (result.subjects[0].model_copy(update={"mark": 4}), *result.subjects[1:])
    assert ("rating", "Hoàn thành xuất sắc", "Chưa hoàn thành") in kinds(result.model_copy(update={"subjects": spoiled}))


def test_a_contradiction_names_its_article_and_its_column() -> None:
    [wrong] = check_primary(pupil(award=""), 1, YEAR)
    assert (wrong.kind, wrong.field, wrong.article) == ("award", "Khen thưởng", "TT 27/2020 Điều 13")


def test_an_excellent_pupil_is_always_awarded_and_a_good_one_may_be() -> None:
    assert kinds(pupil(award="")) == [("award", "", "Học sinh Xuất sắc")]
    assert kinds(pupil(mark=8, rating="Hoàn thành tốt", award="")) == []
    assert kinds(pupil(mark=8, rating="Hoàn thành tốt", award=TITLE)) == []
    assert kinds(pupil(mark=8, rating="Hoàn thành tốt", award="Học sinh Xuất sắc")) == [("award", "Học sinh Xuất sắc", TITLE)]
    assert kinds(pupil(mark=6, rating="Hoàn thành", award=TITLE)) == [("award", TITLE, "")]


def test_other_praise_beside_the_title_is_free() -> None:
    assert kinds(pupil(award="Học sinh Xuất sắc; Thư khen của Hiệu trưởng")) == []
    assert kinds(pupil(mark=6, rating="Hoàn thành", award="Khen thưởng đột xuất")) == []


def test_completion_is_judged_by_the_computed_rating() -> None:
    assert kinds(pupil().model_copy(update={"completed": False})) == [("completion", "", "x")]
    assert kinds(pupil(mark=4, rating="Chưa hoàn thành", award="").model_copy(update={"completed": True})) == [("completion", "x", "")]


def test_the_principal_may_move_up_who_did_not_complete_but_may_not_hold_back_who_did() -> None:
    assert kinds(pupil(mark=4, rating="Chưa hoàn thành", award="").model_copy(update={"promoted": True})) == []
    assert kinds(pupil().model_copy(update={"promoted": False})) == [("promotion", "", "x")]


def test_what_is_not_there_yet_is_no_contradiction() -> None:
    result = pupil()
    without_mark = (result.subjects[0].model_copy(update={"mark": None}), *result.subjects[1:])
    assert kinds(result.model_copy(update={"subjects": without_mark, "rating": "Hoàn thành"})) == []
    assert kinds(result.model_copy(update={"subjects": result.subjects[1:], "rating": "Hoàn thành"})) == []
    assert kinds(result.model_copy(update={"traits": result.traits[1:], "rating": "Hoàn thành"})) == []


def test_rules_are_chosen_by_grade_and_school_year() -> None:
    assert primary_rules(1, "2020-2021").circular == primary_rules(5, "2024-2025").circular == "TT 27/2020/TT-BGDĐT"
    for grade, year in [(1, "2019-2020"), (5, "2023-2024"), (6, YEAR)]:
        with pytest.raises(NoRuleSetError):
            primary_rules(grade, year)
    assert rules_for(6, YEAR).circular == "TT 22/2021/TT-BGDĐT"


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("THC"), max_size=12), st.lists(st.sampled_from("TĐC"), max_size=15), st.lists(st.integers(0, 10), max_size=8)
)
def test_a_better_mark_or_level_never_lowers_the_rating(levels: list[str], traits: list[str], marks: list[int]) -> None:
    rules = primary_rules(5, YEAR)
    order = [rules.lowest_rating.name, *(rating.name for rating in reversed(rules.ratings))]
    before = order.index(right_rating(rules, levels, traits, marks).name)
    for at in range(len(levels)):
        assert order.index(right_rating(rules, [*levels[:at], "T", *levels[at + 1 :]], traits, marks).name) >= before
    for at in range(len(marks)):
        assert order.index(right_rating(rules, levels, traits, [*marks[:at], 10, *marks[at + 1 :]]).name) >= before


@settings(deadline=None)
@given(st.permutations(["T", "T", "H", "T"]), st.permutations([9, 7, 10]))
def test_the_order_of_subjects_does_not_matter(levels: list[str], marks: list[int]) -> None:
    assert right_rating(primary_rules(5, YEAR), levels, ["T"], marks).name == "Hoàn thành"
