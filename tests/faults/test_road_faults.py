"""Whole schools go the road while processes are killed at named points of their work: `make faults`, one short round with all tests.

Which process dies where is dealt by `plan.py`, the people who live with it are `patient.py`'s, and `history.py` judges.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from infra.demo.road import Outcome
from infra.demo.school import read
from infra.local import Stack
from infra.stack.processes import all_processes
from tests.conftest import make_school
from tests.faults.evidence import Collector, databases
from tests.faults.history import Evidence, violations
from tests.faults.patient import PatientRoad
from tests.faults.plan import ROUNDS, Kill, deal
from tests.integration.chassis_service import root

SHORT_TIMES = {
    "HOCBA_CONSUMER_SESSION_SECONDS": "6",
    "HOCBA_RELAY_LEASE_SECONDS": "3",
    "HOCBA_LEASE_SECONDS": "6",
}
"""Tests wait for these after each kill."""
OPEN_TRANSACTION_SECONDS = 3
LAST_WORDS = 12
"""Lines of each process's log that are told of a road that stood still."""
PUPILS = 2
"""A class; a school has a class a grade."""
AT_THE_DANGEROUS_POINTS = [
    Kill("signing-worker", "signing.signed", 3),
    Kill("publishing-worker", "publishing.sent", 1),
    Kill("records-worker", "relay.published", 3),
    Kill("records-web", "transaction.committed", 2),
]
"""Values came and were not stored; a package arrived and nobody knows; an event was sent and not marked; done and not answered."""


@pytest.fixture(scope="module")
def killing() -> Iterator[Stack]:
    """A stack with short times, for all rounds."""
    extra = {p.name: SHORT_TIMES for p in all_processes() if p.kind == "service"}
    with Stack("kills", fresh=True, extra_env=extra, report=lambda _: None) as stack:
        with root(stack) as client:
            client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": OPEN_TRANSACTION_SECONDS})
        order = {"mode": "auto", "delay_ms": 50}
        httpx.post(f"{stack.info['sandbox']['provider']}/control/phone", json=order).raise_for_status()
        yield stack


def where_things_stand(stack: Stack) -> str:
    """For whoever looks into a road that stood still: what waits in which state, and the last words of every service."""
    told = []
    with databases(stack) as dbs:
        for service, db in dbs.items():
            for name in ("tasks", "transcripts", "submissions", "packages"):
                counts = db[name].aggregate([{"$group": {"_id": {"$ifNull": ["$state", "$step"]}, "n": {"$sum": 1}}}])
                told += [f"{service} {name} {row['_id']}: {row['n']}" for row in counts]
            told.append(f"{service} outbox unpublished: {db['outbox'].count_documents({'published_at': None})}")
    for process in sorted(p.name for p in all_processes() if p.kind == "service"):
        words = (stack.instance.logs / f"{process}.log").read_text(encoding="utf-8").splitlines()
        told += [f"--- {process}, restarts: {stack.restarts(process)}", *words[-LAST_WORDS:]]
    return "\n".join(told)


def live_through(stack: Stack, seed: int, kills: Sequence[Kill], folder: Path) -> tuple[Outcome, Evidence]:
    """A new school goes the road while the kills happen; then everything that was left behind."""
    level = ("TH", "THCS")[seed % 2]
    school = make_school(
        folder / "export", code=f"{6000 + seed}0091", province=f"{100 + seed}", pupils=PUPILS, defects=0, seed=seed, level=level
    )
    road = PatientRoad(stack.info, read(school), lambda _: None)
    stack.arm({k.process: k.failpoint for k in kills})

    async def go() -> Evidence:
        try:
            await road.run()
        except TimeoutError as stood_still:
            stood_still.add_note(where_things_stand(stack))
            raise
        return await Collector(stack, road).evidence(folder / "documents")

    return road.outcome, asyncio.run(go())


def judge(stack: Stack, seed: int, kills: Sequence[Kill], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {k.process: stack.restarts(k.process) for k in kills}
    began = time.monotonic()
    try:
        outcome, evidence = live_through(stack, seed, kills, folder)
        unfired = stack.armed()
    finally:
        if stack.armed():
            stack.arm({})
        with capsys.disabled():
            told = ", ".join(f"{k.process} {k.failpoint}" for k in kills)
            print(f"\n  seed {seed}: {told}: {time.monotonic() - began:.0f} s")  # noqa: T201 - whoever waits wants to know
    assert unfired == {}, "a plan that does not happen proves nothing"
    assert all(stack.restarts(p) > n for p, n in before.items())
    assert violations(evidence) == []
    assert outcome.accepted == outcome.created == len(evidence.pupils) > 0


@pytest.fixture
def silent_gateway(killing: Stack) -> Iterator[None]:
    """It takes packages and calls nobody back, so what was not noted stays unknown until somebody asks."""
    faults = f"{killing.info['sandbox']['gateway']}/control/faults"
    httpx.post(faults, json={"no_callback": True}).raise_for_status()
    yield
    httpx.delete(faults).raise_for_status()


@pytest.mark.usefixtures("silent_gateway")
def test_a_road_with_kills_at_the_dangerous_points_loses_and_doubles_nothing(
    killing: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(killing, 0, AT_THE_DANGEROUS_POINTS, tmp_path, capsys)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(1, ROUNDS + 1))
def test_a_road_with_dealt_kills_loses_and_doubles_nothing(
    killing: Stack, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(killing, seed, deal(seed), tmp_path, capsys)
