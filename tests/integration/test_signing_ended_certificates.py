"""A certificate that ends signs nothing more, wherever a batch of it stands: the event goes through signing's own handler."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from contracts.access import Principal, Role
from contracts.events.identity import CertificateEndedV1
from infra.local import Stack
from services.chassis.mongo import Document, transaction
from services.signing import handlers
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.store import Store
from tests.integration.pages_world import PASSWORD, SCHOOL, World, event_of, staff, world_of

CLASS = "5A"
UNFIT = "HB-SIG-003"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


@dataclass
class Provider:
    """The sandbox provider behind the scenes."""

    client: httpx.AsyncClient

    async def phone(self, mode: str) -> None:
        (await self.client.post("/control/phone", json={"mode": mode, "delay_ms": 0})).raise_for_status()

    async def sign_down(self) -> None:
        (await self.client.post("/control/faults", json={"endpoint": "signatures/signHash", "down": True})).raise_for_status()

    async def well(self) -> None:
        (await self.client.delete("/control/faults")).raise_for_status()

    async def signed(self) -> Any:
        return (await self.client.get("/control/signed")).raise_for_status().json()


@pytest.fixture
async def provider(light_stack: Stack) -> AsyncIterator[Provider]:
    async with httpx.AsyncClient(base_url=light_stack.info["sandbox"]["provider"], timeout=60, trust_env=False) as client:
        made = Provider(client)
        yield made
        await made.well()


def store_of(world: World) -> Store:
    return Store(world.db("signing"))


class Working(Runner):
    """A worker that does something else at the moment before it embeds."""

    before_embedding: Callable[[], Awaitable[None]] | None = None

    async def _embed(self, *arguments: Any) -> Any:
        if self.before_embedding is not None:
            await self.before_embedding()
        return await super()._embed(*arguments)


def worker_of(world: World) -> Working:
    return Working(world.parts["signing"], store_of(world), Providers(world.settings["signing"]))


async def started(world: World) -> tuple[Principal, str]:
    """A subject teacher with an approved certificate, and the batch that they have just started."""
    browser = world.browser()
    await world.imported()
    await browser.send("/ui/records/classes", [("ids", CLASS), ("sure", "1")])
    await world.create_all()
    await world.hand_on()
    task = await world.db("signing")["tasks"].find_one({"class_code": CLASS})
    assert task is not None
    person = await world.db("records")["staff"].find_one({"data.code": task["waiting"][0]})
    assert person is not None
    teacher = staff(int(person["data"]["code"][-3:]), person["data"]["name"], Role.SUBJECT_TEACHER)
    await world.approve(teacher, person["data"]["personal_id"])
    order = [("act", "sign"), ("ids", task["_id"]), ("step", "subjects"), ("username", teacher.person), ("password", PASSWORD)]
    where = (await world.browser(teacher).send("/ui/signing/batches", order)).where
    return teacher, where.partition("?")[0].rpartition("/")[2]


async def end(world: World, teacher: Principal, reason: str = "revoked", *, sha256: str | None = None) -> None:
    account = await store_of(world).standing("person", teacher.person)
    assert account is not None
    own = hashlib.sha256(b64decode(account["certificate"])).hexdigest()
    fact = CertificateEndedV1(kind="person", school=SCHOOL, person=teacher.person, certificate_sha256=sha256 or own, reason=reason)
    certificates = next(c for c in handlers.consumers(store_of(world)) if c.name == "identity.certificates")
    _, handler = certificates.handlers["CertificateEndedV1"]
    await transaction(world.db("signing"), lambda session: handler(session, [event_of(fact, "request-1", sequence=9)]))


async def until(world: World, batch: str, state: str) -> Document:
    while True:
        found = await store_of(world).batch(batch)
        if found["state"] == state:
            return found
        await asyncio.sleep(0.05)


async def assert_nothing_was_signed(world: World, batch: str, words: str = "đã bị thu hồi") -> None:
    items = await store_of(world).items(batch)
    assert [(i["state"], i["code"]) for i in items] == [("failed", UNFIT)]
    assert words in items[0]["reason"]
    assert await world.db("signing")["signatures"].count_documents({}) == 0
    task = await world.db("signing")["tasks"].find_one({"_id": items[0]["transcript"]})
    assert task is not None
    assert (task["claims"], task["signatures"]) == ({}, [])


async def test_a_batch_that_waits_for_the_phone_ends_and_the_provider_is_not_asked(world: World, provider: Provider) -> None:
    await provider.phone("manual")
    teacher, batch = await started(world)
    worker = worker_of(world)
    await worker.round()
    await until(world, batch, "waiting")
    await end(world, teacher)
    await until(world, batch, "finished")
    await assert_nothing_was_signed(world, batch)


async def test_a_batch_that_is_authorised_already_gets_no_signature_any_more(world: World, provider: Provider) -> None:
    await provider.phone("auto")
    teacher, batch = await started(world)
    await provider.sign_down()
    signed = await provider.signed()
    await worker_of(world).round()
    await until(world, batch, "signing")
    await end(world, teacher)
    await provider.well()
    await until(world, batch, "finished")
    await assert_nothing_was_signed(world, batch)
    assert await provider.signed() == signed


async def test_a_signature_that_came_back_is_thrown_away_when_the_certificate_has_ended(world: World, provider: Provider) -> None:
    await provider.phone("auto")
    teacher, batch = await started(world)
    worker = worker_of(world)
    worker.before_embedding = lambda: end(world, teacher, "expired")
    await worker.round()
    await until(world, batch, "finished")
    await assert_nothing_was_signed(world, batch, "đã hết hạn")


async def test_an_ended_certificate_starts_no_batch(world: World, provider: Provider) -> None:
    await provider.phone("manual")
    teacher, batch = await started(world)
    await end(world, teacher)
    await worker_of(world).round()
    await until(world, batch, "finished")
    item = (await store_of(world).items(batch))[0]
    order = [("act", "sign"), ("ids", item["transcript"]), ("step", "subjects"), ("username", teacher.person), ("password", PASSWORD)]
    again = await world.browser(teacher).send("/ui/signing/batches", order)
    assert again.status != 303
    assert "chưa được duyệt" in again.text


async def test_the_end_of_another_certificate_changes_nothing(world: World, provider: Provider) -> None:
    """The one before it is told to have ended, in whichever order the two events come."""
    await provider.phone("auto")
    teacher, batch = await started(world)
    await end(world, teacher, "replaced", sha256="0" * 64)
    await worker_of(world).round()
    await until(world, batch, "finished")
    assert [i["state"] for i in await store_of(world).items(batch)] == ["embedded"]


async def test_an_account_that_signs_with_a_token_is_asked_for_no_password(world: World, provider: Provider) -> None:
    await provider.phone("manual")
    teacher, batch = await started(world)
    item = (await store_of(world).items(batch))[0]
    await end(world, teacher, "revoked", sha256="0" * 64)
    await world.db("signing")["tasks"].update_many({}, {"$set": {"claims": {}}})
    await world.db("signing")["accounts"].update_one({"person": teacher.person}, {"$set": {"provider": "", "means": "token"}})
    browser = world.browser(teacher)
    asked = await browser.send("/ui/signing/subjects", [("act", "sign"), ("ids", item["transcript"])])
    assert "Ký bằng USB Token" in asked.text
    assert "Mật khẩu" not in asked.text
    sent = [("step", "subjects"), ("token", "1"), ("ids", item["transcript"])]
    where = (await browser.send("/ui/signing/batches", sent)).where
    assert "Chưa kết nối chương trình ký số" not in (await browser.get("/ui/signing/subjects")).text
    assert "Chưa kết nối chương trình ký số" in (await browser.get(where)).text
