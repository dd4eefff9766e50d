"""Many lives, shared between processes: each has a school of its own on stores of its own, and a seed that chooses its lives.

`python -m tests.life.parts NUMBER STEPS SEED FILE` is one part; after each life it writes to FILE what its lives have met, so that parts,
also of several runs, can be added up (`python -m tests.life.parts FILE.json...`). The same seed chooses the same lives again, as far as two
who act at once end in the same way.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from infra.local import Stack
from tests.life.conftest import SENDING, machine, stages
from tests.life.place import Place, open_place
from tests.life.school import Workbooks

ROOT = Path(__file__).resolve().parents[2]
STEPS_OF_A_LIFE = 100
STORES = ("mongod", "minio")


@dataclass
class Met:
    """What lives met: how often each act had which outcome ("" where it was done)."""

    steps: int = 0
    lives: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def at(cls, place: Place) -> Met:
        return cls(place.steps, place.lives, Counter(place.met))

    def written(self) -> str:
        return json.dumps([self.steps, self.lives, [[*key, n] for key, n in self.outcomes.items()]])

    def add(self, written: str) -> None:
        steps, lives, outcomes = json.loads(written)
        self.steps += steps
        self.lives += lives
        self.outcomes.update({(act, code): n for act, code, n in outcomes})

    @property
    def done(self) -> set[str]:
        return {act for act, code in self.outcomes if not code}

    @property
    def never_done(self) -> set[str]:
        return {act for act, _ in self.outcomes} - self.done

    def summary(self) -> str:
        lines = []
        for act in sorted({act for act, _ in self.outcomes}):
            codes = Counter({code: n for (name, code), n in self.outcomes.items() if name == act})
            lines.append(f"{act:28} " + ", ".join(f"{code or 'done'} {n}" for code, n in codes.most_common()))
        return "\n".join([f"{self.steps} steps in {self.lives} lives", *lines])


def live(place: Place, runner: asyncio.Runner, *, steps: int, chosen_by: int | None = None) -> None:
    """At least so many steps, counted by the place. A failing life is told step by step; it is not made shorter, since two acts at once
    need not end the same way again. `chosen_by`: the seed; always the same lives when there is none."""
    place.steps = place.lives = 0
    turn = 0
    while place.steps < steps:
        chosen = settings(
            max_examples=(steps - place.steps) // STEPS_OF_A_LIFE + 1,
            stateful_step_count=STEPS_OF_A_LIFE,
            deadline=None,
            derandomize=chosen_by is None,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        life = machine(place, runner, tuple(range(SENDING + 1)))
        if chosen_by is not None:
            life = seed(chosen_by + turn)(life)
            life.chosen_by = chosen_by + turn
        run_state_machine_as_test(life, settings=chosen)
        turn += 1


def in_parts(parts: int, steps: int, chosen_by: int, folder: Path) -> Met:
    """So many steps in several processes at once. Raises AssertionError with what a part said when it failed; the others are stopped."""
    running = []
    for number in range(parts):
        told = (folder / f"{number}.log").open("wb")
        arguments = [str(number), str(-(-steps // parts)), str(chosen_by + 1000 * number), str(folder / f"{number}.json")]
        running.append(subprocess.Popen([sys.executable, "-m", "tests.life.parts", *arguments], cwd=ROOT, stdout=told, stderr=told))
    met = Met()
    try:
        for number, part in enumerate(running):
            status = part.wait()
            assert status == 0, f"part {number} with seed {chosen_by + 1000 * number}:\n{(folder / f'{number}.log').read_text()[-20_000:]}"
            met.add((folder / f"{number}.json").read_text())
    finally:
        for part in running:
            if part.poll() is None:
                part.send_signal(signal.SIGINT)
                part.wait()
    return met


def added_up(files: Sequence[str]) -> Met:
    met = Met()
    for file in files:
        met.add(Path(file).read_text())
    return met


def main(arguments: Sequence[str]) -> None:
    number, steps, chosen_by, file = arguments
    with (
        Stack(f"life-{number}", only=STORES, fresh=True, report=lambda _: None) as stack,
        asyncio.Runner() as runner,
        tempfile.TemporaryDirectory() as folder,
    ):
        closing = AsyncExitStack()
        place = runner.run(open_place(stack, Workbooks(Path(folder)), closing))
        try:
            stages(place, runner)
            place.after_a_life = lambda: Path(file).write_text(Met.at(place).written())
            live(place, runner, steps=int(steps), chosen_by=int(chosen_by))
        finally:
            runner.run(closing.aclose())


if __name__ == "__main__":
    if sys.argv[1].endswith(".json"):
        sys.stdout.write(f"{added_up(sys.argv[1:]).summary()}\n")
    else:
        main(sys.argv[1:])
