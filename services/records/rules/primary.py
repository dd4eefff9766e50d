"""TT 27/2020: does a primary pupil's year result agree with itself?

Everything is judged from subject levels, traits and marks, so one wrong cell gives one contradiction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.records.cells import key
from services.records.rules.ruleset import Contradiction, PrimaryRules, Rating, Subject, primary_rules
from services.records.schoolyear import PrimaryResult, PrimarySubject

FLAG = "x"
"""A ticked column of the export."""


@dataclass(frozen=True)
class PrimaryVerdict:
    """What the circular gives for levels, traits and marks. `may_award`: the title is allowed, not owed, with this rating."""

    rating: str
    award: str
    may_award: bool
    completed: bool


def right_rating(rules: PrimaryRules, levels: Iterable[str], traits: Iterable[str], marks: Iterable[int]) -> Rating:
    """Article 9: the highest rating whose subject levels, trait levels and least mark are all met."""
    levels, traits, lowest_mark = set(levels), set(traits), min(marks, default=rules.mark_range[1])
    for rating in rules.ratings:
        if levels <= set(rating.subjects) and traits <= set(rating.traits) and lowest_mark >= rating.least_mark:
            return rating
    return rules.lowest_rating


def primary_verdict(result: PrimaryResult, grade: int, year: str) -> PrimaryVerdict | None:
    """Computed from levels, traits and marks alone; None while one that the grade needs is missing or impossible.

    Raises NoRuleSetError.
    """
    rules = primary_rules(grade, year)
    right = _right(rules, result, grade)
    if right is None:
        return None
    completed = right.name != rules.lowest_rating.name
    return PrimaryVerdict(right.name, right.award, bool(right.award) and not right.award_required, completed)


def check_primary(result: PrimaryResult, grade: int, year: str) -> list[Contradiction]:
    """What contradicts TT 27/2020 in one pupil's result; values that are missing are no contradiction but `completeness`.

    Raises NoRuleSetError for a grade or school year without rules.
    """
    rules = primary_rules(grade, year)
    problems = list(_values(rules, result, grade))
    right = _right(rules, result, grade)
    if right is None:
        return problems
    checks = (_rating(rules, result, right), _award(rules, result, right), _completion(rules, result, right))
    return problems + [contradiction for contradiction in checks if contradiction]


def _right(rules: PrimaryRules, result: PrimaryResult, grade: int) -> Rating | None:
    if not _complete(rules, result, grade) or any(_values(rules, result, grade)):
        return None
    return right_rating(
        rules,
        (subject.level for subject in result.subjects if subject.level),
        (trait.level for trait in result.traits if trait.level),
        (subject.mark for subject in result.subjects if subject.mark is not None),
    )


def _complete(rules: PrimaryRules, result: PrimaryResult, grade: int) -> bool:
    levels = {key(subject.name): subject for subject in result.subjects if subject.level}
    traits = {(key(trait.group), key(trait.name)) for trait in result.traits if trait.level}
    return (
        all(key(needed.name) in levels for needed in rules.required(grade))
        and all(levels[key(needed.name)].mark is not None for needed in rules.required(grade) if grade in needed.scored)
        and all((key(trait.group), key(trait.name)) in traits for trait in rules.traits_of(grade))
    )


def _values(rules: PrimaryRules, result: PrimaryResult, grade: int) -> Iterator[Contradiction]:
    """Subjects, levels and marks that the grade does not have."""
    for read in result.subjects:
        subject = rules.subject(read.name, grade)
        if subject is None:
            yield rules.contradiction("subject", read.name, read.name, "", f"Môn “{read.name}” không có trong chương trình lớp {grade}.")
            continue
        yield from _subject_values(rules, read, subject, grade)
    for trait in result.traits:
        if trait.level and trait.level not in rules.trait_levels:
            allowed = ", ".join(rules.trait_levels)
            message = f"Mức “{trait.level}” của {trait.name} không đúng; theo quy định là một trong: {allowed}."
            yield rules.contradiction("value", f"{trait.group}: {trait.name}", trait.level, allowed, message)


def _subject_values(rules: PrimaryRules, read: PrimarySubject, subject: Subject, grade: int) -> Iterator[Contradiction]:
    least, most = rules.mark_range
    if read.level and read.level not in rules.subject_levels:
        allowed = ", ".join(rules.subject_levels)
        message = f"Mức đạt được “{read.level}” môn {read.name} không đúng; theo quy định là một trong: {allowed}."
        yield rules.contradiction("value", f"{read.name}: Mức đạt được", read.level, allowed, message)
    if read.mark is None:
        return
    field = f"{read.name}: Điểm KTĐK"
    if grade not in subject.scored:
        message = f"Môn {read.name} lớp {grade} ghi điểm “{read.mark}”; theo quy định chỉ có mức đạt được, không có điểm."
        yield rules.contradiction("value", field, str(read.mark), "", message)
    elif not least <= read.mark <= most:
        message = f"Điểm “{read.mark}” môn {read.name} không đúng; theo quy định là số nguyên từ {least} đến {most}."
        yield rules.contradiction("value", field, str(read.mark), f"{least}-{most}", message)


def _rating(rules: PrimaryRules, result: PrimaryResult, right: Rating) -> Contradiction | None:
    if not result.rating or result.rating == right.name:
        return None
    message = f"Xếp loại ghi “{result.rating}” không khớp với các mức và điểm của học sinh; theo quy định là “{right.name}”."
    return rules.contradiction("rating", "Xếp loại", result.rating, right.name, message)


def _award(rules: PrimaryRules, result: PrimaryResult, right: Rating) -> Contradiction | None:
    """Article 13: a titled award only with its rating; Học sinh Xuất sắc also always with it. Other praise is free."""
    given = {key(part) for part in result.award.split(";")}
    titles = [title for title in rules.award_names if key(title) in given]
    wrong = [title for title in titles if title != right.award]
    lacking = right.award_required and right.award not in titles
    if not wrong and not lacking:
        return None
    shown = f"“{right.award}”" if right.award else "không có danh hiệu"
    found = f"“{result.award}”" if result.award else "để trống"
    message = f"Khen thưởng ghi {found} không khớp với xếp loại “{right.name}”; theo quy định: {shown}."
    return rules.contradiction("award", "Khen thưởng", result.award, right.award, message)


def _completion(rules: PrimaryRules, result: PrimaryResult, right: Rating) -> Contradiction | None:
    """Article 11. Who completed the grade moves up; of those who did not, the principal may still move some up."""
    completed = right.name != rules.lowest_rating.name
    if result.completed != completed:
        found, owed = ("hoàn thành", "chưa hoàn thành") if result.completed else ("chưa hoàn thành", "hoàn thành")
        message = f"Hoàn thành chương trình lớp học ghi “{found}” không khớp với xếp loại “{right.name}”; theo quy định là “{owed}”."
        flags = (FLAG if result.completed else "", FLAG if completed else "")
        return rules.contradiction("completion", "Hoàn thành CTLH", *flags, message)
    if completed and not result.promoted:
        message = "Lên lớp để trống nhưng học sinh đã hoàn thành chương trình lớp học; theo quy định là “được lên lớp”."
        return rules.contradiction("promotion", "Lên lớp", "", FLAG, message)
    return None
