"""1.3. Duyệt tài khoản ký: hundreds decided in one act, what could not be done and trying only that again, one person's account."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from html import unescape
from typing import Any

import httpx
import openpyxl
import pytest

from infra.local import Stack
from services.chassis import clock
from services.chassis.aggregates import save
from services.chassis.mongo import Session, transaction
from services.identity.certificates import registrations as certificates
from services.identity.certificates import revocation
from services.identity.certificates.registrations import Wanted
from services.identity.store import one
from services.means.remote import Credential
from tests.integration.identity_world import SCHOOL, STAFF, YEAR, Browser, World, code, member, personal_id, world_of

PAGE = "/ui/identity/signing-accounts"
API = "/api/identity/signing-accounts"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


@pytest.fixture
async def pki(light_stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=light_stack.info["sandbox"]["pki"], timeout=60, trust_env=False) as client:
        (await client.delete("/control/faults")).raise_for_status()
        yield client
        (await client.delete("/control/faults")).raise_for_status()


def teachers(numbers: Iterable[int]) -> tuple[Any, ...]:
    return (*STAFF, *(member(n) for n in numbers))


async def waiting(world: World, pki: httpx.AsyncClient, numbers: Iterable[int], **order: Any) -> None:
    """Signing accounts of people of the staff, registered with certificates of the sandbox PKI; the way there is tested elsewhere."""
    school = await one(world.db, "schools", SCHOOL)
    assert school is not None
    changes = []
    for number in numbers:
        wish = {"kind": "personal", "name": f"Nguyễn Văn {number}", "identifier": personal_id(number), "key": "p256", **order}
        answer = await pki.post("/control/certificates", json=wish)
        answer.raise_for_status()
        made = answer.json()
        chain = tuple(ssl.PEM_cert_to_DER_cert(each) for each in made["chain"])
        held = Credential(made["serial"], ssl.PEM_cert_to_DER_cert(made["certificate"]), chain, (), "2", 100)
        person = await one(world.db, "people", code(number))
        assert person is not None
        wanted = Wanted("person", school, person)
        [candidate] = world.app.state.registry.judged(wanted, [held])
        at = clock.now()
        proof = {"text": "", "signature": "", "scheme": "ecdsa", "at": at}
        change = certificates.register(
            wanted, candidate, means="remote", provider="sandbox", proof=proof, reason="", waiting=None, approved=None, at=at
        )
        assert change is not None
        changes.append(change)

    async def work(session: Session) -> None:
        await save(world.db, session, "registrations", changes, actor="test")

    await transaction(world.db, work)


async def revoke(world: World, pki: httpx.AsyncClient, number: int) -> None:
    registration = await world.db["registrations"].find_one({"owner": code(number)})
    assert registration is not None
    (await pki.post("/control/revoke", json={"serial": registration["facts"]["serial"]})).raise_for_status()


async def states(world: World) -> dict[str, str]:
    return {r["owner"]: r["state"] async for r in world.db["registrations"].find({})}


async def page_of(browser: Browser, path: str) -> str:
    page = await browser.ask("GET", path)
    assert page.status_code == 200, page.text
    return unescape(page.text)


async def csrf_of(browser: Browser) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', await page_of(browser, PAGE))
    assert found
    return found[1]


async def act(browser: Browser, decision: str, ids: Iterable[str] = (), **more: str) -> httpx.Response:
    return await browser.ask("POST", PAGE, data={"csrf": await csrf_of(browser), "decision": decision, "ids": list(ids), **more})


async def followed(browser: Browser, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return await page_of(browser, answer.headers["Location"])


# --- many at once


async def test_fifty_ticked_accounts_are_approved_in_one_act(world: World, pki: httpx.AsyncClient) -> None:
    numbers = range(100, 150)
    administrator = await world.school(teachers(numbers))
    await waiting(world, pki, numbers)
    page = await followed(administrator, await act(administrator, "approve", map(code, numbers)))
    assert "Đã duyệt 50 tài khoản." in page
    assert set((await states(world)).values()) == {"APPROVED"}
    assert len(await world.facts("CertificateApprovedV1")) == len(await world.audit("signing account decided")) == 50


async def test_two_hundred_over_all_pages_are_approved_by_the_filter_in_one_act(world: World, pki: httpx.AsyncClient) -> None:
    numbers = range(100, 300)
    administrator = await world.school(teachers(numbers))
    await waiting(world, pki, numbers)
    page = await page_of(administrator, f"{PAGE}?state=PENDING")
    assert "Chọn 50 trên trang" in page
    assert "Chọn tất cả 200 theo bộ lọc" in page
    page = await followed(administrator, await act(administrator, "approve", all="1", filter="?state=PENDING"))
    assert "Đã duyệt 200 tài khoản." in page
    assert list((await states(world)).values()) == ["APPROVED"] * 200


async def test_all_by_the_filter_are_those_whom_the_filter_finds_and_no_others(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers(range(100, 104)))
    await waiting(world, pki, range(100, 104))
    await followed(administrator, await act(administrator, "approve", all="1", filter=f"?name={code(102)}"))
    assert [owner for owner, state in (await states(world)).items() if state == "APPROVED"] == [code(102)]


async def test_what_cannot_be_done_is_listed_with_its_reason_while_the_rest_is_done(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers(range(100, 104)))
    await waiting(world, pki, [1, 3, *range(100, 104)])
    await revoke(world, pki, 101)
    page = await followed(administrator, await act(administrator, "approve", all="1"))
    assert "Kết quả duyệt tài khoản đăng ký" in page
    assert "Đã duyệt 3 tài khoản." in page
    assert {refusal for refusal in ("HB-IDN-031", "HB-IDN-033", "HB-IDN-035") if refusal in page} == {
        "HB-IDN-031",
        "HB-IDN-033",
        "HB-IDN-035",
    }
    assert "Không ai được tự duyệt tài khoản ký" in page
    assert "đã bị thu hồi từ" in page
    assert {owner for owner, state in (await states(world)).items() if state == "PENDING"} == {code(1), code(3), code(101)}
    assert "Thực hiện lại" not in page, "none of the three can be approved by trying again"


async def test_only_what_was_not_done_is_tried_again(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers(range(100, 103)))
    await waiting(world, pki, range(100, 103))
    for endpoint in ("ocsp", "crl"):
        (await pki.post("/control/faults", json={"endpoint": endpoint, "down": True})).raise_for_status()
    page = await followed(administrator, await act(administrator, "approve", map(code, range(100, 103))))
    assert page.count("HB-IDN-036") == 3
    again = re.findall(r'name="ids" value="([^"]+)"', page)
    assert "Thực hiện lại với 3 tài khoản" in page
    assert sorted(again) == [code(n) for n in range(100, 103)]
    (await pki.delete("/control/faults")).raise_for_status()
    assert "Đã duyệt 3 tài khoản." in await followed(administrator, await act(administrator, "approve", again))


async def test_the_outcome_of_an_act_is_shown_to_nobody_but_who_did_it(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school()
    await waiting(world, pki, [3])
    told = await act(administrator, "approve", [code(3)])
    manager = await world.staff_member(administrator, code(2))
    assert (await administrator.ask("GET", told.headers["Location"])).status_code == 200
    assert (await manager.ask("GET", told.headers["Location"])).status_code == 404
    assert (await manager.ask("GET", f"{PAGE}/outcomes/none")).status_code == 404


async def test_refusing_asks_for_one_reason_and_every_refused_person_gets_it(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers(range(100, 103)))
    await waiting(world, pki, range(100, 103))
    asked = await act(administrator, "refuse", all="1", filter="?state=PENDING")
    assert "Lý do từ chối" in asked.text
    ids = re.findall(r'name="ids" value="([^"]+)"', asked.text)
    assert len(ids) == 3
    assert (await act(administrator, "refuse", ids, reason="   ")).status_code == 422
    page = await followed(administrator, await act(administrator, "refuse", ids, reason="Sai số định danh"))
    assert "Đã từ chối 3 tài khoản." in page
    assert page.count("Sai số định danh") == 3
    assert set((await states(world)).values()) == {"REFUSED"}


async def test_nothing_ticked_is_said_and_an_unknown_act_or_another_form_is_refused(world: World) -> None:
    administrator = await world.school()
    assert "Chưa chọn tài khoản nào đang chờ duyệt." in await followed(administrator, await act(administrator, "approve"))
    assert (await act(administrator, "explode", [code(6)])).status_code == 404
    assert (await administrator.ask("POST", PAGE, data={"csrf": "x", "decision": "approve", "ids": [code(6)]})).status_code == 403
    teacher = await world.staff_member(administrator, code(6))
    assert (await teacher.ask("GET", PAGE)).status_code == 403


async def test_hundreds_are_asked_about_with_a_bounded_number_of_questions_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = 0, 0

    async def one_question(*_: object) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1

    monkeypatch.setattr(revocation, "_one", one_question)
    answers = await revocation.ask([(str(n).encode(), ()) for n in range(200)], [])
    assert answers == [None] * 200
    assert 1 < most <= revocation.AT_ONCE


# --- the right to issue, last year's accounts


async def test_the_right_to_issue_is_granted_and_taken_in_bulk_but_never_for_oneself(world: World) -> None:
    administrator = await world.school(teachers(range(100, 103)))
    page = await followed(administrator, await act(administrator, "grant", [code(n) for n in (3, 100, 101)]))
    assert "Đã phân quyền cho 2 nhân sự." in page
    assert "HB-IDN-031" in page
    assert "Thực hiện lại" not in page
    granted = {row["person"] for row in await administrator.get(API) if row["may_issue"]}
    assert granted == {code(4), code(100), code(101)}
    await followed(administrator, await act(administrator, "take", [code(100)]))
    assert {row["person"] for row in await administrator.get(API) if row["may_issue"]} == {code(4), code(101)}
    manager = await world.staff_member(administrator, code(2))
    assert "Phân quyền" not in await page_of(manager, PAGE)
    assert (await act(manager, "grant", [code(102)])).status_code == 403


async def test_the_right_to_issue_is_set_on_the_page_of_the_person(world: World) -> None:
    administrator = await world.school()
    csrf = await csrf_of(administrator)
    page = await page_of(administrator, f"{PAGE}/{code(6)}")
    assert "Đóng dấu" in page
    for ticked, expected in (({"issuer": "1"}, True), ({}, False)):
        answer = await administrator.ask("POST", f"{PAGE}/{code(6)}/issuer", data={"csrf": csrf, **ticked})
        assert "Đã lưu thông tin ký số nhân sự." in await followed(administrator, answer)
        person = await one(world.db, "people", code(6))
        assert person is not None
        assert ("issuer" in person["roles"]) is expected
    own = await administrator.ask("POST", f"{PAGE}/{code(3)}/issuer", data={"csrf": csrf, "issuer": "1"})
    assert own.status_code == 403
    assert (await administrator.ask("POST", f"{PAGE}/{code(6)}/issuer", data={"csrf": "x"})).status_code == 403


async def test_last_years_accounts_are_taken_over_in_one_act(world: World, pki: httpx.AsyncClient) -> None:
    numbers = range(100, 103)
    administrator = await world.school(teachers(numbers))
    await waiting(world, pki, numbers)
    await followed(administrator, await act(administrator, "approve", map(code, numbers)))
    await world.import_staff(teachers(numbers), year="2026-2027")
    assert "Chưa đăng ký" in await page_of(administrator, f"{PAGE}?name={code(100)}")
    csrf = await csrf_of(administrator)
    answer = await administrator.ask("POST", f"{PAGE}/copy", data={"csrf": csrf})
    assert "Đã lấy dữ liệu năm trước cho 3 tài khoản." in await followed(administrator, answer)
    found = await world.db["registrations"].find({"year": "2026-2027"}).to_list(None)
    assert {(r["owner"], r["state"]) for r in found} == {(code(n), "APPROVED") for n in numbers}
    assert await world.db["registrations"].count_documents({"year": YEAR, "state": "APPROVED"}) == 3
    again = await act(administrator, "copy", [code(100), code(6)])
    page = await followed(administrator, again)
    assert "Không thực hiện được" in page
    assert "Thực hiện lại" not in page


# --- the list


async def test_the_list_counts_every_state_and_shows_what_a_filter_finds(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers(range(100, 104)))
    await waiting(world, pki, range(100, 104))
    await act(administrator, "approve", [code(100)])
    await act(administrator, "refuse", [code(101)], reason="Nhầm")
    page = await page_of(administrator, PAGE)
    for words in ("Tất cả (10)", "Đã đăng ký, chờ duyệt (2)", "Đã duyệt tài khoản (1)", "Từ chối duyệt (1)", "Chưa đăng ký (6)"):
        assert words in page
    assert "Quản lý chữ ký nhân sự" in page
    assert "Remote Signing · " in page
    approved = await page_of(administrator, f"{PAGE}?state=APPROVED")
    assert (code(100) in approved, code(102) in approved) == (True, False)
    for query in ("state=NONSENSE", "page=99999999999", "sort=valid_until&order=desc", "sort=name&order=desc", "name=%00"):
        assert (await administrator.ask("GET", f"{PAGE}?{query}")).status_code == 200


async def test_a_certificate_that_ends_soon_is_marked_ahead_of_time_for_its_holder_and_for_who_approves(
    world: World, pki: httpx.AsyncClient
) -> None:
    administrator = await world.school(teachers([100, 101]))
    ends = clock.now() + dt.timedelta(days=12)
    await waiting(world, pki, [100], valid_to=ends.isoformat())
    await waiting(world, pki, [101])
    await followed(administrator, await act(administrator, "approve", [code(100), code(101)]))
    page = await page_of(administrator, f"{PAGE}?state=EXPIRING")
    assert "Sắp hết hạn (1)" in page
    assert "Còn 12 ngày" in page
    assert code(101) not in page
    assert "1 chứng thư số sắp hết hạn hoặc đã hết hạn" in await page_of(administrator, "/ui/identity/")
    holder, other = [await world.staff_member(administrator, code(n)) for n in (100, 101)]
    own = await page_of(holder, "/ui/identity/")
    assert "Còn 12 ngày" in own
    assert f"hạn dùng đến {clock.in_vietnam(ends):%d/%m/%Y}" in own
    assert "Còn " not in await page_of(other, "/ui/identity/")


async def test_the_exported_list_holds_what_the_filter_finds_and_no_formula(world: World, pki: httpx.AsyncClient) -> None:
    formula = member(101).model_copy(update={"name": '=HYPERLINK("http://x","y")'})
    administrator = await world.school((*STAFF, member(100), formula))
    await waiting(world, pki, [100, 101])
    answer = await administrator.ask("GET", f"{PAGE}/list.xlsx?state=PENDING")
    assert "attachment" in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    header, *rows = list(sheet.iter_rows())
    assert [cell.value for cell in header][:3] == ["Mã nhân sự", "Họ và tên", "Chức vụ"]
    by_code = {row[0].value: row for row in rows}
    assert set(by_code) == {code(100), code(101)}
    assert (by_code[code(101)][1].value, by_code[code(101)][1].data_type) == ('=HYPERLINK("http://x","y")', "s")
    assert by_code[code(100)][8].value == "Đã đăng ký, chờ duyệt"
    [exported] = await world.audit("signing accounts exported")
    assert (exported["actor"], exported["place"], exported["details"]["rows"]) == (code(3), SCHOOL, 2)
    teacher = await world.staff_member(administrator, code(6))
    assert (await teacher.ask("GET", f"{PAGE}/list.xlsx")).status_code == 403


# --- one person


async def test_a_persons_certificate_is_shown_in_plain_words_with_everything_that_is_checked(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers([100]))
    await waiting(world, pki, [100])
    page = await page_of(administrator, f"{PAGE}/{code(100)}")
    registration = await world.db["registrations"].find_one({"owner": code(100)})
    assert registration is not None
    for words in (
        "Nguyễn Văn 100",
        f"•••{personal_id(100)[-3:]}",
        registration["facts"]["serial"],
        "ECDSA 256 bit, SHA-256",
        "Thời hạn hiệu lực",
        "Kiểm tra được đến chứng thư số gốc được tin cậy.",
        "Được cấp để ký số.",
        "Đang giữ khóa ký",
        "Chưa hỏi lại",
        "Chưa có ảnh chữ ký.",
        "Duyệt tài khoản đăng ký",
    ):
        assert words in page, words
    asked = await page_of(administrator, f"{PAGE}/{code(100)}?revocation=1")
    assert "không bị thu hồi" in asked
    await revoke(world, pki, 100)
    revoked = await page_of(administrator, f"{PAGE}/{code(100)}?revocation=1")
    assert "Không đạt" in revoked
    assert "đã bị thu hồi từ" in revoked


async def test_the_page_of_a_person_offers_a_decision_only_to_who_may_decide(world: World, pki: httpx.AsyncClient) -> None:
    administrator = await world.school(teachers([100]))
    await waiting(world, pki, [1, 3, 100])
    offered = {n: 'value="approve"' in await page_of(administrator, f"{PAGE}/{code(n)}") for n in (1, 3, 6, 100)}
    assert offered == {1: False, 3: False, 6: False, 100: True}
    assert "Do Phòng/Sở GD&ĐT duyệt" in await page_of(administrator, f"{PAGE}/{code(1)}")
    assert "Chưa đăng ký tài khoản ký." in await page_of(administrator, f"{PAGE}/{code(6)}")
    for nobody in ("31300002001", "unknown", "outcomes"):
        assert (await administrator.ask("GET", f"{PAGE}/{nobody}")).status_code == 404
    teacher = await world.staff_member(administrator, code(6))
    assert (await teacher.ask("GET", f"{PAGE}/{code(100)}")).status_code == 403


async def test_nobody_sees_the_page_of_a_person_of_another_school(world: World) -> None:
    administrator = await world.school()
    other = await world.administrator("31300002", "0231300002")
    await world.import_staff([member(3, administrator=True).model_copy(update={"code": code(3, "31300002")})], school="31300002")
    assert (await other.ask("GET", f"{PAGE}/{code(6)}")).status_code == 404
    assert (await administrator.ask("GET", f"{PAGE}/{code(3, '31300002')}")).status_code == 404
