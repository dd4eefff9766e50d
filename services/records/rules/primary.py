"""TT 27/2020: does a primary pupil's year result agree with itself?

Everything is judged from subject levels, traits and marks, so one wrong cell gives one contradiction.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.records.cells import key
from services.records.rules.ruleset import Contradiction, PrimaryRules, Rating, primary_rules
from services.records.schoolyear import PrimaryResult


def right_rating(rules: PrimaryRules, levels: Iterable[str], traits: Iterable[str], marks: Iterable[int]) -> Rating:
    """Article 9: the highest rating whose subject levels, trait levels and least mark are all met."""
    levels, traits, lowest_mark = set(levels), set(traits), min(marks, default=rules.mark_range[1])
    for rating in rules.ratings:
        if levels <= set(rating.subjects) and traits <= set(rating.traits) and lowest_mark >= rating.least_mark:
            return rating
    return rules.lowest_rating


def check_primary(result: PrimaryResult, grade: int, year: str) -> list[Contradiction]:
    """What contradicts TT 27/2020 in one pupil's result; values that are missing are no contradiction but `completeness`.

    Raises NoRuleSetError for a grade or school year without rules.
    """
    rules = primary_rules(grade, year)
    if not _judgeable(rules, result, grade):
        return []
    right = right_rating(
        rules,
        (subject.level for subject in result.subjects),
        (trait.level for trait in result.traits),
        (subject.mark for subject in result.subjects if subject.mark is not None),
    )
    checks = (_rating(rules, result, right), _award(rules, result, right), _completion(rules, result, right))
    return [contradiction for contradiction in checks if contradiction]


def _judgeable(rules: PrimaryRules, result: PrimaryResult, grade: int) -> bool:
    levels = {key(subject.name): subject for subject in result.subjects if subject.level}
    traits = {(key(trait.group), key(trait.name)) for trait in result.traits if trait.level}
    return (
        all(key(needed.name) in levels for needed in rules.required(grade))
        and all(levels[key(needed.name)].mark is not None for needed in rules.required(grade) if grade in needed.scored)
        and all((key(trait.group), key(trait.name)) in traits for trait in rules.traits_of(grade))
    )


def _rating(rules: PrimaryRules, result: PrimaryResult, right: Rating) -> Contradiction | None:
    if not result.rating or result.rating == right.name:
        return None
    return Contradiction(
        kind="rating",
        field="Xếp loại",
        found=result.rating,
        right=right.name,
        article=rules.articles["rating"],
        message_vi=f"Xếp loại “{result.rating}” không khớp với các mức và điểm của học sinh; theo quy định là “{right.name}”.",
    )


def _award(rules: PrimaryRules, result: PrimaryResult, right: Rating) -> Contradiction | None:
    """Article 13: a titled award only with its rating; Học sinh Xuất sắc also always with it. Other praise is free."""
    given = {key(part) for part in result.award.split(";")}
    titles = [title for title in rules.award_names if key(title) in given]
    wrong = [title for title in titles if title != right.award]
    lacking = right.award_required and right.award not in titles
    if not wrong and not lacking:
        return None
    shown = f"“{right.award}”" if right.award else "không khen thưởng danh hiệu"
    return Contradiction(
        kind="award",
        field="Khen thưởng",
        found=result.award,
        right=right.award,
        article=rules.articles["award"],
        message_vi=f"Khen thưởng “{result.award}” không khớp với xếp loại “{right.name}”; theo quy định: {shown}.",
    )


def _completion(rules: PrimaryRules, result: PrimaryResult, right: Rating) -> Contradiction | None:
    """Article 11. Who completed the grade moves up; of those who did not, the principal may still move some up."""
    completed = right.name != rules.lowest_rating.name
    if result.completed != completed:
        return Contradiction(
            kind="completion",
            field="Hoàn thành CTLH",
            found="x" if result.completed else "",
            right="x" if completed else "",
            article=rules.articles["completion"],
            message_vi=f"Hoàn thành chương trình lớp học không khớp với kết quả giáo dục “{right.name}”.",
        )
    if completed and not result.promoted:
        return Contradiction(
            kind="promotion",
            field="Lên lớp",
            found="",
            right="x",
            article=rules.articles["promotion"],
            message_vi="Học sinh hoàn thành chương trình lớp học nhưng không được lên lớp.",
        )
    return None
