"""A second entrance of a sandbox server, with mutual TLS, for what its contract offers.

With it the first one, plain HTTP, answers `/health` and `/control` alone, and whoever has no certificate that leads to a root of DIR/trust
does not get as far as HTTP. The certificate of the connection travels in the scope (ASGI's TLS extension).
"""

import argparse
import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from infra.sandbox.common import Place

HALT_SECONDS = 3


@dataclass(frozen=True)
class Door:
    """`certificate` and `key` are the server's own."""

    port: int
    certificate: Path
    key: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tls-port", type=int, help="port with mutual TLS; the other one then answers /health and /control alone")
    parser.add_argument("--tls-certificate", type=Path, help="the server's own certificate (PEM)")
    parser.add_argument("--tls-key", type=Path, help="its key (PEM)")


def door_of(options: argparse.Namespace) -> Door | None:
    """None without a port. Ends the program when only a part of it was named."""
    named = (options.tls_port, options.tls_certificate, options.tls_key)
    if not any(named):
        return None
    if not all(named):
        raise SystemExit("--tls-port, --tls-certificate and --tls-key go together")
    return Door(*named)


def peer_of(request: Request) -> bytes | None:
    """The certificate (DER) that the connection was made with; None over plain HTTP."""
    chain = request.scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    return ssl.PEM_cert_to_DER_cert(chain[0]) if chain else None


def install(app: FastAPI, code: str) -> None:
    """Each entrance answers its own part; `code` is what the contract calls a call that came by the wrong one."""

    @app.middleware("http")
    async def by_the_right_door(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if (peer_of(request) is not None) != request.url.path.startswith("/v1/"):
            return JSONResponse({"code": code, "reason": "Chỉ nhận qua kết nối TLS hai chiều"}, 403)
        return await answer(request)


class _WithPeer(H11Protocol):
    """Tells the application who is on the other side."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self.app = _knowing(self.app, ssl.DER_cert_to_PEM_cert(certificate))


def _knowing(app: ASGIApp, certificate: str) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "extensions": {"tls": {"client_cert_chain": [certificate]}}}, receive, send)

    return answer


class _Beside(uvicorn.Server):
    """A server whose process is told to stop through another one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Front(uvicorn.Server):
    """Goes when what runs beside it has gone: uvicorn ends the process with its own end."""

    def __init__(self, config: uvicorn.Config, beside: _Beside) -> None:
        super().__init__(config)
        self._beside = beside

    async def both(self) -> None:
        self._running = asyncio.create_task(self._beside.serve())
        await self.serve()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._beside.should_exit = True
        await self._running
        await super().shutdown(sockets)


def serve(app: FastAPI, place: Place, door: Door) -> None:
    """Both entrances, until SIGTERM or SIGINT."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(door.certificate, door.key)
    context.verify_mode = ssl.CERT_REQUIRED
    for root in sorted((place.directory / "trust").glob("*.pem")):
        context.load_verify_locations(root)

    def config(port: int, **more: object) -> uvicorn.Config:
        return uvicorn.Config(
            app, host=place.host, port=port, log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=HALT_SECONDS, **more,  # type: ignore[arg-type]  # uvicorn's own options
        )  # fmt: skip

    beside = _Beside(config(door.port, lifespan="off", http=_WithPeer, ssl_context_factory=lambda *_: context))
    asyncio.run(_Front(config(place.port), beside).both())
