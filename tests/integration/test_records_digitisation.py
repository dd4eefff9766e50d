"""Digitising paper transcripts on real stores: from the plan to a transcript that names its scan and who answers for which part."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from lxml import etree
from PIL import Image

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.events.records import TranscriptCreatedV1
from infra.local import Stack
from services.chassis.mongo import Document
from services.chassis.work import Pool
from services.records.archive.sources import others
from services.records.corrections.fields import result_from
from services.records.digitisation import form
from services.records.schoolyear import TranscriptContent
from services.records.store import Store
from services.records.transcripts.creation import Creation
from services.signing.tasks import at_step, signers_of
from tests.integration.pages_world import SCHOOL, YEAR, Answer, World, staff, world_of

LIST = "/ui/records/digitisation"
EARLIER = "2024-2025"
CLERK = staff(5, "Nhân viên học vụ", Role.CLERK)
HEAD = staff(1, "Ngô Diệu Tâm", Role.MANAGER)
HEAD_CODE, CLERK_CODE = HEAD.person, CLERK.person
R = TypeVar("R")
XML = {"h": "urn:hocba:transcript:1"}
COLLECTIONS = ("years", "staff", "classes", "pupils")
IMPORTED: dict[str, list[Document]] = {}


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        db = made.db("records")
        if not IMPORTED:
            await made.imported()
            IMPORTED.update({name: await db[name].find().to_list(None) for name in COLLECTIONS})
        else:
            for name, documents in IMPORTED.items():
                await db[name].insert_many(documents)
        yield made


def sound(answer: Answer, status: int = 200) -> Answer:
    assert answer.status == status, answer.response.text[-3000:]
    assert answer.page.faults == []
    return answer


class Here(Pool):
    async def run(self, work: Callable[..., R], *args: object) -> R:
        return await asyncio.to_thread(work, *args)


async def create(world: World) -> int:
    return await Creation(replace(world.parts["records"], pool=Here(1)), Store(world.db("records"))).round()


def scan(pages: int = 1) -> list[tuple[str, tuple[str, bytes]]]:
    kept = io.BytesIO()
    Image.new("RGB", (300, 420), "white").save(kept, "PNG")
    return [("files", (f"trang-{n}.png", kept.getvalue())) for n in range(pages)]


async def earlier_year(world: World, *, left: Sequence[str] = ()) -> None:
    """The same school a year before, as an import of that year's workbooks leaves it; `left`: who is here no more."""
    db = world.db("records")
    for name in COLLECTIONS:
        copied = []
        for document in IMPORTED[name]:
            again = {**document, "_id": document["_id"].replace(YEAR, EARLIER), "year": EARLIER}
            if name == "years":
                again["data"] = {**document["data"], "year": EARLIER}
            copied.append(again)
        await db[name].insert_many(copied)
    await db["staff"].delete_many({"year": YEAR, "data.code": {"$in": list(left)}})


async def pupil_of(world: World, class_code: str, year: str = YEAR) -> Document:
    found = await world.db("records")["pupils"].find_one({"year": year, "class_code": class_code, "missing": []})
    assert found is not None
    return found


async def plan_year(world: World) -> Answer:
    fields = [("year", EARLIER), ("reviewer", CLERK_CODE), ("leader", HEAD_CODE), ("note", "Số hóa khối lớp theo CT GDPT 2018")]
    return await world.browser(HEAD).send(f"{LIST}/plan", fields)


async def open_pupil(world: World, pupil: str, **more: str) -> Answer:
    values = {"pupil": pupil, "year": EARLIER, "grade": "4", "class_name": "4C", "paper_school": "Trường Tiểu học Nơi Khác"}
    fields = {**values, "reviewer": CLERK_CODE, "leader": HEAD_CODE, **more}
    return await world.browser(HEAD).send(f"{LIST}/pupils", list(fields.items()))


async def check(world: World, who: Principal, place: str, part: str, **more: str) -> Answer:
    """Reviewed, as the page shows the part now."""
    answer = await world.browser(who).get(f"{place.replace('/ui/', '/api/')}")
    digest = next((p["digest"] for p in answer.response.json().get("parts", []) if p["part"] == part), "")
    fields = {"part": part, "digest": digest, "act": "check", "ticked": "1", **more}
    return await world.browser(who).send(f"{place}/check", list(fields.items()))


async def one(world: World, collection: str, **wanted: object) -> Document:
    found = await world.db("records")[collection].find_one(wanted)
    assert found is not None
    return found


