"""Windows of the journeys: people at their desks, through the gateway, and what the pages look like to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Locator, Page, Response, expect

from infra.demo.people import Person
from tests.integration.agent_world import until_true
from tests.journeys.browser import AXE, AXE_RUN

PICTURES = Path(__file__).resolve().parents[2] / "out" / "journeys"
DESK, PHONE = 1366, 360
VERSIONS = {"TH": "Quản lý Tiểu học", "THCS": "Quản lý THCS", "OVERSIGHT": "Phòng/Sở GD&ĐT"}
PATIENCE = 60_000
"""Milliseconds until what must appear counts as missing."""

expect.set_options(timeout=PATIENCE)


@asynccontextmanager
async def context_of(browser: Browser, base: str) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        ignore_https_errors=True, base_url=base, viewport={"width": DESK, "height": 768}, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh"
    )
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@asynccontextmanager
async def window(browser: Browser, base: str) -> AsyncIterator[Page]:
    """Of somebody who is not signed in. A script error, a breach of the page's policy or an answer of 500 and above fails the test."""
    problems: list[str] = []

    def note(answer: Response) -> None:
        if answer.status >= 500:
            problems.append(f"{answer.status} {answer.url}")

    async with context_of(browser, base) as context:
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("response", note)
        yield page
    assert problems == []


@asynccontextmanager
async def window_of(browser: Browser, base: str, person: Person) -> AsyncIterator[Page]:
    """Of somebody who has just signed in and sees the home page."""
    async with window(browser, base) as page:
        await sign_in(page, person)
        yield page


async def sign_in(page: Page, person: Person) -> None:
    await page.goto("/ui/identity/sign-in")
    await page.get_by_label(VERSIONS[person.version], exact=True).check()
    await page.get_by_label("Tên đăng nhập").fill(person.username)
    await page.get_by_label("Mật khẩu").fill(person.password)
    await page.get_by_label("Mật khẩu").press("Enter")
    await expect(page.get_by_role("heading", name="Trang chính")).to_be_visible()


async def go(page: Page, group: str, entry: str) -> None:
    """By the menu, with the keyboard."""
    menu = page.get_by_role("navigation", name="Danh mục")
    await menu.locator("summary").filter(has_text=group).press("Enter")
    await menu.get_by_role("link", name=entry).press("Enter")


async def seen(page: Page, picture: str, *, narrow: bool = False) -> None:
    """The page is accessible; its picture is kept. `narrow`: on a phone, too, where nothing may scroll sideways."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (DESK, PHONE) if narrow else (DESK,):
        await page.set_viewport_size({"width": width, "height": 768})
        await page.evaluate(AXE)
        assert await page.evaluate(AXE_RUN) == [], f"{picture} at {width} pixels"
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{picture} at {width} pixels"
        await page.screenshot(path=PICTURES / f"{picture}-{width}.png", full_page=True)
    await page.set_viewport_size({"width": DESK, "height": 768})


async def reloaded_until(page: Page, shown: Locator) -> None:
    """What another service has to hear of first appears when the page is loaded again."""

    async def there() -> bool:
        await page.reload()
        return await shown.first.is_visible()

    await until_true(there)


def value_of(page: Page, key: str) -> Locator:
    """The value next to a key of the page's lists of facts."""
    return page.locator(".govuk-summary-list__row").filter(has=page.get_by_text(key, exact=True)).locator("dd").first


@dataclass
class Weight:
    """Bytes over the wire, compressed."""

    all: int = 0
    scripts: int = 0


async def weight_of(context: BrowserContext, address: str) -> Weight:
    """Of a first visit: whatever the page asks for with nothing kept from before."""
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("Network.clearBrowserCache")
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    await page.goto(address, wait_until="networkidle")
    weight = Weight()
    for answer in answers:
        sizes = await answer.request.sizes()
        weight.all += sizes["responseBodySize"]
        if answer.request.resource_type == "script":
            weight.scripts += sizes["responseBodySize"]
    await page.close()
    return weight
