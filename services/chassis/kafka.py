"""The only place that makes Kafka clients: every safe default, and consumers that take many records in one transaction.

Why each default is what it is stands in docs/architecture/events.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.opentelemetry import KafkaTelemetryMiddleware
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import REGISTRY
from pydantic import ValidationError

from contracts.event import Event, Fact
from contracts.topics import dead_letter_topic, topic
from services.chassis import clock, failpoints, inbox
from services.chassis.errors import Refused
from services.chassis.logging import log_context
from services.chassis.metrics import CONSUMER_ASSIGNED, CONSUMER_POLL_AGE, DEADLETTERS, EVENT_AGE_SECONDS, INBOX_DUPLICATES, UNKNOWN_TYPES
from services.chassis.mongo import DuplicateKeyError, PyMongoError, transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from services.chassis.mongo import Database, Session
    from services.chassis.settings import Settings

    Handler = Callable[[Session, list[Event[Any]]], Awaitable[None]]

F = TypeVar("F", bound=Fact)
MAX_RECORDS = 200
ATTEMPTS = 5
DEAD_IN_A_ROW = 5
MAX_BACKOFF = 30.0
"""Seconds; far below max_poll_interval, or the group would be rebalanced for ever (aiokafka#848)."""
TRANSIENT = (PyMongoError, OSError, TimeoutError)
log = logging.getLogger(__name__)


class Producer:
    """acks=all and idempotent. After a failure of it the process must end (aiokafka#1017): it is crash-only."""

    def __init__(self, client: AIOKafkaProducer) -> None:
        self._client = client

    async def send_all(self, messages: Sequence[tuple[str, str, bytes, str]]) -> None:
        """(topic, key, value, event id) each; returns when the broker has every one of them."""
        waiting = [
            await self._client.send(name, value=value, key=key.encode(), headers=[("id", event_id.encode())])
            for name, key, value, event_id in messages
        ]
        await asyncio.gather(*waiting)

    async def send_raw(self, name: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        await self._client.send_and_wait(name, value=value, key=key, headers=list(headers))


@asynccontextmanager
async def producer(settings: Settings, service: str) -> AsyncIterator[Producer]:
    client = AIOKafkaProducer(
        bootstrap_servers=settings.kafka,
        client_id=f"{service}-relay",
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_request_size=4 * 1024 * 1024,
    )
    await client.start()
    try:
        yield Producer(client)
    finally:
        async with asyncio.timeout(10):
            await client.stop()


@dataclass
class Consumer:
    """One service's reading of one topic. `on` says what to do with each type of fact; other types are skipped and counted."""

    service: str
    name: str
    handlers: dict[str, tuple[type[Fact], Handler]] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return topic(self.name).group(self.service)

    def on(self, fact: type[F]) -> Callable[[Callable[[Session, list[Event[F]]], Awaitable[None]]], None]:
        """Register a handler: it gets events of this type in order, inside the transaction that also marks the inbox.

        It may be run again; it must not reach outside the database. A `Refused` or ValueError is permanent.
        """
        if fact.topic != self.name:
            raise ValueError(f"{fact.__name__} is a fact of {fact.topic}, not of {self.name}")

        def register(handler: Callable[[Session, list[Event[F]]], Awaitable[None]]) -> None:
            self.handlers[fact.__name__] = (fact, handler)

        return register


@dataclass
class Reading:
    """A consumer at work on a database: takes records, marks the inbox, calls handlers, gives up what cannot be handled."""

    consumer: Consumer
    db: Database
    dead_letters: Producer
    dead_in_a_row: int = 0
    polled_at: float = field(default_factory=time.monotonic)

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Handle all records or raise; a raise leaves the offsets where they were."""
        self.polled_at = time.monotonic()
        events: list[tuple[ConsumerRecord[Any, Any], Event[Any]]] = []
        for record in records:
            try:
                event = self._read(record)
            except ValueError as problem:
                await self._give_up(record, "unreadable", repr(problem))
            else:
                if event is not None:
                    events.append((record, event))
        parked = {d["_id"] async for d in self.db["parked"].find({"group": self.consumer.group}, projection={"_id": 1})}
        for record, _ in [pair for pair in events if self._parking(pair[1]) in parked]:
            await self._give_up(record, "parked", "an earlier event of this subject was given up")
        events = [pair for pair in events if self._parking(pair[1]) not in parked]
        try:
            await self._handle([event for _, event in events])
        except (*TRANSIENT, Refused, ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
            log.warning("a batch failed as a whole; taking its events one by one", extra={"group": self.consumer.group}, exc_info=True)
            for record, event in events:
                await self._handle_alone(record, event)
        for _, event in events:
            EVENT_AGE_SECONDS.labels(self.consumer.name, self.consumer.group).observe((clock.now() - event.occurred_at).total_seconds())
        failpoints.reach(f"{self.consumer.group}.handled")

    def _read(self, record: ConsumerRecord[Any, Any]) -> Event[Any] | None:
        raw = Event[Fact].model_validate_json(record.value or b"")
        if raw.type not in self.consumer.handlers:
            UNKNOWN_TYPES.labels(self.consumer.group, raw.type if raw.type.isalnum() else "invalid").inc()
            return None
        fact, _ = self.consumer.handlers[raw.type]
        parsed: Event[Any] = Event[fact].model_validate_json(record.value or b"")  # type: ignore[valid-type] # the type is data here
        return parsed

    async def _handle(self, events: list[Event[Any]]) -> None:
        """All in one transaction; what was handled before is dropped."""
        for _ in range(10):
            known = await inbox.handled(self.db, self.consumer.group, [str(e.id) for e in events])
            if known:
                INBOX_DUPLICATES.labels(self.consumer.group).inc(len(known))
            fresh = list({str(e.id): e for e in events if str(e.id) not in known}.values())
            if not fresh:
                return

            async def work(session: Session, fresh: list[Event[Any]] = fresh) -> None:
                await inbox.mark(self.db, session, self.consumer.group, [str(e.id) for e in fresh])
                for name, run in groupby(fresh, key=lambda e: e.type):
                    await self.consumer.handlers[name][1](session, list(run))
                failpoints.reach(f"{self.consumer.group}.before-commit")

            try:
                await transaction(self.db, work)
            except DuplicateKeyError as problem:
                if "inbox" not in str(problem):
                    raise
                continue
            failpoints.reach(f"{self.consumer.group}.committed")
            return
        raise TimeoutError("other consumers keep taking the same events")

    async def _handle_alone(self, record: ConsumerRecord[Any, Any], event: Event[Any]) -> None:
        attempt = 0
        while True:
            attempt += 1
            with log_context(event_id=str(event.id), event_type=event.type):
                try:
                    await self._handle([event])
                except TRANSIENT:
                    log.warning("handling failed, will be tried again", extra={"attempt": attempt}, exc_info=True)
                    await asyncio.sleep(min(0.2 * 2 ** min(attempt, 10), MAX_BACKOFF))
                except (Refused, ValidationError) as problem:
                    await self._give_up(record, "refused", str(problem), event)
                    return
                except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as problem:
                    if attempt < ATTEMPTS:
                        await asyncio.sleep(0.1 * 2**attempt)
                        continue
                    await self._give_up(record, "failed", repr(problem), event)
                    return
                else:
                    self.dead_in_a_row = 0
                    return

    @staticmethod
    def _parked_key(group: str, subject: str) -> str:
        return f"{group}:{subject}"

    def _parking(self, event: Event[Any]) -> str:
        return self._parked_key(self.consumer.group, event.subject)

    async def _give_up(self, record: ConsumerRecord[Any, Any], reason: str, detail: str, event: Event[Any] | None = None) -> None:
        """The original bytes go to the dead letters, and later events of the subject wait there with it."""
        log.error("event given up", extra={"group": self.consumer.group, "reason": reason, "offset": record.offset, "detail": detail[:500]})
        DEADLETTERS.labels(self.consumer.group, reason).inc()
        origin = [("origin-topic", record.topic.encode()), ("origin", f"{record.partition}:{record.offset}".encode())]
        why = [("reason", reason.encode()), ("detail", detail[:500].encode())]
        await self.dead_letters.send_raw(dead_letter_topic(self.consumer.group), record.key, record.value, [*origin, *why])
        if event is not None:
            await self.db["parked"].update_one(
                {"_id": self._parking(event)}, {"$set": {"group": self.consumer.group, "subject": event.subject}}, upsert=True
            )
            self.dead_in_a_row += 1
            if self.dead_in_a_row >= DEAD_IN_A_ROW:
                raise SystemExit(
                    f"{self.consumer.group}: {DEAD_IN_A_ROW} events in a row could not be handled; stopping before more are lost"
                )


class Readers:
    """All consumers of a process, on one FastStream broker."""

    def __init__(self, settings: Settings, service: str, db: Database, dead_letters: Producer) -> None:
        self.readings: dict[str, tuple[Reading, Any]] = {}
        self.failed = asyncio.Event()
        self.db = db
        self.dead_letters = dead_letters
        self.broker = KafkaBroker(
            settings.kafka,
            client_id=service,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            middlewares=(KafkaPrometheusMiddleware(registry=REGISTRY, app_name=service), KafkaTelemetryMiddleware()),
            logger=log,
            graceful_timeout=20,
        )

    def add(self, consumer: Consumer) -> None:
        reading = Reading(consumer, self.db, self.dead_letters)
        subscriber = self.broker.subscriber(
            consumer.name,
            batch=True,
            group_id=consumer.group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            max_records=MAX_RECORDS,
            batch_timeout_ms=100,
            fetch_max_wait_ms=100,
            session_timeout_ms=45_000,
            heartbeat_interval_ms=5_000,
            max_poll_interval_ms=300_000,
            parser=_tolerant,
            decoder=_undecoded,
        )

        async def handle(message: KafkaMessage) -> None:
            records = message.raw_message
            try:
                await reading.take(records if isinstance(records, tuple) else (records,))
            except BaseException:
                self.failed.set()
                raise

        subscriber(handle)
        self.readings[consumer.group] = (reading, subscriber)

    async def run(self) -> None:
        """Until cancelled; ends with an error when a consumer cannot go on, so that the process is started again."""
        await self.broker.start()
        measuring = asyncio.create_task(self._measure())
        try:
            await self.failed.wait()
            raise RuntimeError("a consumer could not go on")
        finally:
            measuring.cancel()
            async with asyncio.timeout(20):
                await self.broker.stop()

    async def _measure(self) -> None:
        while True:
            for group, (_, subscriber) in self.readings.items():
                client: AIOKafkaConsumer | None = subscriber.consumer
                CONSUMER_ASSIGNED.labels(group).set(len(client.assignment()) if client else 0)
                if any(task.done() for task in subscriber.tasks):
                    log.critical("a consumer's loop has ended", extra={"group": group})
                    self.failed.set()
            for group, (reading, _) in self.readings.items():
                CONSUMER_POLL_AGE.labels(group).set(time.monotonic() - reading.polled_at)
            await asyncio.sleep(2)


async def _tolerant(records: tuple[ConsumerRecord[Any, Any], ...], original: Callable[[Any], Awaitable[KafkaMessage]]) -> KafkaMessage:
    """A header that is null or not UTF-8 must not make FastStream drop the record in silence."""
    safe = [
        replace(r, headers=tuple((str(k), (v or b"").decode("utf-8", "replace").encode()) for k, v in r.headers or ())) for r in records
    ]
    message = await original(tuple(safe))
    message.raw_message = tuple(records)
    return message


async def _undecoded(_message: KafkaMessage) -> bytes:
    """Reading.take reads the raw records itself."""
    return b""
