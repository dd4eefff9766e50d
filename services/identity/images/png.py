"""Which picture may be a seal or a signature: the structure of a PNG file, judged before anything is decoded.

Plain bytes in, plain bytes out. W3C "Portable Network Graphics (PNG) Specification (Third Edition)": signature, chunks, their order,
CRC-32, zlib data of a known length. What is not needed to draw the picture never reaches a decoder.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_PIXELS_A_SIDE: Final = 4000
LEAST_PIXELS_A_SIDE: Final = 8
MOST_CHUNKS: Final = 5000

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, columns apart, rows apart of each pass."""
_DRAWN: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ANIMATION: Final = (b"acTL", b"fcTL", b"fdAT")
_FOREIGN: Final = (b"%pdf-", b"pk\x03\x04", b"pk\x05\x06", b"<html", b"<!doctype html", b"<script", b"<svg", b"<?php", b"rar!\x1a\x07")
"""How files of other kinds begin, in lower case: browsers and archivers look for them anywhere in a file."""
_OTHERS: Final = (
    (b"\xff\xd8\xff", "ảnh JPEG"),
    (b"GIF8", "ảnh GIF"),
    (b"BM", "ảnh BMP"),
    (b"%PDF-", "tệp PDF"),
    (b"PK\x03\x04", "tệp nén hoặc tài liệu Office"),
    (b"II*\x00", "ảnh TIFF"),
    (b"MM\x00*", "ảnh TIFF"),
)

Flaw = Literal["too_large", "not_png", "damaged", "dimensions", "bomb", "hidden", "animated", "no_ink", "crop"]


class BadImage(ValueError):
    """A picture that is refused; `words` (Vietnamese) say what exactly is wrong where there is more to say than the flaw."""

    def __init__(self, flaw: Flaw, words: str = "") -> None:
        super().__init__(flaw, words)
        self.flaw = flaw
        self.words = words


@dataclass(frozen=True)
class Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def raw_size(self) -> int:
        """Bytes of the picture before compression: every row has a filter byte in front."""
        if not self.interlaced:
            return self._rows(self.width, self.height)
        return sum(
            self._rows(_ceiling(self.width - left, across), _ceiling(self.height - top, down))
            for left, top, across, down in _ADAM7
            if self.width > left and self.height > top
        )

    def _rows(self, width: int, height: int) -> int:
        return height * (1 + _ceiling(width * self.depth * _CHANNELS[self.colour], 8))


def checked(content: bytes) -> tuple[Header, bytes]:
    """What the picture is, and the same picture with nothing but what is drawn. Raises BadImage."""
    if len(content) > MOST_BYTES:
        raise BadImage("too_large")
    if not content.startswith(SIGNATURE):
        raise BadImage("not_png", next((words for start, words in _OTHERS if content.startswith(start)), "tệp khác"))
    chunks = list(_chunks(content))
    kinds = [kind for kind, _ in chunks]
    if any(kind in _ANIMATION for kind in kinds):
        raise BadImage("animated")
    _check_order(kinds)
    for kind, data in chunks:
        if kind not in _DRAWN and any(mark in data.lower() for mark in _FOREIGN):
            raise BadImage("hidden", "trong phần thông tin kèm theo ảnh")
    header = _header(chunks[0][1])
    _check_palette(header, chunks)
    _check_pixels(header, [data for kind, data in chunks if kind == b"IDAT"])
    return header, SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks if kind in _DRAWN)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every chunk up to IEND, each with a good checksum; nothing may follow."""
    at, number = len(SIGNATURE), 0
    while True:
        if at + 12 > len(content):
            raise BadImage("damaged", "tệp bị cắt cụt")
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        if not kind.isalpha() or number >= MOST_CHUNKS:
            raise BadImage("damaged", "cấu trúc tệp không đúng")
        if end + 4 > len(content):
            raise BadImage("damaged", "tệp bị cắt cụt")
        if zlib.crc32(content[at + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            raise BadImage("damaged", "mã kiểm tra trong tệp không khớp")
        yield kind, content[at + 8 : end]
        at, number = end + 4, number + 1
        if kind == b"IEND":
            break
    if at != len(content):
        raise BadImage("hidden", "sau phần kết thúc của ảnh")


def _check_order(kinds: list[bytes]) -> None:
    data = [place for place, kind in enumerate(kinds) if kind == b"IDAT"]
    once = all(kinds.count(kind) <= 1 for kind in (b"IHDR", b"PLTE", b"tRNS", b"IEND"))
    unknown = any(kind[:1].isupper() and kind not in _DRAWN for kind in kinds)
    if kinds[0] != b"IHDR" or not data or not once or unknown or data != list(range(data[0], data[-1] + 1)):
        raise BadImage("damaged", "cấu trúc tệp không đúng")
    palette, transparency = _place(kinds, b"PLTE"), _place(kinds, b"tRNS")
    if max(palette, transparency) > data[0] or -1 < transparency < palette:
        raise BadImage("damaged", "cấu trúc tệp không đúng")


def _header(data: bytes) -> Header:
    if len(data) != 13:
        raise BadImage("damaged", "phần mô tả ảnh không đúng")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", data)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise BadImage("damaged", "phần mô tả ảnh không đúng")
    if not (LEAST_PIXELS_A_SIDE <= width <= MOST_PIXELS_A_SIDE and LEAST_PIXELS_A_SIDE <= height <= MOST_PIXELS_A_SIDE):
        raise BadImage("dimensions", f"{width} × {height}")
    return Header(width, height, depth, colour, bool(interlace))


def _check_palette(header: Header, chunks: list[tuple[bytes, bytes]]) -> None:
    palette = next((data for kind, data in chunks if kind == b"PLTE"), None)
    if palette is None:
        good = header.colour != 3
    else:
        good = header.colour in (2, 3, 6) and len(palette) % 3 == 0 and 0 < len(palette) <= 3 * 2 ** min(header.depth, 8)
    if not good:
        raise BadImage("damaged", "bảng màu không đúng")


def _check_pixels(header: Header, parts: list[bytes]) -> None:
    """Unpacks without keeping anything, and no further than the picture is large."""
    unpacking = zlib.decompressobj()
    left = header.raw_size
    try:
        for part in parts:
            waiting = part
            while waiting and not unpacking.eof:
                left -= len(unpacking.decompress(waiting, min(65536, max(left, 0) + 1)))
                if left < 0:
                    raise BadImage("bomb")
                waiting = unpacking.unconsumed_tail
            if unpacking.eof and (unpacking.unused_data or waiting):
                raise BadImage("hidden", "trong phần dữ liệu điểm ảnh")
        left -= len(unpacking.flush(1))
    except zlib.error as problem:
        raise BadImage("damaged", "dữ liệu điểm ảnh không đọc được") from problem
    if left < 0:
        raise BadImage("bomb")
    if left or not unpacking.eof:
        raise BadImage("damaged", "thiếu dữ liệu điểm ảnh")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _place(kinds: list[bytes], kind: bytes) -> int:
    return kinds.index(kind) if kind in kinds else -1


def _ceiling(value: int, by: int) -> int:
    return -(-value // by)
