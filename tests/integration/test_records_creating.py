"""Menu 2.1 on real stores: finalising, print configuration, the dialogue, jobs that are stopped, repeated and met by others, versions."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import openpyxl
import pytest
from lxml import etree

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Document
from services.chassis.work import Pool
from services.records.store import Store
from services.records.transcripts.creation import CHUNK, Creation, JobStopped
from services.records.transcripts.states import State
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, YEAR, Answer, World, staff, world_of

CLASS = "5A"
R = TypeVar("R")
CLASSES = "/ui/records/classes"
HERE = f"{CLASSES}/{CLASS}"
FINALISATION = "/ui/records/finalisation"
PRINTING = "/ui/records/printing"
PRINCIPAL, DEPUTY, TEACHER = (f"{SCHOOL}{n:03d}" for n in (1, 2, 6))
MANAGER = staff(2, "Phó hiệu trưởng", Role.MANAGER)
XML = {"h": "urn:hocba:transcript:1"}


IMPORTED: dict[str, list[Document]] = {}
"""The school year as one import left it, by collection: read once, put back for every test."""


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        db = made.db("records")
        if not IMPORTED:
            await made.imported()
            found = {name: await db[name].find().to_list(None) for name in ("years", "staff", "classes", "pupils")}
            IMPORTED.update(found)
        else:
            for name, documents in IMPORTED.items():
                await db[name].insert_many(documents)
        yield made


def sound(answer: Answer, status: int = 200) -> Answer:
    assert answer.status == status, answer.response.text[-3000:]
    assert answer.page.faults == []
    return answer


class Here(Pool):
    """The work of the pool done in this process: starting one for every test takes longer than the tests."""

    async def run(self, work: Callable[..., R], *args: object) -> R:
        return await asyncio.to_thread(work, *args)


def worker(world: World) -> Creation:
    return Creation(replace(world.parts["records"], pool=Here(1)), Store(world.db("records")))


async def create_all(world: World) -> int:
    return await worker(world).round()


async def homeroom_of(world: World, code: str) -> Principal:
    found = await world.db("records")["classes"].find_one({"code": code})
    assert found is not None
    person = await world.db("records")["staff"].find_one({"data.code": found["data"]["homeroom"]})
    assert person is not None
    return staff(int(person["data"]["code"][-3:]), person["data"]["name"], Role.HOMEROOM_TEACHER, homeroom_of=(code,))


async def open_class(world: World, code: str = CLASS) -> None:
    """As an import would leave a class that the sector database has not finalised."""
    await world.db("records")["classes"].update_one({"code": code}, {"$set": {"data.finalised": False}})


async def ordered(world: World, *codes: str, page: str = CLASSES) -> str:
    """The id of a job that was started on the pages."""
    answer = await world.browser().send(page, [("sure", "1"), *(("ids", code) for code in codes)])
    return answer.where.rpartition("=")[2]


async def job_of(world: World, job_id: str) -> Document:
    found = await world.db("records")["jobs"].find_one({"_id": job_id})
    assert found is not None
    return found


async def transcripts(world: World, **wanted: object) -> list[Document]:
    return await world.db("records")["transcripts"].find(wanted).to_list(None)


async def acts(world: World) -> set[str]:
    return set(await world.db("records")["audit"].distinct("act"))


def lines_of(answer: Answer) -> list[tuple[object, ...]]:
    return [tuple(row) for row in openpyxl.load_workbook(io.BytesIO(answer.response.content)).worksheets[0].values]


# --- the dialogue


async def test_before_anything_is_created_the_dialogue_shows_who_will_sign(world: World) -> None:
    asked = sound(await world.browser().send(CLASSES, [("ids", CLASS)]))
    teacher = await homeroom_of(world, CLASS)
    for words in (
        "Học bạ tiểu học (TT 27/2020/TT-BGDĐT)",
        "Loại nhận xét môn học",
        "Không tạo cho học sinh phải đánh giá lại, rèn luyện trong hè",
        "Bạn chắc chắn muốn tạo học bạ cho những học sinh đang chọn?",
        "32 trong 32",
        "Hiệu trưởng",
        "Hải Phòng, 28/05/2026",
        teacher.name,
    ):
        assert words in asked.text
    assert ("input", "sure", "1") in {(tag, a.get("name"), a.get("value")) for tag, a in asked.page.elements}
    assert await world.db("records")["jobs"].count_documents({}) == 0


async def test_the_dialogue_of_a_secondary_school_has_the_words_of_its_guide(world: World) -> None:
    browser = world.browser(ADMINISTRATOR.model_copy(update={"level": "THCS"}))
    asked = sound(await browser.send(CLASSES, [("ids", CLASS)]))
    assert "Bạn có muốn xác nhận tạo học bạ!" in asked.text
    assert "Thực hiện" in asked.text


async def test_choices_of_the_dialogue_go_into_the_job_and_into_the_documents(world: World) -> None:
    pupils = world.db("records")["pupils"]
    first = await pupils.find_one({"class_code": CLASS})
    assert first is not None
    await pupils.update_one(
        {"_id": first["_id"]}, {"$set": {"result.rating": "Chưa hoàn thành", "result.completed": False, "result.promoted": False}}
    )
    waiting = {p["code"] for p in await pupils.find({"class_code": CLASS, "result.promoted": False}).to_list(None)}
    asked = await world.browser().send(CLASSES, [("ids", CLASS)])
    assert f"{len(waiting)} học sinh trong phần đã chọn" in asked.text
    answer = await world.browser().send(CLASSES, [("sure", "1"), ("ids", CLASS), ("comments", "none"), ("skip_reassessed", "1")])
    assert await create_all(world) == 32 - len(waiting)
    told = f"Để lại {len(waiting)} học sinh phải đánh giá lại, rèn luyện trong hè."
    assert told in sound(await world.browser().get(answer.where)).text
    made = await transcripts(world)
    assert {t["pupil_code"] for t in made}.isdisjoint(waiting)
    assert {s["comment"] for t in made for s in t["content"]["result"]["subjects"]} == {""}
    alone = [("sure", "1"), ("ids", first["code"]), ("skip_reassessed", "1")]
    assert "HB-REC-055" in (await world.browser().send(HERE, alone)).where


# --- finalising


async def test_nobody_gets_a_transcript_until_the_homeroom_teacher_has_finalised_the_class(world: World) -> None:
    await open_class(world)
    job = await ordered(world, CLASS)
    await create_all(world)
    refused = (await job_of(world, job))["refused"]
    assert {r["reason"] for r in refused} == {f"Lớp {CLASS} chưa hoàn thành tổng kết."}
    teacher = world.browser(await homeroom_of(world, CLASS))
    shown = sound(await world.browser().get(CLASSES))
    assert "Chưa đủ điều kiện tạo học bạ số: 32 học sinh" in shown.text
    asked = sound(await teacher.send(FINALISATION, [("act", "finalise"), ("ids", CLASS)]))
    assert "khóa dữ liệu" in asked.text
    done = await teacher.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
    assert "Đã xác nhận hoàn thành tổng kết 1 lớp." in sound(await teacher.get(done.where)).text
    await world.browser().send(f"/ui/records/jobs/{job}/retry", [])
    await create_all(world)
    assert len(await transcripts(world, class_code=CLASS, live=True)) == 32
    assert {"finalise class", "create"} <= await acts(world)


async def test_a_homeroom_teacher_finalises_the_own_class_alone(world: World) -> None:
    await open_class(world, "1A")
    teacher = world.browser(await homeroom_of(world, CLASS))
    assert (await teacher.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", "1A")])).status == 403
    assert (await teacher.get(f"{FINALISATION}/1A")).status == 403
    assert "1A" not in sound(await teacher.get(FINALISATION)).text.split("Giáo viên chủ nhiệm")[-1]
    assert (await world.browser(MANAGER).send(FINALISATION, [("sure", "1"), ("ids", "1A")])).status == 403


async def test_a_contradiction_forbids_finalising_and_the_page_of_the_class_names_it(world: World) -> None:
    await open_class(world)
    pupils = world.db("records")["pupils"]
    one = await pupils.find_one({"class_code": CLASS, "result.rating": "Hoàn thành"})
    two = await pupils.find_one({"class_code": CLASS, "_id": {"$ne": one and one["_id"]}})
    assert one is not None
    assert two is not None
    await pupils.update_one({"_id": one["_id"]}, {"$set": {"result.rating": "Hoàn thành xuất sắc"}})
    await pupils.update_one({"_id": two["_id"]}, {"$set": {"data.address": ""}})
    browser = world.browser()
    done = await browser.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
    assert "Chưa thể xác nhận hoàn thành tổng kết" in sound(await browser.get(done.where)).text
    page = sound(await browser.get(f"{FINALISATION}/{CLASS}"))
    assert "Hoàn thành xuất sắc" in page.text
    assert "Thiếu “Chỗ ở hiện nay”." in page.text
    await pupils.update_one({"_id": one["_id"]}, {"$set": {"result.rating": "Hoàn thành"}})
    again = await browser.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
    assert "did=finalise&n=1" in again.where


UNDO = [("act", "undo"), ("sure", "1"), ("reason", "Nhập nhầm điểm Toán của cả lớp")]
"""Taking the finalisation back, as management sends it."""


async def lock_planned(world: World, days: int) -> None:
    """The school's own day of the final lock, so many days from today."""
    day = clock.in_vietnam(clock.now() + dt.timedelta(days=days))
    assert "did=lock-plan&n=1" in (await world.browser().send("/ui/records/locks/plan", [("day", f"{day:%d/%m/%Y}")])).where


