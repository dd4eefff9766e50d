"""A TCP proxy that misbehaves on demand: cuts connections, swallows an answer, takes none in."""

from __future__ import annotations

import asyncio
import struct
from asyncio import IncompleteReadError
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Thread
from typing import TypeVar

from infra.stack.instance import LOOPBACK

PRODUCE, FETCH, METADATA, OFFSET_COMMIT, JOIN_GROUP, CREATE_TOPICS = 0, 1, 3, 8, 11, 19
"""Kinds of Kafka's requests (api keys)."""


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


class KafkaProxy(Proxy):
    """Stays between a broker and its clients although the broker says where it lives, and tells requests apart by their kind.

    `silent`: kinds that the broker never sees; the connection stays open, and nothing is answered on it any more.
    `lose`: the kind whose next request reaches the broker, but the connection is cut before its answer.
    `seen` and `last`: how many of each kind were sent, and the last one.
    """

    def __init__(self, target: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(target, loop)
        self.silent: set[int] = set()
        self.lose: int | None = None
        self.seen: Counter[int] = Counter()
        self.last: dict[int, bytes] = {}

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        deaf = False
        while frame := await _frame(reader):
            (kind,) = struct.unpack_from(">h", frame, 4)
            self.seen[kind] += 1
            self.last[kind] = frame
            deaf = deaf or kind in self.silent
            if deaf:
                continue
            if kind == self.lose:
                asked.set()
            writer.write(frame)
            await writer.drain()
        writer.transport.abort()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        host, port = self.target
        real, ours = (host.encode() + struct.pack(">i", p) for p in (port, int(self.address.rpartition(":")[2])))
        while frame := await _frame(reader):
            if asked.is_set():
                self.lose = None
                self.lost += 1
                break
            writer.write(frame.replace(real, ours))
            await writer.drain()
        writer.transport.abort()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """A request or answer with its length; nothing when the connection has ended."""
    try:
        head = await reader.readexactly(4)
        return head + await reader.readexactly(int.from_bytes(head))
    except IncompleteReadError:
        return b""


P = TypeVar("P", bound=Proxy)


def proxy_to(target: str) -> AbstractContextManager[Proxy]:
    return _serving(Proxy, target)


def kafka_proxy_to(target: str) -> AbstractContextManager[KafkaProxy]:
    return _serving(KafkaProxy, target)


@contextmanager
def _serving(kind: type[P], target: str) -> Iterator[P]:
    """In a thread of its own: some clients hold up the event loop while they close."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    proxy = kind(target, loop)
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(proxy.serve, LOOPBACK, 0), loop).result(10)
    proxy.address = f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(server.close)
        proxy.cut()
        loop.call_soon_threadsafe(loop.call_later, 0.2, loop.stop)
        thread.join(10)
