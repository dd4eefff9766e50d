"""A class goes to the gateway while the district watches, two transcripts are taken back, cancelled and made anew: in Chromium."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from infra.demo.people import Person
from infra.demo.road import Road
from infra.demo.school import read
from infra.local import Stack
from tests.conftest import make_school
from tests.faults.evidence import databases
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.journeys.qr import address_on
from tests.journeys.windows import go, reloaded_until, seen, window, window_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

GROUP, OVERSIGHT = "2. Học bạ số", "6. Học bạ số"
SUBMITTING, CANCELLING = "2.8. Gửi học bạ lên Cổng tiếp nhận", "2.6. Quản lý hủy học bạ"
DRAFTING, SENDING, SEALING = "2.10.1. Tạo yêu cầu thu hồi", "2.10.2. Gửi yêu cầu thu hồi", "Ký yêu cầu thu hồi"
BOARD, STATISTICS, DECIDING = "Theo dõi trực tiếp", "6.4. Thống kê học bạ số", "6.5. Quản lý yêu cầu thu hồi"
CLASS, PUPILS = "6A", 3
REASON = "Sai điểm môn Toán học kỳ II, đã đối chiếu sổ theo dõi."
NO = "Thông tin trên học bạ đã chính xác, không cần thu hồi."
TOKEN_KEPT_SECONDS = 6
"""The way in asks identity for a session at most that long ago."""


@dataclass
class School:
    """A secondary school whose transcripts are all confirmed; nothing is sent."""

    road: Road
    browser: Browser
    stack: Stack

    @property
    def base(self) -> str:
        return self.road.base

    @property
    def issuer(self) -> Person:
        return self.road.staff[self.road.export.issuer.code]

    async def transcripts(self) -> list[dict[str, Any]]:
        """Of the class, in order of creation."""
        return list((await self.road.admin.get("/api/records/transcripts", **{"class": CLASS}))["transcripts"])

    async def in_state(self, state: str) -> list[dict[str, Any]]:
        return [t for t in await self.transcripts() if t["state"] == state]

    async def control(self, order: dict[str, Any]) -> None:
        """Tell the sandbox gateway."""
        async with httpx.AsyncClient(base_url=self.road.info["sandbox"]["gateway"], trust_env=False) as gateway:
            (await gateway.post("/control/faults", json=order)).raise_for_status()

    def grow_old(self, who: Person) -> None:
        """The last proof of who is there is six minutes old."""
        with databases(self.stack) as dbs:
            older = {"$set": {"confirmed_at": {"$subtract": ["$confirmed_at", dt.timedelta(minutes=6) // dt.timedelta(milliseconds=1)]}}}
            dbs["identity"]["sessions"].update_many({"person": who.username}, [older])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def school(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> School:
    folder = tmp_path_factory.mktemp("delivery-journeys")
    made = await asyncio.to_thread(make_school, folder, code="31300068", province="068", pupils=PUPILS, defects=0, level="THCS")
    road = Road(stack.info, read(made), lambda _: None)
    for stage in (road.organisations, road.import_year, road.accounts, road.certificates, road.create):
        await stage()
    for step in ("subjects", "homeroom", "leader", "issue"):
        await road.sign(step)
    await road.confirm()

    async def known() -> int:
        return len((await road.admin.get("/api/publishing/submissions"))["submissions"])

    await road.until(known, road.outcome.created)
    return School(road, browser, stack)


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader").filter(has_text=name))


async def of_the_class(page: Page) -> None:
    """Filtered by the class, everything on the page ticked."""
    await page.get_by_label("Lớp", exact=True).select_option(CLASS)
    await page.get_by_role("button", name="Tìm kiếm").click()
    await expect(page.locator("td.look-tick input")).to_have_count(PUPILS)
    await page.locator("[data-bulk-page]").check()


async def stays(page: Page) -> None:
    """From now on a page that is loaded again is noticed."""
    await page.evaluate("window.stayed = true")


async def test_a_class_is_sent_one_is_refused_and_sent_again_while_the_district_watches(school: School) -> None:
    refused = (await school.transcripts())[1]
    await school.control({"reject_uuids": [refused["id"]]})
    async with (
        window_of(school.browser, school.base, school.road.officer) as watching,
        window_of(school.browser, school.base, school.road.admin) as page,
    ):
        await go(watching, OVERSIGHT, BOARD)
        await expect(watching.locator("[data-say]")).to_contain_text("Đã tiếp nhận 0")
        await stays(watching)
        await go(page, GROUP, SUBMITTING)
        await of_the_class(page)
        await seen(page, "28-list", narrow=True)
        await page.get_by_role("button", name="Gửi lên hệ thống").click()
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_text(f"Đã nhận {PUPILS} học bạ để gửi lên Cổng tiếp nhận.")).to_be_visible()
        await reloaded_until(page, row_of(page, refused["name"]).filter(has_text="Từ chối"))
        await expect(row_of(page, refused["name"])).to_contain_text("NG-901")
        await expect(watching.locator("[data-say]")).to_contain_text(f"Đã tiếp nhận {PUPILS - 1}")
        await seen(watching, "board-one-refused", narrow=True)
        await seen(page, "28-refused", narrow=True)
        await page.get_by_role("link", name=f"Các lần gửi {refused['name']}").click()
        await expect(page.get_by_role("row").filter(has_text="NG-901")).to_contain_text("Từ chối")
        await seen(page, "28-attempts", narrow=True)
        await school.control({"reject_uuids": []})
        await go(page, GROUP, SUBMITTING)
        await row_of(page, refused["name"]).get_by_role("checkbox").check()
        await page.get_by_role("button", name="Gửi lên hệ thống").click()
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_text("Đã nhận 1 học bạ để gửi lên Cổng tiếp nhận.")).to_be_visible()
        await reloaded_until(page, row_of(page, refused["name"]).filter(has_text="Đã tiếp nhận"))
        await expect(watching.locator("[data-say]")).to_contain_text(f"Đã tiếp nhận {PUPILS}")
        assert await watching.evaluate("window.stayed")
        await seen(page, "28-accepted", narrow=True)
        await go(watching, OVERSIGHT, STATISTICS)
        numbers = row_of(watching, school.road.export.school.name).first
        await expect(numbers.locator("[data-label='Đã tiếp nhận']")).to_have_text(str(PUPILS))
        await seen(watching, "64-statistics", narrow=True)


async def test_withdrawals_are_drafted_signed_refused_and_granted_and_the_school_cancels(school: School) -> None:
    kept, *gone = sorted((t["name"] for t in await school.in_state("ACCEPTED")), key=str)
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await drafted(page)
        await sent(page)
        await signed(school)
        await go(page, GROUP, SENDING)
        waiting = page.get_by_role("link", name=re.compile("^Chờ xử lý"))
        await reloaded_until(page, page.get_by_role("link", name=f"Chờ xử lý ({PUPILS})", exact=True))
        await waiting.click()
        await seen(page, "2102-pending", narrow=True)
        await page.get_by_role("link", name=kept, exact=True).click()
        await expect(page.get_by_text("Ký bằng chứng thư số nhà trường")).to_be_visible()
        await seen(page, "2102-request", narrow=True)
    await decided(school, kept)
    async with window_of(school.browser, school.base, school.road.admin) as page:
        await go(page, GROUP, DRAFTING)
        await reloaded_until(page, page.get_by_role("link", name=f"Đã thu hồi ({len(gone)})", exact=True))
        await page.get_by_role("link", name=re.compile("^Đã thu hồi")).click()
        await seen(page, "2101-withdrawn", narrow=True)
        await page.get_by_role("link", name=re.compile("^Từ chối")).click()
        await expect(row_of(page, kept)).to_contain_text(NO)
        await seen(page, "2101-refused", narrow=True)
        await status_is(school, (await withdrawn(school, len(gone)))[0]["id"], "Đã thu hồi", picture="verify-withdrawn")
        await cancelled(page, gone)


async def drafted(page: Page) -> None:
    """2.10.1, for the whole class."""
    await go(page, GROUP, DRAFTING)
    await page.get_by_role("link", name="Tạo yêu cầu").click()
    await of_the_class(page)
    await seen(page, "2101-choosing", narrow=True)
    await page.get_by_role("button", name="Tạo yêu cầu").click()
    await page.get_by_role("button", name="Ghi").click()
    await expect(page.locator(".govuk-error-summary")).to_be_visible()
    await page.get_by_label("Lý do thu hồi").fill(REASON)
    await seen(page, "2101-reason", narrow=True)
    await page.get_by_role("button", name="Ghi").click()
    await expect(page.get_by_text(f"Đã tạo {PUPILS} yêu cầu thu hồi.")).to_be_visible()
    await seen(page, "2101-drafts", narrow=True)


async def sent(page: Page) -> None:
    """2.10.2, from the drafts to the queue of the school's certificate."""
    await go(page, GROUP, SENDING)
    await page.locator("[data-bulk-page]").check()
    await page.get_by_role("button", name="Gửi lên hệ thống").click()
    await expect(page.get_by_text("Bạn có chắc chắn muốn gửi dữ liệu thu hồi học bạ số?")).to_be_visible()
    await seen(page, "2102-sure", narrow=True)
    await page.get_by_role("button", name="Xác nhận").click()
    await expect(page.get_by_text(f"Đã gửi {PUPILS} yêu cầu thu hồi")).to_be_visible()
    await seen(page, "2102-sealing", narrow=True)


