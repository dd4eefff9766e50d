"""Identity's web application on a real database and a real provider, asked as the gateway asks it."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import Cookie
from typing import Any

import httpx
from fastapi import FastAPI

from contracts.event import Event
from contracts.events.district import CertificateDecidedV1
from contracts.events.records import StaffImportedV1, StaffMember
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis import outbox
from services.chassis.mongo import Database, Document, connect, transaction
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings
from services.chassis.work import Pool
from services.identity import app as identity
from services.identity import store
from services.identity.bootstrap import bootstrap
from services.identity.certificates.decisions import Decisions, take_decision
from services.identity.organisations.handlers import take_staff
from services.identity.organisations.places import Named

YEAR = "2025-2026"
SCHOOL = "31300001"
UNIT = "03101"
PASSWORD = "một cụm từ dài"
PROCESSES = ("mongod", "sandbox-provider")


def code(number: int, school: str = SCHOOL) -> str:
    return f"{school}{number:03d}"


def personal_id(number: int) -> str:
    return f"031190{number:06d}"


def member(number: int, position: str = "Giáo viên", **flags: Any) -> StaffMember:
    given = {"administrator": False, "issuer": False, "teaches": position == "Giáo viên", "homeroom_of": (), **flags}
    return StaffMember(code=code(number), name=f"Nguyễn Văn {number}", personal_id=personal_id(number), position=position, **given)


STAFF = (
    member(1, "Hiệu trưởng"),
    member(2, "Phó hiệu trưởng"),
    member(3, "Nhân viên công nghệ thông tin", administrator=True),
    member(4, "Nhân viên văn thư", issuer=True),
    member(6, homeroom_of=("1A",)),
    member(7),
)


def settings_of(stack: Stack) -> Settings:
    environment = service_environment(stack.instance, "identity")
    return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})


@dataclass
class Browser:
    """One person's browser behind the gateway: the cookie becomes an internal token for every request."""

    app: FastAPI
    address: str
    client: httpx.AsyncClient
    app_secret: str = ""

    async def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        token = (await self.client.get("/internal/session")).headers.get("X-Internal-Token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.request(method, path, headers=headers, **arguments)

    async def get(self, path: str) -> Any:
        return _good(await self.ask("GET", path)).json()

    async def post(self, path: str, body: object = None) -> Any:
        return _good(await self.ask("POST", path, json=body)).json()

    async def sign_in(self, username: str, password: str, version: str = "TH") -> httpx.Response:
        return await self.ask("POST", "/api/identity/sessions", json={"version": version, "username": username, "password": password})

    async def register(self, path: str, body: object) -> Any:
        """Register and wait until the key is proved or not; the proof as it ended."""
        return await self.proved((await self.post(path, body))["proof"])

    async def proved(self, proof: str) -> Any:
        """Ask until the proof is over."""
        shown = await self.get(f"/api/identity/proofs/{proof}")
        while shown["state"] == "WAITING_FOR_KEY":
            await asyncio.sleep(0.02)
            shown = await self.get(f"/api/identity/proofs/{proof}")
        return shown

    async def settle(self, username: str, one_time: str, version: str = "TH") -> None:
        """Sign in with the one-time password and choose another."""
        _good(await self.sign_in(username, one_time, version))
        me = _good(await self.ask("POST", "/api/identity/password", json={"old": one_time, "new": PASSWORD})).json()
        if me["missing"] == "enrolment":
            await self.enrol_app()

    async def enrol_app(self) -> list[str]:
        """An authenticator app on this person's phone; the spare codes."""
        self.app_secret = (await self.post("/api/identity/factors/totp"))["secret"]
        done: list[str] = (await self.post("/api/identity/factors/totp/confirm", {"code": self.app_code()}))["spare_codes"]
        return done

    def app_code(self, steps: int = 0) -> str:
        """What the app shows, so many steps of 30 seconds from now (RFC 6238)."""
        counter = int(time.time()) // 30 + steps
        mac = hmac.new(base64.b32decode(self.app_secret), counter.to_bytes(8, "big"), hashlib.sha1).digest()
        start = mac[-1] & 15
        return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"

    async def give_code(self, code: str) -> httpx.Response:
        """After the right password."""
        return await self.ask("POST", "/api/identity/sessions/current/second-factor", json={"code": code})


@dataclass(frozen=True)
class _Kept:
    """A school as it was made: all documents, and what its officer and administrator hold."""

    at: float
    documents: dict[str, list[Document]]
    cookies: list[list[Cookie]]
    app_secrets: list[str]


KEPT_SECONDS = 120.0
_KEPT: dict[tuple[object, ...], _Kept] = {}


@dataclass
class World:
    settings: Settings
    db: Database
    app: FastAPI
    provider: str
    waits: list[float] = field(default_factory=list)
    root: Browser | None = None
    _open: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self) -> Browser:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.settings.public_url)
        self._open.append(client)
        return Browser(self.app, self.settings.public_url, client)

    async def officer(self) -> Browser:
        made = await bootstrap(self.settings, "031", "Sở Giáo dục và Đào tạo", Named("031-cb01", "Trần Thị Sở"), reset=False)
        assert made["one_time_password"]
        officer = self.browser()
        await officer.settle("031-cb01", made["one_time_password"], "OVERSIGHT")
        return officer

    async def administrator(self, school: str = SCHOOL, tax_code: str = "0231300001") -> Browser:
        """The school made by the officer, its administrator signed in."""
        if self.root is None:
            self.root = await self.officer()
            await self.root.post("/api/identity/units", {"code": UNIT, "name": "Phường An Hải", "parent": "031"})
        made = await self.root.post("/api/identity/schools", school_order(school, tax_code))
        administrator = self.browser()
        await administrator.settle(made["administrator"]["username"], made["administrator"]["one_time_password"])
        return administrator

    async def school(self, staff: Sequence[StaffMember] = STAFF) -> Browser:
        """A school with its staff imported; the administrator signed in.

        Making one takes half a second of password hashing, and most tests begin with it: it is kept as it was made, for as long as
        its sign-ins count as fresh.
        """
        kept_as = (self.settings.instance, self.settings.second_factor, tuple(staff))
        kept = _KEPT.get(kept_as) if self.root is None else None
        if kept is not None and time.monotonic() - kept.at < KEPT_SECONDS:
            for name, stored in kept.documents.items():
                await self.db[name].insert_many([{**document} for document in stored])
            self.root, administrator = self.browser(), self.browser()
            for browser, cookies, secret in zip((self.root, administrator), kept.cookies, kept.app_secrets, strict=True):
                for cookie in cookies:
                    browser.client.cookies.jar.set_cookie(cookie)
                browser.app_secret = secret
            return administrator
        alone, at = self.root is None, time.monotonic()
        administrator = await self.administrator()
        await self.import_staff(staff)
        if alone and self.root is not None:
            names = await self.db.list_collection_names()
            documents = {name: found for name in names if (found := await self.db[name].find().to_list(None))}
            both = (self.root, administrator)
            _KEPT[kept_as] = _Kept(at, documents, [list(b.client.cookies.jar) for b in both], [b.app_secret for b in both])
        return administrator

    async def import_staff(self, staff: Sequence[StaffMember], *, school: str = SCHOOL, year: str = YEAR, actor: str = "records") -> None:
        fact = StaffImportedV1(school=school, year=year, staff=tuple(staff))
        event = Event[StaffImportedV1](
            type="StaffImportedV1", subject=f"{school}:{year}", sequence=1, occurred_at=dt.datetime.now(dt.UTC), actor=actor, data=fact
        )
        await transaction(self.db, lambda session: take_staff(self.db, session, event))

    async def decide(self, request: str, decision: CertificateDecidedV1, decider: str = "031-cb01") -> None:
        """What the handler of the decision does, and the loop that checks it."""
        await transaction(
            self.db,
            lambda session: take_decision(
                self.db, session, request, approved=decision.approved, reason=decision.reason, decider=decider, cause="test"
            ),
        )
        await Decisions(self.db, self.app.state.registry.roots).round()

    async def staff_member(self, administrator: Browser, person: str) -> Browser:
        """Somebody of the staff, signed in with a password of the own choice."""
        given = await administrator.post(f"/api/identity/schools/{SCHOOL}/credentials", {"persons": [person]})
        browser = self.browser()
        await browser.settle(given[0]["username"], given[0]["one_time_password"])
        return browser

    async def enrol(self, *users: dict[str, Any]) -> None:
        """Accounts with certificates at the sandbox provider, whose phones say yes at once."""
        async with httpx.AsyncClient(base_url=self.provider, timeout=60, trust_env=False) as client:
            _good(await client.post("/control/users", json={"users": [{"password": "1234", "key": "p256", **user} for user in users]}))
            _good(await client.post("/control/phone", json={"mode": "auto", "delay_ms": 0}))

    async def facts(self, kind: str) -> list[dict[str, Any]]:
        """What was published, oldest first."""
        found = self.db["outbox"].find({}).sort([("at", 1), ("sequence", 1)])
        events = [json.loads(document["body"]) async for document in found]
        return [{"subject": e["subject"], **e["data"]} for e in events if e["type"] == kind]

    async def audit(self, act: str) -> list[Document]:
        return await self.db["audit"].find({"act": act}).to_list(None)

    async def close(self) -> None:
        for client in self._open:
            await client.aclose()


