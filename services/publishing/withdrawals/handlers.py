"""What becomes of requests to withdraw when signing, records and the oversight unit tell something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.event import Event
from contracts.events.district import WithdrawalDecidedV1
from contracts.events.records import WithdrawalClearedV1, WithdrawalDeniedV1
from contracts.events.signing import RequestSealedV1, SealRefusedV1
from services.chassis.kafka import Consumer
from services.publishing.withdrawals import rules, store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session

    Decide = Callable[[Document, Event[Any]], Change | None]


def consumers(db: Database, transcripts: Consumer) -> list[Consumer]:
    """Also registers what records says on its own topic with `transcripts`."""
    requests = Consumer("publishing", "signing.requests")
    decisions = Consumer("publishing", "district.decisions")

    @requests.on(RequestSealedV1)
    async def _(session: Session, events: list[Event[RequestSealedV1]]) -> None:
        await _change(db, session, events, lambda e: e.subject, lambda r, e: rules.sealed(r, e.data))

    @requests.on(SealRefusedV1)
    async def _(session: Session, events: list[Event[SealRefusedV1]]) -> None:
        await _change(db, session, events, lambda e: e.subject, lambda r, e: rules.declined(r, e.data))

    @transcripts.on(WithdrawalClearedV1)
    async def _(session: Session, events: list[Event[WithdrawalClearedV1]]) -> None:
        await _change(db, session, events, lambda e: e.data.request, lambda r, e: rules.cleared(r, e.data.attempt, e.occurred_at))

    @transcripts.on(WithdrawalDeniedV1)
    async def _(session: Session, events: list[Event[WithdrawalDeniedV1]]) -> None:
        await _change(
            db, session, events, lambda e: e.data.request, lambda r, e: rules.denied(r, e.data.attempt, e.data.state, e.occurred_at)
        )

    @decisions.on(WithdrawalDecidedV1)
    async def _(session: Session, events: list[Event[WithdrawalDecidedV1]]) -> None:
        changed = await _change(db, session, events, lambda e: e.subject, lambda r, e: rules.decided(r, e.data, e.actor))
        await store.add_orders(db, session, changed)

    return [requests, decisions]


async def _change(
    db: Database, session: Session, events: Sequence[Event[Any]], of: Callable[[Event[Any]], str], decide: Decide
) -> list[Document]:
    """One change an event at most; what is told twice, or of an attempt that is over, changes nothing. What was changed."""
    changed = []
    for event in events:
        request = (await store.load(db, session, [of(event)])).get(of(event))
        change = decide(request, event) if request is not None else None
        if change is not None:
            await store.save(db, session, [change], actor=event.actor, cause=str(event.id))
            changed.append(change.document)
    return changed
