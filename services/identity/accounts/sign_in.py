"""Signing in and out and changing the password: the same answer after the same work, whether a user exists or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.errors import SIGN_IN_NEEDED, Refused
from services.chassis.mongo import transaction
from services.identity.accounts import passwords, sessions, store
from services.identity.errors import LOCKED, UNKNOWN_SESSION, WRONG_OLD_PASSWORD, WRONG_SIGN_IN, WRONG_VERSION
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.chassis.mongo import Database, Document, Session
    from services.identity.accounts.passwords import Hashing


@dataclass(frozen=True)
class SignedIn:
    """`token` is the session's secret for the cookie; it is not kept anywhere else."""

    token: str
    here: sessions.Here
    person: Document


@dataclass(frozen=True)
class Door:
    """What signing in needs; `wait` holds an answer back for some seconds."""

    db: Database
    hashing: Hashing
    wait: Callable[[float], Awaitable[None]]

    async def sign_in(self, version: str, username: str, password: str, *, request_id: str, origin: sessions.Origin) -> SignedIn:
        """Raises Refused: WRONG_SIGN_IN, LOCKED after ten failures in a row, WRONG_VERSION after a right password."""
        account = await store.account_named(self.db, username)
        await self._try_password(account, username, password, wrong=Refused(WRONG_SIGN_IN), request_id=request_id, address=origin.address)
        assert account is not None
        person = await one(self.db, "people", account["_id"])
        school = await one(self.db, "schools", person["school"]) if person and person["school"] else None
        if person is None or not sessions.fits_version(person, school["levels"] if school else (), version):
            raise Refused(WRONG_VERSION, version=version)
        rehashed = await self.hashing.hash(password) if self.hashing.is_outdated(account["hash"]) else None
        token = sessions.new_token()
        at = clock.now()
        forced = account["one_time_until"] is not None
        session_document = sessions.new_session(token, person["_id"], version, forced=forced, at=at, origin=origin)

        async def work(session: Session) -> None:
            if rehashed is not None:
                await store.keep_password(self.db, session, person["_id"], rehashed, account["one_time_until"])
            await store.signed_in(self.db, session, person["_id"], at)
            await store.forget_guesses(self.db, [account["username"]], session)
            await self.db["sessions"].insert_one(session_document, session=session)
            details = {"version": version, "address": origin.address, "one_time": forced}
            await audit.record(
                self.db, session, actor=person["_id"], act="signed in", subject=person["_id"], request_id=request_id, details=details
            )

        await transaction(self.db, work)
        return _signed_in(token, session_document, person)

    async def sign_out(self, here: sessions.Here, *, request_id: str) -> None:
        async def work(session: Session) -> None:
            await self.db["sessions"].delete_one({"_id": here.digest}, session=session)
            person = here.who.person
            await audit.record(self.db, session, actor=person, act="signed out", subject=person, request_id=request_id)

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
            await audit.record(self.db, session, actor=person, act="session ended", subject=person, request_id=request_id, details=details)

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
                self.db, session, actor=person, act="other sessions ended", subject=person, request_id=request_id, details=details
            )
            return len(ended)

        return await transaction(self.db, work)

    async def change_password(self, here: sessions.Here, old: str, new: str, *, request_id: str, origin: sessions.Origin) -> SignedIn:
        """All other sessions of the person end, this one gets a new secret. Raises Refused: WRONG_OLD_PASSWORD, LOCKED, WEAK_PASSWORD."""
        code = here.who.person
        account = await one(self.db, "accounts", code)
        username = store.username_of(code)
        await self._try_password(account, username, old, wrong=Refused(WRONG_OLD_PASSWORD), request_id=request_id, address=origin.address)
        passwords.check_new(new, old=old, username=username)
        kept = await self.hashing.hash(new)
        token = sessions.new_token()
        session_document = sessions.new_session(token, code, here.version, forced=False, at=clock.now(), origin=origin)

        async def work(session: Session) -> Document | None:
            await store.keep_password(self.db, session, code, kept, None)
            await store.forget_guesses(self.db, [username], session)
            await store.end_sessions(self.db, session, [code])
            await self.db["sessions"].insert_one(session_document, session=session)
            details = {"address": origin.address, "one_time_before": here.forced}
            await audit.record(self.db, session, actor=code, act="password changed", subject=code, request_id=request_id, details=details)
            return await one(self.db, "people", code, session)

        person = await transaction(self.db, work)
        if person is None:
            raise Refused(SIGN_IN_NEEDED)
        return _signed_in(token, session_document, person)

    async def _try_password(
        self, account: Document | None, username: str, password: str, *, wrong: Refused, request_id: str, address: str
    ) -> None:
        """Raises `wrong`, or Refused(LOCKED). An expired one-time password is a wrong one."""
        at = clock.now()
        key = store.guess_key(username)
        attempt = await store.count_guess(self.db, key, at)
        if attempt > passwords.LOCKED_FROM:
            raise Refused(LOCKED, limit=passwords.LOCKED_FROM, minutes=int(passwords.LOCK.total_seconds() // 60))
        expired = account is not None and account["one_time_until"] is not None and at >= account["one_time_until"]
        if await self.hashing.fits(account["hash"] if account and not expired else None, password):
            return
        details = {"attempt": attempt, "address": address}
        await audit.record(self.db, None, actor="anonymous", act="password refused", subject=key, request_id=request_id, details=details)
        await self.wait(passwords.delay(attempt))
        raise wrong


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


def _signed_in(token: str, session_document: Document, person: Document) -> SignedIn:
    here = sessions.read(token, session_document, person, session_document["created_at"])
    assert here is not None
    return SignedIn(token, here, person)
