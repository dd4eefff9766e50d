"""The gateway's work behind the counter: validating packages in worker processes and delivering callbacks."""

import asyncio
import hashlib
import hmac
import logging
import multiprocessing
import ssl
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import Field

from infra.sandbox.faults import ANY, FaultOrder, Faults
from infra.sandbox.gateway.ledger import Event, Ledger
from infra.sandbox.gateway.manifest import Entry, Manifest, open_package
from infra.sandbox.gateway.search import Persons
from infra.sandbox.gateway.trust import Trust
from infra.sandbox.gateway.validation import Finding, start_worker, validate

log = logging.getLogger("sandbox.gateway")

ENDPOINTS = frozenset({"packages", "transcripts", "withdrawals"})
AGAIN_SECONDS = 2.0
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class GatewayFaults(FaultOrder):
    reject_uuids: list[str] | None = Field(default=None, description="transcripts to reject with NG-901; an empty list ends it")
    reject_next: int | None = Field(default=None, ge=0, description="reject this many transcripts with NG-901")
    reject_percent: int | None = Field(default=None, ge=0, le=100, description="reject this share of transcripts with NG-901, evenly")
    skip_validation: bool | None = Field(default=None, description="FOR LOAD ONLY: accept by the manifest, look into no file")
    lose_callback_percent: int | None = Field(default=None, ge=0, le=100, description="never make this share of callbacks")
    timeout_after_accept: int | None = Field(default=None, ge=0, description="take this many packages, then hang until the caller gives up")
    callback_before_answer: bool | None = Field(default=None, description="call back first, answer 202 afterwards")
    duplicate_callback: int | None = Field(default=None, ge=0, description="repeat every callback this many times")
    no_callback: bool | None = Field(default=None, description="keep callbacks back until switched off")
    callback_delay_ms: int | None = Field(default=None, ge=0, description="wait before every callback")


@dataclass
class Office:
    directory: Path
    ledger: Ledger
    secret: bytes
    trust: Trust
    persons: Persons
    allowed_hosts: frozenset[str] = frozenset()
    workers: int = 1
    tls: ssl.SSLContext | None = None
    faults: Faults = field(default_factory=lambda: Faults(ENDPOINTS))
    reject_uuids: set[str] = field(default_factory=set)
    queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _may_call: asyncio.Event = field(default_factory=asyncio.Event)
    _called_back: dict[str, asyncio.Event] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _pool: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Take up where the last run stopped."""
        self._pool = self._new_pool()
        self._may_call.set()
        for package_id in self.ledger.unfinished():
            self.queue.put_nowait(package_id)
        for event in self.ledger.undelivered():
            self._spawn_delivery(event)
        self._keep(asyncio.create_task(self._process_all()))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def follow_faults(self) -> None:
        """Let callbacks go or hold them, after the faults have changed."""
        if self.faults.value(ANY, "no_callback"):
            self._may_call.clear()
        else:
            self._may_call.set()

    async def until_called_back(self, package_id: str) -> None:
        """Wait until the package's callback has been answered 2xx."""
        if not self.ledger.is_delivered(package_id):
            await self._called_back.setdefault(package_id, asyncio.Event()).wait()

    def _new_pool(self) -> ProcessPoolExecutor:
        # not forked: the server has threads and an event loop by now
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, context, initializer=start_worker, initargs=(self.directory,))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:
            log.error("background work ended", exc_info=wrong)

    async def _process_all(self) -> None:
        while True:
            package_id = await self.queue.get()
            try:
                body = await asyncio.to_thread(self.ledger.file_of(package_id).read_bytes)
                await self._process(await asyncio.to_thread(open_package, body))
            except Exception:
                # one package must not hold up the others, and is not forgotten either
                log.exception("package %s could not be worked on and will be tried again", package_id)
                self._keep(asyncio.create_task(self._again(package_id)))

    async def _again(self, package_id: str) -> None:
        await asyncio.sleep(AGAIN_SECONDS)
        self.queue.put_nowait(package_id)

    async def _process(self, manifest: Manifest) -> None:
        pending = self.ledger.pending(manifest.package_id)
        gate = asyncio.Semaphore(2 * self.workers)

        async def one(entry: Entry) -> None:
            async with gate:
                finding = await self._judge(manifest, entry)
                if finding.code is None:
                    package = self.ledger.file_of(manifest.package_id)
                    self.persons.keep(package, manifest, entry, self.ledger.sender_of(manifest.package_id))
                self.ledger.settle(manifest, entry, finding)

        await asyncio.gather(*(one(entry) for entry in manifest.entries if entry.uuid in pending))
        self._spawn_delivery(self.ledger.finish(manifest))

    async def _judge(self, manifest: Manifest, entry: Entry) -> Finding:
        rejected = entry.uuid in self.reject_uuids or self.faults.take("packages", "reject_next")
        if rejected or self.faults.share("packages", "reject_percent"):
            return Finding("NG-901", "Từ chối theo yêu cầu thử nghiệm")
        if self.faults.value(ANY, "skip_validation"):
            return Finding()
        loop = asyncio.get_running_loop()
        package = self.ledger.file_of(manifest.package_id)
        while True:
            pool = self._pool
            assert pool is not None
            try:
                return await loop.run_in_executor(pool, validate, package, manifest.school, manifest.year, entry)
            except BrokenProcessPool:
                log.warning("a worker process died; validating again in a new one")
                if self._pool is pool:
                    self._pool = self._new_pool()

    def _spawn_delivery(self, event: Event) -> None:
        self._keep(asyncio.create_task(self._deliver(event)))

    async def _deliver(self, event: Event) -> None:
        """Post the callback until it is answered 2xx, waiting longer after each failure."""
        attempts = event.attempts
        if self.faults.share("packages", "lose_callback_percent"):
            self.ledger.delivered(event)
            return
        async with httpx.AsyncClient(verify=self.tls or True, timeout=10, trust_env=False) as client:
            while True:
                await self._may_call.wait()
                await asyncio.sleep(self.faults.value(ANY, "callback_delay_ms") / 1000)
                self.ledger.tried(event)
                if await self._post(client, event):
                    for _ in range(self.faults.value(ANY, "duplicate_callback")):
                        await self._post(client, event)
                    self.ledger.delivered(event)
                    if (waiting := self._called_back.pop(event.package_id, None)) is not None:
                        waiting.set()
                    return
                await asyncio.sleep(BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS) - 1)])
                attempts += 1

    async def _post(self, client: httpx.AsyncClient, event: Event) -> bool:
        body = event.body.encode()
        headers = {"Content-Type": "application/json", "X-Signature": signature_of(body, self.secret, int(time.time()))}
        try:
            response = await client.post(event.url, content=body, headers=headers)
        except httpx.HTTPError as wrong:
            log.warning("callback %s failed: %s", event.id, type(wrong).__name__)
            return False
        if not response.is_success:
            log.warning("callback %s was answered %s", event.id, response.status_code)
        return response.is_success


def signature_of(body: bytes, secret: bytes, at: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`."""
    return f"t={at},v1={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"
