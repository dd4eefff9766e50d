"""What a batch is doing, told as it happens: server-sent events for open pages. Everything is read from the database, nothing is kept here,
so any web process answers for any batch and a closed page loses nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from services.signing import turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from services.signing.store import Store

LOOK_SECONDS = 1.0
LONGEST_SECONDS = 55
"""One answer's life; the browser asks again by itself, so a worker that stops is not held up for long."""
QUIET_SECONDS = 15.0
"""After so long without news a comment keeps the connection open."""


async def place_of(store: Store, batch: Mapping[str, Any]) -> int | None:
    """Which one it is of those that wait for their turn (1 is next); None when it is being run or has ended."""
    if batch["state"] != "preparing":
        return None
    queued = await store.queued_batches()
    if all(b["_id"] != batch["_id"] for b in queued):
        return None
    return turns.in_order(queued, await store.served_schools()).index(batch["_id"]) + 1


async def events(store: Store, batch_id: str, seconds: int) -> AsyncIterator[str]:
    """A message at first and at every change, for `seconds` at most; it ends with the batch.

    Each message is JSON: {"state", "counts": {item state: n}, "place": n | null}. No name and no document stands in it.
    """
    until = time.monotonic() + min(seconds, LONGEST_SECONDS)
    said, said_at = "", time.monotonic()
    yield "retry: 2000\n\n"
    while True:
        batch = await store.batch(batch_id)
        counts = (await store.counts_of([batch_id]))[batch_id]
        told = json.dumps({"state": batch["state"], "counts": counts, "place": await place_of(store, batch)}, sort_keys=True)
        now = time.monotonic()
        if told != said:
            said, said_at = told, now
            yield f"data: {told}\n\n"
        elif now - said_at > QUIET_SECONDS:
            said_at = now
            yield ": still here\n\n"
        if batch["state"] == "finished" or now >= until:
            return
        await asyncio.sleep(LOOK_SECONDS)
