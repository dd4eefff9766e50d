"""A toy service on the chassis: boxes that balls are put into. Its worker and relay run as real processes in the kill tests.

`python -m tests.integration.chassis_service worker|relay`, with TOY_TOPIC in the environment and, at will, TOY_POISON
(balls that cannot be handled), TOY_SLOW (seconds that handling takes) and TOY_BLOCKED (seconds for which the first one holds
up the event loop).
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError
from fastapi import FastAPI
from pymongo import MongoClient

from contracts.event import Event, Fact
from contracts.topics import dead_letter_topic
from infra.local import Stack
from infra.stack.instance import LOOPBACK
from infra.stack.processes import service_environment
from services.chassis import deadletter, inbox, kafka, outbox
from services.chassis.aggregates import Change, save
from services.chassis.kafka import Consumer, Readers, Reading, producer
from services.chassis.mongo import Database, Document, Session, connect, transaction
from services.chassis.process import Parts, Service, run
from services.chassis.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "toy"
PATIENCE = 120.0
COLLECTIONS = ("outbox", "inbox", "parked", "dead_letters", "relay_leases", "boxes", "effects", "begun")


def ball_fact(topic: str) -> type[Fact]:
    class BallAddedV1(Fact):
        ball: str

    BallAddedV1.topic = topic
    return BallAddedV1


@dataclass
class Handling:
    """Writes one row an event, without any guard of its own, so that a doubled or lost effect is seen."""

    db: Database
    poison: set[str] = field(default_factory=set)
    problems: list[Exception] = field(default_factory=list)
    problem: Callable[[str], Exception] = ValueError
    calls: list[int] = field(default_factory=list)
    slow: float = 0
    blocked: float = 0

    async def __call__(self, session: Session, events: list[Event[Any]]) -> None:
        self.calls.append(len(events))
        if self.problems:
            raise self.problems.pop(0)
        rows = [{"event": str(e.id), "subject": e.subject, "sequence": e.sequence, "ball": e.data.ball} for e in events]
        await self.db["effects"].insert_many(rows, session=session)
        if self.slow:
            await self.db["begun"].insert_one({})  # outside the transaction, for all to see
            await asyncio.sleep(self.slow)
        if self.blocked:
            await self.db["begun"].insert_one({})
            seconds, self.blocked = self.blocked, 0
            time.sleep(seconds)  # noqa: ASYNC251 - holding up the event loop is what it is for
        for event in events:
            if event.data.ball in self.poison:
                raise self.problem(event.data.ball)


@dataclass
class Toy:
    """The toy service seen from a test: one topic, group and clean database of its own."""

    environment: dict[str, str]
    settings: Settings
    db: Database
    topic: str
    partitions: int
    writer: AIOKafkaProducer
    reader: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    handling: Handling
    processes: dict[subprocess.Popen[bytes], IO[bytes]] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return f"{SERVICE}.{self.topic}"

    def event(self, subject: str, sequence: int, ball: str = "") -> Event[Any]:
        fact = ball_fact(self.topic)
        return outbox.event(fact(ball=ball or f"{subject}{sequence}"), subject=subject, sequence=sequence, actor="tester")

    async def put(self, box: str, *balls: str, sequence: int | None = None) -> None:
        """As a service does it: the new state and its events in one transaction."""
        fact = ball_fact(self.topic)

        async def work(session: Session) -> None:
            known = await self.db["boxes"].find_one({"_id": box}, session=session) or {"_id": box, "balls": []}
            if sequence is not None:
                known["sequence"] = sequence
            state = {**known, "balls": [*known["balls"], *balls]}
            await save(self.db, session, "boxes", [Change(state, *(fact(ball=b) for b in balls))], actor="tester")

        await transaction(self.db, work)

    async def send(self, *events: Event[Any], partition: int | None = None) -> None:
        """Past the outbox, as the relay would write it."""
        for e in events:
            await self.raw(e.subject.encode(), e.model_dump_json(serialize_as_any=True).encode(), [("id", str(e.id).encode())], partition)

    async def raw(
        self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]] = (), partition: int | None = None
    ) -> None:
        await self.writer.send_and_wait(self.topic, value=value, key=key, headers=list(headers), partition=partition)

    def consumer(self) -> Consumer:
        return consumer_of(self.topic, self.handling)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[asyncio.Task[None]]:
        """The real readers, in this process."""
        async with producer(self.settings, SERVICE) as letters:
            readers = Readers(self.settings, SERVICE, self.db, letters)
            readers.add(self.consumer())
            task = asyncio.create_task(readers.run())
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.wait([task])

    @asynccontextmanager
    async def a_reading(self) -> AsyncIterator[Reading]:
        """Without a broker's consumer in front: the test hands over the records."""
        async with producer(self.settings, SERVICE) as letters:
            yield Reading(self.consumer(), self.db, letters)

    async def replay(self, *without: int) -> int:
        async with producer(self.settings, SERVICE) as sender:
            return await deadletter.replay(self.settings, self.db, sender, self.group, without)

    async def effects(self) -> list[str]:
        return [str(row["ball"]) async for row in self.db["effects"].find().sort("$natural", 1)]

    async def effects_of(self, subject: str) -> list[int]:
        return [int(row["sequence"]) async for row in self.db["effects"].find({"subject": subject}).sort("$natural", 1)]

    async def records(self, topic: str | None = None) -> list[ConsumerRecord[Any, Any]]:
        """All that is in a topic, oldest first in each partition."""
        name = topic or self.topic
        partitions = [TopicPartition(name, p) for p in range(self.partitions if name == self.topic else 1)]
        self.reader.assign(partitions)
        await self.reader.seek_to_beginning(*partitions)
        ends = await self.reader.end_offsets(partitions)
        found: list[ConsumerRecord[Any, Any]] = []
        for partition in partitions:
            while await self.reader.position(partition) < ends[partition]:
                for records in (await self.reader.getmany(partition, timeout_ms=200)).values():
                    found.extend(records)
        return found

    async def dead(self) -> list[ConsumerRecord[Any, Any]]:
        return await self.records(dead_letter_topic(self.group))

    async def committed(self) -> int:
        """Sum of the group's committed offsets."""
        while True:
            try:
                offsets = await self.admin.list_consumer_group_offsets(self.group)
            except GroupCoordinatorNotAvailableError:  # the broker makes the topic of the offsets when first asked
                await asyncio.sleep(0.1)
            else:
                return sum(o.offset for o in offsets.values() if o.offset > 0)

    async def settled(self) -> bool:
        """Everything that is in the topic was taken and its offset committed."""
        ends = await self.reader.end_offsets([TopicPartition(self.topic, p) for p in range(self.partitions)])
        return bool(await self.committed() == sum(ends.values()))

    def start(self, *roles: str, failpoint: str = "", **more: str) -> subprocess.Popen[bytes]:
        """A real process of the toy service."""
        own = {"TOY_TOPIC": self.topic, "HOCBA_FAILPOINT": failpoint, "HOCBA_ADMIN_PORT": _free_port()}
        own["HOCBA_CONSUMER_SESSION_SECONDS"] = "6"  # tests wait for it after a kill
        environment = {**os.environ, **self.environment, **own, **more}
        command = [sys.executable, "-m", "tests.integration.chassis_service", *roles]
        log = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - as long as the process; a pipe would fill up and hold it
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        self.processes[process] = log
        return process

    async def ended(self, process: subprocess.Popen[bytes], patience: float = PATIENCE) -> tuple[int, list[dict[str, Any]]]:
        """Exit status (negative: the signal that killed it) and what it logged."""
        with suppress(TimeoutError):
            await until(lambda: asyncio.sleep(0, process.poll() is not None), patience)
        log = self.processes[process]
        log.seek(0)
        lines = log.read().decode().splitlines()
        assert process.returncode is not None, "\n".join(lines[-20:])
        return process.returncode, [json.loads(line) for line in lines if line.startswith("{")]

    def end_processes(self) -> None:
        for process, log in self.processes.items():
            process.kill()
            process.wait()
            log.close()


