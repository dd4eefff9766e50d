"""Share links on real stores: made on a request, opened by whoever holds one, counted, revoked, and over when the version is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import pytest

from contracts.access import Role
from contracts.documents import DocumentRef
from contracts.events.identity import SchoolChangedV1
from contracts.events.records import TranscriptConfirmedV1, TranscriptCreatedV1, TranscriptMovedV1
from infra.local import Stack
from services.chassis import clock
from services.publishing.sharing import secret
from services.publishing.verification.bounded import Bounded
from tests.integration.pages_world import SCHOOL, YEAR, Answer, Browser, World, event_of, staff, world_of
from tests.integration.test_verification import SIGNERS, tell

CLERK = staff(5, "Lê Thị Học Vụ", Role.CLERK)
PUPIL, CODE = "Trần Văn Kín", "3130007200042"
HERE, OPEN = "/ui/publishing/shares", "/ui/publishing/shared"
ASKED = [("asker", "Nguyễn Gia Thành"), ("relation", "Cha"), ("purpose", "Xét tuyển lớp 6"), ("reference", "Đơn số 12/2026"), ("days", "7")]
R = TypeVar("R")
PDF, XML = b"%PDF-1.7 of nobody", b'<HocBa xmlns="urn:nobody"/>'


class AtOnce(Bounded):
    """Files of our own making need no process of their own; strangers' files are judged in one by the tests of verification."""

    async def run(self, work: Callable[..., R], *args: object) -> R:
        return work(*args)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        state = made.apps["publishing"].state
        state.verifier = replace(state.verifier, bounded=AtOnce())
        school = SchoolChangedV1(code=SCHOOL, name="Trường Tiểu học An Hồng", levels=("TH",), tax_code="0200000001", path=("031",))
        await tell(made, event_of(school, SCHOOL))
        yield made


@pytest.fixture
def clerk(world: World) -> Browser:
    return world.browser(CLERK)


@pytest.fixture
def anybody(world: World) -> Browser:
    return Browser(CLERK, world, anonymous=True)


async def confirmed(world: World, *, year: str = YEAR, version: int = 1) -> str:
    """A transcript that records has confirmed, with files in its bucket."""
    objects, transcript = world.parts["records"].objects, str(uuid4())
    pdf, xml = (await objects.put("sharing", ".pdf", PDF, "application/pdf"), await objects.put("sharing", ".xml", XML, "application/xml"))
    common = {"school": SCHOOL, "year": year, "class_code": "5A", "grade": 5}
    about = {**common, "version": version, "pupil_code": CODE, "pupil_name": PUPIL}
    content = DocumentRef(bucket="records", key="x", sha256="c" * 64, size=1)
    created = TranscriptCreatedV1.model_validate({**about, "level": "TH", "content": content, "required": SIGNERS})
    fact = TranscriptConfirmedV1.model_validate({**about, "pdf": pdf, "xml": xml, "confirmed_at": clock.now()})
    moved = TranscriptMovedV1.model_validate({**common, "state": "CONFIRMED"})
    await tell(world, event_of(created, transcript), event_of(moved, transcript, sequence=5), event_of(fact, transcript, sequence=6))
    return transcript


async def moved_on(world: World, transcript: str, state: str) -> None:
    fact = TranscriptMovedV1.model_validate({"school": SCHOOL, "year": YEAR, "class_code": "5A", "grade": 5, "state": state})
    await tell(world, event_of(fact, transcript, sequence=9))


def sound(answer: Answer, status: int = 200) -> Answer:
    assert (answer.status, answer.page.faults) == (status, []), answer.text[:2000]
    return answer


async def linked(clerk: Browser, *transcripts: str) -> str:
    """The secret of a new link."""
    form = [*ASKED, ("pupil", CODE), ("key", str(uuid4())), *(("transcripts", t) for t in transcripts)]
    made = sound(await clerk.send(HERE, form), 201)
    assert made.response.headers["cache-control"] == "no-store"
    found = re.search(r"/ui/publishing/shared#([0-9A-Z]{26})<", made.response.text)
    assert found is not None
    return found[1]


