"""What the oversight unit decided about a request: refused at once, approved only after the issuers were asked once more.

The decision comes as an event, whose handler must not reach outside: it is kept in the waiting registration, and a work loop asks and
writes. The decision stays due until its outcome is written, so a crash or an issuer that does not answer only delays it.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from contracts.events.identity import CertificateRefusedV1
from services.chassis import clock
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.leases import owner_token, up_to
from services.chassis.metrics import WORK_ITEMS
from services.chassis.mongo import transaction
from services.identity.certificates import registrations as certificates
from services.identity.certificates import revocation, store, watch_store
from services.identity.certificates.registering import record_decision
from services.identity.certificates.registrations import APPROVED, REFUSED, WAITING, slot
from services.identity.certificates.watch import AT_ONCE
from services.identity.certificates.watch_rules import Times
from services.identity.errors import OWN_ACCOUNT, REVOCATION_UNKNOWN, UNKNOWN_REQUEST
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document, Session

LEASE_SECONDS: Final = 45.0
"""Longer than the slowest answers of responder and list; somebody waits for the outcome."""
SLOWEST_AGAIN: Final = dt.timedelta(minutes=1)
log = logging.getLogger(__name__)


async def take_decision(db: Database, session: Session, request: str, *, approved: bool, reason: str, decider: str, cause: str) -> None:
    """A request that waits no longer, or has a decision already that is being checked, is left as it is.

    Raises Refused: UNKNOWN_REQUEST, OWN_ACCOUNT when somebody decided about the own request.
    """
    document = await one(db, "registrations", request, session)
    if document is None or not document["by_oversight"]:
        raise Refused(UNKNOWN_REQUEST)
    if document["state"] != WAITING or document.get("decision") is not None:
        return
    if document["person"] == decider:
        raise Refused(OWN_ACCOUNT)
    at = clock.now()
    if approved:
        decision = {"approved": True, "reason": reason, "decider": decider, "cause": cause, "at": at, "tries": 0}
        await save(
            db, session, "registrations", [Change({**document, "decision": decision, "next_check_at": at})], actor=decider, cause=cause
        )
    else:
        await _refuse(db, session, document, reason or "Không nêu lý do.", decider=decider, cause=cause, at=at, told=False)


@dataclass(frozen=True)
class Decisions:
    """`roots` are DER."""

    db: Database
    roots: Sequence[bytes]
    times: Times = field(default_factory=Times)
    lease_seconds: float = LEASE_SECONDS
    owner: str = field(default_factory=owner_token)

    async def round(self) -> int:
        """Check what was approved since the last round."""
        due = await up_to(AT_ONCE, lambda: watch_store.claim_decision(self.db, self.owner, self.lease_seconds, clock.now()))
        if not due:
            return 0
        asked = await revocation.ask([certificates.ders(r) for r in due], self.roots)
        for registration, refused in zip(due, asked, strict=True):
            await self._conclude(registration, refused)
        return len(due)

    async def _conclude(self, registration: Document, refused: Refused | None) -> None:
        at = clock.now()
        if refused is not None and refused.code == REVOCATION_UNKNOWN.code:
            tries = registration["decision"]["tries"] + 1
            later = at + min(self.times.again * 2 ** min(tries - 1, 10), SLOWEST_AGAIN)
            await watch_store.put_back(self.db, registration["_id"], self.owner, {"next_check_at": later, "decision.tries": tries})
            WORK_ITEMS.labels("decisions checked", "postponed").inc()
            return
        problems = certificates.still_unfit(registration, self.roots, at=at)
        if refused is None and problems:
            refused = certificates.unfit(problems)

        async def work(session: Session) -> None:
            now = await watch_store.still_held(self.db, session, registration["_id"], self.owner, [WAITING])
            if now is None:
                return
            decision = now["decision"]
            who = {"decider": decision["decider"], "cause": decision["cause"]}
            if refused is None:
                await _approve(self.db, session, now, decision["reason"], **who, at=at)
            else:
                await _refuse(self.db, session, now, refused.cause, **who, at=at, told=True)

        await transaction(self.db, work)
        WORK_ITEMS.labels("decisions checked", "approved" if refused is None else "refused").inc()


async def _approve(db: Database, session: Session, document: Document, reason: str, *, decider: str, cause: str, at: dt.datetime) -> None:
    person = await one(db, "people", document["person"], session)
    assert person is not None
    replaced = await store.in_slot(db, session, slot(document["kind"], document["owner"], document["year"], APPROVED))
    changes = certificates.approve(document, person, replaced, decider=decider, at=at)
    await save(db, session, "registrations", changes, actor=decider, cause=cause)
    if document["kind"] == "school" and replaced is not None:
        await store.release_certificate(db, session, replaced["sha256"])
    await record_decision(db, session, document, state=APPROVED, reason=reason, decider=decider, request_id=cause)


async def _refuse(
    db: Database, session: Session, document: Document, reason: str, *, decider: str, cause: str, at: dt.datetime, told: bool
) -> None:
    """`told`: the oversight unit believes it approved, and is told why that came to nothing."""
    change = certificates.refuse(document, reason, decider=decider, at=at)
    fact = CertificateRefusedV1(kind=document["kind"], school=document["school"], person=document["person"], reason=reason)
    await save(db, session, "registrations", [Change(change.document, fact if told else None)], actor=decider, cause=cause)
    if document["kind"] == "school":
        await store.release_certificate(db, session, document["sha256"])
    await record_decision(db, session, document, state=REFUSED, reason=reason, decider=decider, request_id=cause)
