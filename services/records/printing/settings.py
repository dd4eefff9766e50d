"""The print configuration ("cấu hình in học bạ"): place, date and the leader who signs, for the school and for single classes.

What is configured here wins over what the sector database exports, also after later imports: the class's own, then the school's, then
the imported value. Sources: seed 001 II.1; seed 000 §2.1, "Lưu ý". Plain data in, decision out.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pydantic import Field

from services.chassis.errors import Refused
from services.chassis.web.look import vn_date
from services.records import cells
from services.records.printing.errors import NOT_A_LEADER, NOTHING_TO_CONFIGURE, WRONG_DATE, WRONG_PLACE
from services.records.schoolyear import Plain, School, SchoolClass, Staff

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LONGEST_PLACE = 60
LEADERS = ("hiệu trưởng", "phó hiệu trưởng")
"""How the positions of those begin who may sign as leader; identity gives the managers' role by the same words."""


class Printing(Plain):
    """None: not configured here. `leader` is a staff code."""

    place: str | None = None
    date: dt.date | None = None
    leader: str | None = None

    @property
    def blank(self) -> bool:
        return self == Printing()


class PrintSettings(Plain):
    """What a school configured for a school year; `classes` by class code, without blank ones."""

    school: Printing = Printing()
    classes: dict[str, Printing] = Field(default_factory=dict)


def may_lead(person: Staff) -> bool:
    return person.position.casefold().startswith(LEADERS)


def effective(settings: PrintSettings, school: School, school_class: SchoolClass) -> tuple[School, SchoolClass]:
    """School and class as the documents of this class name them: with its place, date and leader."""
    own, common = settings.classes.get(school_class.code, Printing()), settings.school
    place = own.place or common.place or school.print_place
    date = own.date or common.date or school.print_date
    leader = own.leader or common.leader or school_class.leader
    return school.model_copy(update={"print_place": place, "print_date": date}), school_class.model_copy(update={"leader": leader})


def checked(given: Printing, staff: Mapping[str, Staff], year: str) -> Printing:
    """What may be kept of it. Raises Refused for a leader who is no manager, a place without letters, a day outside the school year."""
    place = cells.text(given.place) if given.place is not None else None
    if place is not None and (not any(c.isalpha() for c in place) or len(place) > LONGEST_PLACE):
        raise Refused(WRONG_PLACE, most=LONGEST_PLACE)
    first, last = days_of(year)
    if given.date is not None and not first <= given.date <= last:
        raise wrong_date(year)
    if given.leader is not None and (given.leader not in staff or not may_lead(staff[given.leader])):
        raise Refused(NOT_A_LEADER, staff=given.leader)
    return Printing(place=place, date=given.date, leader=given.leader)


def days_of(year: str) -> tuple[dt.date, dt.date]:
    """The days that a transcript of the school year may bear: from its start to the end of the calendar year that it ends in."""
    return dt.date(int(year[:4]), 8, 1), dt.date(int(year[5:]), 12, 31)


def wrong_date(year: str) -> Refused:
    first, last = days_of(year)
    return Refused(WRONG_DATE, first=vn_date(first), last=vn_date(last))


def with_school(settings: PrintSettings, given: Printing) -> PrintSettings:
    """The school's own values as a whole: what is not given is as imported again."""
    return settings.model_copy(update={"school": given})


def with_classes(settings: PrintSettings, codes: Collection[str], given: Printing) -> PrintSettings:
    """What is given for each of these classes; what is not given stays as it was. Raises Refused(NOTHING_TO_CONFIGURE)."""
    if given.blank:
        raise Refused(NOTHING_TO_CONFIGURE)
    new = given.model_dump(exclude_none=True)
    changed = {code: settings.classes.get(code, Printing()).model_copy(update=new) for code in codes}
    return settings.model_copy(update={"classes": {**settings.classes, **changed}})


def without_classes(settings: PrintSettings, codes: Collection[str]) -> PrintSettings:
    """These classes follow the school's configuration again."""
    return settings.model_copy(update={"classes": {code: p for code, p in settings.classes.items() if code not in codes}})