async def test_management_takes_the_finalisation_back_with_a_reason_while_no_live_transcript_stands(world: World) -> None:
    await open_class(world)
    await lock_planned(world, 60)
    browser, manager = world.browser(), world.browser(MANAGER)
    await browser.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
    await ordered(world, CLASS)
    await create_all(world)
    refused = await manager.send(FINALISATION, [*UNDO, ("ids", CLASS), ("ids", "1A")])
    assert "n=0&left=2" in refused.where
    assert "HB-REC-042" in refused.where
    assert "HB-REC-044" in refused.where
    await world.db("records")["transcripts"].update_many({}, {"$set": {"live": False, "state": State.CANCELLED.value}})
    asked = sound(await manager.send(FINALISATION, [("act", "undo"), ("ids", CLASS)]))
    assert "Mở khóa dữ liệu của các lớp đã chọn" in asked.text
    assert "cần ghi lý do" in sound(await manager.send(FINALISATION, [("act", "undo"), ("sure", "1"), ("ids", CLASS)]), 422).text
    assert "did=reopen&n=1" in (await manager.send(FINALISATION, [*UNDO, ("ids", CLASS)])).where
    school_class = await world.db("records")["classes"].find_one({"code": CLASS})
    assert school_class is not None
    assert "finalised_at" not in school_class
    shown = sound(await browser.get(f"{FINALISATION}/{CLASS}"))
    assert "Nhập nhầm điểm Toán của cả lớp" in shown.text
    (told,) = [a async for a in world.db("records")["audit"].find({"act": "undo finalise class"})]
    assert (told["actor"], told["details"]["reason"]) == (DEPUTY, "Nhập nhầm điểm Toán của cả lớp")


