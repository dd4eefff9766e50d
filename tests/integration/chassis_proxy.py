"""A TCP proxy that misbehaves on demand: cuts connections, swallows an answer, takes none in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.stack.instance import LOOPBACK


class Proxy:
    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self.target = (host, int(port))
        self.address = ""
        self.lose_answer = False
        self.away = False
        self.lost = 0
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Every connection, at once; new ones are let in again unless `away`."""
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        self._open |= {writer, far_writer}
        asked = asyncio.Event()
        try:
            await asyncio.gather(self._requests(reader, far_writer, asked), self._answers(far_reader, writer, asked))
        except OSError:
            return
        finally:
            self._open -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if self.lose_answer:
                asked.set()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if self.lose_answer and asked.is_set():
                self.lose_answer = False
                self.lost += 1
                break
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def proxy_to(target: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    proxy.address = f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)
