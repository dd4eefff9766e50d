"""Signing with a USB token: signing's own web application and worker on real stores, the signing program as a process of its own.

In the gateway's place stands a few lines that turn the program's cookie into an internal token; identity has no jobs here.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import ssl
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.identity import CertificateApprovedV1
from hocba_agent import pairing
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis import clock, outbox
from services.chassis.access import TokenMaker
from services.chassis.aggregates import Change
from services.chassis.mongo import Database, Document, connect, transaction
from services.chassis.objects import Objects
from services.chassis.process import Parts
from services.chassis.settings import Settings, needed
from services.chassis.work import Pool
from services.means.token import JobSigner
from services.signing import app as signing
from services.signing.batches import Order, start
from services.signing.providers import Providers
from services.signing.runner import Runner
from services.signing.store import Store
from services.signing.tasks import at_step
from services.signing.verify import verify_pdf, verify_xml
from tests.integration.agent_world import Computer, until, until_true
from tests.unit.agent.softhsm import MODULE, Kind, new_key, public_pem
from tests.unit.signing import pki

SCHOOL, CLASS = "31300001", "1A"
TOKEN = "VNPT-CA"
SESSION = "secret-of-the-pairing"
PUT = (
    "import sys; from pathlib import Path; from tests.unit.agent.softhsm import Tokens; folder = Path(sys.argv[1]); "
    "Tokens(folder / 'softhsm').put_certificate(sys.argv[2], (folder / 'certificate.der').read_bytes())"
)
TEACHERS = itertools.count(100)
AT_ONCE = 100
"""Documents that are put at a time, and written in one transaction."""
POOL = Pool(2)
"""Shared by all tests: its processes take longer to start than most tests."""


@dataclass
class World:
    stack: Stack
    settings: Settings
    parts: Parts
    tokens: TokenMaker
    app: FastAPI
    worker: Runner
    who: Principal
    der: bytes = b""
    chain: tuple[bytes, ...] = ()
    programs: dict[str, str] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.parts.db

    @property
    def store(self) -> Store:
        return self.worker.store

    # --- the computer with the token

    async def plugged_in(self, computer: Computer, kind: Kind) -> None:
        """A token with the teacher's key and certificate, which is approved for signing; the program is paired."""
        key = new_key(kind)
        order = {"kind": "personal", "name": self.who.name, "identifier": "031190000001", "public_key": public_pem(key)}
        async with httpx.AsyncClient(base_url=self.stack.instance.url("sandbox-pki"), timeout=60, trust_env=False) as client:
            made = (await client.post("/control/certificates", json=order)).raise_for_status().json()
        self.der = ssl.PEM_cert_to_DER_cert(made["certificate"])
        self.chain = tuple(ssl.PEM_cert_to_DER_cert(pem) for pem in made["chain"][:1])
        computer.tokens.add(TOKEN)
        computer.tokens.put_key(TOKEN, key)
        (computer.folder / "certificate.der").write_bytes(self.der)
        environment = {**os.environ, **computer.tokens.environment}
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PUT, str(computer.folder), TOKEN, env=environment)
        assert await process.wait() == 0
        await self.approve()
        self.pair(computer)

    async def approve(self) -> None:
        fact = CertificateApprovedV1(
            kind="person",
            school=SCHOOL,
            year="2025-2026",
            person=self.who.person,
            means="token",
            provider="",
            credential_id="",
            certificate=b64encode(self.der).decode(),
            chain=tuple(b64encode(c).decode() for c in self.chain),
            owner_id="031190000001",
        )
        event = Event[CertificateApprovedV1](
            type="CertificateApprovedV1", subject=self.who.person, sequence=1, occurred_at=clock.now(), actor="test", data=fact
        )
        await transaction(self.db, lambda session: self.store.save_certificates(session, [event]))

    def pair(self, computer: Computer, keys: dict[str, Any] | None = None) -> None:
        """As after `hocba-agent pair`; `keys` are what the program believes the server signs its jobs with."""
        agent = str(uuid4())
        self.programs[SESSION] = agent
        own = JobSigner(needed(self.settings.agent_key_file, "agent_key_file")).public_keys()
        ca = str(self.stack.instance.tls / "ca.pem")
        made = pairing.Pairing(self.stack.instance.public_url, agent, self.who.name, SESSION, keys or own, ca, (MODULE,))
        pairing.save(made, computer.home)

    # --- documents and batches

    async def documents(self, count: int, *, first: int = 0) -> list[str]:
        """Transcripts that wait for their homeroom teacher: XML and PDF, no two alike."""
        made: list[str] = []
        for begin in range(first, first + count, AT_ONCE):
            tasks = await asyncio.gather(*(self._task(n) for n in range(begin, min(begin + AT_ONCE, first + count))))
            changes = [Change(at_step(task, "homeroom")) for task in tasks]
            await transaction(self.db, lambda session, some=changes: self.store.save_tasks(session, some, actor="records"))  # type: ignore[misc]  # a default binds the loop's value
            made += [c.document["_id"] for c in changes]
        return made

    async def _task(self, number: int) -> dict[str, Any]:
        put = self.parts.objects.put
        text = pki.transcript_xml(rows=number % 14 + 1).replace("Nguyễn Thị Ánh".encode(), f"Học sinh {number}".encode())
        xml = (await put("token", ".xml", text, "application/xml")).model_dump(mode="json")
        pdf = (await put("token", ".pdf", _numbered(pki.transcript_pdf(), number), "application/pdf")).model_dump(mode="json")
        return {
            "_id": str(uuid4()),
            "kind": "transcript",
            "school": SCHOOL,
            "year": "2025-2026",
            "level": "TH",
            "class_code": CLASS,
            "grade": 1,
            "pupil_code": f"{SCHOOL}-{number:04d}",
            "pupil_name": f"Học sinh {number}",
            "version": 1,
            "steps": [
                {"name": "homeroom", "signers": [{"person": self.who.person, "name": self.who.name, "subjects": [], "signed": False}]},
                {"name": "leader", "signers": [{"person": "x", "name": "x", "subjects": [], "signed": False}]},
            ],
            "content": xml,
            "xml": xml,
            "pdf": pdf,
            "claims": {},
            "signatures": [],
            "signed_by": [],
        }

    async def started(self, transcripts: list[str], password: str = "") -> str:
        order = Order(step="homeroom", transcripts=transcripts, classes=None, user=self.who.person, password=password)
        answer = await start(self.store, self.worker.providers, self.who, order, request_id="test")
        assert answer["accepted"] == len(transcripts), answer
        return str(answer["batch"])

    async def page(self, batch: str) -> str:
        headers = {"Authorization": f"Bearer {self.tokens.make(self.who)}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.settings.public_url) as client:
            answer = await client.get(f"/ui/signing/batches/{batch}", headers=headers)
        assert answer.status_code == 200, answer.text[:2000]
        return answer.text

    async def told(self, batch: str, words: str) -> str:
        """The page, once it says so."""

        async def said() -> str:
            page = await self.page(batch)
            return page if words in page else ""

        return await until_true(said)

    async def ended(self, batch: str) -> list[Document]:
        """The items of the batch, once it is over."""

        async def over() -> bool:
            return bool((await self.store.batch(batch))["state"] == "finished")

        await until_true(over)
        return await self.store.items(batch)

    async def count(self, batch: str, *states: str) -> int:
        return await self.db["items"].count_documents({"batch": batch, "state": {"$in": list(states)}})

    async def assert_embedded(self, transcripts: list[str]) -> None:
        """Each has one signature more, of this certificate, which verifies in both documents."""
        tasks = await self.store.load_tasks(None, transcripts)
        for task in tasks.values():
            assert (task["step"], [s["id"] for s in task["signatures"]], task["claims"]) == ("leader", ["GVCN"], {})
        for transcript in transcripts[:3]:
            files = tasks[transcript]
            xml, pdf = [await self.parts.objects.get(DocumentRef.model_validate(files[kind])) for kind in ("xml", "pdf")]
            roots, at = self.worker.providers.roots, clock.now()
            verdicts = [*verify_xml(xml, roots, [], at), *verify_pdf(pdf, roots, [], at)]
            assert [(v.place, v.intact, v.trust, v.certificate) for v in verdicts] == [("GVCN", True, "trusted", self.der)] * 2


def _numbered(pdf: bytes, number: int) -> bytes:
    """One like no other: in the comment below the header stand four bytes that mean nothing."""
    at = pdf.index(b"%", 1) + 1
    return pdf[:at] + bytes(0x80 | (number >> shift) & 0x7F for shift in (21, 14, 7, 0)) + pdf[at + 4 :]


def front_of(world: World) -> ASGIApp:
    """What the gateway does for the program."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        cookie = dict(scope["headers"]).get(b"cookie", b"").decode().partition("=")[2]
        agent = world.programs.get(cookie)
        if agent is None or scope["path"].startswith("/api/identity/"):
            if agent is not None:
                await asyncio.sleep(1)
            await send({"type": "http.response.start", "status": 204 if agent else 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        token = world.tokens.make(world.who.model_copy(update={"agent": agent}))
        headers = [*scope["headers"], (b"authorization", f"Bearer {token}".encode())]
        await world.app({**scope, "headers": headers}, receive, send)

    return front


@asynccontextmanager
async def world_of(stack: Stack, *, front: Callable[[World], ASGIApp] = front_of, working: bool = True) -> AsyncIterator[World]:
    """Empty signing with a teacher who signs with a token; web and, unless told not to be `working`, worker run."""

    def settings_of(service: str) -> Settings:
        environment = service_environment(stack.instance, service)
        return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})

    settings = settings_of("signing")
    maker = TokenMaker(needed(settings_of("identity").token_signing_key_file, "token_signing_key_file"))
    who = Principal(
        person=f"{SCHOOL}{next(TEACHERS)}", name="Nguyễn Văn An", roles=frozenset({Role.HOMEROOM_TEACHER}), school=SCHOOL, level="TH"
    )
    async with connect(settings, "signing") as db:
        for name in await db.list_collection_names():
            await db[name].delete_many({})
        await outbox.ensure_indexes(db)
        await signing.service.indexes(db)
        parts = Parts(settings, db, Objects(settings, "signing"), POOL)
        worker = Runner(parts, Store(db), Providers(settings))
        world = World(stack, settings, parts, maker, signing.web(parts), worker, who)
        tls = stack.instance.tls
        config = uvicorn.Config(
            front(world),
            host="127.0.0.1",
            port=stack.instance.ports["gateway"],
            ssl_certfile=tls / "server.pem",
            ssl_keyfile=tls / "server.key",
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        rounds = asyncio.create_task(_work(worker)) if working else None
        try:
            await until(lambda: server.started)
            yield world
        finally:
            if rounds is not None:
                rounds.cancel()
            for task in worker.running:
                task.cancel()
            server.should_exit = True
            await serving


async def _work(worker: Runner) -> None:
    while True:
        if not await worker.round():
            await asyncio.sleep(0.05)
