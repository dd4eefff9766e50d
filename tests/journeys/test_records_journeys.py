"""From the finalised class to a second version, and a correction from the request to its minutes: in Chromium, on the real stack."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from infra.demo.people import Person
from infra.demo.road import Road
from infra.demo.school import read
from infra.local import Stack
from services.chassis import clock
from tests.conftest import make_school
from tests.integration.agent_world import until_true
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.journeys.windows import go, reloaded_until, seen, window_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

GROUP = "2. Học bạ điện tử"
WRONG = "Nhận xét môn Âm nhạc nhầm với em khác."
RIGHT = "Đã đối chiếu với sổ theo dõi, nhận xét đúng."
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


@dataclass
class School:
    """A primary school whose year is imported; nothing is finalised, everybody can sign in."""

    road: Road
    browser: Browser

    @property
    def base(self) -> str:
        return self.road.base

    def homeroom(self, code: str) -> Person:
        return self.road.staff[next(c.homeroom for c in self.road.export.classes if c.code == code)]

    def managers(self) -> list[Person]:
        """Principal and deputy, who sign in the classes that they lead."""
        return [self.road.staff[code] for code in sorted({c.leader for c in self.road.export.classes})]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def school(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> School:
    folder = make_school(tmp_path_factory.mktemp("records-journeys"), code="31300095", province="049", pupils=3, defects=1)
    open_all(folder / "ho_so_truong.xlsx")
    road = Road(stack.info, read(folder), lambda _: None)
    for stage in (road.organisations, road.import_year, road.accounts):
        await stage()
    return School(road, browser)


def open_all(workbook: Path) -> None:
    """As the sector database exports classes that are not finalised there."""
    book = openpyxl.load_workbook(workbook)
    sheet = book["Lớp"]
    column = next(cell.column for cell in sheet[1] if cell.value == "Hoàn thành tổng kết")
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column).value = None
    book.save(workbook)


async def tick_all(page: Page) -> None:
    for box in await page.locator("td.look-tick input").all():
        await box.check()


async def finished(page: Page) -> None:
    """The job that the page shows has come to its end."""
    await expect(page.get_by_role("link", name="Xem danh sách mới nhất")).to_be_visible()


async def test_a_class_is_created_sent_back_decided_and_created_again(school: School) -> None:
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await go(page, GROUP, "Xác nhận hoàn thành tổng kết")
        await page.get_by_label("Chọn lớp 1A").check()
        await page.get_by_label("Chọn lớp 2A").check()
        await seen(page, "records-finalisation", narrow=True)
        await page.get_by_role("button", name="Xác nhận hoàn thành tổng kết").click()
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_role("row").filter(has_text="1A")).to_contain_text("Hoàn thành")
        await seen(page, "records-finalised", narrow=True)
        await go(page, GROUP, "Cấu hình in học bạ")
        await page.get_by_label("Chọn lớp 1A").check()
        await page.get_by_label("Lãnh đạo ký của lớp đã chọn").select_option(index=2)
        await seen(page, "records-printing", narrow=True)
        await page.get_by_role("button", name="Lưu cho lớp đã chọn").click()
        await expect(page.get_by_role("row").filter(has_text="1A").last).to_contain_text("Riêng của lớp")
        await go(page, GROUP, "2.1. Tạo học bạ")
        await seen(page, "records-classes", narrow=True)
        await page.get_by_label(re.compile("^Chọn lớp 1A")).check()
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Tải thông tin thiếu").click()
        assert (await downloading.value).suggested_filename.endswith(".xlsx")
        await page.get_by_role("button", name="Tạo học bạ", exact=True).click()
        await expect(page.get_by_role("heading", name="Rà soát thông tin ký")).to_be_visible()
        await seen(page, "records-creating", narrow=True)
        await page.get_by_role("main").get_by_role("button").click()
        await finished(page)
        await seen(page, "records-created", narrow=True)
    async with window_of(school.browser, school.base, school.homeroom("2A")) as page:
        await go(page, GROUP, "2.1. Tạo học bạ")
        await page.get_by_role("link", name="2A").first.click()
        await tick_all(page)
        await page.get_by_role("button", name="Tạo học bạ", exact=True).click()
        await page.get_by_role("main").get_by_role("button").click()
        await finished(page)
        await seen(page, "records-created-by-the-homeroom-teacher", narrow=True)
    await sent_back_and_decided(school)


async def sent_back_and_decided(school: School) -> None:
    """A subject teacher returns the class; the administrator refuses one cancellation and approves another, which is then created anew."""

    async def waits() -> bool:
        return bool((await school.road.admin.get("/api/records/transcripts"))["transcripts"])

    await until_true(waits)
    teacher = await teacher_with_work(school)
    async with window_of(school.browser, school.base, teacher) as page:
        await go(page, GROUP, "Giáo viên bộ môn ký duyệt")
        await tick_all(page)
        await seen(page, "records-queue-of-a-subject-teacher", narrow=True)
        await page.get_by_role("button", name="Trả lại học bạ").click()
        await page.get_by_label("Lý do trả lại học bạ").fill(WRONG)
        await seen(page, "records-return", narrow=True)
        await page.get_by_role("button", name="Trả lại học bạ").click()
        await expect(page.get_by_text("đã chuyển sang trạng thái Trả lại").first).to_be_visible()
        await seen(page, "records-returned", narrow=True)
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await go(page, GROUP, "2.6. Quản lý hủy duyệt học bạ")
        await reloaded_until(page, page.get_by_text(WRONG))
        await seen(page, "records-26-returned", narrow=True)
        names = (await page.locator("td.look-tick").all_text_contents())[:2]
        await page.get_by_label(names[0], exact=True).check()
        await page.get_by_role("button", name="Từ chối hủy").click()
        await page.get_by_label("Lý do từ chối hủy").fill(RIGHT)
        await seen(page, "records-26-refusing", narrow=True)
        await page.get_by_role("button", name="Từ chối hủy").click()
        await expect(page.get_by_text("Đã từ chối hủy").first).to_be_visible()
        await page.get_by_label(names[1], exact=True).check()
        await page.get_by_role("button", name=re.compile("^Hủy học bạ")).click()
        await expect(page.get_by_text("Đồng ý xác nhận hủy học bạ?")).to_be_visible()
        await seen(page, "records-26-cancelling", narrow=True)
        await page.get_by_role("button", name="OK").click()
        await page.get_by_role("link", name=re.compile("^Đã hủy")).click()
        await seen(page, "records-26-cancelled", narrow=True)
        name = names[1].strip().removeprefix("Chọn")
        await again(page, name.strip())


async def teacher_with_work(school: School) -> Person:
    homerooms = {c.homeroom for c in school.road.export.classes}
    for code, who in sorted(school.road.staff.items()):
        if code in school.road.export.signing_staff - homerooms:
            pages = await who.http.get("/ui/signing/subjects")
            if 'name="ids"' in pages.text:
                return who
    raise AssertionError("no subject teacher has anything to sign")


async def again(page: Page, name: str) -> None:
    """Menu 2.1 once more: the cancelled one gets its second version."""
    await go(page, GROUP, "2.1. Tạo học bạ")
    # of the two classes only this one has somebody without a transcript
    await page.get_by_label(re.compile("^Chọn lớp 1A")).check()
    await page.get_by_role("button", name="Tạo học bạ", exact=True).click()
    await page.get_by_role("main").get_by_role("button").click()
    await finished(page)
    await seen(page, "records-second-version", narrow=True)
    listed = [t for t in await transcripts_of(page) if t["version"] == 2]
    assert len(listed) == 1
    assert name in listed[0]["name"] or listed[0]["name"] in name
    await page.goto(f"/ui/records/transcripts/{listed[0]['id']}")
    await expect(page.get_by_text("· Phiên bản 2 ·")).to_be_visible()
    await seen(page, "records-transcript-of-version-2", narrow=True)


async def transcripts_of(page: Page) -> list[dict[str, Any]]:
    answer = await page.request.get("/api/records/transcripts")
    return list((await answer.json())["transcripts"])


async def test_a_correction_goes_from_the_request_to_the_minutes_through_four_hands(school: School) -> None:
    asker = school.homeroom("4A")
    principal, deputy = school.managers()[:2]
    staff = school.road.staff
    code = next(c for c in sorted(staff) if staff[c] not in (principal, deputy, asker))
    inspector = staff[code]
    day = (clock.in_vietnam(clock.now()) + dt.timedelta(days=60)).strftime("%d/%m/%Y")
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await go(page, GROUP, "Xác nhận hoàn thành tổng kết")
        await page.get_by_label("Chọn lớp 4A").check()
        await page.get_by_role("button", name="Xác nhận hoàn thành tổng kết").click()
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_role("row").filter(has_text="4A")).to_contain_text("Hoàn thành")
    async with window_of(school.browser, school.base, principal) as page:
        await go(page, GROUP, "Khóa học bạ")
        await page.get_by_label("Ngày khóa học bạ dự kiến").fill(day)
        await page.get_by_role("button", name="Lưu ngày").click()
        await page.get_by_label("Người chứng kiến mở khóa dữ liệu").select_option(code)
        await page.get_by_role("button", name="Cử người này").click()
        await seen(page, "records-locks", narrow=True)
    async with window_of(school.browser, school.base, asker) as page:
        await go(page, GROUP, "Phiếu đề nghị sửa dữ liệu")
        await seen(page, "records-corrections-none", narrow=True)
        await page.get_by_role("link", name=re.compile("Lập phiếu")).click()
        await page.get_by_label("Lớp").select_option("4A")
        await page.get_by_role("button", name="Tiếp tục").click()
        await page.get_by_label("Học sinh").select_option(index=1)
        await page.get_by_role("button", name="Tiếp tục").click()
        await page.get_by_label("Nội dung cần sửa").select_option("Nhận xét GVCN")
        await page.get_by_role("button", name="Tiếp tục").click()
        await page.get_by_label("Giá trị mới").fill("Em tiến bộ nhiều trong học kỳ II.")
        await page.get_by_label("Lý do").fill("Nhập nhầm nhận xét của học sinh khác.")
        await page.get_by_label("Minh chứng").set_input_files({"name": "so-theo-doi.pdf", "mimeType": "application/pdf", "buffer": PDF})
        await seen(page, "records-correction-asking", narrow=True)
        await page.get_by_role("button", name="Gửi phiếu").click()
        await expect(page.get_by_text("Chờ Ban quản trị").first).to_be_visible()
        address = page.url.partition("?")[0]
        await seen(page, "records-correction-asked", narrow=True)
    await presses(school, school.road.admin, address, "Báo cáo Hiệu trưởng", "Chờ Hiệu trưởng phê duyệt")
    await presses(school, principal, address, "Phê duyệt", "Chờ chứng kiến mở khóa")
    for who in (deputy, school.road.admin, inspector):
        await presses(school, who, address, "Xác nhận chứng kiến mở khóa", "Chờ chứng kiến mở khóa")
    await presses(school, asker, address, "Xác nhận chứng kiến mở khóa", "Đã mở khóa, chờ sửa", picture="records-correction-unlocked")
    async with window_of(school.browser, school.base, asker) as page:
        await page.goto(address)
        await page.get_by_label("Nhận xét GVCN").fill("Em tiến bộ nhiều trong học kỳ II.")
        await page.get_by_role("button", name="Sửa dữ liệu và khóa lại").click()
        await expect(page.get_by_text("Đã sửa, đã lập biên bản").first).to_be_visible()
        await seen(page, "records-correction-done", narrow=True)
        minutes = await page.request.get(str(await page.get_by_role("link", name="Tải biên bản (PDF)").get_attribute("href")))
        assert (await minutes.body()).startswith(b"%PDF-")


async def presses(school: School, who: Person, address: str, button: str, state: str, *, picture: str = "") -> None:
    """One person takes one step of a correction."""
    async with window_of(school.browser, school.base, who) as page:
        await page.goto(address)
        await page.get_by_role("button", name=re.compile(f"^{button}")).first.click()
        await expect(page.get_by_text(state).first).to_be_visible()
        if picture:
            await seen(page, picture, narrow=True)


async def test_management_opens_the_data_of_a_class_again_and_the_review_shows_who_cannot_sign(school: School) -> None:
    principal, day = school.managers()[0], (clock.in_vietnam(clock.now()) + dt.timedelta(days=60)).strftime("%d/%m/%Y")
    async with window_of(school.browser, school.base, school.homeroom("3A")) as page:
        await go(page, GROUP, "Xác nhận hoàn thành tổng kết")
        await page.get_by_role("link", name="3A", exact=True).click()
        await page.get_by_role("button", name="Xác nhận hoàn thành tổng kết").click()
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_text("Đã xác nhận hoàn thành tổng kết 1 lớp.")).to_be_visible()
        await expect(page.get_by_role("button", name="Hủy xác nhận")).to_have_count(0)
    async with window_of(school.browser, school.base, principal) as page:
        await go(page, GROUP, "Khóa học bạ")
        await page.get_by_label("Ngày khóa học bạ dự kiến").fill(day)
        await page.get_by_role("button", name="Lưu ngày").click()
        await go(page, GROUP, "Xác nhận hoàn thành tổng kết")
        await page.get_by_label("Chọn lớp 3A").check()
        await seen(page, "records-finalisation-of-management", narrow=True)
        await page.get_by_role("button", name="Hủy xác nhận").click()
        await page.get_by_role("button", name="Hủy xác nhận").click()
        await expect(page.get_by_text("cần ghi lý do").first).to_be_visible()
        await page.get_by_label("Lý do").fill("Sổ điểm môn Toán của lớp nhập nhầm cột.")
        await seen(page, "records-reopening", narrow=True)
        await page.get_by_role("button", name="Hủy xác nhận").click()
        await expect(page.get_by_text("Đã hủy xác nhận hoàn thành tổng kết 1 lớp.")).to_be_visible()
        await page.get_by_role("link", name="3A", exact=True).click()
        await expect(page.get_by_text("Sổ điểm môn Toán của lớp nhập nhầm cột.")).to_be_visible()
        await seen(page, "records-reopened", narrow=True)
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await go(page, GROUP, "Rà soát dữ liệu")
        await expect(page.get_by_text("Người ký chưa ký được").first).to_be_visible()
        await seen(page, "records-review", narrow=True)
        await page.get_by_role("link", name="Người ký", exact=True).click()
        await expect(page.get_by_text("Chứng thư số nhà trường")).to_be_visible()
        await expect(page.get_by_text("Chưa có tài khoản ký được duyệt").first).to_be_visible()
        await seen(page, "records-review-signers", narrow=True)
