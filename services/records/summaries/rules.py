"""When a class can have its "Bảng tổng hợp kết quả đánh giá giáo dục", what it says and who signs it. Plain data in, decision out.

One class, one school year, at the end of the year. The class is finalised and all its pupils are assessed completely; the leader is
chosen at creation (guide 000, 3.1). Who has left the school stands in no summary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contracts.events.records import Signer
from services.chassis.errors import Refused
from services.records.cells import key
from services.records.errors import NOT_COMPLETE
from services.records.locks.errors import BEING_CORRECTED, YEAR_LOCKED
from services.records.printing.errors import NOT_A_LEADER
from services.records.printing.settings import may_lead
from services.records.render.summary import summary_row
from services.records.rules.completeness import IDENTITY_FIELDS, STUDYING, class_missing, profile_missing, result_missing
from services.records.schoolyear import PrimaryResult, Pupil, SecondaryResult, SummaryContent
from services.records.summaries.errors import SUMMARY_EXISTS
from services.records.transcripts.needs import of_pupil

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from services.chassis.errors import Refusal
    from services.records.locks.locking import Locks
    from services.records.schoolyear import School, SchoolClass, Staff

Document = dict[str, Any]
PRINTED: Final = frozenset(IDENTITY_FIELDS[field] for field in ("code", "name", "born", "personal_id"))
"""What the form says of a pupil beside the results."""


def studying(pupil: Mapping[str, Any]) -> bool:
    return pupil["data"] is None or key(pupil["data"].get("status", STUDYING)) == STUDYING


def reasons(
    school_class: SchoolClass,
    pupils: Iterable[Mapping[str, Any]],
    staff: Mapping[str, Staff],
    school: School,
    *,
    live: bool,
    locks: Locks,
) -> list[dict[str, str]]:
    """Why the class cannot have a summary: {pupil, name, code, reason} (no pupil where it is the class); empty when it can.

    `school_class` names the leader who was chosen. Of `pupils`, whoever lacks nothing may be left out.
    """
    if live:
        return [_refusal(SUMMARY_EXISTS)]
    if locks.final:
        return [_refusal(YEAR_LOCKED)]
    found = [{**_refusal(NOT_COMPLETE), "reason": m.message_vi} for m in class_missing(school_class, staff, school)]
    leader = staff.get(school_class.leader)
    if leader is not None and not may_lead(leader):
        found.append({**_refusal(NOT_A_LEADER), "reason": Refused(NOT_A_LEADER, staff=leader.code).cause})
    for pupil in filter(studying, pupils):
        who = {"pupil": pupil["code"], "name": pupil["name"]}
        if pupil["code"] in locks.corrections:
            found.append({**_refusal(BEING_CORRECTED), **who})
        else:
            found += [{**who, "code": NOT_COMPLETE.code, "reason": m} for m in _lacking(pupil, school_class.grade, school.year)]
    return found


def _lacking(pupil: Mapping[str, Any], grade: int, year: str) -> list[str]:
    if pupil["data"] is None or pupil["result"] is None:
        return [m["message"] for m in of_pupil(pupil["missing"])] or ["Chưa có kết quả cuối năm."]
    kind = PrimaryResult if pupil["result"]["kind"] == "primary" else SecondaryResult
    profile = [m for m in profile_missing(Pupil.model_validate(pupil["data"])) if m.field in PRINTED]
    return [m.message_vi for m in (*profile, *result_missing(kind.model_validate(pupil["result"]), grade, year))]


def _refusal(refusal: Refusal) -> dict[str, str]:
    return {"pupil": "", "name": "", "code": refusal.code, "reason": refusal.cause}


def summary_content(
    *,
    summary_id: str,
    version: int,
    replaces: str | None,
    created_at: dt.datetime,
    school: School,
    school_class: SchoolClass,
    pupils: Sequence[Mapping[str, Any]],
    staff: Mapping[str, Staff],
    public_url: str,
) -> SummaryContent:
    """In the order of the class list. Of pupils without a primary result nothing is said: `reasons` keeps them from getting this far."""
    homeroom, leader = staff[school_class.homeroom], staff[school_class.leader]
    rows = [
        summary_row(Pupil.model_validate(p["data"]), PrimaryResult.model_validate(p["result"]))
        for p in pupils
        if studying(p) and p["data"] is not None and p["result"] is not None and p["result"]["kind"] == "primary"
    ]
    return SummaryContent(
        id=summary_id,
        version=version,
        replaces=replaces,
        created_at=created_at,
        school=school,
        school_class=school_class,
        rows=tuple(rows),
        homeroom_name=homeroom.name,
        homeroom_personal_id=homeroom.personal_id,
        leader=leader.code,
        leader_name=leader.name,
        leader_position=leader.position,
        leader_personal_id=leader.personal_id,
        verify_url=f"{public_url}/ui/publishing/verify/{summary_id}",
    )


def required_signers(content: SummaryContent) -> tuple[Signer, ...]:
    """No subject teachers: homeroom teacher, then the leader who was chosen; the school after them is whoever holds the right."""
    homeroom = Signer(role="homeroom", person=content.school_class.homeroom, name=content.homeroom_name)
    return homeroom, Signer(role="leader", person=content.leader, name=content.leader_name)
