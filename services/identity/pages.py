"""What the pages of identity share: who may see them, the value that protects their forms, what surrounds them."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.errors import Refused
from services.chassis.web.look import Notice, Shell, vn_number
from services.chassis.web.shell import ACCOUNT as ACCOUNT_PAGE
from services.chassis.web.shell import FACTORS, shell
from services.identity.accounts.sessions import Here, Missing
from services.identity.at_hand import (
    CookieSession,
)
from services.identity.errors import WRONG_FORM_TOKEN
from services.identity.notices import store as notices_store
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database


STEPS = {
    Missing.SECOND_FACTOR: "/ui/identity/second-factor",
    Missing.PASSWORD: ACCOUNT_PAGE,
    Missing.ENROLMENT: FACTORS,
}
"""Where what is missing is made up for."""

NOTICES = "/ui/identity/notices"


class Unfinished(Exception):
    """Somebody who has a step of signing in still to do asked for another page."""

    def __init__(self, missing: Missing) -> None:
        self.missing = missing
        super().__init__(missing.value)


async def _settled(here: CookieSession) -> Here:
    """Raises Unfinished until nothing is missing."""
    if here.missing is not None:
        raise Unfinished(here.missing)
    return here


async def lead_on(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Unfinished)
    return RedirectResponse(STEPS[problem.missing], status_code=303)


Settled = Annotated[Here, Depends(_settled)]


def check_form(here: Here, csrf: str) -> None:
    """Raises Refused(WRONG_FORM_TOKEN) unless the form was made for this session."""
    if not hmac.compare_digest(here.csrf.encode(), csrf.encode()):
        raise Refused(WRONG_FORM_TOKEN)


async def frame(request: Request, here: Here, db: Database, notices: Sequence[Notice] = ()) -> Shell:
    """With the name of the school or unit, the school year, and how many notices were not read."""
    place = None
    if here.who.school:
        place = await one(db, "schools", here.who.school)
    elif here.who.unit:
        place = await one(db, "units", here.who.unit)
    year = place.get("year") if place else None
    around = shell(
        request,
        here.who,
        notices=notices,
        csrf=here.csrf,
        organisation=place["name"] if place else "",
        period=f"Năm học {year}" if year else "",
    )
    if around.user is None:
        return around
    unread = await notices_store.unread(db, here.who.person)
    told = (f"Thông báo ({vn_number(unread)})" if unread else "Thông báo", NOTICES)
    return replace(around, user=replace(around.user, links=(told, *around.user.links)))
