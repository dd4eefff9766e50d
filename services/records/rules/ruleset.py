"""Rule sets of the circulars: data files with a version and a source, chosen by grade and school year.

A change or correction of the law is a new data file, by its `kind` for primary or secondary grades, with a higher `version` or
years of its own; the old one stays for the years that it was in force. No line of code changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.records.cells import key

DATA = Path(__file__).parent / "data"
# "10.00", "9.5" and the like: exact, never through a float
Exact = Decimal


class NoRuleSetError(LookupError):
    """No circular is known for this grade in this school year."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


ContradictionKind = Literal["subject", "value", "rating", "award", "completion", "promotion", "average", "study", "conduct"]


class Contradiction(Frozen):
    """A value of the result that the circular, or its own marks, do not allow. `field` is the header of the export's column.

    `message_vi` says what was found and what the rule gives; `article` which rule.
    """

    kind: ContradictionKind
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
    """What every rule set has. `articles` names the article of each rule by the rule's key, for contradictions and for readers.

    `applies_from`: the first school year of each grade; `applies_until`: the last one of all grades, null while in force.
    """

    circular: str
    version: int
    source: str
    levels: tuple[str, ...]
    applies_from: dict[int, str]
    applies_until: str | None
    subjects: tuple[Subject, ...]
    articles: dict[str, str]

    def contradiction(self, kind: ContradictionKind, field: str, found: str, right: str, message_vi: str) -> Contradiction:
        """With the article of the rule that is broken."""
        return Contradiction(kind=kind, field=field, found=found, right=right, article=self.articles[kind], message_vi=message_vi)

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
    kind: Literal["primary"]
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
    """From the highest to the lowest; `mark` in at least `subjects` scored subjects."""

    name: str
    study: str
    conduct: str
    mark: Exact | None = None
    subjects: int = 0


class Promotion(Frozen):
    study: str
    conduct: str
    most_absences: int


class RegularMarks(Frozen):
    """How many regular marks a subject needs in a semester, by its periods a year."""

    most_periods: int | None
    marks: int


class MarkWeights(Frozen):
    regular: int
    midterm: int
    final: int


class Reassessment(Frozen):
    """Which subjects may be assessed again in summer: commented ones that failed, and marks `below`; only from this conduct on."""

    below: Exact
    conduct: str


class SecondaryRules(Circular):
    kind: Literal["secondary"]
    electives_needed: dict[int, int]
    comment_levels: dict[str, tuple[str, ...]]
    mark_range: tuple[Exact, Exact]
    regular_marks: tuple[RegularMarks, ...]
    mark_weights: MarkWeights
    semester_weights: tuple[int, int]
    result_levels: dict[str, tuple[str, ...]]
    study: tuple[StudyLevel, ...]
    raising: Raise = Field(alias="raise")
    conduct_year: dict[str, dict[str, str]]
    awards: tuple[Award, ...]
    promotion: Promotion
    reassessment: Reassessment

    @property
    def order(self) -> list[str]:
        """Levels of a result from the lowest to the highest."""
        return list(self.result_levels)

    @property
    def award_names(self) -> Mapping[str, tuple[str, ...]]:
        return {award.name: () for award in self.awards}


C = TypeVar("C", bound=Circular)
RuleSet = Annotated[PrimaryRules | SecondaryRules, Field(discriminator="kind")]
GRADES: dict[str, range] = {"TH": range(1, 6), "THCS": range(6, 10), "THPT": range(10, 13)}
"""Level → its grades."""


@cache
def rule_sets() -> tuple[PrimaryRules | SecondaryRules, ...]:
    """Every rule set that there is, the newest version of a circular last."""
    read: TypeAdapter[PrimaryRules | SecondaryRules] = TypeAdapter(RuleSet)
    found = [read.validate_json(path.read_bytes()) for path in sorted(DATA.glob("*.json"))]
    return tuple(sorted(found, key=lambda rules: (min(rules.applies_from.values()), rules.version)))


def chosen(rules: Iterable[C], grade: int, year: str) -> C:
    """The one in force for a grade in a school year; of several the newest. Raises NoRuleSetError."""
    in_force = [each for each in rules if _applies(each, grade, year)]
    if not in_force:
        raise NoRuleSetError(f"no rule set for grade {grade} in {year}")
    return max(in_force, key=lambda each: (each.applies_from[grade], each.version))


def _applies(rules: Circular, grade: int, year: str) -> bool:
    first = rules.applies_from.get(grade)
    return first is not None and first <= year and (rules.applies_until is None or year <= rules.applies_until)


@cache
def primary_rules(grade: int, year: str) -> PrimaryRules:
    """The rule set of a primary grade in a school year. Raises NoRuleSetError."""
    return chosen([rules for rules in rule_sets() if isinstance(rules, PrimaryRules)], grade, year)


@cache
def secondary_rules(grade: int, year: str) -> SecondaryRules:
    """The rule set of a lower or upper secondary grade in a school year. Raises NoRuleSetError."""
    return chosen([rules for rules in rule_sets() if isinstance(rules, SecondaryRules)], grade, year)


def rules_for(grade: int, year: str) -> PrimaryRules | SecondaryRules:
    """The rule set of any grade. Raises NoRuleSetError."""
    return primary_rules(grade, year) if grade in GRADES["TH"] else secondary_rules(grade, year)
