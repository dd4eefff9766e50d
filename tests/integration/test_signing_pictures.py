"""Signing keeps which picture a signature or a seal had when, as identity tells it, and shows the one in use at the time of signing."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.identity import SealImageChangedV1, SignatureImageChangedV1
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis.mongo import Session, connect, transaction
from services.chassis.objects import DamagedObject, Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings
from services.chassis.work import Pool
from services.signing.pades.stamp import SEAL_MM, SIGNATURE_MM, stamp
from services.signing.pictures import COLLECTION, Pictures, save
from tests.factories.pictures import seal_picture, signature_picture

LEADER, SCHOOL = "31300001001", "31300001"
MORNING = dt.datetime(2026, 5, 28, 1, tzinfo=dt.UTC)


def settings_of(stack: Stack, service: str) -> Settings:
    environment = service_environment(stack.instance, service)
    return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})


@pytest.fixture
async def parts(light_stack: Stack) -> AsyncIterator[Parts]:
    settings = settings_of(light_stack, "signing")
    pool = Pool(1)
    async with connect(settings, "signing") as db:
        await db[COLLECTION].delete_many({})
        yield Parts(settings, db, Objects(settings, "signing"), pool)
    pool.close()


@pytest.fixture
def identity_objects(light_stack: Stack) -> Objects:
    return Objects(settings_of(light_stack, "identity"), "identity")


def of_leader(ref: DocumentRef, number: int, at: dt.datetime) -> Event[SignatureImageChangedV1]:
    fact = SignatureImageChangedV1(school=SCHOOL, person=LEADER, image=ref)
    subject = f"signature:{LEADER}"
    return Event(type="SignatureImageChangedV1", subject=subject, sequence=number, occurred_at=at, actor=LEADER, cause=None, data=fact)


def of_school(ref: DocumentRef) -> Event[SealImageChangedV1]:
    fact = SealImageChangedV1(school=SCHOOL, image=ref)
    subject = f"seal:{SCHOOL}"
    return Event(type="SealImageChangedV1", subject=subject, sequence=1, occurred_at=MORNING, actor=LEADER, cause=None, data=fact)


async def take(parts: Parts, *events: Event[SignatureImageChangedV1] | Event[SealImageChangedV1]) -> None:
    async def work(session: Session) -> None:
        await save(parts.db, session, events)

    await transaction(parts.db, work)


def batch(step: str, hours: int) -> dict[str, Any]:
    return {"step": step, "person": LEADER, "school": SCHOOL, "signing_time": MORNING + dt.timedelta(hours=hours)}


async def test_the_field_shows_the_picture_that_was_in_use_at_the_time_of_signing(parts: Parts, identity_objects: Objects) -> None:
    first, second, seal = signature_picture(1), signature_picture(2), seal_picture()
    refs = [await identity_objects.put("images", ".png", picture, "image/png") for picture in (first, second, seal)]
    # the newer one comes first, and one of them twice
    await take(parts, of_leader(refs[1], 2, MORNING + dt.timedelta(hours=3)), of_school(refs[2]))
    await take(parts, of_leader(refs[0], 1, MORNING), of_leader(refs[0], 1, MORNING))
    pictures = Pictures(parts.db, parts.objects, parts.pool)

    assert await pictures.of(batch("leader", -1)) is None
    assert await pictures.of(batch("leader", 1)) == stamp(first, SIGNATURE_MM)
    assert await pictures.of(batch("homeroom", 4)) == stamp(second, SIGNATURE_MM)
    assert await pictures.of(batch("issue", 4)) == stamp(seal, SEAL_MM)
    assert await pictures.of(batch("subjects", 4)) is None


async def test_a_picture_that_is_not_what_was_told_is_never_shown(parts: Parts, identity_objects: Objects) -> None:
    ref = await identity_objects.put("images", ".png", signature_picture(1), "image/png")
    await take(parts, of_leader(ref.model_copy(update={"sha256": "0" * 64}), 1, MORNING))
    with pytest.raises(DamagedObject):
        await Pictures(parts.db, parts.objects, parts.pool).of(batch("leader", 1))
