"""Work that waits in a collection: loops that lease documents, work on them and are simply run again after a crash."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from services.chassis.kafka import is_transient
from services.chassis.metrics import WORK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

R = TypeVar("R")
log = logging.getLogger(__name__)


async def forever(name: str, work: Callable[[], Awaitable[int]], *, idle: float = 0.3) -> None:
    """Call `work` for ever; it answers how many items it dealt with, and is asked again at once as long as there are any.

    What may pass is waited for, with back-off; any other failure ends the process.
    """
    failures = 0
    while True:
        started = time.perf_counter()
        try:
            done = await work()
        except Exception as problem:
            if not is_transient(problem):
                log.critical("work cannot go on", extra={"work": name})
                raise
            failures += 1
            log.warning("work failed, will be tried again", extra={"work": name, "failures": failures}, exc_info=True)
            await asyncio.sleep(min(0.2 * 2 ** min(failures, 8), 15.0))
            continue
        failures = 0
        if done:
            WORK_SECONDS.labels(name).observe(time.perf_counter() - started)
        else:
            await asyncio.sleep(idle)


class PoolLost(OSError):
    """A process of the pool was killed, which says nothing of the work at hand: it may be asked for again."""


class Pool:
    """Processes for work that needs the processor, so that no event loop is held up."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._size, mp_context=multiprocessing.get_context("forkserver"))

    async def run(self, work: Callable[..., R], *args: object) -> R:
        """Raises what the work raises, and PoolLost."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, *args)
        except BrokenExecutor as problem:
            if self._pool is pool:
                self._pool = self._new()
            raise PoolLost(str(problem)) from problem

    async def map(self, work: Callable[..., R], arguments: Iterable[tuple[object, ...]]) -> list[R | BaseException]:
        """Outcomes in order; a failure is the outcome of its own item alone. Raises PoolLost."""
        outcomes = await asyncio.gather(*(self.run(work, *a) for a in arguments), return_exceptions=True)
        lost = next((o for o in outcomes if isinstance(o, PoolLost)), None)
        if lost:
            raise lost
        return outcomes

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
