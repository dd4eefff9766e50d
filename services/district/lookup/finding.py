"""Menu 6.3 "Tra cứu học bạ số": what may be asked for, and what a row says. Plain data in, plain data out.

What is asked for names children, so it travels in the body of a request, never in an address or a log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from services.chassis.errors import Refused
from services.chassis.vietnamese import readable
from services.district.errors import NOTHING_ASKED, WRONG_PERSONAL_ID, WRONG_UUID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Document

AWAITING = "AWAITING"
STATES: dict[str, str] = {
    "AWAITING": "Chờ ký",
    "RETURNED": "Trả lại",
    "SIGNED": "Hoàn thành ký",
    "CONFIRMED": "Đã xác nhận hoàn thành",
    "SUBMITTED": "Đã gửi, chờ tiếp nhận",
    "ACCEPTED": "Đã tiếp nhận",
    "REJECTED": "Bị từ chối tiếp nhận",
    "WITHDRAWAL_PENDING": "Chờ xử lý thu hồi",
    "WITHDRAWN": "Đã thu hồi",
    "CANCELLED": "Đã hủy",
}
TONES = {
    "ACCEPTED": "success",
    "REJECTED": "danger",
    "CANCELLED": "neutral",
    "WITHDRAWN": "neutral",
    "CONFIRMED": "info",
    "SUBMITTED": "info",
}
SIGNING = ("AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "AWAITING_LEADER", "AWAITING_ISSUE")
PERSONAL_ID = re.compile(r"\d{12}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Asked(BaseModel):
    """What to find; empty texts ask for nothing. `state`: a state, or AWAITING for all that wait for a signature."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(default="", max_length=120)
    personal_id: str = Field(default="", max_length=20)
    uuid: str = Field(default="", max_length=60)
    school: str = Field(default="", max_length=40)
    year: str = Field(default="", pattern=r"^(20\d\d-20\d\d)?$")
    grade: str = Field(default="", pattern=r"^\d{0,2}$")
    state: str = Field(default="", max_length=40)
    page: int = Field(default=1, ge=1, le=1000)


def cleaned(asked: Asked) -> Asked:
    """Spaces and case as people type them do not matter. Raises Refused: NOTHING_ASKED, WRONG_PERSONAL_ID, WRONG_UUID."""
    personal_id = "".join(asked.personal_id.split())
    uuid = "".join(asked.uuid.split()).casefold()
    name = readable(asked.name)
    if personal_id and not PERSONAL_ID.fullmatch(personal_id):
        raise Refused(WRONG_PERSONAL_ID)
    if uuid and not UUID.fullmatch(uuid):
        raise Refused(WRONG_UUID)
    if not (name or personal_id or uuid or asked.school):
        raise Refused(NOTHING_ASKED)
    return asked.model_copy(update={"personal_id": personal_id, "uuid": uuid, "name": name})


def filter_of(asked: Asked) -> Document:
    """Everything but the name and whose branch it is."""
    wanted: Document = {}
    if asked.uuid:
        wanted["_id"] = asked.uuid
    if asked.personal_id:
        wanted["personal_id"] = asked.personal_id
    if asked.year:
        wanted["year"] = asked.year
    if asked.grade:
        wanted["grade"] = int(asked.grade)
    if asked.state:
        wanted["state"] = {"$in": list(SIGNING)} if asked.state == AWAITING else asked.state
    return wanted


def row_of(transcript: Mapping[str, Any], schools: Mapping[str, str]) -> dict[str, Any]:
    state = transcript["state"]
    waits = state in SIGNING
    return {
        "id": transcript["_id"],
        "name": transcript["pupil_name"],
        "personal_id": transcript["personal_id"],
        "school": transcript["school"],
        "school_name": schools.get(transcript["school"], transcript["school"]),
        "class": transcript["class_name"] or transcript["class_code"],
        "grade": transcript["grade"],
        "year": transcript["year"],
        "version": transcript["version"],
        "state": state,
        "state_text": STATES[AWAITING] if waits else STATES.get(state, state),
        "tone": "waiting" if waits or state in ("RETURNED", "WITHDRAWAL_PENDING") else TONES.get(state, "info"),
        "submitted_at": transcript["submitted_at"],
        "accepted_at": transcript["decided_at"] if state in ("ACCEPTED", "WITHDRAWAL_PENDING", "WITHDRAWN") else None,
        "refusal": transcript["refusal"],
    }
