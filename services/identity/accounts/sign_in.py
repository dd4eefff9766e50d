"""Signing in and out and changing the password: the same answer after the same work, whether a user exists or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis import audit, clock
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.chassis.mongo import transaction
from services.identity.accounts import factors, guesses, known_devices, passwords, sessions, store
from services.identity.accounts.sessions import Factor
from services.identity.errors import UNKNOWN_SESSION, WRONG_OLD_PASSWORD, WRONG_SIGN_IN, WRONG_VERSION
from services.identity.organisations.people import place_of
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from services.chassis.mongo import Database, Document, Session
    from services.chassis.origin import Origin
    from services.identity.accounts.passwords import Hashing


@dataclass(frozen=True)
class SignedIn:
    """`token` is the session's secret for the cookie, `device` the one by which the account knows the device from now on.

    Neither is kept anywhere else. No `device`: as long as the second factor is missing, the device stays a stranger.
    """

    token: str
    device: str | None
    here: sessions.Here
    person: Document


@dataclass(frozen=True)
class _ByPassword:
    """`rehashed`: the password by the parameters of today, where it was kept by older ones."""

    attempt: guesses.Attempt
    rehashed: str | None
    forced: bool


@dataclass(frozen=True)
class Door:
    """What signing in needs; `wait` holds an answer back for some seconds. `demanding`: second factors are required by role."""

    db: Database
    hashing: Hashing
    wait: Callable[[float], Awaitable[None]]
    demanding: bool = True

    async def sign_in(
        self, version: str, username: str, password: str, *, request_id: str, origin: Origin, device: str | None = None
    ) -> SignedIn:
        """`device`: what the device's cookie holds. Raises Refused: WRONG_SIGN_IN, LOCKED, LOCKED_EVERYWHERE, WRONG_VERSION."""
        account = await store.account_named(self.db, username)
        attempt = await self.try_password(
            account, username, password, device, wrong=Refused(WRONG_SIGN_IN), request_id=request_id, address=origin.address
        )
        assert account is not None
        person = await one(self.db, "people", account["_id"])
        school = await one(self.db, "schools", person["school"]) if person and person["school"] else None
        if person is None or not sessions.fits_version(person, school["levels"] if school else (), version):
            raise Refused(WRONG_VERSION, version=version)
        rehashed = await self.hashing.hash(password) if self.hashing.is_outdated(account["hash"]) else None
        forced = account["one_time_until"] is not None
        by_password = _ByPassword(attempt, rehashed, forced=forced)
        details = {"one_time": forced}
        return await self._open(person, account, version, by_password, details=details, request_id=request_id, origin=origin, device=device)

    async def let_in(
        self, person: Document, account: Document, version: str, *, by: str, request_id: str, origin: Origin, device: str | None
    ) -> SignedIn:
        """Somebody for whom `by` vouches: no password is asked, and a one-time one stays for later; a second factor is asked for."""
        return await self._open(person, account, version, None, details={"by": by}, request_id=request_id, origin=origin, device=device)

    async def _open(
        self,
        person: Document,
        account: Document,
        version: str,
        by_password: _ByPassword | None,
        *,
        details: Mapping[str, Any],
        request_id: str,
        origin: Origin,
        device: str | None,
    ) -> SignedIn:
        forced = by_password is not None and by_password.forced
        token = sessions.new_token()
        at = clock.now()
        factor = Factor.ASKED if factors.of(account) else Factor.NONE
        session_document = sessions.new_session(token, person["_id"], version, forced=forced, factor=factor, at=at, origin=origin)
        here = self.read(token, session_document, person)

        async def work(session: Session) -> str | None:
            await store.signed_in(self.db, session, person["_id"], at)
            if by_password is not None:
                if by_password.rehashed is not None:
                    await store.keep_password(self.db, session, person["_id"], by_password.rehashed, account["one_time_until"])
                passed = guesses.passed if factor is Factor.NONE else guesses.half_passed
                await passed(self.db, by_password.attempt, session)
            await self.db["sessions"].insert_one(session_document, session=session)
            await audit.record(
                self.db,
                session,
                actor=person["_id"],
                act="signed in",
                subject=person["_id"],
                place=place_of(person),
                request_id=request_id,
                details={"version": version, "address": origin.address, "missing": here.missing, **details},
            )
            return await self.remember(session, here, device)

        return SignedIn(token, await transaction(self.db, work), here, person)

    def read(self, token: str, session_document: Document, person: Document) -> sessions.Here:
        """A session that was made or renewed just now."""
        here = sessions.read(token, session_document, person, clock.now(), demanding=self.demanding)
        assert here is not None
        return here

    async def remember(self, session: Session, here: sessions.Here, device: str | None) -> str | None:
        """The account knows the device from now on, once nothing is missing; the secret by which it does."""
        if here.missing is not None:
            return None
        token = device or known_devices.new_token()
        await known_devices.remember(self.db, session, here.who.person, token, clock.now())
        return token

    async def sign_out(self, here: sessions.Here, *, request_id: str) -> None:
        async def work(session: Session) -> None:
            await self.db["sessions"].delete_one({"_id": here.digest}, session=session)
            person = here.who.person
            place = here.who.place
            await audit.record(self.db, session, actor=person, act="signed out", subject=person, place=place, request_id=request_id)

        await transaction(self.db, work)

    async def end_session(self, here: sessions.Here, public_id: str, *, request_id: str) -> None:
        """Sign one device of the own account out. Raises Refused(UNKNOWN_SESSION), for those of other people as well."""
        person = here.who.person

        async def work(session: Session) -> None:
            own = await store.sessions_of(self.db, person, clock.now(), session)
            ended = next((s for s in own if sessions.public_id_of(s["_id"]) == public_id), None)
            if ended is None:
                raise Refused(UNKNOWN_SESSION)
            await self.db["sessions"].delete_one({"_id": ended["_id"]}, session=session)
            details = {"session": public_id}
            await audit.record(
                self.db,
                session,
                actor=person,
                act="session ended",
                subject=person,
                place=here.who.place,
                request_id=request_id,
                details=details,
            )

        await transaction(self.db, work)

    async def end_other_sessions(self, here: sessions.Here, *, request_id: str) -> int:
        """Sign all other devices of the own account out; how many were signed in."""
        person = here.who.person

        async def work(session: Session) -> int:
            own = await store.sessions_of(self.db, person, clock.now(), session)
            ended = [sessions.public_id_of(s["_id"]) for s in own if s["_id"] != here.digest]
            await store.end_other_sessions(self.db, session, person, here.digest)
            details = {"sessions": ended}
            await audit.record(
                self.db,
                session,
                actor=person,
                act="other sessions ended",
                subject=person,
                place=here.who.place,
                request_id=request_id,
                details=details,
            )
            return len(ended)

        return await transaction(self.db, work)

    async def change_password(
        self, here: sessions.Here, old: str, new: str, *, request_id: str, origin: Origin, device: str | None = None
    ) -> SignedIn:
        """All other sessions of the person end, this one gets a new secret.

        Raises Refused: WRONG_OLD_PASSWORD, LOCKED, LOCKED_EVERYWHERE, WEAK_PASSWORD; SIGN_IN_NEEDED while the second factor is missing.
        """
        if here.missing is sessions.Missing.SECOND_FACTOR:
            raise Refused(SIGN_IN_NEEDED)
        code = here.who.person
        account = await one(self.db, "accounts", code)
        username = store.username_of(code)
        attempt = await self.try_password(
            account, username, old, device, wrong=Refused(WRONG_OLD_PASSWORD), request_id=request_id, address=origin.address
        )
        passwords.check_new(new, old=old, username=username)
        kept = await self.hashing.hash(new)
        token = sessions.new_token()
        at = clock.now()
        session_document = sessions.new_session(token, code, here.version, forced=False, factor=here.factor, at=at, origin=origin)

        async def work(session: Session) -> SignedIn:
            person = await one(self.db, "people", code, session)
            if person is None:
                raise Refused(SIGN_IN_NEEDED)
            changed = self.read(token, session_document, person)
            await store.keep_password(self.db, session, code, kept, None)
            await guesses.passed(self.db, attempt, session)
            await store.end_sessions(self.db, session, [code])
            await self.db["sessions"].insert_one(session_document, session=session)
            details = {"address": origin.address, "one_time_before": here.forced}
            place = place_of(person)
            await audit.record(
                self.db, session, actor=code, act="password changed", subject=code, place=place, request_id=request_id, details=details
            )
            return SignedIn(token, await self.remember(session, changed, device), changed, person)

        return await transaction(self.db, work)

    async def try_password(
        self, account: Document | None, username: str, password: str, device: str | None, *, wrong: Refused, request_id: str, address: str
    ) -> guesses.Attempt:
        """Raises `wrong`; Refused: LOCKED, LOCKED_EVERYWHERE. An expired one-time password is a wrong one."""
        at = clock.now()
        attempt = await guesses.begin(self.db, username, known_devices.known(account, device, at), at)
        expired = account is not None and account["one_time_until"] is not None and at >= account["one_time_until"]
        if not await self.hashing.fits(account["hash"] if account and not expired else None, password):
            await guesses.failed(self.db, attempt, self.wait, act="password refused", request_id=request_id, address=address)
            raise wrong
        return attempt


async def issue_one_time(door: Door, people: list[str]) -> dict[str, tuple[str, str]]:
    """A new one-time password for each, with its hash; written by `keep_one_time` in the caller's transaction."""
    issued = {}
    for person in people:
        password = passwords.make_one_time()
        issued[person] = (password, await door.hashing.hash(password))
    return issued


async def keep_one_time(door: Door, session: Session, issued: dict[str, tuple[str, str]]) -> None:
    """The accounts get their one-time passwords, a lock is lifted, and whoever was signed in is signed out."""
    until = clock.now() + passwords.ONE_TIME_VALID
    for person, (_, kept) in issued.items():
        await store.open_account(door.db, session, person)
        await store.keep_password(door.db, session, person, kept, until)
    await store.forget_guesses(door.db, issued, session)
    await store.end_sessions(door.db, session, issued)
