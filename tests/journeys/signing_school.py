"""A school where some sign by remote signing and some with a USB token at a computer of their own; everything waits to be signed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, expect

from infra.demo.people import Person
from infra.demo.road import AT_ONCE, PROVIDER, Road
from infra.demo.school import read
from infra.sandbox.provider.modes import PIN as PROVIDER_PIN
from services.chassis.web.lists import PAGE_SIZE
from services.records.imports.preview import preview
from services.records.schoolyear import SchoolClass
from tests.conftest import make_school
from tests.integration.agent_world import Computer, Program, until_true
from tests.integration.test_identity_token_registration import plugged_in
from tests.journeys.windows import PHONE, PICTURES, go, reloaded_until, seen, window_of
from tests.unit.agent.softhsm import PIN

ACCOUNTS, SCHOOL_CERTIFICATE = "/api/identity/signing-accounts", "/api/identity/school-certificate"
PASSWORD = "mật khẩu ở nhà cung cấp"
PUPILS = 13
"""A class: the school's queue is longer than one page."""


@dataclass
class SigningSchool:
    """`computers`: of those who sign with a token, by staff code; the issuer's holds the school's token."""

    road: Road
    browser: Browser
    computers: dict[str, Computer] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.road.base

    @property
    def seal(self) -> str:
        return f"mst-{self.road.export.school.tax_code}"

    @property
    def rooms(self) -> tuple[SchoolClass, ...]:
        return self.road.export.classes

    @property
    def issuer(self) -> str:
        return self.road.export.issuer.code

    def name(self, code: str) -> str:
        return self.road.staff[code].name

    async def control(self, path: str, order: dict[str, Any]) -> None:
        """Tell the sandbox provider."""
        async with httpx.AsyncClient(base_url=self.road.info["sandbox"]["provider"], timeout=300) as provider:
            (await provider.post(path, json=order)).raise_for_status()

    @asynccontextmanager
    async def phone(self, page: Page) -> AsyncIterator[Page]:
        """The provider's app, as wide as a phone."""
        opened = await page.context.new_page()
        await opened.set_viewport_size({"width": PHONE, "height": 740})
        await opened.goto(f"{self.road.info['sandbox']['provider']}/phone")
        yield opened
        await opened.close()

    async def subject_teachers(self) -> list[str]:
        """Who has something to sign in the first step, the busiest first."""

        limit = asyncio.Semaphore(AT_ONCE)

        async def asked(code: str) -> tuple[int, str]:
            async with limit:
                return await self.waiting(code, "subjects"), code

        found = await asyncio.gather(*(asked(code) for code in sorted(self.road.export.signing_staff)))
        return [code for number, code in sorted(found, reverse=True) if number]

    async def waiting(self, code: str, step: str) -> int:
        return len((await self.road.staff[code].get("/api/signing/queue", step=step))["transcripts"])

    async def others_sign(self, step: str, codes: set[str]) -> None:
        """By API, whoever has an account at the provider."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(code: str) -> None:
            async with limit:
                await self.road.sign_waiting(self.road.staff[code], step)

        await asyncio.gather(*(one(code) for code in sorted(codes - self.computers.keys())))


async def school_of(
    info: dict[str, Any], folder: Path, ca: Path, browser: Browser, *, level: str, code: str, by_token: dict[str, int]
) -> SigningSchool:
    """`by_token`: who of those that sign as "subjects", "homeroom", "leader" or "issue" has a token, by place in their list.

    Raises Refusal, or TimeoutError when something stands still.
    """
    made = await asyncio.to_thread(make_school, folder, code=code, province=f"0{code[-2:]}", pupils=PUPILS, defects=0, level=level)
    road = Road(info, read(made), lambda _: None)
    for stage in (road.organisations, road.import_year, road.accounts):
        await stage()
    school = SigningSchool(road, browser)
    holders = {step: _who(school, step, place) for step, place in by_token.items()}
    for holder in set(holders.values()):
        school.computers[holder] = Computer(folder / f"computer-{holder}", info["public_url"], ca)
    await _enrol(school)
    limit = asyncio.Semaphore(AT_ONCE)

    async def remotely(person: str, path: str, user: str) -> None:
        async with limit:
            await _proved(road.staff[person], await road.staff[person].post(path, _login(user)))

    await asyncio.gather(*(remotely(one, ACCOUNTS, one) for one in sorted(road.export.signing_staff - school.computers.keys())))
    for holder in sorted(school.computers.keys() & road.export.signing_staff):
        person = next(s for s in road.export.staff if s.code == holder)
        await _by_token(school, holder, ACCOUNTS, kind="personal", name=person.name, identifier=person.personal_id)
    if "issue" in holders:
        told = road.export.school
        await _by_token(school, school.issuer, SCHOOL_CERTIFICATE, kind="organisation", name=told.name, identifier=told.tax_code)
    else:
        await remotely(school.issuer, SCHOOL_CERTIFICATE, school.seal)
    await _approved(school)
    await road.create()
    return school


def _who(school: SigningSchool, step: str, place: int) -> str:
    """Of subject teachers the one with the most to teach, who leads no class and no school."""
    if step == "subjects":
        taught = Counter(a.staff for a in preview(school.road.export.files).assignments)
        others = {code for room in school.rooms for code in (room.homeroom, room.leader)}
        return [code for code, _ in taught.most_common() if code not in others][place]
    room = school.rooms[place]
    return {"homeroom": room.homeroom, "leader": room.leader, "issue": school.issuer}[step]


def _login(user: str) -> dict[str, str]:
    return {"provider": PROVIDER, "username": user, "password": PASSWORD}


async def _enrol(school: SigningSchool) -> None:
    """Accounts at the provider, for everybody: who signs with a token does not use theirs."""
    road = school.road
    people = [s for s in road.export.staff if s.code in road.export.signing_staff]
    users = [{"user": s.code, "kind": "personal", "name": s.name, "identifier": s.personal_id} for s in people]
    told = road.export.school
    users.append({"user": school.seal, "kind": "organisation", "name": told.name, "identifier": told.tax_code})
    await school.control("/control/users", {"users": [{**user, "password": PASSWORD} for user in users]})
    road.provider_passwords.update(dict.fromkeys([user["user"] for user in users], PASSWORD))


async def _proved(person: Person, proof: dict[str, Any]) -> None:
    async def over() -> str:
        state = str((await person.get(f"/api/identity/proofs/{proof['proof']}"))["state"])
        return "" if state == "WAITING_FOR_KEY" else state

    assert await until_true(over) == "PROVED"


async def _by_token(school: SigningSchool, holder: str, path: str, **order: str) -> None:
    """A token is plugged in at the holder's computer, the program paired, the key proved."""
    person, computer = school.road.staff[holder], school.computers[holder]
    await plugged_in(computer, school.road.info["sandbox"]["pki"], "p256", **order)
    code = await person.post("/api/identity/agents/pairing-codes")
    status, said = await computer.pair(str(code["code"]))
    assert status == 0, said
    async with computer.running("run") as program:

        async def connected() -> bool:
            return any(one["online"] for one in await person.get("/api/identity/agents"))

        await until_true(connected)
        proof = await person.post(path, {"means": "token"})

        async def offered() -> list[dict[str, Any]]:
            return list((await person.get(f"/api/identity/proofs/{proof['proof']}"))["offers"])

        [offer] = await until_true(offered)
        await person.post(f"/api/identity/proofs/{proof['proof']}/certificate", {"credential_id": offer["credential_id"]})
        await program.says("Mã PIN")
        await program.type(PIN)
        await _proved(person, proof)


