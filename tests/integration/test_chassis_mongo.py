"""Transactions and leases on a real replica set."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.chassis import clock, leases
from services.chassis.mongo import Database, DuplicateKeyError, OperationFailure, PyMongoError, Session, connect, may_pass, transaction
from tests.integration.chassis_proxy import Proxy, proxy_to
from tests.integration.chassis_service import SERVICE, Toy, until


async def test_writers_that_conflict_are_run_again_until_each_had_its_effect(toy: Toy) -> None:
    await toy.db["boxes"].insert_one({"_id": "box", "count": 0})
    runs = 0

    async def work(session: Session) -> None:
        nonlocal runs
        runs += 1
        box = await toy.db["boxes"].find_one({"_id": "box"}, session=session)
        assert box is not None
        await asyncio.sleep(0.01)
        await toy.db["boxes"].update_one({"_id": "box"}, {"$set": {"count": box["count"] + 1}}, session=session)

    await asyncio.gather(*(transaction(toy.db, work) for _ in range(5)))
    box = await toy.db["boxes"].find_one({"_id": "box"})
    assert box is not None
    assert box["count"] == 5
    assert runs > 5


async def test_a_duplicate_key_comes_out_of_the_transaction_and_will_not_pass_by_itself(toy: Toy) -> None:
    async def work(session: Session) -> None:
        await toy.db["boxes"].insert_one({"_id": "other"}, session=session)
        await toy.db["boxes"].insert_one({"_id": "box"}, session=session)

    await toy.db["boxes"].insert_one({"_id": "box"})
    with pytest.raises(DuplicateKeyError) as caught:
        await transaction(toy.db, work)
    assert not may_pass(caught.value)
    assert await toy.db["boxes"].count_documents({"_id": "other"}) == 0


async def test_a_command_that_the_server_does_not_understand_will_not_pass_by_itself(toy: Toy) -> None:
    with pytest.raises(OperationFailure) as caught:
        await toy.db["boxes"].find_one({"$nonsense": 1})
    assert not may_pass(caught.value)


async def test_a_body_that_raises_or_is_cancelled_leaves_nothing(toy: Toy) -> None:
    async def work(session: Session) -> None:
        await toy.db["boxes"].insert_one({"_id": "box"}, session=session)
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await transaction(toy.db, work)
    assert await toy.db["boxes"].count_documents({}) == 0
    await toy.db["boxes"].insert_one({"_id": "box"})  # no lock is left behind either


async def test_a_commit_whose_answer_is_lost_has_its_effect_once(toy: Toy) -> None:
    async with through_a_proxy(toy) as (proxy, db):

        async def work(session: Session) -> None:
            await db["effects"].insert_one({"once": 1}, session=session)
            proxy.lose_answer = True

        await transaction(db, work)
    assert proxy.lost == 1
    assert await toy.db["effects"].count_documents({}) == 1


async def test_a_connection_that_is_cut_within_a_transaction_runs_it_again(toy: Toy) -> None:
    runs = 0
    async with through_a_proxy(toy) as (proxy, db):

        async def work(session: Session) -> None:
            nonlocal runs
            runs += 1
            await db["effects"].insert_one({"before": 1}, session=session)
            proxy.lose_answer = runs == 1
            await db["effects"].insert_one({"after": 1}, session=session)

        await transaction(db, work)
    assert (runs, proxy.lost) == (2, 1)
    assert await toy.db["effects"].count_documents({}) == 2


@asynccontextmanager
async def through_a_proxy(toy: Toy) -> AsyncIterator[tuple[Proxy, Database]]:
    address = toy.settings.mongo_url.removeprefix("mongodb://").partition("/")[0]
    with proxy_to(address) as proxy:
        settings = toy.settings.model_copy(update={"mongo_url": f"mongodb://{proxy.address}/?directConnection=true"})
        async with connect(settings, SERVICE) as db:
            yield proxy, db


async def test_one_lease_has_one_owner_and_passes_on_when_it_ends(toy: Toy) -> None:
    boxes = toy.db["boxes"]
    await boxes.insert_one({"_id": "box", "state": "due"})
    taken = await asyncio.gather(*(leases.claim(boxes, {"state": "due"}, f"owner{n}", 0.5) for n in range(5)))
    winners = [d for d in taken if d is not None]
    assert len(winners) == 1
    owner = winners[0]["lease"]["owner"]
    assert await leases.renew(boxes, "box", owner, 0.5)
    assert not await leases.renew(boxes, "box", "somebody else", 0.5)
    await until(lambda: leases.claim(boxes, {"state": "due"}, "next", 30))
    assert not await leases.renew(boxes, "box", owner, 0.5)
    await leases.release(boxes, "box", owner)
    assert await leases.claim(boxes, {"state": "due"}, "third", 30) is None
    await leases.release(boxes, "box", "next")
    assert await leases.claim(boxes, {"state": "due"}, "third", 30) is not None


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_process_with_a_wrong_clock_neither_steals_a_lease_nor_keeps_one(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    boxes, right = toy.db["boxes"], clock.now
    await boxes.insert_one({"_id": "box"})
    monkeypatch.setattr(clock, "now", lambda: right() + dt.timedelta(minutes=minutes))
    assert await leases.claim(boxes, {}, "wrong clock", 1.0) is not None
    assert await leases.claim(boxes, {}, "other", 30.0) is None
    await until(lambda: leases.claim(boxes, {}, "other", 30.0))
    assert not await leases.renew(boxes, "box", "wrong clock", 1.0)
    assert await leases.claim(boxes, {}, "wrong clock", 1.0) is None
    assert await leases.hold(boxes, "named", "other", 30.0)
    assert not await leases.hold(boxes, "named", "wrong clock", 30.0)


def test_a_problem_without_an_answer_of_the_server_may_pass() -> None:
    assert may_pass(PyMongoError("connection closed"))
