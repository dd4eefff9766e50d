"""What of a result can be corrected, by the headers of the export ("Toán: CN"), and what a correction entails by the circular.

Plain data in, plain data out. A value is text as people write it: "8.5", "T", "x" or "" for a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from services.chassis.errors import Refused
from services.records import cells
from services.records.cells import BadCell, Cell, key, text
from services.records.corrections.errors import INCONSISTENT, UNKNOWN_FIELD, WRONG_VALUE
from services.records.imports.result_layout import LEAF_NAMES, OVERALL_NAMES, SEMESTERS, SIMPLE
from services.records.rules.completeness import contradictions, result_missing
from services.records.rules.ruleset import PrimaryRules, SecondaryRules, primary_rules, rules_for, secondary_rules
from services.records.schoolyear import Assignment, PrimaryResult, PrimarySubject, Result, SecondaryResult, SecondarySubject

LONGEST_TEXT = 2000
COMMENT = "Nhận xét"
_FLAGS = frozenset({"promoted", "completed"})
_WHOLE = frozenset({"absent_excused", "absent_unexcused"})
_TEXTS = frozenset({"homeroom_comment", "competence_comment", "quality_comment", "health", "certificate", "contests"})
_NOT_COMPUTED = frozenset({"subject", "value"})
"""Contradictions that have no one right value."""
_ROUNDS = 6
"""A corrected mark moves an average, that a study result, that an award and the promotion."""


MARK, LEVEL = "mark", "level"


@dataclass(frozen=True)
class Field:
    """`path` leads to the value inside the result; `subject` is "" for what is the homeroom teacher's."""

    name: str
    path: tuple[str | int, ...]
    subject: str = ""


@dataclass(frozen=True)
class Effect:
    """One value that changes. Of the subjects' table: `subject`, and `kind` MARK or LEVEL (comments are neither)."""

    field: str
    before: str
    after: str
    subject: str = ""
    kind: str = ""


def fields_of(result: Result) -> dict[str, Field]:
    """Every field of this result by its name, in the order of the form."""
    found: list[Field] = []
    leaves = ("level", "mark") if isinstance(result, PrimaryResult) else (*SEMESTERS, "reassessed")
    subjects: Sequence[PrimarySubject | SecondarySubject] = result.subjects
    for at, subject in enumerate(subjects):
        for leaf in leaves:
            if leaf == "mark" and getattr(subject, leaf) is None:
                continue
            found.append(Field(f"{subject.name}: {LEAF_NAMES[leaf]}", ("subjects", at, leaf), subject.name))
        found.append(Field(f"{subject.name}: {COMMENT}", ("subjects", at, "comment"), subject.name))
    if isinstance(result, PrimaryResult):
        found += [Field(f"{trait.group}: {trait.name}", ("traits", at, "level")) for at, trait in enumerate(result.traits)]
    else:
        for part, title in OVERALL_NAMES.items():
            found += [Field(f"{title}: {LEAF_NAMES[leaf]}", (part, at)) for at, leaf in enumerate(SEMESTERS)]
    known = type(result).model_fields
    found += [Field(column.header, (column.field,)) for column in SIMPLE[result.kind] if column.field in known]
    return {field.name: field for field in found}


def asker_fields(
    result: Result, grade: int, year: str, *, class_code: str, person: str, homeroom: bool, assignments: Sequence[Assignment]
) -> dict[str, Field]:
    """Of `fields_of`, those that this teacher may ask for: all as homeroom teacher, else the own subjects in the class."""
    every = fields_of(result)
    if homeroom:
        return every
    rules = rules_for(grade, year)
    taught = {
        subject.name
        for a in assignments
        if a.class_code == class_code and a.staff == person and (subject := rules.assigned(a.subject_name, grade)) is not None
    }
    return {name: field for name, field in every.items() if field.subject in taught}


def value_of(result: Result, field: Field) -> str:
    value: Any = result
    for part in field.path:
        value = value[part] if isinstance(part, int) else getattr(value, part)
    return _shown(value)


def _shown(value: object) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, tuple):
        return "; ".join(value)
    return "x" if value is True else str(value)


def corrected(result: Result, name: str, value: str, grade: int, year: str) -> tuple[Result, list[Effect]]:
    """The result with the new value, and everything that changes with it by the circular.

    Raises Refused: UNKNOWN_FIELD, WRONG_VALUE (not a value of this field, or the one that stands there), INCONSISTENT when the circular
    does not allow the value beside the others, or something would be missing.
    """
    fields = fields_of(result)
    field = fields.get(name)
    if field is None:
        raise Refused(UNKNOWN_FIELD, field=name)
    try:
        after = put_value(result, field, read_value(result, field, value, grade, year))
    except BadCell as bad:
        raise Refused(WRONG_VALUE, field=name, reason=str(bad)) from bad
    if value_of(after, field) == value_of(result, field):
        raise Refused(WRONG_VALUE, field=name, reason="giá trị mới giống giá trị hiện tại")
    after = _settled(after, field, fields, grade, year)
    effects = [e for e in differences(result, after) if e.field != name]
    return after, effects


