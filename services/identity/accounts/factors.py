"""What an account has beside its password: authenticator apps, passkeys and spare codes, kept with the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.access import SECOND_FACTOR
from services.identity.accounts import passkeys, spare_codes, totp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.identity.accounts.passkeys import Made, Site
    from services.identity.sealing import Box

APP = "totp"
PASSKEY = "passkey"
SPARE_CODE = "spare code"
MOST = 10


@dataclass(frozen=True)
class Keys:
    """What second factors need of the installation: the key over the secrets, and whom passkeys answer."""

    box: Box
    site: Site


@dataclass(frozen=True)
class Proof:
    """What somebody gives as the second factor: a code of an app or of the spare ones, or a passkey's answer to `challenge`."""

    code: str = ""
    passkey: Mapping[str, Any] | None = None
    challenge: bytes | None = None


@dataclass(frozen=True)
class Match:
    """A good proof: `only_if` and `then` use it up in one write, which finds nothing when it is used up already."""

    how: str
    only_if: Mapping[str, Any]
    then: Mapping[str, Any]


def demanded(who: Principal) -> bool:
    """Must somebody with these roles have a second factor?"""
    return bool(who.roles & SECOND_FACTOR)


def of(account: Document | None) -> list[Document]:
    return list(account.get("factors") or ()) if account else []


def passkeys_of(account: Document | None) -> list[str]:
    return [f["credential_id"] for f in of(account) if f["kind"] == PASSKEY]


def new_app(sealed: bytes, step: int, *, name: str, at: datetime) -> Document:
    """`step` is the one whose code showed that the app works; it is not good again."""
    return {"id": uuid4().hex, "kind": APP, "name": name, "created_at": at, "used_at": None, "secret": sealed, "last_step": step}


def new_passkey(key: Made, *, name: str, at: datetime) -> Document:
    kept = {"credential_id": key.credential_id, "public_key": key.public_key, "sign_count": key.sign_count}
    return {"id": uuid4().hex, "kind": PASSKEY, "name": name, "created_at": at, "used_at": None, **kept}


def match(keys: Keys, account: Document, proof: Proof, at: datetime) -> Match | None:
    """None for whatever does not prove anything, a code that was used before included."""
    if proof.passkey is not None:
        return _passkey_match(keys.site, account, proof, at)
    typed = "".join(proof.code.split())
    if typed.isascii() and typed.isdigit() and len(typed) == totp.DIGITS:
        return _app_match(keys.box, account, typed, at)
    digest = spare_codes.digest_of(proof.code)
    if digest is None or digest not in account.get("spare_codes", ()):
        return None
    return Match(SPARE_CODE, {"spare_codes": digest}, {"$pull": {"spare_codes": digest}})


def _app_match(box: Box, account: Document, code: str, at: datetime) -> Match | None:
    for factor in of(account):
        step = totp.step_of(box.unseal(factor["secret"]), code, at) if factor["kind"] == APP else None
        if step is not None and step > factor["last_step"]:
            only_if = {"factors": {"$elemMatch": {"id": factor["id"], "last_step": {"$lt": step}}}}
            return Match(APP, only_if, {"$set": {"factors.$.last_step": step, "factors.$.used_at": at}})
    return None


def _passkey_match(site: Site, account: Document, proof: Proof, at: datetime) -> Match | None:
    if proof.passkey is None or proof.challenge is None:
        return None
    for factor in of(account):
        if factor["kind"] != PASSKEY or factor["credential_id"] != proof.passkey.get("id"):
            continue
        count, key = factor["sign_count"], factor["public_key"]
        new_count = passkeys.used(site, proof.challenge, proof.passkey, public_key=key, sign_count=count)
        if new_count is None:
            return None
        only_if = {"factors": {"$elemMatch": {"id": factor["id"], "sign_count": count}}}
        return Match(PASSKEY, only_if, {"$set": {"factors.$.sign_count": new_count, "factors.$.used_at": at}})
    return None


async def use_up(db: Database, session: Session, person: str, found: Match) -> bool:
    """False when somebody was faster with the same proof."""
    done = await db["accounts"].update_one({"_id": person, **found.only_if}, found.then, session=session)
    return bool(done.matched_count)


async def add(db: Database, session: Session, person: str, factor: Document, spare: list[str] | None) -> bool:
    """`spare`: digests of new spare codes. False when the account has the most that it may have."""
    room = {"_id": person, f"factors.{MOST - 1}": {"$exists": False}}
    update: dict[str, Any] = {"$push": {"factors": factor}}
    if spare is not None:
        update["$set"] = {"spare_codes": spare}
    return bool((await db["accounts"].update_one(room, update, session=session)).matched_count)


async def take_away(db: Database, session: Session, person: str, factor: str) -> None:
    await db["accounts"].update_one({"_id": person}, {"$pull": {"factors": {"id": factor}}}, session=session)


async def keep_spare_codes(db: Database, session: Session, person: str, digests: list[str]) -> None:
    await db["accounts"].update_one({"_id": person}, {"$set": {"spare_codes": digests}}, session=session)


async def drop_factors(db: Database, session: Session, person: str) -> int:
    """All of them and the spare codes: for whoever resets the password of somebody who lost the phone. How many there were.

    The caller ends the person's sessions and records the act; at the next sign-in those who must have a factor enrol a new one.
    """
    before = await db["accounts"].find_one_and_update({"_id": person}, {"$unset": {"factors": "", "spare_codes": ""}}, session=session)
    return len(of(before))
