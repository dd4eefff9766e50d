"""Opens the world: five services on real stores in this process, made once and then kept as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from pymongo import monitoring

from infra.local import Stack
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.work import Pool
from services.district import app as district
from services.identity import app as identity
from services.publishing import app as publishing
from services.records import app as records
from services.signing import app as signing
from tests.access.bus import Bus
from tests.access.keeping import Keeper, Writes
from tests.access.making import make
from tests.access.world import Access
from tests.integration import identity_world, pages_world

SERVICES = {"identity": identity, "records": records, "signing": signing, "publishing": publishing, "district": district}
PROCESSES = ("mongod", "minio", "sandbox-provider", "sandbox-gateway")


@asynccontextmanager
async def opened(stack: Stack, folder: Path) -> AsyncIterator[Access]:
    """Everything made and kept: from here on nothing changes from one request to the next."""

    writes = Writes()
    monitoring.register(writes)
    async with AsyncExitStack() as closing:
        pages = await closing.enter_async_context(pages_world.world_of(stack))
        people = await closing.enter_async_context(identity_world.world_of(stack))
        pool = Pool(1)
        closing.callback(pool.close)
        parts = {**pages.parts, "identity": Parts(people.settings, people.db, Objects(people.settings, "identity"), pool)}
        dbs = {name: part.db for name, part in parts.items()}
        apps = {**pages.apps, "identity": people.app}
        clients = {}
        for name, app in apps.items():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url=people.settings.public_url, timeout=60)
            clients[name] = await closing.enter_async_context(client)
        bus = Bus(dbs, {name: list(SERVICES[name].service.consumers(part)) for name, part in parts.items()})
        world = Access(pages, people, parts, clients, Keeper(writes, dbs), bus)
        await make(world, folder)
        await world.keeper.keep()
        yield world
