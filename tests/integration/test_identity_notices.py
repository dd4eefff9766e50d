"""What people are told about certificates, on the page Thông báo, on the home page and in the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from contracts.event import Event
from contracts.events.records import CorrectionDecidedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import transaction
from services.identity.notices import store as notices
from services.identity.notices.handlers import tell_of_correction
from services.identity.notices.notices import What
from tests.integration.identity_world import SCHOOL, Browser, World, code, world_of

PAGE = "/ui/identity/notices"
API = "/api/identity/notices"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


async def tell(world: World, what: What, number: int = 6, **more: Any) -> None:
    registration = {
        "_id": f"r-{number}",
        "sequence": 1,
        "kind": "person",
        "owner": code(number),
        "person": code(number),
        "school": SCHOOL,
        "by_oversight": number < 3,
        "sha256": f"{number}" * 64,
        "facts": {"subject": f"Nguyễn Văn {number}", "serial": "5401AB", "valid_to": clock.now()},
        **more,
    }
    await transaction(world.db, lambda session: notices.tell(world.db, session, registration, what, at=clock.now(), reason="Sai họ tên."))


async def page_of(browser: Browser, address: str = PAGE) -> str:
    answer = await browser.ask("GET", address)
    assert answer.status_code == 200
    return answer.text


def csrf_of(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


async def test_a_notice_stands_on_the_home_page_and_is_counted_until_it_is_read(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    assert "Chưa có thông báo nào." in await page_of(teacher)
    await tell(world, "revoked")
    await tell(world, "refused")
    home = await page_of(teacher, "/ui/identity/")
    assert "Thông báo (2)" in home
    assert "Chứng thư số của thầy/cô đã bị thu hồi" in home
    page = await page_of(teacher)
    assert "Lý do: Sai họ tên. Đăng ký lại tại mục 1.2." in page
    first = page.split('name="ids" value="')[1].split('"')[0]
    done = await teacher.ask("POST", PAGE, data={"csrf": csrf_of(page), "ids": first})
    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?read=1")
    assert "Thông báo (1)" in await page_of(teacher)
    await teacher.ask("POST", PAGE, data={"csrf": csrf_of(page)})
    last = await page_of(teacher)
    assert "Thông báo (" not in last
    assert "Chứng thư số của thầy/cô đã bị thu hồi" in last
    assert "đã bị thu hồi" not in await page_of(teacher, "/ui/identity/")


async def test_told_again_it_is_one_notice_and_stays_read(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    await tell(world, "revoked")
    assert (await teacher.post(f"{API}/read", {}))["unread"] == 0
    await tell(world, "revoked", _id="the same certificate in another school year")
    told = await teacher.get(API)
    assert (told["unread"], told["total"], [n["read"] for n in told["notices"]]) == (0, 1, [True])


async def test_everybody_sees_and_marks_the_own_notices_alone(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    await tell(world, "expired", 1)
    assert (await teacher.get(API))["notices"] == []
    told = await administrator.get(API)
    assert [n["title"] for n in told["notices"]] == ["Chứng thư số của Nguyễn Văn 1 đã hết hạn"]
    await teacher.post(f"{API}/read", {"ids": [told["notices"][0]["id"]]})
    assert (await administrator.get(API))["unread"] == 1


async def test_a_form_from_another_session_marks_nothing(world: World) -> None:
    administrator = await world.school()
    await tell(world, "expired", 1)
    assert (await administrator.ask("POST", PAGE, data={"csrf": "x"})).status_code == 403
    assert (await administrator.get(API))["unread"] == 1


async def test_whoever_is_not_signed_in_sees_no_notices(world: World) -> None:
    stranger = world.browser()
    assert (await stranger.ask("GET", API)).status_code == 401
    assert (await stranger.ask("GET", PAGE)).status_code == 303


async def decided(world: World, outcome: Literal["forwarded", "approved", "refused"], asker: str) -> None:
    reason = "Chưa có minh chứng." if outcome == "refused" else ""
    fact = CorrectionDecidedV1(school=SCHOOL, year="2025-2026", number=3, class_name="4A", asker=asker, outcome=outcome, reason=reason)
    event = Event[CorrectionDecidedV1](
        type="CorrectionDecidedV1", subject="request", sequence=2, occurred_at=clock.now(), actor="records", data=fact
    )
    await transaction(world.db, lambda session: tell_of_correction(world.db, session, event))


async def test_the_principal_hears_of_a_request_to_correct_and_the_asker_of_its_decision(world: World) -> None:
    administrator = await world.school()
    principal = await world.staff_member(administrator, code(1))
    teacher = await world.staff_member(administrator, code(6))
    await decided(world, "forwarded", code(6))
    await decided(world, "forwarded", code(6))
    waits = "Phiếu số 3, lớp 4A: đề nghị sửa dữ liệu chờ phê duyệt"
    assert (await page_of(principal)).count(f">{waits}") == 1
    assert waits not in await page_of(teacher)
    assert waits not in await page_of(administrator)
    await decided(world, "refused", code(6))
    page = await page_of(teacher)
    assert "Phiếu số 3, lớp 4A: đề nghị sửa dữ liệu bị từ chối" in page
    assert "Lý do: Chưa có minh chứng." in page
    assert "bị từ chối" not in await page_of(principal)


async def test_a_manager_is_not_told_that_an_own_request_waits(world: World) -> None:
    administrator = await world.school()
    principal = await world.staff_member(administrator, code(1))
    await decided(world, "forwarded", code(1))
    assert "chờ phê duyệt" not in await page_of(principal)
