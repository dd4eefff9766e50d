"""What FastStream, aiokafka and Kafka do by themselves and the chassis must not let happen. The map: docs/architecture/reliability.md."""

from __future__ import annotations

import asyncio
import re
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import OutOfOrderSequenceNumber
from aiokafka.protocol.group import LeaveGroupRequest

from contracts.event import Event
from contracts.topics import TOPICS, dead_letter_topics
from infra.local import Stack
from services.chassis import kafka
from services.chassis.kafka import REASON, ProducerLost, Readers, header, producer
from services.chassis.metrics import INBOX_DUPLICATES
from services.chassis.mongo import PyMongoError, Session
from services.chassis.relay import Relay
from tests.integration.chassis_proxy import CREATE_TOPICS, FETCH, JOIN_GROUP, METADATA, OFFSET_COMMIT, PRODUCE, KafkaProxy, kafka_proxy_to
from tests.integration.chassis_service import ROOT, SERVICE, Handling, Toy, open_toy, until

LIMIT = 60.0
"""Seconds after which something that ought to end is said to hang."""
Impatient = Callable[[], AbstractContextManager[None]]


@asynccontextmanager
async def through_a_proxy(toy: Toy) -> AsyncIterator[tuple[KafkaProxy, Toy]]:
    """The same toy, whose own clients reach the broker through the proxy only; the test's clients do not."""
    with kafka_proxy_to(toy.settings.kafka) as proxy:
        yield proxy, replace(toy, settings=toy.settings.model_copy(update={"kafka": proxy.address}))


@asynccontextmanager
async def relaying(toy: Toy) -> AsyncIterator[tuple[asyncio.Task[None], kafka.Producer]]:
    async with producer(toy.settings, SERVICE) as sender:
        task = asyncio.create_task(Relay(toy.db, sender).run())
        try:
            yield task, sender
        finally:
            task.cancel()
            await asyncio.wait([task])


async def end_of(running: asyncio.Task[None]) -> str:
    """What a part of a process that cannot go on says, with all its reasons."""
    done, _ = await asyncio.wait([running], timeout=LIMIT)
    assert done, "it hangs"
    said: list[str] = []
    problems: list[BaseException | None] = [running.exception()]
    while problems:
        problem = problems.pop()
        if problem is not None:
            said.append(f"{type(problem).__name__}: {problem}")
            problems += [problem.__cause__, problem.__context__, *getattr(problem, "exceptions", ())]
    return "\n".join(said)


async def published(toy: Toy) -> bool:
    return await toy.db["outbox"].count_documents({"published_at": None}) == 0


async def members(toy: Toy) -> set[str]:
    (answer,) = await toy.admin.describe_consumer_groups([toy.group])
    return {str(member[0]) for member in answer.groups[0][5]}


async def throw_out(toy: Toy) -> None:
    """The group's only member, as the broker does when it hears nothing of it for a session."""
    (member,) = await members(toy)
    coordinator = await toy.admin.find_coordinator(toy.group)
    answer = await toy.admin._client.send(coordinator, LeaveGroupRequest(toy.group, member))
    assert answer.error_code == 0


def test_the_map_of_traps_names_tests_that_exist() -> None:
    page = (ROOT / "docs/architecture/reliability.md").read_text()
    rows = re.findall(r"^\| .* \| (traps|consumer): (\*.*\*) \|$", page, re.MULTILINE)
    assert len(rows) > 20
    for file, names in rows:
        tests = (ROOT / f"tests/integration/test_chassis_{file}.py").read_text()
        missing = [name for name in re.findall(r"\*([^*]+)\*", names) if f"def test_{name.replace(' ', '_')}(" not in tests]
        assert not missing


# --- topics ------------------------------------------------------------------------------------------------------------


