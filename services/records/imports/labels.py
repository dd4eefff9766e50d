"""The models of a school year as flat columns under the export's headers: what before and after are shown by."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from services.records.imports.profile_sheets import CLASSES, PUPILS, SCHOOL, STAFF
from services.records.imports.result_layout import LEAF_NAMES, OVERALL_NAMES, SEMESTERS, SIMPLE
from services.records.schoolyear import PrimaryResult, Pupil, Result, School, SchoolClass, SecondaryResult, Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.records.imports.tables import Column

_PROFILE = {School: SCHOOL, Staff: STAFF, SchoolClass: CLASSES, Pupil: PUPILS}
_COMMENT = "Nhận xét"


def words(value: object) -> str:
    """A value as a workbook of the sector database would show it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "x" if value else ""
    if isinstance(value, dt.date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, tuple):
        return "; ".join(map(words, value))
    return str(value)


def profile_words(model: School | Staff | SchoolClass | Pupil) -> dict[str, str]:
    headers = {column.field: column.header for column in _PROFILE[type(model)]}
    return {headers.get(field, field): words(value) for field, value in model}


def result_words(result: Result | None) -> dict[str, str]:
    if result is None:
        return {}
    return _primary(result) if isinstance(result, PrimaryResult) else _secondary(result)


def _simple(result: Result, columns: Sequence[Column]) -> dict[str, str]:
    fields = type(result).model_fields
    return {column.header: words(getattr(result, column.field)) for column in columns if column.field in fields}


def _primary(result: PrimaryResult) -> dict[str, str]:
    told: dict[str, str] = {}
    for subject in result.subjects:
        for leaf in ("level", "mark", "comment"):
            told[f"{subject.name}: {LEAF_NAMES.get(leaf, _COMMENT)}"] = words(getattr(subject, leaf))
    told |= {f"{trait.group}: {trait.name}": trait.level for trait in result.traits}
    return told | _simple(result, SIMPLE["primary"])


def _secondary(result: SecondaryResult) -> dict[str, str]:
    told: dict[str, str] = {}
    for subject in result.subjects:
        for leaf in (*SEMESTERS, "reassessed", "comment"):
            told[f"{subject.name}: {LEAF_NAMES.get(leaf, _COMMENT)}"] = words(getattr(subject, leaf))
    for part, title in OVERALL_NAMES.items():
        told |= {f"{title}: {LEAF_NAMES[leaf]}": value for leaf, value in zip(SEMESTERS, getattr(result, part), strict=True)}
        told[f"{title}: {LEAF_NAMES['reassessed']}"] = getattr(result, f"{part}_reassessed")
    return told | _simple(result, SIMPLE["secondary"])
