"""A batch through each provider, from the page to the embedded signatures: the same runner, the same seam, three protocols."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from contracts.access import Principal, Role
from infra.local import Stack
from services.chassis.mongo import Document
from services.means.remote import Outcome
from services.signing.asking import hint
from services.signing.callbacks import MOST_BYTES, Allowance
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.steps.kind import Prepared
from services.signing.store import Store
from tests.integration.pages_world import PASSWORD, World, staff, world_of

CLASS = "5A"
SERVERS = {"sandbox": "provider", "smartca": "sp769", "mysign": "mysign"}
NOT_SIGNED, WRONG_VALUE = "HB-SIG-040", "HB-SIG-011"


class Watching(Runner):
    """A worker that remembers which hashes it asked for, by transcript."""

    def __init__(self, world: World) -> None:
        super().__init__(world.parts["signing"], Store(world.db("signing")), Providers(world.settings["signing"]))
        self.hashes: dict[str, list[bytes]] = {}

    async def _asked(self, batch: Document, hashes: list[bytes], items: Sequence[Document]) -> Outcome | None:
        self.hashes |= {i["transcript"]: Prepared.model_validate(i["prepared"]).hashes for i in items}
        return await super()._asked(batch, hashes, items)


@dataclass
class Signing:
    """A subject teacher with an account at one provider, and what waits for them."""

    world: World
    provider: str
    control: httpx.AsyncClient
    teacher: Principal
    waiting: list[str]
    worker: Watching

    async def order(self, what: str, **order: object) -> None:
        (await self.control.post(f"/control/{what}", json=order)).raise_for_status()

    async def start(self, transcripts: Sequence[str]) -> str:
        order = [("act", "sign"), ("step", "subjects"), ("username", self.teacher.person), *(("ids", t) for t in transcripts)]
        secret = [("password", PASSWORD)] if self.worker.providers.asks_password(self.provider) else []
        where = (await self.world.browser(self.teacher).send("/ui/signing/batches", order + secret)).where
        return where.partition("?")[0].rpartition("/")[2]

    async def work(self, batch: str) -> None:
        """Until it is finished."""
        assert await self.worker.round() == 1
        await asyncio.gather(*self.worker.running)
        assert (await self.worker.store.batch(batch))["state"] == "finished"

    async def items(self, batch: str) -> dict[str, Document]:
        return {i["transcript"]: i for i in await self.worker.store.items(batch)}

    async def pending(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.control.get("/control/phone/pending")).json()["pending"]
        return [each for each in found if each["user"] == self.teacher.person]

    async def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.control.get("/control/stats")).json()
        return found

    async def hook(self, body: object) -> httpx.Response:
        """As a provider calls, or anybody else."""
        path = f"/api/signing/provider-callbacks/{self.provider}"
        return await self.world.clients["signing"].post(path, content=body if isinstance(body, bytes) else json.dumps(body).encode())


async def settled(control: httpx.AsyncClient) -> None:
    """The sandbox outlives a test: what another one left unanswered on a phone is refused."""
    (await control.delete("/control/faults")).raise_for_status()
    (await control.post("/control/phone", json={"mode": "auto", "delay_ms": 0})).raise_for_status()
    (await control.post("/control/webhook", json={"url": ""})).raise_for_status()
    for left in (await control.get("/control/phone/pending")).json()["pending"]:
        assert (await control.post(f"/phone/{left['handle']}/reject")).status_code == 303


@pytest.fixture(params=["sandbox", "smartca", "mysign"])
async def signing(request: pytest.FixtureRequest, light_stack: Stack) -> AsyncIterator[Signing]:
    provider: str = request.param
    base = light_stack.info["sandbox"][SERVERS[provider]]
    async with world_of(light_stack) as world, httpx.AsyncClient(base_url=base, timeout=60, trust_env=False) as control:
        await settled(control)
        await world.imported()
        await world.browser().send("/ui/records/classes", [("ids", CLASS), ("sure", "1")])
        await world.create_all()
        await world.hand_on()
        tasks = await world.db("signing")["tasks"].find({"class_code": CLASS}).to_list(None)
        code = tasks[0]["waiting"][0]
        person = await world.db("records")["staff"].find_one({"data.code": code})
        assert person is not None
        teacher = staff(int(code[-3:]), person["data"]["name"], Role.SUBJECT_TEACHER)
        await world.approve(teacher, person["data"]["personal_id"], provider)
        yield Signing(world, provider, control, teacher, [t["_id"] for t in tasks if code in t["waiting"]], Watching(world))
        await settled(control)


async def test_a_batch_is_confirmed_once_signed_and_embedded(signing: Signing) -> None:
    await signing.order("phone", mode="manual", delay_ms=0)
    batch = await signing.start(signing.waiting[:4])
    running = asyncio.create_task(signing.work(batch))
    while not (asked := await signing.pending()):  # noqa: ASYNC110 - another process tells nothing
        await asyncio.sleep(0.05)
    assert (len(asked), asked[0]["signatures"], len(asked[0]["titles"])) == (1, 4, 4)
    assert "Nhà cung cấp" in asked[0]["provider"]
    assert (await signing.control.post(f"/phone/{asked[0]['handle']}/confirm")).status_code == 303
    await running
    items = await signing.items(batch)
    assert {i["state"] for i in items.values()} == {"embedded"}
    kept = await signing.worker.store.batch(batch)
    assert ("token" in kept, "sad" in kept, PASSWORD in str(kept)) == (False, False, False)
    assert await signing.world.db("signing")["signatures"].count_documents({}) == 4


@pytest.mark.parametrize("signing", ["mysign"], indirect=True)
async def test_a_rejection_ends_the_batch_and_is_not_asked_again(signing: Signing) -> None:
    await signing.order("phone", mode="reject", delay_ms=0)
    before = (await signing.stats())["authorisations"]["requested"]
    batch = await signing.start(signing.waiting[:2])
    await signing.work(batch)
    assert {(i["state"], i["code"]) for i in (await signing.items(batch)).values()} == {("refused", "HB-SIG-009")}
    assert (await signing.stats())["authorisations"]["requested"] == before + 1


@pytest.mark.parametrize("signing", ["smartca", "mysign"], indirect=True)
async def test_a_hint_makes_the_waiting_batch_ask_at_once_and_is_believed_in_nothing(signing: Signing) -> None:
    signing.worker.providers.by_id(signing.provider).check_seconds = 100_000.0
    await signing.order("phone", mode="manual", delay_ms=0)
    batch = await signing.start(signing.waiting[:1])
    running = asyncio.create_task(signing.work(batch))
    while not (handle := (await signing.worker.store.batch(batch)).get("handle")):  # noqa: ASYNC110 - a database tells nothing
        await asyncio.sleep(0.05)
    transaction = handle.partition(".")[0]
    lies: list[Any] = [
        {"transaction_id": transaction, "status_code": 200, "signed_files": [{"doc_id": "x", "signature_value": "AAAA"}]},
        {"meta_data": {"transaction_id": transaction, "status": "4002"}},
        {"transaction_id": ".*"},
        {"transaction_id": {"$ne": ""}},
        [],
        b"\xff{",
    ]
    for said in lies:
        answer = await signing.hook(said)
        assert (answer.status_code, answer.json()) == (200, {"status_code": "00", "message": "OK"})
    await asyncio.sleep(1.2)
    assert ((await signing.worker.store.batch(batch))["state"], len(await signing.pending())) == ("waiting", 1)
    [asked] = await signing.pending()
    await signing.control.post(f"/phone/{asked['handle']}/confirm")
    assert (await signing.hook({"transaction_id": transaction})).status_code == 200
    await running
    assert {i["state"] for i in (await signing.items(batch)).values()} == {"embedded"}
    for _ in range(2):
        assert (await signing.hook({"transaction_id": transaction})).status_code == 200, "late and repeated: harmless"
    assert await hint(signing.world.db("signing"), signing.provider, transaction) is False


@pytest.mark.parametrize("signing", ["smartca"], indirect=True)
async def test_hints_that_are_too_large_or_too_many_are_refused_unread(signing: Signing) -> None:
    assert (await signing.hook(b"x" * (MOST_BYTES + 1))).json()["code"] == "HB-SIG-043"
    signing.world.apps["signing"].state.hints = Allowance(per_second=0.0, at_once=2.0)
    assert [(await signing.hook({})).status_code for _ in range(3)] == [200, 200, 429]
