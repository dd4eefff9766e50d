"""The three servers, as processes, for one test session."""

import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any, Protocol

import httpx
import pytest

from tests.contracts.outside import ADMISSIONS, GATEWAY, Contract, contract
from tests.unit.sandbox.documents import TAX_CODE, Signer

CONTRACTS = {"gateway": GATEWAY, "admissions": ADMISSIONS}
SECRET = b"callback secret of the tests"


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Judged(Protocol):
    """Whatever is judged by a contract: a sandbox server or an implementation of somebody else."""

    @property
    def client(self) -> httpx.Client: ...


@dataclass
class Elsewhere:
    """An implementation of somebody else, asked as the publishing service; HOCBA_JUDGED_CA is the PEM that its own certificate leads to."""

    part: str
    url: str
    directory: Path

    @property
    def client(self) -> httpx.Client:
        context = ssl.create_default_context(cafile=os.environ.get("HOCBA_JUDGED_CA"))
        context.load_cert_chain(self.directory / "publishing-service.pem", self.directory / "publishing-service.key")
        return httpx.Client(base_url=self.url, verify=context, timeout=30, event_hooks={"response": judges_of(self.part)})


def judges_of(part: str) -> list[Callable[..., Any]]:
    """What every answer goes through."""
    return [partial(_judged, contract(CONTRACTS[part]))] if part in CONTRACTS else []


@dataclass
class Server:
    """One sandbox server as a process, and a client for it."""

    part: str
    directory: Path
    port: int
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> httpx.Client:
        """Whatever a server with a published contract answers is judged by it."""
        judges = judges_of(self.part)
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False, event_hooks={"response": judges})

    def start(self) -> None:
        command = [sys.executable, "-m", f"infra.sandbox.{self.part}", "--dir", str(self.directory), "--port", str(self.port)]
        self.process = subprocess.Popen([*command, *self.arguments])
        for _ in range(300):
            try:
                if self.client.get("/health").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError(f"{self.part} did not become ready")

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)


def _judged(by: Contract, answer: httpx.Response) -> None:
    if answer.request.url.path.startswith("/v1/"):
        answer.read()
        assert by.answer_problems(answer.request, answer) == []


def _running(server: Server) -> Iterator[Server]:
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOCBA_JUDGED_DIR: where an implementation of somebody else finds the roots (`trust/`) and revocation lists (`crl/`) to go by."""
    judged = os.environ.get("HOCBA_JUDGED_DIR")
    return Path(judged) if judged else tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def pki(directory: Path) -> Iterator[Server]:
    yield from _running(Server("pki", directory, free_port(), []))


@pytest.fixture(scope="session")
def provider(directory: Path, pki: Server) -> Iterator[Server]:
    yield from _running(Server("provider", directory, free_port(), []))


@pytest.fixture(scope="session")
def gateway(directory: Path, pki: Server) -> Iterator[Server]:
    secret = directory / "callback-secret"
    secret.write_bytes(SECRET + b"\n")
    yield from _running(Server("gateway", directory, free_port(), ["--callback-secret-file", str(secret)]))


@pytest.fixture(scope="session")
def admissions(directory: Path, pki: Server) -> Iterator[Server]:
    yield from _running(Server("admissions", directory, free_port(), []))


@pytest.fixture(autouse=True)
def well_behaved(request: pytest.FixtureRequest) -> Iterator[None]:
    """Faults of one test never reach the next."""
    yield
    for part in ("pki", "provider", "gateway", "admissions"):
        if part in request.fixturenames:
            server: Server = request.getfixturevalue(part)
            with server.client as client:
                client.delete("/control/faults").raise_for_status()
                if part == "provider":
                    client.post("/control/phone", json={"mode": "auto", "delay_ms": 0}).raise_for_status()


def issue(pki: Server, **order: Any) -> Signer:
    with pki.client as client:
        response = client.post("/control/certificates", json=order)
    response.raise_for_status()
    made = response.json()
    return Signer(made["certificate"], made["chain"], made["key"])


@pytest.fixture(scope="session")
def teacher(pki: Server) -> Signer:
    return issue(pki, kind="personal", name="Nguyễn Thị Hồng", identifier="031185000001")


@pytest.fixture(scope="session")
def school(pki: Server) -> Signer:
    return issue(pki, kind="organisation", name="Trường THCS thử nghiệm", identifier=TAX_CODE, root="government", key="p256")


@dataclass
class Receiver:
    """An HTTP server that takes callbacks and answers as told."""

    url: str
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        for _ in range(600):
            if len(self.received) >= count:
                return self.received
            time.sleep(0.05)
        raise TimeoutError(f"{len(self.received)} of {count} callbacks came")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append((dict(self.headers.items()), body))
            self.send_response(state.answers.pop(0) if state.answers else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Receiver(f"http://127.0.0.1:{server.server_port}/callback")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
