"""Menu 6.1: the oversight unit decides on school certificates and on managers' signing accounts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.access import Action, Principal
from contracts.events.district import CertificateDecidedV1
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import Document, Session, transaction
from services.district import certificate_store
from services.district.certificates import APPROVED, PENDING, REFUSED
from services.district.errors import ALREADY_DECIDED, NOTHING_SELECTED, OWN_REQUEST, REASON_NEEDED, TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database

AT_ONCE = 8


@dataclass(frozen=True)
class Outcome:
    """What became of one request of a bulk act; `refused` when nothing."""

    id: str
    refused: Refused | None = None


def decided(request: Document, *, approved: bool, reason: str, actor: str) -> Change:
    """Raises Refused when it was decided before, when a refusal gives no reason, and when it is the actor's own."""
    if request["person"] == actor:
        raise Refused(OWN_REQUEST)
    if request["state"] != PENDING:
        raise Refused(ALREADY_DECIDED)
    if not approved and not reason.strip():
        raise Refused(REASON_NEEDED)
    after = {**request, "state": APPROVED if approved else REFUSED, "refusal": reason, "decided_by": actor, "decided_at": clock.now()}
    return Change(after, CertificateDecidedV1(kind=request["kind"], approved=approved, reason=reason))


async def decide_all(db: Database, who: Principal, ids: Sequence[str], *, approved: bool, reason: str, request_id: str) -> list[Outcome]:
    """Each on its own, in the order given; one that cannot be decided never stops the rest. Raises Refused: NOTHING_SELECTED, TOO_MANY."""
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Refused(NOTHING_SELECTED)
    if len(chosen) > certificate_store.MOST:
        raise Refused(TOO_MANY, most=certificate_store.MOST)
    room = asyncio.Semaphore(AT_ONCE)

    async def decide(item: str) -> Outcome:
        async def work(session: Session) -> None:
            request = await certificate_store.one(db, item, session)
            require(who, Action.DECIDE_CERTIFICATE, path=tuple(request["path"]))
            change = decided(request, approved=approved, reason=reason, actor=who.person)
            await certificate_store.save(db, session, change, actor=who.person)
            details = {"kind": request["kind"], "before": request["state"], "after": change.document["state"], "reason": reason}
            await audit.record(
                db,
                session,
                actor=who.person,
                act="approve certificate" if approved else "refuse certificate",
                subject=item,
                place=request["school"],
                request_id=request_id,
                details=details,
            )

        async with room:
            try:
                await transaction(db, work)
            except Refused as refused:
                return Outcome(item, refused)
        return Outcome(item)

    return await asyncio.gather(*(decide(item) for item in chosen))
