"""Registering, approving, being refused, replacing a certificate, forgetting a password: in Chromium, on the real stack."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from infra.demo.people import Person
from infra.local import Stack
from tests.integration.agent_world import Computer, Program
from tests.integration.test_identity_token_registration import plugged_in
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.journeys.identity_school import ACCOUNTS, CROWD, PROVIDER_NAME, PROVIDER_PASSWORD, School, school_of
from tests.journeys.windows import context_of, go, reloaded_until, seen, sign_in, value_of, weight_of, window, window_of
from tests.unit.agent.softhsm import PIN

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SYSTEM, OVERSIGHT = "1. Hệ thống", "6. Học bạ số"
OWN_SCHOOL, OWN_ACCOUNT, ACCOUNTS_PAGE = (
    "1.1. Quản lý chứng thư số nhà trường",
    "1.2. Giáo viên đăng ký tài khoản ký",
    "1.3. Duyệt tài khoản ký",
)
CERTIFICATES = "6.1. Duyệt chứng thư số đơn vị"
FORGOTTEN = "Yêu cầu cấp lại mật khẩu"
REGISTERED = "Đăng ký thành công tài khoản, CBQL/Quản trị viên chọn đến mục 1.3. Duyệt tài khoản ký để duyệt tài khoản."
WAITS = "Đã đăng ký, chờ duyệt"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def school(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> School:
    return await school_of(stack.info, tmp_path_factory.mktemp("identity-journeys"), browser)


@pytest.fixture
def computer(stack: Stack, tmp_path: Path) -> Computer:
    return Computer(tmp_path, stack.instance.public_url, stack.instance.tls / "ca.pem")


async def begin_remote(page: Page, button: str, *, reason: str = "") -> None:
    """To the sign-in at the provider."""
    await page.get_by_label("Remote Signing").check()
    await page.get_by_label("Nhà phát hành").select_option(PROVIDER_NAME)
    if reason:
        await page.get_by_label("Lý do đăng ký lại").fill(reason)
    await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.get_by_role("heading", name="Thông tin đăng nhập chữ ký số")).to_be_visible()


async def log_in(page: Page, user: str, password: str = PROVIDER_PASSWORD) -> None:
    await page.get_by_label("Tên đăng nhập").fill(user)
    await page.get_by_label("Mật khẩu").fill(password)
    await page.get_by_label("Mật khẩu").press("Enter")


async def choose(page: Page) -> None:
    """The only certificate is chosen already."""
    await expect(page.get_by_role("heading", name="Chọn chứng thư số", level=1)).to_be_visible()
    await expect(page.get_by_role("radio")).to_be_checked()
    await page.get_by_role("button", name="Đồng ý").click()


async def on_the_phone(page: Page, school: School, name: str) -> None:
    """The person takes the phone and says yes."""
    phone = await page.context.new_page()
    await phone.goto(school.phone_page)
    await phone.locator("article").filter(has_text=name).get_by_role("button", name="Xác nhận").click()
    await phone.close()


async def test_fifty_teachers_are_approved_in_one_act_and_two_managers_stay_with_the_oversight_unit(school: School) -> None:
    await school.register_all((*school.crowd, *school.managers))
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await seen(page, "13-home-of-the-administrator")
        await page.get_by_role("link", name=ACCOUNTS_PAGE).first.click()
        await expect(page.get_by_role("heading", name="Duyệt tài khoản ký", level=1)).to_be_visible()
        await page.get_by_role("link", name=re.compile(WAITS)).first.click()
        await seen(page, "13-list", narrow=True)
        await page.get_by_label(f"Chọn tất cả {CROWD + len(school.managers)} theo bộ lọc").check()
        await page.get_by_role("button", name="Duyệt tài khoản đăng ký").click()
        await expect(page.get_by_role("heading", name="Kết quả duyệt tài khoản đăng ký")).to_be_visible()
        await expect(page.get_by_text(f"Đã duyệt {CROWD} tài khoản.")).to_be_visible()
        await expect(page.get_by_role("row")).to_have_count(1 + len(school.managers))
        await seen(page, "13-outcome", narrow=True)
        await page.get_by_role("link", name="Đóng").click()
        await page.get_by_role("link", name=re.compile("Đã duyệt tài khoản")).first.click()
        await expect(page.get_by_role("row").filter(has_text="Đã duyệt tài khoản")).to_have_count(CROWD)
        await seen(page, "13-approved")
    approved = [a["person"] for a in await school.road.admin.get(ACCOUNTS) if a["state"] == "APPROVED"]
    assert sorted(approved) == sorted(school.crowd)


async def test_a_teacher_registers_by_remote_signing_and_confirms_on_the_phone(school: School) -> None:
    teacher = school.road.staff[school.remote]
    await school.control("/control/phone", {"mode": "manual", "user": school.remote})
    async with window_of(school.browser, school.base, teacher) as page:
        await go(page, SYSTEM, OWN_ACCOUNT)
        await expect(page.get_by_text("Chưa đăng ký", exact=True)).to_be_visible()
        await seen(page, "12-not-registered", narrow=True)
        await begin_remote(page, "Đăng ký tài khoản ký")
        await seen(page, "12-provider")
        await log_in(page, school.remote, "không phải mật khẩu này")
        await expect(page.locator(".govuk-error-summary")).to_be_focused()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("Thông tin thẻ không tồn tại hoặc không đúng")
        await seen(page, "12-provider-wrong")
        await log_in(page, school.remote)
        await expect(value_of(page, "Chủ sở hữu")).to_have_text(teacher.name)
        await seen(page, "12-choice", narrow=True)
        await choose(page)
        await expect(page.get_by_role("heading", name="Chờ xác nhận ký số", level=1)).to_be_visible()
        await seen(page, "12-waiting-for-the-phone", narrow=True)
        await on_the_phone(page, school, teacher.name)
        await expect(page.get_by_text(REGISTERED)).to_be_visible()
        await expect(page.get_by_text(WAITS, exact=True)).to_be_visible()
        await seen(page, "12-registered", narrow=True)


async def test_a_teacher_registers_with_a_usb_token_at_a_computer_that_was_paired(school: School, computer: Computer) -> None:
    teacher = school.road.staff[school.token]
    order = {"kind": "personal", "name": teacher.name, "identifier": school.personal_id(school.token)}
    await plugged_in(computer, school.info["sandbox"]["pki"], "p256", **order)
    async with window_of(school.browser, school.base, teacher) as page:
        await page.locator(".look-user summary").press("Enter")
        await page.get_by_role("link", name="Chương trình ký số").press("Enter")
        await page.get_by_role("button", name="Lấy mã ghép nối").click()
        code = await page.locator("#pairing-code").inner_text()
        await seen(page, "agent-code", narrow=True)
        status, said = await computer.pair(code)
        assert status == 0, said
        async with computer.running("run") as program:
            await reloaded_until_connected(page)
            await seen(page, "agent-connected")
            await register_with_token(page, program)
        await expect(value_of(page, "Kiểu chữ ký")).to_have_text("USB Token")


async def reloaded_until_connected(page: Page) -> None:
    await page.get_by_role("link", name="Xem trạng thái mới nhất").click()
    await reloaded_until(page, page.get_by_text("Đang kết nối", exact=True))


async def register_with_token(page: Page, program: Program) -> None:
    await go(page, SYSTEM, OWN_ACCOUNT)
    await page.get_by_label("USB Token").check()
    await page.get_by_role("button", name="Đăng ký tài khoản ký").click()
    await choose(page)
    await expect(page.get_by_role("heading", name="Chờ xác nhận ký số", level=1)).to_be_visible()
    await program.says("Mã PIN")
    await seen(page, "12-waiting-for-the-pin")
    await program.type(PIN)
    await expect(page.get_by_text(REGISTERED)).to_be_visible()
    await expect(page.get_by_text(WAITS, exact=True)).to_be_visible()


async def test_a_refused_teacher_reads_the_reason_and_registers_again(school: School) -> None:
    teacher, reason = school.road.staff[school.hasty], "Chứng thư số không phải của năm học này, thầy/cô đăng ký lại."
    await school.register_all((school.hasty,))
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await go(page, SYSTEM, ACCOUNTS_PAGE)
        await page.get_by_label("Họ và tên hoặc mã nhân sự").fill(school.hasty)
        await page.get_by_label("Họ và tên hoặc mã nhân sự").press("Enter")
        await page.get_by_label(f"Chọn {teacher.name}").check()
        await page.get_by_role("button", name="Từ chối tài khoản").click()
        await seen(page, "13-refuse")
        await page.get_by_label("Lý do từ chối").fill(reason)
        await page.get_by_role("button", name="Từ chối tài khoản").click()
        await expect(page.get_by_text("Đã từ chối 1 tài khoản.")).to_be_visible()
    async with window_of(school.browser, school.base, teacher) as page:
        await expect(page.get_by_text(reason).first).to_be_visible()
        await seen(page, "home-of-a-refused-teacher", narrow=True)
        await go(page, SYSTEM, OWN_ACCOUNT)
        await expect(page.get_by_text("Từ chối duyệt", exact=True)).to_be_visible()
        await expect(page.get_by_text(f"Lý do từ chối: {reason}")).to_be_visible()
        await seen(page, "12-refused", narrow=True)
        await begin_remote(page, "Đăng ký tài khoản ký")
        await log_in(page, school.hasty)
        await choose(page)
        await expect(page.get_by_text(REGISTERED)).to_be_visible()
        await expect(page.get_by_text(WAITS, exact=True)).to_be_visible()


async def test_the_oversight_unit_approves_the_certificate_that_the_school_registered(school: School) -> None:
    async with window_of(school.browser, school.base, school.issuer) as page:
        await go(page, SYSTEM, OWN_SCHOOL)
        await expect(page.get_by_text("Chưa đăng ký", exact=True)).to_be_visible()
        await seen(page, "11-not-registered", narrow=True)
        await begin_remote(page, "Đăng ký tài khoản")
        await log_in(page, school.seal(1))
        await choose(page)
        await expect(page.get_by_text("Đăng ký thành công tài khoản", exact=True)).to_be_visible()
        await expect(page.get_by_text("Chờ duyệt đăng ký", exact=True).first).to_be_visible()
        await seen(page, "11-waiting", narrow=True)
        async with window_of(school.browser, school.base, school.road.officer) as desk:
            await go(desk, OVERSIGHT, CERTIFICATES)
            row = desk.get_by_role("row").filter(has_text="Chứng thư số đơn vị")
            await reloaded_until(desk, row)
            await seen(desk, "61-list", narrow=True)
            await row.get_by_role("link", name=school.name).click()
            await expect(value_of(desk, "Tên trường")).to_have_text(school.name)
            await expect(value_of(desk, "Cấp cho")).to_have_text(school.name)
            await seen(desk, "61-details", narrow=True)
            await desk.get_by_role("button", name="Duyệt", exact=True).click()
            await expect(desk.get_by_text("Đã duyệt 1 yêu cầu.")).to_be_visible()
            await seen(desk, "61-approved")
        await reloaded_until(page, page.get_by_text("Đã duyệt", exact=True))
        await seen(page, "11-approved", narrow=True)


async def test_a_school_asks_for_another_certificate_while_the_present_one_goes_on_signing(school: School) -> None:
    await school.prepare_to_sign()
    await school.transcript_to_issue()
    reason = "USB Token cũ bị hỏng."
    async with window_of(school.browser, school.base, school.issuer) as page:
        await go(page, SYSTEM, OWN_SCHOOL)
        before = await value_of(page, "Số sê-ri").inner_text()
        await page.get_by_label("Remote Signing").check()
        await page.get_by_role("button", name="Gửi yêu cầu đăng ký lại").click()
        await expect(page.locator(".govuk-error-summary")).to_be_focused()
        await expect(page.get_by_label("Lý do đăng ký lại")).to_have_attribute("aria-invalid", "true")
        await seen(page, "11-reason-missing")
        await begin_remote(page, "Gửi yêu cầu đăng ký lại", reason=reason)
        await log_in(page, school.seal(2))
        await choose(page)
        await expect(page.get_by_text("Đăng ký thay đổi thông tin thành công")).to_be_visible()
        await expect(page.get_by_text("Trạng thái chứng thư số: Đã duyệt")).to_be_visible()
        await expect(page.get_by_text("Yêu cầu đăng ký lại: Chờ duyệt đăng ký")).to_be_visible()
        await expect(value_of(page, "Số sê-ri")).to_have_text(before)
        history = page.get_by_role("table", name="Lịch sử yêu cầu đăng ký chứng thư số").get_by_role("row")
        await expect(history.filter(has_text=reason)).to_contain_text("Chờ duyệt đăng ký")
        await expect(history.filter(has_text=before)).to_contain_text("Đã duyệt")
        await seen(page, "11-registered-again", narrow=True)
        await issue(page, school, before)
        await go(page, SYSTEM, OWN_SCHOOL)
        async with window_of(school.browser, school.base, school.road.officer) as desk:
            await go(desk, OVERSIGHT, CERTIFICATES)
            row = desk.get_by_role("row").filter(has_text=reason)
            await reloaded_until(desk, row)
            await row.get_by_role("checkbox").check()
            await desk.get_by_role("button", name="Duyệt", exact=True).click()
            await expect(desk.get_by_text("Đã duyệt 1 yêu cầu.")).to_be_visible()
        await reloaded_until(page, history.filter(has_text=before).filter(has_text="Đã thay thế"))
        await expect(history.filter(has_text=reason)).to_contain_text("Đã duyệt")
        await expect(value_of(page, "Số sê-ri")).not_to_have_text(before)
        await seen(page, "11-replaced", narrow=True)


async def issue(page: Page, school: School, serial: str) -> None:
    """The one transcript that waits for the school's signature is signed with the certificate of this number."""
    await go(page, "2. Học bạ số", "2.5. Nhà trường ký phát hành")
    row = page.get_by_role("row").filter(has_text="8A")
    await reloaded_until(page, row)
    await row.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Ký học bạ").click()
    await expect(value_of(page, "Chứng thư số")).to_have_text(serial)
    await seen(page, "25-issue", narrow=True)
    await log_in(page, school.seal(1))
    await expect(page.get_by_role("row").filter(has_text="Đã ký")).to_have_count(1)
    await seen(page, "25-issued")