_PORTS = count(20_000 + os.getpid() % 5_000)


def _free_port() -> str:
    """Below the ports that the system gives to outgoing connections: one of those might take it before the process does."""
    for port in _PORTS:
        with suppress(OSError), socket.create_server((LOOPBACK, port)):
            return str(port)
    raise AssertionError("no free port")


async def until(condition: Callable[[], Awaitable[object]], patience: float = PATIENCE) -> None:
    async with asyncio.timeout(patience):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in a database or a topic
            await asyncio.sleep(0.05)


_RUNNING = pytest.StashKey[Stack]()


def running_stores(config: pytest.Config) -> Stack:
    """Started by whoever needs them first, stopped when pytest ends."""
    if _RUNNING not in config.stash:
        config.stash[_RUNNING] = stack = Stack("chassis", only=["mongod", "kafka", "minio"], fresh=True, report=lambda _: None).start()
        config.add_cleanup(stack.stop)
        with root(stack) as client:
            # what a killed process left open ends sooner than after the usual 60 s
            client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 4})
    return config.stash[_RUNNING]


def root(stack: Stack) -> MongoClient[Document]:
    url = f"mongodb://{stack.instance.address('mongod')}/?directConnection=true"
    return MongoClient(url, username="root", password=stack.instance.secret("mongo-root"))


