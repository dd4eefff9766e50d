"""Writing packages: entries one after the other, then what closes them. Plain data in, bytes out (format: `checker.py`)."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.records.archive.checker import CLOSING, FORMAT, Entry, central_directory, local_header, sums_line

SealOver = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Written:
    """An entry that stands in the package, with the digest of its content."""

    entry: Entry
    sha256: str


def written(name: str, content: bytes, offset: int) -> tuple[bytes, Written]:
    """The bytes of one entry that begins at `offset`, and what the closing needs to know of it."""
    crc = zlib.crc32(content)
    entry = Entry(name, len(content), crc, offset)
    return local_header(name, len(content), crc) + content, Written(entry, hashlib.sha256(content).hexdigest())


def closing(entries: Sequence[Written], told: Mapping[str, Any], offset: int, seal: SealOver) -> tuple[bytes, str]:
    """The bytes from `offset` to the end of the file (list of digests, manifest, seal, directory), and the manifest's SHA-256."""
    sums = "".join(sums_line(each.entry.name, each.sha256) for each in entries).encode()
    manifest = {
        "format": FORMAT,
        **told,
        "files": len(entries),
        "bytes": sum(each.entry.size for each in entries),
        "sums": hashlib.sha256(sums).hexdigest(),
    }
    body = (json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
    parts, all_entries = [], [each.entry for each in entries]
    for name, content in zip(CLOSING, (sums, body, seal(body)), strict=True):
        piece, one = written(name, content, offset)
        parts.append(piece)
        all_entries.append(one.entry)
        offset += len(piece)
    return b"".join([*parts, central_directory(all_entries, offset)]), hashlib.sha256(body).hexdigest()


def whole(files: Sequence[tuple[str, bytes]], told: Mapping[str, Any], seal: SealOver) -> bytes:
    """A small package at once; the same input gives the same bytes, apart from the seal."""
    parts, entries, offset = [], [], 0
    for name, content in files:
        piece, one = written(name, content, offset)
        parts.append(piece)
        entries.append(one)
        offset += len(piece)
    return b"".join([*parts, closing(entries, told, offset, seal)[0]])