async def forget(school: School, person: Person, picture: str = "") -> None:
    """At the sign-in page; the same is said whoever asks."""
    async with window(school.browser, school.base) as page:
        await page.goto("/ui/identity/sign-in")
        if picture:
            await seen(page, "sign-in", narrow=True)
        await page.get_by_role("link", name="Quên mật khẩu?").click()
        await page.get_by_label("Quản lý THCS").check()
        await page.get_by_label("Tên đăng nhập").fill(person.username)
        if picture:
            await seen(page, f"{picture}-asking", narrow=True)
        await page.get_by_role("button", name="Gửi yêu cầu cấp lại mật khẩu").click()
        await expect(page.get_by_role("heading", name="Đã gửi yêu cầu cấp lại mật khẩu")).to_be_visible()
        if picture:
            await seen(page, f"{picture}-sent", narrow=True)


async def hand_over_a_link(school: School, by: Person, to: Person, picture: str) -> str:
    """Made on the page of requests, found by the task on the home page; the address as it stands on the slip."""
    async with window_of(school.browser, school.base, by) as page:
        await page.get_by_role("main").get_by_role("link", name=FORGOTTEN).first.click()
        await page.get_by_label(f"Chọn {to.name}").check()
        await seen(page, f"{picture}-desk", narrow=True)
        await page.get_by_role("button", name="Tạo đường dẫn đặt lại mật khẩu").click()
        await expect(page.get_by_role("heading", name=to.name)).to_be_visible()
        address = await page.locator("code").filter(has_text="/sign-in/reset").inner_text()
        await seen(page, f"{picture}-link", narrow=True)
        return address


