"""Which account of a sign-in provider is whose here. The personal id proposes; somebody above the person decides, once.

A link holds for one person: when the provider later names the same account with another personal id, it is asked for anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from services.chassis.errors import Refused
from services.identity.accounts import sessions
from services.identity.openid.errors import SIGN_IN_LINK_REFUSED, SIGN_IN_LINK_WAITS, SIGN_IN_NOBODY
from services.identity.organisations.people import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from services.chassis.mongo import Document
    from services.identity.openid.client import Known

BEGUN_VALID = timedelta(minutes=10)

WAITING = "WAITING"
APPROVED = "APPROVED"
REFUSED = "REFUSED"
STATES = {WAITING: "Chờ duyệt", APPROVED: "Đã duyệt", REFUSED: "Từ chối"}


@dataclass(frozen=True)
class Asked:
    """A link that has to be kept first, and why nobody comes in yet."""

    link: Document
    refused: Refused


def key(provider: str, subject: str) -> str:
    return hashlib.sha256(f"{provider}\n{subject}".encode()).hexdigest()


def digest_of(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def choose(people: Sequence[Document], schools: Mapping[str, Document], version: str) -> Document:
    """The one person of the provider's branch with the personal id who may use this version.

    Raises Refused(SIGN_IN_NOBODY), also when there are two: a person with two records has to say which by signing in with it.
    """
    fitting = [
        p for p in people if not p.get("left") and sessions.fits_version(p, schools.get(p["school"] or "", {}).get("levels", ()), version)
    ]
    if len(fitting) != 1:
        raise Refused(SIGN_IN_NOBODY)
    return fitting[0]


def check(link: Document | None, person: Document, provider: str, known: Known, *, at: datetime) -> Asked | None:
    """None when the person may come in with this account of the provider."""
    if link is not None and link["person"] == person["_id"]:
        if link["state"] == APPROVED:
            return None
        refusal = Refused(SIGN_IN_LINK_REFUSED, reason=link["reason"]) if link["state"] == REFUSED else Refused(SIGN_IN_LINK_WAITS)
        return Asked(link, refusal)
    asked = {
        "_id": key(provider, known.subject),
        "provider": provider,
        "person": person["_id"],
        "place": place_of(person),
        "state": WAITING,
        "asked_at": at,
        "decided_at": None,
        "decided_by": None,
        "reason": "",
    }
    return Asked(asked, Refused(SIGN_IN_LINK_WAITS))


def decide(link: Document, *, state: str, by: str, reason: str, at: datetime) -> Document:
    return {**link, "state": state, "decided_by": by, "decided_at": at, "reason": reason}
