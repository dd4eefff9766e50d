"""The look in Chromium: accessibility, keyboard, reflow, weight and policy of every page, with and without scripts."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request, Response
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from starlette.middleware.gzip import GZipMiddleware

from services.chassis.web import look
from tests.journeys.browser import AXE, AXE_RUN, CHROMIUM, FLAGS
from tests.unit.chassis.web_samples import PACKAGES, samples
from tests.unit.chassis.web_samples_base import Sample, progress

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLES = {sample.name: sample for sample in samples()}
LARGE = [name for name in SAMPLES if name.endswith("-many") or name == "signing/batch-done"]
APART = ["identity/openapi", "identity/confirmed"]  # scripts of the API description, served by identity itself; a form that goes on at once
SMALL = [name for name in SAMPLES if name not in LARGE + APART]
ONE_OF_A_TEMPLATE = list({SAMPLES[name].template: name for name in SMALL}.values())
PHONE, DESK, NARROWEST = 360, 1366, 320


def _app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(GZipMiddleware)
    look.mount_static(app)
    pages = look.templates(*PACKAGES)
    polls = {"count": 0}

    @app.api_route("/page/{name:path}", methods=["GET", "POST"])
    async def page(request: Request, name: str) -> Response:
        sample: Sample = SAMPLES[name]
        if request.headers.get("hx-request") and name == "signing/batch-running":
            polls["count"] += 1
            over = {**sample.context, "progress": progress(running=polls["count"] < 2), "awaiting_phone": False, "cancel_action": ""}
            return look.render(pages, request, "signing/batch_panel.html", over)
        return look.render(pages, request, sample.template, sample.context)

    @app.post("/signing/homeroom")
    async def received(request: Request) -> dict[str, Any]:
        form = await request.form()
        return {"ids": form.getlist("ids"), "all": form.get("all"), "filter": form.get("filter"), "act": form.get("act")}

    @app.get("/{path:path}/events")
    async def quiet(path: str) -> Response:
        """Nothing is told: a page that listens hears no error."""
        return Response("retry: 60000\n\n", media_type="text/event-stream")

    @app.get("/sample.pdf")
    async def document() -> Response:
        return Response(_empty_pdf(), media_type="application/pdf", headers=dict(look.DOCUMENT_HEADERS))

    return app


def _empty_pdf() -> bytes:
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, part in enumerate(parts, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj%sendobj\n" % (number, part))
    start = out.tell()
    out.write(b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


@pytest.fixture(scope="module", name="address")
def address_fixture() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(_app(), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest_asyncio.fixture(name="browser", scope="module", loop_scope="module")
async def browser_fixture() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def opened(browser: Browser, width: int = DESK, *, scripts: bool = True) -> AsyncIterator[Page]:
    context: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": 768}, java_script_enabled=scripts, locale="vi-VN"
    )
    yield await context.new_page()
    await context.close()


class Watch:
    """What a page asked for and complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self._note(request.url, address))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, url: str, address: str) -> None:
        # The browser's own PDF viewer loads its parts from chrome: addresses.
        if url.startswith(("http:", "https:", "ws:", "wss:")) and not url.startswith(f"{address}/"):
            self.foreign.append(url)


