"""Copies, a pupil who changes school, a paper year that is digitised, the archive of a locked year: in Chromium, on the real stack."""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from infra.local import Stack
from services.records.digitisation import form
from services.records.imports.preview import preview
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.journeys.signed_school import SYSTEM, TRANSCRIPTS, Schools, schools_of, sign_all, sign_here
from tests.journeys.windows import go, reloaded_until, seen, window_of
from tests.unit.records.pdf_tools import text_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PAPER_YEAR = "2024-2025"
MOST_TABS = 200
TRANSFERS, COPIES = "Chuyển trường", "Cấp bản sao học bạ"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def schools(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Schools:
    return await schools_of(stack.info, tmp_path_factory.mktemp("years-journeys"), browser, number=83, pupils=2)


async def reach(page: Page, wanted: Locator) -> None:
    """By the Tab key alone."""
    for _ in range(MOST_TABS):
        if await wanted.evaluate("(element) => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


async def write(page: Page, label: str, text: str) -> None:
    await reach(page, page.get_by_label(label))
    await page.keyboard.insert_text(text)


async def press(page: Page, wanted: Locator) -> None:
    await reach(page, wanted)
    await page.keyboard.press("Enter")


async def body_of(page: Page, link: Locator) -> bytes:
    return bytes(await (await page.request.get(str(await link.get_attribute("href")))).body())


async def test_the_clerk_gives_a_certified_copy_and_an_extract_and_both_are_in_the_register(schools: Schools, tmp_path: Path) -> None:
    transcript = (await schools.transcripts("1A"))[0]
    async with window_of(schools.browser, schools.base, schools.clerk) as page:
        await go(page, TRANSCRIPTS, "Tra cứu học bạ")
        await page.get_by_label("Họ và tên").fill(transcript["name"])
        await page.get_by_role("button", name="Tra cứu").click()
        await seen(page, "copies-lookup", narrow=True)
        await page.get_by_role("link", name=transcript["name"]).first.click()
        await seen(page, "copies-transcript", narrow=True)
        await page.get_by_role("link", name="Cấp bản sao", exact=True).click()
        await page.get_by_role("button", name="Ghi nhận yêu cầu").click()
        await expect(page.locator(".govuk-error-summary")).to_be_focused()
        await seen(page, "copies-errors", narrow=True)
        await asked(page)
        await page.get_by_label("Tệp", exact=True).check()
        await page.get_by_role("button", name="Ghi nhận yêu cầu").click()
        first = await issued(page, tmp_path / "copy.pdf", picture="copies-whole")
        await go(page, TRANSCRIPTS, COPIES)
        await page.get_by_role("link", name="Cấp bản sao", exact=True).click()
        await page.get_by_label("Tìm học bạ").fill(transcript["id"])
        await page.get_by_role("button", name="Tìm kiếm").click()
        await seen(page, "copies-choice", narrow=True)
        await page.get_by_role("link", name=transcript["name"]).click()
        await asked(page)
        await page.get_by_label("Bản trích sao").check()
        await page.get_by_label("Thông tin học sinh").check()
        await page.get_by_role("button", name="Ghi nhận yêu cầu").click()
        second = await issued(page, tmp_path / "extract.pdf", picture="copies-extract")
        year = first.partition("/")[2]
        assert (first, second) == (f"0001/{year}", f"0002/{year}")
        for file, number in ((tmp_path / "copy.pdf", first), (tmp_path / "extract.pdf", second)):
            words = "".join(text_of(file).split())
            assert number in words
            assert transcript["id"] in words
        await go(page, TRANSCRIPTS, COPIES)
        await expect(page.get_by_role("row").filter(has_text=year)).to_have_count(2)
        await seen(page, "copies-register", narrow=True)
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, SYSTEM, "Nhật ký hoạt động")
        await reloaded_until(page, page.get_by_role("row").filter(has_text="Cấp bản sao, bản trích sao học bạ"))


async def asked(page: Page) -> None:
    await page.get_by_label("Người yêu cầu").fill("Nguyễn Gia Thành")
    await page.get_by_label("Quan hệ với học sinh").select_option("Cha")
    await page.get_by_label("Mục đích sử dụng").fill("Nộp hồ sơ")


async def issued(page: Page, file: Path, *, picture: str) -> str:
    """The number that the copy has got; its file is kept."""
    await seen(page, f"{picture}-asked", narrow=True)
    await page.get_by_role("button", name="Cấp bản sao").click()
    await expect(page.get_by_text("Đã cấp", exact=True).first).to_be_visible()
    await seen(page, f"{picture}-issued", narrow=True)
    content = await body_of(page, page.get_by_role("link", name="Tải bản sao (PDF)"))
    await asyncio.to_thread(file.write_bytes, content)
    heading = await page.get_by_role("heading", level=1).inner_text()
    found = re.search(r"\d{4}/\d{4}/BS-HBS", heading)
    assert found is not None, heading
    return found.group()


async def test_a_pupil_leaves_by_keyboard_alone_and_arrives_and_a_changed_package_does_not(schools: Schools, tmp_path: Path) -> None:
    transcript = (await schools.transcripts("4A"))[-1]
    package = tmp_path / "goi.zip"
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, TRANSCRIPTS, TRANSFERS)
        await press(page, page.get_by_role("link", name="Lập gói chuyển trường"))
        await write(page, "Mã học sinh", transcript["pupil"])
        await press(page, page.get_by_role("button", name="Tiếp tục"))
        await write(page, "Tên trường nhận", schools.other.export.school.name)
        await write(page, "Mã trường nhận (nếu biết)", schools.other.export.school.code)
        await write(page, "Số quyết định", "12/QĐ-CT")
        await write(page, "Lý do chuyển trường", "Theo gia đình chuyển chỗ ở")
        await seen(page, "transfer-form", narrow=True)
        await press(page, page.get_by_role("button", name="Lập gói chuyển trường"))
        row = page.get_by_role("row").filter(has_text=transcript["name"])
        await expect(row).to_contain_text("Đã lập gói")
        await seen(page, "transfer-register", narrow=True)
        package.write_bytes(await body_of(page, row.get_by_role("link", name=re.compile("^Tải gói"))))
    async with window_of(schools.browser, schools.base, schools.other.admin) as page:
        await go(page, TRANSCRIPTS, TRANSFERS)
        await page.get_by_role("link", name="Chuyển đến").click()
        await seen(page, "arrivals-none", narrow=True)
        broken = tmp_path / "hong.zip"
        broken.write_bytes(one_byte_changed(package.read_bytes()))
        await hand_in(page, broken)
        await expect(page.locator(".govuk-error-summary")).to_be_focused()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("hoc-ba")
        await seen(page, "arrivals-refused", narrow=True)
        await hand_in(page, package)
        await expect(page.get_by_text("Gói nguyên vẹn, niêm phong được tin cậy, mọi chữ ký hợp lệ.")).to_be_visible()
        await seen(page, "arrival-checked", narrow=True)
        await page.get_by_label("Xếp vào lớp").select_option("4A")
        await page.get_by_role("button", name="Tiếp nhận", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(transcript["name"])
        await seen(page, "arrival-taken", narrow=True)
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await page.goto("/ui/records/transfers")
        await expect(page.get_by_role("row").filter(has_text=transcript["name"])).to_contain_text("Đã tiếp nhận")


async def hand_in(page: Page, package: Path) -> None:
    await page.get_by_label("Gói chuyển trường").set_input_files(package)
    await page.get_by_role("button", name="Tải lên và kiểm tra").click()


def one_byte_changed(package: bytes) -> bytes:
    """In the middle of a document; the package is written without compression."""
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        name = next(n for n in opened.namelist() if n.endswith(".pdf"))
        at = package.index(opened.read(name)) + opened.getinfo(name).file_size // 2
    return package[:at] + bytes([package[at] ^ 1]) + package[at + 1 :]


def scan() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (600, 840), "white").save(kept, "PNG")
    return kept.getvalue()


