"""One batch, one death: by every means at every point of it, and at what signing's web does for the person's program: `make faults`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.local import Stack
from tests.faults.plan import WORK
from tests.integration.means_world import Signing, signing_by

pytestmark = pytest.mark.faults

DOCUMENTS = 30
MEANS = ("csc", "sp769", "mysign", "token")
OF_A_BATCH = (
    "signing.before-intent",
    "signing.prepared",
    "signing.asked",
    "signing.signed",
    "signing.returned",
    "signing.before-store",
    "signing.stored",
    "signing.before-commit",
    "signing.committed",
)
DEATHS = [(means, point) for means in MEANS for point in OF_A_BATCH if (means, point) != ("token", "signing.signed")]
"""A program gives its values to signing's web, not to the worker."""
ASKED_OR_NOT = "HB-SIG-073"


async def once_more(signing: Signing, ids: list[str]) -> None:
    batch = await signing.start(ids)
    await asyncio.gather(signing.person(batch), signing.worker_here(batch))
    assert await signing.outcomes(batch) == dict.fromkeys(ids, "")


async def values_lost(signing: Signing) -> int:
    """How many hashes the provider signed once more."""
    counted = await signing.signed()
    return sum(counted.values()) - len(counted)


@pytest.mark.parametrize(("means", "point"), DEATHS)
async def test_a_worker_that_dies_is_followed_by_one_that_signs_each_document_once(
    light_stack: Stack, means: str, point: str, tmp_path: Path
) -> None:
    async with signing_by(light_stack, means, tmp_path) as signing:
        ids = await signing.world.documents(DOCUMENTS)
        batch = await signing.start(ids)
        await signing.deaths_begin()
        person = asyncio.create_task(signing.person(batch))
        await signing.worker_dies(point)
        await signing.worker_here(batch)
        await person
        outcomes = await signing.outcomes(batch)
        if (means, point) == ("mysign", "signing.asked"):
            assert outcomes == dict.fromkeys(ids, ASKED_OR_NOT)
            await signing.assert_each_signed_once([], ids)
            await once_more(signing, ids)
        else:
            assert outcomes == dict.fromkeys(ids, "")
        await signing.assert_each_signed_once(ids)
        assert await values_lost(signing) <= (2 * 24 if (means, point) == ("csc", "signing.signed") else 0)


@pytest.mark.parametrize("point", ["transaction.before-commit", "transaction.committed"])
@pytest.mark.parametrize("nth", [1, 3])
async def test_the_web_that_dies_while_it_takes_values_of_a_program_loses_and_doubles_none(
    light_stack: Stack, point: str, nth: int, tmp_path: Path
) -> None:
    async with signing_by(light_stack, "token", tmp_path, web=[f"{point}:{nth}"]) as signing:
        ids = await signing.world.documents(DOCUMENTS)
        batch = await signing.start(ids)
        await signing.deaths_begin()
        await asyncio.gather(signing.person(batch), signing.worker_here(batch))
        assert await signing.outcomes(batch) == dict.fromkeys(ids, "")
        await signing.assert_each_signed_once(ids)


def test_every_point_of_a_batch_is_one_at_which_it_dies_here() -> None:
    loops = ("signing.assembled", "signing.sealing.")
    assert {p for p in WORK["signing-worker"] if not p.startswith(loops)} == set(OF_A_BATCH)
