"""Where the entries come from: the topics of the four other services, and identity's own sealer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from contracts.audit import ActsSealed, SealedAct
from contracts.event import Event
from contracts.events.district import DistrictActsSealedV1
from contracts.events.publishing import PublishingActsSealedV1
from contracts.events.records import RecordsActsSealedV1
from contracts.events.signing import SigningActsSealedV1
from services.chassis.kafka import Consumer
from services.identity.activity import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.audit_tell import Tell
    from services.chassis.mongo import Database, Session

A = TypeVar("A", bound=ActsSealed)


def activity_consumers(db: Database) -> list[Consumer]:
    return [_consumer(db, fact) for fact in (RecordsActsSealedV1, SigningActsSealedV1, PublishingActsSealedV1, DistrictActsSealedV1)]


def _consumer(db: Database, fact: type[A]) -> Consumer:
    consumer = Consumer("identity", fact.topic)

    @consumer.on(fact)
    async def told(session: Session, events: list[Event[A]]) -> None:
        for event in events:
            await store.keep(db, session, event.subject, event.data.acts)

    return consumer


def own_trail(db: Database) -> Tell:
    """Identity's entries need no event: they are kept in the transaction that seals them."""

    async def tell(session: Session, acts: Sequence[SealedAct]) -> None:
        await store.keep(db, session, "identity", acts)

    return tell
