"""Fixtures of the real stack: one instance a session, and schools that went the road on it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from infra.demo.people import Person
from infra.demo.road import Outcome, Road
from infra.demo.school import read
from infra.local import Stack

settings.register_profile("repeatable", derandomize=True, deadline=None)
"""What decides about a change must not depend on luck; plain pytest goes on searching."""

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "only tests on the stack that suites share, or only the others: the two run side by side (infra/tools/run_tests.py)"
    parser.addoption("--on", choices=("light-stack", "others"), help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--on")
    if wanted is None:
        return
    light = [item for item in items if "light_stack" in getattr(item, "fixturenames", ())]
    others = [item for item in items if item not in set(light)]
    kept, left = (light, others) if wanted == "light-stack" else (others, light)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@dataclass
class Travelled:
    """A school on the running instance. Its people sign in anew in each test: an HTTP client belongs to one event loop."""

    info: dict[str, Any]
    road: Road
    documents: Path
    trust: Path

    @property
    def outcome(self) -> Outcome:
        return self.road.outcome

    @asynccontextmanager
    async def signed_in(self, code: str) -> AsyncIterator[Person]:
        """Staff code, or "admin" or "officer"."""
        known = {"admin": self.road.admin, "officer": self.road.officer}.get(code) or self.road.staff[code]
        person = Person.make(
            self.info["public_url"],
            self.road.trust,
            username=known.username,
            name=known.name,
            version=known.version,
            one_time_password=known.password,
        )
        try:
            await person.sign_in()
            yield person
        finally:
            await person.http.aclose()

    def go_on(self, stages: Callable[[Road], Awaitable[T]]) -> T:
        """Let the school's people do more of the road, in an event loop of its own."""

        async def run() -> T:
            for known in (self.road.officer, self.road.admin, *self.road.staff.values()):
                known.http = Person.make(
                    self.info["public_url"], self.road.trust, username="", name="", version="", one_time_password=""
                ).http
                await known.sign_in()
            return await stages(self.road)

        return asyncio.run(run())


def make_school(folder: Path, *, code: str, province: str, pupils: int, defects: int, seed: int = 1, level: str = "TH") -> Path:
    """A school with a class a grade; the province decides its oversight unit, so that two schools share no officer."""
    command = [sys.executable, str(ROOT / "samples" / "make_school.py"), "--level", level, "--out", str(folder), "--code", code]
    command += ["--province", province, "--classes-per-grade", "1", "--pupils", str(pupils), "--defects", str(defects), "--seed", str(seed)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack("test", fresh=True, report=lambda _: None) as running:
        yield running


@pytest.fixture(scope="session")
def light_stack() -> Iterator[Stack]:
    """Stores and outside systems, for services whose web applications and handlers run within the test."""
    outside = ("sandbox-gateway", "sandbox-admissions", "sandbox-provider", "sandbox-sp769", "sandbox-mysign", "sandbox-idp")
    with Stack("light-test", only=("mongod", "minio", *outside), fresh=True) as running:
        yield running


@pytest.fixture(scope="session")
def travelled(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Travelled:
    """A small school that went the whole road: everything accepted but the one pupil with a planted defect."""
    folder = make_school(tmp_path_factory.mktemp("school"), code="31300091", province="031", pupils=3, defects=1)
    road = Road(stack.info, read(folder), lambda _: None)
    documents = tmp_path_factory.mktemp("documents")

    async def go() -> None:
        await road.run()
        await road.save_documents(documents)

    asyncio.run(go())
    return Travelled(stack.info, road, documents, Path(stack.info["sandbox"]["trust"]))
