"""Verification on real stores: what records and identity told is found by code; a file is judged in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.identity import SchoolChangedV1
from contracts.events.records import Signer, TranscriptConfirmedV1, TranscriptCreatedV1, TranscriptMovedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Session, transaction
from services.publishing.handlers import consumers
from services.publishing.store import Store
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, YEAR, Browser, World, event_of, world_of

PUPIL = "Trần Văn Kín"
HERE = "/ui/publishing/verify"
SIGNERS = (Signer(role="homeroom", person=f"{SCHOOL}006", name="Nguyễn Thị Kín"), Signer(role="leader", person="x", name="Lê Kín"))


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        school = SchoolChangedV1(code=SCHOOL, name="Trường Tiểu học An Hồng", levels=("TH",), tax_code="0200000001", path=("031",))
        await tell(made, event_of(school, SCHOOL))
        yield made


@pytest.fixture
def anybody(world: World) -> Browser:
    return Browser(ADMINISTRATOR, world, anonymous=True)


async def tell(world: World, *events: Event[Any]) -> None:
    handlers = {fact: handler for consumer in consumers(Store(world.db("publishing"))) for fact, handler in consumer.handlers.values()}

    async def work(session: Session) -> None:
        for event in events:
            await handlers[type(event.data)](session, [event])

    await transaction(world.db("publishing"), work)


async def issued(world: World, *, version: int = 1, sha256: str = "a" * 64, state: str = "CONFIRMED", code: str | None = None) -> str:
    transcript = code or str(uuid4())
    file = DocumentRef(bucket="records", key="x", sha256=sha256, size=1)
    common = {"school": SCHOOL, "year": YEAR, "class_code": "5A", "grade": 5}
    about = {**common, "version": version, "pupil_code": "3130007200042", "pupil_name": PUPIL}
    created = TranscriptCreatedV1.model_validate({**about, "level": "TH", "content": file, "required": SIGNERS})
    confirmed = TranscriptConfirmedV1.model_validate({**about, "pdf": file, "xml": file, "confirmed_at": clock.now()})
    moved = TranscriptMovedV1.model_validate({**common, "state": state})
    await tell(world, event_of(created, transcript), event_of(moved, transcript, sequence=5), event_of(confirmed, transcript, sequence=6))
    return transcript


async def test_a_code_shows_status_school_year_and_roles_and_nothing_about_a_pupil(world: World, anybody: Browser) -> None:
    transcript = await issued(world)

    for code in (transcript, transcript.upper(), transcript[:13], transcript[:13].replace("-", "")):
        answer = await anybody.get(f"{HERE}/{code}")
        assert (answer.status, answer.page.faults) == (200, [])
        for words in ("Đang có hiệu lực", "Trường Tiểu học An Hồng", YEAR, "Giáo viên chủ nhiệm", "Nhà trường ký phát hành"):
            assert words in answer.text
        assert "Kín" not in answer.response.text
        assert "5A" not in answer.text
        assert answer.response.headers["cache-control"] == "public, max-age=60"
        assert len(answer.response.content) < 50_000
    told = (await anybody.get(f"/api/publishing/verification/documents/{transcript[:13]}")).response.json()
    assert (told["document"], told["status"], told["school"]) == (transcript, "in_force", "Trường Tiểu học An Hồng")
    assert "Kín" not in repr(told)


async def test_old_and_new_versions_tell_which_one_is_in_force(world: World, anybody: Browser) -> None:
    old, new = await issued(world, state="CANCELLED"), await issued(world, version=2, sha256="b" * 64)

    assert "Đã được thay thế" in (await anybody.get(f"{HERE}/{old}")).text
    assert "Đang có hiệu lực" in (await anybody.get(f"{HERE}/{new}")).text


async def test_a_code_that_is_unknown_or_ambiguous_is_unchecked_and_one_that_is_none_is_said_to_be_none(
    world: World, anybody: Browser
) -> None:
    for ending in ("4d55-a5a0-5f6f0c1d2e3f", "4d55-a5a0-5f6f0c1d2e3e"):
        await issued(world, code=f"0197c2f2-7b1e-{ending}")

    for code in ("0197c2f2-7b1e", str(uuid4())):
        answer = await anybody.get(f"{HERE}/{code}")
        assert (answer.status, "Chưa kiểm tra được" in answer.text) == (404, True)
    assert (await anybody.get(f"{HERE}?code=0197c2f2-7b1e")).where == f"{HERE}/0197c2f2-7b1e"
    refused = await anybody.get(f"{HERE}?code=xin")
    assert (refused.status, "Mã định danh gồm" in refused.text) == (422, True)


async def test_a_file_that_is_dropped_gets_its_verdicts_or_is_called_what_it_is(world: World, anybody: Browser) -> None:
    unsigned = await anybody.send(HERE, [], files={"file": ("a.xml", b"<a/>")})
    assert (unsigned.status, unsigned.page.faults) == (200, [])
    assert unsigned.response.headers["cache-control"] == "no-store"
    for words in ("Chưa kiểm tra được đầy đủ", "Nguồn không rõ", "Tệp không có chữ ký số nào"):
        assert words in unsigned.text
    picture = await anybody.send(HERE, [], files={"file": ("hoc-ba.pdf", b"\x89PNG\r\n\x1a\n" + bytes(99))})
    assert (picture.status, "ảnh PNG" in picture.text, "HB-PUB-042" in picture.text) == (422, True, True)
    nothing = await anybody.send(HERE, [], files={"file": ("", b"")})
    assert (nothing.status, "HB-PUB-040" in nothing.text) == (422, True)
    large = await anybody.send(HERE, [], files={"file": ("a.pdf", b"%PDF-" + bytes(21_000_000))})
    assert (large.status, "HB-PUB-041" in large.text) == (413, True)


async def test_programs_send_a_file_as_the_body_and_get_states(world: World) -> None:
    client = world.clients["publishing"]
    told = (await client.post("/api/publishing/verification/files", content=b"<a/>")).json()
    assert (told["outcome"], told["kind"], told["integrity"]["state"], told["at_source"]["state"]) == (
        "unchecked",
        "foreign",
        *["unchecked"] * 2,
    )
    refused = await client.post("/api/publishing/verification/files", content=bytes(21_000_000))
    assert (refused.status_code, refused.json()["code"]) == (413, "HB-PUB-041")


async def test_rows_know_nothing_that_names_a_person(world: World) -> None:
    await issued(world)
    rows = await world.db("publishing")["verifiable"].find().to_list(None)
    assert [row for row in rows if "Kín" in repr(row)] == []
