"""Reads the QR code of a printed cover by ISO/IEC 18004, so that what a phone would open is opened. Undamaged codes of level M alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.unit.records.pdf_tools import Image, image_of

DPI: Final = 200
SIDE: Final = 30 * DPI / 25.4
"""Of the code in the middle of a transcript's cover, in pixels."""
MASKS: Final[tuple[Callable[[int, int], int], ...]] = (
    lambda r, c: (r + c) % 2,
    lambda r, c: r % 2,
    lambda r, c: c % 3,
    lambda r, c: (r + c) % 3,
    lambda r, c: (r // 2 + c // 3) % 2,
    lambda r, c: r * c % 2 + r * c % 3,
    lambda r, c: (r * c % 2 + r * c % 3) % 2,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2,
)
BLOCKS: Final = {4: (32, 32), 5: (43, 43), 6: (27,) * 4, 7: (31,) * 4, 8: (38, 38, 39, 39), 9: (36, 36, 36, 37, 37)}
"""Version → codewords of data in each block at level M (table 9)."""
Matrix = Sequence[Sequence[int]]


def address_on(cover: Path) -> str:
    """What the code on the first page of a PDF leads to."""
    return decode(matrix_of(image_of(cover, 1, DPI)))


def matrix_of(page: Image) -> Matrix:
    """The modules; how many there are tells the first row of the finder, which is seven of them wide."""
    left = (page.width - SIDE) / 2
    top = next(y for y in range(page.height * 2 // 3, page.height) if page.dark(left + 3, y))
    finder = next(x for x in range(int(SIDE)) if not page.dark(left + 3 + x, top + 3)) + 3
    number = min(range(21, 178, 4), key=lambda n: abs(SIDE * 7 / n - finder))
    module = SIDE / number
    return [[int(page.dark(left + (c + 0.5) * module, top + (r + 0.5) * module)) for c in range(number)] for r in range(number)]


def decode(matrix: Matrix) -> str:
    size = len(matrix)
    version = (size - 17) // 4
    assert (matrix[8][0] ^ 1, matrix[8][1]) == (0, 0), "level M"
    mask = MASKS[(matrix[8][2] ^ 1) * 4 + matrix[8][3] * 2 + (matrix[8][4] ^ 1)]
    bits = [matrix[r][c] ^ (mask(r, c) == 0) for r, c in _data(size, version)]
    words = [int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits) - 7, 8)]
    read = "".join(f"{word:08b}" for word in _in_order(words, BLOCKS[version]))
    assert read[:4] == "0100", "bytes"
    return bytes(int(read[at : at + 8], 2) for at in range(12, 12 + 8 * int(read[4:12], 2), 8)).decode()


def _data(size: int, version: int) -> list[tuple[int, int]]:
    """The modules of codewords, in their order: pairs of columns from the right, up and down by turns."""
    centres = (6, size - 7) if version < 7 else (6, size // 2, size - 7)
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    alignments = [(r, c) for r in centres for c in centres if (r, c) not in corners]

    def is_data(r: int, c: int) -> bool:
        finder = (r < 9 and (c < 9 or c >= size - 8)) or (r >= size - 8 and c < 9)
        told = version >= 7 and ((r < 6 and c >= size - 11) or (c < 6 and r >= size - 11))
        return not (finder or told or 6 in (r, c) or any(abs(r - y) <= 2 and abs(c - x) <= 2 for y, x in alignments))

    rights = [right if right > 6 else right - 1 for right in range(size - 1, 0, -2)]
    order = []
    for turn, right in enumerate(rights):
        rows = range(size) if turn % 2 else range(size - 1, -1, -1)
        order += [(r, c) for r in rows for c in (right, right - 1) if is_data(r, c)]
    return order


def _in_order(words: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """Codewords of the blocks lie one by one beside each other."""
    blocks: list[list[int]] = [[] for _ in lengths]
    coming = iter(words)
    for at in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if at < length:
                block.append(next(coming))
    return [word for block in blocks for word in block]