async def test_a_clerk_makes_a_link_on_a_request_and_its_holder_sees_and_downloads(world: World, clerk: Browser, anybody: Browser) -> None:
    older, newest = await confirmed(world, year="2024-2025"), await confirmed(world)
    assert f"{HERE}/new?pupil={CODE}" in sound(await clerk.get(f"{HERE}/new?find=tran van kin")).response.text
    form = sound(await clerk.get(f"{HERE}/new?pupil={CODE}")).response.text
    assert (older in form, newest in form) == (True, True)

    told = await linked(clerk, older, newest)

    assert "Mã chia sẻ" in sound(await anybody.get(OPEN)).text
    shown = sound(await anybody.send(OPEN, [("code", told)]))
    for words in ("Trường Tiểu học An Hồng", PUPIL, "Xét tuyển lớp 6", "Đang có hiệu lực", f"Năm học {YEAR}", "Năm học 2024-2025"):
        assert words in shown.text
    assert shown.response.headers["cache-control"] == "no-store"
    # neither file is one that was signed, and the page says so of both
    assert shown.text.count("Tệp không có chữ ký số nào. SHA-256") == 2
    other = sound(await anybody.send(OPEN, [("code", secret.grouped(told).lower()), ("document", older)]))
    assert other.text.index("Năm học 2024-2025") < other.text.index(f"Năm học {YEAR}")
    for wanted, content, more in (("pdf", PDF, [("see", "1")]), ("xml", XML, [])):
        answer = (await anybody.send(f"{OPEN}/file", [("code", told), ("document", newest), ("form", wanted), *more])).response
        assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (200, content, "no-store")
        kind = "inline" if more else "attachment"
        assert answer.headers["content-disposition"] == f'{kind}; filename="hoc-ba-{YEAR}.{wanted}"'

    listed = sound(await clerk.get(HERE))
    assert "Đang hiệu lực (1)" in listed.text
    page = re.search(rf"{HERE}/[0-9a-f-]{{36}}", listed.response.text)
    assert page is not None
    own = sound(await clerk.get(page[0])).text
    assert ("Mở trang" in own, "Tải hoặc xem tệp PDF" in own, "Tải tệp XML" in own, "Đơn số 12/2026" in own) == (True,) * 4
    share = await world.db("publishing")["shares"].find_one({})
    assert share is not None
    assert share["opened"] == 2
    everything = [
        repr(d) for name in await world.db("publishing").list_collection_names() async for d in world.db("publishing")[name].find()
    ]
    assert [d for d in everything if told in d or secret.grouped(told) in d] == [], "the secret itself is nowhere"
    acts = {a["act"]: a async for a in world.db("publishing")["audit"].find({"act": {"$regex": "share"}})}
    assert set(acts) == {"share link made", "share link opened", "shared file fetched"}
    assert {(a["actor"], a["place"]) for a in acts.values()} == {(CLERK.person, SCHOOL), ("anonymous", SCHOOL)}
    assert not [a for a in acts.values() if PUPIL in repr(a)]


