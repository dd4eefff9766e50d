"""Every route of every service, asked by everybody: the rows say who may, and nothing may surprise."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from contracts.access import CONFIRMED
from infra.generate import SERVICES
from infra.local import Stack
from tests.access import judging, page
from tests.access.actors import ACTORS, BY_KEY
from tests.access.matrix import MATRIX
from tests.access.opening import PROCESSES, opened
from tests.access.rows import Row
from tests.access.world import Access
from tests.architecture.test_entries import routes

ROWS = [pytest.param(each, id=f"{service}: {each.name}") for service, rows in MATRIX.items() for each in rows]


def row(service: str, name: str) -> Row:
    return next(each for each in MATRIX[service] if each.name == name)


class Asking:
    """One event loop for all tests: the databases' clients belong to it."""

    def __init__(self, runner: asyncio.Runner, world: Access) -> None:
        self.runner = runner
        self.world = world

    def surprises(self, row: Row) -> list[str]:
        return self.runner.run(self._surprises(row))

    async def _surprises(self, row: Row) -> list[str]:
        found = [s for actor in ACTORS for s in judging.surprises(self.world, row, await self.world.ask(actor, row))]
        return found + await self._without_confirmation(row)

    async def _without_confirmation(self, row: Row) -> list[str]:
        """Whoever may, with a confirmation of ten minutes ago: asked for a new one exactly where the row says so."""
        actor = judging.one_let_in(row, ACTORS)
        if actor is None:
            return []
        response = (await self.world.ask(actor, row, stale=True)).response
        if judging.asks_to_confirm(response) == row.step_up:
            return []
        return [f"{actor.key}: an old confirmation is {'good enough' if row.step_up else 'refused'} ({response.status_code})"]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with Stack("access", only=PROCESSES, fresh=True) as stack, asyncio.Runner() as runner:
        opening = opened(stack, tmp_path_factory.mktemp("school"))
        world = runner.run(opening.__aenter__())
        try:
            yield Asking(runner, world)
        finally:
            runner.run(opening.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    return {service: [f"{method} {path}" for method, path, _ in routes(service)] for service in SERVICES}


def test_every_route_has_exactly_one_row(found: dict[str, list[str]]) -> None:
    counted = {service: Counter(row.name for row in rows) for service, rows in MATRIX.items()}
    assert {s: [name for name in set(names) if counted[s][name] != 1] for s, names in found.items()} == {s: [] for s in SERVICES}


def test_no_row_is_left_over_from_a_route(found: dict[str, list[str]]) -> None:
    assert {s: [row.name for row in rows if row.name not in found[s]] for s, rows in MATRIX.items()} == {s: [] for s in SERVICES}


def test_everybody_has_the_roles_that_the_rows_count_on(asking: Asking) -> None:
    for actor in ACTORS:
        if actor.principal is not None:
            who = asking.world.principal(actor)
            wanted = actor.who.model_copy(update={"name": who.name, "auth_time": who.auth_time, "agent": who.agent})
            assert who == wanted, actor.key


@pytest.mark.parametrize("wanted", ROWS)
def test_a_route_lets_in_exactly_those_who_may(wanted: Row, asking: Asking) -> None:
    assert asking.surprises(wanted) == []


def test_nothing_is_left_of_what_was_asked(asking: Asking) -> None:
    assert asking.runner.run(asking.world.keeper.aftermath()) == []


def test_what_tells_of_school_a_is_found_where_it_belongs(asking: Asking) -> None:
    """Otherwise finding nothing elsewhere would mean nothing."""
    pupils, people = (row("records", "GET /api/records/transcripts"), row("identity", "GET /api/identity/people"))
    for key, wanted, markers, present in (
        ("homeroom_1a", pupils, asking.world.pupil_markers, True),
        ("homeroom_1b", pupils, asking.world.pupil_markers, False),
        ("administrator_a", people, asking.world.markers, True),
        ("administrator_b", people, asking.world.markers, False),
    ):
        asked = asking.runner.run(asking.world.ask(BY_KEY[key], wanted))
        assert asked.response.status_code == 200
        assert bool(judging.shown(markers, asked)) == present, key


def test_an_act_that_needs_a_fresh_confirmation_is_marked_in_its_row() -> None:
    """The own second factor, too, is changed only by somebody who confirmed lately; it needs no right."""
    acts = [each for rows in MATRIX.values() for each in rows if each.method != "GET" and each.need.actions]
    assert [each.name for each in acts if each.step_up != bool(each.need.actions & CONFIRMED)] == []
    others = [each for rows in MATRIX.values() for each in rows if each.step_up and not each.need.actions & CONFIRMED]
    assert [each.name for each in others if "/identity/factors" not in each.path] == []


def test_the_page_of_the_matrix_is_up_to_date() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), "python -m tests.access.page --write"
