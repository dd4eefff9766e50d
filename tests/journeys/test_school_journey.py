"""What people do in a browser, through the gateway, on the real stack."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from infra.demo.people import Person
from tests.conftest import Travelled
from tests.journeys.browser import AXE, AXE_RUN, CHROMIUM, FLAGS

VERSIONS = {"TH": "Tiểu học", "THCS": "THCS", "OVERSIGHT": "Phòng/Sở GD&ĐT"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, travelled: Travelled) -> Iterator[Page]:
    """A window of 1366 × 768; a page that breaks its content policy or runs into a script error fails the test."""
    context = browser.new_context(ignore_https_errors=True, base_url=travelled.info["public_url"], viewport={"width": 1366, "height": 768})
    window = context.new_page()
    problems: list[str] = []
    window.on("pageerror", lambda error: problems.append(str(error)))
    window.on("console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None)
    yield window
    context.close()
    assert problems == []


def sign_in(page: Page, person: Person) -> None:
    page.goto("/ui/identity/sign-in")
    page.get_by_label(VERSIONS[person.version]).check()
    page.get_by_label("Tên đăng nhập").fill(person.username)
    page.get_by_label("Mật khẩu").fill(person.password)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_text(person.name).first).to_be_visible()


def accessible(page: Page) -> None:
    page.evaluate(AXE)
    assert page.evaluate(AXE_RUN) == []


def test_a_homeroom_teacher_signs_in_and_looks_at_the_class_and_a_transcripts_signatures(page: Page, travelled: Travelled) -> None:
    first = travelled.road.export.classes[0]
    sign_in(page, travelled.road.staff[first.homeroom])
    accessible(page)
    page.goto("/ui/records/classes")
    accessible(page)
    page.get_by_role("link", name=first.code).first.click()
    expect(page.get_by_role("cell", name="Đã tiếp nhận").first).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Xem học bạ").first.click()
    for role in ("Giáo viên bộ môn", "Giáo viên chủ nhiệm", "Lãnh đạo", "Nhà trường"):
        expect(page.get_by_role("row").filter(has_text=role).first).to_contain_text("Hợp lệ")
    accessible(page)


def test_a_wrong_password_gets_a_reason_that_takes_the_focus(page: Page, travelled: Travelled) -> None:
    person = travelled.road.staff[travelled.road.export.classes[0].homeroom]
    page.goto("/ui/identity/sign-in")
    page.get_by_label(VERSIONS[person.version]).check()
    page.get_by_label("Tên đăng nhập").fill(person.username)
    page.get_by_label("Mật khẩu").fill("không phải mật khẩu này")
    page.get_by_role("button", name="Đăng nhập").click()
    summary = page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    expect(page).to_have_title("Lỗi: Đăng nhập – Học bạ số")
    accessible(page)


def test_the_officer_sees_how_many_transcripts_of_the_school_were_accepted(page: Page, travelled: Travelled) -> None:
    sign_in(page, travelled.road.officer)
    page.goto("/ui/district/statistics")
    row = page.get_by_role("row").filter(has_text="Trường Tiểu học An Hồng").first
    expect(row).to_contain_text(str(travelled.outcome.accepted))
    accessible(page)


def test_somebody_who_is_not_signed_in_is_sent_to_the_sign_in_page(page: Page) -> None:
    page.goto("/ui/records/classes")
    expect(page).to_have_url(re.compile(r"/ui/identity/sign-in$"))


def test_the_administrator_gives_a_copy_from_the_page_of_a_transcript_and_finds_it_in_the_register(
    page: Page, travelled: Travelled
) -> None:
    sign_in(page, travelled.road.admin)
    page.goto(f"/ui/records/classes/{travelled.road.export.classes[0].code}")
    page.get_by_role("link", name="Xem học bạ").first.click()
    page.get_by_role("link", name="Cấp bản sao", exact=True).click()
    page.get_by_role("button", name="Ghi nhận yêu cầu").click()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.get_by_label("Người yêu cầu").fill("Nguyễn Gia Thành")
    page.get_by_label("Quan hệ với học sinh").select_option("Cha")
    page.get_by_label("Mục đích sử dụng").fill("Nộp hồ sơ")
    accessible(page)
    page.get_by_role("button", name="Ghi nhận yêu cầu").click()
    page.get_by_role("button", name="Cấp bản sao").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile(r"Bản sao số \d{4}/\d{4}/BS-HBS"))
    accessible(page)
    number = heading.inner_text().removeprefix("Bản sao số ")
    page.goto("/ui/records/copies")
    expect(page.get_by_role("row").filter(has_text=number)).to_contain_text("Đã cấp")
    accessible(page)


def test_a_homeroom_teacher_signs_a_class_summary_and_the_page_follows_by_itself(page: Page, travelled: Travelled) -> None:
    # the first one's summary may have gone the road, the last one has a pupil with a defect
    chosen = travelled.road.export.classes[1]
    sign_in(page, travelled.road.admin)
    page.goto("/ui/records/summaries")
    page.get_by_label(f"Chọn lớp {chosen.code}").check()
    page.get_by_role("button", name="Tạo bảng tổng hợp").click()
    page.get_by_role("button", name="OK").click()
    page.context.clear_cookies()
    teacher = travelled.road.staff[chosen.homeroom]
    sign_in(page, teacher)
    page.goto("/ui/signing/summary-homeroom")
    arrived = page.locator("[data-bulk-page]")
    for _ in range(200):
        if arrived.is_visible():
            break
        page.reload()
    arrived.check()
    page.get_by_role("button", name="Ký bảng tổng hợp kết quả ĐGGD").click()
    page.get_by_label("Tên đăng nhập").fill(teacher.username)
    page.get_by_label("Mật khẩu").fill(travelled.road.provider_passwords[teacher.username])
    page.get_by_role("button", name="Đăng nhập và ký").click()
    expect(page.locator("#progress")).to_contain_text("Đã ký 1 trong 1 bảng tổng hợp")
    accessible(page)
