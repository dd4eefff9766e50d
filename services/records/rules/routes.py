"""JSON of the rules in force: GET /api/records/rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from contracts.access import Action
from services.chassis import clock
from services.chassis.access import Who, require
from services.records.at_hand import Year, own_school, store_of
from services.records.rules.in_words import Described, described
from services.records.rules.ruleset import GRADES, NoRuleSetError, PrimaryRules, SecondaryRules, rules_for
from services.records.rules.store import levels_and_years

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from contracts.access import Principal

router = APIRouter(prefix="/api/records")
Level = Literal["TH", "THCS", "THPT"]
FIRST_MONTH = 8
"""A school year begins in August."""


@router.get("/rules")
async def rules(request: Request, who: Who, year: Year = None, level: Annotated[Level | None, Query()] = None) -> dict[str, Any]:
    """The circulars' rule sets for the school's levels in a school year, in words made from the data that judges results."""
    levels, years = await choices(request, who)
    chosen_year = year or years[0]
    found = [s for each in levels if level in (None, each) for s in in_force(each, chosen_year)]
    return {"year": chosen_year, "years": years, "levels": levels, "rule_sets": [each.model_dump() for each in found]}


async def choices(request: Request, who: Principal) -> tuple[list[str], list[str]]:
    """Levels and school years to choose from; the present year while nothing was imported. Everybody of a school may look."""
    school = own_school(who)
    require(who, Action.VIEW_CLASS, school=school, own=True)
    levels, years = await levels_and_years(store_of(request).db, school)
    return levels or ([who.level] if who.level in GRADES else list(GRADES)), years or [year_of(clock.in_vietnam(clock.now()).date())]


def year_of(day: dt.date) -> str:
    """The school year that a day belongs to."""
    first = day.year if day.month >= FIRST_MONTH else day.year - 1
    return f"{first}-{first + 1}"


def in_force(level: str, year: str) -> list[Described]:
    """The level's rule sets in that year: one as a rule, several while a new one comes in grade by grade, none before its first."""
    grades: dict[int, list[int]] = {}
    sets: dict[int, PrimaryRules | SecondaryRules] = {}
    for grade in GRADES[level]:
        try:
            rules = rules_for(grade, year)
        except NoRuleSetError:
            continue
        sets[id(rules)] = rules
        grades.setdefault(id(rules), []).append(grade)
    return [described(sets[each], theirs) for each, theirs in grades.items()]


def without_rules(level: str, found: Sequence[Described]) -> list[int]:
    """Grades of the level that had no rule set of ours yet in that year."""
    covered = {grade for each in found for grade in each.grades}
    return [grade for grade in GRADES[level] if grade not in covered]