async def signed(school: School) -> None:
    """The issuer, with the school's certificate at the provider."""
    user = f"mst-{school.road.export.school.tax_code}"
    async with window_of(school.browser, school.base, school.issuer) as page:
        await go(page, GROUP, SEALING)
        await reloaded_until(page, page.get_by_role("link", name=f"Chờ ký ({PUPILS})", exact=True))
        await page.locator("[data-bulk-page]").check()
        await seen(page, "2102-queue", narrow=True)
        await page.get_by_role("button", name="Ký yêu cầu thu hồi", exact=True).click()
        await page.get_by_label("Tên đăng nhập").fill(user)
        await page.get_by_label("Mật khẩu").fill(school.road.provider_passwords[user])
        await page.get_by_label("Mật khẩu").press("Enter")
        await expect(page.locator("#progress")).to_contain_text(f"Đã ký {PUPILS} trong {PUPILS}")
        await seen(page, "2102-signed", narrow=True)


async def decided(school: School, kept: str) -> None:
    """6.5: one is refused with a reason, after the officer has confirmed to be there; the others are granted."""
    officer = school.road.officer
    async with window_of(school.browser, school.base, officer) as page:
        await go(page, OVERSIGHT, DECIDING)
        await reloaded_until(page, page.get_by_role("link", name=f"Chờ xử lý ({PUPILS})", exact=True))
        await asyncio.to_thread(school.grow_old, officer)
        await seen(page, "65-pending", narrow=True)
        await asyncio.sleep(TOKEN_KEPT_SECONDS)
        await row_of(page, kept).get_by_role("checkbox").check()
        await page.get_by_role("button", name="Từ chối").click()
        await expect(page.get_by_text("Thao tác này cần biết chắc người thực hiện")).to_be_visible()
        await seen(page, "65-who-is-there", narrow=True)
        await page.get_by_label("Mật khẩu").fill(officer.password)
        await page.get_by_label("Mật khẩu").press("Enter")
        await page.get_by_label("Lý do từ chối").fill(NO)
        await seen(page, "65-refusing", narrow=True)
        await page.get_by_role("button", name="Từ chối").click()
        await expect(page.get_by_text("Đã từ chối 1 yêu cầu thu hồi.")).to_be_visible()
        await page.locator("[data-bulk-page]").check()
        await page.get_by_role("button", name="Duyệt").click()
        await expect(page.get_by_text(f"Đã duyệt {PUPILS - 1} yêu cầu thu hồi.")).to_be_visible()
        await reloaded_until(page, page.get_by_role("link", name=f"Đã thu hồi ({PUPILS - 1})", exact=True))
        await page.get_by_role("link", name=re.compile("^Đã thu hồi")).click()
        await seen(page, "65-withdrawn", narrow=True)
        await page.get_by_role("rowheader").get_by_role("link").first.click()
        await seen(page, "65-request", narrow=True)


