"""Menu 6.1 on a real database: pages, file and API of the oversight unit, and what identity tells about requests."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import AsyncIterator
from typing import Any

import openpyxl
import pytest

from contracts.event import Fact
from contracts.events.identity import (
    CertificateApprovedV1,
    CertificateEndedV1,
    CertificateRefusedV1,
    CertificateRequestedV1,
    SchoolChangedV1,
    UnitChangedV1,
)
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import transaction
from services.district import handlers
from services.district.store import Store
from tests.integration.pages_world import OFFICER, UNIT, World, event_of, world_of

PAGE = "/ui/district/certificates"
API = "/api/district/certificates"
PATH = ("031", UNIT)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        unit = UnitChangedV1(code=UNIT, name="Phường An Hải", path=PATH)
        other = UnitChangedV1(code="03102", name="Phường Khác", path=("031", "03102"))
        await tell(made, unit, UNIT)
        await tell(made, other, "03102")
        yield made


async def tell(world: World, fact: Fact, subject: str, *, sequence: int = 1) -> None:
    """Through the handler of the consumer."""
    store = Store(world.db("district"))
    consumer = next(c for c in handlers.consumers(store) if c.name == type(fact).topic)
    _, handler = consumer.handlers[type(fact).__name__]
    await transaction(store.db, lambda session: handler(session, [event_of(fact, subject, sequence=sequence)]))


async def request(world: World, key: str, school: str = "An Hồng", **more: Any) -> None:
    code = more.pop("code", "31300001")
    facts: dict[str, Any] = {
        "kind": "school",
        "school": code,
        "school_name": f"Trường Tiểu học {school}",
        "path": PATH,
        "person": f"{code}004",
        "person_name": "Phạm Thị Văn",
        "certificate_subject": f"Trường Tiểu học {school}",
        "certificate_issuer": "CA công cộng",
        "certificate_serial": f"54AB{key.upper()}",
        "valid_from": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "valid_to": clock.now() + dt.timedelta(days=100),
        "certificate_tax_code": "0231300001",
        "certificate_algorithm": "RSA 2048 bit, SHA256",
        "year": "2025-2026",
        **more,
    }
    await tell(world, CertificateRequestedV1(**facts), key)


async def decided(world: World, key: str, act: str = "approve", reason: str = "") -> None:
    answer = await world.browser(OFFICER).send(PAGE, [("act", act), ("ids", key), ("reason", reason)])
    assert answer.status == 303


def approved() -> CertificateApprovedV1:
    return CertificateApprovedV1(
        kind="school",
        school="31300001",
        year="2025-2026",
        person="31300001004",
        provider="sandbox",
        credential_id="c",
        certificate="",
        chain=(),
        owner_id="",
    )


def ended(reason: str) -> CertificateEndedV1:
    return CertificateEndedV1(kind="school", school="31300001", person="31300001004", certificate_sha256="0" * 64, reason=reason)


async def api(world: World, query: str = "") -> Any:
    answer = await world.browser(OFFICER).get(f"{API}{query}")
    assert answer.status == 200, answer.text
    return answer.response.json()


async def test_requests_are_listed_by_status_with_their_numbers(world: World) -> None:
    for key in "abcd":
        await request(world, key)
    await decided(world, "b")
    await decided(world, "c", "refuse", "Sai mã số thuế.")
    page = await world.browser(OFFICER).get(PAGE)
    for tab in ("Chờ duyệt (2)", "Đã duyệt (1)", "Từ chối (1)", "Hết hiệu lực/đã thu hồi (0)", "Tất cả (4)"):
        assert tab in page.text
    assert "6.1. Duyệt chứng thư số đơn vị" in page.text
    assert "Sai mã số thuế." not in page.text
    assert "Sai mã số thuế." in (await world.browser(OFFICER).get(f"{PAGE}?state=refused")).text
    told = await api(world, "?state=pending")
    assert (sorted(c["id"] for c in told["certificates"]), told["total"]) == (["a", "d"], 2)
    assert told["counts"] == {"pending": 2, "approved": 1, "refused": 1}


async def test_filters_find_by_school_person_kind_and_days_waited(world: World) -> None:
    await request(world, "a")
    await request(world, "b", "Đặng Xá", code="31300002")
    await request(world, "c", "Đặng Xá", code="31300002", kind="manager", person="31300002001", person_name="Lê Thị Ước")
    await world.db("district")["certificates"].update_one({"_id": "a"}, {"$set": {"requested_at": clock.now() - dt.timedelta(days=8)}})
    for query, found in {
        "?name=dang xa": "bc",
        "?name=ước": "c",
        "?kind=manager": "c",
        "?school=31300002": "bc",
        "?waiting=7": "a",
        "?waiting=15": "",
        "?sort=school&order=asc": "abc",
        "?sort=school&order=desc&size=1": "b",
        "?size=1&page=2": "b",
    }.items():
        told = [c["id"] for c in (await api(world, query))["certificates"]]
        assert sorted(told) == list(found), query
    page = await world.browser(OFFICER).get(f"{PAGE}?school=31300002&name=%C4%90%E1%BA%B7ng")
    assert "Chỉ của Trường Tiểu học Đặng Xá" in page.text
    assert (await world.browser(OFFICER).get(f"{API}?state=unknown")).status == 422


async def test_all_that_the_filter_finds_is_decided_and_nothing_else(world: World) -> None:
    await request(world, "a")
    await request(world, "b", "Đặng Xá", code="31300002")
    await request(world, "c", "Đặng Xá", code="31300002")
    where = (await world.browser(OFFICER).send(PAGE, [("act", "approve"), ("all", "1"), ("filter", "?state=all&school=31300002")])).where
    assert "Đã duyệt 2 yêu cầu." in (await world.browser(OFFICER).get(where)).text
    states = {d["_id"]: d["state"] async for d in world.db("district")["certificates"].find()}
    assert states == {"a": "pending", "b": "approved", "c": "approved"}
    assert await world.db("district")["outbox"].count_documents({}) == 2


async def test_what_could_not_be_decided_is_told_item_by_item(world: World) -> None:
    await request(world, "a")
    await request(world, "b", "Đặng Xá", code="31300002")
    await request(world, "elsewhere", "Bí Mật", code="31300009", path=("031", "03102"))
    await decided(world, "a")
    browser = world.browser(OFFICER)
    where = (await browser.send(PAGE, [("act", "approve"), *(("ids", key) for key in ("a", "b", "elsewhere", "none"))])).where
    page = await browser.get(where)
    assert "Kết quả duyệt chứng thư số" in page.text
    assert "Yêu cầu này đã được duyệt hoặc từ chối trước đó." in page.text
    assert "Trường Tiểu học Đặng Xá" in page.text
    assert "Bí Mật" not in page.text
    assert (await browser.get(where)).status == 200
    stranger = OFFICER.model_copy(update={"person": "031-cb09"})
    assert (await world.browser(stranger).get(where)).status == 404


async def test_the_details_tell_the_certificate_the_history_and_what_goes_on_meanwhile(world: World) -> None:
    await request(world, "a", certificate_serial="5401AA")
    await decided(world, "a")
    await tell(world, approved(), "a", sequence=2)
    await request(world, "b", certificate_serial="5402BB", reason="Đổi nhà cung cấp")
    browser = world.browser(OFFICER)
    page = await browser.get(f"{PAGE}/b")
    for words in ("0231300001", "RSA 2048 bit", "còn 100 ngày", "Đổi nhà cung cấp", "5401AA", "vẫn được dùng để ký", "Lịch sử yêu cầu"):
        assert words in page.text
    told = (await browser.get(f"{API}/b")).response.json()
    assert (told["present"]["id"], [r["id"] for r in told["history"]]) == ("a", ["b", "a"])
    where = (await browser.send(PAGE, [("act", "approve"), ("ids", "b")])).where
    assert "Đã duyệt 1 yêu cầu." in (await browser.get(where)).text


async def test_another_branch_is_neither_seen_nor_decided(world: World) -> None:
    await request(world, "a")
    officer = world.browser(OFFICER.model_copy(update={"unit": "03102"}))
    assert "Trường Tiểu học An Hồng" not in (await officer.get(f"{PAGE}?state=all")).text
    assert [(await officer.get(f"{address}/a")).status for address in (PAGE, API)] == [403, 403]
    assert (await officer.send(PAGE, [("act", "approve"), ("ids", "a")])).where.startswith(f"{PAGE}/outcomes/")
    assert (await world.browser().get(PAGE)).status == 403
    found = await world.db("district")["certificates"].find_one({"_id": "a"})
    assert found is not None
    assert found["state"] == "pending"


async def test_nobody_decides_about_the_own_request_not_even_among_many(world: World) -> None:
    await request(world, "a", person=OFFICER.person)
    await request(world, "b")
    where = (await world.browser(OFFICER).send(PAGE, [("act", "approve"), ("all", "1"), ("filter", "")])).where
    assert "Không ai được tự duyệt" in (await world.browser(OFFICER).get(where)).text
    states = {d["_id"]: d["state"] async for d in world.db("district")["certificates"].find()}
    assert states == {"a": "pending", "b": "approved"}
    assert 'name="act"' not in (await world.browser(OFFICER).get(f"{PAGE}/a")).response.text


async def test_the_list_tells_what_identity_made_of_a_decision(world: World) -> None:
    for key in "abc":
        await request(world, key)
        await decided(world, key)
    assert [c["checking"] for c in (await api(world))["certificates"]] == [True, True, True]
    await tell(world, approved(), "a", sequence=2)
    refused = CertificateRefusedV1(kind="school", school="31300001", person="31300001004", reason="Chứng thư số đã bị thu hồi từ hôm qua.")
    await tell(world, refused, "b", sequence=2)
    await tell(world, approved(), "c", sequence=2)
    await tell(world, ended("revoked"), "c", sequence=3)
    told = {c["id"]: (c["state"], c["checking"], c["reason"]) for c in (await api(world))["certificates"]}
    assert told == {
        "a": ("approved", False, ""),
        "b": ("refused", False, "Chứng thư số đã bị thu hồi từ hôm qua."),
        "c": ("ended", False, "Chứng thư số đã bị thu hồi."),
    }


async def test_what_was_on_hold_and_came_back_is_approved_again(world: World) -> None:
    await request(world, "a")
    await decided(world, "a")
    for number, fact in enumerate((approved(), ended("suspended"), approved()), start=2):
        await tell(world, fact, "a", sequence=number)
    assert [(c["state"], c["ended_at"]) for c in (await api(world))["certificates"]] == [("approved", None)]


async def test_a_teachers_account_that_was_never_asked_for_here_is_not_kept(world: World) -> None:
    await tell(world, approved(), "of-a-teacher")
    await tell(world, ended("expired"), "of-a-teacher", sequence=2)
    assert await world.db("district")["certificates"].count_documents({}) == 0


async def test_the_file_holds_what_the_filter_finds_and_text_stays_text(world: World) -> None:
    await request(world, "a")
    await request(world, "b", "=Đặng Xá", code="31300002", person_name="=1+1")
    file = await world.browser(OFFICER).get(f"{PAGE}.xlsx?school=31300002&state=pending")
    sheet = openpyxl.load_workbook(io.BytesIO(file.response.content)).worksheets[0]
    header, *lines = list(sheet.values)
    assert len(lines) == 1
    told = dict(zip(header, lines[0], strict=True))
    assert (told["Mã trường"], told["Người đăng ký"], told["Trạng thái duyệt"]) == ("31300002", "=1+1", "Chờ duyệt")
    assert sheet.cell(2, 4).data_type == "s"


async def test_a_refusal_without_reason_is_refused_on_the_api_as_on_the_page(world: World) -> None:
    await request(world, "a")
    school = SchoolChangedV1(code="31300001", name="Trường Tiểu học An Hồng", levels=("TH",), tax_code="0231300001", path=PATH)
    await tell(world, school, "31300001")
    browser = world.browser(OFFICER)
    client, token = world.clients["district"], browser._token()  # the same headers as its pages send
    answer = (await client.post(f"{API}/refuse", json={"ids": ["a"]}, headers=token)).json()
    assert (answer["done"], answer["refused"][0]["code"]) == (0, "HB-DIS-002")
    answer = (await client.post(f"{API}/approve", json={"all": True, "kind": "school"}, headers=token)).json()
    assert (answer["done"], answer["refused"]) == (1, [])
    assert (await client.post(f"{API}/approve", json={"all": True}, headers=token)).json()["code"] == "HB-DIS-003"
