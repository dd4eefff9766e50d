"""Signing in elsewhere: leaving for the provider, coming back, and deciding whose account of the provider is whose."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.accounts import recovery_desk
from services.identity.errors import OWN_ACCOUNT, REASON_NEEDED
from services.identity.messages import Outcome
from services.identity.openid import links, store
from services.identity.openid.errors import SIGN_IN_NOBODY, SIGN_IN_NOT_BEGUN, UNKNOWN_SIGN_IN_LINK
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.origin import Origin
    from services.identity.accounts.sign_in import Door, SignedIn
    from services.identity.openid.client import Begun, Known, OpenId


@dataclass(frozen=True)
class Back:
    """Somebody who came back and may come in; `onward` is the page that they wanted."""

    signed_in: SignedIn
    onward: str


async def leave(db: Database, openid: OpenId, provider_id: str, *, version: str, onward: str, callback: str) -> Begun:
    """Raises Refused: UNKNOWN_SIGN_IN_PROVIDER, SIGN_IN_PROVIDER_UNAVAILABLE."""
    begun = await openid.begin(openid.provider(provider_id), callback)
    await store.keep_begun(db, begun, provider=provider_id, version=version, onward=onward, at=clock.now())
    return begun


async def come_back(
    door: Door,
    openid: OpenId,
    provider_id: str,
    *,
    cookie: str,
    state: str,
    code: str,
    callback: str,
    request_id: str,
    origin: Origin,
    device: str | None,
) -> Back:
    """`cookie` and `state` must be those of one sign-in that began in this browser, so that nobody is signed in to another's account.

    Raises Refused: SIGN_IN_NOT_BEGUN, what `OpenId.identify` raises, SIGN_IN_NOBODY, SIGN_IN_LINK_WAITS, SIGN_IN_LINK_REFUSED.
    """
    provider = openid.provider(provider_id)
    begun = await store.take_begun(door.db, state, provider_id, clock.now())
    if begun is None or not hmac.compare_digest(cookie.encode(), state.encode()):
        raise Refused(SIGN_IN_NOT_BEGUN)
    known = await openid.identify(provider, callback, code=code, nonce=begun["nonce"], verifier=begun["verifier"])
    people, schools = await store.people_known_as(door.db, known.personal_id, provider.unit)
    person = links.choose(people, schools, begun["version"])
    await _check_link(door.db, person, provider_id, known)
    account = await one(door.db, "accounts", person["_id"])
    if account is None:
        raise Refused(SIGN_IN_NOBODY)
    signed_in = await door.let_in(
        person, account, begun["version"], request_id=request_id, origin=origin, device=device, by=f"openid:{provider_id}"
    )
    return Back(signed_in, begun["onward"])


async def _check_link(db: Database, person: Document, provider_id: str, known: Known) -> None:
    async def work(session: Session) -> Refused | None:
        link = await one(db, "openid_links", links.key(provider_id, known.subject), session)
        asked = links.check(link, person, provider_id, known, at=clock.now())
        if asked is None:
            return None
        if asked.link != link:
            await store.keep_link(db, session, asked.link)
            await _record(db, session, asked.link, "sign-in link asked for", actor=person["_id"])
        return asked.refused

    refused = await transaction(db, work)
    if refused is not None:
        raise refused


async def decide(db: Database, who: Principal, keys: Sequence[str], *, state: str, reason: str) -> list[Outcome]:
    """Approve or refuse waiting links of people whom `who` may help; each with its own outcome. Raises Refused(REASON_NEEDED)."""
    if state == links.REFUSED and not reason:
        raise Refused(REASON_NEEDED)

    async def work(session: Session) -> list[Outcome]:
        found = {link["_id"]: link for link in await store.links_of(db, session, keys)}
        people = await recovery_desk.reachable(db, session, who, list({link["person"] for link in found.values()}))
        outcomes = []
        for key in dict.fromkeys(keys):
            link = found.get(key)
            if link is None or link["state"] != links.WAITING:
                outcomes.append(Outcome(key, Refused(UNKNOWN_SIGN_IN_LINK)))
                continue
            person = people[link["person"]]
            if isinstance(person, Refused):
                # whose link it is, is told to nobody else
                own = link["person"] == who.person
                outcomes.append(Outcome(key, Refused(OWN_ACCOUNT if own else UNKNOWN_SIGN_IN_LINK)))
                continue
            await store.keep_link(db, session, links.decide(link, state=state, by=who.person, reason=reason, at=clock.now()))
            await _record(db, session, link, "sign-in link decided", actor=who.person, after=state, reason=reason)
            outcomes.append(Outcome(key))
        return outcomes

    return await transaction(db, work)


async def remove_own(db: Database, who: Principal, key: str) -> None:
    """Raises Refused(UNKNOWN_SIGN_IN_LINK)."""

    async def work(session: Session) -> None:
        link = await one(db, "openid_links", key, session)
        if link is None or not await store.remove_link(db, session, key, who.person):
            raise Refused(UNKNOWN_SIGN_IN_LINK)
        await _record(db, session, link, "sign-in link removed", actor=who.person)

    await transaction(db, work)


async def _record(db: Database, session: Session, link: Document, act: str, *, actor: str, after: str = "", reason: str = "") -> None:
    details = {"provider": link["provider"], "link": link["_id"], "before": link["state"], "after": after, "reason": reason}
    await audit.record(db, session, actor=actor, act=act, subject=link["person"], place=link["place"], details=details)