async def withdrawn(school: School, number: int) -> list[dict[str, Any]]:
    """Once records has heard of them."""

    async def there() -> int:
        return len(await school.in_state("WITHDRAWN"))

    await school.road.until(there, number)
    return await school.in_state("WITHDRAWN")


async def cancelled(page: Page, gone: list[str]) -> None:
    """2.6: what was withdrawn can be cancelled, what is accepted cannot."""
    await go(page, GROUP, CANCELLING)
    await page.get_by_role("link", name=re.compile("^Đã ký xong")).click()
    await page.get_by_label("Lớp", exact=True).select_option(CLASS)
    await page.get_by_role("button", name="Tìm kiếm").click()
    await expect(page.locator("td.look-tick input")).to_have_count(len(gone))
    await seen(page, "26-withdrawn", narrow=True)
    for name in gone:
        await row_of(page, name).get_by_role("checkbox").check()
    await page.get_by_role("button", name="Hủy học bạ").click()
    await page.get_by_label(re.compile("^Lý do")).fill(REASON)
    await page.get_by_role("button", name="OK").click()
    await page.get_by_role("link", name=re.compile("^Đã hủy")).click()
    for name in gone:
        await expect(row_of(page, name)).to_contain_text(REASON)
    await seen(page, "26-cancelled", narrow=True)


