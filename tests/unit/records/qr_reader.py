"""Reads the QR codes of a page's picture by ISO/IEC 18004, without the library that draws them: versions 1 to 10, all levels, byte mode.

For pictures of pages that stand upright. Nothing is corrected: a code whose check words do not fit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.unit.records.pdf_tools import Image

TOTAL = (26, 44, 70, 100, 134, 172, 196, 242, 292, 346)
"""Codewords of versions 1 to 10."""
CHECKS = {
    "L": (7, 10, 15, 20, 26, 18, 20, 24, 30, 18),
    "M": (10, 16, 26, 18, 24, 16, 18, 22, 22, 26),
    "Q": (13, 22, 18, 26, 18, 24, 18, 22, 20, 24),
    "H": (17, 28, 22, 16, 22, 28, 26, 26, 24, 28),
}
"""Check words of one block."""
BLOCKS = {
    "L": (1, 1, 1, 1, 1, 2, 2, 2, 2, 4),
    "M": (1, 1, 1, 2, 2, 4, 4, 4, 5, 5),
    "Q": (1, 1, 2, 2, 4, 4, 6, 6, 8, 8),
    "H": (1, 1, 2, 4, 4, 4, 5, 6, 8, 8),
}
LEVELS = {0b01: "L", 0b00: "M", 0b11: "Q", 0b10: "H"}
ALIGNMENT = ((), (6, 18), (6, 22), (6, 26), (6, 30), (6, 34), (6, 22, 38), (6, 24, 42), (6, 26, 46), (6, 28, 50))
MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)
DARK = bytes(int(grey < 128) for grey in range(256))
Grid = list[list[int]]


@dataclass(frozen=True)
class Eye:
    """One of the three corner patterns: its middle, and the width of a module, in pixels."""

    x: float
    y: float
    module: float


def codes_of(picture: Image) -> list[str]:
    """The texts of all codes on the page, from top to bottom. Raises ValueError for one that cannot be read."""
    found = list(_corners(_eyes(picture)))
    return [text_of(_grid(picture, *corners)) for corners in sorted(found, key=lambda c: (c[0].y, c[0].x))]


def text_of(grid: Grid) -> str:
    """Raises ValueError for modules that are no sound code."""
    version = (len(grid) - 17) // 4
    if not 1 <= version <= 10 or len(grid) != 17 + 4 * version:
        raise ValueError(f"no code has {len(grid)} modules")
    level, mask = _format(grid)
    words = _words(grid, version, mask)
    return _payload(_data(words, version, level), version)


# --- from pixels to modules


def _eyes(picture: Image) -> list[Eye]:
    plain = picture.pixels.translate(DARK)
    hits: list[list[Eye]] = []
    for y in range(picture.height):
        line = plain[y * picture.width : (y + 1) * picture.width]
        for eye in _like_eyes(line, y):
            down = plain[int(eye.x) :: picture.width]
            across = next((e for e in _like_eyes(down, 0) if abs(e.x - y) < eye.module), None)
            if across is None:
                continue
            middle = Eye(eye.x, across.x, (eye.module + across.module) / 2)
            near = next((c for c in hits if abs(c[0].x - middle.x) < middle.module and abs(c[0].y - middle.y) < middle.module), None)
            if near is None:
                hits.append([middle])
            else:
                near.append(middle)
    sure = [cluster for cluster in hits if len(cluster) > cluster[0].module]
    return [Eye(*(sum(getattr(e, name) for e in cluster) / len(cluster) for name in ("x", "y", "module"))) for cluster in sure]


def _like_eyes(line: bytes, y: int) -> Iterator[Eye]:
    """Where dark and light alternate as 1:1:3:1:1."""
    runs = [(found.start(), found.end() - found.start()) for found in re.finditer(rb"\x00+|\x01+", line)]
    first = 0 if line[:1] == b"\x01" else 1
    for n in range(first, len(runs) - 4, 2):
        lengths = [length for _, length in runs[n : n + 5]]
        module = sum(lengths) / 7
        if module >= 2 and all(abs(got - want * module) < want * module * 0.4 for got, want in zip(lengths, (1, 1, 3, 1, 1), strict=True)):
            start, length = runs[n + 2]
            yield Eye(start + length / 2, y, module)


def _corners(eyes: Sequence[Eye]) -> Iterator[tuple[Eye, Eye, Eye]]:
    """Top left, top right, bottom left of upright codes."""
    for corner in eyes:
        near = corner.module
        right = [e for e in eyes if e.x - corner.x > 10 * near and abs(e.y - corner.y) < near]
        below = [e for e in eyes if e.y - corner.y > 10 * near and abs(e.x - corner.x) < near]
        yield from ((corner, r, b) for r in right for b in below if abs((r.x - corner.x) - (b.y - corner.y)) < near)


def _grid(picture: Image, corner: Eye, right: Eye, below: Eye) -> Grid:
    size = round((right.x - corner.x) / corner.module) + 7
    size = 17 + 4 * round((size - 17) / 4)
    across, down = (right.x - corner.x) / (size - 7), (below.y - corner.y) / (size - 7)
    return [[int(picture.dark(corner.x + (j - 3) * across, corner.y + (i - 3) * down)) for j in range(size)] for i in range(size)]


# --- from modules to words


def _format(grid: Grid) -> tuple[str, int]:
    """Level and mask, as the modules around the first corner say."""
    places = [(8, 0), (8, 1), (8, 2), (8, 3), (8, 4), (8, 5), (8, 7), (8, 8), (7, 8), (5, 8), (4, 8), (3, 8), (2, 8), (1, 8), (0, 8)]
    told = 0
    for i, j in places:
        told = told << 1 | grid[i][j]
    told ^= 0b101010000010010
    data, rest = told >> 10, told
    for shift in range(4, -1, -1):
        if rest >> (shift + 10) & 1:
            rest ^= 0b10100110111 << shift
    if rest:
        raise ValueError("the format's check bits do not fit")
    return LEVELS[data >> 3], data & 0b111


def _reserved(version: int) -> set[tuple[int, int]]:
    """Modules that hold no data."""
    size = 17 + 4 * version
    taken = {(6, n) for n in range(size)} | {(n, 6) for n in range(size)}
    taken |= {(i, j) for i in range(9) for j in range(9)}
    taken |= {(i, j) for i in range(9) for j in range(size - 8, size)} | {(j, i) for i in range(9) for j in range(size - 8, size)}
    centres, last = ALIGNMENT[version - 1], size - 7
    for i in centres:
        for j in centres:
            if (i, j) not in {(6, 6), (6, last), (last, 6)}:
                taken |= {(i + down, j + across) for down in range(-2, 3) for across in range(-2, 3)}
    if version >= 7:
        block = {(i, j) for i in range(6) for j in range(size - 11, size - 8)}
        taken |= block | {(j, i) for i, j in block}
    return taken


def _words(grid: Grid, version: int, mask: int) -> list[int]:
    size, taken = len(grid), _reserved(version)
    bits = []
    columns = [c for c in range(size - 1, 0, -2) if c > 6] + list(range(5, 0, -2))
    for turn, column in enumerate(columns):
        rows = range(size - 1, -1, -1) if turn % 2 == 0 else range(size)
        bits += [
            grid[i][j] ^ int(MASKS[mask](i, j) == 0)  # a mask turns the modules where its sum is 0
            for i in rows
            for j in (column, column - 1)
            if (i, j) not in taken
        ]
    return [int("".join(map(str, bits[n : n + 8])), 2) for n in range(0, 8 * TOTAL[version - 1], 8)]


def _data(words: Sequence[int], version: int, level: str) -> bytes:
    """The blocks laid apart, each with check words that fit."""
    total, checks, count = TOTAL[version - 1], CHECKS[level][version - 1], BLOCKS[level][version - 1]
    short, longer = total // count - checks, total % count
    lengths = [short] * (count - longer) + [short + 1] * longer
    blocks: list[list[int]] = [[] for _ in lengths]
    told = iter(words)
    for n in range(short + 1):
        for block, length in zip(blocks, lengths, strict=True):
            if n < length:
                block.append(next(told))
    ends: list[list[int]] = [[] for _ in lengths]
    for _ in range(checks):
        for end in ends:
            end.append(next(told))
    for block, end in zip(blocks, ends, strict=True):
        if any(_value([*block, *end], root) for root in range(checks)):
            raise ValueError("the check words do not fit")
    return bytes(word for block in blocks for word in block)


def _value(words: Sequence[int], power: int) -> int:
    """The polynomial of the words at 2^power, in GF(256) with x^8 + x^4 + x^3 + x^2 + 1."""
    value = 0
    for word in words:
        for _ in range(power):
            value <<= 1
            if value & 0x100:
                value ^= 0x11D
        value ^= word
    return value


def _payload(data: bytes, version: int) -> str:
    bits = "".join(f"{byte:08b}" for byte in data)
    if bits[:4] != "0100":
        raise ValueError("only byte mode is read")
    width = 8 if version < 10 else 16
    count = int(bits[4 : 4 + width], 2)
    start = 4 + width
    return bytes(int(bits[n : n + 8], 2) for n in range(start, start + 8 * count, 8)).decode()
