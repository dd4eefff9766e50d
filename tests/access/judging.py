"""What an answer means: let in or not, asked to confirm, or showing what it must not."""

from __future__ import annotations

import io
import re
import zipfile
from urllib.parse import unquote

import httpx

from services.chassis.errors import CONFIRMATION_NEEDED, FORBIDDEN, NOT_FOUND
from services.chassis.web.app import SIGN_IN_PAGE
from services.chassis.web.confirming import CONFIRM
from services.identity.pages import STEPS
from tests.access.actors import A, Actor, Manner
from tests.access.rows import Row
from tests.access.world import Access, Asked

CODE = re.compile(r"HB-[A-Z]{3}-\d{3}")
STEPS_LEFT = frozenset(STEPS.values())
"""Where somebody is led who is not wholly signed in."""
OF_NOBODY = frozenset({"sessions", "guesses", "recovery_asks", "pairing_guesses"})
"""What is written about whoever comes, before it is known who it is."""


def let_in(actor: Actor, response: httpx.Response, row: Row) -> bool:
    """A rule that refuses what was asked for speaks to somebody who was let in; a right that lacks does not."""
    codes = set(CODE.findall(response.text)) if response.status_code >= 400 and _is_text(response) else set()
    if response.status_code in (401, 403):
        return bool(codes & set(row.meant))
    if response.status_code == 404:
        return not codes & {NOT_FOUND.code, *row.hidden}
    if response.status_code == 303:
        where = response.headers["location"]
        doors = {SIGN_IN_PAGE} | (STEPS_LEFT if actor.manner is Manner.INCOMPLETE else frozenset())
        return row.leads or (FORBIDDEN.code not in where and where.split("?")[0] not in doors)
    # a form that comes back with the lack of a right as its error
    return not (response.status_code == 422 and (FORBIDDEN.cause in response.text or codes & set(row.hidden)))


def asks_to_confirm(response: httpx.Response) -> bool:
    if response.status_code != 403:
        return False
    return CONFIRMATION_NEEDED.code in response.text or f'action="{CONFIRM}"' in response.text


def surprises(world: Access, row: Row, asked: Asked) -> list[str]:
    """In words, what is not as the row says."""
    actor, response = asked.actor, asked.response
    status = f"{response.status_code} {' '.join(CODE.findall(response.text)[:2]) if _is_text(response) else ''}".strip()
    found = []
    if response.status_code >= 500:
        found.append(f"{actor.key}: failed with {status}")
    else:
        came_in, may = let_in(actor, response, row), row.need.holds(actor)
        if came_in and not may:
            found.append(f"{actor.key}: let in ({status}) and must not be: {row.need.words}")
        if may and not came_in:
            found.append(f"{actor.key}: kept out ({status}) and must not be: {row.need.words}")
    if not actor.sees_class and not row.shows and (told := shown(world.pupil_markers, asked)):
        found.append(f"{actor.key}: is shown pupils of class 1A ({status}): {', '.join(told[:5])}")
    if actor.inside:
        return found
    if not row.shows and (told := shown(world.markers, asked)):
        found.append(f"{actor.key}: is shown of school A ({status}): {', '.join(told[:5])}")
    if not row.touches and (reached := touched(asked)):
        found.append(f"{actor.key}: changed of school A ({status}): {', '.join(reached)}")
    return found


def shown(markers: set[str], asked: Asked) -> list[str]:
    """Those in the answer; what was sent along comes back without telling anything."""
    text = " ".join(
        (_text(asked.response), unquote(asked.response.headers.get("location", "")), asked.response.headers.get("content-disposition", ""))
    )
    for echo in sorted({asked.sent[0].rsplit("?")[0], *asked.sent[0].split("/"), *asked.sent[1:]}, key=len, reverse=True):
        if len(echo) > 3:
            text = text.replace(echo, "")
    return sorted(marker for marker in markers if marker in text)


def touched(asked: Asked) -> list[str]:
    """Documents about school A that an outsider's request changed."""
    return sorted({name for name, document in asked.changed if name not in OF_NOBODY and A in repr(document)})


def _is_text(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "")
    return kind.startswith("text/") or "json" in kind


def _text(response: httpx.Response) -> str:
    """Also of workbooks and other packages, which are zip files."""
    if response.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(response.content)) as package:
            return " ".join(package.read(name).decode("utf-8", "replace") for name in package.namelist())
    return response.content.decode("utf-8", "replace")


def one_let_in(row: Row, actors: tuple[Actor, ...]) -> Actor | None:
    return next((actor for actor in actors if actor.is_person and row.need.holds(actor)), None)
