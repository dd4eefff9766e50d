"""What the source says of a document: the read model of verification, built from the facts of records. Plain data in, plain data out.

It holds nothing of a pupil but the sector code that ties the versions of one transcript together, and that is never shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.documents import DocumentKind
    from contracts.event import Event
    from contracts.events.records import TranscriptConfirmedV1, TranscriptCreatedV1, TranscriptMovedV1

Row = dict[str, Any]
Standing = Literal["in_force", "replaced", "withdrawn", "cancelled", "not_issued"]
Likeness = Literal["same", "different", "unchecked"]

ISSUED: Final = frozenset({"SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED", "WITHDRAWAL_PENDING"})
"""States of records in which all have signed and nothing was taken back."""
STANDING: Final[Mapping[Standing, tuple[str, str]]] = {
    "in_force": ("Đang có hiệu lực", "Đây là phiên bản đang có hiệu lực tại nguồn."),
    "replaced": ("Đã được thay thế", "Nhà trường đã phát hành phiên bản mới thay thế phiên bản này."),
    "withdrawn": ("Đã thu hồi", "Phiên bản này đã được thu hồi, không còn giá trị sử dụng."),
    "cancelled": ("Đã hủy", "Phiên bản này đã bị hủy, không còn giá trị sử dụng."),
    "not_issued": ("Chưa phát hành", "Chưa đủ chữ ký nên chưa phát hành; bản này chưa có giá trị sử dụng."),
}
ROLES: Final = {
    "subject_teacher": "Giáo viên bộ môn",
    "homeroom": "Giáo viên chủ nhiệm",
    "leader": "Lãnh đạo nhà trường",
    "school": "Nhà trường ký phát hành",
}
_UUID: Final = re.compile(r"[0-9a-f]{32}")
_SHORT: Final = 12
"""Characters of a short code: the first two groups of the printed UUID, 48 random bits."""


@dataclass(frozen=True)
class Source:
    """What anybody may know of a document by its code."""

    document: str
    kind: DocumentKind
    school: str
    year: str
    version: int
    standing: Standing
    roles: Mapping[str, int]
    """Role → how many sign in it."""
    files: frozenset[str]
    """SHA-256 of the files that were confirmed; empty before."""

    @property
    def words(self) -> tuple[str, str]:
        return STANDING[self.standing]

    def likeness(self, sha256: str) -> Likeness:
        """Whether a file is one that was issued under this code."""
        if not self.files:
            return "unchecked"
        return "same" if sha256 in self.files else "different"


def code_of(text: str) -> str | None:
    """A UUID, or the beginning that a short code stands for, in the form of ids; None for anything else."""
    plain = re.sub(r"[\s-]", "", text).lower()
    if _UUID.fullmatch(plain):
        return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
    if len(plain) == _SHORT and re.fullmatch(r"[0-9a-f]+", plain):
        return f"{plain[:8]}-{plain[8:]}"
    return None


def is_short(code: str) -> bool:
    return len(code) == _SHORT + 1


def created(row: Row | None, event: Event[TranscriptCreatedV1]) -> Row:
    fact = event.data
    roles: dict[str, int] = {}
    for signer in fact.required:
        roles[signer.role] = roles.get(signer.role, 0) + 1
    return {
        "state": "NOT_CREATED",
        "moved": 0,
        "files": [],
        **(row or {}),
        "_id": event.subject,
        "kind": fact.kind,
        "school": fact.school,
        "year": fact.year,
        "version": fact.version,
        "roles": {**roles, "school": 1},
        "chain": ":".join((fact.kind, fact.school, fact.year, fact.pupil_code or fact.class_code, fact.period)),
    }


def moved(row: Row | None, event: Event[TranscriptMovedV1]) -> Row:
    """An older move that comes late changes nothing."""
    before = row or {"_id": event.subject, "moved": 0, "files": []}
    if event.sequence <= before["moved"]:
        return before
    fact = event.data
    return {**before, "state": fact.state, "moved": event.sequence, "kind": fact.kind, "school": fact.school, "year": fact.year}


def confirmed(row: Row | None, event: Event[TranscriptConfirmedV1]) -> Row:
    before = row or {"_id": event.subject, "moved": 0}
    return {**before, "files": [event.data.pdf.sha256, event.data.xml.sha256]}


def source_of(row: Row, versions: Iterable[Row], schools: Mapping[str, str]) -> Source:
    """`versions`: all rows of its chain; `schools`: names by code."""
    newer = [v for v in versions if v["version"] > row.get("version", 1) and v["state"] in ISSUED]
    return Source(
        document=row["_id"],
        kind=row["kind"],
        school=schools.get(row["school"], row["school"]),
        year=row["year"],
        version=row.get("version", 1),
        standing=_standing(str(row["state"]), replaced=bool(newer)),
        roles=row.get("roles", {}),
        files=frozenset(row["files"]),
    )


def _standing(state: str, *, replaced: bool) -> Standing:
    if replaced:
        return "replaced"
    if state in ISSUED:
        return "in_force"
    if state == "WITHDRAWN":
        return "withdrawn"
    return "cancelled" if state == "CANCELLED" else "not_issued"


def roles_in_words(roles: Mapping[str, int]) -> Sequence[str]:
    """In the order of signing: "Giáo viên bộ môn (9 người)", "Giáo viên chủ nhiệm" …"""
    return [f"{words} ({roles[role]} người)" if roles[role] > 1 else words for role, words in ROLES.items() if roles.get(role)]
