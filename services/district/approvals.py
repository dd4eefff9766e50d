"""Menu 6.1: the oversight unit decides on school certificates and on managers' signing accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal
from contracts.events.district import CertificateDecidedV1
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import Document, Session, transaction
from services.district.errors import ALREADY_DECIDED, NOTHING_SELECTED, REASON_NEEDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.district.store import Store


def decided(request: Document, *, approved: bool, reason: str, actor: str) -> Change:
    """Raises Refused when it was decided before, or when a refusal gives no reason."""
    if request["state"] != "pending":
        raise Refused(ALREADY_DECIDED)
    if not approved and not reason.strip():
        raise Refused(REASON_NEEDED)
    after = {**request, "state": "approved" if approved else "refused", "reason": reason, "decided_by": actor, "decided_at": clock.now()}
    return Change(after, CertificateDecidedV1(kind=request["kind"], approved=approved, reason=reason))


async def decide_all(store: Store, who: Principal, ids: Sequence[str], *, approved: bool, reason: str, request_id: str) -> dict[str, Any]:
    """Each on its own: {"done": n, "refused": [{id, code, reason}]}; one bad item never stops the rest."""
    if not ids:
        raise Refused(NOTHING_SELECTED)
    done, refused = 0, []
    for item in dict.fromkeys(ids):

        async def work(session: Session, item: str = item) -> None:
            request = await store.request(session, item)
            require(who, Action.DECIDE_CERTIFICATE, path=tuple(request["path"]))
            await store.save_decision(session, decided(request, approved=approved, reason=reason, actor=who.person), actor=who.person)
            act = "approve certificate" if approved else "refuse certificate"
            await audit.record(store.db, session, actor=who.person, act=act, subject=item, request_id=request_id)

        try:
            await transaction(store.db, work)
            done += 1
        except Refused as refusal:
            refused.append({"id": item, "code": refusal.code, "reason": refusal.cause})
    return {"done": done, "refused": refused}
