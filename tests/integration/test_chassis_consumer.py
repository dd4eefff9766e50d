"""Reading from Kafka: each event has its effect once, in order, and one that cannot be handled holds up only its own subject."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from contracts.events.identity import SchoolChangedV1
from infra.local import Stack
from services.chassis import kafka
from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.kafka import DETAIL, ORIGIN, REASON, header
from services.chassis.metrics import DEADLETTERS, INBOX_DUPLICATES, UNKNOWN_TYPES
from services.chassis.mongo import DuplicateKeyError, PyMongoError
from tests.integration.chassis_service import Handling, Toy, consumer_of, open_toy, until

GARBAGE = {
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe{}",
    "nothing": None,
    "an array": b"[1]",
    "deeply nested": b"[" * 100_000,
    "without its data": b'{"type":"BallAddedV1","subject":"a","sequence":1,"occurred_at":"2026-01-01T00:00:00Z","actor":"x","data":{}}',
}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "PAUSE", 0.002)


async def test_a_new_group_starts_with_the_oldest_record_and_takes_many_in_one_transaction(toy: Toy) -> None:
    await toy.send(*(toy.event(f"box-{n % 7}", n // 7 + 1) for n in range(150)))
    async with toy.reading():
        await until(toy.settled)
    assert len(await toy.effects()) == 150
    assert len(toy.handling.calls) < 10
    for box in range(7):
        taken = await toy.effects_of(f"box-{box}")
        assert taken == sorted(taken)


async def test_one_event_that_cannot_be_handled_becomes_a_dead_letter_and_parks_its_subject_alone(toy: Toy) -> None:
    toy.handling.poison = {"bad"}
    bad = toy.event("box-1", 2, "bad")
    await toy.send(toy.event("box-1", 1), toy.event("box-2", 1), bad, toy.event("box-2", 2), toy.event("box-1", 3), toy.event("box-3", 1))
    async with toy.reading():
        await until(toy.settled)
        await toy.send(toy.event("box-1", 4), toy.event("box-3", 2))
        await until(toy.settled)
    assert sorted(await toy.effects()) == ["box-11", "box-21", "box-22", "box-31", "box-32"]
    letters = await toy.dead()
    assert [header(r, REASON) for r in letters] == [b"failed", b"parked", b"parked"]
    assert letters[0].value == bad.model_dump_json(serialize_as_any=True).encode()
    assert letters[0].key == b"box-1"
    assert header(letters[0], "id") == str(bad.id).encode()
    assert header(letters[0], ORIGIN) == f"{toy.topic}/0/2".encode()
    assert header(letters[0], DETAIL) == b"ValueError: bad"


async def test_replayed_letters_are_handled_in_order_once_the_cause_is_gone(toy: Toy) -> None:
    toy.handling.poison = {"bad"}
    await toy.send(toy.event("box", 1), toy.event("box", 2, "bad"), toy.event("box", 3), toy.event("other", 1))
    async with toy.reading():
        await until(toy.settled)
        assert await toy.replay() == 2
        await until(toy.settled)
        assert await toy.effects_of("box") == [1]
        toy.handling.poison = set()
        await toy.send(toy.event("box", 4))
        await until(toy.settled)
        assert await toy.effects_of("box") == [1], "an event that comes while its subject is parked must not overtake"
        assert await toy.replay() == 3
        await until(toy.settled)
        assert await toy.effects_of("box") == [1, 2, 3, 4]
        assert await toy.replay() == 0
        await toy.send(toy.event("box", 5))
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2, 3, 4, 5]
    assert await toy.db["parked"].count_documents({}) == 0


async def test_an_event_that_comes_between_replay_and_the_letters_waits_for_the_next_replay(toy: Toy) -> None:
    toy.handling.poison = {"bad"}
    await toy.send(toy.event("box", 1, "bad"), toy.event("box", 2))
    async with toy.reading():
        await until(toy.settled)
    toy.handling.poison = set()
    await toy.send(toy.event("box", 3))
    await toy.replay()
    async with toy.reading():
        await until(toy.settled)
        assert await toy.effects_of("box") == [1, 2]
        assert await toy.replay() == 1
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2, 3]


async def test_a_replayed_letter_of_one_group_is_nothing_to_another(toy: Toy) -> None:
    """However long ago the other had it: its inbox forgets after some weeks, letters are kept."""
    toy.handling.poison = {"bad"}
    await toy.send(toy.event("box", 1, "bad"), toy.event("box", 2))
    async with toy.reading():
        await until(toy.settled)
    toy.handling.poison = set()
    await toy.replay()
    records = await toy.records()
    other = Handling(toy.db)
    async with toy.a_reading() as reading:
        reading.consumer.service = "other"
        reading.consumer.handlers = consumer_of(toy.topic, other).handlers
        await reading.take(records[:2])
        await toy.db["inbox"].delete_many({})
        await reading.take(records[2:])
    assert other.calls == [2]


async def test_a_letter_can_be_left_out_for_good_so_that_its_subject_goes_on(toy: Toy) -> None:
    await toy.raw(b"box", b"{")
    await toy.send(toy.event("box", 1))
    async with toy.reading():
        await until(toy.settled)
        letters = await toy.dead()
        assert [header(r, REASON) for r in letters] == [b"unreadable", b"parked"]
        assert await toy.replay(letters[0].offset) == 1
        await until(toy.settled)
        await toy.send(toy.event("box", 2))
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2]


@pytest.mark.parametrize("value", GARBAGE.values(), ids=GARBAGE.keys())
async def test_a_record_that_cannot_be_read_is_kept_and_stops_nothing(toy: Toy, value: bytes | None) -> None:
    await toy.send(toy.event("box", 1))
    await toy.raw(b"garbage", value, [("own", b"header")])
    await toy.send(toy.event("box", 2))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2]
    (letter,) = await toy.dead()
    assert (letter.value, header(letter, REASON), header(letter, "own")) == (value, b"unreadable", b"header")


@pytest.mark.parametrize("value", [None, b"\xff\xfe"], ids=["null", "not UTF-8"])
async def test_a_header_that_is_no_text_loses_no_record(toy: Toy, value: bytes | None) -> None:
    odd = toy.event("box", 2)
    await toy.send(toy.event("box", 1))
    await toy.raw(b"box", odd.model_dump_json(serialize_as_any=True).encode(), [("odd", value), ("traceparent", value), ("id", value)])
    await toy.raw(b"garbage", b"{", [("odd", value)])
    await toy.send(toy.event("box", 3))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2, 3]
    (letter,) = await toy.dead()
    assert header(letter, "odd") == value


async def test_a_key_that_is_no_text_loses_no_record(toy: Toy) -> None:
    toy.handling.poison = {"bad"}
    await toy.raw(b"\xff", toy.event("box", 1, "bad").model_dump_json(serialize_as_any=True).encode())
    await toy.raw(None, b"{")
    await toy.send(toy.event("other", 1))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects() == ["other1"]
    assert {header(r, REASON) for r in await toy.dead()} == {b"failed", b"unreadable"}


async def test_types_that_a_consumer_does_not_know_are_skipped_and_counted(toy: Toy) -> None:
    unknown = toy.event("box", 1).model_copy(update={"type": "BoxPaintedV7"})
    await toy.send(unknown, toy.event("box", 2))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [2]
    assert UNKNOWN_TYPES.labels(toy.group, "BoxPaintedV7")._value.get() == 1


async def test_an_event_that_is_delivered_again_has_no_second_effect_and_is_counted(toy: Toy) -> None:
    twice, thrice = toy.event("box", 1), toy.event("box", 2)
    await toy.send(twice, twice, thrice)
    async with toy.reading():
        await until(toy.settled)
        await toy.send(thrice, twice, thrice, toy.event("box", 3))
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2, 3]
    assert INBOX_DUPLICATES.labels(toy.group)._value.get() == 4


async def test_two_who_take_the_same_event_at_once_have_one_effect(toy: Toy) -> None:
    """As a consumer that lost its partitions without noticing and the one that has them now."""
    await toy.send(*(toy.event("box", n) for n in range(1, 21)))
    records = await toy.records()
    async with toy.a_reading() as one, toy.a_reading() as other:
        await asyncio.gather(one.take(records), other.take(records[:10]), other.take(records[:5]))
    assert await toy.effects_of("box") == list(range(1, 21))


@pytest.mark.parametrize("problem", [PyMongoError, TimeoutError, ConnectionResetError])
async def test_what_may_pass_is_waited_for_in_place_and_keeps_the_order(toy: Toy, problem: type[Exception]) -> None:
    toy.handling.problems = [problem("away"), problem("away")]
    await toy.send(toy.event("box", 1), toy.event("box", 2))
    async with toy.reading() as running:
        await until(toy.settled)
        assert not running.done()
    assert await toy.effects_of("box") == [1, 2]
    assert toy.handling.calls == [2, 2, 2]
    assert await toy.dead() == []


async def test_waiting_in_place_has_an_end_below_the_broker_s_patience(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "WAIT_SECONDS", 0.0)
    toy.handling.problems = [PyMongoError("away")]
    await toy.send(toy.event("box", 1))
    async with toy.reading() as running:
        with pytest.raises(RuntimeError, match="could not go on"):
            await running
    assert await toy.committed() == 0
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [1]


async def test_a_change_by_somebody_else_meanwhile_is_tried_again_and_not_given_up(toy: Toy) -> None:
    toy.handling.problems = [Refused(CONFLICT), Refused(CONFLICT), Refused(CONFLICT)]
    await toy.send(toy.event("box", 1))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects_of("box") == [1]
    assert await toy.dead() == []


@pytest.mark.parametrize("problem", [KeyError, RuntimeError, AssertionError, DuplicateKeyError, RecursionError])
async def test_a_fault_of_a_handler_is_given_up_after_five_attempts_whatever_it_raises(toy: Toy, problem: type[Exception]) -> None:
    toy.handling.poison, toy.handling.problem = {"bad"}, problem
    await toy.send(toy.event("box", 1, "bad"), toy.event("other", 1))
    async with toy.reading():
        await until(toy.settled)
    assert await toy.effects() == ["other1"]
    assert [header(r, REASON) for r in await toy.dead()] == [b"failed"]
    assert toy.handling.calls[:6] == [2, 1, 1, 1, 1, 1]


async def test_a_refusal_by_a_rule_is_given_up_at_once(toy: Toy) -> None:
    toy.handling.poison, toy.handling.problem = {"bad"}, lambda _: Refused(NOT_FOUND)
    await toy.send(toy.event("box", 1, "bad"))
    async with toy.reading():
        await until(toy.settled)
    assert [header(r, REASON) for r in await toy.dead()] == [b"refused"]
    assert toy.handling.calls == [1, 1]


async def test_after_five_dead_letters_in_a_row_the_consumer_stops_and_a_restart_sets_no_more_aside(toy: Toy) -> None:
    toy.handling.poison = {f"bad{n}" for n in range(9)}
    await toy.send(*(toy.event(f"box-{n}", 1, f"bad{n}") for n in range(9)), toy.event("good", 1))
    for _ in range(2):  # the second time as the restarted process
        async with toy.reading() as running:
            with pytest.raises(RuntimeError, match="could not go on") as ended:
                await running
            assert "5 dead letters in a row" in str(ended.value.__cause__)
        assert await toy.committed() == 0
        assert len(await toy.dead()) == 5
    toy.handling.poison = set()
    async with toy.reading():
        await until(toy.settled)
        assert await toy.replay() == 5
        await until(toy.settled)
    assert sorted(await toy.effects()) == [*(f"bad{n}" for n in range(9)), "good1"]


async def test_an_unreadable_flood_stops_the_consumer_too(toy: Toy) -> None:
    for n in range(8):
        await toy.raw(f"box-{n}".encode(), b"{")
    async with toy.reading() as running:
        with pytest.raises(RuntimeError, match="could not go on"):
            await running
    assert len(await toy.dead()) == 5


async def test_dead_letters_with_good_events_between_them_stop_nothing(toy: Toy) -> None:
    toy.handling.poison = {f"bad{n}" for n in range(7)}
    events = [toy.event(f"box-{n}", 1, ball) for n in range(7) for ball in (f"bad{n}",)]
    async with toy.reading():
        for n, event in enumerate(events):
            await toy.send(event, toy.event("good", n + 1))
            await until(toy.settled)
    assert len(await toy.dead()) == 7
    assert await toy.effects_of("good") == list(range(1, 8))


async def test_what_was_given_up_before_a_crash_is_not_given_up_again(toy: Toy) -> None:
    toy.handling.poison = {"bad"}
    await toy.send(toy.event("box", 1, "bad"), toy.event("box", 2))
    records = await toy.records()
    async with toy.a_reading() as before:
        await before.take(records)
    async with toy.a_reading() as after:
        await after.take(records)
    assert len(await toy.dead()) == 2
    assert DEADLETTERS.labels(toy.group, "failed")._value.get() == 1


async def test_a_loop_that_ends_ends_the_readers(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the client is broken")

    monkeypatch.setattr(kafka, "WATCH_SECONDS", 0.1)
    async with toy.reading() as running:
        await until(lambda: asyncio.sleep(0, toy.handling))
        monkeypatch.setattr(AIOKafkaConsumer, "getmany", broken)
        with pytest.raises(RuntimeError, match="could not go on"):
            await running


async def test_a_consumer_that_gets_no_partition_ends_the_readers(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """One partition, two members: the second never gets any, and only a new start can change that."""
    monkeypatch.setattr(kafka, "WATCH_SECONDS", 0.1)
    async with toy.reading():
        await toy.send(toy.event("box", 1))
        await until(toy.settled)
        monkeypatch.setattr(kafka, "SILENT_SECONDS", 3.0)
        async with toy.reading() as idle, toy.reading() as another:
            done, _ = await asyncio.wait([idle, another], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            assert "no partition or no answer" in str(next(iter(done)).exception().__cause__)  # type: ignore[union-attr] # it has one


async def test_no_offset_is_committed_for_a_batch_that_was_raised_out_of(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "WAIT_SECONDS", 0.0)
    await toy.send(toy.event("box", 1))
    async with toy.reading():
        await until(toy.settled)
    toy.handling.problems = [PyMongoError("away")]
    await toy.send(toy.event("box", 2), toy.event("box", 3))
    async with toy.reading() as running:
        with pytest.raises(RuntimeError):
            await running
    assert await toy.committed() == 1
    assert await toy.effects_of("box") == [1]


async def test_a_batch_over_several_partitions_that_was_raised_out_of_is_read_again_from_all_of_them(
    stores: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "WAIT_SECONDS", 0.0)
    async with open_toy(stores, partitions=3) as toy:
        for partition in range(3):
            await toy.send(*(toy.event(f"box-{partition}", n) for n in range(1, 6)), partition=partition)
        toy.handling.problems = [PyMongoError("away")]
        async with toy.reading() as running:
            with pytest.raises(RuntimeError):
                await running
        assert toy.handling.calls[0] > 5, "the batch must mix partitions for this to tell something"
        assert await toy.committed() == 0
        async with toy.reading():
            await until(toy.settled)
        for partition in range(3):
            assert await toy.effects_of(f"box-{partition}") == [1, 2, 3, 4, 5]


def test_a_consumer_refuses_a_fact_of_another_topic(toy: Toy) -> None:
    with pytest.raises(ValueError, match="not of"):
        toy.consumer().on(SchoolChangedV1)


async def test_the_name_of_a_letter_does_not_change_when_it_is_sent_again(toy: Toy) -> None:
    """Even for a record without the relay's id, which stands elsewhere after a replay."""
    body = toy.event("box", 1, "bad").model_dump_json(serialize_as_any=True).encode()
    toy.handling.poison = {"bad"}
    await toy.raw(b"box", body, [("trace", uuid4().bytes)])
    async with toy.reading():
        await until(toy.settled)
        toy.handling.poison = set()
        await toy.replay()
        await until(toy.settled)
    assert await toy.effects_of("box") == [1]
    assert await toy.db["parked"].count_documents({}) == 0
