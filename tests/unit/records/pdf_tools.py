"""Poppler as the judge of what a PDF shows: text, words with their places, pages as pixels, attachments."""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Word:
    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Image:
    """Grey pixels, row by row, 0 black to 255 white."""

    width: int
    height: int
    pixels: bytes

    def difference(self, other: Image) -> float:
        """Mean absolute difference per pixel, 0 to 255; images of different size differ fully."""
        if (self.width, self.height) != (other.width, other.height):
            return 255.0
        return sum(abs(a - b) for a, b in zip(self.pixels, other.pixels, strict=True)) / len(self.pixels)

    def dark(self, x: float, y: float) -> bool:
        return self.pixels[int(y) * self.width + int(x)] < 128


def text_of(pdf: Path, *, first: int = 1, last: int = 0) -> str:
    """All text with runs of white space as one space, so that a line break inside a cell does not matter."""
    pages = ["-f", str(first)] + (["-l", str(last)] if last else [])
    return " ".join(_run("pdftotext", *pages, "-enc", "UTF-8", str(pdf), "-").decode().split())


def words_of(pdf: Path) -> list[Word]:
    words = []
    listing = _run("pdftotext", "-bbox", "-enc", "UTF-8", str(pdf), "-").decode()
    for number, page in enumerate(listing.split("<page ")[1:], start=1):
        for box in re.finditer(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', page):
            left, top, right, bottom = map(float, box.groups()[:4])
            words.append(Word(number, box[5], left, top, right, bottom))
    return words


def page_count(pdf: Path) -> int:
    found = re.search(rb"Pages:\s+(\d+)", _run("pdfinfo", str(pdf)))
    assert found
    return int(found[1])


def image_of(pdf: Path, page: int, dpi: int) -> Image:
    data = _run("pdftoppm", "-gray", "-r", str(dpi), "-f", str(page), "-l", str(page), str(pdf))
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    assert header
    return Image(int(header[1]), int(header[2]), data[header.end() :])


def attachment_of(pdf: Path, folder: Path) -> bytes:
    target = folder / "attachment"
    _run("pdfdetach", "-save", "1", "-o", str(target), str(pdf))
    return target.read_bytes()


def write_png(image: Image, target: Path) -> None:
    rows = b"".join(b"\0" + image.pixels[start : start + image.width] for start in range(0, len(image.pixels), image.width))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    ]
    body = b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    target.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def read_png(source: Path) -> Image:
    """Reads what write_png wrote: grey, 8 bits, unfiltered rows, one IDAT."""
    data = source.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    length = struct.unpack(">I", data[33:37])[0]
    rows = zlib.decompress(data[41 : 41 + length])
    stride = width + 1
    assert set(rows[::stride]) == {0}, "the golden image was not written by write_png"
    return Image(width, height, b"".join(rows[start + 1 : start + stride] for start in range(0, len(rows), stride)))


def _run(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout
