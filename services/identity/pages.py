"""What the pages of identity share: who may see them, the value that protects their forms, what surrounds them."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.errors import Refused
from services.chassis.web.look import Notice, Shell
from services.chassis.web.shell import ACCOUNT as ACCOUNT_PAGE
from services.chassis.web.shell import shell
from services.identity.accounts.sessions import Here
from services.identity.at_hand import (
    CookieSession,
)
from services.identity.errors import WRONG_FORM_TOKEN
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database


class MustChangePassword(Exception):
    """Somebody with a one-time password asked for another page."""


async def _settled(here: CookieSession) -> Here:
    """Raises MustChangePassword until the one-time password is changed."""
    if here.forced:
        raise MustChangePassword
    return here


async def lead_to_password(_request: Request, _problem: Exception) -> Response:
    return RedirectResponse(ACCOUNT_PAGE, status_code=303)


Settled = Annotated[Here, Depends(_settled)]


def check_form(here: Here, csrf: str) -> None:
    """Raises Refused(WRONG_FORM_TOKEN) unless the form was made for this session."""
    if not hmac.compare_digest(here.csrf.encode(), csrf.encode()):
        raise Refused(WRONG_FORM_TOKEN)


async def frame(request: Request, here: Here, db: Database, notices: Sequence[Notice] = ()) -> Shell:
    """With the name of the school or unit, and the school year."""
    place = None
    if here.who.school:
        place = await one(db, "schools", here.who.school)
    elif here.who.unit:
        place = await one(db, "units", here.who.unit)
    year = place.get("year") if place else None
    return shell(
        request,
        here.who,
        notices=notices,
        csrf=here.csrf,
        organisation=place["name"] if place else "",
        period=f"Năm học {year}" if year else "",
    )