async def test_who_finalises_a_class_does_not_open_its_data_again(world: World) -> None:
    """Neither the administrator nor the homeroom teacher: the head of the school decides when data are locked and opened."""
    await open_class(world)
    await lock_planned(world, 60)
    for who in (ADMINISTRATOR, staff(6, "Giáo viên", Role.HOMEROOM_TEACHER, homeroom_of=(CLASS,))):
        browser = world.browser(who)
        await browser.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
        assert "Hủy xác nhận</button>" not in sound(await browser.get(FINALISATION)).text
        sound(await browser.send(FINALISATION, [*UNDO, ("ids", CLASS)]), 403)
    school_class = await world.db("records")["classes"].find_one({"code": CLASS})
    assert school_class is not None
    assert school_class["finalised_at"]


async def test_the_data_lock_is_not_opened_in_the_last_week_before_the_final_lock(world: World) -> None:
    await open_class(world)
    await lock_planned(world, 6)
    await world.browser().send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
    late = await world.browser(MANAGER).send(FINALISATION, [*UNDO, ("ids", CLASS)])
    assert "n=0&left=1" in late.where
    assert "HB-REC-121" in late.where
    await lock_planned(world, 7)
    assert "did=reopen&n=1" in (await world.browser(MANAGER).send(FINALISATION, [*UNDO, ("ids", CLASS)])).where


