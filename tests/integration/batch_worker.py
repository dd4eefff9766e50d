"""A worker that runs signing's batches and nothing else, in a process of its own, so that it can be killed at any line."""

from __future__ import annotations

import asyncio

from services.chassis.mongo import connect
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings
from services.chassis.work import Pool, forever
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.store import Store


async def main() -> None:
    settings = Settings()
    async with connect(settings, "signing") as db:
        parts = Parts(settings, db, Objects(settings, "signing"), Pool(1))
        await forever("batches", Runner(parts, Store(db), Providers(settings)).round, idle=0.1)


if __name__ == "__main__":
    asyncio.run(main())