async def _approved(school: SigningSchool) -> None:
    road = school.road
    await road.admin.post(f"{ACCOUNTS}/approve", {"all": True})

    async def approved() -> bool:
        if (await road.officer.get("/api/district/certificates", state="pending"))["certificates"]:
            await road.officer.post("/api/district/certificates/approve", {"all": True})
        done = {a["person"] for a in await road.admin.get(ACCOUNTS) if a["state"] == "APPROVED"}
        return done >= road.export.signing_staff and (await road.admin.get(SCHOOL_CERTIFICATE))["state"] == "APPROVED"

    await until_true(approved)


# what people do at their desks


@asynccontextmanager
async def queue_of(school: SigningSchool, code: str, group: str, entry: str, number: int) -> AsyncIterator[Page]:
    """Signed in, at the queue of a step, where so many documents wait."""
    async with window_of(school.browser, school.base, school.road.staff[code]) as page:
        await go(page, group, entry)
        await reloaded_until(page, page.get_by_role("link", name=f"Chờ ký ({number})", exact=True))
        yield page


async def chosen(page: Page, button: str, number: int) -> None:
    """Everything that the filter finds: ticked on this page, or over all pages where there are more."""
    if number > PAGE_SIZE:
        await page.get_by_label(f"Chọn tất cả {number} theo bộ lọc").check()
    else:
        await page.locator("[data-bulk-page]").check()
    await page.get_by_role("button", name=button, exact=True).click()


