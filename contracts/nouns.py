"""What people call the document that they work with: refusals and notices are written of transcripts, and said of class summaries too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.documents import SignedKind

NOUNS: Final[Mapping[SignedKind, str]] = {
    "transcript": "học bạ",
    "class_summary": "bảng tổng hợp",
    "withdrawal_request": "yêu cầu thu hồi",
}
MENU: Final = {"2.1": "3.1", "2.6": "3.7", "2.7": "3.5.1", "2.8": "3.5.2"}
"""Entries of the transcripts' menu that texts name, and the class summaries' (guide 000, section 3)."""
_WORD: Final = re.compile(r"(h)ọc bạ( điện tử| số)?", re.IGNORECASE)
_ENTRY: Final = re.compile(r"(?<=mục )2\.[1678](?![.\d])")


def worded(kind: SignedKind, text: str) -> str:
    """A sentence about transcripts, said of documents of this kind."""
    if kind == "transcript":
        return text
    noun = NOUNS[kind]
    said = _WORD.sub(lambda found: noun.capitalize() if found[1] == "H" else noun, text)
    return _ENTRY.sub(lambda found: MENU[found[0]], said) if kind == "class_summary" else said
