"""Certified copies as a school asks for them, of originals that a test makes."""

from __future__ import annotations

import datetime as dt
import json
from hashlib import sha256
from typing import Any

from contracts.events.signing import SignatureFact
from services.records.copies.pooled import make
from services.records.copies.sheet import sheet
from services.records.schoolyear import TranscriptContent

AT = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
EVERYTHING = ["profile", "subjects", "levels", "outcome"]
ASKED = {"requester": "Nguyễn Gia Thành", "relation": "Cha", "purpose": "Nộp hồ sơ", "kind": "WHOLE", "medium": "PAPER", "count": 2}


def signature(role: str, name: str) -> SignatureFact:
    return SignatureFact(
        role=role,
        person="1",
        name=name,
        subjects=(),
        signed_at=dt.datetime(2026, 5, 28, 7, 3, tzinfo=dt.UTC),
        certificate_serial="54010203040506070809",
        certificate_subject=name,
        scheme="ecdsa",
    )


SIGNATURES = [
    signature("subjects", "Phan Thị Bộ Môn"),
    signature("homeroom", "Bùi Thị Chủ Nhiệm"),
    signature("leader", "Ngô Văn Lãnh Đạo"),
    signature("issue", "Đỗ Văn Thư"),
]


def copy_of(original: bytes, *, position: str = "Hiệu trưởng", **asked: Any) -> dict[str, Any]:
    """The copy's document as far as its file needs it."""
    return {
        "ask": {**ASKED, **asked},
        "issued_at": AT,
        "number": 12,
        "register_year": 2026,
        "signer": {"code": "1", "name": "Trần Thị Ký Bản Sao", "position": position},
        "source": {"version": 1, "pdf": {"sha256": sha256(original).hexdigest()}},
    }


def certified_copy(content: TranscriptContent, original: bytes, **asked: Any) -> bytes:
    """The file of a copy; `asked` as in `ASKED`, and `parts` of an extract."""
    copy = copy_of(original, **asked)
    words = json.dumps(sheet(copy, content, SIGNATURES))
    return make(words, original, copy["ask"]["medium"], copy["ask"]["kind"], AT)
