"""Publishing alone: its worker's loops and its callbacks, with records played by the test and the gateway a real or a played one."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from contracts.events.records import SubmissionClearedV1, TranscriptConfirmedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Database, transaction
from services.chassis.process import Parts
from services.chassis.settings import needed, secret
from services.chassis.work import Pool
from services.publishing import handlers, sending
from services.publishing.delivery import Delivery
from services.publishing.gateways.national import GatewayAway, Result
from services.publishing.store import Store
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, World, event_of, world_of

R = TypeVar("R")
YEAR = "2025-2026"
NAME = "Nguyễn Văn An"
XML = (
    '<HocBa xmlns="urn:hocba:transcript:1"><NoiDung><Lop><Khoi>1</Khoi></Lop>'
    f"<HocSinh><HoTen>{NAME}</HoTen><SoDinhDanhCaNhan>031215001234</SoDinhDanhCaNhan></HocSinh></NoiDung></HocBa>"
).encode()
PAUSE = 0.02


class Here(Pool):
    """Packs in this process: starting another one takes longer than everything that is looked at."""

    def __init__(self) -> None:
        """No process."""

    async def run(self, work: Callable[..., R], *args: object) -> R:
        return work(*args)


@dataclass
class PlayedGateway:
    """Takes packages and answers as the test says; `plan` names what happens to the next requests, in order."""

    plan: list[Exception | str] = field(default_factory=list)
    taken: dict[str, bytes] = field(default_factory=dict)
    arrivals: list[str] = field(default_factory=list)
    answers: dict[str, list[Result]] = field(default_factory=dict)
    asked: int = 0

    async def send(self, package_id: str, body: bytes) -> None:
        self.asked += 1
        step = self.plan.pop(0) if self.plan else ""
        if isinstance(step, Exception):
            raise step
        self.arrivals.append(package_id)
        self.taken[package_id] = body
        if step == "lost answer":
            raise GatewayAway("ReadTimeout")

    async def results(self, package_id: str) -> list[Result] | None:
        self.asked += 1
        step = self.plan.pop(0) if self.plan else ""
        if isinstance(step, Exception):
            raise step
        return self.answers.get(package_id, []) if package_id in self.taken else None


@dataclass
class DeliveryWorld:
    pages: World
    parts: Parts
    client: httpx.AsyncClient
    gateway: PlayedGateway
    delivery: Delivery

    @property
    def store(self) -> Store:
        return self.delivery.store

    @property
    def db(self) -> Database:
        return self.parts.db

    async def confirmed(self, number: int, *, grade: int = 1, a_class: int = 50) -> list[str]:
        """Transcripts that records told were confirmed, `a_class` in each class; all with the same two small files."""
        put = self.parts.objects.put
        files = [await put("delivery", ".pdf", b"%PDF-1.7", "application/pdf"), await put("delivery", ".xml", XML, "application/xml")]
        ids = [str(uuid4()) for _ in range(number)]
        facts = [
            TranscriptConfirmedV1(
                school=SCHOOL,
                year=YEAR,
                class_code=f"{grade}A{n // a_class}",
                grade=grade,
                version=1,
                pupil_code=f"3125001{n:05}",
                pupil_name=NAME,
                pdf=files[0],
                xml=files[1],
                confirmed_at=clock.now(),
            )
            for n in range(number)
        ]
        await self.tell([event_of(f, i) for f, i in zip(facts, ids, strict=True)])
        return ids

    async def tell(self, events: Sequence[Any]) -> None:
        """Through the handlers of the consumers."""
        for consumer in handlers.consumers(self.store):
            if type(events[0].data).__name__ in consumer.handlers and type(events[0].data).topic == consumer.name:
                _, handler = consumer.handlers[type(events[0].data).__name__]
                await transaction(self.db, lambda session, handler=handler: handler(session, list(events)))  # type: ignore[misc]  # bound now

    async def submit(self, ids: Sequence[str]) -> dict[str, Any]:
        return await sending.submit(self.store, ADMINISTRATOR, transcripts=ids, classes=None, everything=False, request_id="r")

    async def cleared(self, ids: Sequence[str]) -> None:
        """Records has claimed them."""
        found = await self.db["submissions"].find({"_id": {"$in": list(ids)}, "state": "REQUESTED"}).to_list(None)
        if found:
            await self.tell([event_of(SubmissionClearedV1(submission=s["submission"]), s["_id"], sequence=2) for s in found])

    async def packed(self, number: int = 1) -> list[str]:
        """Transcripts on their way in one package."""
        ids = await self.confirmed(number)
        await self.submit(ids)
        await self.cleared(ids)
        assert await self.delivery.pack() == number
        return ids

    async def states(self, ids: Sequence[str]) -> list[str]:
        found = {s["_id"]: s["state"] async for s in self.db["submissions"].find({"_id": {"$in": list(ids)}})}
        return [found[i] for i in ids]

    async def package_of(self, transcript: str) -> str:
        found = await self.store.submission(transcript)
        assert found is not None
        return str(found["package"])

    async def due(self) -> None:
        """The pauses are over."""
        await self.db["packages"].update_many({"state": {"$ne": "done"}}, {"$set": {"next_at": clock.now()}})

    async def call_back(self, said: Any, *, key: str = "", at: int | None = None, body: bytes | None = None) -> httpx.Response:
        content = json.dumps(said).encode() if body is None else body
        moment = int(time.time()) if at is None else at
        known = key or secret(needed(self.parts.settings.gateway_callback_secret_file, "gateway_callback_secret_file"))
        digest = hmac.new(known.encode(), f"{moment}.".encode() + content, hashlib.sha256).hexdigest()
        headers = {"X-Signature": f"t={moment},v1={digest}", "Content-Type": "application/json"}
        return await self.client.post("/api/publishing/gateway-callbacks", content=content, headers=headers)


def result(transcript: str, status: str = "ACCEPTED", **more: Any) -> dict[str, Any]:
    reason = {"code": None, "reason": None} if status == "ACCEPTED" else {"code": "NG-404", "reason": "Sai mã số thuế"}
    return {"uuid": transcript, "status": status, "at": "2026-06-01T08:00:00+07:00", **reason, **more}


def event(package: str, *results: dict[str, Any], event_id: str = "e-1") -> dict[str, Any]:
    return {"eventId": event_id, "packageId": package, "results": list(results)}


@asynccontextmanager
async def delivery_world(stack: Stack) -> AsyncIterator[DeliveryWorld]:
    async with world_of(stack) as world:
        parts = replace(world.parts["publishing"], pool=Here())
        gateway = PlayedGateway()
        yield DeliveryWorld(world, parts, world.clients["publishing"], gateway, Delivery(parts, Store(parts.db), gateway))  # type: ignore[arg-type]  # plays it


async def again_and_again(work: Callable[[], Awaitable[int]]) -> None:
    while True:
        if not await work():
            await asyncio.sleep(PAUSE)
