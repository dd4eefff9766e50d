"""State and events are one, and reach Kafka in order, whichever relay carries them and whenever it dies."""

from __future__ import annotations

import asyncio
import datetime as dt
import signal

import pytest

from contracts.event import Event, Fact
from services.chassis import clock, outbox, relay
from services.chassis.errors import CONFLICT, Refused
from services.chassis.kafka import producer
from services.chassis.mongo import Session, transaction
from services.chassis.relay import Relay
from tests.integration.chassis_service import SERVICE, Toy, until


async def sequences(toy: Toy, subject: str) -> list[int]:
    """As they stand in the topic."""
    return [Event[Fact].model_validate_json(r.value).sequence for r in await toy.records() if r.key == subject.encode()]


async def test_a_state_that_was_committed_has_its_events_with_consecutive_sequences(toy: Toy) -> None:
    await toy.put("box", "red", "green")
    await toy.put("box", "blue")
    box = await toy.db["boxes"].find_one({"_id": "box"})
    assert box is not None
    assert (box["balls"], box["sequence"]) == (["red", "green", "blue"], 3)
    waiting = await toy.db["outbox"].find().sort("sequence", 1).to_list(None)
    assert [(e["subject"], e["sequence"], e["published_at"]) for e in waiting] == [("box", 1, None), ("box", 2, None), ("box", 3, None)]


async def test_a_change_that_is_abandoned_leaves_neither_state_nor_event(toy: Toy) -> None:
    async def work(session: Session) -> None:
        await toy.db["boxes"].insert_one({"_id": "box"}, session=session)
        await outbox.append(toy.db, session, [toy.event("box", 1)])
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(toy.db, work)
    assert await toy.db["boxes"].count_documents({}) == 0
    assert await toy.db["outbox"].count_documents({}) == 0


async def test_of_two_who_change_one_aggregate_at_once_one_wins_and_the_other_is_told(toy: Toy) -> None:
    await toy.put("box", "first")
    outcomes = await asyncio.gather(*(toy.put("box", f"ball{n}", sequence=1) for n in range(5)), return_exceptions=True)
    refused = [o for o in outcomes if isinstance(o, Refused)]
    assert len(refused) == 4
    assert all(r.refusal is CONFLICT for r in refused)
    box = await toy.db["boxes"].find_one({"_id": "box"})
    assert box is not None
    assert (len(box["balls"]), box["sequence"]) == (2, 2)
    assert await toy.db["outbox"].count_documents({}) == 2


async def test_of_two_who_make_one_aggregate_at_once_one_wins_and_the_other_is_told(toy: Toy) -> None:
    outcomes = await asyncio.gather(*(toy.put("box", f"ball{n}", sequence=0) for n in range(5)), return_exceptions=True)
    assert len([o for o in outcomes if isinstance(o, Refused) and o.refusal is CONFLICT]) == 4
    assert await toy.db["outbox"].count_documents({}) == 1


async def test_an_event_too_large_for_kafka_is_refused_where_it_is_written(toy: Toy) -> None:
    with pytest.raises(ValueError, match="larger than"):
        await toy.put("box", "x" * outbox.MAX_BODY)
    assert await toy.db["boxes"].count_documents({}) == 0


async def test_two_relays_share_the_work_and_keep_the_order_of_each_subject(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH", 7)
    monkeypatch.setattr(relay, "RENEW_SECONDS", 0.2)
    boxes = [f"box-{n}" for n in range(12)]
    async with producer(toy.settings, SERVICE) as first, producer(toy.settings, SERVICE) as second:
        relays = [asyncio.create_task(Relay(toy.db, p).run()) for p in (first, second)]
        try:
            for nth in range(10):
                await asyncio.gather(*(toy.put(box, f"{box}/{nth}") for box in boxes))
            await until(lambda: all_published(toy))
        finally:
            for task in relays:
                task.cancel()
            await asyncio.wait(relays)
    for box in boxes:
        assert await sequences(toy, box) == list(range(1, 11))


async def all_published(toy: Toy) -> bool:
    return await toy.db["outbox"].count_documents({"published_at": None}) == 0


async def test_a_subject_keeps_its_order_when_the_clocks_of_its_writers_differ(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its second event claims to be older than its first, and more wait than a batch holds."""
    monkeypatch.setattr(relay, "BATCH", 3)
    now = clock.now()
    for sequence in range(1, 11):
        monkeypatch.setattr(clock, "now", lambda at=now - dt.timedelta(minutes=sequence): at)
        await toy.put("box", f"ball{sequence}")
    async with producer(toy.settings, SERVICE) as sender:
        one = Relay(toy.db, sender)
        await one.take_buckets()
        while await one.publish_pending():
            pass
    assert await sequences(toy, "box") == list(range(1, 11))


async def test_a_relay_leaves_the_buckets_of_another_alone_until_the_lease_ends(toy: Toy) -> None:
    await toy.put("box", "ball")
    async with producer(toy.settings, SERVICE) as sender:
        dead, standby = Relay(toy.db, sender, lease_seconds=1.0), Relay(toy.db, sender, lease_seconds=1.0)
        await dead.take_buckets()
        await standby.take_buckets()
        assert (len(dead.buckets), standby.buckets) == (outbox.BUCKETS, [])
        assert await standby.publish_pending() == 0

        async def taken_over() -> bool:
            await standby.take_buckets()
            return len(standby.buckets) == outbox.BUCKETS

        await until(taken_over)
        assert await standby.publish_pending() == 1
        await dead.take_buckets()
        assert dead.buckets == []


async def holds_all(toy: Toy, relay: Relay) -> bool:
    return await toy.db["relay_leases"].count_documents({"lease.owner": relay.owner}) == outbox.BUCKETS


async def test_a_relay_that_ends_in_order_gives_its_buckets_back_at_once(toy: Toy) -> None:
    async with producer(toy.settings, SERVICE) as sender:
        first, second = Relay(toy.db, sender), Relay(toy.db, sender)
        running = asyncio.create_task(first.run())
        await until(lambda: holds_all(toy, first))
        running.cancel()
        await asyncio.wait([running])
        await second.take_buckets()
    assert len(second.buckets) == outbox.BUCKETS


async def test_a_relay_killed_between_publishing_and_marking_repeats_and_the_inbox_drops_the_repeats(toy: Toy) -> None:
    for nth in range(3):
        await toy.put("box", f"ball{nth}")
    killed, _ = await toy.ended(toy.start("relay", failpoint="relay.published:2"))
    assert killed == -signal.SIGKILL
    assert await sequences(toy, "box") == [1, 2]
    assert await toy.db["outbox"].count_documents({"published_at": None}) == 2
    await toy.db["relay_leases"].delete_many({})  # rather than wait for the dead relay's leases
    async with toy.reading():
        again = toy.start("relay")
        await until(lambda: all_published(toy))
        again.terminate()
        assert (await toy.ended(again))[0] == 0
        assert await sequences(toy, "box") == [1, 2, 2, 3]
        await until(lambda: toy.db["effects"].count_documents({"sequence": 3}))
    assert await toy.effects_of("box") == [1, 2, 3]
