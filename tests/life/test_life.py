"""The whole life of a small school, several people acting at once: no illegal state, nothing lost, no refusal that cannot be explained.

Six pupils in two classes; real records, signing and publishing code on a real MongoDB and object store, asked as the gateway asks them;
events go from service to service late, twice, side by side. Only keys and the national gateway are played.

- `table.py`, `model.py`: what is expected, written without the product's rules. Each act says in advance which code refuses it, if any.
- `machine.py`: the rules, which choose who does what next. After every step all databases equal what is expected. Two acts at once must
  end as one of them after the other would.
- `seen.py`: what must hold at the end of every life: services agree, every file has its digest, nothing that stood in a transcript has
  changed, the audit chain is sound, the register of copies has no gap.
- `parts.py`: lives shared between processes, each with stores and a school of its own.

`make test` takes a few hundred steps, always the same; `make test-slow` ten thousand, which are those of its parts added up, other ones
each time. Both print how often each act had which outcome, and fail when an act never succeeded.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.life.parts import Met, in_parts, live
from tests.life.place import Place

SHORT, LONG = 300, 10_000
PARTS = 3
"""Processes at once: a life waits for its stores about as long as it thinks."""


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
    live(place, runner, steps=SHORT)
    met = Met.at(place)
    told(met.summary())
    assert met.steps >= SHORT
    assert not FIRST - met.done


@pytest.mark.slow
def test_ten_thousand_steps_of_many_lives_end_with_everything_as_expected(tmp_path: Path, told: Told) -> None:
    chosen_by = secrets.randbelow(1_000_000)
    met = in_parts(PARTS, LONG, chosen_by, tmp_path)
    told(f"chosen by {chosen_by}: {met.summary()}")
    assert met.steps >= LONG
    assert not met.never_done, "an act never succeeded"
