"""Recovering an account: asking, making one-time links, refusing, and choosing the new password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.accounts import factors, passwords, recovery, sessions
from services.identity.accounts import recovery_store as store
from services.identity.accounts import store as accounts_store
from services.identity.accounts.errors import ASKED_TOO_OFTEN, LINK_GONE, NO_RECOVERY_WAITING, NOT_IN_CHAIN
from services.identity.errors import REASON_NEEDED
from services.identity.messages import Outcome
from services.identity.organisations.people import place_of
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.identity.accounts.sign_in import Door

NOBODY: Document = {"_id": "", "school": None, "unit": None, "roles": []}
"""Stands for the person whom a typed name does not have, so that the work is the same."""
ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Link:
    """A one-time link; `token` is shown once and kept nowhere."""

    person: str
    name: str
    token: str
    until: datetime


async def ask(db: Database, version: str, username: str) -> None:
    """A request for a name: kept, and put before whoever deals with it if somebody has this name in this version.

    The same queries and the same answer whether there is such an account or not. Raises Refused(ASKED_TOO_OFTEN).
    """
    at = clock.now()
    key = accounts_store.guess_key(username)
    if await store.count_ask(db, key, at) > recovery.MOST_ASKED:
        raise Refused(ASKED_TOO_OFTEN, limit=recovery.MOST_ASKED)
    account = await accounts_store.account_named(db, username)
    person = await one(db, "people", account["_id"] if account else "") or NOBODY
    school = await one(db, "schools", person["school"] or "")
    around = await store.around(db, person)
    asks = person is not NOBODY and not person.get("left") and sessions.fits_version(person, school["levels"] if school else (), version)
    request = recovery.request(key, person["_id"] if asks else None, recovery.desk(person, around) if asks else None, at=at)

    async def work(session: Session) -> None:
        await store.keep_request(db, session, request)
        await audit.record(
            db,
            session,
            actor=ANONYMOUS,
            act="password recovery asked for",
            subject=request["person"] or key,
            place=place_of(person) if asks else None,
            details={"desk": request["desk"]},
        )

    await transaction(db, work)


async def make_links(db: Database, who: Principal, wanted: Sequence[str], *, drop_factors: bool) -> tuple[list[Link], list[Outcome]]:
    """A link for each of those whom `who` may help; the others with their refusals. A request that waits is done with it."""
    at = clock.now()
    codes = list(dict.fromkeys(wanted))
    tokens = {code: recovery.new_token() for code in codes}

    async def work(session: Session) -> tuple[list[Link], list[Outcome]]:
        outcomes: list[Outcome] = []
        links: list[Link] = []
        helped: list[Document] = []
        for code, person in (await reachable(db, session, who, codes)).items():
            if isinstance(person, Refused):
                outcomes.append(Outcome(code, person))
                continue
            helped.append(person)
            links.append(Link(code, person["name"], tokens[code], at + recovery.LINK_VALID))
        accounts = await accounts_store.accounts_of(db, [p["_id"] for p in helped])
        kept = [
            recovery.link(tokens[p["_id"]], accounts.get(p["_id"]), p["_id"], made_by=who.person, drop_factors=drop_factors, at=at)
            for p in helped
        ]
        if kept:
            await store.keep_links(db, session, kept)
            await store.decide(db, session, [p["_id"] for p in helped], state=recovery.DONE, by=who.person, reason="", at=at)
        for person in helped:
            await audit.record(
                db,
                session,
                actor=who.person,
                act="recovery link made",
                subject=person["_id"],
                place=place_of(person),
                details={"until": at + recovery.LINK_VALID, "drop_factors": drop_factors},
            )
        return links, outcomes

    return await transaction(db, work)


async def names_of(db: Database, who: Principal, codes: Sequence[str]) -> list[str]:
    """Of those whom `who` may help; of others nothing is told."""
    return [person["name"] for person in (await reachable(db, None, who, codes)).values() if not isinstance(person, Refused)]


async def refuse(db: Database, who: Principal, wanted: Sequence[str], reason: str) -> list[Outcome]:
    """Refuse the waiting requests of those named. Raises Refused(REASON_NEEDED)."""
    if not reason:
        raise Refused(REASON_NEEDED)
    codes = list(dict.fromkeys(wanted))

    async def work(session: Session) -> list[Outcome]:
        outcomes = []
        waiting = await store.waiting_of(db, session, codes)
        for code, person in (await reachable(db, session, who, codes)).items():
            if isinstance(person, Refused):
                outcomes.append(Outcome(code, person))
            elif code not in waiting:
                outcomes.append(Outcome(code, Refused(NO_RECOVERY_WAITING)))
            else:
                await _turn_down(db, session, person, by=who.person, reason=reason)
                outcomes.append(Outcome(code))
        return outcomes

    return await transaction(db, work)


async def deny(db: Database, person: str) -> None:
    """ "Không phải tôi yêu cầu": the own request is refused and a link made for it ends. Raises Refused(NO_RECOVERY_WAITING)."""

    async def work(session: Session) -> None:
        document = await one(db, "people", person, session)
        waiting = await store.waiting_of(db, session, [person])
        ended = await store.end_links(db, session, [person])
        if document is None or (not waiting and not ended):
            raise Refused(NO_RECOVERY_WAITING)
        await _turn_down(db, session, document, by=person, reason=recovery.NOT_ME)

    await transaction(db, work)


async def good_link(db: Database, token: str) -> Document:
    """The link that the secret opens; looking at it changes nothing. Raises Refused(LINK_GONE)."""
    kept = await one(db, "recovery_links", recovery.digest_of(token))
    person = await one(db, "people", kept["person"]) if kept else None
    account = await one(db, "accounts", kept["person"]) if kept else None
    if kept is None or not recovery.is_good(kept, person, account, clock.now()):
        raise Refused(LINK_GONE)
    return kept


async def reset(door: Door, token: str, new: str) -> None:
    """The password that the person has chosen with a link: all sessions end, a lock is lifted, the link is used up.

    Raises Refused: LINK_GONE, WEAK_PASSWORD.
    """
    db = door.db
    username = accounts_store.username_of((await good_link(db, token))["person"])
    passwords.check_new(new, old="", username=username)
    chosen = await door.hashing.hash(new)

    async def work(session: Session) -> None:
        at = clock.now()
        kept = await store.take_link(db, session, recovery.digest_of(token))
        code = kept["person"] if kept else ""
        person = await one(db, "people", code, session)
        if kept is None or person is None or not recovery.is_good(kept, person, await one(db, "accounts", code, session), at):
            raise Refused(LINK_GONE)
        await accounts_store.open_account(db, session, code)
        await accounts_store.keep_password(db, session, code, chosen, None)
        await accounts_store.forget_guesses(db, [username], session)
        await accounts_store.end_sessions(db, session, [code])
        await store.set_reset(db, session, code, by=kept["made_by"], at=at)
        dropped = await factors.drop_factors(db, session, code) if kept["drop_factors"] else 0
        details = {"made_by": kept["made_by"], "factors_dropped": dropped}
        await audit.record(db, session, actor=code, act="password reset", subject=code, place=place_of(person), details=details)

    await transaction(db, work)


async def reachable(db: Database, session: Session | None, who: Principal, codes: Sequence[str]) -> dict[str, Document | Refused]:
    """Each of those named, or why `who` cannot help them."""
    people = {p["_id"]: p async for p in db["people"].find({"_id": {"$in": list(codes)}}, session=session)}
    known = [people[code] for code in codes if code in people]
    around = dict(zip((p["_id"] for p in known), await store.around_all(db, known, session), strict=True))
    waiting = await store.waiting_of(db, session, codes)
    found: dict[str, Document | Refused] = {}
    for code in codes:
        if code != who.person and code not in people:
            found[code] = Refused(NOT_IN_CHAIN, person=code)
            continue
        waits_at = waiting[code]["desk"] if code in waiting else None
        try:
            found[code] = recovery.check_dealer(who, people.get(code), code, around.get(code, recovery.Surroundings()), waits_at=waits_at)
        except Refused as refused:
            found[code] = refused
    return found


async def _turn_down(db: Database, session: Session, person: Document, *, by: str, reason: str) -> None:
    await store.decide(db, session, [person["_id"]], state=recovery.REFUSED, by=by, reason=reason, at=clock.now())
    await store.end_links(db, session, [person["_id"]])
    await audit.record(
        db,
        session,
        actor=by,
        act="password recovery refused",
        subject=person["_id"],
        place=place_of(person),
        details={"reason": reason},
    )
