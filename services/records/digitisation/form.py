"""The page on which one pupil's paper transcript is typed: its fields by the rule set of that grade and year, and how they are read.

Where no rule set is known for the year, the one of the grade that came first gives the fields and the values that a digital transcript
can hold; whether they agree with each other is then not checked. Plain data in, plain data out; values are text as people write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.records.cells import BadCell, text
from services.records.corrections.fields import COMMENT, LONGEST_TEXT, Field, fields_of, put_value, read_value, value_of
from services.records.imports.result_layout import LEAF_NAMES, SEMESTERS
from services.records.rules.completeness import result_missing
from services.records.rules.ruleset import NoRuleSetError, PrimaryRules, SecondaryRules, rule_sets, rules_for
from services.records.schoolyear import PrimaryResult, PrimarySubject, SecondaryResult, SecondarySubject, Trait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.schoolyear import Result

LONG = frozenset({COMMENT, "Nhận xét GVCN", "Nhận xét năng lực", "Nhận xét phẩm chất", "Giải thưởng", "Chứng chỉ", "Khen thưởng"})
TICKS = frozenset({"Lên lớp", "Hoàn thành CTLH"})
AWARD = "award"


@dataclass(frozen=True)
class Typed:
    """`result` as far as the values could be read; `wrong`: by field name, what is wrong with it or missing."""

    result: Result
    wrong: Mapping[str, str]


def circular_of(grade: int, year: str) -> str:
    """What the values of that grade and year are checked by; "" when there is no rule set for them."""
    try:
        return rules_for(grade, year).circular
    except NoRuleSetError:
        return ""


def year_of_form(grade: int, year: str) -> str:
    """The year whose rule set gives the form: the year itself, or the first one that the grade has. Raises NoRuleSetError."""
    if circular_of(grade, year):
        return year
    known = [rules.applies_from[grade] for rules in rule_sets() if grade in rules.applies_from]
    if not known:
        raise NoRuleSetError(f"no rule set for grade {grade}")
    return min(known)


def blank(grade: int, year: str) -> Result:
    """Every subject, trait and line that the grade can have, without values."""
    rules = rules_for(grade, year_of_form(grade, year))
    taught = [s for s in rules.subjects if s.taught_in(grade)]
    if isinstance(rules, PrimaryRules):
        # a mark that is not there would have no field
        return PrimaryResult(
            pupil="",
            subjects=tuple(PrimarySubject(name=s.name, level="", mark=0 if grade in s.scored else None) for s in taught),
            traits=tuple(Trait(group=t.group, name=t.name, level="") for t in rules.traits_of(grade)),
            rating="",
            completed=False,
            promoted=False,
        )
    subjects = tuple(SecondarySubject(name=s.name, semester1="", semester2="", year="") for s in taught)
    return SecondaryResult(pupil="", subjects=subjects, study=("", "", ""), conduct=("", "", ""), promoted=False)


def fields(grade: int, year: str) -> dict[str, Field]:
    """By name, in the order of the form. Raises NoRuleSetError."""
    return fields_of(blank(grade, year))


def values_of(result: Result | None) -> dict[str, str]:
    """What stands in a result already, by the names of its fields."""
    return {} if result is None else {name: value_of(result, field) for name, field in fields_of(result).items()}


def read(values: Mapping[str, str], pupil: str, grade: int, year: str) -> Typed:
    """The result that was typed. Subjects of which nothing stands on the paper are left out, unless the grade has to have them.

    Raises NoRuleSetError.
    """
    of_form, checked = year_of_form(grade, year), bool(circular_of(grade, year))
    result, wrong = blank(grade, year), dict[str, str]()
    for name, field in fields_of(result).items():
        try:
            result = put_value(result, field, _value(result, field, values.get(name, ""), grade, of_form, checked=checked))
        except BadCell as bad:
            wrong[name] = f"{name}: {bad}."
    result = _with_subjects(result, rules_for(grade, of_form), grade) if checked else standing(result)
    result = result.model_copy(update={"pupil": pupil})
    if checked and not wrong:
        wrong = {m.field: m.message_vi for m in result_missing(result, grade, year)}
    elif not wrong:
        wrong = _needed(result)
    return Typed(result, wrong)


def _value(result: Result, field: Field, value: str, grade: int, year: str, *, checked: bool) -> object:
    """Raises BadCell."""
    if len(value) > LONGEST_TEXT:
        raise BadCell(f"dài quá {LONGEST_TEXT} ký tự")
    if field.path == (AWARD,) and not checked:
        return text(value)
    if field.path[-1] == "mark" and not value.strip():
        return None
    return read_value(result, field, value, grade, year)


def _with_subjects(result: Result, rules: PrimaryRules | SecondaryRules, grade: int) -> Result:
    needed = {s.name for s in rules.required(grade)}
    if isinstance(result, PrimaryResult):
        own = tuple(s for s in result.subjects if s.name in needed or s.level or s.mark is not None or s.comment)
        return result.model_copy(update={"subjects": own})
    kept = tuple(s for s in result.subjects if s.name in needed or any(getattr(s, leaf) for leaf in (*SEMESTERS, "reassessed", "comment")))
    return result.model_copy(update={"subjects": kept})


def _needed(result: Result) -> dict[str, str]:
    """What a digital transcript of an unchecked year cannot do without."""
    lacking = [] if result.subjects else ["Môn học"]
    if isinstance(result, PrimaryResult):
        lacking += [f"{s.name}: Mức đạt được" for s in result.subjects if not s.level]
        lacking += [f"{t.group}: {t.name}" for t in result.traits if not t.level]
        lacking += [] if result.rating else ["Xếp loại"]
    else:
        lacking += [f"{s.name}: CN" for s in result.subjects if not s.year]
        for title, levels in (("Kết quả học tập", result.study), ("Kết quả rèn luyện", result.conduct)):
            lacking += [f"{title}: {LEAF_NAMES[leaf]}" for leaf, level in zip(SEMESTERS, levels, strict=True) if not level]
    return {name: f"Thiếu “{name}”." for name in lacking}


def standing(result: Result) -> Result:
    """Without subjects of which nothing stands on the paper: an older programme had others."""
    if isinstance(result, PrimaryResult):
        return result.model_copy(update={"subjects": tuple(s for s in result.subjects if s.level or s.mark is not None or s.comment)})
    leaves = (*SEMESTERS, "reassessed", "comment")
    return result.model_copy(update={"subjects": tuple(s for s in result.subjects if any(getattr(s, leaf) for leaf in leaves))})
