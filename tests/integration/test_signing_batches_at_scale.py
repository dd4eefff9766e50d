"""A thousand documents under one authorisation, through refusals, errors, wrong signatures and a worker that is killed at every point."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from infra.local import Stack
from infra.stack.processes import service_environment
from tests.integration.agent_world import until_true
from tests.integration.batch_world import Batches, batches_on

pytestmark = pytest.mark.slow

DOCUMENTS = 1000
POINTS = (
    "signing.before-intent:3",
    "signing.prepared",
    "signing.asked",
    "signing.signed:2",
    "signing.returned:3",
    "signing.before-store:2",
    "signing.stored:4",
    "signing.before-commit:2",
    "signing.committed:3",
)
"""Before and after the intent, after sending, after the answer, before and after storing, before and after the event."""


@pytest.fixture
async def here(light_stack: Stack) -> AsyncIterator[Batches]:
    async with batches_on(light_stack) as made:
        yield made


async def worker(stack: Stack, failpoint: str = "") -> Process:
    environment = {**os.environ, **service_environment(stack.instance, "signing"), "HOCBA_LEASE_SECONDS": "3"}
    command = (sys.executable, "-m", "tests.integration.batch_worker")
    return await asyncio.create_subprocess_exec(*command, env={**environment, "HOCBA_FAILPOINT": failpoint})


async def finished(here: Batches, batch: str) -> None:
    async def there() -> bool:
        return bool((await here.store.batch(batch))["state"] == "finished")

    while True:
        done = sum(state not in ("queued", "prepared", "sent", "waiting", "returned") for state, _ in await here.outcomes(batch))
        try:
            await until_true(there)
        except TimeoutError:
            # as long as it moves on it is not stuck
            outcomes = await here.outcomes(batch)
            assert sum(s not in ("queued", "prepared", "sent", "waiting", "returned") for s, _ in outcomes) > done
        else:
            return


async def run(stack: Stack, here: Batches, batch: str) -> None:
    last = await worker(stack)
    try:
        await finished(here, batch)
    finally:
        last.terminate()
        await last.wait()


async def test_a_thousand_documents_have_every_outcome_right_whatever_happens_on_the_way(light_stack: Stack, here: Batches) -> None:
    ids = await here.documents(DOCUMENTS)
    await here.faults(endpoint="signatures/signHash", fail_next=2, lose_answer_next=1)
    started = await here.start(ids)
    assert started["accepted"] == DOCUMENTS
    for point in POINTS:
        killed = await worker(light_stack, point)
        try:
            assert await killed.wait() == -signal.SIGKILL, point
        finally:
            if killed.returncode is None:
                killed.kill()
    # not before: values that a killed worker never stored are asked for again, and are right then
    await here.faults(endpoint="signatures/signHash", wrong_signature_next=10, fail_next=2)
    await run(light_stack, here, started["batch"])
    outcomes = Counter(await here.outcomes(started["batch"]))
    wrong = 10
    assert outcomes == {("embedded", ""): DOCUMENTS - wrong, ("failed", "HB-SIG-011"): wrong}
    items = await here.store.items(started["batch"])
    failed = [i["transcript"] for i in items if i["state"] == "failed"]

    await here.faults(endpoint="credentials/authorize", refuse_next=1)
    refused = await here.start(failed)
    await run(light_stack, here, refused["batch"])
    assert Counter(await here.outcomes(refused["batch"])) == {("refused", "HB-SIG-009"): wrong}

    again = await here.start(failed)
    await run(light_stack, here, again["batch"])
    assert Counter(await here.outcomes(again["batch"])) == {("embedded", ""): wrong}

    db = here.world.db("signing")
    assert len(await db["signatures"].distinct("transcript")) == await db["signatures"].count_documents({}) == DOCUMENTS
    assert await db["tasks"].count_documents({"step": "assembling", "claims": {}}) == DOCUMENTS
    told = db["outbox"].aggregate([{"$match": {"body": {"$regex": "SubjectSignedV1"}}}, {"$group": {"_id": "$subject", "n": {"$sum": 1}}}])
    assert Counter([row["n"] async for row in told]) == {1: DOCUMENTS}
