"""The transactional outbox: events are written in the transaction that makes them true.

One document an event, in the order of its subject by `sequence`; `relay.py` hands them to Kafka.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from contracts.event import Event, Fact
from services.chassis import clock, tracing
from services.chassis.mongo import ASCENDING, IndexModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Session

BUCKETS = 16
KEEP_SECONDS = 7 * 24 * 3600
MAX_BODY = 900_000
"""Bytes; below what Kafka takes (1 MiB with headers). A larger event would hold up the relay for ever."""


def event(fact: Fact, *, subject: str, sequence: int, actor: str, cause: str | None = None) -> Event[Fact]:
    return Event[Fact](
        type=type(fact).__name__,
        subject=subject,
        sequence=sequence,
        occurred_at=clock.now(),
        actor=actor,
        cause=cause,
        traceparent=tracing.current_traceparent(),
        data=fact,
    )


async def append(db: Database, session: Session, events: Iterable[Event[Fact]]) -> None:
    """Within the caller's transaction. (subject, sequence) is unique: of two concurrent writers one aborts.

    Raises ValueError for an event that is too large to travel.
    """
    documents = [
        {
            "_id": str(e.id),
            "topic": e.data.topic,
            "subject": e.subject,
            "sequence": e.sequence,
            "bucket": crc32(e.subject.encode()) % BUCKETS,
            "at": e.occurred_at,
            "published_at": None,
            "body": e.model_dump_json(serialize_as_any=True),
        }
        for e in events
    ]
    for document in documents:
        if len(str(document["body"]).encode()) > MAX_BODY:
            raise ValueError(f"an event of {document['topic']} is larger than {MAX_BODY} bytes")
    if documents:
        await db["outbox"].insert_many(documents, session=session)


async def ensure_indexes(db: Database) -> None:
    await db["outbox"].create_indexes(
        [
            IndexModel([("topic", ASCENDING), ("subject", ASCENDING), ("sequence", ASCENDING)], unique=True, name="order"),
            IndexModel([("bucket", ASCENDING), ("at", ASCENDING)], partialFilterExpression={"published_at": None}, name="pending"),
            IndexModel([("published_at", ASCENDING)], expireAfterSeconds=KEEP_SECONDS, name="keep"),
        ]
    )
