"""The pages: who sees what, what a form does, and that each page stands without scripts."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import AsyncIterator

import openpyxl
import pytest

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.events.identity import CertificateRequestedV1, SchoolChangedV1, UnitChangedV1
from contracts.events.records import ClassImportedV1, TranscriptConfirmedV1, TranscriptMovedV1
from infra.local import Stack
from services.chassis.mongo import Session, transaction
from services.chassis.vietnamese import given_name_key
from services.district import certificate_store
from services.district.store import Store as DistrictStore
from services.publishing.store import Store as PublishingStore
from services.publishing.submissions import confirmed
from services.records.transcripts.states import State
from tests.integration.pages_world import (
    ADMINISTRATOR,
    OFFICER,
    PASSWORD,
    SCHOOL,
    UNIT,
    YEAR,
    Answer,
    World,
    event_of,
    signature,
    staff,
    world_of,
)
from tests.unit.chassis.test_web_pages import Reader

CLASS = "5A"
FILE = DocumentRef(bucket="records", key="x", sha256="0" * 64, size=90_412)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


def sound(answer: Answer, status: int = 200) -> Answer:
    assert answer.status == status, answer.response.text[-3000:]
    assert answer.page.faults == []
    return answer


def ticks(answer: Answer) -> list[str]:
    return [a["value"] or "" for tag, a in answer.page.elements if tag == "input" and a.get("name") == "ids"]


def fields(answer: Answer) -> list[tuple[str, str]]:
    return [(str(a["name"]), a.get("value") or "") for tag, a in answer.page.elements if tag == "input" and a.get("type") == "hidden"]


def row_of(answer: Answer, name: str) -> list[str]:
    """The words of the table row whose header is `name`, cell by cell."""
    for row in answer.response.text.split("<tr")[1:]:
        cells = [" ".join(Reader(f"<t{cell}").texts) for cell in re.split(r"<t(?=[dh][ >])", row)[1:]]
        words = [" ".join(cell.split()) for cell in cells]
        if name in words:
            return words
    raise AssertionError(f"no row {name}")


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in(world: World) -> None:
    stranger = world.browser()
    stranger.anonymous = True
    for path in ("/ui/records/classes", "/ui/signing/homeroom", "/ui/publishing/submissions", "/ui/district/statistics"):
        assert (await stranger.get(path)).where == "/ui/identity/sign-in"


async def test_a_form_from_another_site_does_nothing(world: World) -> None:
    await world.imported()
    browser = world.browser()
    client = world.clients["records"]
    token = {"Authorization": f"Bearer {world.tokens.make(browser.who)}"}
    answer = await client.post("/ui/records/classes", data={"ids": CLASS}, headers={**token, "Origin": "https://other.example"})
    assert answer.status_code == 403
    assert await world.db("records")["jobs"].count_documents({}) == 0


async def test_a_school_without_data_sees_what_to_do_first(world: World) -> None:
    browser = world.browser()
    assert "Nhập dữ liệu" in sound(await browser.get("/ui/records/classes")).text
    assert "Chưa có lần nhập nào" in sound(await browser.get("/ui/records/imports")).text
    sound(await browser.get("/ui/records/confirmation"))
    sound(await browser.get("/ui/publishing/submissions"))


async def test_an_upload_without_a_file_says_so_at_the_field(world: World) -> None:
    answer = sound(await world.browser().send("/ui/records/imports", [], files=[("other", ("a.txt", b"a"))]), 422)
    assert "Chọn tệp ho_so_truong.xlsx" in answer.text
    assert "<title>Lỗi: " in answer.response.text


async def test_an_import_is_shown_before_it_is_written(world: World) -> None:
    where = await world.imported()
    browser = world.browser()
    preview = sound(await browser.get(where))
    assert "4 học sinh chưa đủ điều kiện tạo học bạ" in preview.text
    assert "Đã nhập" in preview.text
    assert "Xác nhận nhập dữ liệu" not in preview.text
    again = sound(await browser.send(f"{where}/confirm", []), 409)
    assert "HB-REC-003" in again.text
    listed = sound(await browser.get("/ui/records/imports"))
    assert "Ngô Công Hoàng" in listed.text
    assert where in listed.page.values("href")


async def test_the_class_list_counts_by_state_and_creates_for_the_ticked_classes(world: World) -> None:
    await world.imported()
    browser = world.browser()
    before = sound(await browser.get("/ui/records/classes"))
    assert "2.1. Tạo học bạ" in before.text
    assert "Trường Tiểu học An Hồng" in before.text
    assert len(ticks(before)) == 10
    where = (await browser.send("/ui/records/classes", [("ids", CLASS), ("sure", "1")])).where
    running = sound(await browser.get(where))
    assert 'hx-trigger="every 2s"' in running.response.text
    panel = await browser.get(where, **{"HX-Request": "true"})
    assert panel.page.faults == []
    assert "<html" not in panel.response.text
    assert await world.create_all() == 32
    after = sound(await browser.get(where))
    assert "hx-trigger" not in after.response.text
    assert row_of(before, CLASS)[4:6] == ["32", "32"]
    assert row_of(after, CLASS)[4:7] == ["32", "0", "32"]
    assert (await browser.send("/ui/records/classes", [("ids", CLASS)])).where.startswith("/ui/records/classes?did=create&n=0")


async def test_a_homeroom_teacher_creates_for_the_own_class_alone(world: World) -> None:
    await world.imported()
    homeroom = await _homeroom(world, CLASS)
    browser = world.browser(homeroom)
    assert ticks(sound(await browser.get("/ui/records/classes"))) == [CLASS]
    refused = await browser.send("/ui/records/classes", [("ids", "1A")])
    assert refused.status == 403
    assert (await browser.get("/ui/records/imports")).status == 403
    assert (await browser.get("/ui/records/confirmation")).status == 403


async def test_a_class_shows_by_given_name_what_is_missing_and_the_file_says_the_same(world: World) -> None:
    await world.imported()
    broken = await world.db("records")["pupils"].find_one({"missing.0": {"$exists": True}})
    assert broken is not None
    browser = world.browser()
    page = sound(await browser.get(f"/ui/records/classes/{broken['class_code']}"))
    assert "Chưa đủ điều kiện tạo học bạ số" in page.text
    assert broken["missing"][0]["message"].rstrip(".") in page.text
    assert broken["code"] in ticks(page)
    file = await browser.get(f"/ui/records/classes/{broken['class_code']}/missing.xlsx")
    lines = list(openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0].values)
    assert lines[0] == ("Lớp", "Mã học sinh", "Họ và tên", "Thông tin cần bổ sung")
    assert (broken["class_code"], broken["code"], broken["name"] or None, broken["missing"][0]["message"].rstrip(".")) in lines
    shown = [p["name"] for p in await world.db("records")["pupils"].find({"class_code": broken["class_code"]}).to_list(None) if p["name"]]
    assert [page.text.index(f" {name} ") for name in sorted(shown, key=given_name_key)] == sorted(
        page.text.index(f" {name} ") for name in shown
    )


async def test_text_that_looks_like_a_formula_stays_text_in_the_file(world: World) -> None:
    await world.imported()
    pupils = world.db("records")["pupils"]
    broken = await pupils.find_one({"missing.0": {"$exists": True}, "data": {"$ne": None}}) or await pupils.find_one(
        {"missing.0": {"$exists": True}}
    )
    assert broken is not None
    await pupils.update_one({"_id": broken["_id"]}, {"$set": {"name": "=1+1"}})
    file = await world.browser().get(f"/ui/records/classes/{broken['class_code']}/missing.xlsx")
    cells = [c for row in openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0].iter_rows() for c in row]
    [cell] = {c for c in cells if c.value == "=1+1"}
    assert cell.data_type == "s"


async def test_what_could_not_be_created_is_listed_with_the_reason(world: World) -> None:
    await world.imported()
    broken = await world.db("records")["pupils"].find_one({"missing.0": {"$exists": True}})
    assert broken is not None
    browser = world.browser()
    where = (await browser.send(f"/ui/records/classes/{broken['class_code']}", [("ids", broken["code"]), ("sure", "1")])).where
    assert await world.create_all() == 1
    page = sound(await browser.get(where))
    assert "Chưa tạo được học bạ" in page.text
    assert "Không thành công" in page.text


async def test_all_that_the_filter_finds_is_what_is_created(world: World) -> None:
    await world.imported()
    browser = world.browser()
    named = "nguyễn"
    shown = sound(await browser.get(f"/ui/records/classes/{CLASS}?name={named}"))
    where = (await browser.send(f"/ui/records/classes/{CLASS}", [("all", "1"), ("filter", f"?name={named}"), ("sure", "1")])).where
    job = await world.db("records")["jobs"].find_one({"_id": where.rpartition("=")[2]})
    assert job is not None
    assert sorted(job["remaining"]) == sorted(ticks(shown))
    assert 0 < len(ticks(shown)) < 32


async def test_a_transcript_shows_its_facts_results_and_who_has_still_to_sign(world: World) -> None:
    transcript = (await _created(world))[0]
    browser = world.browser()
    page = sound(await browser.get(f"/ui/records/transcripts/{transcript}"))
    for words in ("Các môn học và hoạt động giáo dục", "Phẩm chất chủ yếu", "Số định danh cá nhân", "Nhà trường ký phát hành"):
        assert words in page.text
    assert "Hợp lệ" not in page.text
    homeroom = await _homeroom(world, CLASS)
    await world.put_signature(transcript, signature("homeroom", homeroom, ("Toán",)), State.AWAITING_LEADER.value)
    signed = sound(await browser.get(f"/ui/records/transcripts/{transcript}"))
    assert "Giáo viên chủ nhiệm (Toán)" in signed.text
    assert "Đã kiểm tra khi ký" in signed.text
    assert "28/05/2026 14:03 +07:00" in signed.text
    assert f"/api/records/transcripts/{transcript}/document.xml" in signed.page.values("href")


async def test_a_transcript_of_another_school_is_not_found(world: World) -> None:
    transcript = (await _created(world))[0]
    foreign = ADMINISTRATOR.model_copy(update={"school": "31300002"})
    assert (await world.browser(foreign).get(f"/ui/records/transcripts/{transcript}")).status == 404


async def test_signed_classes_are_confirmed_and_taken_back(world: World) -> None:
    ids = await _created(world)
    store = {"pdf": FILE.model_dump(mode="json"), "state": State.SIGNED.value}
    await world.db("records")["transcripts"].update_many({"_id": {"$in": ids[:5]}}, {"$set": store})
    browser = world.browser()
    page = sound(await browser.get("/ui/records/confirmation"))
    assert "2.5.1. Xác nhận hoàn thành học bạ" in page.text
    assert ticks(page) == [CLASS]
    ask = sound(await browser.send("/ui/records/confirmation", [("ids", CLASS), ("act", "confirm")]))
    assert "Bạn có chắc chắn muốn Xác nhận hoàn thành Học bạ số?" in ask.text
    assert "Lớp 5A: 5 học bạ hoàn thành ký" in ask.text
    where = (await browser.send("/ui/records/confirmation", fields(ask))).where
    assert "Đã xác nhận hoàn thành 5 học bạ." in sound(await browser.get(where)).text
    where = (await browser.send("/ui/records/confirmation", [("ids", CLASS), ("act", "undo")])).where
    assert "Đã hủy xác nhận hoàn thành 5 học bạ." in sound(await browser.get(where)).text
    nothing = (await browser.send("/ui/records/confirmation", [("act", "confirm")])).where
    assert "không có học bạ nào" in sound(await browser.get(nothing)).text


async def test_a_batch_starts_on_the_pages_with_one_sign_in_at_the_provider(world: World) -> None:
    ids = await _created(world)
    await world.hand_on()
    teacher, personal_id = await _subject_teacher(world, CLASS)
    browser = world.browser(teacher)
    queue = sound(await browser.get("/ui/signing/subjects"))
    assert "Giáo viên bộ môn ký duyệt" in queue.text
    assert "HB" not in queue.text
    assert "chưa được duyệt" in queue.text
    assert "Ký học bạ" not in queue.text
    assert "Trả lại học bạ" in queue.text
    await world.approve(teacher, personal_id)
    queue = sound(await browser.get("/ui/signing/subjects"))
    assert len(ticks(queue)) == len(ids)
    assert "Ký học bạ" in queue.text
    chosen = ticks(queue)[:3]
    ask = sound(await browser.send("/ui/signing/subjects", [("act", "sign"), *(("ids", i) for i in chosen)]))
    assert "Bạn có chắc chắn muốn ký 3 học bạ?" in ask.text
    assert [value for name, value in fields(ask) if name == "ids"] == chosen
    blank = sound(await browser.send("/ui/signing/batches", fields(ask)), 422)
    assert "Nhập mật khẩu" in blank.text
    wrong = sound(await browser.send("/ui/signing/batches", [*fields(ask), ("username", teacher.person), ("password", "sai")]), 422)
    assert "Thông tin thẻ không tồn tại hoặc không đúng." in wrong.text
    assert "sai" not in wrong.page.values("value")
    login = [("username", teacher.person), ("password", PASSWORD)]
    where = (await browser.send("/ui/signing/batches", [*fields(ask), *login])).where
    batch = sound(await browser.get(where))
    assert "Đã nhận 3 học bạ vào đợt ký." in batch.text
    assert 'hx-trigger="told, every 10s"' in batch.response.text
    panel = await browser.get(where.partition("?")[0], **{"HX-Request": "true"})
    assert panel.response.text.strip().startswith("<section")
    again = sound(await browser.send("/ui/signing/subjects", [("act", "sign"), ("ids", chosen[0]), ("ids", ticks(queue)[3])]))
    assert "đang nằm trong một lượt ký chưa kết thúc" in again.text
    assert len([1 for name, _ in fields(again) if name == "ids"]) == 1
    address = where.partition("?")[0]
    assert address in sound(await browser.get("/ui/signing/subjects")).page.values("href")
    stopped = (await browser.send(f"{address}/cancel", [])).where
    assert "Đã yêu cầu dừng đợt ký." in sound(await browser.get(stopped)).text
    other = world.browser(staff(25, "Người Khác", Role.SUBJECT_TEACHER))
    assert (await other.get(address)).status == 403
    assert (await other.send(f"{address}/cancel", [])).status == 403


async def test_what_failed_in_a_batch_can_be_signed_again_alone(world: World) -> None:
    await _created(world)
    await world.hand_on()
    teacher, personal_id = await _subject_teacher(world, CLASS)
    await world.approve(teacher, personal_id)
    browser = world.browser(teacher)
    chosen = ticks(await browser.get("/ui/signing/subjects"))[:3]
    ask = await browser.send("/ui/signing/subjects", [("act", "sign"), *(("ids", i) for i in chosen)])
    where = (await browser.send("/ui/signing/batches", [*fields(ask), ("username", teacher.person), ("password", PASSWORD)])).where
    address = where.partition("?")[0]
    db = world.db("signing")
    told = {"state": "expired", "code": "HB-SIG-010", "reason": "Chưa có xác nhận.", "action": "Ký lại."}
    await db["items"].update_many({"transcript": {"$in": chosen[:2]}}, {"$set": told})
    await db["items"].update_many({"transcript": chosen[2]}, {"$set": {"state": "embedded"}})
    await db["tasks"].update_many({"_id": {"$in": chosen}}, {"$set": {"claims": {}}})
    await db["batches"].update_many({}, {"$set": {"state": "finished"}})
    page = sound(await browser.get(address))
    assert "Ký lại các hồ sơ lỗi (2)" in page.text
    assert "HB-SIG-010" in page.text
    assert "hx-trigger" not in page.response.text
    ask = sound(await browser.send(f"{address}/retry", []))
    assert sorted(value for name, value in fields(ask) if name == "ids") == sorted(chosen[:2])


async def test_a_step_that_does_not_exist_is_not_found(world: World) -> None:
    assert (await world.browser().get("/ui/signing/elsewhere")).status == 404


async def test_the_issue_step_is_closed_to_whoever_is_no_issuer(world: World) -> None:
    assert (await world.browser().get("/ui/signing/issue")).status == 403


async def test_confirmed_transcripts_are_sent_and_a_refused_one_again(world: World) -> None:
    store = PublishingStore(world.db("publishing"))
    facts = {f"t{n}": _confirmed(n) for n in range(3)}
    changes = [confirmed(event_of(f, t), None) for t, f in facts.items()]
    await transaction(store.db, lambda session: store.save(session, changes, actor="records"))
    refusal = {"code": "HB-GW-012", "reason": "Số định danh cá nhân không khớp."}
    await store.db["submissions"].update_one({"_id": "t2"}, {"$set": {"state": "REJECTED", "refusal": refusal}})
    browser = world.browser()
    page = sound(await browser.get("/ui/publishing/submissions"))
    assert "2.5.2. Gửi học bạ" in page.text
    assert sorted(ticks(page)) == ["t0", "t1", "t2"]
    assert "HB-GW-012: Số định danh cá nhân không khớp." in page.text
    assert ticks(await browser.get("/ui/publishing/submissions?state=REJECTED")) == ["t2"]
    ask = sound(await browser.send("/ui/publishing/submissions", [("all", "1"), ("filter", "?state=REJECTED")]))
    for words in ("Bạn có chắc chắn muốn gửi dữ liệu học bạ lên Bộ GD&ĐT?", "Số học bạ 1", "chưa đặt, hạn quốc gia 20/08/2026"):
        assert words in ask.text
    where = (await browser.send("/ui/publishing/submissions", fields(ask))).where
    assert "Đã nhận 1 học bạ" in sound(await browser.get(where)).text
    states = {d["_id"]: d["state"] async for d in store.db["submissions"].find()}
    assert states == {"t0": "NOT_SENT", "t1": "NOT_SENT", "t2": "REQUESTED"}
    where = (await browser.send("/ui/publishing/submissions", [("sure", "1"), ("ids", "t0"), ("ids", "t2")])).where
    told = sound(await browser.get(where)).text
    assert "Đã nhận 1 học bạ" in told
    assert "1 mục không thực hiện được. Học bạ đã được gửi." in told
    onlooker = world.browser(staff(1, "Hiệu trưởng", Role.MANAGER))
    assert ticks(sound(await onlooker.get("/ui/publishing/submissions"))) == []
    assert (await onlooker.send("/ui/publishing/submissions", [("ids", "t1")])).status == 403


async def test_the_district_sees_its_schools_by_state_and_takes_the_numbers_away(world: World) -> None:
    await _branch(world)
    browser = world.browser(OFFICER)
    page = sound(await browser.get("/ui/district/statistics"))
    assert "6.4. Thống kê học bạ số" in page.text
    assert "Phòng Văn hoá - Xã hội phường An Hải" in page.text
    assert "Trường Tiểu học An Hồng" in page.text
    assert "Trường Tiểu học An Hồng" not in sound(await browser.get("/ui/district/statistics?level=THCS")).text
    file = await browser.get("/ui/district/statistics.xlsx")
    lines = list(openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0].values)
    assert lines[1] == (SCHOOL, "Trường Tiểu học An Hồng", 5, 32, 29, 1, 0, 0, 0, 0, 2, 0, 0)
    assert (await world.browser().get("/ui/district/statistics")).status == 403


async def test_certificates_are_approved_in_bulk_and_refused_with_a_reason(world: World) -> None:
    await _branch(world)
    browser = world.browser(OFFICER)
    page = sound(await browser.get("/ui/district/certificates"))
    assert sorted(ticks(page)) == ["r0", "r1", "r2"]
    where = (await browser.send("/ui/district/certificates", [("act", "approve"), ("ids", "r0")])).where
    assert "Đã duyệt 1 yêu cầu." in sound(await browser.get(where)).text
    ask = sound(await browser.send("/ui/district/certificates", [("act", "refuse"), ("all", "1"), ("filter", "?kind=manager")]))
    assert [value for name, value in fields(ask) if name == "ids"] == ["r1"]
    empty = sound(await browser.send("/ui/district/certificates", [*fields(ask), ("reason", " ")]), 422)
    assert "Từ chối phải kèm lý do" in empty.text
    where = (await browser.send("/ui/district/certificates", [*fields(ask), ("reason", "Sai số định danh")])).where
    assert "Đã từ chối 1 yêu cầu." in sound(await browser.get(where)).text
    assert "Sai số định danh" not in where
    states = {d["_id"]: d["state"] async for d in world.db("district")["certificates"].find()}
    assert states == {"r0": "approved", "r1": "refused", "r2": "pending"}
    again = (await browser.send("/ui/district/certificates", [("act", "approve"), ("ids", "r0")])).where
    assert "Yêu cầu đã được xử lý." in sound(await browser.get(again)).text


async def _created(world: World) -> list[str]:
    """The transcripts of one class, in the order of the list."""
    await world.imported()
    await world.browser().send("/ui/records/classes", [("ids", CLASS), ("sure", "1")])
    await world.create_all()
    return [d["_id"] async for d in world.db("records")["transcripts"].find({}).sort("number", 1)]


async def _homeroom(world: World, class_code: str) -> Principal:
    db = world.db("records")
    school_class = await db["classes"].find_one({"code": class_code})
    assert school_class is not None
    person = await db["staff"].find_one({"data.code": school_class["data"]["homeroom"]})
    assert person is not None
    return staff(
        int(person["data"]["code"][-3:]), person["data"]["name"], Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, homeroom_of=(class_code,)
    )


async def _subject_teacher(world: World, class_code: str) -> tuple[Principal, str]:
    """One who signs in the first step, with the personal id."""
    task = await world.db("signing")["tasks"].find_one({"class_code": class_code})
    assert task is not None
    person = await world.db("records")["staff"].find_one({"data.code": task["waiting"][0]})
    assert person is not None
    return staff(int(person["data"]["code"][-3:]), person["data"]["name"], Role.SUBJECT_TEACHER), person["data"]["personal_id"]


def _confirmed(number: int) -> TranscriptConfirmedV1:
    return TranscriptConfirmedV1(
        school=SCHOOL,
        year=YEAR,
        class_code=CLASS,
        grade=5,
        version=1,
        pupil_code=f"31250010000{number}",
        pupil_name=f"Nguyễn Văn {'ABC'[number]}",
        pdf=FILE,
        xml=FILE,
        confirmed_at=dt.datetime(2026, 5, 29, 2, 0, tzinfo=dt.UTC),
    )


async def _branch(world: World) -> None:
    """A unit with one school: 32 pupils, two accepted, one waiting; three requests for a decision."""
    store = DistrictStore(world.db("district"))
    path = ("031", UNIT)
    unit = UnitChangedV1(code=UNIT, name="Phòng Văn hoá - Xã hội phường An Hải", path=path)
    school = SchoolChangedV1(code=SCHOOL, name="Trường Tiểu học An Hồng", levels=("TH",), tax_code="0231300001", path=path)
    school_class = ClassImportedV1(school=SCHOOL, year=YEAR, code=CLASS, name=CLASS, grade=5, pupils=32, refused=0)
    states = ("ACCEPTED", "ACCEPTED", "AWAITING_LEADER")
    moves = [TranscriptMovedV1(school=SCHOOL, year=YEAR, class_code=CLASS, grade=5, state=s) for s in states]
    requests = [
        CertificateRequestedV1(
            kind="manager" if number == 1 else "school",
            school=SCHOOL,
            school_name="Trường Tiểu học An Hồng",
            path=path,
            person=f"{SCHOOL}001",
            person_name="Ngô Diệu Tâm",
            certificate_subject="Ngô Diệu Tâm" if number == 1 else "Trường Tiểu học An Hồng",
            certificate_issuer="CA công cộng thử nghiệm",
            certificate_serial=f"5401020304050607080{number}",
            valid_from=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            valid_to=dt.datetime(2029, 1, 1, tzinfo=dt.UTC),
        )
        for number in range(3)
    ]

    async def told(session: Session) -> None:
        await store.save_units(session, [event_of(unit, UNIT)])
        await store.save_schools(session, [event_of(school, SCHOOL)])
        await store.save_classes(session, [event_of(school_class, f"{SCHOOL}:{YEAR}:{CLASS}")])
        await store.save_moves(session, [event_of(m, f"t{n}") for n, m in enumerate(moves)])
        await certificate_store.add(store.db, session, [event_of(r, f"r{n}") for n, r in enumerate(requests)])

    await transaction(store.db, told)
