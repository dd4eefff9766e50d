"""The whole life of a small school, several people acting at once: no illegal state, nothing lost, no refusal that cannot be explained.

Six pupils in two classes; real records, signing and publishing code on a real MongoDB and object store, asked as the gateway asks them;
events go from service to service late, twice, side by side. Only keys and the national gateway are played.

- `table.py`, `model.py`: what is expected, written without the product's rules. Each act says in advance which code refuses it, if any.
- `machine.py`: the rules, which choose who does what next. After every step all databases equal what is expected. Two acts at once must
  end as one of them after the other would.
- `seen.py`: what must hold at the end of every life: services agree, every file has its digest, nothing that stood in a transcript has
  changed, the audit chain is sound, the register of copies has no gap.

`make test` takes a few hundred steps, `make test-slow` ten thousand. Both print how often each act had which outcome, and fail when an
act never succeeded.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.life.conftest import SENDING, machine
from tests.life.place import Place

STEPS_OF_A_LIFE = 100
SHORT, LONG = 300, 10_000


def lives(place: Place, runner: asyncio.Runner, *, steps: int, of_a_life: int, repeatable: bool) -> None:
    """A failing life is told step by step; it is not made shorter, since two acts at once need not end the same way again."""
    chosen = settings(
        max_examples=steps // of_a_life + 1,
        stateful_step_count=of_a_life,
        deadline=None,
        derandomize=repeatable,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine(place, runner, tuple(range(SENDING + 1))), settings=chosen)


def summary(place: Place) -> str:
    """How often each act had which outcome."""
    acts = sorted({act for act, _ in place.met})
    outcomes = {act: Counter({code: n for (name, code), n in place.met.items() if name == act}) for act in acts}
    lines = [f"{act:28} " + ", ".join(f"{code or 'done'} {n}" for code, n in outcomes[act].most_common()) for act in acts]
    return "\n".join([f"{place.steps} steps in {place.lives} lives", *lines])


Told = Callable[[str], None]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Prints, also where pytest keeps the output of tests that pass."""

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return say


FIRST = frozenset({"import", "finalise", "create", "cancel", "confirm", "submit", "send", "gateway answers", "hand over", "two at once"})
"""What even a few hundred steps reach."""


def test_a_few_lives_of_a_school_end_with_everything_as_expected(place: Place, runner: asyncio.Runner, told: Told) -> None:
    lives(place, runner, steps=SHORT, of_a_life=STEPS_OF_A_LIFE, repeatable=True)
    told(summary(place))
    assert place.steps >= SHORT
    assert not FIRST - {act for act, code in place.met if not code}


@pytest.mark.slow
def test_ten_thousand_steps_of_many_lives_end_with_everything_as_expected(place: Place, runner: asyncio.Runner, told: Told) -> None:
    place.steps = 0
    while place.steps < LONG:
        lives(place, runner, steps=LONG - place.steps, of_a_life=STEPS_OF_A_LIFE, repeatable=False)
    told(summary(place))
    acts = {act for act, _ in place.met}
    assert not acts - {act for act, code in place.met if not code}, "an act never succeeded"