async def accessibility_faults(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(AXE + ";(" + AXE_RUN + ")()")
    return found


@pytest.mark.parametrize(
    ("width", "names"),
    [
        pytest.param(NARROWEST, SMALL, id="narrowest-every"),
        pytest.param(DESK, ONE_OF_A_TEMPLATE, id="desk-one-of-a-template"),
        pytest.param(PHONE, SMALL, id="phone-every", marks=pytest.mark.slow),
        pytest.param(DESK, SMALL, id="desk-every", marks=pytest.mark.slow),
    ],
)
async def test_every_page_is_accessible_and_scrolls_in_one_direction_only(
    browser: Browser, address: str, width: int, names: list[str]
) -> None:
    """WCAG 2.2, 1.4.10: no sideways scrolling at 320 pixels."""
    faults: list[str] = []
    async with opened(browser, width) as page:
        watch = Watch(page, address)
        for name in names:
            await page.goto(f"{address}/page/{name}")
            faults += [f"{name}: {fault}" for fault in await accessibility_faults(page)]
            if (wide := await page.evaluate("document.documentElement.scrollWidth")) > width:
                faults.append(f"{name}: {wide} pixels wide")
        assert watch.foreign == []
        assert watch.complaints == []
    assert faults == []


ALWAYS = ("records/class-many", "identity/staff-many")
"""Of the long lists, those that every change is judged by."""


@pytest.mark.parametrize(
    ("name", "width"),
    [
        *(pytest.param(name, DESK, marks=() if name in ALWAYS else pytest.mark.slow) for name in LARGE),
        ("records/class-many", PHONE),
        pytest.param("district/statistics-many", PHONE, marks=pytest.mark.slow),
    ],
)
async def test_a_list_of_five_hundred_rows_is_accessible(browser: Browser, address: str, name: str, width: int) -> None:
    """Wide for every list; narrow for two of them, since a row of each is examined narrow above."""
    async with opened(browser, width) as page:
        await page.goto(f"{address}/page/{name}")
        assert await accessibility_faults(page) == []


async def test_open_menus_are_accessible(browser: Browser, address: str) -> None:
    for width in (PHONE, DESK):
        async with opened(browser, width) as page:
            await page.goto(f"{address}/page/identity/home")
            for summary in await page.locator("summary").all():
                await summary.click()
                assert await accessibility_faults(page) == []


LINKED = re.compile(r'(?:src|href)="(/static/[^"]+)"')


async def test_a_first_visit_weighs_less_than_a_hundred_kilobytes(browser: Browser, address: str) -> None:
    """Compressed as a gateway would; a browser asks for nothing that the page does not link."""
    weights: dict[str, int] = {}
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:

        async def weight(path: str) -> int:
            if path not in weights:
                weights[path] = len(gzip.compress((await client.get(path)).content, 6))
            return weights[path]

        for name in [*LARGE, "identity/sign_in", "signing/batch-running"]:
            page = f"/page/{name}"
            linked = set(LINKED.findall((await client.get(page)).text))
            assert 10_000 < sum([await weight(path) for path in {page, *linked}]) <= 100_000, name
            if name in {*ALWAYS, "identity/sign_in", "signing/batch-running"}:
                asked = {path for path in await _asked(browser, address, page) if not path.endswith("/events")}
                assert page in asked <= {page, *linked}


async def _asked(browser: Browser, address: str, path: str) -> set[str]:
    async with opened(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.removeprefix(address)))
        await page.goto(f"{address}{path}", wait_until="networkidle")
        return set(asked)


@pytest.mark.parametrize("scripts", [True, False])
async def test_focus_goes_to_the_error_summary_and_its_links_to_the_fields(browser: Browser, address: str, scripts: bool) -> None:
    async with opened(browser, scripts=scripts) as page:
        await page.goto(f"{address}/page/identity/sign_in-error")
        assert (await page.title()).startswith("Lỗi: ")
        assert await page.locator(".govuk-error-summary:focus").count() == 1
        for field in ("username", "password", "version"):
            await page.locator(f".govuk-error-summary a[href='#{field}']").press("Enter")
            assert await page.locator(f"#{field}:focus").count() == 1


