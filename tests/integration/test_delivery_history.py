"""Submissions to a gateway that misbehaves all the time: both sides end in the same state, and nothing is sent or told twice."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.local import Stack
from services.chassis import clock
from services.publishing import app as publishing
from services.publishing.delivery import Delivery
from services.publishing.gateways.national import NationalGateway
from tests.faults.history import Evidence, Result, answers_differ, sent_twice
from tests.integration.agent_world import served
from tests.integration.delivery_world import PAUSE, YEAR, DeliveryWorld, again_and_again, delivery_world
from tests.integration.pages_world import SCHOOL

BEHAVING = {"skip_validation": True}
MISBEHAVING = {
    "skip_validation": True,
    "reject_percent": 5,
    "fail_percent": 5,
    "lose_answer_percent": 5,
    "lose_callback_percent": 5,
    "duplicate_callback": 1,
    "callback_delay_ms": 50,
    "slow_ms": 20,
}
ENDED = ("ACCEPTED", "REJECTED")


@asynccontextmanager
async def gateway(stack: Stack, faults: dict[str, Any]) -> AsyncIterator[str]:
    """The address of the sandbox gateway, with these faults."""
    address = str(stack.info["sandbox"]["gateway"])
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        (await client.post("/control/faults", json=faults)).raise_for_status()
        yield address
        (await client.delete("/control/faults")).raise_for_status()


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[DeliveryWorld]:
    """With callbacks from outside, and the gateway's own address for questions."""
    async with delivery_world(light_stack) as made:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = made.parts.settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        made.parts = replace(made.parts, settings=settings)
        made.delivery = Delivery(made.parts, made.store, NationalGateway(made.parts.settings))
        async with served(publishing.web(made.parts), port):
            yield made


async def deliver(world: DeliveryWorld, ids: list[str]) -> None:
    """The worker's loops, until every one of them has its answer."""
    work = world.delivery
    loops = [work.pack, work.send, work.send, work.send, work.send, work.ask, work.ask]
    tasks = [asyncio.create_task(again_and_again(loop)) for loop in loops]
    while set(await world.states(ids)) - set(ENDED):
        failed = [t.exception() for t in tasks if t.done()]
        assert not failed, failed
        await asyncio.sleep(PAUSE * 10)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def evidence_of(world: DeliveryWorld, address: str, ids: list[str]) -> Evidence:
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        ledger = (await client.get("/control/ledger", params={"school": SCHOOL})).json()
    packages = {p["_id"]: p["object"]["sha256"] async for p in world.db["packages"].find()}
    taken = {p["id"]: p for p in ledger["packages"] if p["id"] in packages}
    submissions = {s["_id"]: (s["state"], s["package"]) async for s in world.db["submissions"].find({"_id": {"$in": ids}})}
    told = [json.loads(d["body"]) async for d in world.db["outbox"].find({"topic": "publishing.submissions"})]
    return Evidence(
        packages=packages,
        taken={i: p["digest"] for i, p in taken.items()},
        arrivals={i: p["arrivals"] for i, p in taken.items()},
        results=[Result(r["package_id"], r["uuid"], r["version"], r["status"]) for r in ledger["results"] if r["package_id"] in packages],
        submissions=submissions,
        answers=[(t["subject"], t["data"]["submission"]) for t in told if t["type"] != "SubmissionRequestedV1"],
    )


@pytest.mark.parametrize("number", [40, pytest.param(2000, marks=pytest.mark.slow)])
async def test_submissions_to_a_misbehaving_gateway_end_in_the_same_state_on_both_sides_and_none_twice(
    world: DeliveryWorld, light_stack: Stack, number: int
) -> None:
    ids = await world.confirmed(number, a_class=min(50, number // 8))
    assert (await world.submit(ids))["requested"] == number
    await world.cleared(ids)
    async with gateway(light_stack, MISBEHAVING) as address:
        await deliver(world, ids)
        evidence = await evidence_of(world, address, ids)
    assert [*sent_twice(evidence), *answers_differ(evidence)] == []
    states = Counter(state for state, _ in evidence.submissions.values())
    assert states["REJECTED"] == number * 5 // 100
    assert states["ACCEPTED"] == number - states["REJECTED"]


async def test_the_lookup_finds_what_was_sent_from_here_and_elsewhere_and_names_the_difference(
    world: DeliveryWorld, light_stack: Stack
) -> None:
    here, lost = await world.confirmed(2)
    foreign: dict[str, Any] = {
        "uuid": str(uuid4()),
        "school": SCHOOL,
        "year": YEAR,
        "class_name": "5B",
        "grade": 5,
        "pupil": "p-1",
        "name": "Đỗ Thị Đào",
    }
    browser = world.pages.browser()
    async with gateway(light_stack, BEHAVING) as address:
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            (await client.post("/control/holdings", json=foreign)).raise_for_status()
        await world.submit([here])
        await world.cleared([here])
        await deliver(world, [here])
        await world.db["submissions"].update_one({"_id": lost}, {"$set": {"state": "ACCEPTED", "decided_at": clock.now()}})
        found = {uuid: await browser.send("/ui/publishing/lookup", [("uuid", uuid)]) for uuid in (here, lost, foreign["uuid"])}
        by_name = await browser.send("/ui/publishing/lookup", [("name", "do thi dao"), ("grade", "5"), ("class_code", "5B")])
        by_id = await browser.send("/ui/publishing/lookup", [("personal_id", "031215001234"), ("uuid", here)])
        wrong = await browser.send("/ui/publishing/lookup", [("personal_id", "12")])
    assert "Khớp" in found[here].text
    assert "Không thấy trên Cổng tiếp nhận" in found[lost].text
    assert "Do hệ thống khác gửi" in found[foreign["uuid"]].text
    assert foreign["uuid"] in by_name.text
    assert here in by_id.text
    assert (wrong.status, "Số định danh cá nhân gồm 12 chữ số." in wrong.text) == (422, True)
    assert await world.db["audit"].count_documents({"act": "gateway searched"}) == 5


async def test_a_gateway_that_is_down_is_told_to_whoever_looks_up(world: DeliveryWorld, light_stack: Stack) -> None:
    async with gateway(light_stack, {"down": True}):
        answer = await world.pages.browser().send("/ui/publishing/lookup", [("name", "An")])
    assert answer.status == 503
    assert "HB-PUB-064" in answer.text
