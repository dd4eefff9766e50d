"""Sessions: an opaque secret in the browser, its digest here. Nobody can read a usable session out of the database."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from contracts.access import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document

COOKIE = "__Host-hocba"
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)
OVERSIGHT = "OVERSIGHT"


@dataclass(frozen=True)
class Origin:
    """Where somebody signs in from: the device in plain words, and the network address."""

    device: str
    address: str


@dataclass(frozen=True)
class Here:
    """A good session: whose it is and what protects its forms. `forced`: a one-time password must be changed first."""

    digest: str
    who: Principal
    version: str
    forced: bool
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


def new_session(token: str, person: str, version: str, *, forced: bool, at: datetime, origin: Origin) -> Document:
    return {
        "_id": digest_of(token),
        "person": person,
        "version": version,
        "forced": forced,
        "device": origin.device,
        "address": origin.address,
        "created_at": at,
        "seen_at": at,
        "ends_at": at + ABSOLUTE,
    }


def read(token: str, session: Document | None, person: Document | None, at: datetime) -> Here | None:
    """None when there is no such session, or it was idle for 30 minutes, or is 12 hours old."""
    if session is None or person is None or at >= session["ends_at"] or at - session["seen_at"] >= IDLE:
        return None
    return Here(
        digest=session["_id"],
        who=principal(person, session["version"]),
        version=session["version"],
        forced=session["forced"],
        csrf=csrf_of(token),
        touch=at - session["seen_at"] >= TOUCH,
    )


def principal(person: Document, version: str) -> Principal:
    return Principal(
        person=person["_id"],
        name=person["name"],
        roles=frozenset(Role(role) for role in person["roles"]),
        school=person["school"],
        unit=person["unit"],
        level=None if version == "OVERSIGHT" else version,
        homeroom_of=tuple(person["homeroom_of"]),
    )


def fits_version(person: Document, levels: Sequence[str], version: str) -> bool:
    """People of the oversight sign in to their own version, staff to one of the levels of their school."""
    return version == OVERSIGHT if person["unit"] else version in levels
