"""What people are told because of a request to correct locked data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import CorrectionDecidedV1
from services.chassis.kafka import Consumer
from services.identity.notices import store
from services.identity.notices.notices import of_correction
from services.identity.organisations import store as organisations_store
from services.identity.organisations.people import is_manager

if TYPE_CHECKING:
    from contracts.event import Event
    from services.chassis.mongo import Database, Session


def correction_consumer(db: Database) -> Consumer:
    consumer = Consumer("identity", "records.corrections")

    @consumer.on(CorrectionDecidedV1)
    async def decided(session: Session, events: list[Event[CorrectionDecidedV1]]) -> None:
        for event in events:
            await tell_of_correction(db, session, event)

    return consumer


async def tell_of_correction(db: Database, session: Session, event: Event[CorrectionDecidedV1]) -> None:
    fact = event.data
    told = [fact.asker]
    if fact.outcome == "forwarded":
        people = await organisations_store.people_of(db, fact.school, session)
        told = [code for code, each in people.items() if is_manager(each)]
    await store.keep(db, session, of_correction(fact, event.subject, told, at=event.occurred_at))
