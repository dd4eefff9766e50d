"""A thousand documents in one batch by every means while everything misbehaves: each outcome is right, and none is signed twice.

Refusals, errors and wrong values of the means; webhooks that are lost, repeated, forged; the person's program and every process of
signing killed, the worker at every point of a batch. A slice of it without deaths runs with all other tests.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from infra.local import Stack
from tests.integration.agent_world import until_true
from tests.integration.means_world import NOT_SIGNED, REFUSED_BY_PROGRAM, WRONG_VALUE, Signing, signing_by

MEANS = ("csc", "sp769", "mysign", "token")
SOME, ALL = 40, 1000
BEFORE = ("signing.before-intent:3", "signing.prepared")
AFTER = ("signing.returned:3", "signing.before-store:2", "signing.stored:4", "signing.before-commit:2", "signing.committed:3")
POINTS = {
    "csc": ("signing.asked", "signing.asked:2", "signing.signed:2", *AFTER),
    "sp769": ("signing.asked", "signing.asked:2", "signing.signed:2", *AFTER),
    # a worker that dies over the question itself ends the batch: see test_signing_batches.py
    "mysign": ("signing.asked:2", "signing.signed:2", *AFTER),
    "token": ("signing.asked", *AFTER),
}
"""Where a worker dies, one after the other: around the intent, after sending, after the answer, around storing, around the event."""
WEB = {"token": ("transaction.before-commit:9", "transaction.committed:9")}
"""Where signing's web dies, to which the program gives its values."""
LOST_TWICE = 2 * 24 * 2
"""Hashes of the two chunks whose values a provider gave and nobody kept: CSC gives them once, so that they are asked for again."""


async def judge(signing: Signing, batch: str, expected: dict[str, str]) -> list[str]:
    """The history of the batch; who was not signed."""
    outcomes = await signing.outcomes(batch)
    assert outcomes == expected
    failed = [t for t, code in outcomes.items() if code]
    await signing.assert_reasons_are_written_down(batch, outcomes)
    await signing.assert_each_signed_once([t for t in outcomes if t not in failed], failed)
    counted = await signing.signed()
    lost = sum(counted.values()) - len(counted)
    assert lost <= (LOST_TWICE if signing.means == "csc" else 0)
    if signing.means != "token":
        kept = {h for t, code in expected.items() for h in signing.hashes[t] if not code}
        assert kept <= counted.keys()
        unkept = {h for t, code in expected.items() for h in signing.hashes[t] if code}
        assert counted.keys() - kept <= unkept, "every other value belongs to a document that has a reason"
    return failed


async def webhooks(signing: Signing, expected: int) -> None:
    """So many came to signing, which took each without believing it."""
    if signing.means in ("sp769", "mysign"):

        async def there() -> bool:
            return len((await signing.asked("webhook"))["answers"]) >= expected

        await until_true(there)
        assert (await signing.asked("webhook"))["answers"] == [200] * expected


async def sign_what_failed(signing: Signing, failed: list[str], everything: list[str]) -> None:
    """Nothing misbehaves any more, but the webhook does not come."""
    await signing.calm()
    before = (await signing.asked("webhook"))["answers"]
    if signing.means != "token":
        await signing.order("faults", lose_webhook_next=1)
    batch = await signing.start(failed)
    await asyncio.gather(signing.person(batch), signing.worker_here(batch))
    assert await signing.outcomes(batch) == dict.fromkeys(failed, "")
    await signing.assert_each_signed_once(everything)
    assert (await signing.asked("webhook"))["answers"] == before


@pytest.mark.parametrize("means", MEANS)
async def test_some_documents_have_every_outcome_right_by_each_means(light_stack: Stack, means: str, tmp_path: Path) -> None:
    async with signing_by(light_stack, means, tmp_path) as signing:
        ids = await signing.world.documents(SOME)
        await signing.misbehave(refused=10, wrong=5)
        batch = await signing.start(ids)
        expected = await signing.expected(batch, refused=10, wrong=5)
        await asyncio.gather(signing.person(batch), signing.worker_here(batch))
        failed = await judge(signing, batch, expected)
        await webhooks(signing, 5)
        await sign_what_failed(signing, failed, ids)


@pytest.mark.parametrize(("means", "code", "asked"), [("csc", "", 2), ("sp769", "", 1), ("mysign", "HB-SIG-073", 1)])
async def test_a_question_that_nobody_noted_is_found_asked_again_or_told_of_as_its_protocol_allows(
    light_stack: Stack, means: str, code: str, asked: int, tmp_path: Path
) -> None:
    """What a worker killed between the provider's answer and its own note leaves: a batch that waits without a handle."""
    async with signing_by(light_stack, means, tmp_path) as signing:
        ids = await signing.world.documents(3)
        batch = await signing.start(ids)
        before = (await signing.asked("stats"))["authorisations"]["requested"]
        await signing.worker_dies_asking(batch)
        await signing.worker_here(batch)
        assert await signing.outcomes(batch) == dict.fromkeys(ids, code)
        assert (await signing.asked("stats"))["authorisations"]["requested"] - before == asked
        await signing.assert_each_signed_once([] if code else ids, ids if code else [])
        counted = await signing.signed()
        assert sum(counted.values()) == len(counted)


@pytest.mark.slow
@pytest.mark.parametrize("means", MEANS)
async def test_a_thousand_documents_have_every_outcome_right_whatever_dies_on_the_way(
    light_stack: Stack, means: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = 5 if means == "token" else 3
    async with signing_by(light_stack, means, tmp_path, web=WEB.get(means, ())) as signing:
        ids = await signing.world.documents(ALL)
        await signing.misbehave(refused=refused, wrong=1)
        batch = await signing.start(ids)
        await signing.deaths_begin()
        for point in BEFORE:
            await signing.worker_dies(point)
        expected = await signing.expected(batch, refused=refused, wrong=1)
        person = asyncio.create_task(signing.person(batch, killed_at=(ALL // 5, ALL // 2)))
        for point in POINTS[means]:
            await signing.worker_dies(point)
        await signing.worker_goes_on(batch)
        await person
        failed = await judge(signing, batch, expected)
        codes = Counter(expected.values())
        assert codes[""] > 0.85 * ALL
        assert codes[REFUSED_BY_PROGRAM if means == "token" else NOT_SIGNED] > 0.03 * ALL
        assert codes[WRONG_VALUE] > 0.005 * ALL
        if means == "token":
            assert min(signing.line.down, signing.line.lost) > 0
        await webhooks(signing, 5)
        await sign_what_failed(signing, failed, ids)
        with capsys.disabled():
            print(f"\n  {means}: {dict(codes)}")  # noqa: T201 - whoever measures wants to know
