"""What routes and pages of records need of a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request

from contracts.access import Principal
from services.chassis.errors import FORBIDDEN, Refused
from services.records.transcripts.reading import Reading

if TYPE_CHECKING:
    from services.chassis.process import Parts
    from services.records.store import Store

_YEAR = re.compile(r"20\d\d-20\d\d")
Year = Annotated[str | None, Query(pattern=r"^20\d\d-20\d\d$")]


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def own_school(who: Principal) -> str:
    if who.school is None:
        raise Refused(FORBIDDEN, action="school")
    return who.school


async def reading(request: Request, who: Principal, year: str | None) -> Reading:
    """The school year that is looked at: the one asked for, or the newest."""
    return await Reading.of(store_of(request), who, own_school(who), year)


def year_asked(request: Request) -> str | None:
    """The school year that the address of a page names, if any."""
    asked = request.query_params.get("year", "")
    return asked if _YEAR.fullmatch(asked) else None


def of_year(request: Request, address: str) -> str:
    """The address with the school year that the present page is about, where that is named."""
    asked = year_asked(request)
    return f"{address}{'&' if '?' in address else '?'}year={asked}" if asked else address


async def visible_transcript(request: Request, who: Principal, transcript_id: str) -> dict[str, Any]:
    found = await store_of(request).transcript(transcript_id)
    looked_at = await Reading.of(store_of(request), who, found["school"], found["year"])
    await looked_at.require_class(found["class_code"])
    return found