async def test_unknown_revoked_and_ended_links_are_one_answer(world: World, clerk: Browser, anybody: Browser) -> None:
    transcript = await confirmed(world)
    revoked, ended = await linked(clerk, transcript), await linked(clerk, transcript)
    shares = world.db("publishing")["shares"]
    first = await shares.find_one({"digest": secret.digest_of(revoked)})
    assert first is not None
    page = f"{HERE}/{first['_id']}"
    assert "Thu hồi đường dẫn này?" in sound(await clerk.get(f"{page}/revoke")).text
    assert "Chưa nêu lý do" not in sound(await clerk.send(f"{page}/revoke", [("reason", " ")]), 422).text
    assert "Đã thu hồi" in sound(await clerk.get((await clerk.send(f"{page}/revoke", [("reason", "Gửi nhầm người")])).where)).text
    assert (await clerk.send(f"{page}/revoke", [("reason", "Gửi nhầm người")])).status == 409
    await shares.update_one({"digest": secret.digest_of(ended)}, {"$set": {"until": clock.now()}})

    answers = []
    for code in (revoked, ended, secret.new(), "không phải mã", ""):
        for path, more in ((OPEN, []), (f"{OPEN}/file", [("document", transcript), ("form", "pdf")])):
            answer = sound(await anybody.send(path, [("code", code), *more]), 404)
            answers.append(re.sub(r"[0-9a-f]{32}", "", answer.text))
    assert len(set(answers)) == 1
    assert "HB-PUB-090" in answers[0]
    listed = sound(await clerk.get(HERE)).text
    assert ("Hết hạn (1)" in listed, "Đã thu hồi (1)" in listed, "Đang hiệu lực (0)" in listed or "Đang hiệu lực" in listed) == (True,) * 3


async def test_a_shared_version_that_is_replaced_or_withdrawn_says_so_and_is_not_handed_out(
    world: World, clerk: Browser, anybody: Browser
) -> None:
    transcript = await confirmed(world)
    told = await linked(clerk, transcript)
    await moved_on(world, transcript, "WITHDRAWN")

    shown = sound(await anybody.send(OPEN, [("code", told)])).text
    assert ("Đã thu hồi" in shown, "không còn hiệu lực" in shown, "Tải tệp" in shown) == (True, True, False)
    refused = await anybody.send(f"{OPEN}/file", [("code", told), ("document", transcript), ("form", "pdf")])
    assert (refused.status, "HB-PUB-095" in refused.text) == (409, True)
    await confirmed(world, version=2)
    assert "Đã được thay thế" in sound(await anybody.send(OPEN, [("code", told)])).text
    again = [*ASKED, ("pupil", CODE), ("key", str(uuid4())), ("transcripts", transcript)]
    assert "HB-PUB-091" in (await clerk.send(HERE, again)).text


async def test_one_form_makes_one_link_and_needs_a_new_confirmation_of_identity(world: World, clerk: Browser) -> None:
    transcript, key = await confirmed(world), str(uuid4())
    form = [*ASKED, ("pupil", CODE), ("key", key), ("transcripts", transcript)]
    await linked(clerk, transcript)
    assert (await clerk.send(HERE, form)).status == 201
    repeated = await clerk.send(HERE, form)
    assert (repeated.status, "HB-PUB-094" in repeated.text) == (409, True)
    assert await world.db("publishing")["shares"].count_documents({}) == 2
    stale = Browser(CLERK, world, confirmed_ago=600)
    assert (await stale.send(HERE, form)).status == 403
    wrong = sound(await clerk.send(HERE, [("pupil", CODE), ("key", key), ("days", "365")]), 422).text
    for words in ("Chọn ít nhất một học bạ.", "Thời hạn là số ngày từ 1 đến 30.", "Chọn quan hệ với học sinh."):
        assert words in wrong


async def test_programs_of_the_school_make_list_and_revoke_links(world: World, clerk: Browser) -> None:
    transcript = await confirmed(world)
    client, headers = world.clients["publishing"], clerk._token()
    body = {**dict(ASKED), "days": 3, "transcripts": [transcript]}
    made = (await client.post("/api/publishing/shares", json=body, headers=headers)).json()
    assert secret.typed(made["link"])
    listed = (await client.get("/api/publishing/shares", headers=headers)).json()["shares"]
    assert [(s["id"], s["state"], s["transcripts"]) for s in listed] == [(made["share"]["id"], "in_force", [transcript])]
    where = f"/api/publishing/shares/{made['share']['id']}/revoke"
    assert (await client.post(where, json={"reason": "Gửi nhầm người"}, headers=headers)).status_code == 204
    assert (await client.get("/api/publishing/shares", headers=headers)).json()["shares"][0]["state"] == "revoked"