async def test_the_codes_of_the_old_and_the_new_version_tell_which_one_is_in_force(school: School, tmp_path: Path) -> None:
    [taken_back, *_] = (await school.road.admin.get("/api/publishing/withdrawals", state="WITHDRAWN"))["withdrawals"]
    old = taken_back["transcript"]
    new = await made_anew(school, taken_back["pupil_code"])
    covers = {}
    for version in (old, new):
        covers[version] = tmp_path / f"{version}.pdf"
        covers[version].write_bytes(await school.road.admin.download(f"/api/records/transcripts/{version}/document.pdf"))
    await status_is(school, address_on(covers[old]), "Đã được thay thế", picture="verify-replaced")
    await status_is(school, address_on(covers[new]), "Đang có hiệu lực", picture="verify-in-force")
    async with window(school.browser, school.base) as page:
        for version, outcome in ((old, "Không còn hoặc chưa có hiệu lực"), (new, "Hợp lệ và đang có hiệu lực")):
            await page.goto("/ui/publishing/verify")
            await page.get_by_label("Tệp đã ký số").set_input_files(covers[version])
            await page.get_by_role("button", name="Kiểm tra tệp").click()
            await expect(page.get_by_text(outcome, exact=True)).to_be_visible()
            await seen(page, f"verify-file-{version == new}", narrow=True)


async def status_is(school: School, code: str, status: str, *, picture: str) -> None:
    """Somebody without an account opens the page of a code, or the address that a code leads to."""
    async with window(school.browser, school.base) as page:
        await page.goto(code if code.startswith("https:") else f"/ui/publishing/verify/{code}")
        await expect(page.locator(".govuk-body-l").get_by_text(status, exact=True)).to_be_visible()
        assert school.road.export.school.name in await page.get_by_role("main").inner_text()
        await seen(page, picture, narrow=True)


async def made_anew(school: School, pupil: str) -> str:
    """The next version, on the road that everything went: created, signed, confirmed, sent and accepted."""
    road = school.road
    await road.admin.post("/api/records/transcripts", {"classes": [CLASS]})

    async def created() -> list[dict[str, Any]]:
        return [t for t in await school.transcripts() if t["version"] == 2 and t["pupil"] == pupil]

    async def moved_to(state: str) -> int:
        return int((await created())[0]["state"] == state)

    async def there() -> int:
        return len(await created())

    async def requested() -> int:
        return int((await road.admin.post("/api/publishing/submissions", {"transcripts": [transcript]}))["requested"])

    await road.until(there, 1)
    transcript = (await created())[0]["id"]
    for step in ("subjects", "homeroom", "leader", "issue"):
        await road.sign(step)
    await road.until(partial(moved_to, "SIGNED"), 1)
    await road.admin.post("/api/records/confirmations", {"transcripts": [transcript]})
    await road.until(requested, 1)
    await road.until(partial(moved_to, "ACCEPTED"), 1)
    return str(transcript)
