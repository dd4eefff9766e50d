"""The life of class summaries over the services that share it: created, signed by three, confirmed, sent; returned, cancelled, replaced."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from lxml import etree

from contracts.access import Role
from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.publishing import TranscriptAcceptedV1
from contracts.events.signing import StepSignedV1, TranscriptSealedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.mongo import Document, Session, transaction
from services.district import handlers as district
from services.district.store import Store as DistrictStore
from services.publishing import handlers as publishing
from services.publishing.store import Store as PublishingStore
from services.records import handlers as records
from services.records.archive.sources import others
from services.records.render.summary_xml import validate_summary
from services.records.store import Store as RecordsStore
from services.records.transcripts.rendering import Rendering
from services.signing import handlers as signing
from services.signing.assembling import Assembling
from services.signing.store import Store as SigningStore
from services.signing.tasks import DONE, at_step, signed
from tests.integration.pages_world import ADMINISTRATOR, OFFICER, SCHOOL, UNIT, YEAR, Answer, World, event_of, signature, staff, world_of
from tests.integration.test_pages import fields, row_of, sound, ticks

CLASS, OTHER = "5A", "1A"
HERE = "/ui/records/summaries"
LEADER = staff(1, "Ngô Diệu Tâm", Role.MANAGER)
DEPUTY = staff(2, "Phó hiệu trưởng", Role.MANAGER)
ISSUER = staff(4, "Nhân sự phát hành", Role.ISSUER)
REASON = "Mức đạt được môn Toán chưa đúng với sổ theo dõi."
XML = {"h": "urn:hocba:summary:1"}
PASSED = ("AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "AWAITING_LEADER", "AWAITING_ISSUE", "SIGNED", "CONFIRMED", "SUBMITTED")
IMPORTED: dict[str, list[Document]] = {}
"""The school year as one import left it: read once, put back for every test."""


@dataclass
class Life:
    """The world with its events on the way."""

    world: World
    handed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        parts = self.world.parts
        self.records, self.signing = RecordsStore(self.world.db("records")), SigningStore(self.world.db("signing"))
        self.rendering = Rendering(parts["records"], self.records)
        self.assembling = Assembling(parts["signing"], self.signing)
        self.listeners = [
            *((self.records.db, c) for c in records.consumers(self.records)),
            *((self.signing.db, c) for c in signing.consumers(self.signing)),
            *((self.world.db("publishing"), c) for c in publishing.consumers(PublishingStore(self.world.db("publishing")))),
            *((self.world.db("district"), c) for c in district.consumers(DistrictStore(self.world.db("district")))),
        ]

    async def carry(self) -> None:
        """Hands on what was told, and has the workers do theirs, until nothing more happens."""
        while True:
            fresh = [
                d
                for service in ("records", "signing", "publishing")
                async for d in self.world.db(service)["outbox"].find({"_id": {"$nin": list(self.handed)}}).sort([("sequence", 1)])
            ]
            for document in fresh:
                self.handed.add(document["_id"])
                kind = json.loads(document["body"])["type"]
                for db, consumer in self.listeners:
                    if consumer.name == document["topic"] and kind in consumer.handlers:
                        fact, handler = consumer.handlers[kind]
                        event: Event[Any] = Event[fact].model_validate_json(document["body"])  # type: ignore[valid-type]  # chosen at run time

                        async def work(session: Session, event: Event[Any] = event, handler: Any = handler) -> None:
                            await handler(session, [event])

                        await transaction(db, work)
            if not (fresh or await self.assembling.round() or await self.rendering.round()):
                return

    async def created(self, *classes: str, leader: str = "") -> list[Document]:
        form = [("sure", "1"), ("leader", leader), *(("ids", code) for code in classes)]
        answer = await self.world.browser().send(HERE, form)
        assert answer.where.startswith(f"{HERE}?did=summaries&n={len(classes)}"), answer.text[-2000:]
        await self.carry()
        return [await self.summary(code) for code in classes]

    async def summary(self, code: str = CLASS, *, live: bool = True) -> Document:
        found = await self.records.db["summaries"].find_one({"class_code": code, "live": live})
        assert found is not None
        return found

    async def homeroom(self, code: str = CLASS) -> Any:
        found = await self.records.db["classes"].find_one({"code": code})
        assert found is not None
        return staff(int(found["data"]["homeroom"][-3:]), "Giáo viên", Role.HOMEROOM_TEACHER, homeroom_of=(code,))

    async def signs(self, summary: Document, step: str, person: Any) -> None:
        """As a batch records it, without a key: the files stay as they are."""
        told = signature(step, person)

        async def work(session: Session) -> None:
            task = (await self.signing.load_tasks(session, [summary["_id"]]))[summary["_id"]]
            assert step == "issue" or person.person in task["waiting"], task
            after = signed(task, person.person, step, told, step)
            files = {"xml": DocumentRef.model_validate(task["xml"]), "pdf": DocumentRef.model_validate(task["pdf"])}
            if step == "issue":
                fact = TranscriptSealedV1(signature=told, level="BASELINE-LTA", timestamped_at=clock.now(), **files)
                await self.signing.save_tasks(session, [Change(at_step(after, DONE), fact)], actor=person.person)
            else:
                fact_of_step = StepSignedV1(step=step, signature=told, **files)
                await self.signing.save_tasks(session, [Change(after, fact_of_step)], actor=person.person)

        await transaction(self.signing.db, work)
        await self.carry()

    async def signed_by_all(self, summary: Document) -> None:
        for step, person in (("homeroom", await self.homeroom(summary["class_code"])), ("leader", LEADER), ("issue", ISSUER)):
            await self.signs(summary, step, person)


@pytest.fixture
async def life(light_stack: Stack) -> AsyncIterator[Life]:
    async with world_of(light_stack) as world:
        db = world.db("records")
        if not IMPORTED:
            await world.imported()
            IMPORTED.update({name: await db[name].find().to_list(None) for name in ("years", "staff", "classes", "pupils")})
            await db["outbox"].delete_many({})
        else:
            for name, documents in IMPORTED.items():
                await db[name].insert_many(documents)
        yield Life(world)


async def file_of(life: Life, summary: Document, kind: str) -> bytes:
    return await life.world.parts["records"].objects.get(DocumentRef.model_validate(summary[kind]))


async def post(life: Life, path: str, body: object, who: Any = ADMINISTRATOR) -> Any:
    return await life.world.clients[path.split("/")[2]].post(path, json=body, headers=life.world.browser(who)._token())


async def test_a_class_gets_its_summary_with_the_leader_who_was_chosen_and_the_pdf_is_there_for_the_homeroom_teacher(life: Life) -> None:
    page = sound(await life.world.browser().get(f"{HERE}?grade=5"))
    assert CLASS in ticks(page)
    assert "Tạo bảng tổng hợp kết quả ĐGGD" in page.text
    assert "Phó hiệu trưởng" in page.text or "Hiệu trưởng" in page.text
    asked = sound(await life.world.browser().send(HERE, [("ids", CLASS), ("leader", LEADER.person)]))
    assert "Bạn chắc chắn muốn tạo bảng tổng hợp kết quả đánh giá giáo dục cho những lớp đang chọn?" in asked.text
    assert await life.records.db["summaries"].count_documents({}) == 0
    (summary,) = await life.created(CLASS, leader=LEADER.person)
    assert (summary["state"], summary["version"], summary["leader"]) == ("AWAITING_HOMEROOM", 1, LEADER.person)
    xml = await file_of(life, summary, "xml")
    assert validate_summary(xml) == []
    root = etree.fromstring(xml)
    assert root.xpath("string(//h:LanhDao/h:MaCanBo)", namespaces=XML) == LEADER.person
    assert len(root.findall("h:NoiDung/h:HocSinh", XML)) == 32
    assert (await file_of(life, summary, "pdf")).startswith(b"%PDF")
    task = await life.signing.task(summary["_id"])
    assert [s["name"] for s in task["steps"]] == ["homeroom", "leader", "issue"]
    again = sound(await life.world.browser().send(HERE, [("ids", CLASS), ("sure", "1")]))
    assert "HB-REC-191" in again.text


async def test_a_class_that_is_not_finalised_or_has_an_incomplete_pupil_is_refused_with_the_reasons(life: Life) -> None:
    db = life.records.db
    await db["classes"].update_one({"code": OTHER}, {"$set": {"data.finalised": False}})
    pupil = await db["pupils"].find_one({"class_code": CLASS})
    assert pupil is not None
    lacking = [{"field": "Xếp loại", "kind": "missing", "message": "Thiếu “Xếp loại”.", "article": ""}]
    await db["pupils"].update_one({"_id": pupil["_id"]}, {"$set": {"result.rating": "", "missing": lacking}})
    told = await post(life, "/api/records/summaries", {"classes": [CLASS, OTHER]})
    assert told.json()["created"] == []
    reasons = {(r["class"], r["pupil"], r["reason"]) for r in told.json()["refused"]}
    assert {(CLASS, pupil["code"], "Thiếu “Xếp loại”."), (OTHER, "", f"Lớp {OTHER} chưa hoàn thành tổng kết.")} <= reasons
    shown = sound(await life.world.browser().get(HERE)).text
    assert f"Lớp {OTHER} chưa hoàn thành tổng kết" in shown
    assert f"{pupil['name']}: Thiếu “Xếp loại”" in shown
    await db["pupils"].update_one({"_id": pupil["_id"]}, {"$set": {"data.status": "Chuyển trường"}})
    told = await post(life, "/api/records/summaries", {"classes": [CLASS]})
    assert [c["class"] for c in told.json()["created"]] == [CLASS]
    teacher = await post(life, "/api/records/summaries", {"classes": [CLASS], "leader": "31300001006"})
    assert teacher.json()["refused"][0]["code"] == "HB-REC-191"


async def test_nobody_but_a_manager_can_be_chosen_and_the_preview_shows_who_was(life: Life) -> None:
    told = await post(life, "/api/records/summaries", {"classes": [CLASS], "leader": "31300001006"})
    assert [r["code"] for r in told.json()["refused"]] == ["HB-REC-050"]
    token = life.world.browser()._token()
    seen = await life.world.clients["records"].get(
        f"/api/records/summaries/preview.pdf?class={CLASS}&leader={DEPUTY.person}", headers=token
    )
    assert seen.status_code == 200
    assert seen.content.startswith(b"%PDF")
    assert await life.records.db["summaries"].count_documents({}) == 0


async def test_a_summary_is_signed_by_three_confirmed_sent_and_accepted_while_transcripts_know_nothing_of_it(life: Life) -> None:
    (summary,) = await life.created(CLASS)
    teacher = await life.homeroom()
    queue = sound(await life.world.browser(teacher).get("/ui/signing/summary-homeroom"))
    assert "3.2. Giáo viên chủ nhiệm ký duyệt" in queue.text
    assert "Giáo viên chủ nhiệm" in row_of(queue, f"Bảng tổng hợp lớp {CLASS}")
    assert summary["_id"] not in sound(await life.world.browser(teacher).get("/ui/signing/homeroom")).response.text
    await life.signed_by_all(summary)
    assert (await life.summary())["state"] == "SIGNED"
    browser = life.world.browser()
    listed = sound(await browser.get("/ui/records/summary-confirmation"))
    assert ticks(listed) == [summary["_id"]]
    assert "Cập nhật" in listed.text
    ask = sound(await browser.send("/ui/records/summary-confirmation", [("act", "confirm"), ("ids", summary["_id"])]))
    done = await browser.send("/ui/records/summary-confirmation", fields(ask))
    assert "Đã xác nhận hoàn thành 1 bảng tổng hợp." in sound(await browser.get(done.where)).text
    await life.carry()
    undone = await browser.send("/ui/records/summary-confirmation", [("act", "undo"), ("ids", summary["_id"])])
    assert "summary-undo&n=1" in undone.where
    assert (await post(life, "/api/records/confirmations", {"classes": [CLASS], "kind": "class_summary"})).json()["done"] == 1
    await life.carry()
    sending = sound(await browser.get("/ui/publishing/summaries"))
    assert "Gửi bảng tổng hợp kết quả ĐGGD" in sending.text
    assert ticks(sound(await browser.get("/ui/publishing/submissions"))) == []
    assert "submit&n=1" in (await browser.send("/ui/publishing/summaries", [("sure", "1"), ("ids", summary["_id"])])).where
    await life.carry()
    assert (await life.summary())["state"] == "SUBMITTED"
    due = await PublishingStore(life.world.db("publishing")).next_cleared_class(10)
    assert [(d["_id"], d["kind"]) for d in due] == [(summary["_id"], "class_summary")]
    fact = TranscriptAcceptedV1(submission=due[0]["submission"], accepted_at=clock.now())
    accepted = next(c for c in records.consumers(life.records) if c.name == "publishing.submissions").handlers["TranscriptAcceptedV1"][1]
    await transaction(life.records.db, lambda session: accepted(session, [event_of(fact, summary["_id"])]))
    assert (await life.summary())["state"] == "ACCEPTED"
    assert await life.records.db["transcripts"].count_documents({}) == 0
    await life.carry()
    oversight = life.world.db("district")
    assert await oversight["transcripts"].count_documents({}) == 0
    assert await DistrictStore(oversight).summaries([SCHOOL], YEAR) == {SCHOOL: {"ACCEPTED": 1, **dict.fromkeys(PASSED, 0)}}
    await oversight["schools"].insert_one({"_id": SCHOOL, "name": "Trường Tiểu học An Hồng", "path": ["031", UNIT], "levels": ["TH"]})
    of_class = {"school": SCHOOL, "year": YEAR, "code": CLASS, "name": CLASS, "grade": 5, "pupils": 32, "refused": 0}
    await oversight["classes"].insert_one({"_id": f"{SCHOOL}:{YEAR}:{CLASS}", **of_class})
    officer = life.world.browser(OFFICER)
    school = sound(await officer.get(f"/ui/district/statistics/schools/{SCHOOL}?year={YEAR}"))
    assert "Bảng tổng hợp kết quả ĐGGD Đã tiếp nhận 1 (theo lớp)" in school.text
    assert row_of(school, CLASS)[-1].startswith("Đã tiếp nhận")
    whole = sound(await officer.get(f"/ui/district/statistics?year={YEAR}"))
    assert "Bảng tổng hợp kết quả ĐGGD (theo lớp): Đã tiếp nhận 1." in whole.text
    classes = (await life.world.clients["records"].get("/api/records/classes", headers=browser._token())).json()["classes"]
    assert {tuple(c["states"]) for c in classes} == {("NOT_CREATED",)}
    archived = await others(life.records.db, SCHOOL, YEAR, {CLASS: CLASS})
    assert {name for name, _ in archived} == {f"tong-hop/{CLASS}/{summary['_id']}.{kind}" for kind in ("pdf", "xml")}


async def test_what_was_returned_is_cancelled_or_goes_on_and_the_next_one_is_version_two(life: Life) -> None:
    (summary,) = await life.created(CLASS)
    teacher = life.world.browser(await life.homeroom())
    ask = sound(await teacher.send("/ui/signing/summary-homeroom", [("act", "return"), ("ids", summary["_id"])]))
    assert "Trả lại bảng tổng hợp ĐGGD" in ask.text
    where = (await teacher.send("/ui/signing/summary-homeroom/return", [*fields(ask), ("reason", REASON)])).where
    assert "1 bảng tổng hợp đã chuyển sang trạng thái Trả lại." in sound(await teacher.get(where)).text
    await life.carry()
    assert (await life.summary())["state"] == "RETURNED"
    browser, page = life.world.browser(), "/ui/records/summary-cancellation"
    listed = sound(await browser.get(page))
    assert REASON in listed.text
    assert "Hủy bảng tổng hợp kết quả ĐGGD" in listed.text
    assert ticks(sound(await browser.get("/ui/records/cancellation"))) == []
    ask = sound(await browser.send(page, [("act", "refuse"), ("tab", "returned"), ("ids", summary["_id"])]))
    refused = await browser.send(page, [*fields(ask), ("reason", "Đã đối chiếu, không có sai sót.")])
    assert "Đã từ chối hủy 1 bảng tổng hợp" in sound(await browser.get(refused.where)).text
    await life.carry()
    assert (await life.summary())["state"] == "AWAITING_HOMEROOM"
    ask = sound(await teacher.send("/ui/signing/summary-homeroom", [("act", "return"), ("ids", summary["_id"])]))
    await teacher.send("/ui/signing/summary-homeroom/return", [*fields(ask), ("reason", REASON)])
    await life.carry()
    ask = sound(await browser.send(page, [("act", "cancel"), ("tab", "returned"), ("ids", summary["_id"])]))
    assert "Đồng ý xác nhận hủy bảng tổng hợp?" in ask.text
    await browser.send(page, fields(ask))
    await life.carry()
    assert (await life.summary(live=False))["state"] == "CANCELLED"
    (after,) = await life.created(CLASS)
    assert (after["version"], after["replaces"]) == (2, summary["_id"])
    shown = sound(await browser.get("/ui/records/summary-lookup?class=5A"))
    assert {summary["_id"], after["_id"]} <= set(shown.page.values("href")) or after["_id"] in shown.response.text


async def test_the_act_of_one_kind_does_not_reach_documents_of_the_other(life: Life) -> None:
    (summary,) = await life.created(CLASS)
    await life.signed_by_all(summary)
    told = (await post(life, "/api/records/confirmations", {"transcripts": [summary["_id"]]})).json()
    assert (told["done"], told["refused"][0]["code"]) == (0, "HB-WEB-404")
    reason = {"transcripts": [summary["_id"]], "reason": REASON}
    assert (await post(life, "/api/records/cancellations", reason)).json()["done"] == 0
    told = (await post(life, "/api/records/cancellations", {**reason, "kind": "class_summary"})).json()
    assert told["done"] == 1


async def test_a_secondary_school_neither_sees_nor_creates_class_summaries(life: Life) -> None:
    secondary = ADMINISTRATOR.model_copy(update={"level": "THCS"})
    browser = life.world.browser(secondary)
    for path in (HERE, "/ui/records/summary-confirmation", "/ui/records/summary-lookup", "/ui/records/summary-cancellation"):
        assert (await browser.get(path)).status == 404, path
    assert (await browser.get("/ui/publishing/summaries")).status == 404
    assert (await life.world.browser(LEADER.model_copy(update={"level": "THPT"})).get("/ui/signing/summary-leader")).status == 404
    assert "Bảng tổng hợp" not in sound(await browser.get("/ui/records/classes")).text
    await life.records.db["years"].update_many({}, {"$set": {"data.level": "THCS"}})
    told = await post(life, "/api/records/summaries", {"classes": [CLASS]})
    assert (told.status_code, told.json()["code"]) == (404, "HB-REC-190")


EARLIER = "2024-2025"


async def year_before(life: Life) -> None:
    """The same school a year earlier, as an import of its workbooks leaves it."""
    for name in ("years", "staff", "classes", "pupils"):
        found = await life.records.db[name].find({"year": YEAR}).to_list(None)
        for document in found:
            document |= {"_id": document["_id"].replace(YEAR, EARLIER), "year": EARLIER}
            if name == "years":
                document["data"]["year"] = EARLIER
        await life.records.db[name].insert_many(found)


async def test_an_earlier_year_has_its_summaries_too_and_the_head_signs_for_who_has_left(life: Life) -> None:
    await year_before(life)
    homerooms = {code: await life.homeroom(code) for code in (CLASS, OTHER)}
    # of the two homeroom teachers then, one has left since
    await life.records.db["staff"].delete_one({"year": YEAR, "data.code": homerooms[CLASS].person})
    browser = life.world.browser()
    listed = sound(await browser.get(f"{HERE}?year={EARLIER}"))
    assert "Năm học 2024-2025" in listed.text
    form = [("sure", "1"), ("leader", LEADER.person), ("ids", CLASS), ("ids", OTHER)]
    answer = await browser.send(f"{HERE}?year={EARLIER}", form)
    assert answer.where == f"{HERE}?year={EARLIER}&did=summaries&n=2&left=0&why="
    await life.carry()
    waiting = {}
    async for task in life.signing.db["tasks"].find({}):
        waiting[task["class_code"]] = (task["year"], task["step"], task["waiting"])
    assert waiting[CLASS] == (EARLIER, "homeroom", [LEADER.person])
    assert waiting[OTHER] == (EARLIER, "homeroom", [homerooms[OTHER].person])
    made = await life.summary(CLASS)
    assert (made["year"], made["content"]["homeroom_name"], made["content"]["school"]["year"]) == (EARLIER, made["leader_name"], EARLIER)
    # a homeroom teacher of this year has no right to the class of that name then, and who had it then keeps theirs
    await life.records.db["classes"].update_one({"year": EARLIER, "code": OTHER}, {"$set": {"data.homeroom": DEPUTY.person}})
    refused = await life.world.browser(homerooms[OTHER]).send(f"{HERE}?year={EARLIER}", [("sure", "1"), ("ids", OTHER)])
    assert refused.status == 403
    then = staff(2, "Giáo viên", Role.SUBJECT_TEACHER)
    assert "HB-REC-191" in sound(await life.world.browser(then).send(f"{HERE}?year={EARLIER}", [("sure", "1"), ("ids", OTHER)])).text


async def test_the_data_behind_a_live_summary_stay_as_they_are(life: Life) -> None:
    await life.records.db["classes"].update_one({"code": CLASS}, {"$set": {"data.finalised": False, "finalised_at": clock.now()}})
    await life.created(CLASS)
    order = [("act", "undo"), ("sure", "1"), ("reason", "Nhập nhầm điểm"), ("ids", CLASS)]
    reopened = await life.world.browser(LEADER).send("/ui/records/finalisation", order)
    assert "HB-REC-193" in reopened.where


async def test_the_export_holds_both_files_of_each_summary_and_the_stylesheet_that_shows_it(life: Life) -> None:
    made = await life.created(CLASS, OTHER)
    order = [("ids", s["_id"]) for s in made]
    answer = await life.world.browser().send("/ui/records/summary-lookup/export", order)
    with zipfile.ZipFile(io.BytesIO(answer.response.content)) as package:
        names = package.namelist()
        assert {"bang-tong-hop-1.0.xslt", "manifest.json"} <= set(names)
        assert sum(name.endswith(".pdf") for name in names) == sum(name.endswith(".xml") for name in names) == 2
    page = sound(await life.world.browser().get(f"{HERE}/{made[0]['_id']}"))
    assert isinstance(page, Answer)
    assert f"Bảng tổng hợp lớp {CLASS}" in page.text
    assert await life.records.db["audit"].count_documents({"act": "create summary"}) == 2
