"""What the oversight unit decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.district import CertificateDecidedV1
from services.chassis.kafka import Consumer
from services.identity.certificates.decisions import take_decision

if TYPE_CHECKING:
    from contracts.event import Event
    from services.chassis.mongo import Database, Session


def decision_consumer(db: Database) -> Consumer:
    consumer = Consumer("identity", "district.decisions")

    @consumer.on(CertificateDecidedV1)
    async def decided(session: Session, events: list[Event[CertificateDecidedV1]]) -> None:
        for event in events:
            fact = event.data
            await take_decision(
                db, session, event.subject, approved=fact.approved, reason=fact.reason, decider=event.actor, cause=str(event.id)
            )

    return consumer