async def reviewed_by_all(world: World, place: str, people: Sequence[Principal]) -> None:
    case = (await world.browser(CLERK).get(place.replace("/ui/", "/api/"))).response.json()
    by_code = {p.person: p for p in people}
    for part in case["parts"]:
        assert (await check(world, by_code[part["reviewer"]], place, part["part"])).status == 303


async def test_a_paper_that_a_pupil_brought_along_becomes_a_transcript_that_the_head_answers_for(world: World) -> None:
    pupil = await pupil_of(world, "5A")
    place = f"{LIST}/{EARLIER}/{pupil['code']}"
    assert (await open_pupil(world, pupil["code"])).where.startswith(place)
    sound(await world.browser(CLERK).get(f"{place}/data"))
    # the grade 4 of the sample has the subjects of a grade 4
    typed = form.values_of(result_from((await pupil_of(world, "4A"))["result"]))
    sent = [*((f"v:{name}", value) for name, value in typed.items()), ("n:Toán", "Trần Văn Nơi Khác"), ("n:GVCN", "Lý Thị Nơi Khác")]
    assert (await world.browser(CLERK).send(f"{place}/data", sent)).where.startswith(place)
    assert (await world.browser(CLERK).send(f"{place}/scan", [], files=scan(2))).status == 303
    page = sound(await world.browser(CLERK).get(place))
    for words in ("2 trang", "Trần Văn Nơi Khác", "Lý Thị Nơi Khác", "Trường Tiểu học Nơi Khác", "Đã đối chiếu", "TT 27/2020/TT-BGDĐT"):
        assert words in page.text
    untick = await check(world, CLERK, place, "profile", ticked="")
    assert "đúng học sinh này" in sound(untick, 422).text
    await reviewed_by_all(world, place, [CLERK])
    shown = sound(await world.browser(HEAD).get(f"{LIST}?year={EARLIER}"))
    assert "Đã đối chiếu" in shown.text
    job = (await world.browser(HEAD).send(f"{LIST}?year={EARLIER}", [("ids", pupil["code"])])).where
    assert await create(world) == 1
    assert "Đã tạo 1 học bạ" in sound(await world.browser(HEAD).get(job)).text
    made = await one(world, "transcripts", year=EARLIER, pupil_code=pupil["code"])
    content = TranscriptContent.model_validate(made["content"])
    assert content.digitised is not None
    assert (content.digitised.paper_school, content.digitised.scan_pages) == ("Trường Tiểu học Nơi Khác", 2)
    assert {p.signed_by for p in content.digitised.parts} == {HEAD_CODE}
    assert {p.reviewed_by for p in content.digitised.parts} == {CLERK_CODE}
    event = (await world.told(TranscriptCreatedV1))[0].data
    assert {(s.role, s.person) for s in event.required} == {(r, HEAD_CODE) for r in ("subject_teacher", "homeroom", "leader")}
    document = etree.fromstring(await world.parts["records"].objects.get(DocumentRef.model_validate(made["xml"])))
    item = await one(world, "digitised", pupil_code=pupil["code"])
    assert document.xpath("string(//h:SoHoa/h:BanQuet/h:Bam)", namespaces=XML) == item["scan"]["document"]["sha256"]
    assert await world.hand_on() == [made["_id"]]
    # as it is once the documents are rendered: nobody but the head has anything to sign
    tasks = world.db("signing")["tasks"]
    task = await tasks.find_one({"_id": made["_id"]})
    assert task is not None
    assert (task["step"], signers_of(task, "subjects")) == ("assembling", [])
    await tasks.replace_one({"_id": made["_id"]}, at_step(task, "homeroom"))
    waits = await world.browser(HEAD).get("/ui/signing/homeroom")
    assert made["pupil_name"] in waits.text
    assert "Ký phần giáo viên chủ nhiệm" in sound(await world.browser(HEAD).get(place)).text


