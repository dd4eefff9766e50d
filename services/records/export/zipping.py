"""A zip file that is sent while it is made: what was written is handed on at once and never kept."""

from __future__ import annotations

import asyncio
import zipfile
from typing import TYPE_CHECKING

from services.chassis import clock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator


class _Passing:
    """What zipfile writes to: it cannot seek, so sizes follow the content (data descriptors, PKWARE APPNOTE 4.3.9)."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """zipfile asks for it; nothing is held back."""

    def drain(self) -> bytes:
        written, self._written = b"".join(self._written), []
        return written


async def zipped(files: AsyncIterator[tuple[str, bytes]], at: dt.datetime) -> AsyncIterator[bytes]:
    """The bytes of the zip, a file at a time; every file carries the time `at`."""
    passing = _Passing()
    moment = clock.in_vietnam(at).timetuple()[:6]
    archive = zipfile.ZipFile(passing, "w", zipfile.ZIP_DEFLATED)  # type: ignore[call-overload]  # typeshed wants more of a file than zipfile does
    async for name, content in files:
        entry = zipfile.ZipInfo(name, moment)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        await asyncio.to_thread(archive.writestr, entry, content)
        yield passing.drain()
    await asyncio.to_thread(archive.close)
    yield passing.drain()