async def test_a_class_reopened_while_its_job_runs_ends_the_job_with_reasons(world: World) -> None:
    await open_class(world)
    await lock_planned(world, 60)
    browser = world.browser(MANAGER)
    await world.browser().send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])
    job = await ordered(world, CLASS)
    at_work = worker(world)

    async def reopened_first(*arguments: object) -> object:
        del at_work._make  # once alone
        made = await at_work._make(*arguments)  # type: ignore[arg-type]  # as the job calls it
        assert "n=1" in (await browser.send(FINALISATION, [*UNDO, ("ids", CLASS)])).where
        return made

    at_work._make = reopened_first  # type: ignore[method-assign, assignment]  # between reading and writing
    await at_work.round()
    ended = await job_of(world, job)
    assert (ended["state"], ended["created"], ended["done"]) == ("finished", 0, 32)
    assert {r["field"] for r in ended["refused"]} == {"Hoàn thành tổng kết"}
    assert await transcripts(world) == []


# --- print configuration


async def test_place_date_and_leader_are_configured_for_new_transcripts_alone(world: World) -> None:
    await ordered(world, "5B")
    await create_all(world)
    before = await transcripts(world, class_code="5B")
    browser = world.browser()
    saved = await browser.send(PRINTING, [("act", "school"), ("place", "An Hải"), ("date", "2026-05-30"), ("leader", "")])
    assert "Đã lưu cấu hình in học bạ." in sound(await browser.get(saved.where)).text
    await browser.send(PRINTING, [("act", "classes"), ("ids", CLASS), ("class_leader", DEPUTY), ("class_place", ""), ("class_date", "")])
    await ordered(world, CLASS)
    await create_all(world)
    one = (await transcripts(world, class_code=CLASS))[0]["content"]
    assert (one["school"]["print_place"], one["school"]["print_date"]) == ("An Hải", "2026-05-30")
    assert one["school_class"]["leader"] == DEPUTY
    assert await transcripts(world, class_code="5B") == before
    assert "printing configured" in await acts(world)


async def test_the_own_configuration_outlives_the_next_import(world: World) -> None:
    browser = world.browser()
    await browser.send(PRINTING, [("act", "classes"), ("ids", CLASS), ("class_leader", DEPUTY)])
    await world.imported()
    shown = (await world.clients["records"].get("/api/records/printing", headers=browser._token())).json()
    assert {c["code"]: c["leader"] for c in shown["classes"]}[CLASS] == DEPUTY
    assert {c["code"]: c["own"] for c in shown["classes"]}["5B"] == {}
    await browser.send(PRINTING, [("act", "clear"), ("ids", CLASS)])
    shown = (await world.clients["records"].get("/api/records/printing", headers=browser._token())).json()
    assert {c["code"]: c["own"] for c in shown["classes"]}[CLASS] == {}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("leader", TEACHER, "không phải là hiệu trưởng hoặc phó hiệu trưởng"),
        ("date", "2030-01-01", "từ 01/08/2025 đến 31/12/2026"),
        ("date", "31/02/2026", "từ 01/08/2025 đến 31/12/2026"),
        ("place", "---", "Địa danh phải có chữ"),
    ],
)
async def test_what_does_not_fit_is_refused_at_its_field(world: World, field: str, value: str, words: str) -> None:
    refused = sound(await world.browser().send(PRINTING, [("act", "school"), (field, value)]), 422)
    assert words in refused.text
    assert f"#{field}" in refused.page.values("href")
    assert await world.db("records")["printing"].count_documents({}) == 0


async def test_only_the_administrator_configures_printing(world: World) -> None:
    for who in (MANAGER, await homeroom_of(world, CLASS)):
        assert (await world.browser(who).get(PRINTING)).status == 403
        assert (await world.browser(who).send(PRINTING, [("act", "school"), ("place", "X")])).status == 403


async def test_under_the_final_lock_nothing_is_configured_finalised_or_created(world: World) -> None:
    await open_class(world)
    await world.db("records")["year_locks"].insert_one(
        {"_id": f"{SCHOOL}:{YEAR}:lock", "school": SCHOOL, "year": YEAR, "sequence": 1, "locked": True, "planned_on": None}
        | {"inspector": None, "history": []}
    )
    browser = world.browser()
    assert "HB-REC-110" in (await browser.send(PRINTING, [("act", "school"), ("place", "An Hải")])).text
    assert "HB-REC-110" in (await browser.send(FINALISATION, [("act", "finalise"), ("sure", "1"), ("ids", CLASS)])).where
    job = await ordered(world, "5B")
    await create_all(world)
    assert {r["code"] for r in (await job_of(world, job))["refused"]} == {"HB-REC-110"}


# --- jobs


