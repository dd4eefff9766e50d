"""The relay without a broker: how it waits, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.chassis.relay import Relay


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.asyncio
async def test_a_relay_that_is_stopped_at_the_moment_of_news_stops(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: Relay) -> int:
        return 0

    monkeypatch.setattr(Relay, "publish_pending", nothing)
    unused: Any = None
    relay = Relay(unused, unused)
    waiting = asyncio.create_task(relay._relay())
    for _ in range(5):
        await asyncio.sleep(0)
    relay._news.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting.cancel()
    done, _ = await asyncio.wait([waiting], timeout=3)
    assert waiting in done
    assert waiting.cancelled()
