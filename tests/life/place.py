"""Where a life takes place: the services on real stores, their mail, people and workers, and the stages that a life can begin at."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from infra.local import Stack
from services.chassis import audit_seal, clock, inbox
from services.chassis.mongo import Database, Document
from services.chassis.process import Parts
from services.chassis.work import Pool
from services.publishing import app as publishing
from services.publishing.delivery import Delivery
from services.publishing.gateways.national import GatewayAway, NationalGateway
from services.publishing.store import Store as PublishingStore
from services.records import app as records
from services.records.render.pdf import RenderError
from services.records.store import Store as RecordsStore
from services.records.transcripts.creation import Creation
from services.records.transcripts.rendering import Rendering
from services.records.transfers.examine import examine
from services.signing import app as signing
from tests.integration.pages_world import World, world_of
from tests.life.desk import Desk
from tests.life.mail import Mail
from tests.life.model import Model
from tests.life.newcomer import Newcomer
from tests.life.school import Workbooks
from tests.life.seen import Outboxes, Seen, observe
from tests.life.signers import Signers

R = TypeVar("R")
SERVICES = {"records": records, "signing": signing, "publishing": publishing}


class Here(Pool):
    """The work of the pool done in one thread beside this one: processes would take longer to start than their work takes, and the
    compiler of the documents does one at a time. What an arriving package is found to be is found out once: it is the same in all lives."""

    thread = ThreadPoolExecutor(1)
    examined: ClassVar[dict[object, Any]] = {}

    def __init__(self) -> None:
        super().__init__(1)
        self.broken = False

    async def run(self, work: Callable[..., R], *args: object) -> R:
        if self.broken:
            raise RenderError("a glyph is missing")
        known = self.examined.get(args[0]) if work is examine else None
        if known is not None:
            return cast("R", known)
        done = await asyncio.get_running_loop().run_in_executor(self.thread, partial(work, *args))
        if work is examine:
            self.examined[args[0]] = done
        return done

    async def map(self, work: Callable[..., R], arguments: Iterable[tuple[object, ...]]) -> list[R | BaseException]:
        return [await self.run(work, *args) for args in arguments]


@dataclass
class Gateway:
    """The national gateway: takes packages or is away. What it takes it may answer before the sender knows that it was taken."""

    away: bool = False
    early: Callable[[str], Awaitable[None]] | None = None

    async def send(self, package: str, body: bytes) -> None:
        assert body
        if self.away:
            raise GatewayAway
        if self.early:
            await self.early(package)

    async def results(self, package: str) -> None:
        """It knows nothing of a package that did not arrive."""


@dataclass
class Place:
    world: World
    workbooks: Workbooks
    desk: Desk
    mail: Mail
    signers: Signers
    creation: Creation
    rendering: Rendering
    broken: Rendering
    gateway: Gateway
    delivery: Delivery
    newcomer: Newcomer
    stages: list[tuple[dict[str, dict[str, list[Document]]], Model]] = field(default_factory=list)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each act had each outcome."""
    steps: int = 0
    lives: int = 0
    after_a_life: Callable[[], object] = lambda: None

    async def see(self) -> tuple[Seen, Outboxes]:
        return await observe(self.world)

    async def keep(self, model: Model) -> None:
        """What stands now, for lives to begin with. Everything that was told has to be heard."""
        assert not self.mail.waiting()
        kept = {}
        for service in SERVICES:
            db = self.world.db(service)
            names = [n for n in await db.list_collection_names() if n != "outbox"]
            kept[service] = {n: found for n in names if (found := await db[n].find({}).to_list(None))}
        self.stages.append((kept, model.copy()))

    async def begin(self, stage: int) -> Model:
        """Empty databases, filled with a stage; new mail."""
        kept, model = self.stages[stage] if self.stages else ({}, None)
        await asyncio.gather(*(self._fill(self.world.db(service), kept.get(service, {})) for service in SERVICES))
        self.mail = mail_of(self.world)
        self.lives += 1
        return model.copy() if model else Model.begun(clock.in_vietnam(clock.now()).date(), self.workbooks.pupils)

    async def _fill(self, db: Database, kept: Mapping[str, list[Document]]) -> None:
        async def fill(name: str) -> None:
            await db[name].delete_many({})
            if name in kept:
                await db[name].insert_many(kept[name])

        await asyncio.gather(*(fill(name) for name in {*await db.list_collection_names(), *kept}))


def mail_of(world: World) -> Mail:
    every: dict[str, Any] = SERVICES
    return Mail({s: world.db(s) for s in SERVICES}, {s: app.consumers(world.parts[s]) for s, app in every.items()})


async def open_place(stack: Stack, workbooks: Workbooks, closing: AsyncExitStack) -> Place:
    world = await closing.enter_async_context(world_of(stack))
    for service, parts in list(world.parts.items()):
        here = Here()
        closing.callback(here.close)
        world.parts[service] = Parts(parts.settings, parts.db, parts.objects, here)
        world.apps[service].state.parts = world.parts[service]
        await inbox.ensure_indexes(parts.db)
        await audit_seal.ensure_indexes(parts.db)
    of_records = world.parts["records"]
    store = RecordsStore(of_records.db)
    unable = Here()
    closing.callback(unable.close)
    unable.broken = True
    gateway = Gateway()
    of_publishing = world.parts["publishing"]
    return Place(
        world,
        workbooks,
        Desk(world),
        mail_of(world),
        Signers(world.parts["signing"]),
        Creation(of_records, store),
        Rendering(of_records, store),
        Rendering(Parts(of_records.settings, of_records.db, of_records.objects, unable), store),
        gateway,
        Delivery(of_publishing, PublishingStore(of_publishing.db), cast("NationalGateway", gateway)),
        Newcomer.made(stack.instance.sandbox, of_records.settings),
    )
