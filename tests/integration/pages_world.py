"""The pages of records, signing, publishing and district on real stores, asked as the gateway asks them.

No events travel here: a test hands on what one service told to the next, so that every page can be looked at in every state.
"""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from contracts.access import Principal, Role
from contracts.event import Event, Fact
from contracts.events.identity import CertificateApprovedV1
from contracts.events.records import TranscriptCreatedV1
from contracts.events.signing import SignatureFact
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis import clock, outbox
from services.chassis.access import TokenMaker
from services.chassis.aggregates import Change
from services.chassis.mongo import Database, connect, transaction
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings, needed
from services.chassis.work import Pool
from services.district import app as district
from services.district.store import ensure_indexes as district_indexes
from services.means.providers import adapters, listed
from services.publishing import app as publishing
from services.publishing.store import ensure_indexes as publishing_indexes
from services.records import app as records
from services.records.store import Store as RecordsStore
from services.records.store import ensure_indexes as records_indexes
from services.records.transcripts.creation import Creation
from services.signing import app as signing
from services.signing.store import Store as SigningStore
from services.signing.store import ensure_indexes as signing_indexes
from services.signing.tasks import new_task
from tests.unit.chassis.test_web_pages import Reader

PROCESSES = ("mongod", "minio", "sandbox-provider")
SERVICES = {
    "records": (records.web, records_indexes),
    "signing": (signing.web, signing_indexes),
    "publishing": (publishing.web, publishing_indexes),
    "district": (district.web, district_indexes),
}
SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "an-hong"
SCHOOL = "31300001"
YEAR = "2025-2026"
UNIT = "03101"
PASSWORD = "1234"
F = TypeVar("F", bound=Fact)


def staff(number: int, name: str, *roles: Role, **more: Any) -> Principal:
    values = {"school": SCHOOL, "level": "TH", **more}
    return Principal(person=f"{SCHOOL}{number:03d}", name=name, roles=frozenset(roles), **values)


ADMINISTRATOR = staff(3, "Ngô Công Hoàng", Role.ADMINISTRATOR)
OFFICER = Principal(person="031-cb01", name="Trần Thị Sở", roles=frozenset({Role.OFFICER}), unit=UNIT)


def event_of(fact: F, subject: str, *, sequence: int = 1) -> Event[F]:
    return Event[Any](type=type(fact).__name__, subject=subject, sequence=sequence, occurred_at=clock.now(), actor="test", data=fact)


@dataclass
class Answer:
    """A page as its reader gets it."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def where(self) -> str:
        """Where a form leads on to."""
        assert self.status == 303, f"{self.status}: {self.text[:2000]}"
        return str(self.response.headers["location"])

    @property
    def page(self) -> Reader:
        return Reader(self.response.text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.page.texts).split())


@dataclass
class Browser:
    """One person's browser behind the gateway: every request carries the internal token, forms also where they come from."""

    who: Principal
    world: World
    anonymous: bool = False
    confirmed_ago: int = 0

    async def get(self, path: str, **headers: str) -> Answer:
        return Answer(await self._client(path).get(path, headers={**self._token(), **headers}))

    async def send(self, path: str, fields: Iterable[tuple[str, str]], **more: Any) -> Answer:
        origin = {"Origin": self.world.settings["records"].public_url, "Sec-Fetch-Site": "same-origin"}
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        return Answer(await self._client(path).post(path, data=data, headers={**self._token(), **origin}, **more))

    def _token(self) -> dict[str, str]:
        if self.anonymous:
            return {}
        who = self.who.model_copy(update={"auth_time": int(clock.now().timestamp()) - self.confirmed_ago})
        return {"Authorization": f"Bearer {self.world.tokens.make(who)}"}

    def _client(self, path: str) -> httpx.AsyncClient:
        return self.world.clients[path.split("/")[2]]


