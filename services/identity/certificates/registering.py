"""Registering certificates and deciding about them: signing accounts (1.2, 1.3) and the school certificate (1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.certificates import registrations as certificates
from services.identity.certificates import revocation, store
from services.identity.certificates.registrations import APPROVED, WAITING, Kind, Wanted, slot
from services.identity.errors import (
    NO_CREDENTIAL,
    OWN_ACCOUNT,
    REASON_NEEDED,
    REGISTERED_ELSEWHERE,
    REVOCATION_UNKNOWN,
    UNKNOWN_PERSON,
    UNKNOWN_REQUEST,
    UNKNOWN_SCHOOL,
)
from services.identity.messages import Outcome
from services.identity.organisations import store as organisations_store
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.identity.certificates.providers import Providers
    from services.identity.certificates.registrations import Candidate


@dataclass(frozen=True)
class Login:
    """An account at a provider; used once and never kept."""

    provider: str
    username: str
    password: str


@dataclass(frozen=True)
class Registry:
    """What registering needs. `roots` are DER."""

    db: Database
    providers: Providers
    roots: Sequence[bytes]

    async def wanted(self, kind: Kind, who: Principal, session: Session | None = None) -> Wanted:
        """Raises Refused for somebody without a school."""
        school = await one(self.db, "schools", who.school, session) if who.school else None
        if school is None:
            raise Refused(UNKNOWN_SCHOOL, school=who.school or "")
        person = await one(self.db, "people", who.person, session)
        if person is None:
            raise Refused(UNKNOWN_PERSON, person=who.person)
        return Wanted(kind, school, person)

    async def candidates(self, wanted: Wanted, login: Login) -> list[Candidate]:
        """The provider account's credentials, each judged. Raises Refused as `Providers.credentials` does."""
        at = clock.now()
        found = await self.providers.credentials(login.provider, login.username, login.password)
        judged = [certificates.judge(wanted, c.id, c.certificate, c.chain, self.roots, at=at) for c in found]
        return [c for c in judged if c is not None]

    async def register(
        self, kind: Kind, who: Principal, login: Login, credential_id: str | None, *, reason: str, request_id: str
    ) -> Document:
        """The registration that waits now, or the one that stands already for the same certificate.

        Raises Refused as `candidates`, `certificates.choose`, `revocation.ask` and `certificates.register` do; REGISTERED_ELSEWHERE.
        """
        before = await self.wanted(kind, who)
        found = await self.candidates(before, login)
        if not found:
            raise Refused(NO_CREDENTIAL)
        chosen = certificates.choose(found, credential_id)
        [refused] = await revocation.ask([(chosen.certificate, chosen.chain)], self.roots)
        if refused is not None:
            raise refused

        async def work(session: Session) -> Document:
            wanted = await self.wanted(kind, who, session)
            owner = wanted.person["_id"] if kind == "person" else wanted.school["_id"]
            waiting = await store.in_slot(self.db, session, slot(kind, owner, wanted.year, WAITING))
            approved = await store.in_slot(self.db, session, slot(kind, owner, wanted.year, APPROVED))
            change = certificates.register(
                wanted, chosen, provider=login.provider, reason=reason, waiting=waiting, approved=approved, at=clock.now()
            )
            if change is None:
                standing = waiting or approved
                assert standing is not None
                return standing
            document = change.document
            if kind == "school" and not await store.hold_certificate(self.db, session, document["sha256"], owner):
                raise Refused(REGISTERED_ELSEWHERE)
            act = "signing account registered" if kind == "person" else "school certificate registered"
            await save(self.db, session, "registrations", [change], actor=who.person, cause=request_id)
            details = {"request": document["_id"], "certificate": document["sha256"], "reason": reason}
            await audit.record(self.db, session, actor=who.person, act=act, subject=owner, request_id=request_id, details=details)
            return document

        return await transaction(self.db, work)

    async def approve(self, who: Principal, school: str, wanted: Sequence[str] | None, *, request_id: str) -> list[Outcome]:
        """Approve the waiting accounts of those named, or all; each with its own outcome."""
        asked = await self._revocations(who, school, wanted)

        async def work(session: Session) -> list[Outcome]:
            at = clock.now()
            outcomes, changes = [], []
            standing, people = await self._standing(session, school, wanted)
            for person in standing if wanted is None else dict.fromkeys(wanted):
                waiting, approved = standing.get(person, (None, None))
                try:
                    document = certificates.check_decider(waiting, person, who.person)
                    problems = certificates.still_unfit(document, self.roots, at=at)
                    if problems:
                        raise certificates.unfit(problems)
                    # one that came to wait only after the question has no answer yet
                    refusal = asked.get(document["_id"], Refused(REVOCATION_UNKNOWN))
                    if refusal is not None:
                        raise refusal
                except Refused as refused:
                    outcomes.append(Outcome(person, refused))
                    continue
                changes += certificates.approve(document, people[person], approved, decider=who.person, at=at)
                outcomes.append(Outcome(person))
                await record_decision(self.db, session, document, state=APPROVED, reason="", decider=who.person, request_id=request_id)
            await save(self.db, session, "registrations", changes, actor=who.person, cause=request_id)
            return outcomes

        return await transaction(self.db, work)

    async def refuse(self, who: Principal, school: str, wanted: Sequence[str], reason: str, *, request_id: str) -> list[Outcome]:
        """Refuse the waiting accounts of those named. Raises Refused(REASON_NEEDED)."""
        if not reason:
            raise Refused(REASON_NEEDED)

        async def work(session: Session) -> list[Outcome]:
            outcomes, changes = [], []
            standing, _ = await self._standing(session, school, wanted)
            for person in dict.fromkeys(wanted):
                try:
                    document = certificates.check_decider(standing.get(person, (None, None))[0], person, who.person)
                except Refused as refused:
                    outcomes.append(Outcome(person, refused))
                    continue
                changes.append(certificates.refuse(document, reason, decider=who.person, at=clock.now()))
                outcomes.append(Outcome(person))
                await record_decision(
                    self.db, session, document, state=certificates.REFUSED, reason=reason, decider=who.person, request_id=request_id
                )
            await save(self.db, session, "registrations", changes, actor=who.person, cause=request_id)
            return outcomes

        return await transaction(self.db, work)

    async def _revocations(self, who: Principal, school: str, wanted: Sequence[str] | None) -> dict[str, Refused | None]:
        """By request, what the issuers say about what `who` may decide about; asked ahead, as no transaction reaches outside."""
        standing, _ = await self._standing(None, school, wanted)
        waiting = [r for person, (r, _) in standing.items() if r is not None and person != who.person and not r["by_oversight"]]
        answers = await revocation.ask([certificates.ders(r) for r in waiting], self.roots)
        return {r["_id"]: answer for r, answer in zip(waiting, answers, strict=True)}

    async def _standing(
        self, session: Session | None, school: str, wanted: Sequence[str] | None
    ) -> tuple[dict[str, tuple[Document | None, Document | None]], dict[str, Document]]:
        """By person, what waits and what is approved in the open year; without names, only where something waits."""
        school_document = await one(self.db, "schools", school, session)
        if school_document is None or school_document["year"] is None:
            return {}, {}
        found = await store.open_registrations(self.db, session, school, school_document["year"], wanted)
        waiting = {r["owner"]: r for r in found if r["state"] == WAITING}
        approved = {r["owner"]: r for r in found if r["state"] == APPROVED}
        people = await organisations_store.people_by_code(self.db, waiting, session)
        return {owner: (r, approved.get(owner)) for owner, r in sorted(waiting.items())}, people


