"""Who is to be assessed again in summer, and which values a summer's assessment may change.

TT 22/2021: training in summer (Điều 13) for a conduct below Đạt, subjects assessed again (Điều 14) for a study result below Đạt.
TT 27/2020: supplementary assessment (Điều 11) of those who did not complete the grade.
"""

from __future__ import annotations

from services.records.rules.ruleset import PrimaryRules, primary_rules, secondary_rules
from services.records.schoolyear import PrimaryResult, PrimarySubject, Result, SecondaryResult, Trait


def must_be_reassessed(result: Result, grade: int, year: str) -> bool:
    """Whether the year's outcome of this pupil still waits for the summer: neither moved up nor assessed again yet.

    Judged by the stated results; a blank one says nothing and counts as no. In secondary, whoever was absent more often than
    Điều 12 allows cannot move up by being assessed again, and is not named. In primary, a pupil who did not complete the grade and
    whom the principal moved up all the same (Điều 11.2) waits for nothing. Raises NoRuleSetError.
    """
    if result.promoted:
        return False
    if isinstance(result, PrimaryResult):
        return bool(result.rating) and result.rating == primary_rules(grade, year).lowest_rating.name and not result.completed
    if result.study_reassessed or result.conduct_reassessed or any(subject.reassessed for subject in result.subjects):
        return False
    rules, needed = secondary_rules(grade, year), secondary_rules(grade, year).promotion
    if result.absent_excused + result.absent_unexcused > needed.most_absences:
        return False
    order = rules.order
    stated = ((result.study[2], needed.study), (result.conduct[2], needed.conduct))
    return any(level in order and order.index(level) < order.index(least) for level, least in stated)


def only_reassessed(before: Result, after: Result, grade: int, year: str) -> bool:
    """Whether `after` differs from `before` in nothing but what a summer's assessment changes.

    Secondary: the values "sau đánh giá lại", and, of the year, study, conduct and promotion that follow from them.
    Primary, which has no column of its own for it: of a pupil who had to be assessed again, the subjects and traits that were not
    completed, and rating, completion and promotion that follow. Raises NoRuleSetError.
    """
    if isinstance(before, SecondaryResult) and isinstance(after, SecondaryResult):
        lowest = secondary_rules(grade, year).order[0]
        return _without_summer(before, before, lowest) == _without_summer(after, before, lowest)
    if isinstance(before, PrimaryResult) and isinstance(after, PrimaryResult):
        return must_be_reassessed(before, grade, year) and _open(before, after, primary_rules(grade, year)) == before
    return False


def _without_summer(result: SecondaryResult, before: SecondaryResult, lowest: str) -> SecondaryResult:
    """The result with what a summer may change put back to what it was before: for who was moved up, the re-assessed values alone."""
    was = {subject.name: subject.reassessed for subject in before.subjects}
    subjects = tuple(subject.model_copy(update={"reassessed": was.get(subject.name, "")}) for subject in result.subjects)
    levels = {"study_reassessed": before.study_reassessed, "conduct_reassessed": before.conduct_reassessed}
    if before.promoted:
        return result.model_copy(update={"subjects": subjects, **levels})
    study = (*result.study[:2], before.study[2] if before.study[2] == lowest else result.study[2])
    conduct = (*result.conduct[:2], before.conduct[2] if before.conduct[2] == lowest else result.conduct[2])
    return result.model_copy(update={"subjects": subjects, "study": study, "conduct": conduct, "promoted": before.promoted, **levels})


def _open(before: PrimaryResult, after: PrimaryResult, rules: PrimaryRules) -> PrimaryResult:
    """`after` with the parts that were not completed, and what follows from them, put back to what they were."""
    least = min((rating.least_mark for rating in rules.ratings), default=0)
    passed = {level for rating in rules.ratings for level in rating.subjects}
    reached = {level for rating in rules.ratings for level in rating.traits}

    def subject(was: PrimarySubject, now: PrimarySubject) -> PrimarySubject:
        failed = was.level not in passed or (was.mark is not None and was.mark < least)
        return was if failed and was.name == now.name else now

    def trait(was: Trait, now: Trait) -> Trait:
        return was if was.level not in reached and (was.group, was.name) == (now.group, now.name) else now

    if len(before.subjects) != len(after.subjects) or len(before.traits) != len(after.traits):
        return after
    return after.model_copy(
        update={
            "subjects": tuple(map(subject, before.subjects, after.subjects)),
            "traits": tuple(map(trait, before.traits, after.traits)),
            "rating": before.rating,
            "completed": before.completed,
            "promoted": before.promoted,
        }
    )
