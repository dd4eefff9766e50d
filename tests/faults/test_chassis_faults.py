"""Stores and processes that die while work flows. Whatever happens: no effect is lost or doubled, and none overtakes another.

The long ones carry the mark `faults` (`make faults`); a short slice runs with all other tests.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infra.local import Stack
from services.chassis.errors import Refused
from services.chassis.mongo import PyMongoError
from tests.integration.chassis_service import Toy, open_toy, until

BOXES = [f"box-{n}" for n in range(6)]
LONGEST_END = 30.0
"""Seconds that a process may take to end while a store is away."""


class Writers:
    """Put balls into boxes until told to stop. A write with an unknown outcome may count: the database says what is true."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.stopped = False
        self.written = 0

    async def write(self, box: str) -> None:
        nth = 0
        while not self.stopped:
            nth += 1
            try:
                await self.toy.put(box, f"{box}/{nth}")
            except (PyMongoError, Refused):
                await asyncio.sleep(0.2)
            else:
                self.written += 1
            await asyncio.sleep(0.05)

    async def have_written(self, number: int) -> None:
        """So many more."""
        goal = self.written + number
        await until(lambda: asyncio.sleep(0, self.written >= goal))


@asynccontextmanager
async def flowing(toy: Toy) -> AsyncIterator[Writers]:
    writers = Writers(toy)
    tasks = [asyncio.create_task(writers.write(box)) for box in BOXES]
    try:
        yield writers
    finally:
        writers.stopped = True
        await asyncio.gather(*tasks)


@asynccontextmanager
async def kept_up(toy: Toy, *roles: str, count: int = 1) -> AsyncIterator[list[int]]:
    """Processes that are started again when they die, as the stack does. Yields their exit statuses so far."""
    statuses: list[int] = []

    async def keep() -> None:
        while True:
            process = toy.start(*roles)
            await until_ended(process.poll)
            statuses.append(process.returncode)

    tasks = [asyncio.create_task(keep()) for _ in range(count)]
    try:
        yield statuses
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        toy.end_processes()


async def until_ended(poll: object) -> None:
    while poll() is None:  # type: ignore[operator] # Popen.poll  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(0.1)


async def everything_arrived(toy: Toy) -> None:
    async def arrived() -> bool:
        try:
            boxes = await toy.db["boxes"].find().to_list(None)
            effects = await toy.db["effects"].count_documents({})
            return bool(effects >= sum(b["sequence"] for b in boxes))
        except PyMongoError:
            return False

    await until(arrived)


async def check_history(toy: Toy) -> None:
    """The boxes are the truth: each change of a box has exactly one effect, in order."""
    boxes = await toy.db["boxes"].find().to_list(None)
    assert len(boxes) == len(BOXES)
    for box in boxes:
        assert len(box["balls"]) == box["sequence"]
        effects = await toy.db["effects"].find({"subject": box["_id"]}).sort("$natural", 1).to_list(None)
        assert [e["sequence"] for e in effects] == list(range(1, box["sequence"] + 1))
        assert [e["ball"] for e in effects] == box["balls"]
    assert await toy.db["outbox"].count_documents({"published_at": None}) == 0
    assert await toy.dead() == []


async def kills(toy: Toy, seed: int, rounds: int) -> None:
    """Processes that die again and again at chance moments of relaying and handling."""
    chance = random.Random(seed)
    moments = ["relay.published", *(f"{toy.group}.{m}" for m in ("before-commit", "committed", "handled"))]
    async with flowing(toy) as writers:
        for _ in range(rounds):
            process = toy.start("worker", "relay", failpoint=f"{chance.choice(moments)}:{chance.randint(1, 4)}")
            status, lines = await toy.ended(process)
            assert status == -signal.SIGKILL, lines[-1]
            await toy.db["relay_leases"].delete_many({})  # rather than wait for the dead relay's leases
        await writers.have_written(10)
    async with kept_up(toy, "worker", "relay"):
        await everything_arrived(toy)
    await check_history(toy)


async def test_two_kills_at_chance_moments_lose_and_double_nothing(toy: Toy) -> None:
    await kills(toy, seed=1, rounds=2)


@pytest.mark.faults
@pytest.mark.parametrize("seed", [2, 3, 4])
async def test_many_kills_at_chance_moments_lose_and_double_nothing(toy: Toy, seed: int) -> None:
    await kills(toy, seed, rounds=8)


@pytest.mark.faults
async def test_two_relays_and_three_workers_of_which_one_dies_during_a_rebalance(stores: Stack) -> None:
    async with open_toy(stores, partitions=3) as toy, flowing(toy) as writers:
        async with kept_up(toy, "relay", count=2), kept_up(toy, "worker", count=2):
            await writers.have_written(60)
            joining = toy.start("worker")
            await asyncio.sleep(1.5)  # about the moment at which it joins the group
            joining.kill()
            leaving = toy.start("worker")
            await writers.have_written(60)
            leaving.terminate()
            await writers.have_written(60)
            writers.stopped = True
            await everything_arrived(toy)
        await check_history(toy)


@pytest.mark.faults
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
async def test_the_database_restarts_and_the_processes_wait_for_it_in_place(toy: Toy, stores: Stack, signum: signal.Signals) -> None:
    async with kept_up(toy, "worker", "relay") as statuses:
        async with flowing(toy) as writers:
            await writers.have_written(60)
            await asyncio.to_thread(stores.restart, "mongod", signum)
            await writers.have_written(60)
        await everything_arrived(toy)
        assert statuses == [], "a restart of the database is no reason to end"
    await check_history(toy)


@pytest.mark.faults
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
async def test_the_broker_restarts_and_what_was_written_meanwhile_arrives(toy: Toy, stores: Stack, signum: signal.Signals) -> None:
    async with kept_up(toy, "worker", "relay"):
        async with flowing(toy) as writers:
            await writers.have_written(60)
            await asyncio.to_thread(stores.restart, "kafka", signum)
            await writers.have_written(60)
        await everything_arrived(toy)
    await check_history(toy)


@pytest.mark.faults
@pytest.mark.parametrize("store", ["kafka", "mongod"])
async def test_a_process_ends_soon_although_a_store_is_away(toy: Toy, stores: Stack, store: str) -> None:
    await toy.put("box", "ball")
    process = toy.start("worker", "relay")
    await until(lambda: toy.db["effects"].count_documents({}))
    await asyncio.to_thread(stores.end, store)
    try:
        await asyncio.sleep(2)
        process.terminate()
        await toy.ended(process, patience=LONGEST_END)
        status, _ = await toy.ended(toy.start("worker", "relay"))
        assert status != 0, "without its stores a process does not start, and says so"
    finally:
        await asyncio.to_thread(stores.begin, store)
