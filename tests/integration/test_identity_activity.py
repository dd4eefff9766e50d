"""The trails of all services in one place: told once, searched by those allowed, watched over, handed to an inspector, reported on."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.audit import SealedAct
from contracts.event import Event
from contracts.events.records import RecordsActsSealedV1
from infra.local import Stack
from services.chassis import audit_seal, clock, inbox
from services.chassis.audit_chain import START, Head, link
from services.chassis.audit_seal import Sealer
from services.chassis.audit_tell import is_sound, sealed_act
from services.chassis.audit_verify import verify
from services.chassis.mongo import transaction
from services.identity.accounts import sessions
from services.identity.activity import search
from services.identity.activity import store as activity
from services.identity.activity.handlers import activity_consumers, own_trail
from tests.integration.identity_world import PASSWORD, SCHOOL, UNIT, Browser, World, code, world_of

OTHER = "31300002"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
ADDRESS = "203.0.113.77"
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        for name in (audit_seal.LEASES, "inbox"):
            await made.db[name].delete_many({})
        await audit_seal.ensure_indexes(made.db)
        await inbox.ensure_indexes(made.db)
        yield made


async def seal(world: World) -> None:
    """As identity's relay does."""
    while await Sealer(world.db, lease_seconds=0.001, tell=own_trail(world.db)).seal():
        pass


def records_trail(number: int, *, place: str = SCHOOL, at: dt.datetime = NOW, act: str = "confirm", **more: Any) -> list[SealedAct]:
    """Sealed entries of records, a second apart."""
    head, found = START, []
    for nth in range(1, number + 1):
        bare = {
            "_id": f"{place}-{act}-{nth}",
            "at": (at + dt.timedelta(seconds=nth)).replace(microsecond=0),
            "actor": code(3),
            "act": act,
            "subject": f"transcript-{nth}",
            "place": place,
            "origin": None,
            "request_id": f"request-{nth}",
            "details": {"before": "SIGNED", "after": "CONFIRMED"},
            **more,
        }
        fields = link(bare, head)
        head = Head(fields["number"], fields["hash"])
        found.append(sealed_act({**bare, **fields}))
    return found


async def told(world: World, acts: Sequence[SealedAct]) -> None:
    """As the consumer of records.audit does."""
    event = Event[RecordsActsSealedV1](
        type="RecordsActsSealedV1",
        subject="records",
        sequence=acts[-1].number,
        occurred_at=clock.now(),
        actor="records",
        data=RecordsActsSealedV1(acts=tuple(acts)),
    )
    consumer = next(c for c in activity_consumers(world.db) if c.name == "records.audit")
    again = Event[RecordsActsSealedV1].model_validate_json(event.model_dump_json())
    await transaction(world.db, lambda session: consumer.handlers["RecordsActsSealedV1"][1](session, [again]))


async def csrf_of(browser: Browser) -> str:
    return sessions.csrf_of(browser.client.cookies[sessions.COOKIE])


async def page(browser: Browser, path: str, status: int = 200) -> str:
    response = await browser.ask("GET", path)
    assert response.status_code == status, response.text
    return response.text


async def send(browser: Browser, path: str, **fields: Any) -> httpx.Response:
    return await browser.ask("POST", path, data={"csrf": await csrf_of(browser), **fields})


async def acts_of(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await browser.get(f"/api/identity/audit{query}"))["entries"]
    return found


def checked(folder: Path) -> tuple[int, str]:
    """By the checker that lies in the package."""
    done = subprocess.run([sys.executable, "-I", str(folder / "kiem_tra.py")], capture_output=True, check=False)
    return done.returncode, done.stdout.decode()


# --- told once


async def test_what_identity_seals_is_in_activity_with_the_same_hash(world: World) -> None:
    await world.school()
    await seal(world)
    sealed = await world.db["audit"].count_documents({})
    assert sealed > 5
    kept = await world.db["activity"].find({"service": "identity"}).to_list(None)
    assert sorted(d["number"] for d in kept) == list(range(1, sealed + 1))
    assert [d["_id"] for d in kept if not is_sound(activity.sealed_act(d))] == []
    assert (await verify(world.db, minutes=0))[1] is None


