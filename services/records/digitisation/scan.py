"""Scans of paper transcripts: a PDF, or pictures of the pages bound into one; judged by content, never by name. No I/O.

Nothing inside a PDF is unpacked here: what encrypts it, what would run in a reader, and how many pages it has are told by its plain
parts. Pictures are decoded within a limit of pixels and written anew, so that nothing but what is seen remains of them.
"""

from __future__ import annotations

import io
import re
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageOps, UnidentifiedImageError
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_PAGES: Final = 60
MOST_PIXELS: Final = 50_000_000
LONGEST_SIDE: Final = 3508
"""A4 at 300 dots an inch."""
_MOST_UNPACKED: Final = 64 * 1024 * 1024
_ENCRYPTED: Final = re.compile(rb"/Encrypt[\s<]")
_ACTIVE: Final = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|XFA|RichMedia)[\s<(/\[]")
_OBJECT_STREAM: Final = re.compile(rb"/Type\s*/(?:ObjStm|XRef)")
_STREAM: Final = re.compile(rb"stream\r?\n")


@dataclass(frozen=True)
class Scan:
    content: bytes
    pages: int


@dataclass(frozen=True)
class Unusable:
    """`reason` completes "Bản quét: …"."""

    reason: str


def scan_of(files: Sequence[bytes]) -> Scan | Unusable:
    """One PDF, or pictures in the order of the pages. Pure and picklable, for a process of the pool."""
    if not files:
        return Unusable("chưa chọn tệp")
    if sum(len(f) for f in files) > MOST_BYTES:
        return Unusable("lớn hơn 20 MB")
    if len(files) > MOST_PAGES:
        return Unusable(f"có hơn {MOST_PAGES} trang")
    if files[0].startswith(b"%PDF-"):
        return _pdf(files[0]) if len(files) == 1 else Unusable("chỉ nhận một tệp PDF, hoặc các ảnh của từng trang")
    return _bound(files)


def _pdf(content: bytes) -> Scan | Unusable:
    if b"%%EOF" not in content[-1024:]:
        return Unusable("tệp PDF không nguyên vẹn")
    if _ENCRYPTED.search(content):
        return Unusable("tệp PDF được mã hóa hoặc đặt mật khẩu")
    if _ACTIVE.search(content):
        return Unusable("tệp PDF có mã lệnh hoặc tệp đính kèm")
    pages = _pages(content) if _unpacks_within(content) else None
    if pages is None:
        return Unusable("tệp PDF không đọc được, hoặc nén quá mức")
    return Scan(content, pages) if 1 <= pages <= MOST_PAGES else Unusable(f"có {pages} trang; chỉ nhận từ 1 đến {MOST_PAGES} trang")


def _pages(content: bytes) -> int | None:
    try:
        return int(PdfFileReader(io.BytesIO(content), strict=False).root["/Pages"]["/Count"])
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def _unpacks_within(content: bytes) -> bool:
    """Whether the packed objects, which a reader unpacks to find the pages, stay within a limit."""
    left = _MOST_UNPACKED
    for found in _OBJECT_STREAM.finditer(content):
        start = _STREAM.search(content, found.end())
        if start is None:
            continue
        left -= _unpacked(content[start.end() :], left)
        if left <= 0:
            return False
    return True


def _unpacked(packed: bytes, most: int) -> int:
    """How many bytes come out of it, `most` if there are more."""
    unpacking = zlib.decompressobj()
    try:
        return len(unpacking.decompress(packed, most))
    except zlib.error:
        # not packed this way: the reader takes it as it stands, or refuses it
        return 0


def _bound(files: Sequence[bytes]) -> Scan | Unusable:
    pages: list[Image.Image] = []
    for number, content in enumerate(files, start=1):
        page = _page(content)
        if page is None:
            return Unusable(f"tệp thứ {number} không phải là PDF, hoặc ảnh PNG, JPEG đọc được")
        pages.append(page)
    bound = io.BytesIO()
    pages[0].save(bound, "PDF", save_all=True, append_images=pages[1:], resolution=300, quality=85)
    # Pillow gives the free object a generation that ISO 32000 does not have
    content = bound.getvalue().replace(b"0000000000 65536 f", b"0000000000 65535 f", 1)
    return Scan(content, len(pages)) if len(content) <= MOST_BYTES else Unusable("lớn hơn 20 MB sau khi ghép các ảnh")


def _page(content: bytes) -> Image.Image | None:
    """Upright, without whatever else the file holds; None for what is no picture of a page."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    return None
                page = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    page.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return page
