"""Locks and corrections on real stores: the whole procedure on the pages, who sees what, and what the locks forbid."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from contracts.access import Principal, Role
from contracts.events.district import LockDatesSetV1, LockDay
from contracts.events.identity import SchoolChangedV1
from contracts.events.records import CorrectionDecidedV1, SchoolYearLockedV1, SchoolYearUnlockedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import Session, transaction
from services.records.corrections.store import counted, finished_of
from services.records.handlers import consumers as records_consumers
from services.records.locks.locking import locks_of
from services.records.store import Store as RecordsStore
from services.signing.handlers import consumers as signing_consumers
from services.signing.store import Store as SigningStore
from tests.integration.pages_world import ADMINISTRATOR, OFFICER, SCHOOL, YEAR, Answer, World, event_of, staff, world_of

PRINCIPAL = staff(1, "Ngô Diệu Tâm", Role.MANAGER)
DEPUTY = staff(2, "Hồ Diệu Oanh", Role.MANAGER)
HOMEROOM = staff(14, "Đinh Tuấn Nghĩa", Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, homeroom_of=("5A",))
OTHER_HOMEROOM = staff(15, "Trần Hồng Quyên", Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, homeroom_of=("5B",))
INSPECTOR = staff(5, "Đặng Quỳnh Ngân", Role.CLERK)
LIST = "/ui/records/corrections"
LOCKS = "/ui/records/locks"
FIELD = "Toán: Nhận xét"
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


YEAR_DATA = ("years", "staff", "classes", "pupils")
KEPT: dict[str, list[dict[str, Any]]] = {}
"""What the first import of this file wrote, so that the other tests need not import again."""


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        db = made.db("records")
        if not KEPT:
            await made.imported()
            KEPT.update({name: await db[name].find({}).to_list(None) for name in YEAR_DATA})
        else:
            for name, documents in KEPT.items():
                await db[name].insert_many(documents)
        yield made


def sound(answer: Answer, status: int = 200) -> Answer:
    assert answer.status == status, answer.response.text[-3000:]
    assert answer.page.faults == []
    return answer


async def plan(world: World, *, days: int = 30) -> None:
    day = (clock.in_vietnam(clock.now()) + dt.timedelta(days=days)).strftime("%d/%m/%Y")
    assert "did=lock-plan" in (await world.browser(PRINCIPAL).send(f"{LOCKS}/plan", [("day", day)])).where


async def appoint(world: World) -> None:
    assert "did=lock-inspector" in (await world.browser(PRINCIPAL).send(f"{LOCKS}/inspector", [("person", INSPECTOR.person)])).where


async def pupil_of(world: World, class_code: str = "5A") -> dict[str, Any]:
    found = await world.db("records")["pupils"].find_one({"class_code": class_code, "missing": []}, sort=[("number", 1)])
    assert found is not None
    return dict(found)


async def ask(
    world: World,
    who: Principal = HOMEROOM,
    *,
    field: str = FIELD,
    value: str = "Em tiến bộ nhiều",
    files: Sequence[Any] | None = None,
    **more: str,
) -> Answer:
    pupil = await pupil_of(world, more.get("class", "5A"))
    sent = {"class": "5A", "pupil": pupil["code"], "field": field, "value": value, "reason": "Nhập nhầm nhận xét", **more}
    evidence = [("files", ("minh chung.pdf", PDF))] if files is None else list(files)
    return await world.browser(who).send(f"{LIST}/new", list(sent.items()), files=evidence)


async def asked(world: World, **more: Any) -> str:
    """The address of a request of the homeroom teacher of 5A."""
    return (await ask(world, **more)).where.partition("?")[0]


async def step(world: World, address: str, who: Principal, name: str, **fields: str) -> Answer:
    return await world.browser(who).send(f"{address}/{name}", list(fields.items()))


async def state_of(world: World, address: str) -> str:
    found = await world.db("records")["corrections"].find_one({"_id": address.rpartition("/")[2]})
    assert found is not None
    return str(found["state"])


async def unlocked(world: World, **more: Any) -> str:
    address = await asked(world, **more)
    await appoint(world)
    assert (await step(world, address, ADMINISTRATOR, "forward")).status == 303
    assert (await step(world, address, PRINCIPAL, "approve")).status == 303
    for who in (DEPUTY, ADMINISTRATOR, INSPECTOR, HOMEROOM):
        assert (await step(world, address, who, "witness")).status == 303
    assert await state_of(world, address) == "UNLOCKED"
    return address


async def test_a_correction_goes_from_the_request_to_the_minutes(world: World) -> None:
    await plan(world)
    before = await pupil_of(world)
    level = next(s["mark"] for s in before["result"]["subjects"] if s["name"] == "Toán")
    value = "5" if level != 5 else "6"
    address = await unlocked(world, field="Toán: Điểm KTĐK", value=value)
    waiting = sound(await world.browser(HOMEROOM).get(f"{LIST}?mine=1"))
    assert address in waiting.page.values("href")
    locks = await locks_of(world.db("records"), SCHOOL, YEAR, pupils=[before["code"]])
    assert locks.why_not("5A", before["code"], what="results") is None
    wrong = sound(await step(world, address, HOMEROOM, "correct", value="9" if value != "9" else "8"), 422)
    assert "HB-REC" not in wrong.text
    assert "đã được Hiệu trưởng phê duyệt" in wrong.text or "giống giá trị hiện tại" in wrong.text
    done = await step(world, address, HOMEROOM, "correct", value=value)
    page = sound(await world.browser(HOMEROOM).get(done.where))
    assert "Đã sửa dữ liệu, lập biên bản và khóa lại" in page.text
    after = await pupil_of(world)
    assert next(s["mark"] for s in after["result"]["subjects"] if s["name"] == "Toán") == int(value)
    again = await locks_of(world.db("records"), SCHOOL, YEAR, pupils=[before["code"]])
    refusal = again.why_not("5A", before["code"], what="results")
    assert refusal is not None
    assert refusal.code == "HB-REC-111"
    api = address.replace("/ui/", "/api/")
    minutes = (await world.browser(DEPUTY).get(f"{api}/minutes.pdf")).response
    assert minutes.content.startswith(b"%PDF-")
    assert minutes.headers["content-disposition"].startswith("attachment")
    finished = await finished_of(world.db("records"), SCHOOL, YEAR, [before["code"]])
    assert counted(finished[before["code"]]).subjects == ("Toán",)
    acts = [a["act"] async for a in world.db("records")["audit"].find({"subject": address.rpartition("/")[2]}).sort("at", 1)]
    assert [e.data.outcome for e in await world.told(CorrectionDecidedV1)] == ["forwarded", "approved"]
    assert acts == ["correction asked", "correction forwarded", "correction approved", *["unlock witnessed"] * 4, "result corrected"]


async def test_an_import_does_not_undo_a_correction(world: World) -> None:
    await plan(world)
    address = await unlocked(world)
    assert (await step(world, address, HOMEROOM, "correct", value="Em tiến bộ nhiều")).status == 303
    corrected = await pupil_of(world)
    await world.imported()
    assert (await pupil_of(world))["result"] == corrected["result"]


async def test_an_unlock_waits_until_the_transcript_is_cancelled(world: World) -> None:
    await plan(world)
    pupil = await pupil_of(world)
    standing = {"_id": "t1", "school": SCHOOL, "year": YEAR, "class_code": "5A", "pupil_code": pupil["code"], "live": True}
    await world.db("records")["transcripts"].insert_one({**standing, "state": "SIGNED"})
    address = await asked(world)
    await appoint(world)
    await step(world, address, ADMINISTRATOR, "forward")
    assert "mục 2.6" in sound(await world.browser(PRINCIPAL).get(address)).text
    await step(world, address, PRINCIPAL, "approve")
    refused = sound(await step(world, address, DEPUTY, "witness"), 409)
    assert "hủy học bạ tại mục 2.6" in refused.text
    await world.db("records")["transcripts"].update_one({"pupil_code": pupil["code"]}, {"$set": {"live": False}})
    assert (await step(world, address, DEPUTY, "witness")).status == 303


async def test_nothing_is_corrected_in_the_last_week_before_the_lock(world: World) -> None:
    await plan(world, days=7)
    address = await asked(world)
    await plan(world, days=6)
    assert "HB-REC-121" in (await ask(world)).text
    late = sound(await step(world, address, ADMINISTRATOR, "forward"), 409)
    assert "một tuần trước ngày khóa học bạ" in late.text
    assert (await step(world, address, HOMEROOM, "withdraw")).status == 303


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "Đính kèm từ 1 đến 5 tệp"),
        ([("files", ("anh.png", b"<html>"))], "không phải là tệp PDF, PNG hoặc JPEG"),
        ([("files", ("a.pdf", PDF))] * 6, "Đính kèm từ 1 đến 5 tệp"),
    ],
)
async def test_a_request_without_usable_evidence_is_refused_at_the_field(world: World, files: Sequence[Any], says: str) -> None:
    await plan(world)
    answer = sound(await ask(world, files=[*files, ("other", ("x", b""))]), 422)
    assert says in answer.text
    assert "<title>Lỗi: " in answer.response.text
    assert "Em tiến bộ nhiều" in answer.response.text
    assert await world.db("records")["corrections"].count_documents({}) == 0


async def test_a_value_against_the_circular_is_refused_with_its_article(world: World) -> None:
    await plan(world)
    answer = sound(await ask(world, field="Toán: Điểm KTĐK", value="8,5"), 422)
    assert "không phải là số nguyên" in answer.text


async def test_evidence_comes_back_as_it_was_sent_and_only_as_a_download(world: World) -> None:
    await plan(world)
    address = await asked(world)
    sent = (await world.browser(HOMEROOM).get(f"{address.replace('/ui/', '/api/')}/evidence/1")).response
    assert sent.content == PDF
    assert sent.headers["x-content-type-options"] == "nosniff"
    assert sent.headers["content-disposition"] == 'attachment; filename="minh-chung-1-1.pdf"'
    assert "sandbox" in sent.headers["content-security-policy"]
    assert (await world.browser(HOMEROOM).get(f"{address.replace('/ui/', '/api/')}/evidence/2")).status == 404


async def test_only_those_concerned_see_a_request(world: World) -> None:
    await plan(world)
    await appoint(world)
    address = await asked(world)
    for who, status in ((HOMEROOM, 200), (ADMINISTRATOR, 200), (DEPUTY, 200), (INSPECTOR, 200), (OTHER_HOMEROOM, 403), (OFFICER, 403)):
        for path in (address, address.replace("/ui/", "/api/"), f"{address.replace('/ui/', '/api/')}/evidence/1"):
            assert (await world.browser(who).get(path)).status == status, (who.name, path)
        assert (await world.browser(who).get(LIST)).status == (403 if who is OFFICER else 200)
    assert address not in sound(await world.browser(OTHER_HOMEROOM).get(LIST)).page.values("href")


async def test_a_teacher_asks_for_pupils_of_the_own_class_only(world: World) -> None:
    await plan(world)
    stranger = await ask(world, OTHER_HOMEROOM)
    assert stranger.status == 403
    assert (await ask(world, ADMINISTRATOR)).status == 403


async def test_grave_steps_ask_anew_who_is_there_and_plain_ones_do_not(world: World) -> None:
    await plan(world)
    await appoint(world)
    address = await asked(world)
    board, principal = world.browser(ADMINISTRATOR), world.browser(PRINCIPAL)
    board.confirmed_ago = principal.confirmed_ago = 1000
    assert (await board.send(f"{address}/forward", [])).status == 303
    for path in (f"{address}/approve", f"{LOCKS}/lock", f"{LOCKS}/inspector"):
        answer = await principal.send(path, [("reason", "Hết năm học")])
        assert answer.status == 403
        assert "HB-ACC-428" in answer.text or "Xác nhận" in answer.text
    assert await state_of(world, address) == "FORWARDED"


async def test_of_two_requests_for_one_pupil_at_once_one_stands(world: World) -> None:
    await plan(world)
    answers = await asyncio.gather(*(ask(world) for _ in range(4)))
    assert sorted(a.status for a in answers) == [303, 409, 409, 409]
    assert await world.db("records")["corrections"].count_documents({"open": True}) == 1


async def test_of_two_people_who_take_the_same_step_at_once_one_is_told_why_not(world: World) -> None:
    await plan(world)
    await appoint(world)
    address = await asked(world)
    await step(world, address, ADMINISTRATOR, "forward")
    answers = await asyncio.gather(step(world, address, PRINCIPAL, "approve"), step(world, address, DEPUTY, "refuse", reason="Không đúng"))
    assert sorted(a.status for a in answers) == [303, 409]
    found = await world.db("records")["corrections"].find_one({})
    assert found is not None
    assert len(found["history"]) == 3


async def test_without_a_member_of_the_inspection_board_nothing_is_approved(world: World) -> None:
    await plan(world)
    address = await asked(world)
    await step(world, address, ADMINISTRATOR, "forward")
    assert "Hiệu trưởng cử người" in sound(await step(world, address, PRINCIPAL, "approve"), 409).text


async def test_locking_again_without_a_correction_closes_the_data_lock(world: World) -> None:
    await plan(world)
    address = await unlocked(world)
    blank = sound(await step(world, address, PRINCIPAL, "relock", reason=" "), 422)
    assert "ghi lý do" in blank.text
    held = sound(await world.browser(PRINCIPAL).send(f"{LOCKS}/lock", [("reason", "Hết năm học")]), 409)
    assert "1 phiếu" in held.text
    assert (await step(world, address, PRINCIPAL, "relock", reason="Minh chứng không đúng")).status == 303
    pupil = await pupil_of(world)
    locks = await locks_of(world.db("records"), SCHOOL, YEAR)
    refusal = locks.why_not("5A", pupil["code"], what="results")
    assert refusal is not None
    assert refusal.code == "HB-REC-111"


async def test_the_final_lock_is_the_principals_and_stops_everything_but_reading(world: World) -> None:
    await plan(world)
    assert (await world.browser(ADMINISTRATOR).send(f"{LOCKS}/lock", [("reason", "Hết năm học")])).status == 403
    address = await asked(world)
    assert (await world.browser(PRINCIPAL).send(f"{LOCKS}/lock", [("reason", "Hết năm học")])).status == 303
    page = sound(await world.browser(HOMEROOM).get("/ui/records/classes"))
    assert f"Học bạ năm học {YEAR} đã khóa" in page.text
    assert "HB-REC-110" in (await ask(world)).text
    assert "đã khóa học bạ" in sound(await step(world, address, ADMINISTRATOR, "forward"), 409).text
    locks = await locks_of(world.db("records"), SCHOOL, YEAR)
    assert locks.final
    facts = await world.told(SchoolYearLockedV1)
    assert [(f.data.school, f.data.year) for f in facts] == [(SCHOOL, YEAR)]
    assert (await world.browser(PRINCIPAL).send(f"{LOCKS}/unlock", [("reason", "Sót một lớp")])).status == 303
    assert not (await locks_of(world.db("records"), SCHOOL, YEAR)).final
    assert (await step(world, address, ADMINISTRATOR, "forward")).status == 303


async def test_signing_learns_of_the_final_lock_and_of_its_end(world: World) -> None:
    store = SigningStore(world.db("signing"))
    handlers = next(c for c in signing_consumers(store) if "SchoolYearLockedV1" in c.handlers).handlers
    now = clock.now()
    facts = (
        SchoolYearLockedV1(school=SCHOOL, year=YEAR, locked_at=now),
        SchoolYearUnlockedV1(school=SCHOOL, year=YEAR, unlocked_at=now),
    )
    for number, fact in enumerate(facts, start=1):

        async def hear(session: Session, fact: Any = fact, number: int = number) -> None:
            event = event_of(fact, f"{SCHOOL}:{YEAR}:lock", sequence=number)
            await handlers[type(fact).__name__][1](session, [event])

        await transaction(store.db, hear)
        assert await store.locked_years(None, SCHOOL) == ({YEAR} if number == 1 else set())
    assert await store.locked_years(None, "other") == set()


async def test_both_dates_stand_on_the_pages_of_records(world: World) -> None:
    browser = world.browser(HOMEROOM)
    assert "Hạn toàn quốc hoàn thành học bạ số: 20/08/2026" in sound(await browser.get("/ui/records/classes")).text
    await plan(world)
    page = sound(await browser.get("/ui/records/classes")).text
    assert re.search(r"Nhà trường khóa học bạ \(hạn toàn quốc 20/08/2026\): \d\d/\d\d/\d{4}", page)
    sound(await browser.get(LOCKS))
    assert "đã qua" in sound(await world.browser(PRINCIPAL).send(f"{LOCKS}/plan", [("day", "01/01/2026")]), 422).text


async def test_the_last_day_of_intake_that_a_unit_has_set_stands_there_too(world: World) -> None:
    handlers = {t: h for c in records_consumers(RecordsStore(world.db("records"))) for t, (_, h) in c.handlers.items()}
    school = SchoolChangedV1(code=SCHOOL, name="Trường", levels=("TH",), tax_code="0200000001", path=("031", "03101"))
    days = (LockDay(matter="intake", grade=None, on=dt.date(2026, 7, 10)), LockDay(matter="intake", grade=5, on=dt.date(2026, 6, 10)))
    dates = LockDatesSetV1(unit="031", year=YEAR, school=None, dates=days)
    late = LockDatesSetV1(unit="031", year=YEAR, school=None, dates=())
    told = ((school, SCHOOL, 1), (dates, f"031:{YEAR}:", 2), (late, f"031:{YEAR}:", 1))

    async def hear(session: Session) -> None:
        for fact, subject, sequence in told:
            await handlers[type(fact).__name__](session, [event_of(fact, subject, sequence=sequence)])

    await transaction(world.db("records"), hear)

    page = sound(await world.browser(HOMEROOM).get("/ui/records/classes")).text
    assert "Ngày khóa tiếp nhận (hạn toàn quốc hoàn thành học bạ số 20/08/2026): 10/06/2026" in page


async def test_the_form_of_a_new_request_leads_from_class_to_value(world: World) -> None:
    await plan(world)
    pupil = await pupil_of(world)
    browser = world.browser(HOMEROOM)
    assert pupil["name"] in sound(await browser.get(f"{LIST}/new?class=5A")).text
    chosen = sound(await browser.get(f"{LIST}/new?class=5A&pupil={pupil['code']}&field=To%C3%A1n: Nh%E1%BA%ADn x%C3%A9t"))
    assert "Đề nghị sửa “Toán: Nhận xét”" in chosen.text
    stranger = await world.browser(OTHER_HOMEROOM).get(f"{LIST}/new?class=5A&pupil={pupil['code']}")
    assert stranger.status == 403
    assert pupil["name"] not in stranger.text


async def test_many_requests_are_forwarded_and_approved_at_once_each_on_its_own(world: World) -> None:
    await plan(world)
    await appoint(world)
    pupils = await world.db("records")["pupils"].find({"class_code": "5A", "missing": []}).sort("number", 1).to_list(3)
    addresses = [await asked(world, pupil=p["code"]) for p in pupils]
    await step(world, addresses[0], HOMEROOM, "withdraw")
    ids = [("ids", a.rpartition("/")[2]) for a in addresses]
    told = (await world.browser(ADMINISTRATOR).send(LIST, [*ids, ("act", "forward")])).where
    assert "n=2" in told
    assert "why=HB-REC-128" in told
    page = sound(await world.browser(ADMINISTRATOR).get(told))
    assert "Đã báo cáo Hiệu trưởng 2 phiếu" in page.text
    assert "Phiếu không còn ở bước này" in page.text
    assert (await world.browser(ADMINISTRATOR).send(LIST, [*ids, ("act", "approve")])).status == 403
    everything = [("all", "1"), ("filter", "?state=FORWARDED"), ("act", "approve")]
    assert "n=2" in (await world.browser(PRINCIPAL).send(LIST, everything)).where
    assert [await state_of(world, a) for a in addresses] == ["WITHDRAWN", "APPROVED", "APPROVED"]


async def test_programs_get_the_same_answers_as_pages(world: World) -> None:
    await plan(world)
    address = await asked(world)
    browser = world.browser(ADMINISTRATOR)
    listed = (await browser.get("/api/records/corrections")).response.json()["corrections"]
    assert [(c["number"], c["state"], c["mine"]) for c in listed] == [(1, "SUBMITTED", True)]
    one = (await browser.get(address.replace("/ui/", "/api/"))).response.json()
    assert one["may"] == ["forward", "turn-down"]
    lock = (await browser.get("/api/records/locks")).response.json()
    assert (lock["locked"], lock["national_deadline"]) == (False, "2026-08-20")
    assert (await browser.get("/api/records/corrections/none")).response.json()["code"] == "HB-WEB-404"
