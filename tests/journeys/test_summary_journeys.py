"""Class summaries from creating to the gateway, cancelled and made anew; 2.7 by class, selection and all pages: in Chromium."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from infra.local import Stack
from tests.integration.agent_world import until_true
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.journeys.signed_school import SUMMARIES, TRANSCRIPTS, Schools, schools_of, sign_all
from tests.journeys.windows import go, reloaded_until, seen, window_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PUPILS = 11
"""A class: with five classes there are more transcripts than one page of a list shows."""
CLASSES = ("1A", "2A")
SIGN = "Ký bảng tổng hợp"
REASON = "Bảng tổng hợp ghi nhầm danh hiệu của một học sinh."
CONFIRMING = "2.5.1. Xác nhận hoàn thành học bạ"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def schools(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Schools:
    return await schools_of(stack.info, tmp_path_factory.mktemp("summary-journeys"), browser, number=81, pupils=PUPILS)


def class_row(page: Page, code: str) -> object:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=code, exact=True))


async def states(schools: Schools) -> list[str]:
    return sorted(t["state"] for t in await schools.transcripts())


async def test_transcripts_are_confirmed_by_class_by_selection_and_over_all_pages_and_taken_back(schools: Schools) -> None:
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, TRANSCRIPTS, CONFIRMING)
        await page.get_by_label("Chọn lớp 1A").check()
        await seen(page, "27-classes", narrow=True)
        await page.get_by_role("button", name="Xác nhận hoàn thành", exact=True).click()
        await sure(page, "27-sure")
        await expect(page.get_by_text(f"{PUPILS} học bạ").first).to_be_visible()
        await seen(page, "27-confirmed-by-class", narrow=True)
        assert (await states(schools)).count("CONFIRMED") == PUPILS
        await page.get_by_role("link", name="Theo học sinh").click()
        await seen(page, "27-pupils", narrow=True)
        await page.get_by_label("Lớp", exact=True).select_option("2A")
        await page.get_by_role("button", name="Tìm kiếm").click()
        boxes = page.locator("td.look-tick input")
        await expect(boxes).to_have_count(PUPILS)
        for at in (0, 2):
            await boxes.nth(at).check()
        await page.get_by_role("button", name="Xác nhận hoàn thành", exact=True).click()
        await sure(page)
        assert (await states(schools)).count("CONFIRMED") == PUPILS + 2
        await go(page, TRANSCRIPTS, CONFIRMING)
        await page.get_by_role("link", name="Theo học sinh").click()
        every = len(await states(schools))
        await page.get_by_label(f"Chọn tất cả {every} theo bộ lọc").check()
        await seen(page, "27-all-pages", narrow=True)
        await page.get_by_role("button", name="Hủy xác nhận hoàn thành").click()
        await expect(page.get_by_text(f"{PUPILS + 2} học bạ").first).to_be_visible()
        await seen(page, "27-undone", narrow=True)
        assert (await states(schools)).count("CONFIRMED") == 0


async def sure(page: Page, picture: str = "") -> None:
    """The question that confirming asks once more."""
    if picture:
        await seen(page, picture, narrow=True)
    await page.get_by_role("button", name="OK").click()


async def test_class_summaries_are_created_signed_confirmed_and_sent(schools: Schools) -> None:
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, SUMMARIES, "3.1. Tạo bảng tổng hợp")
        await seen(page, "31-classes", narrow=True)
        await create(page, CLASSES, picture="31")
    await sign_and_issue(schools, CLASSES, picture="3")
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, SUMMARIES, "3.5.1. Xác nhận hoàn thành bảng tổng hợp")
        await reloaded_until(page, page.get_by_role("checkbox", name="lớp 2A"))
        await page.get_by_role("checkbox", name="lớp 1A").check()
        await page.get_by_role("checkbox", name="lớp 2A").check()
        await seen(page, "351-list", narrow=True)
        await page.get_by_role("button", name="Cập nhật").click()
        await sure(page, "351-sure")
        await seen(page, "351-confirmed", narrow=True)
        await go(page, SUMMARIES, "3.5.2. Gửi bảng tổng hợp")
        await reloaded_until(page, page.get_by_role("checkbox", name="lớp 1A"))
        await page.get_by_role("checkbox", name="lớp 1A").check()
        await seen(page, "352-list", narrow=True)
        await page.get_by_role("button", name="Gửi bảng tổng hợp").click()
        await sure(page, "352-sure")
        await reloaded_until(page, page.get_by_role("row").filter(has_text="1A").filter(has_text="Đã tiếp nhận"))
        await seen(page, "352-accepted", narrow=True)
        await go(page, SUMMARIES, "3.6. Tra cứu bảng tổng hợp")
        await page.get_by_label("Khối").select_option("1")
        await page.get_by_role("button", name="Tìm kiếm").click()
        await reloaded_until(page, page.get_by_role("row").filter(has_text="Lớp 1A").filter(has_text="Đã tiếp nhận"))
        await seen(page, "36-lookup", narrow=True)
        await page.get_by_role("link", name="Lớp 1A").click()
        await seen(page, "36-summary", narrow=True)
        link = page.get_by_role("link", name=re.compile("^Tải bản PDF"))
        answer = await page.request.get(str(await link.get_attribute("href")))
        assert (await answer.body()).startswith(b"%PDF-")


async def test_a_summary_is_cancelled_and_its_class_gets_the_next_version(schools: Schools) -> None:
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, SUMMARIES, "3.7. Quản lý hủy duyệt bảng tổng hợp")
        await page.get_by_role("link", name=re.compile("^Đã ký xong")).click()
        await seen(page, "37-list", narrow=True)
        await page.get_by_role("row").filter(has_text="2A").get_by_role("checkbox").check()
        await page.get_by_role("button", name="Hủy bảng tổng hợp").click()
        await page.get_by_label("Lý do hủy").fill(REASON)
        await seen(page, "37-sure", narrow=True)
        await page.get_by_role("button", name="OK").click()
        await page.get_by_role("link", name=re.compile("^Đã hủy")).click()
        await expect(page.get_by_role("row").filter(has_text="2A")).to_contain_text(REASON)
        await seen(page, "37-cancelled", narrow=True)
        await go(page, SUMMARIES, "3.1. Tạo bảng tổng hợp")
        await create(page, ("2A",))
        await page.get_by_role("link", name="2A", exact=True).click()
        await expect(page.get_by_text("· Phiên bản 2 ·")).to_be_visible()
        await seen(page, "31-second-version", narrow=True)


async def create(page: Page, classes: tuple[str, ...], *, picture: str = "") -> None:
    for code in classes:
        await page.get_by_label(f"Chọn lớp {code}").check()
    await page.get_by_role("button", name="Tạo bảng tổng hợp").click()
    await sure(page, f"{picture}-sure" if picture else "")
    for code in classes:
        await reloaded_until(page, page.get_by_role("row").filter(has_text=code).filter(has_text="Chờ ký"))
    if picture:
        await seen(page, f"{picture}-created", narrow=True)


async def sign_and_issue(schools: Schools, classes: tuple[str, ...], *, picture: str) -> None:
    """3.2 by each homeroom teacher, 3.3 by each leader, 3.4 by the issuer."""
    for code in classes:
        who = schools.homeroom(code)
        here = f"{picture}2" if code == classes[0] else ""
        await sign_all(schools, who, SUMMARIES, "3.2. Giáo viên chủ nhiệm ký duyệt", SIGN, who.username, waits_for=code, picture=here)
    leaders = {schools.leader(code).username: (schools.leader(code), code) for code in classes}
    for user, (who, code) in leaders.items():
        await sign_all(schools, who, SUMMARIES, "3.3. Lãnh đạo ký duyệt", SIGN, user, waits_for=code, picture=f"{picture}3")
    seal = f"mst-{schools.road.export.school.tax_code}"

    async def all_wait() -> bool:
        queue = await schools.issuer.get("/api/signing/queue", step="issue", kind="class_summary")
        return len(queue["transcripts"]) == len(classes)

    await until_true(all_wait)
    entry = "3.4. Đóng dấu phát hành"
    await sign_all(schools, schools.issuer, SUMMARIES, entry, SIGN, seal, waits_for=classes[-1], picture=f"{picture}4")
