"""Reads what a part of the review shows, for the classes that the person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis import clock
from services.chassis.errors import NOT_FOUND, Refused
from services.records.review import rules, store
from services.records.review.certificate_store import registrations_of
from services.records.review.certificates import standing
from services.records.transcripts.year_data import YearData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.records.review.certificates import Standing
    from services.records.review.rules import Table
    from services.records.schoolyear import SchoolClass
    from services.records.transcripts.reading import Reading


async def visible(looked_at: Reading) -> tuple[YearData, dict[str, SchoolClass]]:
    """The year with its print configuration, and the classes that the person may see, by code, in the order of grades."""
    year = await YearData.load(looked_at.store, looked_at.school, looked_at.year)
    codes = set(await looked_at.visible_classes())
    classes = sorted((c for code, c in year.classes.items() if code in codes), key=lambda c: (c.grade, c.name))
    return year, {c.code: c for c in classes}


async def overview(looked_at: Reading) -> list[dict[str, Any]]:
    year, classes = await visible(looked_at)
    pupils = await store.pupils(looked_at.store.db, looked_at.school, looked_at.year, list(classes), "overview")
    standings = await _certificates(looked_at, year, classes)
    return rules.overview(list(classes.values()), year.schools, pupils, year.staff, given=year.assignments, certificates=standings)


async def _certificates(looked_at: Reading, year: YearData, classes: Mapping[str, SchoolClass]) -> dict[str, Standing]:
    """How the certificates of everybody stand who signs in these classes, and the school's."""
    wanted = rules.owners(classes, year.assignments, looked_at.school)
    found = await registrations_of(looked_at.store.db, wanted)
    now = clock.now()
    return {owner: standing(registrations, now) for owner, registrations in found.items()}


async def part(looked_at: Reading, name: str, *, classes: Sequence[str] | None = None, semesters: bool = False) -> Table:
    """One part, of all visible classes or of those named. Raises Refused(NOT_FOUND) for a part that there is not."""
    if name not in rules.PARTS:
        raise Refused(NOT_FOUND)
    year, every = await visible(looked_at)
    chosen = {code: c for code, c in every.items() if classes is None or code in classes}
    if name == "signers":
        school = await looked_at.store.school(looked_at.school, looked_at.year)
        standings = await _certificates(looked_at, year, chosen)
        return rules.signers(chosen, year.assignments, year.staff, certificates=standings, school=school)
    if name == "printing":
        return rules.printing(chosen, year.schools, year.staff)
    pupils = await store.pupils(looked_at.store.db, looked_at.school, looked_at.year, list(chosen), name)
    if name == "assignments":
        return rules.assignments(chosen, year.assignments, year.staff, pupils)
    if name == "pupils":
        return rules.profiles(pupils, chosen)
    return rules.awards(pupils, chosen) if name == "awards" else rules.results(pupils, chosen, semesters=semesters)
