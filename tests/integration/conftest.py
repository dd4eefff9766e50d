"""Instances that many suites share, one a session: a suite empties the databases that it uses, and leaves the sandbox as it found it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.local import Stack
from tests.integration.chassis_service import Toy, open_toy, running_stores


@pytest.fixture(scope="session")
def stores(pytestconfig: pytest.Config) -> Stack:
    return running_stores(pytestconfig)


@pytest.fixture
async def toy(stores: Stack) -> AsyncIterator[Toy]:
    async with open_toy(stores) as opened:
        yield opened
