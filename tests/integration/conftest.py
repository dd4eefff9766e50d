"""Instances that many suites share, one a session: a suite empties the databases that it uses, and leaves the sandbox as it found it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local import Stack
from tests.integration.chassis_service import Toy, open_toy, root, running_stores


@pytest.fixture(scope="session")
def stores(pytestconfig: pytest.Config) -> Stack:
    return running_stores(pytestconfig)


@pytest.fixture
async def toy(stores: Stack) -> AsyncIterator[Toy]:
    async with open_toy(stores) as opened:
        yield opened


@pytest.fixture
def short_transactions(light_stack: Stack) -> Iterator[None]:
    """What a killed process left open is waited for by whoever comes after it."""

    def lasting(seconds: int) -> None:
        with root(light_stack) as client:
            client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})

    lasting(3)
    yield
    lasting(30)
