"""The school years of a school: which one is open, and the dates that bind it.

Exactly one is open once the first was opened: opening one closes the one before it in the same act. The import of a later year opens
it. Going back to an earlier year needs a reason.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts import deadlines
from services.chassis.errors import Refused
from services.identity.errors import REASON_NEEDED
from services.identity.organisations.errors import NOTHING_CHANGES, WRONG_DATES, YEAR_OUT_OF_TURN
from services.identity.organisations.units_and_schools import check_living

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Document

OPEN, CLOSED = "OPEN", "CLOSED"
STATES = {OPEN: "Đang mở", CLOSED: "Đã đóng"}
FORM = re.compile(r"(20\d{2})-(20\d{2})")


def first_of(year: str) -> int:
    """The calendar year in which a school year begins. Raises Refused(YEAR_OUT_OF_TURN) for anything but "2025-2026"."""
    parts = FORM.fullmatch(year)
    if parts is None or int(parts[2]) != int(parts[1]) + 1:
        raise Refused(YEAR_OUT_OF_TURN, year=year[:20])
    return int(parts[1])


def next_of(year: str) -> str:
    first = first_of(year) + 1
    return f"{first}-{first + 1}"


def year_of(day: dt.date) -> str:
    """The school year that a day belongs to; one begins on 1 August."""
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first}-{first + 1}"


def national_deadline(year: str) -> dt.date:
    """Transcripts of a school year are handed in by 20 August after it (the Ministry's date for digital transcripts)."""
    first_of(year)
    return deadlines.national_deadline(year)


def blank(school: str, year: str) -> Document:
    """With the usual dates, from the opening day of 5 September to 31 May; the school has no date of its own yet."""
    first = first_of(year)
    return {
        "_id": f"{school}:{year}",
        "school": school,
        "year": year,
        "state": CLOSED,
        "starts_on": dt.date(first, 9, 5).isoformat(),
        "ends_on": dt.date(first + 1, 5, 31).isoformat(),
        "deadline": None,
        "opened_at": None,
        "opened_by": None,
        "closed_at": None,
        "closed_by": None,
        "reason": "",
    }


@dataclass(frozen=True)
class Opened:
    school: Document
    years: list[Document]


def opened(
    school: Document, known: Mapping[str, Document], year: str, *, imported: bool, reason: str, actor: str, at: dt.datetime
) -> Opened:
    """The school with `year` as the open one, and the years that change with it. `known` holds the school's years by year.

    Raises Refused: ENDED for a closed school, NOTHING_CHANGES, YEAR_OUT_OF_TURN, REASON_NEEDED.
    """
    check_living(school)
    first_of(year)
    before: str | None = school["year"]
    if before == year:
        raise Refused(NOTHING_CHANGES, code=year)
    if before is not None and not imported:
        if year != next_of(before) and year not in known:
            raise Refused(YEAR_OUT_OF_TURN, year=year)
        if year < before and not reason.strip():
            raise Refused(REASON_NEEDED)
    fresh = {**known.get(year, blank(school["_id"], year)), "state": OPEN, "opened_at": at, "opened_by": actor, "reason": reason.strip()}
    changed = [{**fresh, "closed_at": None, "closed_by": None}]
    if before is not None:
        # a school from before years were kept has an open year without a document
        closing = known.get(before, {**blank(school["_id"], before), "opened_at": None})
        changed.append({**closing, "state": CLOSED, "closed_at": at, "closed_by": actor})
    return Opened({**school, "year": year}, changed)


def with_dates(year: Document, *, starts_on: dt.date, ends_on: dt.date, deadline: dt.date | None) -> Document:
    """Raises Refused(WRONG_DATES): in order, within the school year, the school's own date not after the national one."""
    first, latest = first_of(year["year"]), national_deadline(year["year"])
    if starts_on >= ends_on:
        raise Refused(WRONG_DATES, message="Ngày kết thúc phải sau ngày bắt đầu.", rule="the end is not after the start")
    if starts_on < dt.date(first, 7, 1) or ends_on > latest:
        message = f"Năm học {year['year']} nằm trong khoảng từ ngày 01/07/{first} đến ngày {latest:%d/%m/%Y}."
        raise Refused(WRONG_DATES, message=message, rule="outside the school year")
    if deadline is not None and not starts_on < deadline <= latest:
        message = f"Hạn của nhà trường phải sau ngày bắt đầu và không muộn hơn ngày {latest:%d/%m/%Y}."
        raise Refused(WRONG_DATES, message=message, rule="the school's deadline is after the national one or before the start")
    return {
        **year,
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "deadline": deadline.isoformat() if deadline else None,
    }


def binding_deadline(year: Document) -> tuple[str, dt.date]:
    """What the date is called, and the date: the school's own where it has one, the national one otherwise."""
    if year["deadline"]:
        return "Hạn hoàn thành học bạ của nhà trường", dt.date.fromisoformat(year["deadline"])
    return "Hạn toàn quốc hoàn thành học bạ số", national_deadline(year["year"])
