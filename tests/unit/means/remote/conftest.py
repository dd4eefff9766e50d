"""One running server a protocol for the whole session, well-behaved at the start of each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.means.csc import Csc
from services.means.remote import Credential, Remote, Session
from tests.unit.means.remote.sandboxes import PASSWORD, SECRET, USER, Sandbox, running


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sandbox]]:
    with ExitStack() as stack:
        yield {p: stack.enter_context(running(p, tmp_path_factory.mktemp(p))) for p in ("csc", "sp769", "mysign")}


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n", encoding="utf-8")
    return file


@pytest.fixture(params=["csc", "sp769", "mysign"])
def sandbox(request: pytest.FixtureRequest, servers: dict[str, Sandbox]) -> Sandbox:
    found = servers[request.param]
    found.usual()
    return found


@pytest.fixture
async def remote(sandbox: Sandbox, secret_file: Path) -> AsyncIterator[Remote]:
    made = sandbox.adapter(secret_file)
    yield made
    await made.aclose()


@pytest.fixture
async def session(remote: Remote) -> Session:
    return await remote.login(USER, PASSWORD)


@pytest.fixture
async def credential(remote: Remote, session: Session) -> Credential:
    [found] = await remote.list_credentials(session)
    return found


@pytest.fixture
async def csc(servers: dict[str, Sandbox]) -> AsyncIterator[Csc]:
    """For what this protocol alone has."""
    servers["csc"].usual()
    async with Csc(f"{servers['csc'].url}/csc/v2", poll_seconds=0.01) as made:
        yield made
