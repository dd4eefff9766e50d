"""Somebody without an account opens a share link in Chromium: by its address, and without scripts by typing its code."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect

from contracts.documents import DocumentRef
from infra.local import Stack
from services.publishing.app import web
from services.publishing.sharing import desk, rules, secret
from services.publishing.verification.bounded import Bounded
from services.publishing.verification.verifying import Verifier
from tests.integration.pages_world import World, world_of
from tests.integration.test_sharing import CLERK, confirmed, moved_on
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.unit.signing.sealed import Sandbox

pytestmark = pytest.mark.slow
ASK = rules.Ask(asker="Nguyễn Gia Thành", relation="Cha", purpose="Xét tuyển lớp 6", reference="Đơn số 12/2026", days=7)


@dataclass
class Place:
    world: World
    address: str
    asked: list[str]
    """Everything that browsers have asked the server for, as its first line had it."""
    transcript: str = ""


@pytest.fixture
async def place(light_stack: Stack, tmp_path: Path) -> AsyncIterator[Place]:
    """Publishing alone, on an address of its own, which trusts the sandbox's root, with one sealed transcript."""
    sandbox = Sandbox.open(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    async with world_of(light_stack) as world:
        parts = world.parts["publishing"]
        app = web(replace(parts, settings=parts.settings.model_copy(update={"public_url": address})))
        app.state.verifier = Verifier(parts.db, tuple(sandbox.roots), Bounded())
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
        running = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag alone
            await asyncio.sleep(0.05)
        made = Place(world, address, [])
        made.transcript = await _sealed(world, sandbox)
        yield made
        server.should_exit = True
        await running


async def _sealed(world: World, sandbox: Sandbox) -> str:
    """A transcript that records has confirmed, with a file that was really signed and sealed."""
    transcript = await confirmed(world)
    pdf = await world.parts["records"].objects.put("sharing", ".pdf", sandbox.sealed_pdf(), "application/pdf")
    db = world.db("publishing")
    await db["submissions"].update_one({"_id": transcript}, {"$set": {"pdf": pdf.model_dump(mode="json")}})
    await db["verifiable"].update_one({"_id": transcript}, {"$push": {"files": pdf.sha256}})
    return transcript


async def _page(browser: Browser, place: Place, *, scripts: bool) -> Page:
    page = await browser.new_page(java_script_enabled=scripts)
    page.set_default_timeout(120_000)
    page.on("request", lambda request: place.asked.append(f"{request.url} {request.headers.get('referer', '')}"))
    return page


async def test_a_link_opens_by_its_address_or_its_code_and_its_secret_is_in_no_request_line(place: Place, tmp_path: Path) -> None:
    db = place.world.db("publishing")
    share, told = await desk.make(db, CLERK, str(uuid4()), [place.transcript], ASK)
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        page = await _page(browser, place, scripts=True)
        await page.goto(f"{place.address}/ui/publishing/shared#{told}")
        await expect(page.get_by_role("heading", name="Năm học 2025-2026", exact=False)).to_be_visible()
        await expect(page.get_by_text("Hợp lệ và đang có hiệu lực", exact=True)).to_be_visible()
        assert told not in page.url
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Tải tệp PDF").click()
        saved = tmp_path / "saved.pdf"
        await (await downloading.value).save_as(saved)
        ref = DocumentRef.model_validate(share["transcripts"][0]["pdf"])
        assert saved.read_bytes() == await place.world.parts["records"].objects.get(ref)

        plain = await _page(browser, place, scripts=False)
        await plain.goto(f"{place.address}/ui/publishing/shared#{told}")
        await plain.get_by_label("Mã chia sẻ").fill(secret.grouped(told).lower())
        await plain.get_by_role("button", name="Mở học bạ").click()
        await expect(plain.get_by_text("Hợp lệ và đang có hiệu lực", exact=True)).to_be_visible()

        await moved_on(place.world, place.transcript, "WITHDRAWN")
        await plain.goto(f"{place.address}/ui/publishing/shared")
        await plain.get_by_label("Mã chia sẻ").fill(told)
        await plain.get_by_role("button", name="Mở học bạ").click()
        await expect(plain.get_by_text("Đã thu hồi", exact=True)).to_be_visible()
        await expect(plain.get_by_role("button", name="Tải tệp PDF")).to_have_count(0)

        await desk.revoke(db, CLERK, share["_id"], "Gửi nhầm người")
        await page.goto("about:blank")
        await page.goto(f"{place.address}/ui/publishing/shared#{told}")
        await expect(page.get_by_text("HB-PUB-090")).to_be_visible()
        await browser.close()
    assert len(place.asked) > 8
    # the browser reports its own address with the fragment; what goes over the wire ends before it
    assert [line for line in place.asked if told in line.partition("#")[0] or told in line.partition(" ")[2]] == []
