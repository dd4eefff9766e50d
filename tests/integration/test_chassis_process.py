"""The toy service as real processes: killed at the worst moments, and ended in order."""

from __future__ import annotations

import asyncio
import signal

import pytest

from services.chassis.kafka import REASON, header
from tests.integration.chassis_service import Toy, until

KILLED = -signal.SIGKILL


@pytest.mark.parametrize("moment", ["before-commit", "committed", "handled"])
async def test_a_consumer_killed_around_its_commit_has_each_effect_once(toy: Toy, moment: str) -> None:
    await toy.send(*(toy.event(f"box-{n % 3}", n // 3 + 1) for n in range(30)))
    killed, _ = await toy.ended(toy.start("worker", failpoint=f"{toy.group}.{moment}"))
    assert killed == KILLED
    assert await toy.committed() == 0
    assert len(await toy.effects()) == (0 if moment == "before-commit" else 30)
    async with toy.reading():
        await until(toy.settled)
    for box in range(3):
        assert await toy.effects_of(f"box-{box}") == list(range(1, 11))


async def test_a_consumer_killed_after_a_dead_letter_and_before_it_is_noted_loses_nothing(toy: Toy) -> None:
    await toy.send(toy.event("box", 1, "bad"), toy.event("box", 2), toy.event("other", 1))
    killed, _ = await toy.ended(toy.start("worker", failpoint=f"{toy.group}.given-up", TOY_POISON="bad"))
    assert killed == KILLED
    toy.handling.poison = {"bad"}
    async with toy.reading():
        await until(toy.settled)
        assert [header(r, REASON) for r in await toy.dead()] == [b"failed", b"failed", b"parked"]
        toy.handling.poison = set()
        await toy.replay()
        await until(toy.settled)
    assert await toy.effects_of("box") == [1, 2]
    assert await toy.effects_of("other") == [1]
    assert await toy.db["parked"].count_documents({}) == 0


async def test_a_process_that_is_told_to_end_finishes_what_it_took_and_leaves_cleanly(toy: Toy) -> None:
    await toy.send(*(toy.event("box", n) for n in range(1, 4)))
    process = toy.start("worker", TOY_SLOW="1.5")
    await until(lambda: toy.db["begun"].count_documents({}))
    process.terminate()
    status, lines = await toy.ended(process)
    assert status == 0, lines[-3:]
    assert lines[-1]["message"] == "stopped"
    assert await toy.effects_of("box") == [1, 2, 3]
    assert await toy.committed() == 3
    assert await group_is_empty(toy)


async def group_is_empty(toy: Toy) -> bool:
    """Nobody has to wait for the session of the process to time out."""
    (answer,) = await toy.admin.describe_consumer_groups([toy.group])
    return bool(answer.groups[0][2] == "Empty")


async def test_a_process_ends_with_an_error_after_five_dead_letters_in_a_row(toy: Toy) -> None:
    balls = [f"bad{n}" for n in range(7)]
    await toy.send(*(toy.event(ball, 1, ball) for ball in balls))
    status, lines = await toy.ended(toy.start("worker", TOY_POISON=",".join(balls)))
    assert status == 1
    assert len(await toy.dead()) == 5
    assert await toy.committed() == 0
    assert any("5 dead letters in a row" in line.get("exception", "") for line in lines)
    assert await group_is_empty(toy)


async def test_state_to_effect_through_two_processes_and_back_after_a_kill_of_both(toy: Toy) -> None:
    for nth in range(5):
        await asyncio.gather(*(toy.put(f"box-{n}", f"box-{n}/{nth}") for n in range(4)))
    both = [toy.start("relay", failpoint="relay.published:3"), toy.start("worker", failpoint=f"{toy.group}.committed")]
    assert [status for status, _ in await asyncio.gather(*map(toy.ended, both))] == [KILLED, KILLED]
    await toy.db["relay_leases"].delete_many({})
    last = toy.start("worker", "relay")
    await until(lambda: all_effects(toy, 20))
    await until(toy.settled)
    last.terminate()
    assert (await toy.ended(last))[0] == 0
    for box in range(4):
        assert await toy.effects_of(f"box-{box}") == [1, 2, 3, 4, 5]


async def all_effects(toy: Toy, number: int) -> bool:
    return len(await toy.effects()) >= number
