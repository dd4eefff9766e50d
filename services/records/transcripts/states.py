"""The life of a transcript: its states and who may move it where. Plain data in, decision out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from services.chassis.errors import Refused
from services.records.errors import WRONG_STATE

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    NOT_CREATED = "NOT_CREATED"
    AWAITING_SUBJECT_TEACHERS = "AWAITING_SUBJECT_TEACHERS"
    AWAITING_HOMEROOM = "AWAITING_HOMEROOM"
    AWAITING_LEADER = "AWAITING_LEADER"
    AWAITING_ISSUE = "AWAITING_ISSUE"
    SIGNED = "SIGNED"
    CONFIRMED = "CONFIRMED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    WITHDRAWAL_PENDING = "WITHDRAWAL_PENDING"
    WITHDRAWN = "WITHDRAWN"
    CANCELLED = "CANCELLED"


WORDS: dict[State, str] = {
    State.NOT_CREATED: "Chưa tạo học bạ",
    State.AWAITING_SUBJECT_TEACHERS: "Chờ ký",
    State.AWAITING_HOMEROOM: "Chờ ký",
    State.AWAITING_LEADER: "Chờ ký",
    State.AWAITING_ISSUE: "Chờ ký",
    State.SIGNED: "Hoàn thành ký",
    State.CONFIRMED: "Đã xác nhận hoàn thành",
    State.SUBMITTED: "Đã gửi, chờ tiếp nhận",
    State.ACCEPTED: "Đã tiếp nhận",
    State.REJECTED: "Bị từ chối tiếp nhận",
    State.RETURNED: "Trả lại",
    State.WITHDRAWAL_PENDING: "Chờ xử lý",
    State.WITHDRAWN: "Đã thu hồi",
    State.CANCELLED: "Đã hủy",
}
AWAITED: dict[State, str] = {
    State.AWAITING_SUBJECT_TEACHERS: "Giáo viên bộ môn",
    State.AWAITING_HOMEROOM: "Giáo viên chủ nhiệm",
    State.AWAITING_LEADER: "Lãnh đạo",
    State.AWAITING_ISSUE: "Nhà trường ký phát hành",
}

MOVES: dict[str, tuple[frozenset[State], State | None]] = {
    "rendered": (frozenset({State.AWAITING_SUBJECT_TEACHERS}), State.AWAITING_HOMEROOM),
    "homeroom": (frozenset({State.AWAITING_HOMEROOM}), State.AWAITING_LEADER),
    "leader": (frozenset({State.AWAITING_LEADER}), State.AWAITING_ISSUE),
    "sealed": (frozenset({State.AWAITING_ISSUE}), State.SIGNED),
    "confirm": (frozenset({State.SIGNED}), State.CONFIRMED),
    "undo confirm": (frozenset({State.CONFIRMED, State.REJECTED}), State.SIGNED),
    "submit": (frozenset({State.CONFIRMED, State.REJECTED}), State.SUBMITTED),
    "accepted": (frozenset({State.SUBMITTED}), State.ACCEPTED),
    "refused": (frozenset({State.SUBMITTED}), State.REJECTED),
    "return": (frozenset(AWAITED), State.RETURNED),
    "refuse cancel": (frozenset({State.RETURNED}), None),
    "approve cancel": (frozenset({State.RETURNED}), State.CANCELLED),
    "cancel": (frozenset({State.SIGNED, State.CONFIRMED, State.REJECTED, State.WITHDRAWN}), State.CANCELLED),
    "request withdrawal": (frozenset({State.ACCEPTED}), State.WITHDRAWAL_PENDING),
    "withdrawn": (frozenset({State.WITHDRAWAL_PENDING}), State.WITHDRAWN),
    "refuse withdrawal": (frozenset({State.WITHDRAWAL_PENDING}), State.ACCEPTED),
}
"""Move → (states it starts from, state it leads to): the whole state machine (domain.md, "Life of a transcript").

None leads back to where it was returned from, which `moved` notes with every return as `returned_from`.
"""


def moved(transcript: Mapping[str, Any], move: str, **changes: object) -> dict[str, Any]:
    """The transcript after `move`; raises Refused(WRONG_STATE) when its state forbids it. What is cancelled is live no more."""
    state = State(transcript["state"])
    sources, target = MOVES[move]
    if state not in sources:
        raise Refused(WRONG_STATE, state=WORDS[state])
    if target is None:
        target = State(transcript["returned_from"])
    if target is State.RETURNED:
        changes["returned_from"] = state.value
    if target is State.CANCELLED:
        changes["live"] = False
    # what stood still does so no more, whoever moved it
    return {**transcript, "state": target.value, "stopped": None, **changes}