async def test_what_another_service_tells_twice_is_there_once(world: World) -> None:
    acts = records_trail(5)
    await told(world, acts[:3])
    await told(world, acts)
    kept = await world.db["activity"].find({"service": "records"}).sort("number", 1).to_list(None)
    assert [d["number"] for d in kept] == [1, 2, 3, 4, 5]
    assert [activity.sealed_act(d) for d in kept] == acts
    assert (await activity.heads(world.db))["records"] == f"5:{acts[-1].hash}"


async def test_a_change_of_what_was_told_before_does_not_overwrite_it(world: World) -> None:
    acts = records_trail(1)
    await told(world, acts)
    await told(world, [acts[0].model_copy(update={"actor": "nobody"})])
    kept = await world.db["activity"].find_one({"_id": "records:1"})
    assert kept is not None
    assert kept["actor"] == code(3)


async def test_an_act_says_where_it_came_from_and_which_request_it_was(world: World) -> None:
    await world.administrator()
    browser = world.browser()
    browser.client.headers.update({"User-Agent": CHROME, "X-Forwarded-For": ADDRESS, "X-Request-ID": "request-of-this-test"})
    assert (await browser.sign_in(code(3), PASSWORD)).is_success
    entry = (await world.audit("signed in"))[-1]
    assert entry["origin"] == {"address": ADDRESS, "device": "Chrome trên Windows"}
    assert (entry["request_id"], entry["place"]) == ("request-of-this-test", SCHOOL)


# --- who may see what


async def test_the_administrator_sees_the_own_school_and_no_other(world: World) -> None:
    administrator = await world.school()
    await told(world, [*records_trail(2), *records_trail(3, place=OTHER)[2:]])
    await seal(world)
    found = await acts_of(administrator)
    assert {entry["place"] for entry in found} == {SCHOOL}
    assert {entry["service"] for entry in found} == {"identity", "records"}
    assert (await administrator.ask("GET", f"/api/identity/audit?place={OTHER}")).status_code == 403
    assert (await administrator.ask("GET", f"/ui/identity/audit?place={OTHER}")).status_code == 403


async def test_an_officer_sees_the_branch_and_may_choose_a_school_of_it(world: World) -> None:
    await world.administrator()
    await world.administrator(OTHER, "0231300002")
    await told(world, [*records_trail(2), *records_trail(3, place=OTHER)[2:]])
    await seal(world)
    assert world.root is not None
    places = {entry["place"] for entry in await acts_of(world.root)}
    assert {SCHOOL, OTHER, UNIT} <= places
    assert {entry["place"] for entry in await acts_of(world.root, f"?place={OTHER}")} == {OTHER}


