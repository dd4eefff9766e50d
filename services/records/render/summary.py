"""What a class summary counts and in which columns: shared by its XML and its PDF, so both say the same.

The columns are those of the grade, taken from the pupils' results: fewer in grades 1 and 2, more in grade 3 (foreign language,
informatics, technology), most in grades 4 and 5. The levels are those of TT 27/2020, Điều 6 to 9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.records.render.text import GENERAL_COMPETENCES, QUALITIES, SPECIFIC_COMPETENCES, clean, refuse_unknown_groups, traits_of
from services.records.schoolyear import Period, PrimaryResult, Pupil, SummaryContent, SummaryRow

SUBJECT_LEVELS: Final = ("T", "H", "C")
TRAIT_LEVELS: Final = ("T", "Đ", "C")
RATINGS: Final = ("Hoàn thành xuất sắc", "Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành")
PERIODS: Final[dict[Period, str]] = {
    "GK1": "Giữa học kì I",
    "CK1": "Cuối học kì I",
    "GK2": "Giữa học kì II",
    "CN": "Cuối năm học",
}


@dataclass(frozen=True)
class Subject:
    """`marked`: somebody in the class has a mark, so the form has a second column."""

    name: str
    marked: bool


@dataclass(frozen=True)
class Columns:
    subjects: tuple[Subject, ...]
    general: tuple[str, ...]
    specific: tuple[str, ...]
    qualities: tuple[str, ...]


def summary_row(pupil: Pupil, result: PrimaryResult) -> SummaryRow:
    """The line of a pupil at the end of the year; the comments stay in the transcript."""
    return SummaryRow(
        code=pupil.code,
        name=pupil.name,
        born=pupil.born,
        personal_id=pupil.personal_id,
        subjects=tuple(subject.model_copy(update={"comment": ""}) for subject in result.subjects),
        traits=result.traits,
        rating=result.rating,
        award=result.award,
        completed=result.completed,
    )


def columns(content: SummaryContent) -> Columns:
    """In the order of the pupils' results. Raises ValueError for traits of a group that the form does not have."""
    for row in content.rows:
        refuse_unknown_groups(row.traits)
    marked = {clean(subject.name) for row in content.rows for subject in row.subjects if subject.mark is not None}
    names = _once(clean(subject.name) for row in content.rows for subject in row.subjects)
    return Columns(
        subjects=tuple(Subject(name, name in marked) for name in names),
        general=_names(content.rows, GENERAL_COMPETENCES),
        specific=_names(content.rows, SPECIFIC_COMPETENCES),
        qualities=_names(content.rows, QUALITIES),
    )


def _names(rows: Iterable[SummaryRow], group: str) -> tuple[str, ...]:
    return _once(clean(trait.name) for row in rows for trait in traits_of(row.traits, group))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def subject_counts(rows: Iterable[SummaryRow], name: str) -> Counter[str]:
    """Pupils by level."""
    return Counter(clean(subject.level) for row in rows for subject in row.subjects if clean(subject.name) == name)


def mark_count(rows: Iterable[SummaryRow], name: str) -> int:
    return sum(subject.mark is not None for row in rows for subject in row.subjects if clean(subject.name) == name)


def trait_counts(rows: Iterable[SummaryRow], group: str, name: str) -> Counter[str]:
    return Counter(clean(trait.level) for row in rows for trait in traits_of(row.traits, group) if clean(trait.name) == name)


def rating_counts(rows: Sequence[SummaryRow]) -> list[tuple[str, int]]:
    """Every rating with its pupils, the best first; none at all where no pupil has a rating."""
    found = Counter(clean(row.rating) for row in rows if row.rating)
    return [(rating, found[rating]) for rating in RATINGS] if found else []


def awarded(rows: Iterable[SummaryRow]) -> int:
    return sum(bool(clean(row.award)) for row in rows)


def completed(rows: Iterable[SummaryRow]) -> int:
    return sum(bool(row.completed) for row in rows)