def toy_environment(stack: Stack) -> dict[str, str]:
    """As records is told, with a user and database of the toy service's own."""
    instance = stack.instance
    password = instance.secrets / "mongo-records"
    with root(stack) as client:
        if not client[SERVICE].command("usersInfo", SERVICE)["users"]:
            roles = [{"role": role, "db": SERVICE} for role in ("readWrite", "dbAdmin")]
            client[SERVICE].command("createUser", SERVICE, pwd=password.read_text().strip(), roles=roles)
    return {**service_environment(instance, "records"), "HOCBA_MONGO_USER": SERVICE}


def settings_of(environment: dict[str, str]) -> Settings:
    return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})


@asynccontextmanager
async def open_toy(stack: Stack, *, partitions: int = 1) -> AsyncIterator[Toy]:
    environment = toy_environment(stack)
    settings = settings_of(environment)
    topic = f"toy.balls-{uuid4().hex[:12]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1), NewTopic(dead_letter_topic(f"{SERVICE}.{topic}"), 1, 1)])
        async with connect(settings, SERVICE) as db:
            for name in COLLECTIONS:
                await db[name].delete_many({})
            await outbox.ensure_indexes(db)
            await inbox.ensure_indexes(db)
            async with (
                AIOKafkaProducer(bootstrap_servers=settings.kafka) as writer,
                AIOKafkaConsumer(bootstrap_servers=settings.kafka, enable_auto_commit=False) as reader,
            ):
                toy = Toy(environment, settings, db, topic, partitions, writer, reader, admin, Handling(db))
                try:
                    yield toy
                finally:
                    toy.end_processes()
    finally:
        await admin.close()


# --- the process -------------------------------------------------------------------------------------------------------


def consumer_of(topic: str, handling: Handling) -> Consumer:
    consumer = Consumer(SERVICE, topic)
    consumer.on(ball_fact(topic))(handling)
    return consumer


def consumers(parts: Parts) -> Sequence[Consumer]:
    poison = {ball for ball in os.environ.get("TOY_POISON", "").split(",") if ball}
    handling = Handling(parts.db, poison=poison, slow=_seconds("TOY_SLOW"), blocked=_seconds("TOY_BLOCKED"))
    return [consumer_of(os.environ["TOY_TOPIC"], handling)]


def _seconds(name: str) -> float:
    return float(os.environ.get(name, "0"))


async def no_indexes(db: Database) -> None:
    del db


service = Service(name=SERVICE, web=lambda _: FastAPI(), indexes=no_indexes, consumers=consumers)

if __name__ == "__main__":
    kafka.PAUSE = 0.01
    run(service)
