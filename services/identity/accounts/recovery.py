"""A forgotten password goes up the chain: who deals with whose request, how often one may ask, how long a link is good.

teacher and staff → administrators of the school; administrator, and everybody where there is no administrator → officers of the
oversight unit; officer → officers of the unit above; the first officer of all → the bootstrap command. Nobody deals with their own.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from contracts.access import Action, Principal, Role, allowed
from services.chassis.errors import Refused
from services.identity.accounts.errors import ALREADY_LEFT, NOT_IN_CHAIN
from services.identity.errors import OWN_PASSWORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document

LINK_VALID = timedelta(hours=24)
ASKED_WITHIN = timedelta(hours=1)
MOST_ASKED = 5
"""Requests for one name within ASKED_WITHIN; for names that nobody has likewise."""
FORGET_NOBODY = timedelta(days=30)
"""How long a request for a name that nobody has is kept."""
TOLD_FOR = timedelta(days=14)

WAITING = "WAITING"
DONE = "DONE"
REFUSED = "REFUSED"
STATES = {WAITING: "Chờ xử lý", DONE: "Đã cấp lại", REFUSED: "Đã từ chối"}
NOT_ME = "Không phải tôi yêu cầu"


@dataclass(frozen=True)
class Surroundings:
    """Around a person: the units above (of an officer: down to the own unit), root first; administrators of the school and
    officers of these units."""

    path: Sequence[str] = ()
    keepers: Sequence[Document] = field(default=())


def desk(person: Document, around: Surroundings) -> str | None:
    """The school or unit whose people deal with the person's request; None when only the bootstrap command can.

    A unit without officers passes on to the one above it.
    """
    if person["school"] and not _administers(person) and is_administered(person, around):
        return str(person["school"])
    staffed = {keeper["unit"] for keeper in _others(person, around) if Role.OFFICER in keeper["roles"]}
    return next((unit for unit in reversed(_above(person, around)) if unit in staffed), None)


def is_administered(person: Document, around: Surroundings) -> bool:
    """Whether the school has an administrator who is somebody else."""
    return any(_administers(keeper) and keeper["school"] == person["school"] for keeper in _others(person, around))


def check_dealer(who: Principal, person: Document | None, code: str, around: Surroundings, *, waits_at: str | None = None) -> Document:
    """The person, if `who` may make a link for them. `waits_at`: the desk at which their request waits.

    Raises Refused: OWN_PASSWORD, ALREADY_LEFT; NOT_IN_CHAIN for somebody out of reach and for somebody unknown alike.
    """
    if code == who.person:
        raise Refused(OWN_PASSWORD)
    if person is None or not _may_deal(who, person, around, waits_at):
        raise Refused(NOT_IN_CHAIN, person=code)
    if person.get("left"):
        raise Refused(ALREADY_LEFT, person=code)
    return person


def _may_deal(who: Principal, person: Document, around: Surroundings, waits_at: str | None) -> bool:
    if person["school"] and not _administers(person) and allowed(who, Action.GRANT_ACCOUNTS, school=person["school"]):
        return True
    if person["school"] and not _administers(person) and is_administered(person, around) and waits_at != who.unit:
        return False
    return allowed(who, Action.MANAGE_ORGANISATIONS, path=tuple(_above(person, around)))


def _above(person: Document, around: Surroundings) -> Sequence[str]:
    return around.path if person["school"] else around.path[:-1]


def _others(person: Document, around: Surroundings) -> list[Document]:
    return [keeper for keeper in around.keepers if keeper["_id"] != person["_id"] and not keeper.get("left")]


def _administers(person: Document) -> bool:
    return Role.ADMINISTRATOR in person["roles"]


def request(key: str, person: str | None, desk_code: str | None, *, at: datetime) -> Document:
    """What is kept of a request under the digest of the typed name. For a name that nobody has, it is forgotten after a while."""
    return {
        "_id": key,
        "person": person,
        "desk": desk_code,
        "state": WAITING,
        "asked_at": at,
        "decided_at": None,
        "decided_by": None,
        "reason": "",
        "forget_at": None if person else at + FORGET_NOBODY,
    }


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link(token: str, account: Document | None, person: str, *, made_by: str, drop_factors: bool, at: datetime) -> Document:
    """What is kept of a link. It ends with the password that it was made for: whoever has another since needs it no longer."""
    return {
        "_id": digest_of(token),
        "person": person,
        "made_by": made_by,
        "made_at": at,
        "until": at + LINK_VALID,
        "drop_factors": drop_factors,
        "password": password_mark(account),
    }


def password_mark(account: Document | None) -> str:
    return digest_of((account or {}).get("hash") or "")


def is_good(kept: Document | None, person: Document | None, account: Document | None, at: datetime) -> bool:
    """Whether the link still leads to a new password."""
    if kept is None or person is None or person.get("left") or at >= kept["until"]:
        return False
    return bool(kept["password"] == password_mark(account))


def reset_to_tell(account: Document | None, at: datetime) -> Document | None:
    """Who reset the password when, as long as the person is told so."""
    told: Document | None = (account or {}).get("reset")
    return told if told is not None and at < told["at"] + TOLD_FOR else None