async def log_in(page: Page, user: str) -> None:
    await page.get_by_label("Tên đăng nhập").fill(user)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_label("Mật khẩu").press("Enter")


async def answer_on_the_phone(school: SigningSchool, page: Page, owner: str, button: str, *, picture: str = "") -> None:
    async with school.phone(page) as phone:
        asked = phone.locator("article").filter(has_text=owner)
        await expect(asked).to_be_visible()
        if picture:
            await phone.screenshot(path=PICTURES / f"{picture}-phone.png", full_page=True)
        await asked.get_by_role("button", name=button).click()


async def secrets_typed(school: SigningSchool, page: Page, user: str, *, picture: str) -> None:
    """The PIN wrong at first, the one-time password from the text message."""
    await expect(page.get_by_text("Nhập mã PIN và mã OTP để ký cả đợt")).to_be_visible()
    await seen(page, f"{picture}-asked", narrow=True)
    await page.get_by_role("button", name="Nhập mã PIN và mã OTP").click()
    await expect(page.get_by_text("Đã gửi mã OTP.")).to_be_visible()
    await seen(page, f"{picture}-secrets", narrow=True)
    async with httpx.AsyncClient(base_url=school.road.info["sandbox"]["provider"], timeout=60) as provider:
        code = (await provider.get("/control/codes")).json()[user]
    for pin in ("0000", PROVIDER_PIN):
        await page.get_by_label("Mã PIN").fill(pin)
        await page.get_by_label("Mã OTP gửi qua tin nhắn").fill(code)
        await page.get_by_role("button", name="Xác nhận và ký").click()
        if pin != PROVIDER_PIN:
            await expect(page.locator(".govuk-error-summary")).to_contain_text("HB-SIG-097")
            await seen(page, f"{picture}-wrong-pin", narrow=True)


async def agreed_on_the_providers_page(page: Page, user: str, *, picture: str) -> None:
    """There and back in the same window."""
    await expect(page.get_by_text("đăng nhập và đồng ý để ký cả đợt")).to_be_visible()
    await seen(page, f"{picture}-asked", narrow=True)
    await page.get_by_role("link", name="Đến trang của nhà cung cấp để xác nhận").click()
    await expect(page.get_by_role("heading", name="Xác nhận ký số")).to_be_visible()
    await page.screenshot(path=PICTURES / f"{picture}-provider.png", full_page=True)
    await page.get_by_label("Tên đăng nhập").fill(user)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập và đồng ý ký").click()


async def sign_with_token(page: Page, program: Program, number: int, *, picture: str) -> None:
    """From the question of the page to the last signature."""
    await seen(page, f"{picture}-asked", narrow=True)
    before = program.said.count("Mã PIN của thiết bị")
    await page.get_by_role("button", name="Ký", exact=True).click()
    await program.says("Mã PIN của thiết bị", before + 1)
    await expect(page.locator("#token-note")).to_contain_text("Nhập mã PIN")
    await seen(page, f"{picture}-pin", narrow=True)
    await program.type(PIN)
    await ended(page, number)
    await seen(page, f"{picture}-signed", narrow=True)


async def ended(page: Page, number: int) -> None:
    """The page follows by itself until so many are signed."""
    await expect(page.locator("#progress")).to_contain_text("Hoàn thành")
    await expect(page.locator("#progress")).to_contain_text(f"Đã ký {number} trong {number}")
