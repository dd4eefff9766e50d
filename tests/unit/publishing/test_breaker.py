"""The circuit breaker: who is away is asked by one, ever more seldom, and at once by all when it is there again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.publishing.breaker import FAILURES, LONGEST_PAUSE, Breaker, pause_of


class Hours:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def opened() -> tuple[Breaker, Hours]:
    hours = Hours()
    breaker = Breaker(now=hours, chance=lambda: 1.0)
    for _ in range(FAILURES):
        assert breaker.enter()
        breaker.failed()
    return breaker, hours


def test_a_few_failures_in_a_row_open_it_and_nothing_goes_out_any_more() -> None:
    breaker, _ = opened()
    assert breaker.is_open
    assert not breaker.enter()


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(now=Hours())
    for _ in range(10):
        breaker.failed()
        assert not breaker.worked()
        assert breaker.enter()


def test_after_the_pause_one_probe_goes_out_and_the_others_wait_for_it() -> None:
    breaker, hours = opened()
    hours.at += 1.0
    assert breaker.enter()
    assert not breaker.enter()
    assert breaker.worked()
    assert breaker.enter()
    assert breaker.enter()


def test_a_failed_probe_opens_it_again_for_longer() -> None:
    breaker, hours = opened()
    hours.at += 1.0
    assert breaker.enter()
    breaker.failed()
    hours.at += 1.0
    assert not breaker.enter()
    hours.at += 1.0
    assert breaker.enter()


def test_a_probe_that_never_asked_leaves_the_way_to_the_next() -> None:
    breaker, hours = opened()
    hours.at += 1.0
    assert breaker.enter()
    breaker.left()
    assert breaker.enter()


def test_down_for_hours_it_is_asked_at_least_twice_a_minute_and_never_in_a_hurry() -> None:
    breaker, hours = opened()
    asked = 0
    for _ in range(4 * 3600):
        hours.at += 1.0
        if breaker.enter():
            asked += 1
            breaker.failed()
    assert 4 * 3600 / LONGEST_PAUSE <= asked <= 2 * 4 * 3600 / LONGEST_PAUSE


def test_what_the_gateway_asks_for_is_waited_for_from_the_first_failure_on() -> None:
    hours = Hours()
    breaker = Breaker(now=hours, chance=lambda: 0.0)
    breaker.enter()
    breaker.failed(retry_after=20)
    hours.at += 19.0
    assert not breaker.enter()
    hours.at += 1.0
    assert breaker.enter()


@given(st.integers(1, 10_000), st.one_of(st.none(), st.floats(0, 1e9)), st.floats(0, 1))
def test_no_pause_is_longer_than_half_a_minute_or_shorter_than_half_a_second(failures: int, asked: float | None, chance: float) -> None:
    assert 0.5 <= pause_of(failures, at_least=asked, chance=lambda: chance) <= LONGEST_PAUSE
