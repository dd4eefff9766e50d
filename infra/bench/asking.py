"""Questions asked of a running instance: how long each took where it was asked, and what they cost its processes."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bench.cost import between, cpu_seconds
from infra.local import load
from infra.stack.instance import write_json

ASKER = "bench"
"""Whoever asks: what it costs to make the questions and to read the answers."""
Question = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Asked:
    """`milliseconds` of each question; `cpu`: milliseconds of processor time a question, by process, on average."""

    milliseconds: Sequence[float]
    cpu: Mapping[str, float]

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.milliseconds, n=100)[94]

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def cost(self) -> str:
        """The processes of the instance alone, the costliest first."""
        ours = sorted(((n, s) for n, s in self.cpu.items() if n != ASKER and s >= 0.05), key=lambda each: -each[1])
        return "processor time of each: " + (", ".join(f"{name} {spent:.1f} ms" for name, spent in ours) or "none")

    def told(self) -> dict[str, Any]:
        waits = {"median": self.median, "p95": self.p95, "longest": max(self.milliseconds)}
        return {"asked": len(self.milliseconds), "milliseconds": _rounded(waits), "cpu_milliseconds_each": _rounded(self.cpu)}


async def asked(instance: str, questions: Iterable[Question], *, at_once: int = 1) -> Asked:
    """So many askers side by side, each with the next question when it has its answer."""
    waiting = iter(questions)
    waits: list[float] = []

    async def asker() -> None:
        for question in waiting:
            began = time.perf_counter()
            await question()
            waits.append((time.perf_counter() - began) * 1000)

    before = spent(instance)
    await asyncio.gather(*(asker() for _ in range(at_once)))
    cost = between(before, spent(instance))
    return Asked(waits, {name: seconds * 1000 / len(waits) for name, seconds in cost.items()})


def keep(out: Path, name: str, told: Mapping[str, Any]) -> None:
    """As OUT/bench/NAME.json, and on the screen."""
    (out / "bench").mkdir(parents=True, exist_ok=True)
    write_json(out / "bench" / f"{name}.json", {**told, "load_average": list(os.getloadavg())})
    print(f"{name}: {told}")


def spent(instance: str) -> dict[str, float]:
    """Seconds of processor time so far, by process."""
    return {**cpu_seconds(load(instance)["pids"]), ASKER: sum(os.times()[:2])}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in values.items()}
