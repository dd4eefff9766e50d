"""Documents that wait for one subject teacher, on real stores and the sandbox provider, without an import before them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.records import Signer, TranscriptCreatedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.mongo import Document, transaction
from services.signing import batches
from services.signing.batches import Order
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.store import Store
from services.signing.tasks import new_task
from tests.integration.agent_world import until_true
from tests.integration.pages_world import PASSWORD, SCHOOL, YEAR, World, staff, world_of
from tests.unit.signing import pki

# of no sample school: the sandbox keeps whom it knows, for all tests
TEACHER = staff(920, "Hồ Xuân Trung", Role.SUBJECT_TEACHER)
PERSONAL_ID = "031090000920"
CLASS = "5A"


@dataclass
class Batches:
    world: World
    provider: httpx.AsyncClient
    providers: Providers
    who: Principal = TEACHER

    @property
    def store(self) -> Store:
        return Store(self.world.db("signing"))

    async def documents(self, number: int, school: str = SCHOOL) -> list[str]:
        """So many transcripts that wait for the teacher alone; their ids."""
        objects = self.world.parts["signing"].objects
        # each of another pupil: equal documents have one hash, which is signed once
        samples = [pki.transcript_xml().replace("Nguyễn Thị Ánh".encode(), f"Nguyễn Văn {n}".encode()) for n in range(number)]
        contents = [await objects.put("samples", ".xml", sample, "application/xml") for sample in samples]
        events = [_created(n, school, self.who, content) for n, content in enumerate(contents)]
        changes = [Change(new_task(e)) for e in events]
        for start in range(0, number, 100):
            part = changes[start : start + 100]
            await transaction(self.store.db, lambda tx, part=part: self.store.save_tasks(tx, part, actor="test"))  # type: ignore[misc]  # a default binds the loop's value
        return [e.subject for e in events]

    async def start(self, transcripts: list[str]) -> dict[str, Any]:
        order = Order(step="subjects", transcripts=transcripts, classes=None, user=self.who.person, password=PASSWORD)
        return await batches.start(self.store, self.providers, self.who, order, request_id="test")

    async def phone(self, mode: str) -> None:
        (await self.provider.post("/control/phone", json={"mode": mode, "delay_ms": 0})).raise_for_status()

    async def faults(self, **order: Any) -> None:
        (await self.provider.post("/control/faults", json=order)).raise_for_status()

    async def signed_hashes(self) -> dict[str, int]:
        told = (await self.provider.get("/control/signed")).raise_for_status().json()
        return dict(told.get(self.who.person, {}))

    def worker(self, make: type[Runner] = Runner) -> Runner:
        return make(self.world.parts["signing"], self.store, self.providers)

    async def outcomes(self, batch: str) -> list[tuple[str, str]]:
        return [(i["state"], i.get("code", "")) for i in await self.store.items(batch)]

    async def ended(self, worker: Runner, batch: str) -> Document:
        """The worker goes on until the batch has ended."""

        async def finished() -> bool:
            await worker.round()
            return bool((await self.store.batch(batch))["state"] == "finished" and not worker.running)

        await until_true(finished)
        return await self.store.batch(batch)

    async def reaches(self, worker: Runner, batch: str, reached: Callable[[Document], bool]) -> None:
        async def there() -> bool:
            await worker.round()
            return reached(await self.store.batch(batch))

        await until_true(there)


def _created(number: int, school: str, who: Principal, content: DocumentRef) -> Event[TranscriptCreatedV1]:
    homeroom, leader = f"{school}006", f"{school}001"
    fact = TranscriptCreatedV1(
        school=school,
        year=YEAR,
        level="TH",
        class_code=CLASS,
        grade=5,
        version=1,
        pupil_code=f"31250010{number:04d}",
        pupil_name=f"Nguyễn Văn {number}",
        content=content,
        required=(
            Signer(role="subject_teacher", person=who.person, name=who.name, subjects=("Âm nhạc",)),
            Signer(role="homeroom", person=homeroom, name="Đinh Bảo Yến"),
            Signer(role="leader", person=leader, name="Ngô Diệu Tâm"),
        ),
    )
    subject = hashlib.sha256(f"{school}:{who.person}:{number}".encode()).hexdigest()[:24]
    return Event[TranscriptCreatedV1](
        type="TranscriptCreatedV1", subject=subject, sequence=1, occurred_at=clock.now(), actor="test", data=fact
    )


@asynccontextmanager
async def batches_on(stack: Stack) -> AsyncIterator[Batches]:
    async with (
        world_of(stack) as world,
        httpx.AsyncClient(base_url=stack.info["sandbox"]["provider"], timeout=60, trust_env=False) as provider,
    ):
        made = Batches(world, provider, Providers(world.settings["signing"]))
        await world.approve(TEACHER, PERSONAL_ID)
        await made.phone("auto")
        yield made
        (await provider.delete("/control/faults")).raise_for_status()
        await made.phone("auto")