@dataclass
class World:
    settings: dict[str, Settings]
    tokens: TokenMaker
    provider: str
    parts: dict[str, Parts] = field(default_factory=dict)
    apps: dict[str, FastAPI] = field(default_factory=dict)
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def browser(self, who: Principal = ADMINISTRATOR) -> Browser:
        return Browser(who, self)

    def db(self, service: str) -> Database:
        return self.parts[service].db

    async def imported(self) -> str:
        """A primary school of 320 pupils, uploaded and confirmed on the pages; the address of the import."""
        browser = self.browser()
        files = [("files", (str(f.relative_to(SAMPLE)), f.read_bytes())) for f in sorted(SAMPLE.rglob("*.xlsx"))]
        where = (await browser.send("/ui/records/imports", [], files=files)).where
        assert (await browser.send(f"{where}/confirm", [])).status == 303
        return where

    async def create_all(self) -> int:
        """What the worker does."""
        return await Creation(self.parts["records"], RecordsStore(self.db("records"))).round()

    async def told(self, kind: type[F]) -> list[Event[F]]:
        """What records told of this kind."""
        found = self.db("records")["outbox"].find({}).sort([("at", 1), ("sequence", 1)])
        bodies = [json.loads(d["body"]) async for d in found]
        return [Event[kind].model_validate(b) for b in bodies if b["type"] == kind.__name__]  # type: ignore[valid-type]  # chosen at run time

    async def hand_on(self) -> list[str]:
        """Signing learns of every transcript that was created; their ids."""
        events = await self.told(TranscriptCreatedV1)
        changes = [Change(new_task(e)) for e in events]
        store = SigningStore(self.db("signing"))
        await transaction(store.db, lambda session: store.save_tasks(session, changes, actor="records"))
        return [e.subject for e in events]

    async def approve(self, who: Principal, personal_id: str, provider: str = "sandbox") -> None:
        """The person has an account at the provider, and its certificate is approved for signing."""
        key = "rsa2048" if provider == "mysign" else "p256"
        user = {"user": who.person, "password": PASSWORD, "key": key, "kind": "personal", "name": who.name, "identifier": personal_id}
        configured = listed(needed(self.settings["signing"].providers_file, "providers_file"))
        where = next(each.url for each in configured if each.id == provider)
        async with httpx.AsyncClient(base_url=httpx.URL(where).join("/"), timeout=60, trust_env=False) as client:
            assert (await client.post("/control/users", json={"users": [user]})).is_success
        remote = adapters([each for each in configured if each.id == provider], None)[provider]
        credential = (await remote.list_credentials(await remote.login(who.person, PASSWORD)))[0]
        await remote.aclose()
        fact = CertificateApprovedV1(
            kind="person",
            school=SCHOOL,
            year=YEAR,
            person=who.person,
            provider=provider,
            credential_id=credential.id,
            certificate=_base64(credential.certificate),
            chain=tuple(_base64(c) for c in credential.chain),
            owner_id=personal_id,
        )
        store = SigningStore(self.db("signing"))
        await transaction(store.db, lambda session: store.save_certificates(session, [event_of(fact, who.person)]))

    async def put_signature(self, transcript: str, signature: SignatureFact, state: str) -> None:
        """As records has it after a step of signing."""
        await self.db("records")["transcripts"].update_one(
            {"_id": transcript}, {"$push": {"signatures": signature.model_dump(mode="json")}, "$set": {"state": state}}
        )


def signature(role: str, who: Principal, subjects: tuple[str, ...] = ()) -> SignatureFact:
    return SignatureFact(
        role=role,
        person=who.person,
        name=who.name,
        subjects=subjects,
        signed_at=dt.datetime(2026, 5, 28, 7, 3, tzinfo=dt.UTC),
        certificate_serial="54010203040506070809",
        certificate_subject=who.name,
        scheme="ecdsa",
    )


def _base64(der: bytes) -> str:
    return b64encode(der).decode()


@asynccontextmanager
async def world_of(stack: Stack) -> AsyncIterator[World]:
    """Empty databases, the web applications of four services on them."""
    every = {}
    for service in (*SERVICES, "identity"):
        environment = service_environment(stack.instance, service)
        every[service] = Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})
    maker = TokenMaker(needed(every.pop("identity").token_signing_key_file, "token_signing_key_file"))
    world = World(every, maker, stack.info["sandbox"]["provider"])
    pool = Pool(1)
    async with AsyncExitStack() as closing:
        closing.callback(pool.close)
        for service, (web, ensure_indexes) in SERVICES.items():
            settings = every[service]
            db = await closing.enter_async_context(connect(settings, service))
            for name in await db.list_collection_names():
                await db[name].delete_many({})
            await outbox.ensure_indexes(db)
            await ensure_indexes(db)
            world.parts[service] = Parts(settings, db, Objects(settings, service), pool)
            world.apps[service] = web(world.parts[service])
            transport = httpx.ASGITransport(world.apps[service])
            client = httpx.AsyncClient(transport=transport, base_url=settings.public_url, timeout=60)
            world.clients[service] = await closing.enter_async_context(client)
        yield world
