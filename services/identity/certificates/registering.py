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
from services.identity.certificates.registrations import APPROVED, SUSPENDED, WAITING, Kind, Wanted, slot
from services.identity.errors import (
    REASON_NEEDED,
    REGISTERED_ELSEWHERE,
    REVOCATION_UNKNOWN,
    UNKNOWN_PERSON,
    UNKNOWN_SCHOOL,
)
from services.identity.messages import Outcome
from services.identity.notices import store as notices
from services.identity.organisations import store as organisations_store
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.identity.certificates.providers import Providers
    from services.identity.certificates.registrations import Candidate
    from services.identity.notices.notices import What
    from services.identity.sealing import Box
    from services.means.remote import Credential


@dataclass(frozen=True)
class Login:
    """An account at a provider; used once and never kept."""

    provider: str
    username: str
    password: str


@dataclass(frozen=True)
class Registry:
    """What registering needs. `roots` are DER; `box` seals sessions at providers; `server` is the address that challenges name."""

    db: Database
    providers: Providers
    roots: Sequence[bytes]
    box: Box
    server: str

    async def wanted(self, kind: Kind, who: Principal, session: Session | None = None) -> Wanted:
        """Raises Refused for somebody without a school."""
        school = await one(self.db, "schools", who.school, session) if who.school else None
        if school is None:
            raise Refused(UNKNOWN_SCHOOL, school=who.school or "")
        person = await one(self.db, "people", who.person, session)
        if person is None:
            raise Refused(UNKNOWN_PERSON, person=who.person)
        return Wanted(kind, school, person)

    def judged(self, wanted: Wanted, found: Sequence[Credential]) -> list[Candidate]:
        """What an account or a token holds, each judged; what is no certificate is left out."""
        at = clock.now()
        each = [certificates.judge(wanted, c.id, c.certificate, c.chain, self.roots, at=at) for c in found]
        return [c for c in each if c is not None]

    async def standing(self, session: Session | None, wanted: Wanted) -> tuple[Document | None, Document | None]:
        """The registrations of the owner that wait and that are approved in the open year."""
        owner = wanted.person["_id"] if wanted.kind == "person" else wanted.school["_id"]
        waiting = await store.in_slot(self.db, session, slot(wanted.kind, owner, wanted.year, WAITING))
        return waiting, await store.in_slot(self.db, session, slot(wanted.kind, owner, wanted.year, APPROVED))

    async def enter(
        self, session: Session, wanted: Wanted, change: Change, *, act: str, actor: str, request_id: str, details: Mapping[str, object]
    ) -> Document:
        """Write down a new registration, with the event and the audit entry. Raises Refused(REGISTERED_ELSEWHERE)."""
        document = change.document
        if wanted.kind == "school" and not await store.hold_certificate(self.db, session, document["sha256"], document["owner"]):
            raise Refused(REGISTERED_ELSEWHERE)
        await save(self.db, session, "registrations", [change], actor=actor, cause=request_id)
        told = {"request": document["_id"], "certificate": document["sha256"], "means": document["means"], "reason": document["reason"]}
        await audit.record(
            self.db,
            session,
            actor=actor,
            act=act,
            subject=document["owner"],
            place=document["school"],
            request_id=request_id,
            details={**told, **details},
        )
        return document

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
        approved = {r["owner"]: r for r in found if r["state"] in (APPROVED, SUSPENDED)}
        people = await organisations_store.people_by_code(self.db, waiting, session)
        return {owner: (r, approved.get(owner)) for owner, r in sorted(waiting.items())}, people


async def record_decision(
    db: Database, session: Session, document: Document, *, state: str, reason: str, decider: str, request_id: str | None
) -> None:
    """The audit entry of a decision about a registration that waits (`document`), and the notices to those concerned."""
    details = {"request": document["_id"], "before": document["state"], "after": state, "reason": reason}
    act = "signing account decided" if document["kind"] == "person" else "school certificate decided"
    await audit.record(
        db,
        session,
        actor=decider,
        act=act,
        subject=document["owner"],
        place=document["school"],
        request_id=request_id,
        details=details,
    )
    what: What = "approved" if state == APPROVED else "refused"
    await notices.tell(db, session, document, what, at=clock.now(), reason=reason)
