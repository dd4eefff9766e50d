"""Who signs the summaries of a school year: of an earlier one those who are still here, and the head for who is not.

Source: seed 004, V (records of earlier years: who is still at the school signs the own part, the head signs and answers for the rest).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.chassis.errors import NOT_FOUND, Refused
from services.records.transcripts.year_data import YearData

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.schoolyear import SchoolClass, Staff
    from services.records.transcripts.reading import Reading


async def is_earlier(looked_at: Reading) -> bool:
    return looked_at.year != (await looked_at.store.years(looked_at.school))[0]


async def signing_year(looked_at: Reading) -> YearData:
    """The year, of an earlier one with the staff of today; each class names who would sign for it without anybody being chosen."""
    data = await YearData.load(looked_at.store, looked_at.school, looked_at.year)
    if not await is_earlier(looked_at):
        return data
    newest = (await looked_at.store.years(looked_at.school))[0]
    staff = await looked_at.store.staff(looked_at.school, newest)
    classes = {code: c.model_copy(update={"leader": c.leader if c.leader in staff else ""}) for code, c in data.classes.items()}
    return replace(data, staff=staff, classes=classes)


def of_today(school_class: SchoolClass, staff: Mapping[str, Staff]) -> SchoolClass:
    """Of an earlier year: the leader stands in for a homeroom teacher who has left."""
    return school_class if school_class.homeroom in staff else school_class.model_copy(update={"homeroom": school_class.leader})


def chosen(data: YearData, code: str, leader: str, *, earlier: bool) -> SchoolClass:
    """The class with the leader who was chosen for it. Raises Refused(NOT_FOUND)."""
    if code not in data.classes:
        raise Refused(NOT_FOUND)
    found = data.classes[code]
    named = found.model_copy(update={"leader": leader}) if leader else found
    return of_today(named, data.staff) if earlier else named
