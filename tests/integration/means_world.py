"""One homeroom teacher's documents through any means, whatever misbehaves: providers, the network, processes that die.

Web and worker of signing are processes of their own, so that each can be killed at any line. In the gateway's place stands `Line`,
which hands on what the person's program and the providers send, or does not.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import os
import signal
import sys
from asyncio.subprocess import Process
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.identity import CertificateApprovedV1
from infra.local import Stack
from infra.sandbox.provider.modes import falls_on
from infra.stack.processes import service_environment
from services.chassis import clock
from services.chassis.mongo import transaction
from services.signing.steps.kind import Prepared
from services.signing.verify import verify_pdf, verify_xml
from tests.faults.evidence import pdf_hashes, xml_hashes
from tests.integration import batch_worker
from tests.integration.agent_world import Computer
from tests.integration.chassis_service import root
from tests.integration.token_world import SCHOOL, World, world_of
from tests.unit.agent.softhsm import PIN

NOT_SIGNED, WRONG_VALUE, REFUSED_BY_PROGRAM = "HB-SIG-040", "HB-SIG-011", "HB-SIG-064"
PASSWORD = "1234"
PROVIDERS = {"csc": ("sandbox", "provider"), "sp769": ("smartca", "sp769"), "mysign": ("mysign", "mysign")}
"""By means: the provider's id and the part of the sandbox that plays it."""
FETCHING = {"csc": "signatures/signHash", "sp769": "credentials/authorizeCheck", "mysign": "credentials/authorizeCheck"}
"""Where a batch's values come from."""
LEASE_SECONDS = "3"
LONG_LEASE = {"HOCBA_LEASE_SECONDS": "30"}
"""Of workers with batches: no machine is so busy that one ends by itself; of those who died it is ended for them."""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([batch_worker.__name__])
OPEN_SECONDS, USUALLY_OPEN_SECONDS = 3, 30
"""How long the database keeps what a dead process left open, once processes die."""
PATIENCE = 900.0
"""Seconds until something that must happen counts as never happening: a thousand documents, a machine that is busy with others."""


@dataclass
class Line:
    """Between the person's program, the providers and signing. Every so many requests one is not handed on, or its answer is lost."""

    world: World
    elsewhere: bool = False
    """Is signing's web a process of its own?"""
    refuse_every: int = 0
    lose_every: int = 0
    spoil: frozenset[int] = frozenset()
    """Items whose values are changed on the way."""
    _passed: int = 0
    down: int = 0
    lost: int = 0
    onwards: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        here = None if self.elsewhere else httpx.ASGITransport(self.world.app)
        web = f"http://127.0.0.1:{self.world.stack.instance.ports['signing-web']}"
        self.onwards = httpx.AsyncClient(transport=here, base_url=web, timeout=60, trust_env=False)

    def calm(self) -> None:
        self.refuse_every = self.lose_every = 0
        self.spoil = frozenset()

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        agent = self.world.programs.get(request.cookies.get("__Host-hocba", ""))
        headers = {"Content-Type": request.headers.get("content-type", "application/json")}
        if "/provider-callbacks/" not in path:
            if agent is None:
                return Response(status_code=401)
            if path.startswith("/api/identity/"):
                await asyncio.sleep(1)
                return Response(status_code=204)
            headers["Authorization"] = f"Bearer {self.world.tokens.make(self.world.who.model_copy(update={'agent': agent}))}"
        self._passed += 1
        if self.refuse_every and self._passed % self.refuse_every == 0:
            return Response(status_code=503)
        body = self._spoiled(path, await request.body())
        try:
            answer = await self.onwards.request(request.method, path, params=request.url.query, content=body, headers=headers)
        except httpx.TransportError:
            self.down += 1
            return Response(status_code=502)
        if self.lose_every and self._passed % self.lose_every == 0:
            self.lost += 1
            return Response(status_code=504)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    def _spoiled(self, path: str, body: bytes) -> bytes:
        if not (self.spoil and body and path.endswith("/items")):
            return body
        told = json.loads(body)
        for item in told["items"]:
            if item["number"] in self.spoil and "values" in item:
                value = bytearray(base64.b64decode(item["values"][0]))
                value[-1] ^= 1
                item["values"][0] = b64encode(bytes(value)).decode()
        return json.dumps(told).encode()


@dataclass
class Served:
    """Signing's web as a process that is started again when it dies; `failpoints` are where it dies first."""

    stack: Stack
    failpoints: list[str] = field(default_factory=list)
    deaths: int = 0

    async def live(self) -> None:
        while True:
            process = await started(self.stack, "services.signing", "web", failpoint=self.failpoints.pop(0) if self.failpoints else "")
            try:
                await process.wait()
            finally:
                await ended(process)
            self.deaths += 1


