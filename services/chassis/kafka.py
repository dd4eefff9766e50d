"""The only place that makes Kafka clients: every safe default, and consumers that take many records in one transaction.

Why each default is what it is stands in docs/architecture/events.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.exceptions import NackMessage
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.opentelemetry import KafkaTelemetryMiddleware
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import REGISTRY
from pydantic import ValidationError

from contracts.event import Event, Fact
from contracts.topics import dead_letter_topic
from services.chassis import clock, failpoints, inbox
from services.chassis.errors import CONFLICT, Refused
from services.chassis.logging import log_context
from services.chassis.metrics import (
    CONSUMER_ASSIGNED,
    CONSUMER_LAG,
    CONSUMER_POLL_AGE,
    DEADLETTERS,
    EVENT_AGE_SECONDS,
    INBOX_DUPLICATES,
    UNKNOWN_TYPES,
)
from services.chassis.mongo import PyMongoError, may_pass, transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from services.chassis.mongo import Database, Session
    from services.chassis.settings import Settings

    Handler = Callable[[Session, list[Event[Any]]], Awaitable[None]]

F = TypeVar("F", bound=Fact)
MAX_RECORDS = 200
ATTEMPTS = 5
PAUSE = 0.2
"""Seconds before the second attempt; doubled for each further one."""
DEAD_IN_A_ROW = 5
MAX_POLL_MS = 300_000
"""A consumer that takes longer between two polls leaves its group."""
MAX_BACKOFF = 30.0
WAIT_SECONDS = 240.0
"""How long a batch waits in place for a dependency. With MAX_BACKOFF it stays below MAX_POLL_MS, or the group would be
rebalanced for ever (aiokafka#848)."""
SEND_SECONDS = 60.0
"""An idempotent producer would try for ever (aiokafka#1101)."""
CLOSE_SECONDS = 5.0
JOIN_SECONDS = 240.0
SILENT_SECONDS = 240.0
FINISH_SECONDS = 15.0
WATCH_SECONDS = 2.0
TRANSIENT = (PyMongoError, OSError, TimeoutError)
ORIGIN, REASON, DETAIL, REPLAY = "hocba-origin", "hocba-reason", "hocba-detail", "hocba-replay"
OURS = (ORIGIN, REASON, DETAIL, REPLAY)
"""Headers of dead letters; a letter that was sent back names the group it is for."""
log = logging.getLogger(__name__)


class ProducerLost(Exception):
    """The broker did not take what was sent in time. Waiting does not help: this producer is not to be used again."""


class Producer:
    """acks=all and idempotent. After a failure of it the process must end (aiokafka#1017): it is crash-only.

    Sending raises KafkaError, and ProducerLost after SEND_SECONDS.
    """

    def __init__(self, client: AIOKafkaProducer) -> None:
        self._client = client

    async def send_all(self, messages: Sequence[tuple[str, str, bytes, str]]) -> None:
        """(topic, key, value, event id) each; returns when the broker has every one of them."""
        async with _in_time():
            waiting = [
                await self._client.send(name, value=value, key=key.encode(), headers=[("id", event_id.encode())])
                for name, key, value, event_id in messages
            ]
            await asyncio.gather(*waiting)

    async def send_raw(self, name: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        async with _in_time():
            await self._client.send_and_wait(name, value=value, key=key, headers=list(headers))


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            yield
    except TimeoutError as problem:
        raise ProducerLost(f"no word from the broker for {SEND_SECONDS:.0f} s") from problem


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
    try:
        async with _in_time():
            await client.start()
        yield Producer(client)
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.stop()
        except TimeoutError:
            log.warning("the producer could not be closed; what it had not sent is still in the outbox")


@dataclass
class Consumer:
    """One service's reading of one topic. `on` says what to do with each type of fact; other types are skipped and counted."""

    service: str
    name: str
    handlers: dict[str, tuple[type[Fact], Handler]] = field(default_factory=dict)
    loading: set[str] = field(default_factory=set)
    """Types whose snapshots are wanted too."""
    at_once: int = MAX_RECORDS
    """Records of one transaction at most: more where a rebuilding hands over a great many."""

    @property
    def group(self) -> str:
        return f"{self.service}.{self.name}"

    def on(self, fact: type[F], *, snapshots: bool = False) -> Callable[[Callable[[Session, list[Event[F]]], Awaitable[None]]], None]:
        """Register a handler: it gets events of this type in order, inside the transaction that also marks the inbox.

        It may be run again; it must not reach outside the database. A `Refused` is final, what may pass is waited for,
        anything else is tried five times. Snapshots are handed over to handlers that ask for them alone: they are nothing new, and
        may come out of order, so such a handler goes by `sequence`.
        """
        if fact.topic != self.name:
            raise ValueError(f"{fact.__name__} is a fact of {fact.topic}, not of {self.name}")

        def register(handler: Callable[[Session, list[Event[F]]], Awaitable[None]]) -> None:
            self.handlers[fact.__name__] = (fact, handler)
            if snapshots:
                self.loading.add(fact.__name__)

        return register


class Halted(Exception):
    """Too many events in a row could not be handled: a person has to look before more are set aside."""


def is_transient(problem: BaseException) -> bool:
    """Whether waiting may help: a dependency is away, or somebody else was quicker."""
    return may_pass(problem) if isinstance(problem, PyMongoError) else isinstance(problem, TRANSIENT)


@dataclass
class Reading:
    """A consumer at work on a database: takes records, marks the inbox, calls handlers, gives up what cannot be handled.

    What is given up is a dead letter; its subject is parked, so that later events of it follow it there and none overtakes another.
    `parked` keeps for each such subject the names of its letters in order; a replayed letter is let through when it is the first.
    """

    consumer: Consumer
    db: Database
    dead_letters: Producer
    busy: bool = False
    _clean: bool = False

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Handle all records or raise; a raise leaves the offsets where they were. What may pass is waited for here, in order."""
        give_up_at = time.monotonic() + WAIT_SECONDS
        ours = (None, self.consumer.group.encode())
        # another group's replayed letter: this group had the event when it first came, perhaps longer ago than its inbox reaches
        read = [(record, self._read(record)) for record in records if header(record, REPLAY) in ours]
        failures = 0
        self.busy = True
        try:
            while True:
                try:
                    await self._take(read, at_once=failures < 3)
                    break
                except TRANSIENT as problem:
                    if not is_transient(problem) or time.monotonic() > give_up_at:
                        raise
                    failures += 1
                    log.warning("will be tried again", extra={"group": self.consumer.group, "failures": failures}, exc_info=True)
                await asyncio.sleep(min(0.2 * 2 ** min(failures, 10), MAX_BACKOFF))
        finally:
            self.busy = False
        now, age = clock.now(), EVENT_AGE_SECONDS.labels(self.consumer.name, self.consumer.group)
        for event in (e for _, e in read if isinstance(e, Event)):
            age.observe(max(0.0, (now - event.occurred_at).total_seconds()))
        failpoints.reach(f"{self.consumer.group}.handled")

    def _read(self, record: ConsumerRecord[Any, Any]) -> Event[Any] | ValidationError | None:
        """None for a type that this consumer does not know, and for a snapshot that it does not want."""
        try:
            raw = Event[Fact].model_validate_json(record.value or b"")
            if raw.type not in self.consumer.handlers:
                UNKNOWN_TYPES.labels(self.consumer.group, raw.type if raw.type.isalnum() else "invalid").inc()
                return None
            if raw.snapshot is not None and raw.type not in self.consumer.loading:
                return None
            fact, _ = self.consumer.handlers[raw.type]
            parsed: Event[Any] = Event[fact].model_validate_json(record.value or b"")  # type: ignore[valid-type] # the type is data here
        except ValidationError as problem:
            return problem
        return parsed

    async def _take(self, read: list[tuple[ConsumerRecord[Any, Any], Event[Any] | ValidationError | None]], *, at_once: bool) -> None:
        parked = {str(d["subject"]): list(d["letters"]) async for d in self.db["parked"].find({"group": self.consumer.group})}
        events = [event for _, event in read if isinstance(event, Event)]
        plain = not any(isinstance(event, ValidationError) or _subject(record) in parked for record, event in read)
        if not (at_once and plain and await self._at_once(events)):
            for record, event in read:
                await self._one(record, event, parked.setdefault(_subject(record) or "", []))

    async def _at_once(self, events: list[Event[Any]]) -> bool:
        try:
            await self._handle(events)
        except Exception as problem:
            if is_transient(problem):
                raise
            log.warning("a batch failed as a whole; taking its events one by one", extra={"group": self.consumer.group}, exc_info=True)
            return False
        return True

    async def _handle(self, events: list[Event[Any]]) -> None:
        """All in one transaction; what was handled before is dropped."""
        group = self.consumer.group
        for _ in range(10):
            known = await inbox.handled(self.db, group, [str(e.id) for e in events])
            fresh = list({str(e.id): e for e in events if str(e.id) not in known}.values())

            async def work(session: Session, fresh: list[Event[Any]] = fresh) -> None:
                await inbox.mark(self.db, session, group, [str(e.id) for e in fresh])
                for name, run in groupby(fresh, key=lambda e: e.type):
                    await self.consumer.handlers[name][1](session, list(run))
                failpoints.reach(f"{group}.before-commit")

            try:
                if fresh:
                    await transaction(self.db, work)
            except inbox.HandledMeanwhile:
                continue
            INBOX_DUPLICATES.labels(group).inc(len(events) - len(fresh))
            if fresh:
                failpoints.reach(f"{group}.committed")
                await self._handled_well()
            return
        raise TimeoutError("other consumers keep taking the same events")

    async def _one(self, record: ConsumerRecord[Any, Any], event: Event[Any] | ValidationError | None, letters: list[str]) -> None:
        """`letters`: the names of the subject's letters, kept up to date here."""
        name, replayed = name_of(record), header(record, REPLAY) is not None
        if letters and event is not None and not (replayed and letters[0] == name) and not await self._known(event):
            if replayed or name not in letters:
                await self._give_up(record, letters, "parked", "an earlier event of this subject was given up")
            return
        given_up = await self._attempt(event) if isinstance(event, Event) else event and ("unreadable", _said(event))
        if given_up:
            await self._give_up(record, letters, *given_up)
        elif name in letters:
            letters.remove(name)
            key = {"_id": f"{self.consumer.group}:{_subject(record)}"}
            if letters:
                await self.db["parked"].update_one(key, {"$pull": {"letters": name}})
            else:
                await self.db["parked"].delete_one(key)

    async def _known(self, event: Event[Any] | ValidationError) -> bool:
        return isinstance(event, Event) and bool(await inbox.handled(self.db, self.consumer.group, [str(event.id)]))

    async def _attempt(self, event: Event[Any]) -> tuple[str, str] | None:
        """None when it was handled; why it never will be otherwise."""
        for attempt in range(1, ATTEMPTS + 1):
            with log_context(event_id=str(event.id), event_type=event.type):
                try:
                    await self._handle([event])
                except Exception as problem:
                    if is_transient(problem):
                        raise
                    log.warning("handling failed", extra={"group": self.consumer.group, "attempt": attempt}, exc_info=True)
                    if isinstance(problem, ValidationError) or (isinstance(problem, Refused) and problem.refusal is not CONFLICT):
                        return "refused", _said(problem)
                    if attempt == ATTEMPTS:
                        return "failed", _said(problem)
                else:
                    return None
            await asyncio.sleep(PAUSE * 2 ** (attempt - 1))
        raise AssertionError("the last attempt returns")

    async def _give_up(self, record: ConsumerRecord[Any, Any], letters: list[str], reason: str, detail: str) -> None:
        """The original bytes and headers go to the dead letters, and later events of the subject wait there with it."""
        group, name, subject = self.consumer.group, name_of(record), _subject(record)
        if reason != "parked":
            await self._halt_if_too_many()
        log.error("event given up", extra={"group": group, "reason": reason, "letter": name})
        origin = header(record, ORIGIN) or f"{record.topic}/{record.partition}/{record.offset}".encode()
        headers = [h for h in record.headers or () if h[0] not in OURS]
        ours = [(ORIGIN, origin), (REASON, reason.encode()), (DETAIL, detail[:500].encode())]
        await self.dead_letters.send_raw(dead_letter_topic(group), record.key, record.value, [*headers, *ours])
        DEADLETTERS.labels(group, reason).inc()
        failpoints.reach(f"{group}.given-up")
        if subject is not None and name not in letters:
            park = {"$set": {"group": group, "subject": subject}, "$push": {"letters": name}}
            await self.db["parked"].update_one({"_id": f"{group}:{subject}"}, park, upsert=True)
            letters.append(name)
        if reason != "parked":
            self._clean = False
            await self.db["dead_letters"].update_one({"_id": group}, {"$inc": {"in_a_row": 1}}, upsert=True)

    async def _halt_if_too_many(self) -> None:
        """Kept in the database: a process that is started again must not set five more aside."""
        row = await self.db["dead_letters"].find_one({"_id": self.consumer.group})
        if row and row["in_a_row"] >= DEAD_IN_A_ROW:
            raise Halted(f"{self.consumer.group}: {DEAD_IN_A_ROW} dead letters in a row and the next event cannot be handled either")

    async def _handled_well(self) -> None:
        if not self._clean:
            await self.db["dead_letters"].update_one({"_id": self.consumer.group}, {"$set": {"in_a_row": 0}})
            self._clean = True


def header(record: ConsumerRecord[Any, Any], name: str) -> bytes | None:
    return next((value for key, value in record.headers or () if key == name), None)


def name_of(record: ConsumerRecord[Any, Any]) -> str:
    """The same for an event however often it is sent: the relay's id, else where it first stood."""
    value = header(record, "id") or header(record, ORIGIN) or f"{record.topic}/{record.partition}/{record.offset}".encode()
    return value.decode("utf-8", "replace")


def _subject(record: ConsumerRecord[Any, Any]) -> str | None:
    """The key, as the relay writes it; legible even where the value is not."""
    try:
        return record.key.decode() if record.key else None
    except UnicodeDecodeError:
        return None


def _said(problem: Exception) -> str:
    """Without the values that a validation found wrong: they may be personal data."""
    if isinstance(problem, ValidationError):
        return "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['type']}" for e in problem.errors(include_input=False, include_url=False)
        )
    return f"{type(problem).__name__}: {problem}"


class Readers:
    """All consumers of a process, on one FastStream broker."""

    def __init__(self, settings: Settings, service: str, db: Database, dead_letters: Producer) -> None:
        self.readings: dict[str, tuple[Reading, Any]] = {}
        self.session_ms = int(settings.consumer_session_seconds * 1000)
        self.problem: BaseException | None = None
        self.db = db
        self.dead_letters = dead_letters
        self._failed = asyncio.Event()
        self._heard: dict[str, tuple[int, dict[Any, int], float]] = {}
        self.broker = KafkaBroker(
            settings.kafka,
            client_id=service,
            consumer_only=True,
            allow_auto_create_topics=False,
            middlewares=(KafkaPrometheusMiddleware(registry=REGISTRY, app_name=service), KafkaTelemetryMiddleware()),
            logger=log,
            log_level=logging.DEBUG,
            graceful_timeout=FINISH_SECONDS,
        )

    def add(self, consumer: Consumer) -> None:
        reading = Reading(consumer, self.db, self.dead_letters)
        subscriber = self.broker.subscriber(
            consumer.name,
            batch=True,
            group_id=consumer.group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            max_records=consumer.at_once,
            batch_timeout_ms=100,
            fetch_max_wait_ms=100,
            session_timeout_ms=self.session_ms,
            heartbeat_interval_ms=self.session_ms // 9,
            max_poll_interval_ms=MAX_POLL_MS,
            parser=_tolerant,
            decoder=_undecoded,
        )

        async def handle(message: KafkaMessage) -> None:
            if self.problem is not None:
                # FastStream would hand over the same records again and again until it is stopped
                await asyncio.sleep(0.5)
                raise NackMessage
            records = message.raw_message
            try:
                await reading.take(records if isinstance(records, tuple) else (records,))
            except Exception as problem:
                self._fail(problem)
                raise

        subscriber(handle)
        self.readings[consumer.group] = (reading, subscriber)

    def _fail(self, problem: BaseException) -> None:
        self.problem = self.problem or problem
        self._failed.set()

    async def run(self) -> None:
        """Until cancelled; raises when a consumer cannot go on, so that the process is started again."""
        try:
            await self._join()
            while self.problem is None:
                for group, (reading, subscriber) in self.readings.items():
                    await self._look_at(group, reading, subscriber)
                with suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_SECONDS):
                        await self._failed.wait()
            raise RuntimeError("a consumer could not go on") from self.problem
        finally:
            async with asyncio.timeout(FINISH_SECONDS + CLOSE_SECONDS):
                await self.broker.stop()

    async def _join(self) -> None:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await self.broker.start()
        except TimeoutError as problem:
            raise RuntimeError(f"the consumers were not let into their groups within {JOIN_SECONDS:.0f} s") from problem

    async def _look_at(self, group: str, reading: Reading, subscriber: Any) -> None:
        """aiokafka tells nobody when it stalls or never gets a partition (#847, #1187).

        The broker's last answer does, and whether what it announced is taken: a loop that hangs in a commit goes on fetching.
        """
        client: AIOKafkaConsumer = subscriber.consumer
        assigned = client.assignment()
        CONSUMER_ASSIGNED.labels(group).set(len(assigned))
        answered = max((client.last_poll_timestamp(p) or 0 for p in assigned), default=0)
        ends = {partition: client.highwater(partition) or 0 for partition in assigned}
        taken: dict[Any, int] = {}
        for partition in assigned:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(1):
                    taken[partition] = await client.position(partition)
        lag = sum(max(0, ends[partition] - position) for partition, position in taken.items())
        CONSUMER_LAG.labels(group).set(lag)
        answered_before, taken_before, at = self._heard.get(group, (0, {}, time.monotonic()))
        if reading.busy or (answered and answered != answered_before and (not lag or taken != taken_before)):
            at = time.monotonic()
        self._heard[group] = (answered, taken, at)
        silent = time.monotonic() - at
        CONSUMER_POLL_AGE.labels(group).set(silent)
        if any(task.done() for task in subscriber.tasks):
            self._fail(RuntimeError(f"{group}: the consumer's loop has ended"))
        if silent > SILENT_SECONDS:
            self._fail(RuntimeError(f"{group}: no partition or no answer from the broker, or nothing taken, for {silent:.0f} s"))


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