def school_order(school: str = SCHOOL, tax_code: str = "0231300001", **more: object) -> dict[str, object]:
    return {
        "code": school,
        "name": f"Trường Tiểu học {school}",
        "levels": ["TH"],
        "tax_code": tax_code,
        "unit": UNIT,
        "administrator": {"code": code(3, school), "name": "Ngô Công Hoàng", "personal_id": personal_id(3)},
        **more,
    }


def person_at_provider(number: int, user: str | None = None, **more: object) -> dict[str, Any]:
    identifier = personal_id(number)
    return {"user": user or f"u{number}", "kind": "personal", "name": f"Nguyễn Văn {number}", "identifier": identifier, **more}


def login(user: str, password: str = "1234") -> dict[str, str]:
    return {"provider": "sandbox", "username": user, "password": password}


@asynccontextmanager
async def world_of(stack: Stack, *, second_factor: str = "off-for-demo") -> AsyncIterator[World]:
    """An empty identity; answers are not held back, but `waits` tells by how much they would have been.

    Tests of other things sign in by password alone, as the demo does.
    """
    settings = settings_of(stack).model_copy(update={"second_factor": second_factor})
    pool = Pool(1)
    async with connect(settings, "identity") as db:
        for name in await db.list_collection_names():
            await db[name].delete_many({})
        await outbox.ensure_indexes(db)
        await store.ensure_indexes(db)
        app = identity.web(Parts(settings, db, Objects(settings, "identity"), pool))
        world = World(settings, db, app, stack.info["sandbox"]["provider"])

        async def wait(seconds: float) -> None:
            world.waits.append(seconds)

        app.state.door = replace(app.state.door, wait=wait)
        try:
            yield world
        finally:
            await world.close()
            await app.state.registry.providers.close()
            app.state.door.hashing.close()
            pool.close()


def _good(response: httpx.Response) -> httpx.Response:
    assert response.is_success, f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}"
    return response
