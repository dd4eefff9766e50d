"""A worker that runs signing's batches and nothing else, in a process of its own, so that it can be killed at any line.

One that is to die at once (`alone`) is forked from a process that has everything imported, and starts none of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import TYPE_CHECKING, TypeVar

from services.chassis import failpoints
from services.chassis.mongo import connect
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings
from services.chassis.work import Pool, forever
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

R = TypeVar("R")


class Alone(Pool):
    async def run(self, work: Callable[..., R], *args: object) -> R:
        return work(*args)


async def main(pool: Pool) -> None:
    settings = Settings()
    async with connect(settings, "signing") as db:
        parts = Parts(settings, db, Objects(settings, "signing"), pool)
        await forever("batches", Runner(parts, Store(db), Providers(settings)).round, idle=0.1)


def alone(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    importlib.reload(failpoints)
    asyncio.run(main(Alone(1)))


if __name__ == "__main__":
    asyncio.run(main(Pool(1)))