async def started(stack: Stack, *command: str, failpoint: str = "", **settings: str) -> Process:
    """A process of signing; `settings` besides its usual ones."""
    environment = {**os.environ, **environment_of(stack, failpoint), **settings}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", *command, env=environment)


def environment_of(stack: Stack, failpoint: str) -> dict[str, str]:
    return {**service_environment(stack.instance, "signing"), "HOCBA_LEASE_SECONDS": LEASE_SECONDS, "HOCBA_FAILPOINT": failpoint}


def open_transactions_last(stack: Stack, seconds: int) -> None:
    with root(stack) as client:
        client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})


async def dies(stack: Stack, *command: str, failpoint: str, **settings: str) -> None:
    """The process gets as far as that."""
    process = await started(stack, *command, failpoint=failpoint, **settings)
    try:
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == -signal.SIGKILL, failpoint
    finally:
        await ended(process)


async def ended(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()


@dataclass
class Signing:
    """Documents that wait for one teacher, who signs by `means`."""

    means: str
    world: World
    line: Line
    control: httpx.AsyncClient
    computer: Computer
    hashes: dict[str, list[str]] = field(default_factory=dict)
    """By transcript, of the batch that was looked at last (base64)."""
    seen: dict[str, tuple[tuple[str, str], list[str]]] = field(default_factory=dict)
    """By transcript: the digests of the documents that were judged, and the hashes that stand in them."""

    @property
    def stack(self) -> Stack:
        return self.world.stack

    # --- the means

    async def order(self, what: str, **order: object) -> None:
        (await self.control.post(f"/control/{what}", json=order)).raise_for_status()

    async def asked(self, what: str) -> Any:
        return (await self.control.get(f"/control/{what}")).raise_for_status().json()

    async def account(self) -> None:
        """At the provider; its certificate is approved for signing."""
        provider, _ = PROVIDERS[self.means]
        who = self.world.who
        key = "rsa2048" if self.means == "mysign" else "p256"
        user = {"user": who.person, "password": PASSWORD, "key": key, "kind": "personal", "name": who.name, "identifier": "031190000001"}
        await self.order("users", users=[user])
        remote = self.world.worker.providers.by_id(provider)
        [held] = await remote.list_credentials(await remote.login(who.person, PASSWORD))
        self.world.der, self.world.chain = held.certificate, held.chain
        fact = CertificateApprovedV1(
            kind="person",
            school=SCHOOL,
            year="2025-2026",
            person=who.person,
            provider=provider,
            credential_id=held.id,
            certificate=b64encode(held.certificate).decode(),
            chain=tuple(b64encode(c).decode() for c in held.chain),
            owner_id="031190000001",
        )
        event = Event[CertificateApprovedV1](
            type="CertificateApprovedV1", subject=who.person, sequence=1, occurred_at=clock.now(), actor="test", data=fact
        )
        await transaction(self.world.db, lambda session: self.world.store.save_certificates(session, [event]))

    async def misbehave(self, refused: int, wrong: int) -> None:
        """In percent of the hashes, or documents, from now on; and of what is asked of the means one in twenty fails."""
        if self.means == "token":
            self.line.refuse_every, self.line.lose_every = 20, 33
            return
        await self.order("faults", refuse_percent=refused, wrong_percent=wrong)
        await self.order("faults", endpoint=FETCHING[self.means], fail_percent=5, fail_next=1, lose_answer_next=1)
        await self.order("faults", repeat_webhook_next=1, forge_webhook_next=1)

    async def calm(self) -> None:
        self.line.calm()
        if self.means != "token":
            (await self.control.delete("/control/faults")).raise_for_status()

    # --- a batch

    async def start(self, transcripts: list[str]) -> str:
        return await self.world.started(transcripts, "" if self.means == "token" else PASSWORD)

    async def expected(self, batch: str, refused: int, wrong: int) -> dict[str, str]:
        """By transcript the code of what must not be signed, once every hash is there; "" for all others."""
        store = self.world.store
        stored = await store.batch(batch)
        if stored["state"] == "preparing":
            await self.world.worker._prepare(stored)  # as a worker does, without asking anybody
        items = await store.items(batch, bodies=True)
        self.hashes = {i["transcript"]: [b64encode(h).decode() for h in Prepared.model_validate(i["prepared"]).hashes] for i in items}
        if self.means != "token":
            return {
                t: NOT_SIGNED
                if any(falls_on("refuse", h, refused) for h in hashes)
                else WRONG_VALUE
                if any(falls_on("wrong", h, wrong) for h in hashes)
                else ""
                for t, hashes in self.hashes.items()
            }
        unlike = [i for i in items if i["number"] * refused % 100 < refused]
        for item in unlike:
            changed = item["prepared"]["xml"]["signature"].replace("Giáo viên chủ nhiệm".encode(), "Lãnh đạo".encode())
            await self.world.db["items"].update_one({"_id": item["_id"]}, {"$set": {"prepared.xml.signature": changed}})
        self.line.spoil = frozenset(i["number"] for i in items if (i["number"] + 53) * wrong % 100 < wrong)
        by_number = dict.fromkeys(self.line.spoil, WRONG_VALUE) | dict.fromkeys((i["number"] for i in unlike), REFUSED_BY_PROGRAM)
        return {i["transcript"]: by_number.get(i["number"], "") for i in items}

    async def person(self, batch: str, *, killed_at: Sequence[int] = ()) -> None:
        """Who gives the PIN whenever the program asks; the program dies when so many items have their values. Phones answer alone."""
        if self.means != "token":
            return
        for stop in (*killed_at, None):
            async with self.computer.running("run") as program:
                typed = 0
                while not await self._over(batch):
                    if program.said.count("Mã PIN") > typed:
                        typed += 1
                        await program.type(PIN)
                    if stop is not None and await self.world.count(batch, "returned", "embedded", "failed") >= stop:
                        break
                    assert program.process.returncode is None, program.said
                    await asyncio.sleep(0.1)
                if stop is None:
                    return
                assert not await self._over(batch), "the program was to die in the middle"
                program.process.kill()
                await program.process.wait()

    async def deaths_begin(self) -> None:
        """What a dead process left open is let go sooner from now on; until then large batches may take their time to be started."""
        await asyncio.to_thread(open_transactions_last, self.stack, OPEN_SECONDS)

    async def worker_dies(self, failpoint: str) -> None:
        process = FORKS.Process(target=batch_worker.alone, args=({**environment_of(self.stack, failpoint), **LONG_LEASE},))
        process.start()
        try:
            await asyncio.to_thread(process.join, PATIENCE)
            assert process.exitcode == -signal.SIGKILL, failpoint
        finally:
            process.kill()
        await self.world.db["batches"].update_many({}, {"$unset": {"lease": ""}})

    async def worker_dies_asking(self, batch: str) -> None:
        """In this process, so to speak: the provider has the question, the batch has no handle."""
        worker = self.world.worker

        async def asks(*arguments: Any) -> None:
            await type(worker)._asked(worker, *arguments)
            raise ConnectionError("killed")

        worker._asked = asks  # type: ignore[method-assign, assignment]  # for this once
        await worker.round()
        await asyncio.gather(*worker.running)
        del worker._asked
        assert not (await self.world.store.batch(batch)).get("handle")

    async def worker_goes_on(self, batch: str) -> None:
        """Until the batch has ended."""
        process = await started(self.stack, "tests.integration.batch_worker", **LONG_LEASE)
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._over(batch):  # noqa: ASYNC110 - another process tells nothing
                    await asyncio.sleep(0.2)
        finally:
            await ended(process)

    async def worker_here(self, batch: str) -> None:
        """The same in this process, with less patience than providers are asked for."""
        worker = self.world.worker
        if self.means != "token":
            worker.providers.by_id(PROVIDERS[self.means][0]).check_seconds = 0.3
        async with asyncio.timeout(PATIENCE):
            while not await self._over(batch):
                await worker.round()
                await asyncio.sleep(0.05)
            await asyncio.gather(*worker.running)

    async def _over(self, batch: str) -> bool:
        return bool((await self.world.store.batch(batch))["state"] == "finished")

    async def outcomes(self, batch: str) -> dict[str, str]:
        """By transcript the code of each item that was not embedded, "" for those that were."""
        items = await self.world.store.items(batch)
        assert {i["state"] for i in items} <= {"embedded", "failed"}
        return {i["transcript"]: "" if i["state"] == "embedded" else i["code"] for i in items}

    # --- what is left behind

    async def signed(self) -> Counter[str]:
        """How often the provider signed which hash; a token keeps no book."""
        return Counter() if self.means == "token" else Counter((await self.asked("signed")).get(self.world.who.person, {}))

    async def assert_each_signed_once(self, transcripts: Sequence[str], waiting: Sequence[str] = ()) -> None:
        """In both documents, by this teacher's key; told once, written down once. `waiting` are free to be signed, by nobody so far."""
        world, db = self.world, self.world.db
        tasks = await world.store.load_tasks(None, [*transcripts, *waiting])
        for each in waiting:
            found = tasks[each]
            assert (found["step"], found["signatures"], found["claims"], found["waiting"]) == ("homeroom", [], {}, [world.who.person])
        for each in transcripts:
            found = tasks[each]
            assert (found["step"], [s["id"] for s in found["signatures"]], found["claims"]) == ("leader", ["GVCN"], {})
        standing: Counter[str] = Counter()
        for start in range(0, len(transcripts), 20):
            for hashes in await asyncio.gather(*(self._judged(tasks[t]) for t in transcripts[start : start + 20])):
                standing.update(hashes)
        assert set(standing.values()) <= {1}
        told = db["outbox"].aggregate([{"$match": {"body": {"$regex": "StepSignedV1"}}}, {"$group": {"_id": "$subject", "n": {"$sum": 1}}}])
        assert {row["_id"]: row["n"] async for row in told} == dict.fromkeys(transcripts, 1)
        audited = Counter([t async for a in db["audit"].find({"act": "sign"}) for t in a["details"]["signed"]])
        assert audited == dict.fromkeys(transcripts, 1)
        embedded = Counter([i["transcript"] async for i in db["items"].find({"state": "embedded"}, {"transcript": 1})])
        assert embedded == dict.fromkeys(transcripts, 1)
        if self.means != "token":
            assert standing.keys() <= (await self.signed()).keys()

    async def _judged(self, task: Mapping[str, Any]) -> list[str]:
        """The hashes that stand in the documents. Documents that have not changed since are not judged again: they are named by digest."""
        named = (str(task["xml"]["sha256"]), str(task["pdf"]["sha256"]))
        if task["_id"] not in self.seen or self.seen[task["_id"]][0] != named:
            self.seen[task["_id"]] = (named, await self._judge(task))
        return self.seen[task["_id"]][1]

    async def _judge(self, task: Mapping[str, Any]) -> list[str]:
        parts, roots, at = self.world.parts, self.world.worker.providers.roots, clock.now()
        xml, pdf = [await parts.objects.get(DocumentRef.model_validate(task[kind])) for kind in ("xml", "pdf")]
        verdicts = [*await parts.pool.run(verify_xml, xml, roots, [], at), *await parts.pool.run(verify_pdf, pdf, roots, [], at)]
        assert [(v.place, v.intact, v.trust, v.certificate) for v in verdicts] == [("GVCN", True, "trusted", self.world.der)] * 2
        return [*xml_hashes(xml).values(), *pdf_hashes(pdf).values()]

    async def assert_reasons_are_written_down(self, batch: str, outcomes: Mapping[str, str]) -> None:
        found: dict[str, list[str]] = defaultdict(list)
        async for entry in self.world.db["audit"].find({"act": "not signed", "subject": batch}):
            for transcript in entry["details"]["transcripts"]:
                found[transcript].append(entry["details"]["code"])
        assert dict(found) == {t: [code] for t, code in outcomes.items() if code}


@asynccontextmanager
async def signing_by(stack: Stack, means: str, folder: Path, *, web: Sequence[str] = ()) -> AsyncIterator[Signing]:
    """`web`: failpoints at which signing's web dies, one after the other."""
    lines: list[Line] = []

    def front(world: World) -> Starlette:
        lines.append(Line(world, elsewhere=bool(web)))
        return Starlette(routes=[Route("/{path:path}", lines[0].answer, methods=["GET", "POST"])])

    computer = Computer(folder, stack.instance.public_url, stack.instance.tls / "ca.pem")
    provider, part = PROVIDERS.get(means, ("", "provider"))
    async with (
        world_of(stack, front=front, working=False) as world,
        httpx.AsyncClient(base_url=stack.info["sandbox"][part], timeout=60, trust_env=False) as control,
    ):
        made = Signing(means, world, lines[0], control, computer)
        served = Served(stack, list(web))
        serving = asyncio.create_task(served.live()) if web else None
        try:
            if means == "token":
                await world.plugged_in(computer, "rsa2048")
            else:
                await made.calm()
                await made.order("phone", mode="auto", delay_ms=0)
                hook = f"{stack.instance.public_url}/api/signing/provider-callbacks/{provider}"
                await made.order("webhook", url=hook, ca_file=str(stack.instance.tls / "ca.pem"))
                await made.account()
            yield made
            assert served.deaths == len(web), "a plan that does not happen proves nothing"
        finally:
            await made.calm()
            await lines[0].onwards.aclose()
            await asyncio.to_thread(open_transactions_last, stack, USUALLY_OPEN_SECONDS)
            if means != "token":
                await made.order("webhook", url="")
            if serving is not None:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