async def test_teachers_who_are_still_here_review_and_sign_their_own_part_of_a_planned_year(world: World) -> None:
    school_class = await one(world, "classes", code="5A", year=YEAR)
    homeroom = school_class["data"]["homeroom"]
    year = await one(world, "years", year=YEAR)
    gone = next(a["staff"] for a in year["assignments"] if a["class_code"] == "5A" and a["staff"] != homeroom)
    await earlier_year(world, left=[gone])
    assert (await plan_year(world)).where.startswith(f"{LIST}?year={EARLIER}")
    pupil = await pupil_of(world, "5A", EARLIER)
    place = f"{LIST}/{EARLIER}/{pupil['code']}"
    assert (await world.browser(CLERK).send(f"{place}/scan", [], files=scan())).status == 303
    case = (await world.browser(CLERK).get(place.replace("/ui/", "/api/"))).response.json()
    by_part = {p["part"]: (p["reviewer"], p["signer"]) for p in case["parts"]}
    assert by_part["subjects"] == (CLERK_CODE, HEAD_CODE)
    assert by_part["homeroom"] == (homeroom, homeroom)
    teacher = staff(int(homeroom[-3:]), "GVCN", Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, homeroom_of=("5A",))
    stranger = staff(19, "Người khác", Role.SUBJECT_TEACHER)
    mine = sound(await world.browser(teacher).get(f"{LIST}?year={EARLIER}"))
    assert pupil["name"] in mine.text
    # nobody reviews another's part, and who has no part learns nothing
    assert (await check(world, CLERK, place, "homeroom")).status == 403
    assert (await check(world, teacher, place, "profile")).status == 403
    others_ = {p["reviewer"] for p in case["parts"]}
    if stranger.person not in others_:
        assert (await world.browser(stranger).get(place)).status == 403
    back = await check(world, teacher, place, "homeroom", act="back", reason="Nhận xét không khớp với học bạ giấy")
    assert back.where.startswith(place)
    assert "Trả lại" in sound(await world.browser(CLERK).get(f"{LIST}?year={EARLIER}&state=SENT_BACK")).text
    people = [CLERK, *(staff(int(code[-3:]), code, Role.SUBJECT_TEACHER) for code in others_ - {CLERK_CODE})]
    await reviewed_by_all(world, place, people)
    await world.browser(HEAD).send(f"{LIST}?year={EARLIER}", [("all", "1"), ("filter", f"?year={EARLIER}&state=REVIEWED")])
    assert await create(world) == 1
    made = await one(world, "transcripts", year=EARLIER)
    required = (await world.told(TranscriptCreatedV1))[0].data.required
    assert {s.person for s in required if s.role == "homeroom"} == {homeroom}
    assert {s.person for s in required if s.role == "leader"} == {HEAD_CODE}
    answered = {s.person: s.subjects for s in required if s.role == "subject_teacher"}
    assert gone not in answered
    assert answered[HEAD_CODE] == tuple(next(p["subjects"] for p in case["parts"] if p["part"] == "subjects"))
    assert made["content"]["school"]["year"] == EARLIER
    history = sound(await world.browser(HEAD).get(f"/ui/records/learners/{pupil['code']}"))
    assert "Số hóa từ học bạ giấy" in history.text
    await world.db("records")["transcripts"].update_one({"_id": made["_id"]}, {"$set": {"state": "SIGNED", "pdf": made["xml"]}})
    kept = [name for name, _ in await others(world.db("records"), SCHOOL, EARLIER, {"5A": "5A"})]
    assert kept == [f"ban-quet/5A/{made['_id']}.pdf"]
    confirmed = await world.browser().send(
        f"/ui/records/confirmation?year={EARLIER}", [("ids", made["_id"]), ("view", "pupil"), ("act", "confirm"), ("sure", "1")]
    )
    assert f"year={EARLIER}" in confirmed.where
    assert (await one(world, "transcripts", _id=made["_id"]))["state"] == "CONFIRMED"


async def test_a_change_after_the_review_asks_for_it_again_and_creates_nothing(world: World) -> None:
    await earlier_year(world)
    await plan_year(world)
    pupil = await pupil_of(world, "1A", EARLIER)
    place = f"{LIST}/{EARLIER}/{pupil['code']}"
    await world.browser(CLERK).send(f"{place}/scan", [], files=scan())
    assert (await check(world, CLERK, place, "profile")).status == 303
    assert (await world.browser(CLERK).send(f"{place}/scan", [], files=scan(3))).status == 303
    assert "cần đối chiếu lại" in sound(await world.browser(CLERK).get(place)).text
    stale = await check(world, CLERK, place, "profile", digest="0" * 64)
    assert "đã thay đổi so với trang đang xem" in sound(stale, 409).text
    # the classes page does not go round the review
    job = await world.browser(HEAD).send("/api/records/transcripts?year=" + EARLIER, [], json={"pupils": [pupil["code"]]})
    assert job.status == 202, job.response.text
    assert await create(world) == 1
    refused = (await one(world, "jobs"))["refused"]
    assert {r["code"] for r in refused} == {"HB-REC-183"}
    assert await world.db("records")["transcripts"].count_documents({}) == 0