async def choose_password(school: School, person: Person, address: str, picture: str) -> None:
    """With the link; then sign in with what was chosen."""
    chosen = f"cụm từ dài {secrets.token_hex(6)}"
    async with window(school.browser, school.base) as page:
        await page.goto(address)
        await seen(page, f"{picture}-new-password", narrow=True)
        await page.get_by_label("Mật khẩu mới", exact=True).fill(chosen)
        await page.get_by_label("Nhập lại mật khẩu mới").fill(chosen)
        await page.get_by_role("button", name="Đặt mật khẩu mới").click()
        await expect(page.get_by_role("heading", name="Đã đặt mật khẩu mới")).to_be_visible()
        person.password = chosen
        await sign_in(page, person)
        await expect(page.get_by_text("Mật khẩu được đặt lại lúc")).to_be_visible()
        await seen(page, f"{picture}-home-afterwards")
        await page.goto(address)
        await expect(page.get_by_role("heading", name="Đường dẫn không còn hiệu lực")).to_be_visible()
        await seen(page, f"{picture}-link-used-up")


async def test_a_forgotten_password_goes_to_the_administrator_and_comes_back_as_a_link(school: School) -> None:
    teacher = school.road.staff[school.forgetful]
    await forget(school, teacher, "forgotten")
    address = await hand_over_a_link(school, school.road.admin, teacher, "forgotten")
    await choose_password(school, teacher, address, "forgotten")


async def test_the_administrators_own_forgotten_password_goes_to_the_oversight_unit(school: School) -> None:
    administrator = school.road.admin
    await forget(school, administrator)
    address = await hand_over_a_link(school, school.road.officer, administrator, "forgotten-administrator")
    await choose_password(school, administrator, address, "forgotten-administrator")


async def test_a_first_visit_through_the_gateway_is_light_for_a_small_page_and_for_a_long_list(school: School) -> None:
    async with context_of(school.browser, school.base) as context:
        outside = await weight_of(context, "/ui/identity/sign-in")
        page = await context.new_page()
        await sign_in(page, school.road.admin)
        weights = [outside, await weight_of(context, "/ui/identity/signing-accounts")]
    for weight in weights:
        assert 5_000 < weight.all <= 100_000
        assert weight.scripts <= 35_000
