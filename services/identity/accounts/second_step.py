"""Second factors in use: given at sign-in, enrolled, taken away; and confirming anew that it is the person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.chassis import audit, clock
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.chassis.mongo import transaction
from services.identity.accounts import factors, guesses, known_devices, passkeys, sessions, spare_codes, store, totp
from services.identity.accounts.sessions import Factor, Missing
from services.identity.accounts.sign_in import SignedIn
from services.identity.errors import (
    FACTOR_ASKED,
    LAST_FACTOR,
    NOT_BEGUN,
    TOO_MANY_FACTORS,
    UNKNOWN_FACTOR,
    WRONG_CODE,
    WRONG_CONFIRMATION,
    WRONG_PASSKEY,
)
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session
    from services.chassis.origin import Origin
    from services.identity.accounts.factors import Keys, Proof
    from services.identity.accounts.sessions import Here
    from services.identity.accounts.sign_in import Door

CHALLENGE_VALID = timedelta(minutes=5)
ENROLLING_VALID = timedelta(minutes=15)
"""Installing an app on the phone takes some."""


@dataclass(frozen=True)
class Asking:
    """Who does something about the own second factor, and from where; `device`: what the device's cookie holds."""

    door: Door
    keys: Keys
    here: Here
    request_id: str
    origin: Origin
    device: str | None

    @property
    def db(self) -> Database:
        return self.door.db

    @property
    def person(self) -> str:
        return self.here.who.person

    async def record(self, session: Session, act: str, **details: object) -> None:
        place = self.here.who.school or self.here.who.unit
        await audit.record(
            self.db,
            session,
            actor=self.person,
            act=act,
            subject=self.person,
            place=place,
            request_id=self.request_id,
            details={"address": self.origin.address, **details},
        )

    async def renew(self, session: Session, **changes: object) -> SignedIn:
        """The session goes on under another secret, so that nothing made for the old one, a token at the gateway least, is used on."""
        old = await self.db["sessions"].find_one_and_delete({"_id": self.here.digest}, session=session)
        person = await one(self.db, "people", self.person, session)
        if old is None or person is None:
            raise Refused(SIGN_IN_NEEDED)
        token = sessions.new_token()
        document = sessions.renewed(old, token, **changes)
        await self.db["sessions"].insert_one(document, session=session)
        here = self.door.read(token, document, person)
        return SignedIn(token, await self.door.remember(session, here, self.device), here, person)


async def account_of(db: Database, person: str) -> Document:
    """Raises Refused(SIGN_IN_NEEDED) when it is gone."""
    account = await one(db, "accounts", person)
    if account is None:
        raise Refused(SIGN_IN_NEEDED)
    return account


# --- proving


async def give(asking: Asking, proof: Proof) -> SignedIn:
    """The second factor after the right password. Raises Refused: WRONG_CODE, WRONG_PASSKEY, LOCKED, LOCKED_EVERYWHERE, NOT_BEGUN."""
    if asking.here.missing is not Missing.SECOND_FACTOR:
        raise Refused(NOT_BEGUN)
    return await _prove(asking, await account_of(asking.db, asking.person), proof, act="second factor given")


async def confirm(asking: Asking, password: str, proof: Proof | None) -> SignedIn:
    """It is still the person: by the second factor where the account has one, by the password elsewhere.

    Raises Refused: FACTOR_ASKED, WRONG_CONFIRMATION, and what `give` raises.
    """
    account = await account_of(asking.db, asking.person)
    if factors.of(account):
        if proof is None:
            raise Refused(FACTOR_ASKED)
        return await _prove(asking, account, proof, act="identity confirmed")
    attempt = await asking.door.try_password(
        account,
        account["username"],
        password,
        asking.device,
        wrong=Refused(WRONG_CONFIRMATION),
        request_id=asking.request_id,
        address=asking.origin.address,
    )

    async def work(session: Session) -> SignedIn:
        await guesses.passed(asking.db, attempt, session)
        await asking.record(session, "identity confirmed", by="password")
        return await asking.renew(session, confirmed_at=clock.now())

    return await transaction(asking.db, work)


async def _prove(asking: Asking, account: Document, proof: Proof, *, act: str) -> SignedIn:
    at = clock.now()
    wrong = Refused(WRONG_CODE if proof.passkey is None else WRONG_PASSKEY)
    attempt = await guesses.begin(asking.db, account["username"], known_devices.known(account, asking.device, at), at)
    if proof.passkey is not None:
        proof = factors.Proof(passkey=proof.passkey, challenge=await take_challenge(asking.db, asking.here, at))
    found = factors.match(asking.keys, account, proof, at)

    async def work(session: Session) -> SignedIn | None:
        if found is None or not await factors.use_up(asking.db, session, asking.person, found):
            return None
        await guesses.passed(asking.db, attempt, session)
        await asking.record(session, act, by=found.how)
        return await asking.renew(session, factor=Factor.GIVEN.value, confirmed_at=at)

    proved = await transaction(asking.db, work)
    if proved is None:
        await guesses.failed(
            asking.db,
            attempt,
            asking.door.wait,
            act="second factor refused",
            request_id=asking.request_id,
            address=asking.origin.address,
        )
        raise wrong
    return proved


# --- challenges of passkeys


async def challenge(asking: Asking) -> dict[str, Any]:
    """What the browser is to ask a key of the account; good for five minutes and one answer."""
    existing = factors.passkeys_of(await account_of(asking.db, asking.person))
    return passkeys.request_options(asking.keys.site, await _new_challenge(asking), existing)


