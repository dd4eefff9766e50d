"""Rule sets of the circulars: data files with a version and a source, chosen by grade and school year.

A correction of the law is a new data file (or `applies_until` in an old one), not a change of code.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.records.cells import key

DATA = Path(__file__).parent / "data"
# "10.00", "9.5" and the like: exact, never through a float
Exact = Decimal


class NoRuleSetError(LookupError):
    """No circular is known for this grade in this school year."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contradiction(Frozen):
    """A value of the result that its own marks do not allow. `field` is the header of the export's column."""

    kind: Literal["rating", "award", "completion", "promotion", "average", "study", "conduct"]
    field: str
    found: str
    right: str
    article: str
    message_vi: str


class Subject(Frozen):
    """A subject or educational activity; the lists are grades. `scored`: it has marks there, else levels only.

    `parts`: what a combined subject is taught as, perhaps by several teachers.
    """

    name: str
    aliases: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    required: tuple[int, ...] = ()
    elective: tuple[int, ...] = ()
    optional: tuple[int, ...] = ()
    scored: tuple[int, ...] = ()

    def taught_in(self, grade: int) -> bool:
        return grade in self.required or grade in self.elective or grade in self.optional


class Circular(Frozen):
    circular: str
    version: int
    source: str
    levels: tuple[str, ...]
    applies_from: dict[int, str]
    applies_until: str | None
    subjects: tuple[Subject, ...]
    articles: dict[str, str]

    def subject(self, name: str, grade: int) -> Subject | None:
        """The subject that this text means in this grade, by name or by one of its other names."""
        wanted = key(name)
        for subject in self.subjects:
            if subject.taught_in(grade) and (wanted == key(subject.name) or any(wanted == key(alias) for alias in subject.aliases)):
                return subject
        return None

    def assigned(self, name: str, grade: int) -> Subject | None:
        """The subject that somebody assigned to this teaches: by its name, with a note in brackets, or by a part of it."""
        plain = name.partition("(")[0]
        whole = (s for s in self.subjects if s.taught_in(grade) and any(key(part) in {key(name), key(plain)} for part in s.parts))
        return self.subject(name, grade) or self.subject(plain, grade) or next(whole, None)

    def knows(self, name: str) -> bool:
        """Whether some grade of this circular has the subject."""
        wanted = key(name)
        return any(wanted == key(subject.name) or any(wanted == key(alias) for alias in subject.aliases) for subject in self.subjects)

    def required(self, grade: int) -> list[Subject]:
        return [subject for subject in self.subjects if grade in subject.required]


class TraitName(Frozen):
    group: str
    name: str
    grades: tuple[int, ...]


class Rating(Frozen):
    name: str
    aliases: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    least_mark: int = 0
    award: str = ""
    award_required: bool = False


class PrimaryRules(Circular):
    traits: tuple[TraitName, ...]
    subject_levels: dict[str, tuple[str, ...]]
    trait_levels: dict[str, tuple[str, ...]]
    mark_range: tuple[int, int]
    ratings: tuple[Rating, ...]
    lowest_rating: Rating

    def traits_of(self, grade: int) -> list[TraitName]:
        return [trait for trait in self.traits if grade in trait.grades]

    @property
    def rating_names(self) -> Mapping[str, tuple[str, ...]]:
        return {rating.name: rating.aliases for rating in (*self.ratings, self.lowest_rating)}

    @property
    def award_names(self) -> Mapping[str, tuple[str, ...]]:
        return {rating.award: () for rating in self.ratings if rating.award}


class StudyLevel(Frozen):
    level: str
    failed_comments: int
    least: Exact
    strong: Exact
    strong_subjects: int


class Raise(Frozen):
    from_at_least: str
    drop: int


class Award(Frozen):
    name: str
    study: str
    conduct: str
    mark: Exact | None = None
    subjects: int = 0


class Promotion(Frozen):
    study: str
    conduct: str
    most_absences: int


class SecondaryRules(Circular):
    electives_needed: dict[int, int]
    comment_levels: dict[str, tuple[str, ...]]
    mark_range: tuple[Exact, Exact]
    semester_weights: tuple[int, int]
    result_levels: dict[str, tuple[str, ...]]
    study: tuple[StudyLevel, ...]
    raising: Raise = Field(alias="raise")
    conduct_year: dict[str, dict[str, str]]
    awards: tuple[Award, ...]
    promotion: Promotion

    @property
    def order(self) -> list[str]:
        """Levels of a result from the lowest to the highest."""
        return list(self.result_levels)

    @property
    def award_names(self) -> Mapping[str, tuple[str, ...]]:
        return {award.name: () for award in self.awards}


@cache
def _primary() -> tuple[PrimaryRules, ...]:
    return tuple(PrimaryRules.model_validate_json(path.read_bytes()) for path in sorted(DATA.glob("tt27*.json")))


@cache
def _secondary() -> tuple[SecondaryRules, ...]:
    return tuple(SecondaryRules.model_validate_json(path.read_bytes()) for path in sorted(DATA.glob("tt22*.json")))


def _applies(rules: Circular, grade: int, year: str) -> bool:
    first = rules.applies_from.get(grade)
    return first is not None and first <= year and (rules.applies_until is None or year <= rules.applies_until)


@cache
def primary_rules(grade: int, year: str) -> PrimaryRules:
    """The rule set of a primary grade in a school year. Raises NoRuleSetError."""
    for rules in reversed(_primary()):
        if _applies(rules, grade, year):
            return rules
    raise NoRuleSetError(f"no primary rule set for grade {grade} in {year}")


@cache
def secondary_rules(grade: int, year: str) -> SecondaryRules:
    """The rule set of a lower or upper secondary grade in a school year. Raises NoRuleSetError."""
    for rules in reversed(_secondary()):
        if _applies(rules, grade, year):
            return rules
    raise NoRuleSetError(f"no secondary rule set for grade {grade} in {year}")


def rules_for(grade: int, year: str) -> PrimaryRules | SecondaryRules:
    """The rule set of any grade. Raises NoRuleSetError."""
    return primary_rules(grade, year) if grade in GRADES["TH"] else secondary_rules(grade, year)


GRADES: dict[str, range] = {"TH": range(1, 6), "THCS": range(6, 10), "THPT": range(10, 13)}
