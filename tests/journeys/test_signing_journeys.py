"""Every step of signing by both means, as its people do it: in Chromium, with the phone and with a USB token, on the real stack.

| step | remote signing | USB token |
|---|---|---|
| 2.2 of secondary schools, subject teachers | refused on the phone, then tried again | a subject teacher |
| homeroom teachers | 2.3 of secondary schools, after one was sent back | 2.2 of primary schools; 3.2 |
| leaders | 2.3 of primary schools, by PIN and one-time password; 3.3, on the provider's page | 2.4 of secondary schools |
| the school | 2.5 of secondary schools | 2.4 of primary schools; 3.4 |
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from infra.local import Stack
from services.chassis.web.lists import PAGE_SIZE
from tests.integration.agent_world import until_true
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.journeys.signing_school import (
    PUPILS,
    SigningSchool,
    agreed_on_the_providers_page,
    answer_on_the_phone,
    chosen,
    ended,
    log_in,
    queue_of,
    school_of,
    secrets_typed,
    sign_with_token,
)
from tests.journeys.windows import go, reloaded_until, seen, window_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SECONDARY, PRIMARY, SUMMARIES = "2. Học bạ số", "2. Học bạ điện tử", "3. Bảng tổng hợp kết quả đánh giá giáo dục"
SIGN, SIGN_SUMMARY = "Ký học bạ", "Ký bảng tổng hợp kết quả ĐGGD"
REASON = "Nhận xét của giáo viên chủ nhiệm ghi nhầm sang em khác."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secondary(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SigningSchool]:
    folder, ca = tmp_path_factory.mktemp("signing-secondary"), stack.instance.tls / "ca.pem"
    by_token = {"subjects": 0, "leader": 0}
    school = await school_of(stack.info, folder, ca, browser, level="THCS", code="31300066", by_token=by_token)
    yield school
    await school.control("/control/phone", {"mode": "auto"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def primary(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SigningSchool]:
    folder, ca = tmp_path_factory.mktemp("signing-primary"), stack.instance.tls / "ca.pem"
    by_token = {"homeroom": 0, "issue": 0}
    school = await school_of(stack.info, folder, ca, browser, level="TH", code="31300067", by_token=by_token)
    yield school
    await school.control("/control/phone", {"mode": "auto"})


async def by_hand(school: SigningSchool, user: str) -> None:
    """This account's phone waits for its person."""
    await school.control("/control/phone", {"mode": "manual", "user": user})


async def test_a_subject_teacher_refuses_on_the_phone_and_signs_what_failed_again(secondary: SigningSchool) -> None:
    teacher = next(code for code in await secondary.subject_teachers() if code not in secondary.computers)
    number, name = await secondary.waiting(teacher, "subjects"), secondary.name(teacher)
    await by_hand(secondary, teacher)
    async with queue_of(secondary, teacher, SECONDARY, "2.2. Giáo viên bộ môn ký duyệt", number) as page:
        await seen(page, "sign-22-queue", narrow=True)
        await chosen(page, SIGN, number)
        await expect(page.get_by_text(f"Bạn có chắc chắn muốn ký {number} học bạ?")).to_be_visible()
        await seen(page, "sign-22-authorise", narrow=True)
        await log_in(page, teacher)
        await expect(page.get_by_text("Mở ứng dụng chữ ký số trên điện thoại")).to_be_visible()
        await seen(page, "sign-22-waiting-for-the-phone", narrow=True)
        await answer_on_the_phone(secondary, page, name, "Từ chối", picture="sign-22")
        await expect(page.locator("#progress")).to_contain_text("Không thành công")
        await expect(page.get_by_role("row").filter(has_text="Bị từ chối").first).to_be_visible()
        await seen(page, "sign-22-refused", narrow=True)
        await page.get_by_role("button", name=f"Ký lại các hồ sơ lỗi ({number})").click()
        await log_in(page, teacher)
        await expect(page.get_by_text("Mở ứng dụng chữ ký số trên điện thoại")).to_be_visible()
        await left_and_found_again(page, number)
        await answer_on_the_phone(secondary, page, name, "Xác nhận")
        await ended(page, number)
        await seen(page, "sign-22-signed", narrow=True)
        await go(page, SECONDARY, "2.2. Giáo viên bộ môn ký duyệt")
        await page.get_by_role("link", name=re.compile("^Đã ký")).click()
        await expect(page.get_by_role("row").filter(has_text="Đã ký")).to_have_count(min(number, PAGE_SIZE))
        await seen(page, "sign-22-signed-list", narrow=True)