async def _new_challenge(asking: Asking) -> bytes:
    value = secrets.token_bytes(32)
    kept = {"value": value, "at": clock.now()}
    await asking.db["sessions"].update_one({"_id": asking.here.digest}, {"$set": {"challenge": kept}})
    return value


async def take_challenge(db: Database, here: Here, at: datetime) -> bytes:
    """Raises Refused(NOT_BEGUN)."""
    session = await db["sessions"].find_one_and_update({"_id": here.digest}, {"$unset": {"challenge": ""}})
    kept = session.get("challenge") if session else None
    if kept is None or at - kept["at"] >= CHALLENGE_VALID:
        raise Refused(NOT_BEGUN)
    return bytes(kept["value"])


# --- enrolling


@dataclass(frozen=True)
class Enrolled:
    """`spare_codes` are shown once; None when the account has some already."""

    signed_in: SignedIn
    spare_codes: list[str] | None


async def begin_app(asking: Asking) -> str:
    """A new secret for an app, kept with the session until a code shows that the app has it."""
    secret = totp.new_secret()
    kept = {"secret": asking.keys.box.seal(secret), "at": clock.now()}
    await asking.db["sessions"].update_one({"_id": asking.here.digest}, {"$set": {"enrolling": kept}})
    return secret


async def begun_app(asking: Asking) -> str:
    """The secret that `begin_app` made. Raises Refused(NOT_BEGUN)."""
    session = await one(asking.db, "sessions", asking.here.digest)
    kept = session.get("enrolling") if session else None
    if kept is None or clock.now() - kept["at"] >= ENROLLING_VALID:
        raise Refused(NOT_BEGUN)
    return asking.keys.box.unseal(kept["secret"])


async def enrol_app(asking: Asking, code: str, name: str) -> Enrolled:
    """Raises Refused: NOT_BEGUN, WRONG_CODE, TOO_MANY_FACTORS."""
    secret = await begun_app(asking)
    at = clock.now()
    step = totp.step_of(secret, "".join(code.split()), at)
    if step is None:
        raise Refused(WRONG_CODE)
    return await _enrol(asking, factors.new_app(asking.keys.box.seal(secret), step, name=name or "Ứng dụng xác thực", at=at), at)


async def begin_passkey(asking: Asking) -> dict[str, Any]:
    """What the browser is to ask of a new key."""
    existing = factors.passkeys_of(await account_of(asking.db, asking.person))
    value = await _new_challenge(asking)
    return passkeys.creation_options(asking.keys.site, value, person=asking.person, name=asking.here.who.name, existing=existing)


async def enrol_passkey(asking: Asking, answer: Mapping[str, Any], name: str) -> Enrolled:
    """Raises Refused: NOT_BEGUN, WRONG_PASSKEY, TOO_MANY_FACTORS."""
    at = clock.now()
    made = passkeys.made(asking.keys.site, await take_challenge(asking.db, asking.here, at), answer)
    if made is None:
        raise Refused(WRONG_PASSKEY)
    return await _enrol(asking, factors.new_passkey(made, name=name or f"Khoá truy cập ({asking.origin.device})", at=at), at)


async def _enrol(asking: Asking, factor: Document, at: datetime) -> Enrolled:
    """With the first factor, every other session of the person ends: none of them has given it."""

    async def work(session: Session) -> Enrolled:
        account = await one(asking.db, "accounts", asking.person, session)
        first = not factors.of(account)
        if not first and asking.here.factor is not Factor.GIVEN:
            raise Refused(SIGN_IN_NEEDED)
        codes = spare_codes.make() if first else None
        if not await factors.add(asking.db, session, asking.person, factor, spare_codes.digests_of(codes) if codes else None):
            raise Refused(TOO_MANY_FACTORS, limit=factors.MOST)
        if first:
            await store.end_other_sessions(asking.db, session, asking.person, asking.here.digest)
        await asking.record(session, "second factor enrolled", kind=factor["kind"], factor=factor["id"])
        return Enrolled(await asking.renew(session, factor=Factor.GIVEN.value, confirmed_at=at), codes)

    return await transaction(asking.db, work)


# --- taking away


async def remove(asking: Asking, factor: str) -> SignedIn:
    """With the last one the spare codes go, too. Raises Refused: UNKNOWN_FACTOR, LAST_FACTOR."""

    async def work(session: Session) -> SignedIn:
        existing = factors.of(await one(asking.db, "accounts", asking.person, session))
        gone = next((f for f in existing if f["id"] == factor), None)
        if gone is None:
            raise Refused(UNKNOWN_FACTOR)
        last = len(existing) == 1
        if last and asking.door.demanding and factors.demanded(asking.here.who):
            raise Refused(LAST_FACTOR)
        if last:
            await factors.drop_factors(asking.db, session, asking.person)
        else:
            await factors.take_away(asking.db, session, asking.person, factor)
        await asking.record(session, "second factor removed", kind=gone["kind"], factor=factor)
        return await asking.renew(session, factor=(Factor.NONE if last else Factor.GIVEN).value)

    return await transaction(asking.db, work)


async def new_spare_codes(asking: Asking) -> list[str]:
    """The earlier ones are good no longer. Raises Refused(NOT_BEGUN) for an account without a second factor."""
    codes = spare_codes.make()

    async def work(session: Session) -> None:
        if not factors.of(await one(asking.db, "accounts", asking.person, session)):
            raise Refused(NOT_BEGUN)
        await factors.keep_spare_codes(asking.db, session, asking.person, spare_codes.digests_of(codes))
        await asking.record(session, "spare codes made")

    await transaction(asking.db, work)
    return codes
