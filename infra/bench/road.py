"""Pupils a minute from the import of a school's year to the national gateway's acceptance, with a profile of where the time goes."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infra.bench.cost import between, cpu_seconds, work_of
from infra.bench.figures import Figure, Options
from infra.bench.profile import DRIVER, Memory, Profile, StageCost, markdown
from infra.demo.people import Refusal
from infra.demo.road import Road
from infra.demo.school import read
from infra.local import down, load, load_states, up_detached
from infra.stack.instance import write_json

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = "Nhập dữ liệu", "Gửi và tiếp nhận"
"""The stages that count, and all between them."""
PUPILS_A_CLASS = 35
GRADES = 5
CODE, PROVINCE = "31300071", "071"


class Interrupted(RuntimeError):
    """The road did not reach its end; says where the logs are."""


def road(options: Options) -> Figure:
    """Starts the instance anew and stops it. Raises Interrupted, StackError when it does not come up."""
    folder = options.out / "bench"
    down(options.instance)
    info = up_detached(options.instance, fresh=True)
    try:
        profile = asyncio.run(_travel(info, make_school(folder / "school", options.pupils)))
        write_json(folder / "road-profile.json", profile.model_dump(mode="json"))
        peer = _peer(info, make_school(folder / "sample", options.peer_pupils))
    finally:
        down(options.instance)
    print(markdown(profile))
    value, peer_value = profile.pupils_a_minute, peer["pupils"] / peer["seconds"] * 60
    return Figure(
        name="road",
        value=round(value, 1),
        unit="pupils a minute",
        peer=f"script: Typst + signxml + pyHanko, one process on one core, {peer['pupils']} pupils",
        peer_value=round(peer_value, 1),
        ratio=round(value / peer_value, 2),
        command=f"make bench NAMES=road PUPILS={options.pupils}",
    )


def make_school(folder: Path, pupils: int) -> Path:
    """A primary school with at least as many pupils, in as few classes of usual size as its five grades allow; nobody is incomplete."""
    parallel = max(1, math.ceil(pupils / (GRADES * PUPILS_A_CLASS)))
    in_class = math.ceil(pupils / (GRADES * parallel))
    command = [sys.executable, str(ROOT / "samples" / "make_school.py"), "--level", "TH", "--out", str(folder), "--defects", "0"]
    command += ["--code", CODE, "--province", PROVINCE, "--classes-per-grade", str(parallel), "--pupils", str(in_class)]
    for old in folder.glob("ket_qua/*.xlsx"):
        old.unlink()
    subprocess.run(command, check=True, capture_output=True)
    return folder


class MeasuredRoad(Road):
    """The demo's road that notes after each stage what it cost every process."""

    def __init__(self, info: dict[str, Any], folder: Path) -> None:
        super().__init__(info, read(folder), lambda text: print(text, flush=True))
        self.costs: list[dict[str, float]] = []

    async def _stage(self, name: str, work: Callable[[], Awaitable[int]]) -> None:
        before = self._spent()
        await super()._stage(name, work)
        self.costs.append(between(before, self._spent()))

    def _spent(self) -> dict[str, float]:
        # processes that died and were started again have other numbers
        pids = load(self.info["instance"])["pids"]
        return {**cpu_seconds(pids), DRIVER: sum(os.times()[:2])}


async def _travel(info: dict[str, Any], folder: Path) -> Profile:
    travelled = MeasuredRoad(info, folder)
    try:
        outcome = await travelled.run()
    except (Refusal, TimeoutError) as problem:
        raise Interrupted(f"{problem} (logs: {info['logs']})") from problem
    stages = [
        StageCost(name=stage.name, items=stage.items, seconds=stage.seconds, cpu=cpu)
        for stage, cpu in zip(outcome.stages, travelled.costs, strict=True)
    ]
    names = [stage.name for stage in stages]
    counted = stages[names.index(FIRST) : names.index(LAST) + 1]
    return Profile(
        pupils=outcome.pupils,
        accepted=outcome.accepted,
        signatures=outcome.signatures,
        cores=len(os.sched_getaffinity(0)),
        seconds=round(sum(stage.seconds for stage in counted), 1),
        stages=counted,
        work=work_of(info),
        memory=[
            Memory(name=name, largest_mb=state["peak_rss_mb"], together_mb=state["peak_pss_mb"])
            for name, state in sorted(load_states(info["instance"]).items())
        ],
    )


def _peer(info: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Runs the script in a process of its own, on the same machine and against the same timestamping authority, with the stack idle."""
    sandbox = info["sandbox"]
    command = [sys.executable, "-m", "infra.bench.peer", "--school", str(folder), "--pki", sandbox["pki"], "--sandbox", sandbox["dir"]]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
