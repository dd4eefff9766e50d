"""Devices that signed in to an account before. A stranger who guesses at the account cannot lock them out."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session

COOKIE = "__Host-hocba-device"
MOST = 10
REMEMBERED = timedelta(days=180)
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_in(cookie: str | None) -> str | None:
    """None for what was not made here."""
    return cookie if cookie and _SHAPE.fullmatch(cookie) else None


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def known(account: Document | None, token: str | None, at: datetime) -> str | None:
    """The digest of a device that the account knows, None for any other."""
    if account is None or token is None:
        return None
    digest = digest_of(token)
    since = at - REMEMBERED
    return digest if any(d["digest"] == digest and d["seen_at"] > since for d in account.get("devices", ())) else None


async def remember(db: Database, session: Session, person: str, token: str, at: datetime) -> None:
    """Of more than ten, the one that signed in longest ago is forgotten."""
    digest = digest_of(token)
    await db["accounts"].update_one({"_id": person}, {"$pull": {"devices": {"digest": digest}}}, session=session)
    entry = {"digest": digest, "seen_at": at}
    await db["accounts"].update_one({"_id": person}, {"$push": {"devices": {"$each": [entry], "$slice": -MOST}}}, session=session)
