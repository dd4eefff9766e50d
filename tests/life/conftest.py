"""One school for all tests of this folder, with the stages at which a life can begin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from infra.local import Stack
from tests.life.machine import Life
from tests.life.place import Place, open_place
from tests.life.school import ADMINISTRATORS, CLASSES, Workbooks

IMPORTED, CREATED, SIGNED, SENDING = range(4)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="session")
def place(light_stack: Stack, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    workbooks = Workbooks(tmp_path_factory.mktemp("life"))
    closing = AsyncExitStack()
    made = runner.run(open_place(light_stack, workbooks, closing))
    try:
        stages(made, runner)
        yield made
    finally:
        runner.run(closing.aclose())


def stages(place: Place, runner: asyncio.Runner) -> None:
    """Where lives begin: imported; created; all signed; all asked to be sent. Each is reached by the acts themselves."""
    life = machine(place, runner, ())()
    life.m = runner.run(place.begin(0))
    preview, row = life.run(life.acts.preview(life.m, 0))
    # what stands after the first import is what every model begins with
    life.m.previews[preview] = row
    life.run(life.acts.import_(preview, 0).ask())
    row["done"] = True
    life.run(_heard(life))
    runner.run(place.keep(life.m))
    for code in CLASSES:
        life.does(life.acts.finalise(code, 0))
        life.does(life.acts.order({"classes": [code]}, [p for p, at in life.m.pupils.items() if at["class"] == code], ADMINISTRATORS[0]))
        life.does(life.acts.work(life.m))
    life.everything_arrives()
    runner.run(place.keep(life.m))
    while {t["state"] for t in life.m.transcripts.values()} != {"SIGNED"}:
        if life.tasks("subjects", "homeroom", "leader", "issue"):
            life.all_of_a_step_sign(1)
        life.the_workers_work(0)
        if place.mail.waiting():
            life.everything_arrives()
    runner.run(place.keep(life.m))
    for transcript in life.transcripts():
        life.does(life.acts.decide("confirm", [transcript], 0))
    life.everything_arrives()
    for transcript in life.transcripts():
        life.does(life.acts.submit(transcript, 0))
    life.everything_arrives()
    runner.run(place.keep(life.m))
    place.met.clear()


async def _heard(life: Life) -> None:
    await life._collect()
    await life._everything()


def machine(place: Place, runner: asyncio.Runner, stages: tuple[int, ...]) -> type[Life]:
    return type("ALife", (Life,), {"place": place, "runner": runner, "stages": stages})
