"""Connections to providers."""

from __future__ import annotations

import asyncio

import pytest

from services.means import provider_http
from services.means.provider_http import ProviderHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


async def test_a_question_is_not_asked_over_a_connection_that_was_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server gives up a connection when the second question comes over it, as one does that was just about to close it."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        await reader.read(1)
        writer.close()

    monkeypatch.setattr(provider_http, "IDLE_SECONDS", 0.05)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        http = ProviderHttp(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/csc", verify=False)
        for _ in range(2):
            assert (await http.get("info")).status_code == 200
            await asyncio.sleep(0.2)
        await http.aclose()
    assert connections == 2