async def test_a_paper_year_of_a_pupil_is_planned_typed_reviewed_created_and_signed_by_the_head(schools: Schools) -> None:
    pupil = (await schools.transcripts("2A"))[0]
    first_grader = (await schools.transcripts("1A"))[0]["pupil"]
    # the same subjects as any first grade has
    typed = form.values_of(preview(schools.road.export.files).results[first_grader])
    async with window_of(schools.browser, schools.base, schools.principal) as page:
        await go(page, TRANSCRIPTS, "Số hóa học bạ giấy")
        await seen(page, "digitisation-none", narrow=True)
        await page.get_by_role("link", name="Kế hoạch số hóa").click()
        await page.get_by_label("Mã học sinh").fill(pupil["pupil"])
        await page.get_by_label("Năm học của học bạ giấy").fill(PAPER_YEAR)
        await page.get_by_label("Khối").fill("1")
        await page.get_by_label("Lớp ghi trên học bạ giấy").fill("1C")
        of_pupil = page.locator("form").filter(has=page.get_by_label("Mã học sinh"))
        await of_pupil.get_by_label("Nhân viên học vụ rà soát").select_option(schools.clerk.username)
        await seen(page, "digitisation-plan", narrow=True)
        await page.get_by_role("button", name="Mở số hóa học sinh này").click()
        await expect(page.get_by_text("Chưa có bản quét.")).to_be_visible()
        address = page.url.partition("?")[0]
        await seen(page, "digitised-empty", narrow=True)
    async with window_of(schools.browser, schools.base, schools.clerk) as page:
        await page.goto(address)
        await page.get_by_label("Tải lên bản quét").set_input_files({"name": "trang-1.png", "mimeType": "image/png", "buffer": scan()})
        await page.get_by_role("button", name="Tải lên", exact=True).click()
        await expect(page.get_by_text("1 trang ·")).to_be_visible()
        await page.get_by_role("link", name="Nhập, sửa dữ liệu").click()
        await type_all(page, typed)
        await seen(page, "digitised-typing", narrow=True)
        await page.get_by_role("button", name="Lưu dữ liệu").click()
        await expect(page).to_have_url(re.compile(re.escape(address)))
        await seen(page, "digitised-typed", narrow=True)
        await page.get_by_label("Bản quét là học bạ giấy của đúng học sinh này").check()
        buttons = page.get_by_role("button", name=re.compile("^Đã đối chiếu"))
        while await buttons.count():
            left = await buttons.count()
            await buttons.first.click()
            await expect(buttons).to_have_count(left - 1)
        await seen(page, "digitised-reviewed", narrow=True)
    await created_and_signed(schools, pupil["name"], address)


