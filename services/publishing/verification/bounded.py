"""Work on what strangers send: a process of its own, so much time and memory and no more; the chassis' pool would be lost with it."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from services.chassis.errors import Refused
from services.publishing.verification.errors import BUSY

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

R = TypeVar("R")
PROCESSES: Final = multiprocessing.get_context("forkserver")
# by name and loaded there alone: a new process then has at hand what takes seconds to load
PROCESSES.set_forkserver_preload(["services.publishing.app"])
SECONDS: Final = 20.0
BEGINNING_SECONDS: Final = 60.0
"""Until the process stands; the first one waits until the programs are loaded."""
MEGABYTES: Final = 768
"""Beyond what the process has when it begins."""


class Exceeded(Exception):
    """The work needed more time or memory than it was granted, or its process died."""


class Bounded:
    """So many at a time, so many waiting."""

    def __init__(self, *, at_once: int = 2, waiting: int = 16, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._left = at_once + waiting
        self._seconds, self._megabytes = seconds, megabytes

    async def run(self, work: Callable[..., R], *args: object) -> R:
        """Raises what the work raises, Exceeded, and Refused(BUSY) when too many wait."""
        if self._left == 0:
            raise Refused(BUSY)
        self._left -= 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._run, work, args)
        finally:
            self._left += 1

    def _run(self, work: Callable[..., R], args: tuple[object, ...]) -> R:
        ours, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=_work, args=(theirs, work, args, self._seconds, self._megabytes), daemon=True)
        process.start()
        theirs.close()
        try:
            for seconds in (BEGINNING_SECONDS, self._seconds):
                if not ours.poll(seconds):
                    raise Exceeded("time")
                raised, outcome = ours.recv()
        except EOFError:
            raise Exceeded("the process died") from None
        finally:
            process.kill()
            process.join()
            ours.close()
        if raised:
            raise outcome
        answer: R = outcome
        return answer


def _work(connection: Connection, work: Callable[..., Any], args: tuple[object, ...], seconds: float, megabytes: int) -> None:
    connection.send((False, None))
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # should whoever waits die, this ends by itself
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    try:
        answer: tuple[bool, Any] = (False, work(*args))
    except MemoryError:
        answer = (True, Exceeded("memory"))
    except Exception as problem:  # noqa: BLE001 - whatever it is, whoever asked gets it
        answer = (True, problem)
    connection.send(answer)
