"""Whose turn it is: batches are taken up, and worked on, fairly between schools. Plain data in, decision out; no I/O.

A school with thirty batches must not keep another with one waiting: the next turn is always of the school that is served least.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Iterable, Mapping


def in_order(waiting: Iterable[Mapping[str, Any]], served: Mapping[str, int]) -> list[str]:
    """The ids of `waiting` batches (`_id`, `school`, `at`, maybe `cancel`) in the order in which they are taken up.

    `served`: how many batches of each school are being run. What was cancelled goes first, since it only has to be let go.
    """
    oldest_first = sorted(waiting, key=lambda b: (b["at"], b["_id"]))
    let_go = [str(b["_id"]) for b in oldest_first if b.get("cancel")]
    lines: dict[str, deque[Mapping[str, Any]]] = defaultdict(deque)
    for batch in oldest_first:
        if not batch.get("cancel"):
            lines[batch["school"]].append(batch)
    heap: list[tuple[int, dt.datetime, str]] = [(served.get(school, 0), line[0]["at"], school) for school, line in lines.items()]
    heapq.heapify(heap)
    found = let_go
    while heap:
        count, _, school = heapq.heappop(heap)
        line = lines[school]
        found.append(str(line.popleft()["_id"]))
        if line:
            heapq.heappush(heap, (count + 1, line[0]["at"], school))
    return found


class Gate:
    """Lets so many pieces of work through at once; of those that wait, the next is of the school with the least inside."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._inside: Counter[str] = Counter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, school: str) -> AsyncIterator[None]:
        await self._enter(school)
        try:
            yield
        finally:
            self._leave(school)

    async def _enter(self, school: str) -> None:
        if self._free:
            self._free -= 1
            self._inside[school] += 1
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # a school that comes anew is put last among those that have as little inside
        self._lines.setdefault(school, deque()).append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._leave(school)
            raise

    def _leave(self, school: str) -> None:
        self._inside[school] -= 1
        self._free += 1
        while self._free and self._lines:
            following = min(self._lines, key=lambda s: self._inside[s])
            line = self._lines.pop(following)
            called = line.popleft()
            if line:
                self._lines[following] = line
            if not called.done():
                called.set_result(None)
                self._free -= 1
                self._inside[following] += 1