async def left_and_found_again(page: Page, number: int) -> None:
    """The page is closed while the phone waits; the queue and the list of batches lead back."""
    address = page.url
    await go(page, SECONDARY, "2.2. Giáo viên bộ môn ký duyệt")
    await expect(page.get_by_text(f"Đợt ký {number} học bạ đang thực hiện.")).to_be_visible()
    await seen(page, "sign-22-queue-with-a-running-batch", narrow=True)
    await page.get_by_role("link", name="Các đợt ký của tôi").click()
    await seen(page, "sign-batches", narrow=True)
    await page.get_by_role("row").filter(has_text="Chờ xác nhận ký số").get_by_role("link").click()
    await expect(page).to_have_url(address.partition("?")[0])


async def test_a_subject_teacher_signs_with_a_token_and_one_pin(secondary: SigningSchool) -> None:
    teacher = next(code for code in await secondary.subject_teachers() if code in secondary.computers)
    number = await secondary.waiting(teacher, "subjects")
    async with (
        secondary.computers[teacher].running("run") as program,
        queue_of(secondary, teacher, SECONDARY, "2.2. Giáo viên bộ môn ký duyệt", number) as page,
    ):
        await chosen(page, SIGN, number)
        await sign_with_token(page, program, number, picture="sign-22-token")


async def test_a_homeroom_teacher_sends_one_back_with_a_reason_and_signs_the_rest(secondary: SigningSchool) -> None:
    await secondary.others_sign("subjects", set(await secondary.subject_teachers()))
    room = secondary.rooms[0]
    async with queue_of(secondary, room.homeroom, SECONDARY, "2.3. Giáo viên chủ nhiệm ký duyệt", PUPILS) as page:
        await page.locator("td.look-tick input").first.check()
        await page.get_by_role("button", name="Đề xuất hủy", exact=True).click()
        await page.get_by_role("button", name="Xác nhận").click()
        await expect(page.locator(".govuk-error-summary")).to_be_focused()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Lý do đề xuất hủy phải có từ 10 đến 500 ký tự.")
        await seen(page, "sign-23-reason-missing", narrow=True)
        await page.get_by_label("Lý do đề xuất hủy học bạ số").fill(REASON)
        await page.get_by_role("button", name="Xác nhận").click()
        await expect(page.get_by_text("1 học bạ đã chuyển sang trạng thái Trả lại.")).to_be_visible()
        await seen(page, "sign-23-sent-back", narrow=True)
        await chosen(page, SIGN, PUPILS - 1)
        await by_hand(secondary, room.homeroom)
        await log_in(page, room.homeroom)
        await answer_on_the_phone(secondary, page, secondary.name(room.homeroom), "Xác nhận", picture="sign-23")
        await ended(page, PUPILS - 1)
        await seen(page, "sign-23-signed", narrow=True)


async def test_a_leader_signs_all_classes_with_a_token(secondary: SigningSchool) -> None:
    await secondary.others_sign("homeroom", {room.homeroom for room in secondary.rooms})
    leader = secondary.rooms[0].leader
    number = sum(PUPILS for room in secondary.rooms if room.leader == leader) - 1
    async with (
        secondary.computers[leader].running("run") as program,
        queue_of(secondary, leader, SECONDARY, "2.4. Lãnh đạo ký duyệt", number) as page,
    ):
        await seen(page, "sign-24-queue", narrow=True)
        await chosen(page, SIGN, number)
        await sign_with_token(page, program, number, picture="sign-24-token")


async def test_the_school_issues_everything_that_the_filter_finds(secondary: SigningSchool) -> None:
    await secondary.others_sign("leader", {room.leader for room in secondary.rooms})
    number = len(secondary.rooms) * PUPILS - 1
    await by_hand(secondary, secondary.seal)
    async with queue_of(secondary, secondary.issuer, SECONDARY, "2.5. Nhà trường ký phát hành", number) as page:
        await seen(page, "sign-25-queue", narrow=True)
        await chosen(page, SIGN, number)
        await log_in(page, secondary.seal)
        await answer_on_the_phone(secondary, page, secondary.road.export.school.name, "Xác nhận", picture="sign-25")
        await ended(page, number)
        await seen(page, "sign-25-signed", narrow=True)


