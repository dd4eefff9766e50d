"""TT 22/2021: does a secondary pupil's year result agree with itself?

Averages are computed from the semesters, ratings from those averages, awards and promotion from those ratings; so one wrong
cell gives one contradiction. Arithmetic is decimal, half up, one digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from services.records.rules.ruleset import Contradiction, SecondaryRules, Subject, secondary_rules
from services.records.schoolyear import SecondaryResult, SecondarySubject

COLUMNS = ("HKI", "HKII", "CN")
FLAG = "x"
"""A ticked column of the export."""
PASSED = "Đ"
_TENTH = Decimal("0.1")
Study = tuple[str, bool]


@dataclass(frozen=True)
class SecondaryVerdict:
    """What the circular gives for semesters, conduct and absences; "" and None where values for it are missing.

    `averages`: year by subject. `study`: (HKI, HKII, CN), each with whether Article 9.3 raised it; `study_after` counts what was
    assessed again in summer, `conduct_after` the training in summer. Award and promotion need both results of the year.
    """

    averages: dict[str, str]
    study: tuple[Study | None, Study | None, Study | None]
    study_after: Study | None
    conduct: str
    conduct_after: str
    award: str | None
    promoted: bool | None


def year_average(rules: SecondaryRules, first: Decimal, second: Decimal) -> Decimal:
    """Article 9.1: (HKI + 2 · HKII) / 3, from the rounded semesters, half up to one digit."""
    one, two = rules.semester_weights
    return ((one * first + two * second) / (one + two)).quantize(_TENTH, ROUND_HALF_UP)


def study_result(rules: SecondaryRules, scored: Sequence[Decimal], comments: Sequence[str]) -> Study:
    """Article 9.2, and whether 9.3 raised it: one subject alone that pulls the level down by two or more raises it by one."""
    failed = sum(comment != PASSED for comment in comments)
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


def secondary_verdict(result: SecondaryResult, grade: int, year: str) -> SecondaryVerdict:
    """Computed, never copied: stated averages, results, award and promotion have no say in it. Raises NoRuleSetError.

    Two exceptions, where the export has nothing else: a year without its semesters (a pupil who came late) is taken as it stands,
    and the outcome of training in summer (Article 13) is what stands there as such, or what the year's conduct and the promotion say
    together.
    """
    rules = secondary_rules(grade, year)
    readable = [subject for subject in result.subjects if not any(_subject_values(rules, subject, grade))]
    averages = {subject.name: right for subject in readable if (right := _right_year(rules, subject))}
    whole = len(readable) == len(result.subjects)
    years = [averages.get(subject.name, subject.year) for subject in readable]
    after = [subject.reassessed or value for subject, value in zip(readable, years, strict=True)]
    columns = ([s.semester1 for s in readable], [s.semester2 for s in readable], years, after)
    one, two, of_year, study_after = (_study(rules, values) if whole else None for values in columns)
    conduct = _conduct(rules, result)
    conduct_after = _conduct_after(rules, result)
    award, promoted = None, None
    if of_year and study_after and conduct:
        award = right_award(rules, of_year[0], conduct, [mark for mark in map(mark_of, years) if mark is not None])
        promoted = right_promotion(rules, study_after[0], conduct_after, result.absent_excused + result.absent_unexcused)
    return SecondaryVerdict(averages, (one, two, of_year), study_after, conduct, conduct_after, award, promoted)


def right_award(rules: SecondaryRules, study: str, conduct: str, years: Sequence[Decimal]) -> str:
    """Article 15; "" for none."""
    for award in rules.awards:
        strong = award.mark is None or sum(mark >= award.mark for mark in years) >= award.subjects
        if study == award.study and conduct == award.conduct and strong:
            return award.name
    return ""


def right_promotion(rules: SecondaryRules, study: str, conduct: str, absences: int) -> bool:
    """Article 12, with the results after summer; `absences` of the year in half days, excused or not."""
    order, needed = rules.order, rules.promotion
    return (
        order.index(study) >= order.index(needed.study)
        and order.index(conduct) >= order.index(needed.conduct)
        and absences <= needed.most_absences
    )


def trained_in_summer(rules: SecondaryRules, result: SecondaryResult) -> bool:
    """Article 13: by its semesters the conduct was too low, but the year says that it is enough and that the pupil moves up."""
    computed, needed = _conduct(rules, result), rules.promotion.conduct
    return bool(computed) and rules.order.index(computed) < rules.order.index(needed) and result.conduct[2] == needed and result.promoted


def _conduct_after(rules: SecondaryRules, result: SecondaryResult) -> str:
    computed = _conduct(rules, result)
    if not computed:
        return ""
    if result.conduct_reassessed in rules.order:
        return result.conduct_reassessed
    return rules.promotion.conduct if trained_in_summer(rules, result) else computed


def check_secondary(result: SecondaryResult, grade: int, year: str) -> list[Contradiction]:
    """What contradicts TT 22/2021 in one pupil's result; values that are missing are no contradiction but `completeness`.

    Raises NoRuleSetError for a grade or school year without rules.
    """
    rules = secondary_rules(grade, year)
    right = secondary_verdict(result, grade, year)
    problems = [each for subject in result.subjects for each in _subject_values(rules, subject, grade)]
    problems += _averages(rules, result, right)
    problems += _studies(rules, result, right)
    if right.conduct and result.conduct[2] and result.conduct[2] not in (right.conduct, right.conduct_after):
        what = "Kết quả rèn luyện cả năm không khớp với hai học kỳ"
        message = _message(what, result.conduct[2], right.conduct)
        problems.append(rules.contradiction("conduct", "Kết quả rèn luyện: CN", result.conduct[2], right.conduct, message))
    if right.award is not None and result.award != right.award:
        message = _message("Danh hiệu không khớp với kết quả học tập và rèn luyện", result.award, right.award)
        problems.append(rules.contradiction("award", "Danh hiệu", result.award, right.award, message))
    if right.promoted is not None and result.promoted != right.promoted:
        problems.append(_promotion(rules, result, right))
    return problems


def _message(what: str, found: str, right: str) -> str:
    stated = f"ghi “{found}”" if found else "để trống"
    return f"{what}: {stated}, theo quy định {f'là “{right}”' if right else 'không có'}."


def _averages(rules: SecondaryRules, result: SecondaryResult, right: SecondaryVerdict) -> Iterator[Contradiction]:
    for subject in result.subjects:
        average = right.averages.get(subject.name, "")
        if average and subject.year and not _same(subject.year, average):
            what = f"Kết quả cả năm môn {subject.name} không khớp với hai học kỳ (HKI {subject.semester1}, HKII {subject.semester2})"
            message = _message(what, subject.year, average)
            yield rules.contradiction("average", f"{subject.name}: CN", subject.year, average, message)


def _studies(rules: SecondaryRules, result: SecondaryResult, right: SecondaryVerdict) -> Iterator[Contradiction]:
    """The year may state the result before or after the summer."""
    for column, given, computed in zip(COLUMNS, result.study, right.study, strict=True):
        after = right.study_after if column == "CN" else None
        if given and computed and given != computed[0] and not (after and given == after[0]):
            note = f" (đã điều chỉnh theo {rules.articles['raise']})" if computed[1] else ""
            message = _message(f"Kết quả học tập {column} không khớp với kết quả các môn học{note}", given, computed[0])
            yield rules.contradiction("study", f"Kết quả học tập: {column}", given, computed[0], message)
    again = result.study_reassessed
    if again and right.study_after and again != right.study_after[0]:
        message = _message("Kết quả học tập sau đánh giá lại không khớp với kết quả các môn học", again, right.study_after[0])
        yield rules.contradiction("study", "Kết quả học tập: Sau đánh giá lại", again, right.study_after[0], message)


def _promotion(rules: SecondaryRules, result: SecondaryResult, right: SecondaryVerdict) -> Contradiction:
    absences = result.absent_excused + result.absent_unexcused
    study = right.study_after[0] if right.study_after else ""
    what = f"Lên lớp không khớp với kết quả học tập “{study}”, rèn luyện “{right.conduct_after}”, nghỉ {absences} buổi"
    found, owed = ("được lên lớp", "không được lên lớp") if result.promoted else ("không được lên lớp", "được lên lớp")
    flags = (FLAG, "") if result.promoted else ("", FLAG)
    return rules.contradiction("promotion", "Lên lớp", *flags, _message(what, found, owed))


def _subject_values(rules: SecondaryRules, read: SecondarySubject, grade: int) -> Iterator[Contradiction]:
    """A subject that the grade does not have, and values that this subject cannot have."""
    subject = rules.subject(read.name, grade)
    if subject is None:
        yield rules.contradiction("subject", read.name, read.name, "", f"Môn “{read.name}” không có trong chương trình lớp {grade}.")
        return
    values = (*zip(COLUMNS, (read.semester1, read.semester2, read.year), strict=True), ("Sau đánh giá lại", read.reassessed))
    for column, value in values:
        if value and not possible(rules, subject, grade, value):
            allowed = _allowed(rules, subject, grade)
            message = f"Môn {read.name}, {column}: ghi “{value}”, theo quy định là {allowed}."
            yield rules.contradiction("value", f"{read.name}: {column}", value, allowed, message)


def possible(rules: SecondaryRules, subject: Subject, grade: int, value: str) -> bool:
    """Article 5: a mark in the range with at most one digit, or a level of a commented subject."""
    if grade not in subject.scored:
        return value in rules.comment_levels
    mark = mark_of(value)
    return mark is not None and rules.mark_range[0] <= mark <= rules.mark_range[1] and mark == mark.quantize(_TENTH)


def _allowed(rules: SecondaryRules, subject: Subject, grade: int) -> str:
    if grade in subject.scored:
        return f"điểm từ {rules.mark_range[0]} đến {rules.mark_range[1]}, lấy một chữ số thập phân"
    return "một trong các mức " + ", ".join(rules.comment_levels)


def mark_of(value: str) -> Decimal | None:
    """None for what is no number."""
    try:
        mark = Decimal(value)
    except InvalidOperation:
        return None
    return mark if mark.is_finite() else None


def _same(stated: str, right: str) -> bool:
    one, two = mark_of(stated), mark_of(right)
    return stated == right if one is None or two is None else one == two


def _right_year(rules: SecondaryRules, subject: SecondarySubject) -> str:
    """A comment subject's year is semester II. "" when a semester is missing."""
    first, second = mark_of(subject.semester1), mark_of(subject.semester2)
    if first is not None and second is not None:
        return str(year_average(rules, first, second))
    return subject.semester2 if subject.semester1 in rules.comment_levels and subject.semester2 in rules.comment_levels else ""


def _study(rules: SecondaryRules, values: Sequence[str]) -> Study | None:
    marks = [mark_of(value) for value in values]
    scored = [mark for mark in marks if mark is not None]
    comments = [value for value in values if value in rules.comment_levels]
    if not values or len(scored) + len(comments) != len(values):
        return None
    return study_result(rules, scored, comments)


def _conduct(rules: SecondaryRules, result: SecondaryResult) -> str:
    """Article 8.2: semester II by row, semester I by column."""
    first, second, _ = result.conduct
    return rules.conduct_year.get(second, {}).get(first, "")
