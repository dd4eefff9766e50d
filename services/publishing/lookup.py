"""Menu 2.9: what the gateway holds of the school, and how that differs from what this system knows. Plain data in, rows out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.chassis.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from services.chassis.mongo import Document

SAME = "Khớp"
ELSEWHERE = "Do hệ thống khác gửi"
OTHER_STATE = "Khác trạng thái trên hệ thống này"
OTHER_VERSION = "Khác phiên bản trên hệ thống này"
MISSING = "Không thấy trên Cổng tiếp nhận"
STATES = {"ACCEPTED": "Đã tiếp nhận", "REPLACED": "Đã thay thế", "WITHDRAWN": "Đã thu hồi", "REJECTED": "Từ chối tiếp nhận"}
"""As the gateway calls them; one that is not here is shown as it is."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class Criteria(BaseModel):
    """Every field of menu 2.9; what is left out finds everything of the school."""

    model_config = ConfigDict(extra="forbid")

    year: Annotated[str, StringConstraints(pattern=r"^(20\d\d-20\d\d)?$")] = ""
    grade: Annotated[int, Field(ge=1, le=12)] | None = None
    class_code: Words = ""
    name: Words = ""
    personal_id: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([0-9]{12})?$")] = ""
    status: Literal["", "ACCEPTED", "WITHDRAWN"] = ""
    uuid: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^([0-9a-fA-F-]{36})?$")] = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1


class Held(BaseModel):
    """A transcript as the gateway tells of it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    uuid: str
    version: int
    status: str
    year: str = Field(alias="schoolYear")
    class_code: str = Field(alias="className")
    grade: int | None
    pupil_code: str = Field(alias="pupilCode")
    pupil_name: str = Field(alias="pupilName")
    personal_id: str | None = Field(alias="personalId")
    sender: str
    accepted_at: dt.datetime = Field(alias="acceptedAt")


class Found(BaseModel):
    model_config = ConfigDict(extra="ignore")

    total: int
    size: int
    results: list[Held]


def compared(held: Iterable[Held], own: Mapping[str, Document]) -> list[dict[str, Any]]:
    """A row for each, with what differs from the own record."""
    return [
        {
            **each.model_dump(exclude={"status"}),
            "state": each.status,
            "state_name": STATES.get(each.status, each.status),
            "difference": _difference(each, own.get(each.uuid)),
            "known": each.uuid in own,
        }
        for each in held
    ]


def _difference(held: Held, own: Document | None) -> str:
    if own is None or (own["state"] != "ACCEPTED" and not own["history"] and own["submission"] is None):
        return ELSEWHERE
    if own["version"] != held.version:
        return OTHER_VERSION
    return SAME if own["state"] == held.status else OTHER_STATE


def missing(asked: Criteria, held: Sequence[Held], own: Iterable[Document]) -> list[dict[str, Any]]:
    """What this system knows as accepted and the gateway's whole answer does not list. Personal ids are not kept here: by them, nothing."""
    if asked.personal_id or asked.status not in ("", "ACCEPTED"):
        return []
    there, name = {h.uuid for h in held}, fold(asked.name)
    return [
        {
            "uuid": s["_id"],
            "version": s["version"],
            "year": s["year"],
            "class_code": s["class_code"],
            "grade": s["grade"],
            "pupil_code": s["pupil_code"],
            "pupil_name": s["pupil_name"],
            "personal_id": None,
            "sender": "",
            "accepted_at": s["decided_at"],
            "state": s["state"],
            "state_name": STATES["ACCEPTED"],
            "difference": MISSING,
            "known": True,
        }
        for s in own
        if s["state"] == "ACCEPTED"
        and s["_id"] not in there
        and asked.uuid in ("", s["_id"])
        and asked.year in ("", s["year"])
        and asked.class_code in ("", s["class_code"])
        and asked.grade in (None, s["grade"])
        and name in fold(s["pupil_name"])
    ]
