"""Whose turn it is among batches and schools."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.signing.turns import Gate, in_order

NOW = dt.datetime(2026, 5, 28, 8, 0, tzinfo=dt.UTC)


def batch(name: str, school: str, minute: int, *, cancel: bool = False) -> dict[str, Any]:
    return {"_id": name, "school": school, "at": NOW + dt.timedelta(minutes=minute), "cancel": cancel}


def test_batches_of_one_school_go_in_the_order_in_which_they_came() -> None:
    assert in_order([batch("c", "A", 3), batch("a", "A", 1), batch("b", "A", 2)], {}) == ["a", "b", "c"]


def test_a_school_with_many_batches_does_not_hold_up_another_with_one() -> None:
    many = [batch(f"a{n}", "A", n) for n in range(30)]
    assert in_order([*many, batch("b", "B", 60)], {})[:3] == ["a0", "b", "a1"]


def test_a_school_that_is_being_served_waits_for_one_that_is_not() -> None:
    assert in_order([batch("a", "A", 1), batch("b", "B", 2)], {"A": 2})[0] == "b"


def test_what_was_cancelled_is_let_go_before_anything_is_signed() -> None:
    assert in_order([batch("a", "A", 1), batch("b", "B", 2, cancel=True)], {"B": 9}) == ["b", "a"]


@given(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 50), st.booleans()), max_size=40),
    st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 5)),
)
def test_every_batch_gets_one_place_and_its_schools_order_is_kept(made: list[tuple[str, int, bool]], served: dict[str, int]) -> None:
    waiting = [batch(f"{n:02}", school, minute, cancel=cancel) for n, (school, minute, cancel) in enumerate(made)]
    order = in_order(waiting, served)
    assert sorted(order) == [b["_id"] for b in waiting]
    by_id = {b["_id"]: b for b in waiting}
    for school in "ABCD":
        own = [by_id[i] for i in order if by_id[i]["school"] == school and not by_id[i]["cancel"]]
        assert own == sorted(own, key=lambda b: (b["at"], b["_id"]))


async def test_the_gate_lets_no_more_through_than_it_has_places() -> None:
    gate, inside, most = Gate(3), 0, 0

    async def work(school: str) -> None:
        nonlocal inside, most
        async with gate.turn(school):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work("AB"[n % 2]) for n in range(40)))
    assert (inside, most) == (0, 3)


async def test_the_gate_takes_the_school_with_the_least_inside_next() -> None:
    gate = Gate(1)
    done: list[str] = []

    async def work(school: str) -> None:
        async with gate.turn(school):
            done.append(school)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(s) for s in ["A", "A", "A", "A", "B"]))
    assert done.index("B") == 2


async def test_who_gives_up_waiting_at_the_gate_leaves_no_place_taken() -> None:
    gate = Gate(1)
    entered: list[str] = []

    async def work(school: str) -> None:
        async with gate.turn(school):
            entered.append(school)

    async with gate.turn("A"):
        waiting = asyncio.create_task(work("B"))
        following = asyncio.create_task(work("C"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    await following
    async with gate.turn("D"):
        entered.append("D")
    assert entered == ["C", "D"]


async def test_a_turn_that_was_called_while_its_work_was_cancelled_goes_to_the_next() -> None:
    gate = Gate(1)
    entered: list[str] = []

    async def work(school: str) -> None:
        async with gate.turn(school):
            entered.append(school)

    async with gate.turn("A"):
        called = asyncio.create_task(work("B"))
        following = asyncio.create_task(work("C"))
        await asyncio.sleep(0)
    called.cancel()
    await following
    assert entered == ["C"]