async def test_a_teacher_sees_the_own_acts_alone(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    await seal(world)
    assert (await teacher.ask("GET", "/api/identity/audit")).status_code == 403
    assert (await teacher.ask("GET", "/ui/identity/audit")).status_code == 403
    assert (await teacher.ask("GET", "/ui/identity/activity")).status_code == 403
    own = await acts_of(teacher, "?mine=true")
    assert {entry["actor"] for entry in own} == {code(6)}
    assert "Đổi mật khẩu" in {entry["text"] for entry in own}
    shown = await page(teacher, "/ui/identity/my-activity")
    assert "Hoạt động của tôi" in shown
    assert "Cấp mật khẩu dùng một lần</span>" not in shown


async def test_the_own_acts_of_a_manager_are_a_part_of_what_they_see(world: World) -> None:
    administrator = await world.school()
    await world.staff_member(administrator, code(6))
    await seal(world)
    assert len({entry["actor"] for entry in await acts_of(administrator)}) > 1
    assert {entry["actor"] for entry in await acts_of(administrator, "?mine=true")} == {code(3)}


# --- searching


async def test_a_search_narrows_by_who_act_kind_subject_service_result_and_request(world: World) -> None:
    administrator = await world.school()
    await world.staff_member(administrator, code(6))
    assert (await world.browser().sign_in(code(6), "sai mật khẩu")).status_code == 401
    await told(world, records_trail(4))
    await seal(world)

    async def numbers(query: str) -> int:
        return int((await administrator.get(f"/api/identity/audit?{query}"))["total"])

    everything = await numbers("")
    assert await numbers("service=records") == 4
    assert await numbers("act=confirm") == 4
    assert await numbers("kind=Đăng nhập&service=records") == 0
    assert await numbers("subject=transcript-2") == 1
    assert await numbers("request=request-3") == 1
    assert await numbers("result=refused") == 1
    assert await numbers("result=done") == everything - 1
    assert await numbers(f"who={code(6)}") == await numbers("who=văn 6") > 0
    assert await numbers("who=nguyen van 6") == await numbers("who=văn 6")
    assert await numbers("who=không có ai") == 0


async def test_a_period_is_whole_days_in_vietnam_with_both_ends(world: World) -> None:
    administrator = await world.administrator()
    last_second = dt.datetime(
        2026, 3, 10, 16, 59, 58, tzinfo=dt.UTC
    )  # one second later it is the 11th at 00:00 in Vietnam, after the first entry
    await told(world, records_trail(2, at=last_second))
    await seal(world)
    for query, number in (
        ("from=2026-03-10&to=2026-03-10", 1),
        ("from=2026-03-11&to=2026-03-11", 1),
        ("from=2026-03-10&to=2026-03-11", 2),
        ("to=2026-03-09", 0),
    ):
        assert (await administrator.get(f"/api/identity/audit?{query}"))["total"] == number, query
    for query in ("from=2026-02-30", "from=x", "from=2026-03-11&to=2026-03-10"):
        refused = await administrator.ask("GET", f"/api/identity/audit?{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, "HB-IDN-110")
        assert "Lỗi: " in await page(administrator, f"/ui/identity/audit?{query}", 422)


async def test_pages_by_time_show_every_entry_once_also_when_many_share_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_SIZE", 4)
    administrator = await world.administrator()
    same = [act.model_copy(update={"at": NOW.replace(microsecond=0)}) for act in records_trail(11)]
    await told(world, same)
    seen: list[int] = []
    cursor = ""
    while True:
        found = await administrator.get(f"/api/identity/audit?service=records&before={cursor}")
        seen += [entry["number"] for entry in found["entries"]]
        cursor = found["next"]
        if not cursor:
            break
    assert sorted(seen) == list(range(1, 12))
    assert len(seen) == 11
    assert (await administrator.ask("GET", "/api/identity/audit?before=nonsense")).json()["code"] == "HB-IDN-111"


async def test_the_page_says_acts_names_before_and_after_in_words(world: World) -> None:
    administrator = await world.school()
    await administrator.post("/api/identity/issuers", {"persons": [code(6)]})
    await told(world, records_trail(1))
    await seal(world)
    shown = re.sub(r"\s+", " ", await page(administrator, "/ui/identity/audit"))
    for words in (
        "Phân quyền Ký phát hành",
        "Nguyễn Văn 6",
        "không → có",
        "Xác nhận hoàn thành học bạ",
        "Đã ký đủ → Đã xác nhận hoàn thành",
    ):
        assert words in shown
    assert "Trần Thị Sở" in shown, "the officer who made the school"


# --- what is unusual


async def test_what_is_unusual_stands_on_top_until_somebody_has_seen_it(world: World) -> None:
    administrator = await world.school()
    for _ in range(5):
        assert (await world.browser().sign_in(code(6), "sai mật khẩu")).status_code == 401
    await administrator.post("/api/identity/issuers", {"persons": [code(6)]})
    await seal(world)
    unusual = (await administrator.get("/api/identity/activity"))["unusual"]
    found = {each["rule"]: each for each in unusual if each["rule"] in ("failures", "issue")}
    assert set(found) == {"failures", "issue"}
    assert {each["person"] for each in found.values()} == {code(6)}
    before = await page(administrator, "/ui/identity/activity")
    assert "Nhập sai mật khẩu 5 lần trong một ngày" in before
    link_ = re.search(rf'href="(/ui/identity/audit\?subject={code(6)}[^"]+)"', before)
    assert link_, "the finding leads to its acts"
    assert (await page(administrator, link_[1].replace("&amp;", "&"))).count("Nhập sai mật khẩu <strong") == 5
    answer = await send(administrator, "/ui/identity/activity/seen", ids=[found["failures"]["id"]])
    assert answer.status_code == 303
    after = await administrator.get("/api/identity/activity")
    seen = {each["rule"]: each["seen_by"] for each in after["unusual"]}
    assert (seen["failures"], seen["issue"]) == (code(3), None)
    assert "Người đã xem" in await page(administrator, "/ui/identity/activity")
    entry = (await world.audit("activity seen"))[0]
    assert (entry["place"], entry["details"]) == (SCHOOL, {"findings": [found["failures"]["id"]]})
    again = await administrator.ask("POST", "/api/identity/activity/seen", json={"ids": [found["failures"]["id"]]})
    assert (again.status_code, again.json()["code"]) == (404, "HB-IDN-112")


async def test_ten_wrong_passwords_lock_and_the_lock_is_shown(world: World) -> None:
    administrator = await world.school()
    for _ in range(11):
        await world.browser().sign_in(code(6), "sai mật khẩu")
    await seal(world)
    assert "locked" in {each["rule"] for each in (await administrator.get("/api/identity/activity"))["unusual"]}
    assert len(await world.audit("sign-in locked")) == 1


async def test_a_name_that_nobody_has_is_kept_as_its_digest_and_belongs_to_no_school(world: World) -> None:
    await world.school()
    assert (await world.browser().sign_in("mật khẩu gõ nhầm ô", "x")).status_code == 401
    entry = (await world.audit("password refused"))[0]
    assert re.fullmatch(r"[0-9a-f]{64}", entry["subject"])
    assert entry["place"] is None
    assert "gõ nhầm" not in json.dumps(entry, default=str, ensure_ascii=False)


async def test_the_counts_tell_each_day_by_kind(world: World) -> None:
    administrator = await world.administrator()
    await told(world, records_trail(7, at=NOW - dt.timedelta(days=3)))
    days = (await administrator.get("/api/identity/activity"))["days"]
    assert len(days) == 14
    day = (NOW - dt.timedelta(days=3)).astimezone(clock.VIETNAM).date().isoformat()
    assert {d["day"]: d["acts"]["Dữ liệu học bạ"] for d in days}[day] == 7


# --- for an inspector


async def test_an_inspector_gets_what_proves_itself_and_the_handing_over_is_an_act(world: World, tmp_path: Path) -> None:
    administrator = await world.school()
    await told(world, [*records_trail(3), *records_trail(5, place=OTHER)[3:]])
    await seal(world)
    today = clock.in_vietnam(clock.now()).date().isoformat()
    first = (clock.in_vietnam(clock.now()).date() - dt.timedelta(days=1)).isoformat()
    response = await administrator.ask("POST", "/api/identity/audit/exports", json={"from": first, "to": today})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/zip")
    zipfile.ZipFile(io.BytesIO(response.content)).extractall(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "nhat-ky.jsonl").read_bytes().splitlines()]
    assert {line["entry"]["place"] for line in lines} == {SCHOOL}
    assert {line["service"] for line in lines} == {"identity", "records"}
    assert checked(tmp_path) == (0, f"Đã kiểm tra {len(lines)} mục, 0 sai lệch.\n")
    entry = (await world.audit("audit exported"))[0]
    assert (entry["actor"], entry["place"], entry["details"]["count"]) == (code(3), SCHOOL, len(lines))


async def test_only_those_who_watch_over_a_school_may_export_it(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    order = {"from": "2026-01-01", "to": "2026-01-31"}
    assert (await teacher.ask("POST", "/api/identity/audit/exports", json=order)).status_code == 403
    assert (await administrator.ask("POST", "/api/identity/audit/exports", json={**order, "place": OTHER})).status_code == 403
    assert world.root is not None
    assert (await world.root.ask("POST", "/api/identity/audit/exports", json={**order, "place": SCHOOL})).status_code == 200
    assert len(await world.audit("audit exported")) == 1


async def test_a_period_with_too_many_entries_is_refused_on_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.identity.activity.export.MOST", 3)
    administrator = await world.administrator()
    await told(world, records_trail(4))
    day = clock.in_vietnam(NOW).date()
    fields = {"place": SCHOOL, "first": (day - dt.timedelta(days=1)).isoformat(), "last": (day + dt.timedelta(days=1)).isoformat()}
    response = await send(administrator, "/ui/identity/audit/export", **fields)
    assert response.status_code == 422
    assert "Chọn khoảng thời gian ngắn hơn" in response.text
    assert await world.audit("audit exported") == []


# --- problem reports


async def test_a_problem_goes_from_the_page_where_it_happened_to_the_board_and_its_answer_back(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    missing = await teacher.ask("GET", "/ui/identity/no-such-page")
    link_ = re.search(r'href="(/ui/identity/problems/new\?[^"]+)"', missing.text)
    assert link_, "an error page leads to reporting it"
    form = await page(teacher, link_[1].replace("&amp;", "&"))
    assert "/ui/identity/no-such-page" in form
    request = missing.headers["X-Request-ID"]
    assert request in form
    fields = {"what": "Trang không mở được", "page": "/ui/identity/no-such-page", "told": request}
    assert (await send(teacher, "/ui/identity/problems/new", **fields)).status_code == 303
    assert "1 báo lỗi chưa xong" in await page(administrator, "/ui/identity/")
    [problem] = (await administrator.get("/api/identity/problems"))["problems"]
    assert (problem["what"], problem["request"], problem["state"], problem["place"]) == ("Trang không mở được", request, "NEW", SCHOOL)
    address = f"/ui/identity/problems/{problem['id']}"
    assert (await send(administrator, address, state="DONE", text="")).status_code == 422
    assert (await send(administrator, address, state="DONE", text="Đã sửa.")).status_code == 303
    assert "1 trả lời mới" in await page(teacher, "/ui/identity/")
    assert "Đã sửa." in await page(teacher, address)
    assert "trả lời mới" not in await page(teacher, "/ui/identity/")
    told_of = (await world.audit("problem answered"))[0]
    assert (told_of["details"], told_of["place"]) == ({"before": "NEW", "after": "DONE"}, SCHOOL)
    assert "Trang không" not in json.dumps(await world.audit("problem reported"), default=str, ensure_ascii=False)


async def test_a_teacher_neither_reads_nor_answers_the_reports_of_others(world: World) -> None:
    administrator = await world.school()
    made = await administrator.post("/api/identity/problems", {"what": "Lỗi của quản trị viên"})
    teacher = await world.staff_member(administrator, code(6))
    assert (await teacher.get("/api/identity/problems"))["problems"] == []
    assert (await teacher.ask("GET", f"/ui/identity/problems/{made['id']}")).status_code == 404
    answer = await teacher.ask("POST", f"/api/identity/problems/{made['id']}/answer", json={"state": "DONE", "answer": "x"})
    assert answer.status_code == 404
    own = await teacher.post("/api/identity/problems", {"what": "Lỗi của tôi"})
    closing = await teacher.ask("POST", f"/api/identity/problems/{own['id']}/answer", json={"state": "DONE", "answer": "x"})
    assert closing.status_code == 403


async def test_an_officer_sees_how_many_reports_a_school_has_and_not_what_they_say(world: World) -> None:
    administrator = await world.administrator()
    made = await administrator.post("/api/identity/problems", {"what": "Chuyện riêng của trường"})
    assert world.root is not None
    shown = await page(world.root, "/ui/identity/problems")
    assert "Báo lỗi theo trường" in shown
    assert f"Trường Tiểu học {SCHOOL}" in shown
    assert "Chuyện riêng" not in shown
    assert (await world.root.ask("GET", f"/ui/identity/problems/{made['id']}")).status_code == 404


async def test_ten_reports_a_day_are_enough_for_one_person(world: World) -> None:
    administrator = await world.administrator()
    for nth in range(10):
        await administrator.post("/api/identity/problems", {"what": f"Lỗi {nth}"})
    refused = await administrator.ask("POST", "/api/identity/problems", json={"what": "Lỗi nữa"})
    assert (refused.status_code, refused.json()["code"]) == (429, "HB-IDN-114")
    again = await send(administrator, "/ui/identity/problems/new", what="Lỗi nữa")
    assert again.status_code == 429
    assert "Lỗi nữa" in again.text