async def test_years_and_people_that_cannot_be_are_refused_on_the_page_where_they_were_typed(world: World) -> None:
    pupil = (await pupil_of(world, "5A"))["code"]
    head = world.browser(HEAD)
    for year in (YEAR, "2030-2031", "abc"):
        fields = [("year", year), ("reviewer", CLERK_CODE), ("leader", HEAD_CODE)]
        assert "trước năm học mới nhất" in sound(await head.send(f"{LIST}/plan", fields), 422).text
    assert (await head.send(f"{LIST}/plan", [("year", EARLIER), ("reviewer", ""), ("leader", CLERK_CODE)])).status == 422
    for wrong in ({"grade": "6"}, {"grade": "1"}, {"class_name": " "}, {"pupil": "999"}, {"leader": CLERK_CODE}, {"year": YEAR}):
        sound(await open_pupil(world, **{"pupil": pupil, **wrong}), 422)
    assert await world.db("records")["digitised"].count_documents({}) == 0
    assert (await world.browser(CLERK).send(f"{LIST}/plan", [("year", EARLIER)])).status == 403
    assert (await world.browser(CLERK).get(f"{LIST}/{EARLIER}/{pupil}")).status == 404


async def test_a_year_that_was_born_digital_and_a_pupil_with_a_transcript_are_left_alone(world: World) -> None:
    await earlier_year(world)
    db = world.db("records")
    pupil = await pupil_of(world, "4A")
    await db["transcripts"].insert_one(
        {"_id": "t-1", "school": SCHOOL, "year": EARLIER, "pupil_code": pupil["code"], "class_code": "4A", "live": True, "state": "SIGNED"}
    )
    assert "đã có 1 học bạ số" in sound(await plan_year(world), 409).text
    assert (await open_pupil(world, pupil["code"], grade="3")).status == 409
    assert await db["digitisation_plans"].count_documents({}) == 0


async def test_wrong_values_and_wrong_scans_come_back_with_what_was_typed(world: World) -> None:
    pupil = await pupil_of(world, "5A")
    place = f"{LIST}/{EARLIER}/{pupil['code']}"
    await open_pupil(world, pupil["code"], paper_school="")
    typed = form.values_of(result_from((await pupil_of(world, "4A"))["result"])) | {"Toán: Điểm KTĐK": "11"}
    sent = [(f"v:{name}", value) for name, value in typed.items()]
    again = sound(await world.browser(CLERK).send(f"{place}/data", sent), 422)
    assert "nằm ngoài khoảng 0 đến 10" in again.text
    assert ("input", "v:Toán: Điểm KTĐK", "11") in {(t, a.get("name"), a.get("value")) for t, a in again.page.elements}
    for content in (b"%PDF-1.7\n/Encrypt <<>>\n%%EOF", b"<html>", b""):
        sound(await world.browser(CLERK).send(f"{place}/scan", [], files=[("files", ("a.pdf", content))]), 422)
    assert (await one(world, "digitised"))["scan"] is None
    # a teacher enters nothing
    assert (await world.browser(staff(6, "GV", Role.SUBJECT_TEACHER)).send(f"{place}/data", sent)).status == 403


async def test_a_teacher_named_on_a_typed_paper_reviews_it_and_sees_its_class(world: World) -> None:
    pupil = await pupil_of(world, "5A")
    place = f"{LIST}/{EARLIER}/{pupil['code']}"
    await open_pupil(world, pupil["code"], paper_school="")
    teacher = staff(6, "Giáo viên lớp cũ", Role.SUBJECT_TEACHER)
    typed = form.values_of(result_from((await pupil_of(world, "4A"))["result"]))
    sent = [*((f"v:{name}", value) for name, value in typed.items()), ("t:Toán", teacher.person), ("n:Tiếng Việt", "Người Đã Nghỉ")]
    assert (await world.browser(CLERK).send(f"{place}/data", sent)).status == 303
    assert (await world.browser(CLERK).send(f"{place}/scan", [], files=scan())).status == 303
    assert (await check(world, teacher, place, f"subjects:{teacher.person}")).status == 303
    kept = await one(world, "years", year=EARLIER)
    assert {(a["subject_name"], a["staff"]) for a in kept["assignments"]} == {("Toán", teacher.person)}
    assert kept["from_paper"] is True
    shown = await world.browser(teacher).get(f"/api/records/classes/SH-4C/pupils?year={EARLIER}")
    assert [p["code"] for p in shown.response.json()["pupils"]] == [pupil["code"]]
