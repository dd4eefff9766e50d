"""Records keeps which picture a signature had when, as identity tells it, and prints the one that was in use at the time of signing."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.identity import SignatureImageChangedV1
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis.mongo import Session, connect, transaction
from services.chassis.objects import DamagedObject, Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings
from services.chassis.work import Pool
from services.records.images.pictures import SignaturePictures
from services.records.images.store import COLLECTION, pictures_at, save_signature_pictures
from services.records.render.pictures import printable
from tests.factories.pictures import signature_picture

TEACHER, OTHER = "31300001006", "31300001011"
MORNING = dt.datetime(2026, 5, 28, 1, tzinfo=dt.UTC)


def settings_of(stack: Stack, service: str) -> Settings:
    environment = service_environment(stack.instance, service)
    return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})


@pytest.fixture
async def parts(light_stack: Stack) -> AsyncIterator[Parts]:
    settings = settings_of(light_stack, "records")
    pool = Pool(1)
    async with connect(settings, "records") as db:
        await db[COLLECTION].delete_many({})
        yield Parts(settings, db, Objects(settings, "records"), pool)
    pool.close()


@pytest.fixture
def identity_objects(light_stack: Stack) -> Objects:
    return Objects(settings_of(light_stack, "identity"), "identity")


def told(person: str, ref: DocumentRef, number: int, at: dt.datetime) -> Event[SignatureImageChangedV1]:
    fact = SignatureImageChangedV1(school="31300001", person=person, image=ref)
    return Event(
        type="SignatureImageChangedV1", subject=f"signature:{person}", sequence=number, occurred_at=at, actor=person, cause=None, data=fact
    )


async def take(parts: Parts, *events: Event[SignatureImageChangedV1]) -> None:
    async def work(session: Session) -> None:
        await save_signature_pictures(parts.db, session, events)

    await transaction(parts.db, work)


def signature(person: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "role": "subject_teacher",
        "person": person,
        "name": "Lê Thị Thuỳ Dương",
        "signed_at": at.isoformat(),
        "certificate_serial": "54",
        "certificate_subject": "CN",
        "scheme": "ecdsa",
    }


async def test_the_picture_that_was_in_use_at_the_time_of_signing_is_printed(parts: Parts, identity_objects: Objects) -> None:
    first, second = signature_picture(1), signature_picture(2)
    refs = [await identity_objects.put("images", ".png", picture, "image/png") for picture in (first, second)]
    # the newer one comes first, and one of them twice
    await take(parts, told(TEACHER, refs[1], 2, MORNING + dt.timedelta(hours=3)))
    await take(parts, told(TEACHER, refs[0], 1, MORNING), told(TEACHER, refs[0], 1, MORNING))
    pictures = SignaturePictures(parts.db, parts.objects, parts.pool)

    async def printed(hours: int) -> dict[str, bytes]:
        return await pictures.of([signature(TEACHER, MORNING + dt.timedelta(hours=hours)), signature(OTHER, MORNING)])

    assert await printed(-1) == {}
    assert await printed(1) == {TEACHER: printable(first)}
    assert await printed(4) == {TEACHER: printable(second)}
    kept = await parts.db[COLLECTION].find_one({"_id": TEACHER})
    assert kept is not None
    assert len(kept["versions"]) == 2


async def test_a_picture_that_is_not_what_was_told_is_never_printed(parts: Parts, identity_objects: Objects) -> None:
    ref = await identity_objects.put("images", ".png", signature_picture(1), "image/png")
    await take(parts, told(TEACHER, ref.model_copy(update={"sha256": "0" * 64}), 1, MORNING))
    assert await pictures_at(parts.db, {TEACHER: MORNING}) != {}
    with pytest.raises(DamagedObject):
        await SignaturePictures(parts.db, parts.objects, parts.pool).of([signature(TEACHER, MORNING)])
