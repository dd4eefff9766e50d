"""Evidence ("minh chứng"): which files are taken, judged by their content and never by their name. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.errors import Refused
from services.records import cells
from services.records.corrections.errors import EVIDENCE_NEEDED, WRONG_EVIDENCE

MOST_FILES = 5
MOST_BYTES = 10 * 1024 * 1024
"""Of one file."""
LONGEST_NAME = 100
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Evidence:
    """One file; `name` is what it was called, for people to read only."""

    name: str
    media_type: str
    suffix: str
    content: bytes


def kind_of(content: bytes) -> tuple[str, str] | None:
    """(media type, suffix) by the first and the last bytes; None for anything but a whole PDF, PNG or JPEG."""
    end = content[-1024:]
    if content.startswith(b"%PDF-") and b"%%EOF" in end:
        return "application/pdf", ".pdf"
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and b"IEND" in end:
        return "image/png", ".png"
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in end:
        return "image/jpeg", ".jpg"
    return None


def taken(files: list[tuple[str, bytes]]) -> list[Evidence]:
    """The files (name, content) in their order. Raises Refused: EVIDENCE_NEEDED, WRONG_EVIDENCE for the first that is not usable."""
    if not 1 <= len(files) <= MOST_FILES:
        raise Refused(EVIDENCE_NEEDED, most=MOST_FILES)
    found = []
    for number, (name, content) in enumerate(files, start=1):
        if len(content) > MOST_BYTES:
            raise Refused(WRONG_EVIDENCE, number=number, reason="tệp lớn hơn 10 MB")
        kind = kind_of(content)
        if kind is None:
            raise Refused(WRONG_EVIDENCE, number=number, reason="nội dung không phải là tệp PDF, PNG hoặc JPEG nguyên vẹn")
        shown = cells.text(name.replace("\\", "/").rpartition("/")[2])[-LONGEST_NAME:]
        found.append(Evidence(shown or f"minh-chung-{number}{kind[1]}", *kind, content))
    return found
