"""Certified copies on real stores: asked for, numbered, made, looked up, taken back; and the page of the rules in force."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import openpyxl
import pytest

from contracts.access import Role
from contracts.documents import DocumentRef
from contracts.events.records import TranscriptMovedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.mongo import Document
from services.records.copies import making, store
from services.records.copies.rules import Ask
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from services.records.schoolyear import Staff
from services.records.store import Store, key
from tests.factories.transcripts import primary_content, school
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, YEAR, Answer, Browser, World, event_of, signature, staff, world_of
from tests.integration.test_verification import issued, tell
from tests.unit.records.pdf_tools import attachment_of, image_of, text_of
from tests.unit.records.qr_reader import codes_of

CLERK = staff(5, "Lê Thị Học Vụ", Role.CLERK)
TEACHER = staff(7, "Trần Thị Dạy", Role.SUBJECT_TEACHER)
ISSUER = staff(4, "Đỗ Văn Thư", Role.ISSUER)
HEAD = Staff(code=f"{SCHOOL}001", name="Nguyễn Thị Đứng Đầu", personal_id="031175000001", position="Hiệu trưởng")
DEPUTY = Staff(code=f"{SCHOOL}002", name="Phạm Văn Phó", personal_id="031175000002", position="Phó hiệu trưởng")
SIGNED = "01980000-0000-7000-8000-000000000001"
UNSIGNED = "01980000-0000-7000-8000-000000000002"
PURPOSE = "Nộp hồ sơ chuyển trường"
FORM = [("requester", "Nguyễn Gia Thành"), ("relation", "Cha"), ("purpose", PURPOSE), ("kind", "WHOLE"), ("medium", "FILE")]
ASK = Ask(requester="Nguyễn Gia Thành", relation="Cha", purpose="Nộp hồ sơ")


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        await _fill(made)
        yield made


async def _fill(world: World) -> None:
    """A school with its leaders and two transcripts: one that it has sealed, one that still waits."""
    db, parts = world.db("records"), world.parts["records"]
    data = school(code=SCHOOL, year=YEAR)
    years = {"_id": key(SCHOOL, YEAR), "school": SCHOOL, "year": YEAR, "sequence": 1, "data": data.model_dump(mode="json")}
    await db["years"].insert_one({**years, "assignments": []})
    for person in (HEAD, DEPUTY):
        document = {"_id": key(SCHOOL, YEAR, person.code), "school": SCHOOL, "year": YEAR, "data": person.model_dump(mode="json")}
        await db["staff"].insert_one(document)
    for transcript_id, pupil, state in ((SIGNED, "1", "SIGNED"), (UNSIGNED, "2", "AWAITING_LEADER")):
        address = f"{parts.settings.public_url}/ui/publishing/verify/{transcript_id}"
        content = primary_content().model_copy(update={"id": transcript_id, "school": data, "verify_url": address})
        xml = transcript_xml(content)
        pdf = await parts.objects.put("transcripts/test", ".pdf", transcript_pdf(content, [], xml), "application/pdf")
        steps = ("homeroom", "leader", "issue")
        await db["transcripts"].insert_one(
            {
                "_id": transcript_id,
                "school": SCHOOL,
                "year": YEAR,
                "class_code": "5A",
                "grade": 5,
                "pupil_code": pupil,
                "pupil_name": content.pupil.name,
                "version": 1,
                "sequence": 1,
                "state": state,
                "live": True,
                "content": content.model_dump(mode="json"),
                "pdf": pdf.model_dump(mode="json"),
                "signatures": [signature(step, ISSUER).model_dump(mode="json") for step in steps],
            }
        )


def sound(answer: Answer, status: int = 200) -> Answer:
    assert answer.status == status, answer.response.text[-3000:]
    assert answer.page.faults == []
    return answer


async def asked(world: World, *more: tuple[str, str], who: Any = CLERK) -> str:
    """The address of the page of a new request."""
    fields = [*FORM, ("count", "1"), ("transcript", SIGNED), *more]
    return (await world.browser(who).send("/ui/records/copies/new", fields)).where


async def stored(world: World, copy_id: str) -> Document:
    return await store.copy_of(world.db("records"), SCHOOL, copy_id)


async def test_a_clerk_issues_a_copy_that_is_numbered_attached_and_in_the_register(world: World, tmp_path: Any) -> None:
    clerk = world.browser(CLERK)
    assert "Chưa có bản sao nào" in sound(await clerk.get("/ui/records/copies")).text
    found = sound(await clerk.get("/ui/records/copies/new?find=quynh huong"))
    assert f"/ui/records/copies/new?transcript={SIGNED}" in found.response.text
    assert UNSIGNED not in found.response.text
    sound(await clerk.get(f"/ui/records/copies/new?transcript={SIGNED}"))
    page = await asked(world)
    before = sound(await clerk.get(page))
    assert "Chờ cấp" in before.text
    assert "Nguyễn Thị Đứng Đầu (Hiệu trưởng)" in before.text
    where = (await clerk.send(f"{page}/issue", [("signer", DEPUTY.code)])).where
    number = f"0001/{clock.in_vietnam(clock.now()).year}/BS-HBS"
    after = sound(await clerk.get(where))
    assert "Đã cấp bản sao, ghi số vào sổ." in after.text
    assert number in after.text
    copy_id = page.rpartition("/")[2]
    answer = await clerk.get(f"/api/records/copies/{copy_id}/document.pdf")
    assert answer.response.headers["content-type"] == "application/pdf"
    file = tmp_path / "copy.pdf"
    file.write_bytes(answer.response.content)
    copy = await stored(world, copy_id)
    assert sha256(answer.response.content).hexdigest() == copy["pdf"]["sha256"]
    words = " ".join(text_of(file).split())
    for said in (number, SIGNED, "KT. HIỆU TRƯỞNG", "Phạm Văn Phó", "Nguyễn Gia Thành (Cha)", PURPOSE, "(Ký số)"):
        assert said in words
    original = await world.parts["records"].objects.get(DocumentRef.model_validate(copy["source"]["pdf"]))
    assert attachment_of(file, tmp_path) == original
    listed = sound(await clerk.get("/ui/records/copies?find=0001&state=ISSUED"))
    assert number in listed.text
    assert number not in sound(await clerk.get("/ui/records/copies?state=REVOKED")).text


async def test_the_register_goes_to_a_workbook_with_what_was_asked_and_given(world: World) -> None:
    page = await asked(world)
    clerk = world.browser(CLERK)
    await clerk.send(f"{page}/issue", [("signer", HEAD.code)])
    answer = await clerk.get("/ui/records/copies/register.xlsx?state=ISSUED")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.response.content)).worksheets[0]
    header, row = ([cell.value for cell in line] for line in sheet.iter_rows())
    line = dict(zip(header, row, strict=True))
    assert str(line["Số"]).startswith("0001/")
    assert (line["Người yêu cầu"], line["Quan hệ"], line["Số bản"], line["Người ký"]) == ("Nguyễn Gia Thành", "Cha", 1, HEAD.name)
    acts = await world.db("records")["audit"].distinct("act")
    assert {"copy asked for", "copy issued", "copy register exported"} <= set(acts)


async def test_a_revoked_copy_keeps_its_number_and_hands_out_no_file(world: World) -> None:
    administrator = world.browser(ADMINISTRATOR)
    first = await asked(world, who=ADMINISTRATOR)
    await administrator.send(f"{first}/issue", [("signer", HEAD.code)])
    assert "Số đã cấp được giữ trong sổ" in sound(await administrator.get(f"{first}/revoke")).text
    assert "Chưa nêu lý do" not in sound(await administrator.send(f"{first}/revoke", [("reason", " ")]), 422).text
    where = (await administrator.send(f"{first}/revoke", [("reason", "Ghi nhầm người yêu cầu")])).where
    assert "Lý do: Ghi nhầm người yêu cầu" in sound(await administrator.get(where)).text
    assert (await administrator.get(f"/api/records/copies/{first.rpartition('/')[2]}/document.pdf")).status == 409
    second = await asked(world, who=ADMINISTRATOR)
    await administrator.send(f"{second}/issue", [("signer", HEAD.code)])
    assert [(await stored(world, page.rpartition("/")[2]))["number"] for page in (first, second)] == [1, 2]


async def test_many_issued_at_once_get_numbers_without_gaps_or_repeats(world: World) -> None:
    parts, records = world.parts["records"], Store(world.db("records"))
    ids = [await making.ask(parts, SCHOOL, SIGNED, ASK, actor="test") for _ in range(6)]
    work = [making.issue(parts, records, SCHOOL, i, HEAD.code if n % 3 else "nobody", actor="test") for n, i in enumerate(ids)]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [n % 3 == 0 for n in range(6)]
    numbers = sorted([(await stored(world, i))["number"] or 0 for i in ids])
    assert numbers == [0, 0, 1, 2, 3, 4]
    with pytest.raises(Refused, match="HB-REC-081"):
        await making.issue(parts, records, SCHOOL, ids[1], HEAD.code, actor="test")
    again = await making.issue(parts, records, SCHOOL, ids[0], HEAD.code, actor="test")
    assert again["number"] == 5


async def test_an_issue_that_is_refused_takes_no_number(world: World) -> None:
    parts, records = world.parts["records"], Store(world.db("records"))
    copy_id, other = [await making.ask(parts, SCHOOL, SIGNED, ASK, actor="test") for _ in range(2)]
    await world.db("records")["transcripts"].update_one({"_id": SIGNED}, {"$set": {"state": "CANCELLED", "live": False}})
    with pytest.raises(Refused, match="HB-REC-080"):
        await making.issue(parts, records, SCHOOL, copy_id, HEAD.code, actor="test")
    await world.db("records")["transcripts"].update_one({"_id": SIGNED}, {"$set": {"state": "ACCEPTED", "live": True}})
    assert (await making.issue(parts, records, SCHOOL, other, HEAD.code, actor="test"))["number"] == 1


async def test_a_file_that_was_not_made_before_the_process_ended_is_made_at_the_first_download(world: World) -> None:
    parts = world.parts["records"]
    copy_id = await making.ask(parts, SCHOOL, SIGNED, ASK, actor="test")
    await making.issue(parts, Store(parts.db), SCHOOL, copy_id, HEAD.code, actor="test")
    await parts.db["copies"].update_one({"_id": copy_id}, {"$set": {"pdf": None}})
    assert (await world.browser(CLERK).get(f"/api/records/copies/{copy_id}/document.pdf")).status == 200
    assert (await stored(world, copy_id))["pdf"]


async def test_what_is_wrong_in_a_request_stands_at_its_field(world: World) -> None:
    clerk = world.browser(CLERK)
    fields = [
        ("transcript", SIGNED),
        ("requester", ""),
        ("relation", ""),
        ("purpose", "x"),
        ("kind", "WHOLE"),
        ("medium", "PAPER"),
        ("count", "99"),
    ]
    answer = sound(await clerk.send("/ui/records/copies/new", fields), 422)
    for said in ("Nhập họ tên người yêu cầu", "Chọn quan hệ với học sinh", "Số bản là số nguyên từ 1 đến 20"):
        assert said in answer.text
    extract = [(name, "EXTRACT" if name == "kind" else value) for name, value in FORM]
    answer = sound(await clerk.send("/ui/records/copies/new", [*extract, ("count", "1"), ("transcript", SIGNED)]), 422)
    assert "Bản trích sao cần ít nhất một phần" in answer.text
    assert (await clerk.get(f"/ui/records/copies/new?transcript={UNSIGNED}")).status == 409
    assert await world.db("records")["copies"].count_documents({}) == 0


async def test_a_request_that_is_declined_says_why_and_has_no_number(world: World) -> None:
    page = await asked(world)
    clerk = world.browser(CLERK)
    sound(await clerk.get(f"{page}/decline"))
    where = (await clerk.send(f"{page}/decline", [("reason", "Người yêu cầu không chứng minh được quan hệ")])).where
    assert "Không cấp" in sound(await clerk.get(where)).text
    assert (await stored(world, page.rpartition("/")[2]))["number"] is None


async def test_only_clerk_and_administrator_of_the_school_come_near_copies(world: World) -> None:
    page = await asked(world)
    api = f"/api/records/copies/{page.rpartition('/')[2]}"
    stranger = CLERK.model_copy(update={"school": "31300002", "person": "31300002005"})
    for path in ("/ui/records/copies", "/ui/records/copies/new", "/ui/records/copies/register.xlsx", page, api, f"{api}/document.pdf"):
        assert (await world.browser(TEACHER).get(path)).status == 403
        assert (await world.browser(ISSUER).get(path)).status == 403
    for path in (page, api, f"{api}/document.pdf", f"/ui/records/copies/new?transcript={SIGNED}"):
        assert (await world.browser(stranger).get(path)).status == 404
    late = world.browser(CLERK)
    late.confirmed_ago = 3600
    await late.send(f"{page}/issue", [("signer", HEAD.code)])
    assert (await stored(world, page.rpartition("/")[2]))["state"] == "ASKED"


async def test_everybody_of_the_school_can_read_the_rules_in_force(world: World) -> None:
    teacher = world.browser(TEACHER)
    page = sound(await teacher.get("/ui/records/rules"))
    for said in ("Tiểu học: TT 27/2020/TT-BGDĐT", "Hoàn thành xuất sắc", "TT 27/2020 Điều 9", "Phiên bản bộ quy định"):
        assert said in page.text
    assert "TT 22/2021" not in page.text
    assert "chưa có quy định cho lớp 4, 5" in sound(await teacher.get("/ui/records/rules?year=2022-2023")).text
    told = (await teacher.get("/api/records/rules?year=2025-2026")).response.json()
    assert [(each["circular"], each["version"], each["grades"]) for each in told["rule_sets"]] == [
        ("TT 27/2020/TT-BGDĐT", 1, [1, 2, 3, 4, 5])
    ]


async def test_the_code_on_a_printed_copy_leads_anybody_to_the_state_of_the_original(world: World, tmp_path: Any) -> None:
    """Issued by a clerk, printed, read from the picture of the page, followed by somebody without an account."""
    await issued(world, code=SIGNED)
    page = await asked(world, ("medium", "PAPER"))
    clerk = world.browser(CLERK)
    await clerk.send(f"{page}/issue", [("signer", HEAD.code)])
    file = tmp_path / "copy.pdf"
    file.write_bytes((await clerk.get(f"/api/records/copies/{page.rpartition('/')[2]}/document.pdf")).response.content)

    (address,) = codes_of(image_of(file, 1, 150))

    public = world.settings["publishing"].public_url
    assert address.startswith(f"{public}/")
    anybody, where = Browser(CLERK, world, anonymous=True), address.removeprefix(public)
    shown = sound(await anybody.get(where))
    assert ("Đang có hiệu lực" in shown.text, SIGNED in shown.text) == (True, True)
    gone = TranscriptMovedV1.model_validate({"school": SCHOOL, "year": YEAR, "class_code": "5A", "grade": 5, "state": "CANCELLED"})
    await tell(world, event_of(gone, SIGNED, sequence=9))
    assert "Đã hủy" in sound(await anybody.get(where)).text
