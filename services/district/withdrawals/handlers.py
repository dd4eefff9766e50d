"""What district keeps of what publishing tells of requests to withdraw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.event import Event
from contracts.events.publishing import TranscriptWithdrawnV1, WithdrawalPendingV1, WithdrawalRecalledV1, WithdrawalRefusedV1
from services.chassis.kafka import Consumer
from services.district.withdrawals import store

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Session


def consumer(db: Database) -> Consumer:
    withdrawals = Consumer("district", "publishing.withdrawals")

    @withdrawals.on(WithdrawalPendingV1)
    async def _(session: Session, events: list[Event[WithdrawalPendingV1]]) -> None:
        await store.add(db, session, events)

    @withdrawals.on(WithdrawalRecalledV1)
    async def _(session: Session, events: list[Event[WithdrawalRecalledV1]]) -> None:
        await store.set_recalled(db, session, events)

    @withdrawals.on(WithdrawalRefusedV1)
    async def _(session: Session, events: list[Event[WithdrawalRefusedV1]]) -> None:
        await store.set_refused(db, session, events)

    @withdrawals.on(TranscriptWithdrawnV1)
    async def _(session: Session, events: list[Event[TranscriptWithdrawnV1]]) -> None:
        await store.set_withdrawn(db, session, events)

    return withdrawals
