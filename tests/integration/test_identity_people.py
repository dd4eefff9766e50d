"""Staff accounts of a school: the list, acts on accounts, people by hand, whoever leaves and comes back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.local import Stack
from services.chassis import clock
from services.identity.accounts import sessions
from tests.integration.identity_world import (
    PASSWORD,
    SCHOOL,
    STAFF,
    YEAR,
    Browser,
    World,
    code,
    login,
    member,
    person_at_provider,
    personal_id,
    world_of,
)

PEOPLE = "/api/identity/people"
ACCOUNTS = "/ui/identity/accounts"
TEACHER = code(6)
BY_HAND = {"code": "tam-01", "name": "Lê Thị Bình", "personal_id": personal_id(77), "position": "Nhân viên học vụ"}
TODAY = clock.in_vietnam(dt.datetime.now(dt.UTC)).date()
LEAVE = {"on": TODAY.isoformat(), "reason": "Chuyển trường"}


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


async def codes(browser: Browser, **query: str) -> list[str]:
    found = await browser.ask("GET", PEOPLE, params=query)
    assert found.status_code == 200, found.text
    return [account["person"] for account in found.json()]


async def one(browser: Browser, person: str) -> dict[str, Any]:
    return dict(await browser.get(f"{PEOPLE}/one?code={person}"))


async def refusal(browser: Browser, path: str, body: object) -> str:
    answer = await browser.ask("POST", path, json=body)
    assert answer.is_error, answer.text
    return str(answer.json()["code"])


async def csrf_of(browser: Browser) -> str:
    return sessions.csrf_of(browser.client.cookies[sessions.COOKIE])


async def act(browser: Browser, name: str, *persons: str, **more: str) -> Any:
    form = {"csrf": await csrf_of(browser), "act": name, "ids": list(persons), **more}
    return await browser.ask("POST", ACCOUNTS, data=form)


async def test_the_list_is_by_given_name_and_filtered_with_and_without_marks(world: World) -> None:
    administrator = await world.school()
    names = {1: "Trần Văn Đức", 2: "Lê Thị Ánh", 3: "Ngô Công Hoàng", 4: "Phạm Thị An", 6: "Bùi Văn Ước", 7: "Đặng Thị Duyên"}
    await world.import_staff([m.model_copy(update={"name": names[int(m.code[-3:])]}) for m in STAFF])
    assert await codes(administrator) == [code(n) for n in (4, 2, 7, 1, 3, 6)]
    for query in ("đức", "DUC", "tran van d"):
        assert await codes(administrator, name=query) == [code(1)]
    assert await codes(administrator, role="manager") == [code(2), code(1)]
    assert await codes(administrator, role="homeroom_teacher") == [code(6)]
    page = (await administrator.ask("GET", f"{ACCOUNTS}?name=duc")).text
    assert re.findall(r'name="ids" value="(\d+)"', page) == [code(1)]
    assert "Cán bộ quản lý" in page


async def test_the_state_of_an_account_follows_what_happens_to_it(world: World) -> None:
    administrator = await world.school()
    assert await codes(administrator, state="signed_in") == [code(3)]
    assert TEACHER in await codes(administrator, state="never")
    given = await administrator.post(f"/api/identity/schools/{SCHOOL}/credentials", {"persons": [TEACHER]})
    assert await codes(administrator, state="one_time") == [TEACHER]
    teacher = world.browser()
    await teacher.settle(given[0]["username"], given[0]["one_time_password"])
    assert await codes(administrator, state="one_time") == []
    assert await codes(administrator, state="signed_in") == [code(3), TEACHER]
    for _ in range(10):
        await world.browser().sign_in(TEACHER, "sai")
    assert await codes(administrator, state="locked") == [TEACHER]
    shown = await one(administrator, TEACHER)
    assert shown["locked_until"] is not None
    assert shown["signed_in_at"] is not None
    assert "Nhập sai mật khẩu" in {entry["text"] for entry in shown["history"]}
    assert "Khoá đến" in (await administrator.ask("GET", f"{ACCOUNTS}?state=locked")).text
    await world.import_staff([m for m in STAFF if m.code != code(7)])
    assert await codes(administrator, state="unlisted") == [code(7)]
    assert code(7) not in await codes(administrator)
    assert code(7) in await codes(administrator, state="all")


async def test_one_person_shows_why_they_hold_their_roles_and_what_happened(world: World) -> None:
    administrator = await world.school()
    await administrator.post("/api/identity/issuers", {"persons": [TEACHER], "granted": True})
    shown = await one(administrator, TEACHER)
    reasons = {(r["role"], r["source"], r["given_by"]) for r in shown["role_reasons"]}
    assert reasons == {
        ("Nhân sự ký phát hành", "Phân quyền Ký phát hành", "Nguyễn Văn 3"),
        ("Giáo viên chủ nhiệm", "Dữ liệu cán bộ đã nhập: lớp 1A", ""),
        ("Giáo viên bộ môn", "Dữ liệu cán bộ đã nhập: phân công giảng dạy", ""),
    }
    assert [(e["text"], e["by"]) for e in shown["history"]] == [("Phân quyền Ký phát hành", "Nguyễn Văn 3")]
    own = await one(administrator, code(3))
    assert ("Quản trị viên", "Phòng/Sở GD&ĐT phân công", "Trần Thị Sở") in {
        (r["role"], r["source"], r["given_by"]) for r in own["role_reasons"]
    }
    page = await administrator.ask("GET", f"{ACCOUNTS}/person?code={TEACHER}")
    assert page.status_code == 200
    assert "Dữ liệu cán bộ đã nhập: lớp 1A" in page.text
    assert "Thao tác" not in (await administrator.ask("GET", f"{ACCOUNTS}/person?code={code(3)}")).text


async def test_a_manager_looks_and_does_nothing_and_a_teacher_does_not_look(world: World) -> None:
    administrator = await world.school()
    principal, teacher = await world.staff_member(administrator, code(1)), await world.staff_member(administrator, TEACHER)
    page = await principal.ask("GET", ACCOUNTS)
    assert page.status_code == 200
    assert 'name="act"' not in page.text
    assert 'name="act"' not in (await principal.ask("GET", f"{ACCOUNTS}/person?code={TEACHER}")).text
    assert (await act(principal, "passwords", TEACHER)).status_code == 403
    assert (await principal.ask("GET", f"{ACCOUNTS}/new")).status_code == 403
    for path, body in (
        (PEOPLE, BY_HAND),
        (f"{PEOPLE}/correct", BY_HAND),
        (f"{PEOPLE}/leave", {"code": TEACHER, **LEAVE}),
        (f"{PEOPLE}/return", {"code": TEACHER}),
        (f"{PEOPLE}/unlock", {"persons": [TEACHER]}),
        (f"{PEOPLE}/sign-out", {"persons": [TEACHER]}),
    ):
        assert await refusal(principal, path, body) == "HB-ACC-403"
        assert await refusal(world.browser(), path, body) == "HB-ACC-401"
    for path in (ACCOUNTS, f"{ACCOUNTS}/person?code={TEACHER}", PEOPLE, f"{PEOPLE}/one?code={TEACHER}"):
        assert (await teacher.ask("GET", path)).status_code == 403


async def test_people_of_another_school_are_neither_shown_nor_touched(world: World) -> None:
    administrator = await world.school()
    other = await world.administrator("31300002", "0231300002")
    theirs = code(3, "31300002")
    assert theirs not in await codes(administrator, state="all")
    for path in (f"{PEOPLE}/one?code={theirs}", f"{ACCOUNTS}/person?code={theirs}"):
        assert (await administrator.ask("GET", path)).status_code == 404
    assert await refusal(administrator, f"{PEOPLE}/leave", {"code": theirs, **LEAVE}) == "HB-IDN-014"
    assert await refusal(administrator, f"{PEOPLE}/correct", {**BY_HAND, "code": theirs}) == "HB-IDN-014"
    for path in ("unlock", "sign-out"):
        said = await administrator.post(f"{PEOPLE}/{path}", {"persons": [theirs]})
        assert [item["code"] for item in said["items"]] == ["HB-IDN-014"]
    assert (await other.ask("GET", "/api/identity/me")).status_code == 200
    slips = await act(administrator, "passwords", theirs)
    assert "Mật khẩu một lần</dt>" not in slips.text


async def test_slips_with_passwords_are_shown_once_and_open_the_account(world: World) -> None:
    administrator = await world.school()
    page = await act(administrator, "passwords", TEACHER, code(7), code(3))
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    passwords = re.findall(r'look-reference">([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})<', page.text)
    assert len(passwords) == 2
    assert page.text.count('class="look-slip"') == 2
    assert f"{world.settings.public_url}/ui/identity/sign-in" in page.text
    assert "Không cấp được" in page.text
    assert [(await world.browser().sign_in(p, w)).status_code for p, w in zip((TEACHER, code(7)), passwords, strict=True)] == [200, 200]
    everybody = await act(administrator, "passwords", all="1", filter="?role=manager")
    assert everybody.text.count('class="look-slip"') == 2


async def test_accounts_are_unlocked_and_signed_out_in_bulk_but_not_the_own(world: World) -> None:
    administrator = await world.school()
    teachers = [await world.staff_member(administrator, p) for p in (TEACHER, code(7))]
    for _ in range(10):
        await world.browser().sign_in(TEACHER, "sai")
    assert (await world.browser().sign_in(TEACHER, PASSWORD)).status_code == 429
    done = await act(administrator, "unlock", TEACHER, code(3))
    page = (await administrator.ask("GET", done.headers["Location"])).text
    assert "Đã mở khoá đăng nhập 1 tài khoản." in page
    assert "1 mục không thực hiện được." in page
    assert (await world.browser().sign_in(TEACHER, PASSWORD)).status_code == 200
    done = await act(administrator, "sign_out", TEACHER, code(7), code(3))
    assert [(await b.ask("GET", "/api/identity/me")).status_code for b in (*teachers, administrator)] == [401, 401, 200]
    assert {(a["actor"], a["subject"], a["place"]) for a in await world.audit("signed out everywhere")} == {
        (code(3), TEACHER, SCHOOL),
        (code(3), code(7), SCHOOL),
    }
    done = await act(administrator, "grant", TEACHER, alone="1")
    assert done.headers["Location"].startswith(f"{ACCOUNTS}/person?code={TEACHER}")
    assert "issuer" in (await one(administrator, TEACHER))["roles"]
    await act(administrator, "take", TEACHER)
    assert "issuer" not in (await one(administrator, TEACHER))["roles"]
    links = await act(administrator, "links", TEACHER, code(3))
    assert len(re.findall(r"reset\?t=[A-Za-z0-9_-]{43}", links.text)) == 1
    assert (await act(administrator, "delete everything", TEACHER)).status_code == 422


async def test_somebody_entered_by_hand_works_and_an_import_takes_over(world: World) -> None:
    administrator = await world.school()
    made = await administrator.post(PEOPLE, BY_HAND)
    assert (made["roles"], made["by_hand"], made["states"]) == (["clerk"], True, ["never"])
    clerk = await world.staff_member(administrator, "tam-01")
    assert (await clerk.get("/api/identity/me"))["roles"] == ["clerk"]
    assert [a["subject"] for a in await world.audit("person entered")] == ["tam-01"]
    right = await administrator.post(f"{PEOPLE}/correct", {**BY_HAND, "name": "Lê Thị Bích", "position": "Phó hiệu trưởng"})
    assert (right["name"], right["roles"]) == ("Lê Thị Bích", ["manager"])
    assert [a["details"] for a in await world.audit("person corrected")] == [{"changed": ["name", "position", "roles"]}]
    await world.import_staff(STAFF)
    assert (await clerk.get("/api/identity/me"))["roles"] == ["manager"], "an import that does not name them leaves them be"
    await world.import_staff([*STAFF, member(8).model_copy(update={"code": "tam-01", "name": "Lê Thị Bích Ngọc"})])
    taken = await one(administrator, "tam-01")
    assert (taken["name"], taken["by_hand"], taken["roles"]) == ("Lê Thị Bích Ngọc", False, ["subject_teacher"])
    assert await refusal(administrator, f"{PEOPLE}/correct", BY_HAND) == "HB-IDN-055"


async def test_codes_and_personal_ids_that_somebody_has_are_refused(world: World) -> None:
    administrator = await world.school()
    for taken in (TEACHER, SCHOOL, "031", "031-cb01", code(3)):
        expected = "HB-IDN-031" if taken == code(3) else "HB-IDN-012"
        assert await refusal(administrator, PEOPLE, {**BY_HAND, "code": taken}) == expected
    assert await refusal(administrator, PEOPLE, {**BY_HAND, "personal_id": personal_id(6)}) == "HB-IDN-058"
    for bad in ({"code": "a b"}, {"code": "$where"}, {"personal_id": "12"}, {"name": " "}, {"roles": ["administrator"]}):
        assert await refusal(administrator, PEOPLE, {**BY_HAND, **bad}) == "HB-WEB-422"
    assert await world.db["people"].count_documents({"by_hand": True}) == 0
    assert await world.db["accounts"].count_documents({"_id": "tam-01"}) == 0


async def test_whoever_leaves_is_out_at_once_and_signs_nothing_any_more(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, TEACHER)
    await world.enrol(person_at_provider(6))
    await teacher.register("/api/identity/signing-accounts", login("u6"))
    await administrator.post("/api/identity/signing-accounts/approve", {"persons": [TEACHER]})
    link = await administrator.post("/api/identity/recoveries/links", {"persons": [TEACHER]})
    gone = await administrator.post(f"{PEOPLE}/leave", {"code": TEACHER, **LEAVE})
    assert (gone["roles"], gone["states"], gone["left"]) == ([], ["left"], LEAVE)
    assert (await teacher.ask("GET", "/api/identity/me")).status_code == 401
    assert (await world.browser().sign_in(TEACHER, PASSWORD)).json()["code"] == "HB-IDN-001"
    assert [(f["person"], f["reason"]) for f in await world.facts("CertificateEndedV1")] == [(TEACHER, "person left")]
    states = [r["state"] async for r in world.db["registrations"].find({"owner": TEACHER, "year": YEAR})]
    assert states == ["ENDED"]
    token = link["links"][0]["address"].partition("?t=")[2]
    assert (await world.browser().ask("GET", f"/ui/identity/sign-in/reset?t={token}")).status_code == 410
    given = await administrator.post(f"/api/identity/schools/{SCHOOL}/credentials", {"persons": [TEACHER]})
    assert [g["code"] for g in given] == ["HB-IDN-054"]
    said = await administrator.post("/api/identity/recoveries/links", {"persons": [TEACHER]})
    assert [item["code"] for item in said["refused"]] == ["HB-IDN-054"]
    assert TEACHER not in await codes(administrator)
    assert await codes(administrator, state="left") == [TEACHER]
    await world.import_staff(STAFF)
    assert (await one(administrator, TEACHER))["roles"] == [], "an import that still names them does not bring them back"
    assert await refusal(administrator, f"{PEOPLE}/leave", {"code": TEACHER, **LEAVE}) == "HB-IDN-054"
    entry = (await world.audit("person left"))[0]
    assert entry["details"] == {**LEAVE, "before": ["homeroom_teacher", "subject_teacher"]}
    back = await administrator.post(f"{PEOPLE}/return", {"code": TEACHER})
    assert (back["roles"], back["has_password"]) == (["homeroom_teacher", "subject_teacher"], False)
    assert (await world.browser().sign_in(TEACHER, PASSWORD)).status_code == 401
    again = await world.staff_member(administrator, TEACHER)
    assert (await again.get("/api/identity/me"))["name"] == "Nguyễn Văn 6"
    assert await refusal(administrator, f"{PEOPLE}/return", {"code": TEACHER}) == "HB-IDN-056"


async def test_a_waiting_request_for_a_new_password_ends_with_leaving(world: World) -> None:
    administrator = await world.school()
    await world.browser().ask("POST", "/ui/identity/sign-in/forgotten", data={"version": "TH", "username": TEACHER})
    await administrator.post(f"{PEOPLE}/leave", {"code": TEACHER, **LEAVE})
    assert await administrator.get("/api/identity/recoveries") == []
    await world.browser().ask("POST", "/ui/identity/sign-in/forgotten", data={"version": "TH", "username": TEACHER})
    assert await administrator.get("/api/identity/recoveries") == []


async def test_a_changed_personal_id_ends_the_certificate_of_somebody_by_hand(world: World) -> None:
    administrator = await world.school()
    await administrator.post(PEOPLE, {**BY_HAND, "position": "Nhân viên"})
    await administrator.post("/api/identity/issuers", {"persons": ["tam-01"], "granted": True})
    issuer = await world.staff_member(administrator, "tam-01")
    await world.enrol(person_at_provider(77))
    await issuer.register("/api/identity/signing-accounts", login("u77"))
    await administrator.post("/api/identity/signing-accounts/approve", {"persons": ["tam-01"]})
    await administrator.post(f"{PEOPLE}/correct", {**BY_HAND, "position": "Nhân viên", "personal_id": personal_id(78)})
    assert [(f["person"], f["reason"]) for f in await world.facts("CertificateEndedV1")] == [("tam-01", "personal id changed")]


async def test_nobody_lets_themselves_go_corrects_or_brings_back_themselves(world: World) -> None:
    administrator = await world.school()
    own = code(3)
    assert await refusal(administrator, f"{PEOPLE}/leave", {"code": own, **LEAVE}) == "HB-IDN-031"
    assert await refusal(administrator, f"{PEOPLE}/correct", {**BY_HAND, "code": own}) == "HB-IDN-031"
    assert await refusal(administrator, f"{PEOPLE}/return", {"code": own}) == "HB-IDN-031"
    for path in ("unlock", "sign-out"):
        said = await administrator.post(f"{PEOPLE}/{path}", {"persons": [own]})
        assert [item["code"] for item in said["items"]] == ["HB-IDN-031"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"on": (TODAY + dt.timedelta(days=2)).isoformat(), "reason": "x"}, "HB-IDN-057"),
        ({"on": TODAY.isoformat(), "reason": "  "}, "HB-IDN-029"),
        ({"on": "hôm nay", "reason": "x"}, "HB-WEB-422"),
    ],
)
async def test_leaving_needs_a_day_that_has_come_and_a_reason(world: World, body: dict[str, str], said: str) -> None:
    administrator = await world.school()
    assert await refusal(administrator, f"{PEOPLE}/leave", {"code": TEACHER, **body}) == said


async def test_the_pages_enter_correct_let_go_and_bring_back(world: World) -> None:
    administrator = await world.school()
    csrf = await csrf_of(administrator)

    async def send(path: str, **form: str) -> Any:
        return await administrator.ask("POST", f"{ACCOUNTS}/{path}", data={"csrf": csrf, **form})

    wrong = await send("new", code="a b", name="", personal_id="12", position="")
    assert wrong.status_code == 422
    assert all(f'href="#{field}"' in wrong.text for field in ("code", "name", "personal_id", "position"))
    assert (await send("new", **{**BY_HAND, "code": TEACHER})).status_code == 422
    done = await send("new", **BY_HAND)
    assert done.status_code == 303
    page = (await administrator.ask("GET", done.headers["Location"])).text
    assert "Đã thêm nhân sự." in page
    assert "Sửa thông tin" in page
    done = await send("correct", **{**BY_HAND, "name": "Lê Thị Bích"})
    assert "Lê Thị Bích" in (await administrator.ask("GET", done.headers["Location"])).text
    assert (await send("correct", **{**BY_HAND, "personal_id": personal_id(6)})).status_code == 422
    assert 'href="#on"' in (await send("leave", code="tam-01", on="mai", reason="x")).text
    assert 'href="#reason"' in (await send("leave", code="tam-01", on=f"{TODAY:%d/%m/%Y}", reason="")).text
    done = await send("leave", code="tam-01", on=f"{TODAY:%d/%m/%Y}", reason="Hết hợp đồng")
    page = (await administrator.ask("GET", done.headers["Location"])).text
    assert f"Đã nghỉ, chuyển đi từ {TODAY:%d/%m/%Y}." in page
    assert "Hết hợp đồng" in page
    done = await send("return", code="tam-01")
    assert "Đã ghi nhận trở lại." in (await administrator.ask("GET", done.headers["Location"])).text
    for path in ("new", "correct", "leave", "return"):
        answer = await administrator.ask("POST", f"{ACCOUNTS}/{path}", data={"csrf": "0" * 64, **BY_HAND})
        assert (answer.status_code, "HB-IDN-006" in answer.text) == (403, True)


async def test_long_lists_are_paged_and_the_filter_reaches_beyond_the_page(world: World) -> None:
    administrator = await world.school()
    await world.import_staff([*STAFF, *(member(n) for n in range(100, 170))])
    page = (await administrator.ask("GET", ACCOUNTS)).text
    assert len(re.findall(r'name="ids"', page)) == 50
    assert "Chọn tất cả 76 theo bộ lọc" in page
    second = (await administrator.ask("GET", f"{ACCOUNTS}?page=2")).text
    assert len(re.findall(r'name="ids"', second)) == 26
    done = await act(administrator, "unlock", all="1", filter="?")
    assert "n=75" in done.headers["Location"], "everybody but oneself"