async def test_of_two_who_create_at_once_one_wins_for_each_pupil(world: World) -> None:
    first, second = await ordered(world, CLASS, "5B"), await ordered(world, CLASS, "5B")
    workers = worker(world), worker(world)
    await asyncio.gather(*(w.round() for w in workers))
    jobs = [await job_of(world, job) for job in (first, second)]
    made = await transcripts(world, live=True)
    assert [j["state"] for j in jobs] == ["finished", "finished"]
    assert sum(j["created"] for j in jobs) == len(made) == len({t["pupil_code"] for t in made}) == 64
    assert {r["code"] for j in jobs for r in j["refused"]} == {"HB-REC-007"}
    assert sum(len(j["refused"]) for j in jobs) == 64
    # every transcript was told once, as many as there are
    assert await world.db("records")["outbox"].count_documents({"type": "TranscriptCreatedV1"}) in (0, 64)


async def test_a_running_job_is_stopped_and_what_it_created_stays(world: World) -> None:
    answer = await world.browser().send(CLASSES, [("sure", "1"), ("ids", CLASS), ("ids", "5B")])
    job_id = answer.where.rpartition("=")[2]
    running = sound(await world.browser().get(answer.where))
    assert "Dừng tạo học bạ" in running.text
    job = await job_of(world, job_id)
    at_work = worker(world)
    lease = {"owner": at_work.owner, "until": clock.now() + dt.timedelta(minutes=5)}
    await world.db("records")["jobs"].update_one({"_id": job_id}, {"$set": {"lease": lease}})
    await at_work._settle(job, job["remaining"][:CHUNK], last=False)
    stopped = await world.browser().send(f"/ui/records/jobs/{job_id}/cancel", [])
    with pytest.raises(JobStopped):
        await at_work._settle(job, job["remaining"][CHUNK:], last=True)
    assert len(await transcripts(world)) == CHUNK
    page = sound(await world.browser().get(stopped.where))
    assert "Đã dừng theo yêu cầu. Đã tạo 40 học bạ trong 64 học sinh. 24 học sinh chưa được xử lý" in page.text
    assert await create_all(world) == 0
    assert "cancel creation" in await acts(world)
    again = await world.browser().send(f"/ui/records/jobs/{job_id}/retry", [("class", "")])
    assert (await job_of(world, again.where.rpartition("=")[2]))["total"] == 24
    await create_all(world)
    assert len(await transcripts(world)) == 64


async def test_a_job_is_stopped_by_whoever_started_it_or_may_create_for_all(world: World) -> None:
    job = await ordered(world, CLASS)
    teacher = world.browser(await homeroom_of(world, "1A"))
    assert (await teacher.send(f"/ui/records/jobs/{job}/cancel", [])).status == 403
    assert (await teacher.send(f"/ui/records/jobs/{job}/retry", [])).status == 403
    assert (await world.browser(MANAGER).send(f"/ui/records/jobs/{job}/cancel", [("class", CLASS)])).where == f"{HERE}?job={job}"
    foreign = ADMINISTRATOR.model_copy(update={"school": "31300002"})
    assert (await world.browser(foreign).send(f"/ui/records/jobs/{job}/retry", [])).status == 404


async def test_whoever_was_refused_is_created_for_after_the_repair(world: World) -> None:
    pupils = world.db("records")["pupils"]
    broken = await pupils.find_one({"data": {"$ne": None}, "missing": [], "class_code": CLASS})
    assert broken is not None
    await pupils.update_one({"_id": broken["_id"]}, {"$set": {"data.address": ""}})
    job = await ordered(world, CLASS)
    await create_all(world)
    page = sound(await world.browser().get(f"{CLASSES}?job={job}"))
    assert "Tạo lại cho học sinh chưa được" in page.text
    await pupils.update_one({"_id": broken["_id"]}, {"$set": {"data.address": broken["data"]["address"]}})
    again = await world.browser().send(f"/ui/records/jobs/{job}/retry", [])
    await create_all(world)
    repeated = await job_of(world, again.where.rpartition("=")[2])
    assert (repeated["total"], repeated["created"], repeated["repeats"]) == (1, 1, job)
    nothing = await world.browser().send(f"/ui/records/jobs/{job}/retry", [])
    assert "HB-REC-049" in nothing.where