async def test_what_is_issued_has_a_signature_report_and_differs_from_nothing(secondary: SigningSchool) -> None:
    async with window_of(secondary.browser, secondary.base, secondary.road.staff[secondary.issuer]) as page:
        await go(page, SECONDARY, "2.5. Nhà trường ký phát hành")
        await page.get_by_role("link", name=re.compile("^Đã ký")).click()
        await page.get_by_label("Lớp", exact=True).select_option("6A")
        await page.get_by_role("button", name="Tìm kiếm").click()
        await reloaded_until(page, page.get_by_role("row").filter(has=page.get_by_role("cell", name="Đã ký", exact=True)))
        await seen(page, "sign-25-signed-list", narrow=True)

        async def sealed() -> bool:
            await page.reload()
            return await page.get_by_text("đang đóng dấu thời gian").count() == 0

        await until_true(sealed)
        await page.get_by_role("link", name=re.compile("^Xem báo cáo")).first.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Báo cáo chữ ký")
        await seen(page, "sign-report", narrow=True)
        await page.locator("details.govuk-details summary").first.click()
        await seen(page, "sign-report-opened", narrow=True)
        await page.goto("/ui/signing/reports/differing")
        await seen(page, "sign-differing", narrow=True)


async def test_primary_transcripts_are_signed_by_token_phone_and_the_schools_token(primary: SigningSchool) -> None:
    """2.2, 2.3 and 2.4 of primary schools; subject teachers have no numbered entry there."""
    await primary.road.sign("subjects")
    room = primary.rooms[0]
    async with (
        primary.computers[room.homeroom].running("run") as program,
        queue_of(primary, room.homeroom, PRIMARY, "2.2. Giáo viên chủ nhiệm ký duyệt", PUPILS) as page,
    ):
        await seen(page, "sign-primary-22-queue", narrow=True)
        await chosen(page, SIGN, PUPILS)
        await sign_with_token(page, program, PUPILS, picture="sign-primary-22-token")
    await primary.others_sign("homeroom", {each.homeroom for each in primary.rooms})
    leader = room.leader
    number = sum(PUPILS for each in primary.rooms if each.leader == leader)
    await primary.control("/control/modes", {"user": leader, "confirmation": "pin_otp"})
    async with queue_of(primary, leader, PRIMARY, "2.3. Lãnh đạo ký duyệt", number) as page:
        await chosen(page, SIGN, number)
        await log_in(page, leader)
        await secrets_typed(primary, page, leader, picture="sign-primary-23")
        await ended(page, number)
        await seen(page, "sign-primary-23-signed", narrow=True)
    await primary.control("/control/modes", {"user": leader, "confirmation": "push"})
    await primary.others_sign("leader", {each.leader for each in primary.rooms})
    number = len(primary.rooms) * PUPILS
    async with (
        primary.computers[primary.issuer].running("run") as program,
        queue_of(primary, primary.issuer, PRIMARY, "2.4. Đóng dấu phát hành", number) as page,
    ):
        await chosen(page, SIGN, number)
        await sign_with_token(page, program, number, picture="sign-primary-24-token")


async def test_class_summaries_are_signed_by_token_phone_and_the_schools_token(primary: SigningSchool) -> None:
    """3.2, 3.3 and 3.4."""
    room = primary.rooms[0]
    await primary.road.admin.post("/api/records/summaries", {"classes": [room.code]})
    async with (
        primary.computers[room.homeroom].running("run") as program,
        queue_of(primary, room.homeroom, SUMMARIES, "3.2. Giáo viên chủ nhiệm ký duyệt", 1) as page,
    ):
        await seen(page, "sign-32-queue", narrow=True)
        await chosen(page, SIGN_SUMMARY, 1)
        await sign_with_token(page, program, 1, picture="sign-32-token")
    await primary.control("/control/modes", {"user": room.leader, "confirmation": "page"})
    async with queue_of(primary, room.leader, SUMMARIES, "3.3. Lãnh đạo ký duyệt", 1) as page:
        await chosen(page, SIGN_SUMMARY, 1)
        await log_in(page, room.leader)
        await agreed_on_the_providers_page(page, room.leader, picture="sign-33")
        await ended(page, 1)
        await seen(page, "sign-33-signed", narrow=True)
    await primary.control("/control/modes", {"user": room.leader, "confirmation": "push"})
    async with (
        primary.computers[primary.issuer].running("run") as program,
        queue_of(primary, primary.issuer, SUMMARIES, "3.4. Đóng dấu phát hành", 1) as page,
    ):
        await chosen(page, SIGN_SUMMARY, 1)
        await sign_with_token(page, program, 1, picture="sign-34-token")
