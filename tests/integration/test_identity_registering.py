"""The pages 1.1 and 1.2 step by step at a real provider, and "Lấy dữ liệu năm học trước"."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from contracts.events.district import CertificateDecidedV1
from infra.local import Stack
from infra.sandbox.provider.modes import PIN
from tests.integration.identity_world import (
    STAFF,
    Browser,
    World,
    code,
    login,
    member,
    person_at_provider,
    personal_id,
    world_of,
)

ACCOUNTS = "/api/identity/signing-accounts"
SCHOOL_CERTIFICATE = "/api/identity/school-certificate"
ACCOUNT_PAGE = "/ui/identity/signing-account/"
SCHOOL_PAGE = "/ui/identity/school-certificate"
NEXT_YEAR = "2026-2027"
TAX_CODE = "0231300001"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


def organisation(user: str, **more: object) -> dict[str, Any]:
    return {"user": user, "kind": "organisation", "name": "Trường Tiểu học An Hồng", "identifier": TAX_CODE, **more}


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def phone_says(world: World, mode: str, user: str | None = None) -> None:
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        (await provider.post("/control/phone", json={"mode": mode, "delay_ms": 0, "user": user})).raise_for_status()


async def confirm_all(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        for asked in (await provider.get("/control/phone/pending")).json()["pending"]:
            await provider.post(f"/phone/{asked['handle']}/confirm")


async def decide(world: World, kind: Any, *, approved: bool = True, reason: str = "") -> None:
    """About what was asked for last."""
    request = (await world.facts("CertificateRequestedV1"))[-1]["subject"]
    await world.decide(request, CertificateDecidedV1(kind=kind, approved=approved, reason=reason))


async def logged_in(browser: Browser, page: str, user: str, password: str = "1234", reason: str = "") -> httpx.Response:
    """The means chosen and the account at the provider typed in, by the forms; the answer to the latter."""
    first = await browser.ask("GET", page)
    form = {"csrf": csrf_of(first), "means": "remote", "provider": "sandbox", "reason": reason}
    asked = await browser.ask("POST", page, data=form)
    assert ("Tên đăng nhập" in asked.text, "Mật khẩu" in asked.text) == (True, True)
    action = re.search(r'<form method="post" action="([^"]+/login)"', asked.text)
    assert action
    given = {"csrf": csrf_of(asked), "provider": "sandbox", "reason": reason, "username": user, "password": password}
    return await browser.ask("POST", action[1], data=given)


async def chosen(browser: Browser, address: str) -> httpx.Response:
    """The first certificate that can be chosen, taken; the page that waits for the key."""
    page = await browser.ask("GET", address)
    credential = re.search(r'name="credential" type="radio" value="([^"]+)"', page.text)
    assert credential, page.text
    taken = await browser.ask("POST", address, data={"csrf": csrf_of(page), "credential": credential[1]})
    assert (taken.status_code, taken.headers.get("Location")) == (303, address)
    return await browser.ask("GET", address)


async def test_a_teacher_registers_by_the_pages_of_the_guide(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "giang"), person_at_provider(6, "giang", label="2", defects=["expired"]))
    await phone_says(world, "manual")
    teacher = await world.staff_member(administrator, code(6))
    shown = await teacher.ask("GET", ACCOUNT_PAGE)
    for words in ("1. Hệ thống / 1.2. Giáo viên đăng ký tài khoản ký", "Thông tin đăng ký tài khoản chữ ký số", "Chưa đăng ký"):
        assert words in shown.text
    for words in ("USB Token", "Remote Signing", "Nhà phát hành", "Đăng ký tài khoản ký"):
        assert words in shown.text
    answer = await logged_in(teacher, ACCOUNT_PAGE, "giang")
    address = answer.headers["Location"]
    offers = (await teacher.ask("GET", address)).text
    assert ("đã hết hạn từ ngày" in offers, "Không dùng được" in offers, offers.count('name="credential"')) == (True, True, 1)
    for words in ("•••••••••006", "ECDSA 256 bit, SHA-256", "Ký số", "Thời hạn còn lại", "Số sê-ri"):
        assert words in offers
    assert personal_id(6) not in offers
    waiting = await chosen(teacher, address)
    for words in ("Chờ xác nhận ký số", 'http-equiv="refresh"', 'hx-trigger="every 2s"'):
        assert words in waiting.text
    teacher.client.headers["HX-Request"] = "true"
    panel = await teacher.ask("GET", address)
    assert (panel.status_code, "<html" in panel.text, "Chờ xác nhận ký số" in panel.text) == (200, False, True)
    assert await world.db["registrations"].count_documents({}) == 0
    await confirm_all(world)
    assert (await teacher.ask("GET", address)).headers["HX-Redirect"] == f"{ACCOUNT_PAGE}?done=1"
    del teacher.client.headers["HX-Request"]
    over = await teacher.ask("GET", address)
    assert (over.status_code, over.headers["Location"]) == (303, f"{ACCOUNT_PAGE}?done=1")
    done = (await teacher.ask("GET", over.headers["Location"])).text
    told = "Đăng ký thành công tài khoản, CBQL/Quản trị viên chọn đến mục 1.3. Duyệt tài khoản ký để duyệt tài khoản."
    assert (told in done, "Đã đăng ký, chờ duyệt" in done, "Đăng ký lại" in done) == (True, True, False)


async def test_an_account_with_a_pin_and_a_password_that_is_sent_is_registered_by_typing_them(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "by-pin"))
    async with httpx.AsyncClient(base_url=world.provider, trust_env=False) as provider:
        (await provider.post("/control/modes", json={"user": "by-pin", "confirmation": "pin_otp"})).raise_for_status()
        teacher = await world.staff_member(administrator, code(6))
        address = (await logged_in(teacher, ACCOUNT_PAGE, "by-pin")).headers["Location"]
        page = await teacher.ask("GET", address)
        credential = re.search(r'name="credential" type="radio" value="([^"]+)"', page.text)
        assert credential, page.text
        form = {"csrf": csrf_of(page), "credential": credential[1], "password-0": PIN}
        for said in ("Đã gửi mã OTP.", "Mã OTP vừa được gửi"):
            sent = await teacher.ask("POST", f"{address}/code", data=form)
            assert said in (await teacher.ask("GET", sent.headers["Location"])).text
        missing = await teacher.ask("POST", address, data=form)
        assert (missing.status_code, "Nhập Mã OTP gửi qua tin nhắn." in missing.text, PIN in missing.text) == (422, True, False)
        once = (await provider.get("/control/codes")).json()["by-pin"]
    assert (await teacher.ask("POST", address, data={**form, "password-1": once})).headers["Location"] == address
    assert (await teacher.ask("GET", address)).headers["Location"] == f"{ACCOUNT_PAGE}?done=1"
    assert await world.db["registrations"].count_documents({}) == 1
    assert not [proof async for proof in world.db["proofs"].find({}) if PIN in str(proof)]


async def test_an_account_that_is_authorised_on_the_providers_page_is_registered_there_and_back(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "on-page"))
    async with httpx.AsyncClient(base_url=world.provider, timeout=30, trust_env=False) as provider:
        (await provider.post("/control/modes", json={"user": "on-page", "confirmation": "page"})).raise_for_status()
        teacher = await world.staff_member(administrator, code(6))
        address = (await logged_in(teacher, ACCOUNT_PAGE, "on-page")).headers["Location"]
        assert "Đến trang của nhà cung cấp để xác nhận" in (await chosen(teacher, address)).text
        away = (await teacher.ask("GET", f"{address}/provider")).headers["Location"]
        asked = dict(parse_qsl(urlsplit(away).query))
        assert "Số chữ ký: 1" in (await provider.get(away)).text
        given = {**asked, "user": "on-page", "password": "1234"}
        back = urlsplit((await provider.post(away.partition("?")[0], data=given)).headers["location"])
    callback = f"{back.path}?{back.query}"
    assert (await teacher.ask("GET", callback)).headers["Location"] == address
    assert (await teacher.ask("GET", address)).headers["Location"] == f"{ACCOUNT_PAGE}?done=1"
    assert (await teacher.ask("GET", callback)).status_code == 409
    assert await world.db["registrations"].count_documents({}) == 1


async def test_a_wrong_login_is_said_in_the_words_of_the_guide_and_the_password_is_not_shown_again(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "wrong-login"))
    teacher = await world.staff_member(administrator, code(6))
    page = await logged_in(teacher, ACCOUNT_PAGE, "wrong-login", "mật khẩu sai")
    assert (page.status_code, "Thông tin thẻ không tồn tại hoặc không đúng" in page.text) == (422, True)
    assert ("wrong-login" in page.text, "mật khẩu sai" in page.text) == (True, False)
    assert await world.db["proofs"].count_documents({}) == 0


async def test_what_is_missing_in_a_form_is_said_at_its_field(world: World) -> None:
    administrator = await world.school()
    page = await administrator.ask("GET", ACCOUNT_PAGE)
    form = {"csrf": csrf_of(page), "means": "", "provider": ""}
    for order, words in (({}, "Chọn kiểu chữ ký."), ({"means": "remote"}, "Chọn nhà phát hành.")):
        answer = await administrator.ask("POST", ACCOUNT_PAGE, data={**form, **order})
        assert (answer.status_code, answer.text.count(words) >= 2) == (422, True)
    login_form = {"csrf": csrf_of(page), "provider": "sandbox", "username": " ", "password": ""}
    answer = await administrator.ask("POST", f"{ACCOUNT_PAGE}login", data=login_form)
    assert (answer.status_code, "Nhập tên đăng nhập." in answer.text, "Nhập mật khẩu." in answer.text) == (422, True, True)
    token = await administrator.ask("POST", ACCOUNT_PAGE, data={**form, "means": "token"})
    assert (token.status_code, "Chưa có chương trình ký số nào" in token.text) == (422, True)
    for path in (ACCOUNT_PAGE, f"{ACCOUNT_PAGE}login", f"{ACCOUNT_PAGE}copy", SCHOOL_PAGE, f"{SCHOOL_PAGE}/login", f"{SCHOOL_PAGE}/copy"):
        assert (await administrator.ask("POST", path, data={**form, "csrf": "x"})).status_code == 403


async def test_a_no_on_the_phone_is_shown_with_what_to_do_next(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "says-no"))
    await phone_says(world, "reject")
    teacher = await world.staff_member(administrator, code(6))
    address = (await logged_in(teacher, ACCOUNT_PAGE, "says-no")).headers["Location"]
    ended = await chosen(teacher, address)
    assert ("bị từ chối trên điện thoại" in ended.text, "Đăng ký lại" in ended.text, "hx-get" in ended.text) == (True, True, False)
    assert await world.db["registrations"].count_documents({}) == 0


async def test_a_refused_teacher_sees_the_reason_on_the_page_and_registers_again(world: World) -> None:
    administrator = await world.school()
    await world.enrol(person_at_provider(6, "again"))
    teacher = await world.staff_member(administrator, code(6))
    await teacher.register(ACCOUNTS, login("again"))
    await administrator.post(f"{ACCOUNTS}/refuse", {"persons": [code(6)], "reason": "Nhầm chứng thư số cũ"})
    page = (await teacher.ask("GET", ACCOUNT_PAGE)).text
    for words in ("Từ chối duyệt", "Lý do từ chối", "Nhầm chứng thư số cũ", "Đăng ký lại", "Đăng ký tài khoản ký"):
        assert words in page
    address = (await logged_in(teacher, ACCOUNT_PAGE, "again")).headers["Location"]
    await chosen(teacher, address)
    await confirm_all(world)
    assert (await teacher.ask("GET", address)).status_code == 303
    assert "Đã đăng ký, chờ duyệt" in (await teacher.ask("GET", ACCOUNT_PAGE)).text


async def test_a_school_registers_again_by_the_page_while_the_old_certificate_goes_on(world: World) -> None:
    administrator = await world.school()
    await world.enrol(organisation("old-seal"), organisation("new-seal"))
    first = await administrator.ask("GET", SCHOOL_PAGE)
    assert ("Quản lý con dấu trường" in first.text, "Chưa có yêu cầu đăng ký nào." in first.text) == (True, True)
    await administrator.register(SCHOOL_CERTIFICATE, login("old-seal"))
    assert "Chờ duyệt đăng ký" in (await administrator.ask("GET", SCHOOL_PAGE)).text
    await decide(world, "school")
    approved = await administrator.ask("GET", SCHOOL_PAGE)
    for words in ("Đã duyệt", "Gửi yêu cầu đăng ký lại", "Lý do đăng ký lại"):
        assert words in approved.text
    form = {"csrf": csrf_of(approved), "means": "remote", "provider": "sandbox", "reason": " "}
    without = await administrator.ask("POST", SCHOOL_PAGE, data=form)
    assert (without.status_code, "Chưa nêu lý do." in without.text) == (422, True)
    address = (await logged_in(administrator, SCHOOL_PAGE, "new-seal", reason="Đổi nhà cung cấp")).headers["Location"]
    await chosen(administrator, address)
    over = await administrator.ask("GET", address)
    assert over.headers["Location"] == f"{SCHOOL_PAGE}?done=1"
    page = (await administrator.ask("GET", over.headers["Location"])).text
    for words in ("Đăng ký thay đổi thông tin thành công", "vẫn ký phát hành bằng chứng thư số này", "Chờ duyệt đăng ký"):
        assert words in page
    history = page.split("Lịch sử yêu cầu đăng ký chứng thư số")[-1]
    assert ("Trần Thị Sở" in history, "Đổi nhà cung cấp" in history, history.count("Trường Tiểu học An Hồng") >= 2) == (True, True, True)
    assert await world.facts("CertificateEndedV1") == []


async def test_the_home_page_and_the_menu_lead_to_the_pages(world: World) -> None:
    administrator = await world.school()
    home = (await administrator.ask("GET", "/ui/identity/")).text
    for words, address in (("Quản lý con dấu trường", SCHOOL_PAGE), ("Giáo viên đăng ký tài khoản ký", ACCOUNT_PAGE)):
        assert (words in home, home.count(f'href="{address}"') >= 2) == (True, True)
    teacher = await world.staff_member(administrator, code(6))
    assert SCHOOL_PAGE not in (await teacher.ask("GET", "/ui/identity/")).text
    assert (await teacher.ask("GET", SCHOOL_PAGE)).status_code == 403


# last school year's data


async def approved_last_year(world: World, administrator: Browser, account: str, *numbers: int) -> dict[int, Browser]:
    """Their accounts registered and approved, and then the next school year."""
    await world.enrol(*(person_at_provider(number, f"{account}-{number}") for number in numbers))
    browsers = {}
    for number in numbers:
        browser = administrator if number == 3 else await world.staff_member(administrator, code(number))
        assert (await browser.register(ACCOUNTS, login(f"{account}-{number}")))["state"] == "PROVED"
        browsers[number] = browser
    await world.db["registrations"].update_many({}, {"$set": {"state": "APPROVED"}})
    await world.db["registrations"].update_many({}, [{"$set": {"slot": {"$concat": ["person:", "$owner", ":", "$year", ":APPROVED"]}}}])
    await world.import_staff(STAFF, year=NEXT_YEAR)
    return browsers


async def of_this_year(world: World) -> dict[str, Any]:
    return {r["owner"]: r async for r in world.db["registrations"].find({"year": NEXT_YEAR})}


async def test_what_still_holds_is_copied_in_one_act_and_the_rest_says_why_not(world: World, light_stack: Stack) -> None:
    administrator = await world.school()
    await approved_last_year(world, administrator, "bulk", 1, 3, 6, 7)
    proofs_before = await world.db["proofs"].count_documents({})
    gone = await world.db["registrations"].find_one({"owner": code(7)})
    assert gone is not None
    async with httpx.AsyncClient(base_url=light_stack.info["sandbox"]["pki"], trust_env=False) as pki:
        (await pki.post("/control/revoke", json={"serial": gone["facts"]["serial"]})).raise_for_status()
    done = await administrator.post(f"{ACCOUNTS}/copy", {"all": True})
    assert {i["person"]: i["code"] for i in done["items"]} == {code(1): None, code(3): None, code(6): None, code(7): "HB-IDN-035"}
    made = await of_this_year(world)
    assert {owner: r["state"] for owner, r in made.items()} == {code(1): "PENDING", code(3): "PENDING", code(6): "APPROVED"}
    assert (made[code(6)]["decided_by"], made[code(6)]["proof"]["text"] != "") == (code(3), True)
    assert [(f["person"], f["year"]) for f in await world.facts("CertificateApprovedV1")] == [(code(6), NEXT_YEAR)]
    assert [f["person"] for f in await world.facts("CertificateRequestedV1")][-1] == code(1)
    assert await world.db["proofs"].count_documents({}) == proofs_before
    again = await administrator.post(f"{ACCOUNTS}/copy", {"all": True})
    assert {i["person"]: i["code"] for i in again["items"]} == {code(7): "HB-IDN-035"}


async def test_of_those_named_each_has_an_own_outcome(world: World) -> None:
    administrator = await world.school()
    await approved_last_year(world, administrator, "named", 6, 7)
    changed = [m if m.code != code(7) else member(7).model_copy(update={"personal_id": personal_id(8)}) for m in STAFF]
    await world.import_staff(changed, year=NEXT_YEAR)
    named = {"persons": [code(6), code(7), code(4), "khong-co"]}
    first = await administrator.post(f"{ACCOUNTS}/copy", named)
    assert [i["code"] for i in first["items"]] == [None, "HB-IDN-027", "HB-IDN-088", "HB-IDN-088"]
    second = await administrator.post(f"{ACCOUNTS}/copy", {"persons": [code(6)]})
    assert [i["code"] for i in second["items"]] == ["HB-IDN-089"]
    teacher = await world.staff_member(administrator, code(6))
    assert (await teacher.ask("POST", f"{ACCOUNTS}/copy", json=named)).status_code == 403


async def test_a_teacher_copies_the_own_account_and_it_waits_for_approval(world: World) -> None:
    administrator = await world.school()
    teacher = (await approved_last_year(world, administrator, "own", 6))[6]
    page = await teacher.ask("GET", ACCOUNT_PAGE)
    assert ("Chưa đăng ký" in page.text, "Lấy dữ liệu năm học trước" in page.text) == (True, True)
    done = await teacher.ask("POST", f"{ACCOUNT_PAGE}copy", data={"csrf": csrf_of(page)})
    shown = (await teacher.ask("GET", done.headers["Location"])).text
    assert ("Đã lấy dữ liệu năm học trước" in shown, "Đã đăng ký, chờ duyệt" in shown) == (True, True)
    twice = await teacher.ask("POST", f"{ACCOUNT_PAGE}copy", data={"csrf": csrf_of(page)})
    assert "refused=HB-IDN-089" in twice.headers["Location"]
    assert "Đã có đăng ký trong năm học này" in (await teacher.ask("GET", twice.headers["Location"])).text
    assert (await administrator.post(f"{ACCOUNTS}/approve", {"persons": [code(6)]}))["done"] == 1


async def test_the_school_certificate_of_last_year_waits_for_the_oversight_unit_again(world: World) -> None:
    administrator = await world.school()
    nothing = await administrator.ask("POST", f"{SCHOOL_CERTIFICATE}/copy")
    assert nothing.json()["code"] == "HB-IDN-088"
    await world.enrol(organisation("seal-of-years"))
    await administrator.register(SCHOOL_CERTIFICATE, login("seal-of-years"))
    await decide(world, "school")
    await world.import_staff(STAFF, year=NEXT_YEAR)
    assert "Lấy dữ liệu năm học trước" in (await administrator.ask("GET", SCHOOL_PAGE)).text
    assert (await administrator.post(f"{SCHOOL_CERTIFICATE}/copy"))["state"] == "PENDING"
    await decide(world, "school")
    shown = await administrator.get(SCHOOL_CERTIFICATE)
    assert (shown["state"], shown["active"]["certificate"]["subject"]) == ("APPROVED", "Trường Tiểu học An Hồng")
    assert {f["year"] for f in await world.facts("CertificateApprovedV1")} == {"2025-2026", NEXT_YEAR}
    assert await world.facts("CertificateEndedV1") == []