async def test_a_pupil_who_vanished_meanwhile_is_told_and_holds_nobody_up(world: World) -> None:
    job = await ordered(world, CLASS)
    gone = (await job_of(world, job))["remaining"][0]
    await world.db("records")["pupils"].delete_one({"code": gone})
    await create_all(world)
    ended = await job_of(world, job)
    assert (ended["state"], ended["created"]) == ("finished", 31)
    assert [(r["pupil"], r["code"]) for r in ended["refused"]] == [(gone, "HB-REC-046")]


# --- versions


async def test_after_a_cancellation_version_two_names_the_one_that_it_replaces(world: World) -> None:
    await ordered(world, CLASS)
    await create_all(world)
    old = (await transcripts(world))[0]
    cancelled = {"live": False, "state": State.CANCELLED.value}
    await world.db("records")["transcripts"].update_one({"_id": old["_id"]}, {"$set": cancelled})
    page = sound(await world.browser().get(f"{HERE}?state=CANCELLED"))
    assert "Đã hủy phiên bản 1" in page.text
    assert old["pupil_name"] in page.text
    await ordered(world, old["pupil_code"], page=HERE)
    await create_all(world)
    [new] = await transcripts(world, pupil_code=old["pupil_code"], live=True)
    assert (new["version"], new["replaces"]) == (2, old["_id"])
    xml = etree.fromstring(await world.parts["records"].objects.get(DocumentRef.model_validate(new["xml"])))
    told = [xml.findtext(f".//h:{name}", namespaces=XML) for name in ("PhienBan", "ThayThe")]
    assert told == ["2", old["_id"]]
    assert (await transcripts(world, _id=old["_id"]))[0] == {**old, **cancelled}


async def test_a_new_transcript_names_the_sealed_one_of_the_year_before(world: World) -> None:
    pupil = await world.db("records")["pupils"].find_one({"class_code": CLASS, "missing": []})
    assert pupil is not None
    before = str(uuid4())
    sealed = {
        "school": SCHOOL,
        "pupil_code": "code of another year",
        "live": True,
        "timestamped_at": dt.datetime(2025, 6, 1, tzinfo=dt.UTC),
        "content": {
            "pupil": {"personal_id": pupil["data"]["personal_id"], "register_number": "12", "enrolled_on": "2021-09-05"},
            "school": {"name": "Trường Tiểu học An Hồng"},
            "school_class": {"name": "4A"},
        },
        "pdf": {"sha256": "a" * 64},
        "xml": {"sha256": "b" * 64},
    }
    unsealed = {k: v for k, v in sealed.items() if k != "timestamped_at"}
    await world.db("records")["transcripts"].insert_many(
        [
            {"_id": "older", **sealed, "year": "2023-2024"},
            {"_id": before, **sealed, "year": "2024-2025"},
            {"_id": "cancelled", **sealed, "year": "2024-2025", "live": False},
            {"_id": "unsealed", **unsealed, "pupil_code": "x", "year": "2024-2025"},
            {"_id": "elsewhere", **sealed, "year": "2024-2025", "school": "31300002"},
        ]
    )
    await ordered(world, CLASS)
    await create_all(world)
    [made] = await transcripts(world, year=YEAR, pupil_code=pupil["code"])
    assert made["content"]["previous"] == {"transcript": before, "year": "2024-2025", "pdf_sha256": "a" * 64, "xml_sha256": "b" * 64}
    studied = [(h["year"], h["class_name"], h["register_number"], h["joined_on"]) for h in made["content"]["history"]]
    assert studied == [(year, "4A", "12", "2021-09-05") for year in ("2023-2024", "2024-2025")]
    others = await transcripts(world, year=YEAR, pupil_code={"$ne": pupil["code"]})
    assert {t["content"]["previous"] for t in others} == {None}


# --- lists


