"""Sessions: an opaque secret in the browser, its digest here. Nobody can read a usable session out of the database."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from contracts.access import Principal, Role
from services.identity.accounts import factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document
    from services.chassis.origin import Origin

COOKIE = "__Host-hocba"
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)
OVERSIGHT = "OVERSIGHT"


class Missing(StrEnum):
    """What is still missing after the right password, in the order in which it is asked for."""

    SECOND_FACTOR = "second_factor"
    PASSWORD = "password"  # noqa: S105 - a step, no secret
    ENROLMENT = "enrolment"


class Factor(StrEnum):
    """What the session knows of the account's second factor."""

    NONE = "none"
    ASKED = "asked"
    GIVEN = "given"


@dataclass(frozen=True)
class Here:
    """A good session: whose it is and what protects its forms. While something is `missing`, it opens nothing but that step."""

    digest: str
    who: Principal
    version: str
    forced: bool
    factor: Factor
    missing: Missing | None
    csrf: str
    touch: bool

    @property
    def public_id(self) -> str:
        return public_id_of(self.digest)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """Bound to the session, so it needs no storage; tells nothing about the session's secret."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def public_id_of(digest: str) -> str:
    """What the session is called in the list of devices; nobody gets from it to the digest or the secret."""
    return hmac.new(digest.encode(), b"device", hashlib.sha256).hexdigest()[:32]


def new_session(token: str, person: str, version: str, *, forced: bool, factor: Factor, at: datetime, origin: Origin) -> Document:
    """`forced`: the password is a one-time one, which must be changed."""
    return {
        "_id": digest_of(token),
        "person": person,
        "version": version,
        "forced": forced,
        "factor": factor.value,
        "device": origin.device,
        "address": origin.address,
        "created_at": at,
        "confirmed_at": at,
        "seen_at": at,
        "ends_at": at + ABSOLUTE,
    }


def renewed(session: Document, token: str, **changes: object) -> Document:
    """The same session under another secret; what was begun in it and not finished is left behind."""
    kept = {key: value for key, value in session.items() if key not in ("challenge", "enrolling")}
    return {**kept, "_id": digest_of(token), **changes}


def read(token: str, session: Document | None, person: Document | None, at: datetime, *, demanding: bool) -> Here | None:
    """None when there is no such session, or it was idle for 30 minutes, or is 12 hours old, or its person has left.

    `demanding`: whose role needs a second factor, enrols one before anything else.
    """
    if session is None or person is None or person.get("left") or at >= session["ends_at"] or at - session["seen_at"] >= IDLE:
        return None
    # a session that began before an upgrade knows of no second factor and of no confirmation
    factor = Factor(session.get("factor", Factor.NONE))
    confirmed_at: datetime = session.get("confirmed_at") or session["created_at"]
    who = principal(person, session["version"], confirmed_at=confirmed_at, second_factor=factor is not Factor.NONE)
    if "agent" in session:
        who = who.model_copy(update={"agent": session["agent"]})
    return Here(
        digest=session["_id"],
        who=who,
        version=session["version"],
        forced=session["forced"],
        factor=factor,
        missing=_missing(factor, forced=session["forced"], demanded=demanding and factors.demanded(who)),
        csrf=csrf_of(token),
        touch=at - session["seen_at"] >= TOUCH,
    )


def _missing(factor: Factor, *, forced: bool, demanded: bool) -> Missing | None:
    """A one-time password that fell into other hands must not be changed by them, so the second factor comes first."""
    if factor is Factor.ASKED:
        return Missing.SECOND_FACTOR
    if forced:
        return Missing.PASSWORD
    return Missing.ENROLMENT if demanded and factor is Factor.NONE else None


def principal(person: Document, version: str, *, confirmed_at: datetime, second_factor: bool) -> Principal:
    return Principal(
        person=person["_id"],
        name=person["name"],
        roles=frozenset(Role(role) for role in person["roles"]),
        school=person["school"],
        unit=person["unit"],
        level=None if version == "OVERSIGHT" else version,
        homeroom_of=tuple(person["homeroom_of"]),
        auth_time=int(confirmed_at.timestamp()),
        second_factor=second_factor,
    )


def fits_version(person: Document, levels: Sequence[str], version: str) -> bool:
    """People of the oversight sign in to their own version, staff to one of the levels of their school."""
    return version == OVERSIGHT if person["unit"] else version in levels
