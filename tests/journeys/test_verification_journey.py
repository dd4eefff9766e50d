"""Somebody without an account follows the QR code of a transcript and drops its file, in Chromium, on real stores."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import async_playwright, expect

from infra.local import Stack
from services.publishing.app import web
from services.publishing.verification.bounded import Bounded
from services.publishing.verification.verifying import Verifier
from tests.integration.pages_world import World, world_of
from tests.integration.test_verification import issued
from tests.journeys.browser import CHROMIUM, FLAGS
from tests.unit.signing.sealed import Sandbox

pytestmark = pytest.mark.slow


@dataclass
class Place:
    world: World
    address: str
    sandbox: Sandbox


@pytest.fixture
async def place(light_stack: Stack, tmp_path: Path) -> AsyncIterator[Place]:
    """Publishing alone, on an address of its own, which trusts the sandbox's root."""
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
        yield Place(world, address, sandbox)
        server.should_exit = True
        await running


async def test_a_qr_code_leads_to_the_status_and_the_file_to_its_verdicts(place: Place, tmp_path: Path) -> None:
    sealed = place.sandbox.sealed_pdf()
    code = await issued(place.world, sha256=sha256(sealed).hexdigest())
    (tmp_path / "hoc-ba.pdf").write_bytes(sealed)
    (tmp_path / "sua.pdf").write_bytes(sealed.replace(b"(Typst", b"(Tapst", 1))
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(java_script_enabled=False)
        page.set_default_timeout(120_000)
        await page.goto(f"{place.address}/ui/publishing/verify/{code}")
        await expect(page.get_by_text("Đang có hiệu lực", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Kiểm tra tệp PDF hoặc XML").or_(page.get_by_text("Kiểm tra tệp PDF hoặc XML")).first.click()
        for file, outcome in (("hoc-ba.pdf", "Hợp lệ và đang có hiệu lực"), ("sua.pdf", "Không hợp lệ")):
            await page.goto(f"{place.address}/ui/publishing/verify")
            await page.get_by_label("Tệp đã ký số").set_input_files(tmp_path / file)
            await page.get_by_role("button", name="Kiểm tra tệp").click()
            await expect(page.get_by_text(outcome, exact=True)).to_be_visible()
            await expect(page.get_by_role("heading", name="Trường Tiểu học An Hồng")).to_be_visible()
        await browser.close()