async def test_a_topic_that_is_not_there_is_made_neither_by_reading_nor_by_sending(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic made by its first use has one partition and is lost with one disk."""
    monkeypatch.setattr(kafka, "SEND_SECONDS", 2.0)
    missing = f"toy.missing-{uuid4().hex[:12]}"
    async with through_a_proxy(toy) as (proxy, far):
        lost = replace(far, topic=missing)
        async with lost.reading() as running:
            asked = proxy.seen[METADATA]
            await until(lambda: asyncio.sleep(0, running.done() or proxy.seen[METADATA] > asked + 3))
            await lost.put("box", "ball")
            async with relaying(lost) as (relay, _):
                assert "ProducerLost" in await end_of(relay)
        assert proxy.seen[CREATE_TOPICS] == 0
    assert missing not in await toy.admin.list_topics()
    assert not await published(toy)


def test_no_topic_and_no_group_has_an_underscore_in_its_name() -> None:
    """Kafka's metrics write a dot as an underscore: it refuses two names that differ in this alone."""
    names = {t.name for t in TOPICS} | set(dead_letter_topics()) | {t.group(service) for t in TOPICS for service in t.consumers}
    assert names
    assert not [name for name in names if "_" in name]


def test_the_broker_under_test_is_the_one_that_the_documents_promise(stores: Stack) -> None:
    """The projects' own tests end at Kafka 2.8 (aiokafka) and 4.0 (FastStream): this suite is the evidence for 4.1."""
    assert "metadata.version 4.1-" in (stores.instance.logs / "kafka.log").read_text()


async def test_groups_speak_the_classic_protocol(toy: Toy) -> None:
    async with toy.reading():
        await toy.send(toy.event("box", 1))
        await until(toy.settled)
        (answer,) = await toy.admin.describe_consumer_groups([toy.group])
    assert answer.groups[0][2:5] == ("Stable", "consumer", RoundRobinPartitionAssignor.name)


# --- sending -----------------------------------------------------------------------------------------------------------


async def test_the_broker_is_asked_to_answer_for_all_copies(toy: Toy) -> None:
    """Left to itself a producer is content with the leader's. On a broker without copies only the request can tell."""
    await toy.put("box", "ball")
    async with through_a_proxy(toy) as (proxy, far), relaying(far):
        await until(lambda: published(toy))
    assert acks_of(proxy.last[PRODUCE]) == -1


def acks_of(request: bytes) -> int:
    """After length, kind, version and correlation id come the client's name, no transaction, and what is asked for."""
    (name,) = struct.unpack_from(">h", request, 12)
    transaction, acks = struct.unpack_from(">hh", request, 14 + name)
    assert transaction == -1
    return int(acks)


async def test_an_event_whose_acknowledgement_is_lost_stands_in_the_topic_once(toy: Toy) -> None:
    await toy.put("box", "red", "green")
    async with through_a_proxy(toy) as (proxy, far), relaying(far):
        proxy.lose = PRODUCE
        await until(lambda: published(toy))
    assert proxy.lost == 1
    assert [Event[Any].model_validate_json(r.value).sequence for r in await toy.records()] == [1, 2]


async def test_a_relay_whose_broker_falls_silent_ends_and_the_next_one_sends(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither sending nor closing ends by itself in an idempotent producer."""
    monkeypatch.setattr(kafka, "SEND_SECONDS", 2.0)
    monkeypatch.setattr(kafka, "CLOSE_SECONDS", 0.5)
    await toy.put("box", "ball")
    async with asyncio.timeout(LIMIT), through_a_proxy(toy) as (proxy, far):
        proxy.silent.add(PRODUCE)
        async with relaying(far) as (running, _):
            assert "ProducerLost" in await end_of(running)
        assert not await published(toy)
    async with relaying(toy):
        await until(lambda: published(toy))
    assert len(await toy.records()) == 1


async def test_a_process_whose_broker_never_answers_does_not_wait_for_ever_to_start(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "SEND_SECONDS", 0.5)
    async with asyncio.timeout(LIMIT), through_a_proxy(toy) as (proxy, far):
        proxy.silent.add(METADATA)
        with pytest.raises(ProducerLost):
            async with producer(far.settings, SERVICE):
                raise AssertionError("it started")


async def test_a_consumer_that_cannot_set_a_letter_aside_ends_and_the_next_one_does(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "SEND_SECONDS", 2.0)
    monkeypatch.setattr(kafka, "CLOSE_SECONDS", 0.5)
    await toy.raw(b"box", b"{")
    async with asyncio.timeout(LIMIT), through_a_proxy(toy) as (proxy, far):
        proxy.silent.add(PRODUCE)
        async with far.reading() as running:
            assert "ProducerLost" in await end_of(running)
    assert (await toy.committed(), await toy.dead()) == (0, [])
    async with toy.reading():
        await until(toy.settled)
    assert [header(r, REASON) for r in await toy.dead()] == [b"unreadable"]


async def test_a_producer_that_lost_its_place_ends_the_relay_and_the_next_one_sends_what_is_left(toy: Toy) -> None:
    await toy.put("box", "red")
    async with relaying(toy) as (running, sender):
        await until(lambda: published(toy))
        # from now on the broker takes everything of this producer for out of order
        sender._client._txn_manager.increment_sequence_number(TopicPartition(toy.topic, 0), 5)
        await toy.put("box", "green")
        assert OutOfOrderSequenceNumber.__name__ in await end_of(running)
    assert not await published(toy)
    async with relaying(toy):
        await until(lambda: published(toy))
    assert [Event[Any].model_validate_json(r.value).sequence for r in await toy.records()] == [1, 2]


# --- failures of handling ----------------------------------------------------------------------------------------------


async def test_a_dependency_that_is_away_is_asked_ever_more_rarely(toy: Toy) -> None:
    """FastStream hands a refused record over again at once: hundreds of times in these seconds."""
    toy.handling.problems = [PyMongoError("away")] * 10_000
    await toy.send(toy.event("box", 1))
    began = time.monotonic()
    async with toy.reading():
        await until(lambda: asyncio.sleep(0, toy.handling.calls))
        await asyncio.sleep(2.5)
        pauses = [0.2 * 2**n for n in range(1, len(toy.handling.calls))]
        assert sum(pauses) < time.monotonic() - began, "so many attempts leave no room for the pauses between them"
        toy.handling.problems = []
        await until(toy.settled)
    assert await toy.effects_of("box") == [1]


async def test_a_consumer_that_cannot_go_on_takes_and_commits_nothing_more(stores: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is stopped FastStream hands the same records over without a pause, and an acknowledgement would commit
    everything that was handed over, from whichever partition."""
    monkeypatch.setattr(kafka, "WAIT_SECONDS", 0.0)
    polls = 0
    real = AIOKafkaConsumer.getmany

    async def counted(self: AIOKafkaConsumer, *partitions: TopicPartition, **options: Any) -> Any:
        nonlocal polls
        found = await real(self, *partitions, **options)
        polls += bool(found)
        return found

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", counted)
    async with open_toy(stores, partitions=2) as toy, producer(toy.settings, SERVICE) as letters:
        for partition in range(2):
            await toy.send(toy.event(f"box-{partition}", 1), partition=partition)
        toy.handling.problems = [PyMongoError("away")]
        readers = Readers(toy.settings, SERVICE, toy.db, letters)
        readers.add(toy.consumer())
        await readers.broker.start()
        try:
            await until(lambda: asyncio.sleep(0, readers.problem))
            began, before = time.monotonic(), polls
            await toy.send(toy.event("box-0", 2), partition=0)
            await until(lambda: asyncio.sleep(0, polls >= before + 4))
            assert polls - before <= 2 * (time.monotonic() - began) + 2
        finally:
            await readers.broker.stop()
        assert len(toy.handling.calls) == 1
        assert await toy.committed() == 0
        async with toy.reading():
            await until(toy.settled)
        assert await toy.effects_of("box-0") == [1, 2]
        assert await toy.effects_of("box-1") == [1]


async def test_waiting_for_a_dependency_ends_before_the_group_gives_the_consumer_up(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real limits, forty times shorter. A consumer that waits longer leaves its group, joins again, waits again …"""
    for name in ("WAIT_SECONDS", "MAX_BACKOFF"):
        monkeypatch.setattr(kafka, name, getattr(kafka, name) / 40)
    monkeypatch.setattr(kafka, "MAX_POLL_MS", kafka.MAX_POLL_MS // 40)
    toy.handling.problems = [PyMongoError("away")] * 10_000
    await toy.send(toy.event("box", 1))
    async with toy.reading() as running:
        await until(lambda: asyncio.sleep(0, toy.handling.calls))
        at_first = await members(toy)
        assert len(at_first) == 1
        left: int | None = None
        while not running.done():
            now = await members(toy)
            assert running.done() or now in (at_first, set()), "it joined a second time"
            if not now:
                # what was tried while the broker was asked counts as tried before
                left = len(toy.handling.problems) if left is None else left
                assert len(toy.handling.problems) == left, "it left its group and went on waiting"
            await asyncio.sleep(0.02)
        assert "away" in await end_of(running)


# --- what the broker says goes unheard ---------------------------------------------------------------------------------


async def test_a_commit_that_the_broker_refuses_doubles_no_effect(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    """FastStream writes a line and goes on; the records come again."""
    handling = ThrownOut(toy.db)
    handling.toy = toy
    await toy.send(toy.event("box", 1), toy.event("box", 2))
    async with replace(toy, handling=handling).reading():
        await until(lambda: asyncio.sleep(0, handling.calls))
        await until(toy.settled)
    assert any(r.levelname == "CRITICAL" and "CommitFailed" in r.getMessage() for r in caplog.records)
    assert INBOX_DUPLICATES.labels(toy.group)._value.get() == 2
    assert await toy.effects_of("box") == [1, 2]


class ThrownOut(Handling):
    """While it handles for the first time, its consumer is made to leave the group."""

    toy: Toy

    async def __call__(self, session: Session, events: list[Event[Any]]) -> None:
        await super().__call__(session, events)
        if len(self.calls) == 1:
            await throw_out(self.toy)


async def test_a_process_whose_event_loop_was_held_up_is_replaced_and_what_it_did_meanwhile_counts_once(toy: Toy) -> None:
    await toy.send(*(toy.event("box", n) for n in range(1, 4)))
    held_up = toy.start("worker", TOY_BLOCKED="8")
    await until(lambda: toy.db["begun"].count_documents({}))
    evicted = await members(toy)
    async with replace(toy, settings=toy.settings.model_copy(update={"consumer_session_seconds": 6})).reading():
        await until(toy.settled)
        await until(lambda: joined_again(toy, evicted))
        await toy.send(toy.event("box", 4))
        await until(toy.settled)
    await toy.send(toy.event("box", 5))
    await until(toy.settled)
    held_up.terminate()
    status, _ = await toy.ended(held_up)
    assert status == 0
    assert sorted(await toy.effects_of("box")) == [1, 2, 3, 4, 5]  # rows of two processes have no order within a second


async def joined_again(toy: Toy, before: set[str]) -> bool:
    now = await members(toy)
    return len(now) == 2 and not now & before


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Impatient:
    """Within it two seconds are enough to call a consumer stalled. Not while it starts: a busy machine may take that long."""
    monkeypatch.setattr(kafka, "WATCH_SECONDS", 0.2)

    @contextmanager
    def shorter() -> Iterator[None]:
        with monkeypatch.context() as patch:
            for name, seconds in (("JOIN_SECONDS", 2.0), ("SILENT_SECONDS", 2.0), ("FINISH_SECONDS", 0.2), ("CLOSE_SECONDS", 0.5)):
                patch.setattr(kafka, name, seconds)
            yield

    return shorter


async def test_a_consumer_whose_broker_sends_no_records_any_more_ends_its_process(toy: Toy, impatient: Impatient) -> None:
    async with through_a_proxy(toy) as (proxy, far), far.reading() as running:
        await toy.send(toy.event("box", 1))
        await until(toy.settled)
        proxy.silent.add(FETCH)
        await toy.send(toy.event("box", 2))
        with impatient():
            assert "no answer" in await end_of(running)
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2]


async def test_a_consumer_that_hangs_in_a_commit_ends_its_process_although_it_goes_on_fetching(stores: Stack, impatient: Impatient) -> None:
    async with open_toy(stores, partitions=2) as toy:
        async with through_a_proxy(toy) as (proxy, far), far.reading() as running:
            await toy.send(toy.event("box", 1), partition=0)
            await until(toy.settled)
            proxy.silent.add(OFFSET_COMMIT)
            await toy.send(toy.event("box", 2), partition=0)
            await until(lambda: toy.db["effects"].count_documents({"sequence": 2}))
            await toy.send(toy.event("box", 3), partition=0)
            with impatient():
                assert "nothing taken" in await end_of(running)
        await throw_out(toy)
        async with toy.reading():
            await until(toy.settled)
        assert await toy.effects_of("box") == [1, 2, 3]


async def test_a_consumer_that_is_never_let_into_its_group_ends_its_process(toy: Toy, impatient: Impatient) -> None:
    async with through_a_proxy(toy) as (proxy, far):
        proxy.silent.add(JOIN_GROUP)
        with impatient():
            async with far.reading() as running:
                assert "not let into their groups" in await end_of(running)
    await toy.send(toy.event("box", 1))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [1]
