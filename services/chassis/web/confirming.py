"""Asking anew who is there, in the middle of an act: the page keeps what was sent, identity asks and sends it on.

The refused form goes into hidden fields of a form to identity; once the person has confirmed, identity shows a form with the same
fields to the address that refused. Passwords are not carried along: whoever typed one types it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from contracts.topics import TOPICS
from services.chassis.errors import CONFIRMATION_NEEDED
from services.chassis.web.look import render
from services.chassis.web.shell import HOME, shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import Request, Response
    from starlette.datastructures import FormData

    from contracts.access import Principal

CONFIRM = "/ui/identity/confirm"
PREFIX = "kept."
MOST_FIELDS = 5100
"""A list of 5,000 ticked rows, and what stands around it."""
LARGEST = 1_000_000
"""Characters of all fields together."""
_SERVICES = "|".join(sorted({topic.owner for topic in TOPICS}))
_TARGET = re.compile(rf"/ui/(?:{_SERVICES})/[A-Za-z0-9._~%:@/-]*(?:\?[A-Za-z0-9._~%:@/?&=+,-]*)?")


@dataclass(frozen=True)
class Kept:
    """A form on its way: `target` is "" when it could not be kept and has to be filled in again."""

    target: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def target_in(address: str) -> str:
    """A page of our own services, else ""."""
    return address if _TARGET.fullmatch(address) and "//" not in address and not address.startswith(CONFIRM) else ""


async def kept_of(request: Request) -> Kept:
    """The form of a request that was refused, without its passwords and without the value that ties it to the session."""
    query = request.url.query
    target = target_in(f"{request.url.path}?{query}" if query else request.url.path)
    if request.method != "POST" or not target:
        return Kept()
    try:
        form = await request.form(max_fields=MOST_FIELDS)
    except HTTPException:
        return Kept()
    return _within_limits(target, ((n, v) for n, v in form.multi_items() if isinstance(v, str) and n != "csrf" and "password" not in n))


def kept_in(form: FormData) -> Kept:
    """What a confirming page carried along."""
    target = form.get("target")
    fields = ((n.removeprefix(PREFIX), v) for n, v in form.multi_items() if n.startswith(PREFIX) and isinstance(v, str))
    return _within_limits(target_in(target) if isinstance(target, str) else "", fields)


def _within_limits(target: str, fields: Iterable[tuple[str, str]]) -> Kept:
    every = tuple(fields)
    small = len(every) <= MOST_FIELDS and sum(len(n) + len(v) for n, v in every) <= LARGEST
    return Kept(target, every) if small and target else Kept()


def confirm_page(request: Request, who: Principal, kept: Kept, *, errors: Mapping[str, str] | None = None, csrf: str = "") -> Response:
    """403, because what was asked for is not done yet; 422 when the answer was not good."""
    context: dict[str, Any] = {
        "shell": shell(request, who, csrf=csrf),
        "title": CONFIRMATION_NEEDED.title,
        "action": CONFIRM,
        "username": who.person,
        "second_factor": who.second_factor,
        "target": kept.target,
        "fields": [(f"{PREFIX}{name}", value) for name, value in kept.fields],
        "cancel_href": HOME,
        "errors": errors or {},
    }
    status = 422 if errors else CONFIRMATION_NEEDED.status
    return render(request.app.state.pages, request, "chassis/confirm_identity.html", context, status_code=status)
