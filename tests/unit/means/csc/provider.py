"""A small provider that speaks CSC v2 on a loopback port, with real keys; single answers can be replaced by scripted ones."""

import asyncio
import socket
import threading
import time
from base64 import b64decode, b64encode
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

USER, PASSWORD, TOKEN, SAD = "gv01", "Mật khẩu-9f3c", "token-77aa", "sad-41cc"
PKCS1, PSS, ECDSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.4.3.2"
SALTED = padding.PSS(padding.MGF1(SHA256()), 32)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Scripted:
    status: int
    body: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass
class Held:
    """A credential as the provider holds it."""

    id: str
    key: PrivateKey
    certificates: list[x509.Certificate]
    algorithms: list[str]
    status: str = "enabled"
    multisign: int | str = 100

    def described(self) -> dict[str, Any]:
        chain = [b64encode(one.public_bytes(Encoding.DER)).decode() for one in self.certificates]
        return {
            "credentialID": self.id,
            "key": {"status": self.status, "algo": self.algorithms, "len": self.key.key_size},
            "cert": {"status": "valid", "certificates": chain},
            "auth": {"mode": "explicit"},
            "SCAL": "2",
            "multisign": self.multisign,
        }

    def sign(self, digest: bytes, algorithm: str) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, SALTED if algorithm == PSS else padding.PKCS1v15(), Prehashed(SHA256()))
        return self.key.sign(digest, ec.ECDSA(Prehashed(SHA256())))


@dataclass
class Asked:
    method: str
    headers: dict[str, str]
    body: dict[str, Any]
    client_port: int


class Provider:
    """`scripts[method]` is used up before the provider answers by itself; `asked` records every request."""

    url = ""

    def __init__(self) -> None:
        self.app = Starlette(routes=[Route("/csc/v2/{method:path}", self.answer, methods=["POST"])])
        self.forget()

    def forget(self) -> None:
        """As if it had just been started, without any credential."""
        self.held: dict[str, Held] = {}
        self.asked: list[Asked] = []
        self.scripts: defaultdict[str, deque[Scripted]] = defaultdict(deque)
        self.checks_until_agreed = 1
        self.polls_until_signed = 1
        self.synchronous = True
        self.with_infos = True
        self.results: dict[str, list[str]] = {}

    def script(self, method: str, *answers: Scripted) -> None:
        self.scripts[method].extend(answers)

    def requests(self, method: str) -> list[dict[str, Any]]:
        return [one.body for one in self.asked if one.method == method]

    async def answer(self, request: Request) -> Response:
        method, body = request.path_params["method"], await request.json()
        assert request.client is not None
        self.asked.append(Asked(method, dict(request.headers), body, request.client.port))
        if self.scripts[method]:
            scripted = self.scripts[method].popleft()
            await asyncio.sleep(scripted.delay)
            if scripted.raw is not None:
                return Response(scripted.raw, scripted.status, scripted.headers, "application/json")
            return JSONResponse(scripted.body, scripted.status, scripted.headers)
        if method == "info":
            return JSONResponse({"specs": "2.0.0.2", "name": "Thử", "asynchronousOperationMode": True, "methods": ["info"]})
        if method == "auth/login":
            return self.log_in(request.headers.get("authorization", ""))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refused("invalid_token", "Invalid access_token", 401)
        return self.signed_in(method, body)

    def log_in(self, authorization: str) -> Response:
        if b64decode(authorization.removeprefix("Basic ")).decode() != f"{USER}:{PASSWORD}":
            return refused("authentication_error", "An error occurred during authentication process", 401)
        return JSONResponse({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

    def signed_in(self, method: str, body: dict[str, Any]) -> Response:
        answer = {
            "credentials/list": self.listed,
            "credentials/info": lambda body: JSONResponse(self.held[body["credentialID"]].described()),
            "credentials/authorize": lambda _: JSONResponse({"handle": "h-1"}, 202),
            "credentials/authorizeCheck": self.check,
            "credentials/extendTransaction": lambda body: JSONResponse({"SAD": body["SAD"] + "-2", "expiresIn": 200}),
            "signatures/signHash": self.sign,
            "signatures/signPolling": self.poll,
        }[method]
        return answer(body)

    def listed(self, _: dict[str, Any]) -> Response:
        infos = {"credentialInfos": [one.described() for one in self.held.values()]} if self.with_infos else {}
        return JSONResponse({"credentialIDs": [*self.held], **infos})

    def check(self, body: dict[str, Any]) -> Response:
        if self.checks_until_agreed:
            self.checks_until_agreed -= 1
            return JSONResponse({"handle": body["handle"]}, 202)
        return JSONResponse({"SAD": SAD, "expiresIn": 300})

    def poll(self, body: dict[str, Any]) -> Response:
        if self.polls_until_signed:
            self.polls_until_signed -= 1
            return JSONResponse({}, 202)
        return JSONResponse({"signatures": self.results.pop(body["requestID"])})

    def sign(self, body: dict[str, Any]) -> Response:
        held = self.held[body["credentialID"]]
        if body["SAD"] != SAD:
            return refused("invalid_request", "SAD expired")
        if body["operationMode"] == "S" and not self.synchronous:
            return refused("invalid_request", "Invalid parameter operationMode")
        signatures = [b64encode(held.sign(b64decode(one), body["signAlgo"])).decode() for one in body["hashes"]]
        if body["operationMode"] == "S":
            return JSONResponse({"signatures": signatures})
        self.results[f"r-{len(self.results)}"] = signatures
        return JSONResponse({"responseID": f"r-{len(self.results) - 1}"})


def refused(error: str, description: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, status)


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """The provider on a free loopback port, in a thread of its own."""
    # with the protocol named, asyncio switches Nagle's delay off
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        provider.url = f"http://127.0.0.1:{listening.getsockname()[1]}/csc/v2"
        server = uvicorn.Server(uvicorn.Config(provider.app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield provider
        finally:
            server.should_exit = True
            thread.join()


def make_held(identity: str, key: PrivateKey, algorithms: list[str]) -> Held:
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Root", root_key, "Root", root_key)
    return Held(identity, key, [_certificate("Nguyễn Thị Hạnh", key, "Root", root_key), root], algorithms)


def _certificate(name: str, key: PrivateKey, issuer: str, issuer_key: PrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(issuer_key, SHA256())
    )
