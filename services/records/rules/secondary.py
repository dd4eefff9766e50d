"""TT 22/2021: does a secondary pupil's year result agree with itself?

Averages are computed from the semesters, ratings from those averages, awards and promotion from those ratings; so one wrong
cell gives one contradiction. Arithmetic is decimal, half up, one digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from services.records.rules.ruleset import Contradiction, SecondaryRules, secondary_rules
from services.records.schoolyear import SecondaryResult, SecondarySubject

COLUMNS = ("HKI", "HKII", "CN")
_TENTH = Decimal("0.1")
_PASSED = "Đ"


def year_average(rules: SecondaryRules, first: Decimal, second: Decimal) -> Decimal:
    """Article 9.1: (HKI + 2 · HKII) / 3, from the rounded semesters, half up to one digit."""
    one, two = rules.semester_weights
    return ((one * first + two * second) / (one + two)).quantize(_TENTH, ROUND_HALF_UP)


def study_result(rules: SecondaryRules, scored: Sequence[Decimal], comments: Sequence[str]) -> tuple[str, bool]:
    """Article 9.2, and whether 9.3 raised it: one subject alone that pulls the level down by two or more raises it by one."""
    failed = sum(comment != _PASSED for comment in comments)
    order = rules.order
    base = _base(rules, scored, failed)
    most = rules.mark_range[1]
    without_one = [_base(rules, [*scored[:at], most, *scored[at + 1 :]], failed) for at in range(len(scored))]
    if failed:
        without_one.append(_base(rules, scored, failed - 1))
    best = max(without_one, default=base)
    if best >= order.index(rules.raising.from_at_least) and best - base >= rules.raising.drop:
        return order[base + 1], True
    return order[base], False


def _base(rules: SecondaryRules, scored: Sequence[Decimal], failed_comments: int) -> int:
    for level in rules.study:
        if (
            failed_comments <= level.failed_comments
            and all(mark >= level.least for mark in scored)
            and sum(mark >= level.strong for mark in scored) >= level.strong_subjects
        ):
            return rules.order.index(level.level)
    return 0


def check_secondary(result: SecondaryResult, grade: int, year: str) -> list[Contradiction]:
    """What contradicts TT 22/2021 in one pupil's result; values that are missing are no contradiction but `completeness`.

    Raises NoRuleSetError for a grade or school year without rules.
    """
    rules = secondary_rules(grade, year)
    averages = {subject.name: right_year for subject in result.subjects if (right_year := _right_year(rules, subject))}
    stated = {subject.name: subject.year for subject in result.subjects}
    problems = [
        _problem(rules, "average", f"{name}: CN", found=stated[name], right=right, what="Kết quả cả năm không khớp với hai học kỳ")
        for name, right in averages.items()
        if stated[name] and not _same(stated[name], right)
    ]
    years = [averages.get(subject.name, subject.year) for subject in result.subjects]
    after = [subject.reassessed or value for subject, value in zip(result.subjects, years, strict=True)]
    study = [
        _study(rules, [subject.semester1 for subject in result.subjects]),
        _study(rules, [subject.semester2 for subject in result.subjects]),
        _study(rules, years),
    ]
    study_after = _study(rules, after)
    for at, column in enumerate(COLUMNS):
        given, right = result.study[at], study[at]
        if given and right and given != right[0] and not (column == "CN" and study_after and given == study_after[0]):
            note = f" (đã điều chỉnh theo {rules.articles['raise']})" if right[1] else ""
            what = f"Kết quả học tập {column} không khớp với kết quả các môn học{note}"
            problems.append(_problem(rules, "study", f"Kết quả học tập: {column}", found=given, right=right[0], what=what))
    conduct = _conduct(rules, result)
    if conduct and result.conduct[2] and result.conduct[2] != conduct:
        what = "Kết quả rèn luyện cả năm không khớp với hai học kỳ"
        problems.append(_problem(rules, "conduct", "Kết quả rèn luyện: CN", found=result.conduct[2], right=conduct, what=what))
    if study[2] and study_after and conduct:
        problems += _award(rules, result, study[2][0], conduct, years)
        problems += _promotion(rules, result, study_after[0], conduct)
    return problems


def _problem(rules: SecondaryRules, kind: str, field: str, *, found: str, right: str, what: str) -> Contradiction:
    message = f"{what}: ghi “{found}”, theo quy định là “{right}”."
    return Contradiction.model_validate(
        {"kind": kind, "field": field, "found": found, "right": right, "article": rules.articles[kind], "message_vi": message}
    )


def _mark(value: str) -> Decimal | None:
    try:
        mark = Decimal(value)
    except InvalidOperation:
        return None
    return mark if mark.is_finite() else None


def _same(stated: str, right: str) -> bool:
    one, two = _mark(stated), _mark(right)
    return stated == right if one is None or two is None else one == two


def _right_year(rules: SecondaryRules, subject: SecondarySubject) -> str:
    """A comment subject's year is semester II. "" when a semester is missing."""
    first, second = _mark(subject.semester1), _mark(subject.semester2)
    if first is not None and second is not None:
        return str(year_average(rules, first, second))
    return subject.semester2 if subject.semester1 in rules.comment_levels and subject.semester2 in rules.comment_levels else ""


def _study(rules: SecondaryRules, values: Sequence[str]) -> tuple[str, bool] | None:
    marks = [_mark(value) for value in values]
    scored = [mark for mark in marks if mark is not None]
    comments = [value for value in values if value in rules.comment_levels]
    if not values or len(scored) + len(comments) != len(values):
        return None
    return study_result(rules, scored, comments)


def _conduct(rules: SecondaryRules, result: SecondaryResult) -> str:
    """Article 8.2: semester II by row, semester I by column."""
    first, second, _ = result.conduct
    return rules.conduct_year.get(second, {}).get(first, "")


def _award(rules: SecondaryRules, result: SecondaryResult, study: str, conduct: str, years: Sequence[str]) -> list[Contradiction]:
    marks = [mark for mark in map(_mark, years) if mark is not None]
    right = ""
    for award in rules.awards:
        strong = award.mark is None or sum(mark >= award.mark for mark in marks) >= award.subjects
        if study == award.study and conduct == award.conduct and strong:
            right = award.name
            break
    if result.award == right:
        return []
    what = "Danh hiệu không khớp với kết quả học tập và rèn luyện"
    return [_problem(rules, "award", "Danh hiệu", found=result.award, right=right, what=what)]


def _promotion(rules: SecondaryRules, result: SecondaryResult, study: str, conduct: str) -> list[Contradiction]:
    order, needed = rules.order, rules.promotion
    absences = result.absent_excused + result.absent_unexcused
    right = (
        order.index(study) >= order.index(needed.study)
        and order.index(conduct) >= order.index(needed.conduct)
        and absences <= needed.most_absences
    )
    if result.promoted == right:
        return []
    what = f"Lên lớp không khớp với kết quả học tập “{study}”, rèn luyện “{conduct}”, nghỉ {absences} buổi"
    return [_problem(rules, "promotion", "Lên lớp", found="x" if result.promoted else "", right="x" if right else "", what=what)]
