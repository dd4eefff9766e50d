"""The read API on real stores, asked by a system that signs its requests: what is in force, its files, who read what."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from contracts.documents import DocumentRef
from contracts.events.identity import SchoolChangedV1
from contracts.events.records import TranscriptConfirmedV1, TranscriptCreatedV1, TranscriptMovedV1
from infra.local import Stack
from infra.sandbox.consumer import Consumer
from services.chassis import clock
from services.publishing.reading import consumers
from tests.integration.pages_world import SCHOOL, YEAR, World, event_of, world_of
from tests.integration.test_verification import SIGNERS, tell

PERSON, NOBODY = "031215000042", "031215000099"
PUPIL = "Trần Văn Kín"
CONSENT, PURPOSE = "VNEID-2026-000123", "own_view"
PDF, XML = b"%PDF-1.7 as it was sealed", b'<HocBa xmlns="urn:nobody"/>'
OTHER_SCHOOL = "79300001"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        for code, name, unit in ((SCHOOL, "Trường Tiểu học An Hồng", "031"), (OTHER_SCHOOL, "Trường ở nơi khác", "079")):
            fact = SchoolChangedV1(code=code, name=name, levels=("TH",), tax_code=f"02{code}", path=(unit,))
            await tell(made, event_of(fact, code))
        yield made


@pytest.fixture
def consumer(world: World, light_stack: Stack) -> Consumer:
    """As the stack's set-up has registered it."""
    key = ECKey.import_key(json.loads((light_stack.instance.secrets / "consumer-vneid.jwk").read_text()))
    return Consumer("vneid-sandbox", key, world.clients["publishing"])


async def confirmed(world: World, *, school: str = SCHOOL, person: str = PERSON, state: str = "ACCEPTED", year: str = YEAR) -> str:
    objects, transcript = world.parts["records"].objects, str(uuid4())
    pdf, xml = (await objects.put("reading", ".pdf", PDF, "application/pdf"), await objects.put("reading", ".xml", XML, "application/xml"))
    common = {"school": school, "year": year, "class_code": "5A", "grade": 5, "version": 1, "pupil_code": "42", "pupil_name": PUPIL}
    content = DocumentRef(bucket="records", key="x", sha256="c" * 64, size=1)
    created = TranscriptCreatedV1.model_validate({**common, "level": "TH", "content": content, "required": SIGNERS})
    fact = TranscriptConfirmedV1.model_validate({**common, "pdf": pdf, "xml": xml, "confirmed_at": clock.now()})
    moved = TranscriptMovedV1.model_validate({**common, "state": state, "personal_id": person})
    late = TranscriptMovedV1.model_validate({**common, "state": "SIGNED", "personal_id": NOBODY})
    await tell(world, event_of(created, transcript), event_of(moved, transcript, sequence=5), event_of(fact, transcript, sequence=6))
    await tell(world, event_of(late, transcript, sequence=2))
    return transcript


async def test_a_registered_system_reads_what_is_in_force_and_its_sealed_files(world: World, consumer: Consumer) -> None:
    older, newest = await confirmed(world, year="2024-2025"), await confirmed(world)
    await confirmed(world, year="2023-2024", state="WITHDRAWN")
    await confirmed(world, year="2022-2023", school=OTHER_SCHOOL)

    told = await consumer.transcripts(PERSON, PURPOSE, CONSENT)

    assert [(t["document"], t["year"], t["status"]) for t in told["transcripts"]] == [
        (newest, YEAR, "in_force"),
        (older, "2024-2025", "in_force"),
    ]
    assert {t["school_name"] for t in told["transcripts"]} == {"Trường Tiểu học An Hồng"}
    assert PUPIL not in json.dumps(told, ensure_ascii=False)
    files = {f["form"]: await consumer.file(told["reading"], newest, f) for f in told["transcripts"][0]["files"]}
    assert files == {"pdf": PDF, "xml": XML}


