"""The life of a certified copy: asked for, then issued with a number or declined; a mistake is revoked and keeps its number.

Plain data in, decision out. Nghị định 23/2015/NĐ-CP: a copy from the original register bears a number, a day and its issuer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.chassis import clock
from services.chassis.errors import Refused
from services.records.copies.errors import NO_SIGNER, NOT_SEALED, PARTS_NEEDED, REASON_NEEDED, UNPRINTABLE_REQUEST, WRONG_COPY_STATE
from services.records.render.pdf import unusual
from services.records.render.text import clean
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from services.records.schoolyear import Staff

SEALED = frozenset({State.SIGNED, State.CONFIRMED, State.SUBMITTED, State.ACCEPTED, State.REJECTED, State.WITHDRAWAL_PENDING})
"""States of a transcript that the school has sealed and that is in force."""
Part = Literal["profile", "subjects", "levels", "outcome"]
PARTS: dict[Part, str] = {
    "profile": "Thông tin học sinh",
    "subjects": "Kết quả các môn học và hoạt động giáo dục",
    "levels": "Phẩm chất, năng lực (tiểu học); kết quả học tập, rèn luyện (trung học)",
    "outcome": "Kết quả cuối năm, nhận xét, khen thưởng, lên lớp",
}
RELATIONS = ("Học sinh", "Cha", "Mẹ", "Người giám hộ", "Người được ủy quyền", "Cơ quan, tổ chức")
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
LONGEST_REASON = 500


class CopyState(StrEnum):
    ASKED = "ASKED"
    ISSUED = "ISSUED"
    DECLINED = "DECLINED"
    REVOKED = "REVOKED"


COPY_WORDS: dict[CopyState, str] = {
    CopyState.ASKED: "Chờ cấp",
    CopyState.ISSUED: "Đã cấp",
    CopyState.DECLINED: "Không cấp",
    CopyState.REVOKED: "Đã thu hồi",
}
KINDS: dict[str, str] = {"WHOLE": "Bản sao", "EXTRACT": "Bản trích sao"}
MEDIA: dict[str, str] = {"PAPER": "Bản giấy", "FILE": "Tệp"}


class Ask(BaseModel):
    """What somebody asks for. `count`: printed copies with the same number; a file is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requester: Line
    relation: Literal["Học sinh", "Cha", "Mẹ", "Người giám hộ", "Người được ủy quyền", "Cơ quan, tổ chức"]
    purpose: Line
    kind: Literal["WHOLE", "EXTRACT"] = "WHOLE"
    parts: tuple[Part, ...] = ()
    medium: Literal["PAPER", "FILE"] = "PAPER"
    count: int = Field(default=1, ge=1, le=20)


def number_text(number: int, year: int) -> str:
    """As it stands on the copy and in the register: 0012/2026/BS-HBS."""
    return f"{number:04d}/{year}/BS-HBS"


def may_be_copied(transcript: Mapping[str, Any]) -> bool:
    """The school has sealed it and it is in force."""
    return State(transcript["state"]) in SEALED and bool(transcript.get("live") and transcript.get("pdf"))


def require_sealed(transcript: Mapping[str, Any]) -> None:
    """Raises Refused(NOT_SEALED) for any other."""
    if not may_be_copied(transcript):
        raise Refused(NOT_SEALED, state=WORDS[State(transcript["state"])])


def requested(copy_id: str, transcript: Mapping[str, Any], ask: Ask, *, actor: str, at: dt.datetime) -> dict[str, Any]:
    """Raises Refused for a transcript that is not sealed, an extract of nothing, and text that cannot be printed."""
    require_sealed(transcript)
    if ask.kind == "EXTRACT" and not ask.parts:
        raise Refused(PARTS_NEEDED)
    settled = ask.model_copy(
        update={
            "requester": _printable(ask.requester),
            "purpose": _printable(ask.purpose),
            "parts": tuple(part for part in PARTS if part in ask.parts) if ask.kind == "EXTRACT" else (),
            "count": ask.count if ask.medium == "PAPER" else 1,
        }
    )
    return {
        "_id": copy_id,
        "school": transcript["school"],
        "state": CopyState.ASKED.value,
        "transcript": transcript["_id"],
        "school_year": transcript["year"],
        "class_code": transcript["class_code"],
        "pupil_code": transcript["pupil_code"],
        "pupil_name": transcript["pupil_name"],
        "ask": settled.model_dump(mode="json"),
        "requested_at": at,
        "requested_by": actor,
        "register_year": clock.in_vietnam(at).year,
        "number": None,
        "source": None,
        "pdf": None,
        "reason": "",
    }


def _printable(text: str) -> str:
    cleaned = clean(text)
    bad = sorted({character for character in cleaned if unusual(character)})
    if bad or not cleaned:
        raise Refused(UNPRINTABLE_REQUEST, characters=" ".join(bad))
    return cleaned


def issued(
    copy: Mapping[str, Any], transcript: Mapping[str, Any], *, number: int, signer: Staff, actor: str, at: dt.datetime
) -> dict[str, Any]:
    """The copy with its number; `source` is the very file that it is a copy of. Raises Refused."""
    require_state(copy, CopyState.ASKED)
    require_sealed(transcript)
    return {
        **copy,
        "state": CopyState.ISSUED.value,
        "number": number,
        "register_year": clock.in_vietnam(at).year,
        "issued_at": at,
        "issued_by": actor,
        "signer": {"code": signer.code, "name": clean(signer.name), "position": clean(signer.position)},
        "source": {"version": transcript["version"], "pdf": transcript["pdf"]},
    }


def declined(copy: Mapping[str, Any], reason: str, *, actor: str, at: dt.datetime) -> dict[str, Any]:
    require_state(copy, CopyState.ASKED)
    return {**copy, "state": CopyState.DECLINED.value, "reason": _reason(reason), "ended_at": at, "ended_by": actor}


def revoked(copy: Mapping[str, Any], reason: str, *, actor: str, at: dt.datetime) -> dict[str, Any]:
    """The number stays taken, and the register goes on to tell why."""
    require_state(copy, CopyState.ISSUED)
    return {**copy, "state": CopyState.REVOKED.value, "reason": _reason(reason), "ended_at": at, "ended_by": actor}


def require_state(copy: Mapping[str, Any], state: CopyState) -> None:
    """Raises Refused(WRONG_COPY_STATE)."""
    if copy["state"] != state:
        raise Refused(WRONG_COPY_STATE, state=COPY_WORDS[CopyState(copy["state"])])


def _reason(reason: str) -> str:
    cleaned = clean(reason)[:LONGEST_REASON]
    if not cleaned:
        raise Refused(REASON_NEEDED)
    return cleaned


def signers(staff: Iterable[Staff]) -> list[Staff]:
    """Who may certify in the school's name: the head first, then the deputies."""
    leaders = [person for person in staff if "hiệu trưởng" in person.position.casefold()]
    return sorted(leaders, key=lambda person: (is_deputy(person.position), person.code))


def is_deputy(position: str) -> bool:
    return clean(position).casefold() != "hiệu trưởng"


def signer_of(staff: Iterable[Staff], code: str) -> Staff:
    """Raises Refused(NO_SIGNER)."""
    for person in signers(staff):
        if person.code == code:
            return person
    raise Refused(NO_SIGNER)
