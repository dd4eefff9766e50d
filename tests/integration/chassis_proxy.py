"""A TCP proxy that misbehaves on demand: cuts connections, swallows an answer, takes none in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from infra.stack.instance import LOOPBACK


class Proxy:
    def __init__(self, target: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        host, _, port = target.partition(":")
        self.target = (host, int(port))
        self.address = ""
        self.lose_answer = False
        self.away = False
        self.lost = 0
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Every connection, at once; new ones are let in again unless `away`."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
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


@contextmanager
def proxy_to(target: str) -> Iterator[Proxy]:
    """In a thread of its own: some clients hold up the event loop while they close."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    proxy = Proxy(target, loop)
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(proxy.serve, LOOPBACK, 0), loop).result(10)
    proxy.address = f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(server.close)
        proxy.cut()
        loop.call_soon_threadsafe(loop.call_later, 0.2, loop.stop)
        thread.join(10)
