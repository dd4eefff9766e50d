"""Looking at the class summaries of a school year as one person: whoever sees a class sees its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.nouns import worded
from services.records.cancellation.cancelling import why
from services.records.locks.locking import class_finalised, locks_of
from services.records.printing.settings import may_lead
from services.records.summaries import store
from services.records.summaries.rules import reasons
from services.records.summaries.signers import chosen, is_earlier, signing_year
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import AWAITED, WORDS, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.records.schoolyear import Staff
    from services.records.store import Store

STATE_WORDS = {**WORDS, State.NOT_CREATED: "Chưa tạo bảng tổng hợp", State.AWAITING_SUBJECT_TEACHERS: "Đang lập tệp PDF"}
"""No subject teacher signs a summary: before the homeroom teacher it only waits for its PDF."""


async def visible_summary(records: Store, who: Principal, summary_id: str) -> Document:
    """Raises Refused: NOT_FOUND, FORBIDDEN."""
    found = await store.summary(records.db, summary_id)
    looked_at = await Reading.of(records, who, found["school"], found["year"])
    await looked_at.require_class(found["class_code"])
    return found


async def class_rows(looked_at: Reading) -> list[dict[str, Any]]:
    """Each visible class with its summary, or with what keeps it from having one."""
    at = looked_at
    visible = set(await at.visible_classes())
    data, earlier = await signing_year(at), await is_earlier(at)
    documents = await store.every(at.store.db, at.school, at.year, visible)
    live = {d["class_code"]: d for d in documents if d["live"]}
    last = {d["class_code"]: d for d in reversed(documents)}
    locks = await locks_of(at.store.db, at.school, at.year)
    doubtful = await store.doubtful(at.store.db, at.school, at.year, visible, corrected=locks.corrections)
    rows = []
    for c in await at.store.classes(at.school, at.year):
        code = c["code"]
        if code not in visible:
            continue
        school_class, found = chosen(data, code, "", earlier=earlier), live.get(code)
        why_not = reasons(school_class, doubtful[code], data.staff, data.schools[code], live=False, locks=locks)
        rows.append(
            {
                "code": code,
                "name": c["data"]["name"],
                "grade": c["data"]["grade"],
                "homeroom": _name(data.staff, school_class.homeroom),
                "leader": found["leader_name"] if found else _name(data.staff, school_class.leader),
                "pupils": c["pupils"],
                "finalised": class_finalised(c),
                "summary": found["_id"] if found else None,
                "state": found["state"] if found else State.NOT_CREATED.value,
                "cancelled": last[code]["version"] if code in last and not found else None,
                "reasons": [] if found else why_not,
                "document": found,
                "may_create": at.may_create(code),
            }
        )
    return rows


async def found(looked_at: Reading, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """All versions of the visible classes that the filter ("grade", "class", "state") finds."""
    visible = set(await looked_at.visible_classes())
    documents = await store.every(looked_at.store.db, looked_at.school, looked_at.year, visible)
    grade, code, state = (query.get(key, "") for key in ("grade", "class", "state"))
    return [
        row_of(d)
        for d in documents
        if grade in ("", str(d["grade"])) and code in ("", d["class_code"]) and (state in ("", d["state"]) or _awaits(d, state))
    ]


def _awaits(document: Mapping[str, Any], state: str) -> bool:
    return state == "AWAITING" and State(document["state"]) in AWAITED


def row_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """As routes and lists tell it."""
    return {
        "id": document["_id"],
        "class": document["class_code"],
        "grade": document["grade"],
        "pupils": document["pupils"],
        "homeroom": document["homeroom_name"],
        "leader": document["leader_name"],
        "version": document["version"],
        "live": document["live"],
        "state": document["state"],
        "state_text": STATE_WORDS[State(document["state"])],
        "reason": worded("class_summary", why(document)),
        "created_at": document["created_at"],
        "confirmed_at": document.get("confirmed_at"),
    }


def leaders_of(staff: Mapping[str, Staff]) -> list[tuple[str, str]]:
    """Who may sign as leader: (staff code, name and position)."""
    found = sorted((s for s in staff.values() if may_lead(s)), key=lambda s: s.code)
    return [(s.code, f"{s.name} ({s.position})") for s in found]


def _name(staff: Mapping[str, Staff], code: str) -> str:
    return staff[code].name if code in staff else ""