async def type_all(page: Page, typed: dict[str, str]) -> None:
    for name, value in typed.items():
        field = page.locator(f'[name="v:{name}"]')
        if await field.get_attribute("type") == "checkbox":
            await field.set_checked(value == "x")
        else:
            await field.fill(value)


async def created_and_signed(schools: Schools, name: str, address: str) -> None:
    """The head orders it and signs for everybody who is not there any more; the school seals it."""
    sealed = f"mst-{schools.road.export.school.tax_code}"
    async with window_of(schools.browser, schools.base, schools.principal) as page:
        await page.goto(f"/ui/records/digitisation?year={PAPER_YEAR}")
        await page.get_by_role("checkbox", name=name).check()
        await seen(page, "digitisation-list", narrow=True)
        await page.get_by_role("button", name="Tạo học bạ").click()
        await expect(page.get_by_role("link", name="Xem danh sách mới nhất")).to_be_visible()
        await seen(page, "digitisation-created", narrow=True)
        for link in ("Ký phần giáo viên chủ nhiệm", "Ký lãnh đạo"):
            await page.goto(address)
            await reloaded_until(page, page.get_by_role("link", name=link))
            await page.get_by_role("link", name=link).click()
            await reloaded_until(page, page.get_by_role("row").filter(has_text=name))
            await sign_here(page, schools, schools.principal.username, "Ký học bạ")
    await sign_all(schools, schools.issuer, TRANSCRIPTS, "2.4. Đóng dấu phát hành", "Ký học bạ", sealed, waits_for=name)
    async with window_of(schools.browser, schools.base, schools.clerk) as page:
        await page.goto(address)
        await reloaded_until(page, page.get_by_role("link", name="Học bạ: Hoàn thành ký"))
        await seen(page, "digitised-signed", narrow=True)
        await page.get_by_role("link", name="Học bạ: Hoàn thành ký").click()
        await expect(page.get_by_role("row").filter(has_text="Nhà trường")).to_contain_text("Hợp lệ")
        await seen(page, "digitised-transcript", narrow=True)


async def test_a_locked_year_is_packed_downloaded_and_found_sound_by_its_own_checker(schools: Schools, tmp_path: Path) -> None:
    async with window_of(schools.browser, schools.base, schools.road.admin) as page:
        await go(page, TRANSCRIPTS, "Đóng gói lưu trữ")
        await seen(page, "archive-not-locked", narrow=True)
    async with window_of(schools.browser, schools.base, schools.principal) as page:
        await go(page, TRANSCRIPTS, "Khóa học bạ")
        await page.get_by_label("Lý do").fill("Hoàn thành học bạ của năm học.")
        await seen(page, "archive-locking", narrow=True)
        await page.get_by_role("button", name="Khóa học bạ").click()
        await expect(page.get_by_text("Đã khóa", exact=True)).to_be_visible()
        await seen(page, "archive-locked", narrow=True)
    async with window_of(schools.browser, schools.base, schools.clerk) as page:
        await go(page, TRANSCRIPTS, "Đóng gói lưu trữ")
        await page.get_by_role("button", name="Đóng gói lưu trữ").click()
        link = page.get_by_role("link", name=re.compile("^Tải gói"))
        await reloaded_until(page, link)
        await seen(page, "archive-packed", narrow=True)
        package = tmp_path / "luu-tru.zip"
        package.write_bytes(await body_of(page, link))
    with zipfile.ZipFile(package) as opened:
        checker = tmp_path / "kiem_tra.py"
        checker.write_bytes(opened.read(next(n for n in opened.namelist() if n.endswith("kiem_tra.py"))))
        documents = [n for n in opened.namelist() if n.startswith("hoc-ba/") and n.endswith(".pdf")]
    assert len(documents) == len(await schools.transcripts())
    assert checked(checker, package) == 0
    broken = tmp_path / "hong.zip"
    broken.write_bytes(one_byte_changed(package.read_bytes()))
    assert checked(checker, broken) == 1


def checked(checker: Path, package: Path) -> int:
    """As somebody runs it who has Python and no network."""
    return subprocess.run([sys.executable, "-I", str(checker), str(package)], check=False, capture_output=True).returncode
