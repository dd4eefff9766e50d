"""Second factors and confirming anew in Chromium, with its virtual authenticator; identity alone, over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Page, async_playwright, expect

from infra.local import Stack
from tests.integration.identity_world import PASSWORD, PROCESSES, Browser, World, code, world_of
from tests.journeys.browser import AXE, AXE_RUN, CHROMIUM, FLAGS


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack("identity-browser-test", only=PROCESSES, fresh=True) as running:
        yield running


class Served(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.asynccontextmanager
async def served(world: World, stack: Stack) -> AsyncIterator[None]:
    """Where the gateway would be."""
    tls, port = stack.instance.tls, stack.instance.ports["gateway"]
    config = uvicorn.Config(
        world.app, host="127.0.0.1", port=port, ssl_certfile=tls / "server.pem", ssl_keyfile=tls / "server.key", log_level="warning"
    )
    server = Served(config)
    running = asyncio.create_task(server.serve())
    await server.ready.wait()
    yield
    server.should_exit = True
    await running


@contextlib.asynccontextmanager
async def opened(world: World, stack: Stack) -> AsyncIterator[Page]:
    """A window that trusts the instance's certificate by its key; a page that breaks its policy or its scripts fails the test."""
    certificate = x509.load_pem_x509_certificate((stack.instance.tls / "server.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trusted = f"--ignore-certificate-errors-spki-list={b64encode(hashlib.sha256(key).digest()).decode()}"
    problems: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, trusted])
        context = await chromium.new_context(base_url=world.settings.public_url, viewport={"width": 1366, "height": 768}, locale="vi-VN")
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None)
        yield page
        await chromium.close()
    assert problems == []


async def virtual_authenticator(page: Page) -> None:
    """A key built into the computer, whose owner says yes."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    features = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": features})


async def sign_in(page: Page, person: str) -> None:
    await page.goto("/ui/identity/sign-in")
    await page.get_by_label("Quản lý Tiểu học").check()
    await page.get_by_label("Tên đăng nhập").fill(person)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập").click()


async def sign_out(page: Page) -> None:
    await page.locator(".look-user summary").click()
    await page.get_by_role("button", name="Đăng xuất").click()


async def accessible(page: Page) -> None:
    await page.evaluate(AXE)
    assert await page.evaluate(AXE_RUN) == []


async def school(stack: Stack, world: World) -> Browser:
    administrator = await world.school()
    await world.staff_member(administrator, code(6))
    return administrator


async def test_a_teacher_adds_a_passkey_and_signs_in_with_it(stack: Stack) -> None:
    async with world_of(stack, second_factor="required") as world:
        await school(stack, world)
        async with served(world, stack), opened(world, stack) as page:
            await virtual_authenticator(page)
            await sign_in(page, code(6))
            await page.goto("/ui/identity/factors")
            await accessible(page)
            await page.get_by_label("Tên để nhận biết").fill("Máy tính ở nhà")
            await page.get_by_role("button", name="Thêm khoá truy cập").click()
            await expect(page.get_by_role("heading", name="Mã dự phòng")).to_be_visible()
            assert await page.locator("ol .look-reference").count() == 10
            await accessible(page)
            await page.get_by_role("link", name="Tiếp tục").click()
            await expect(page.get_by_role("row").filter(has_text="Máy tính ở nhà")).to_be_visible()
            await sign_out(page)
            await sign_in(page, code(6))
            await expect(page.get_by_role("heading", name="Xác thực hai lớp")).to_be_visible()
            await accessible(page)
            await page.get_by_role("button", name="Dùng khoá truy cập").click()
            await expect(page.get_by_role("heading", name="Trang chính")).to_be_visible()


async def test_what_was_held_back_goes_on_by_itself_after_confirming(stack: Stack) -> None:
    async with world_of(stack) as world:
        await school(stack, world)
        async with served(world, stack), opened(world, stack) as page:
            await sign_in(page, code(6))
            await expect(page.get_by_role("heading", name="Trang chính")).to_be_visible()
            await page.goto("/ui/identity/factors")
            await world.db["sessions"].update_many({}, [{"$set": {"confirmed_at": {"$subtract": ["$confirmed_at", 360_000]}}}])
            await page.get_by_role("button", name="Thêm ứng dụng xác thực").click()
            await expect(page.get_by_role("heading", name="Cần xác nhận lại danh tính")).to_be_visible()
            await accessible(page)
            await page.get_by_label("Mật khẩu").fill(PASSWORD)
            await page.get_by_role("button", name="Xác nhận").click()
            await expect(page.get_by_role("heading", name="Thêm ứng dụng xác thực")).to_be_visible()
            await expect(page.get_by_role("img", name="Mã QR của khoá xác thực")).to_be_visible()
            await accessible(page)