async def test_a_password_can_be_pasted(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        await page.goto(f"{address}/page/identity/sign_in")
        await page.fill("#username", "một cụm từ dài")
        await page.locator("#username").press("Control+a")
        await page.locator("#username").press("Control+c")
        await page.locator("#password").press("Control+v")
        assert await page.input_value("#password") == "một cụm từ dài"


async def test_rows_are_ticked_by_page_by_range_and_by_filter(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        await page.goto(f"{address}/page/signing/queue-many")
        count = page.locator("[data-bulk-count]")
        boxes = page.locator("input[name=ids]")
        await boxes.nth(2).click()
        await boxes.nth(6).click(modifiers=["Shift"])
        assert await count.inner_text() == "Đã chọn 5"
        await page.locator("[data-bulk-page]").check()
        assert await count.inner_text() == "Đã chọn 500"
        await page.locator("input[name=all]").check()
        assert await count.inner_text() == "Đã chọn tất cả 1.240"
        await boxes.nth(0).uncheck()
        assert await count.inner_text() == "Đã chọn 499"
        assert not await page.locator("input[name=all]").is_checked()


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_choice_is_sent_with_and_without_scripts(browser: Browser, address: str, scripts: bool) -> None:
    async with opened(browser, scripts=scripts) as page:
        await page.goto(f"{address}/page/signing/queue-many")
        assert await page.locator("[data-bulk-page]").is_visible() is scripts
        await page.locator("input[name=ids]").nth(1).check()
        await page.get_by_role("button", name="Trả lại").click()
        sent = await page.inner_text("body")
        assert '"ids":["t1"],"all":null' in sent
        assert '"act":"return"' in sent
        await page.goto(f"{address}/page/signing/queue-many")
        await page.locator("input[name=all]").check()
        await page.get_by_role("button", name="Ký học bạ").click()
        sent = await page.inner_text("body")
        assert '"all":"1","filter":"?tab=awaiting","act":"sign"' in sent


async def test_focus_never_ends_under_the_sticky_bar(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        await page.goto(f"{address}/page/signing/queue-many")
        await page.locator("input[name=ids]").nth(80).focus()
        for _ in range(60):
            await page.keyboard.press("Shift+Tab")
            top, bar = await page.evaluate(
                "[document.activeElement.getBoundingClientRect().top, document.querySelector('.look-bulk').getBoundingClientRect().bottom]"
            )
            assert top >= bar


async def test_progress_moves_by_itself_speaks_calmly_and_takes_focus_at_the_end(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        watch = Watch(page, address)
        await page.goto(f"{address}/page/signing/batch-running")
        await page.evaluate(
            """() => { window.spoken = []; new MutationObserver(() => spoken.push(document.querySelector("[data-live]").textContent))
                 .observe(document.querySelector("[data-live]"), {childList: true}) }"""
        )
        await page.wait_for_selector("#progress[data-focus]:focus", timeout=15_000)
        assert "Hoàn thành, có mục chưa được" in await page.inner_text("#progress")
        await expect(page.locator("[data-live]")).to_have_text("Đã xong.", timeout=10_000)
        assert len(await page.evaluate("spoken")) <= 2
        assert watch.foreign == []
        assert watch.complaints == []


async def test_the_menu_opens_by_keyboard_and_closes_with_escape(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        await page.goto(f"{address}/page/records/classes-one")
        summary = page.locator(".look-nav summary").nth(1)
        await summary.press("Enter")
        assert await page.get_by_role("link", name="2.1. Tạo học bạ").is_visible()
        await page.keyboard.press("Escape")
        assert not await page.get_by_role("link", name="2.1. Tạo học bạ").is_visible()
        assert await page.locator(".look-nav summary:focus").count() == 1


async def test_the_skip_link_comes_first_and_reaches_the_content(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        await page.goto(f"{address}/page/records/class-one")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Đến nội dung chính"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_status_is_readable_with_forced_colours(browser: Browser, address: str) -> None:
    async with opened(browser) as page:
        await page.emulate_media(forced_colors="active", reduced_motion="reduce")
        await page.goto(f"{address}/page/records/class-running")
        tag = page.locator(".govuk-tag").first
        assert (await tag.inner_text()).strip()
        assert await tag.evaluate("(element) => getComputedStyle(element).borderTopStyle") == "solid"