async def record_decision(
    db: Database, session: Session, document: Document, *, state: str, reason: str, decider: str, request_id: str | None
) -> None:
    details = {"request": document["_id"], "before": document["state"], "after": state, "reason": reason}
    act = "signing account decided" if document["kind"] == "person" else "school certificate decided"
    await audit.record(db, session, actor=decider, act=act, subject=document["owner"], request_id=request_id, details=details)


async def take_decision(db: Database, session: Session, request: str, *, approved: bool, reason: str, decider: str, cause: str) -> None:
    """What the oversight unit decided about a request. One that waits no longer is left as it is.

    Raises Refused: UNKNOWN_REQUEST, OWN_ACCOUNT when somebody decided about the own request.
    """
    document = await one(db, "registrations", request, session)
    if document is None or not document["by_oversight"]:
        raise Refused(UNKNOWN_REQUEST)
    if document["state"] != WAITING:
        return
    if document["person"] == decider:
        raise Refused(OWN_ACCOUNT)
    at = clock.now()
    changes: list[Change]
    if approved:
        person = await one(db, "people", document["person"], session)
        assert person is not None
        replaced = await store.in_slot(db, session, slot(document["kind"], document["owner"], document["year"], APPROVED))
        changes = certificates.approve(document, person, replaced, decider=decider, at=at)
    else:
        replaced = document
        changes = [certificates.refuse(document, reason or "Không nêu lý do", decider=decider, at=at)]
    await save(db, session, "registrations", changes, actor=decider, cause=cause)
    if document["kind"] == "school" and replaced is not None:
        await store.release_certificate(db, session, replaced["sha256"])
    await record_decision(
        db, session, document, state=APPROVED if approved else certificates.REFUSED, reason=reason, decider=decider, request_id=cause
    )