async def test_of_an_earlier_year_who_had_the_class_then_creates_and_not_who_has_it_now(world: World) -> None:
    earlier, db = "2024-2025", world.db("records")
    for name, documents in IMPORTED.items():
        await db[name].insert_many([{**d, "_id": d["_id"].replace(YEAR, earlier), "year": earlier} for d in documents])
    await db["years"].update_one({"year": earlier}, {"$set": {"data.year": earlier}})
    # then the homeroom teacher of 4A had 5A, and nobody who has a class now had 4A
    today, then = await homeroom_of(world, CLASS), await homeroom_of(world, "4A")
    await db["classes"].update_one({"year": earlier, "code": CLASS}, {"$set": {"data.homeroom": then.person}})
    await db["classes"].update_one({"year": earlier, "code": "4A"}, {"$set": {"data.homeroom": PRINCIPAL}})

    async def asked(who: Principal, code: str, path: str = "transcripts") -> int:
        headers = world.browser(who)._token()
        answer = await world.clients["records"].post(f"/api/records/{path}?year={earlier}", json={"classes": [code]}, headers=headers)
        return int(answer.status_code)

    assert [await asked(today, CLASS), await asked(then, "4A")] == [403, 403]
    assert await asked(then, CLASS) == 202
    await create_all(world)
    made = await transcripts(world, year=earlier)
    assert {(t["class_code"], t["content"]["school_class"]["homeroom"]) for t in made} == {(CLASS, then.person)}
    # somebody who has left since is asked for nothing: that year is digitised instead
    await db["staff"].delete_one({"year": YEAR, "data.code": PRINCIPAL})
    assert await asked(ADMINISTRATOR, "4A") == 202
    await create_all(world)
    job = await db["jobs"].find_one({}, sort=[("at", -1)])
    assert job is not None
    assert "HB-REC-211" in {r["code"] for r in job["refused"]}
    assert await transcripts(world, year=earlier, class_code="4A") == []
    # so it goes on: looking up and taking along
    for who, found, exported in ((then, len(made), 200), (today, 0, 403)):
        looked = await world.clients["records"].get(f"/api/records/lookup?year={earlier}", headers=world.browser(who)._token())
        of_class = [t for t in looked.json()["transcripts"] if t["class"] == CLASS and t["exportable"]]
        assert (len(of_class), await asked(who, CLASS, "exports")) == (found, exported)


async def test_what_is_missing_comes_as_a_file_for_ticked_classes_and_the_whole_school(world: World) -> None:
    broken = [p["code"] for p in await world.db("records")["pupils"].find({"missing.0": {"$exists": True}}).to_list(None)]
    browser = world.browser()
    whole = lines_of(await browser.get("/ui/records/missing.xlsx"))
    assert {row[1] for row in whole[1:]} == set(broken)
    where = (await browser.send(CLASSES, [("act", "missing"), ("ids", "2A"), ("ids", "2B")])).where
    assert {row[0] for row in lines_of(await browser.get(where))[1:]} == {"2A", "2B"}
    teacher = world.browser(await homeroom_of(world, "2A"))
    assert {row[0] for row in lines_of(await teacher.get("/ui/records/missing.xlsx"))[1:]} == {"2A"}
    assert (await teacher.get("/ui/records/missing.xlsx?class=2B")).status == 403


async def test_names_that_begin_like_formulas_stay_text_in_the_file(world: World) -> None:
    pupils = world.db("records")["pupils"]
    broken = await pupils.find({"missing.0": {"$exists": True}}).to_list(None)
    names = [f"{sign}cmd|' /C calc'!A0" for sign in "=+-@"]
    for pupil, name in zip(broken, names, strict=True):
        await pupils.update_one({"_id": pupil["_id"]}, {"$set": {"name": name}})
    file = await world.browser().get("/ui/records/missing.xlsx")
    cells = [c for row in openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0].iter_rows() for c in row]
    assert sorted((str(c.value), c.data_type) for c in cells if c.value in names) == sorted((name, "s") for name in names)


async def test_lists_are_filtered_by_state_and_by_what_is_incomplete(world: World) -> None:
    await ordered(world, CLASS)
    await create_all(world)
    browser = world.browser()
    waiting = sound(await browser.get(f"{CLASSES}?state=AWAITING"))
    assert f"{CLASSES}/{CLASS}" in waiting.page.values("href")
    assert f"{CLASSES}/1A" not in waiting.page.values("href")
    incomplete = sound(await browser.get(f"{CLASSES}?state=INCOMPLETE"))
    assert f"{CLASSES}/2A" in incomplete.page.values("href")
    assert f"{CLASSES}/{CLASS}" not in incomplete.page.values("href")
    broken = await world.db("records")["pupils"].find_one({"missing.0": {"$exists": True}, "class_code": "2A"})
    assert broken is not None
    page = sound(await browser.get(f"{CLASSES}/2A?state=INCOMPLETE"))
    ticks = [a["value"] for tag, a in page.page.elements if tag == "input" and a.get("name") == "ids"]
    assert ticks == [broken["code"]]
    transcript = (await transcripts(world))[0]
    assert f"/ui/records/transcripts/{transcript['_id']}/dossier" in sound(await browser.get(f"{HERE}?page=1")).page.values("href")