async def test_every_read_is_in_the_trail_with_purpose_and_consent_and_without_the_person(world: World, consumer: Consumer) -> None:
    transcript = await confirmed(world)
    told = await consumer.transcripts(PERSON, PURPOSE, CONSENT)
    await consumer.file(told["reading"], transcript, told["transcripts"][0]["files"][1])
    await consumer.transcripts(NOBODY, PURPOSE, CONSENT)

    trail = await world.db("publishing")["audit"].find({"act": {"$regex": "consumer"}}).sort("at", 1).to_list(None)

    assert [(a["act"], a["place"], a["actor"]) for a in trail] == [
        ("transcripts read by consumer", SCHOOL, "consumer:vneid-sandbox"),
        ("file read by consumer", SCHOOL, "consumer:vneid-sandbox"),
        ("transcripts read by consumer", None, "consumer:vneid-sandbox"),
    ]
    about = {"consumer": "vneid-sandbox", "purpose": PURPOSE, "consent": CONSENT}
    assert [a["details"] for a in trail] == [
        {**about, "transcripts": [transcript]},
        {**about, "transcripts": [transcript], "form": "xml"},
        {**about, "transcripts": []},
    ]
    kept = [repr(d) async for d in world.db("publishing")["readings"].find()]
    assert [d for d in [*map(repr, trail), *kept] if PERSON in d or NOBODY in d or PUPIL in d] == []


async def test_nobody_and_somebody_without_transcripts_get_the_same_empty_answer(world: World, consumer: Consumer) -> None:
    await confirmed(world, state="CANCELLED")
    answers = [await consumer.transcripts(person, PURPOSE, CONSENT) for person in (PERSON, NOBODY)]
    assert [a["transcripts"] for a in answers] == [[], []]
    assert answers[0].keys() == answers[1].keys()


async def test_without_consent_purpose_or_a_new_request_nothing_is_read(world: World, consumer: Consumer) -> None:
    transcript = await confirmed(world)
    whole = {"personal_id": PERSON, "purpose": PURPOSE, "consent": CONSENT}
    for changes, status, code in (
        ({"consent": ""}, 403, "HB-PUB-104"),
        ({"purpose": "admission"}, 403, "HB-PUB-103"),
        ({"personal_id": "42"}, 422, "HB-WEB-422"),
    ):
        answer = await consumer.send("transcripts", consumer.signed(**{**whole, **changes}))
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    token = consumer.signed(**whole)
    told = (await consumer.send("transcripts", token)).json()
    assert [t["document"] for t in told["transcripts"]] == [transcript]
    repeated = await consumer.send("transcripts", token)
    assert (repeated.status_code, repeated.json()["code"]) == (409, "HB-PUB-101")
    stranger = replace(consumer, key=ECKey.generate_key("P-256", auto_kid=True))
    unknown = await stranger.send("transcripts", stranger.signed(**whole))
    assert (unknown.status_code, unknown.json()["code"]) == (401, "HB-PUB-100")
    plain = await world.clients["publishing"].post("/api/publishing/reading/transcripts", json=whole)
    assert (plain.status_code, plain.json()["code"]) == (401, "HB-PUB-100")
    huge = await consumer.send("transcripts", "x" * 20_000)
    assert (huge.status_code, huge.json()["code"]) == (413, "HB-WEB-413")


async def test_files_are_of_the_own_reading_alone_while_it_lasts_and_the_version_is_in_force(world: World, consumer: Consumer) -> None:
    transcript = await confirmed(world)
    told = await consumer.transcripts(PERSON, PURPOSE, CONSENT)
    mine = {"reading": told["reading"], "document": transcript, "form": "pdf"}
    for changes in ({"reading": str(uuid4())}, {"document": str(uuid4())}):
        answer = await consumer.send("files", consumer.signed(**{**mine, **changes}))
        assert (answer.status_code, answer.json()["code"]) == (404, "HB-PUB-105")
    assert (await consumer.send("files", consumer.signed(**mine))).content == PDF
    withdrawn = TranscriptMovedV1(school=SCHOOL, year=YEAR, class_code="5A", grade=5, state="WITHDRAWN", personal_id=PERSON)
    await tell(world, event_of(withdrawn, transcript, sequence=9))
    assert (await consumer.send("files", consumer.signed(**mine))).status_code == 404


async def test_whoever_asks_too_often_is_told_when_to_come_back(world: World, consumer: Consumer) -> None:
    registered = consumers.Consumer.model_validate(
        {
            "id": "vneid-sandbox",
            "name": "Thử",
            "units": ["031"],
            "purposes": [PURPOSE],
            "per_minute": 1,
            "keys": [consumer.key.as_dict(private=False)],
        }
    )
    world.apps["publishing"].state.consumers = consumers.known([registered])
    answers = [await consumer.send("transcripts", consumer.signed(personal_id=PERSON, purpose=PURPOSE, consent=CONSENT)) for _ in range(4)]
    slower = [a for a in answers if a.status_code == 429]
    # the four may fall into two minutes
    assert len(slower) in (2, 3)
    assert {a.json()["code"] for a in slower} == {"HB-PUB-102"}
    assert all(1 <= int(a.headers["Retry-After"]) <= 60 for a in slower)