def differences(before: Result, after: Result) -> list[Effect]:
    """All that two results of one pupil differ in, field by field; what only one of them has counts as blank in the other."""
    one, two = fields_of(before), fields_of(after)
    names = list(dict.fromkeys([*one, *two]))
    values = ((n, value_of(before, one[n]) if n in one else "", value_of(after, two[n]) if n in two else "") for n in names)
    return [_effect((two.get(name) or one[name]), old, new) for name, old, new in values if old != new]


def _effect(field: Field, before: str, after: str) -> Effect:
    kind = ""
    if field.subject and field.path[-1] != "comment":
        kind = MARK if any(each[:1].isdigit() for each in (before, after)) else LEVEL
    return Effect(field.name, before, after, field.subject, kind)


def _settled(result: Result, asked: Field, fields: Mapping[str, Field], grade: int, year: str) -> Result:
    """With every dependent value as the circular computes it from the others."""
    for _ in range(_ROUNDS):
        wrong = contradictions(result, grade, year)
        if not wrong:
            break
        first = wrong[0]
        field = fields.get(first.field)
        if field is None or field == asked or first.kind in _NOT_COMPUTED:
            raise Refused(INCONSISTENT, reason=first.message_vi, article=first.article)
        right = _award(result, first.right, grade, year) if first.kind == "award" else first.right
        result = put_value(result, field, read_value(result, field, right, grade, year))
    lacking = result_missing(result, grade, year)
    if lacking:
        raise Refused(INCONSISTENT, reason=lacking[0].message_vi, article=lacking[0].article or rules_for(grade, year).circular)
    return result


def _award(result: Result, right: str, grade: int, year: str) -> str:
    """In primary, praise besides the circular's titles stays as it is."""
    if not isinstance(result, PrimaryResult):
        return right
    titles = {key(title) for title in primary_rules(grade, year).award_names}
    other = [part.strip() for part in result.award.split(";") if part.strip() and key(part) not in titles]
    return "; ".join([right] * bool(right) + other)


def put_value(result: Result, field: Field, value: object) -> Result:
    data = result.model_dump()
    place: Any = data
    for part in field.path[:-1]:
        if isinstance(place[part], tuple):
            place[part] = list(place[part])
        place = place[part]
    place[field.path[-1]] = value
    return type(result).model_validate(data)


def read_value(result: Result, field: Field, value: str, grade: int, year: str) -> object:
    """Raises BadCell."""
    leaf = field.path[0] if len(field.path) == 1 else field.path[-1]
    if leaf in _FLAGS:
        return cells.flag(value)
    if leaf in _WHOLE:
        return cells.whole(value, least=0, most=366) or 0
    if leaf == "height_cm":
        return cells.decimal(value, Decimal(50), Decimal(250))
    if leaf == "weight_kg":
        return cells.decimal(value, Decimal(5), Decimal(250))
    if leaf in _TEXTS or leaf == "comment":
        return _text(value)
    reader = (
        _primary_reader(primary_rules(grade, year), field)
        if isinstance(result, PrimaryResult)
        else _secondary_reader(secondary_rules(grade, year), field, grade)
    )
    return reader(value)


def _text(value: Cell) -> str:
    words = text(value)
    if len(words) > LONGEST_TEXT:
        raise BadCell(f"dài quá {LONGEST_TEXT} ký tự")
    return words


def _primary_reader(rules: PrimaryRules, field: Field) -> Callable[[str], object]:
    leaf = field.path[-1]
    if leaf == "mark":
        return partial(cells.whole, least=rules.mark_range[0], most=rules.mark_range[1])
    if leaf == "rating":
        return partial(cells.choice, allowed=rules.rating_names)
    if leaf == "award":
        return _text
    return partial(cells.choice, allowed=rules.subject_levels if field.subject else rules.trait_levels)


def _secondary_reader(rules: SecondaryRules, field: Field, grade: int) -> Callable[[str], object]:
    if field.subject:
        subject = rules.subject(field.subject, grade)
        if subject is not None and grade in subject.scored:
            return lambda value: _shown(cells.decimal(value, *rules.mark_range))
        return partial(cells.choice, allowed=rules.comment_levels)
    if field.path[0] == "topics":
        return lambda value: tuple(filter(None, (each.strip() for each in _text(value).split(";"))))
    if field.path[0] == "award":
        return partial(cells.choice, allowed=rules.award_names)
    return partial(cells.choice, allowed=rules.result_levels)


def result_from(document: Mapping[str, Any]) -> Result:
    """A stored result."""
    kind = PrimaryResult if document["kind"] == "primary" else SecondaryResult
    return kind.model_validate(document)
