"""Menu 6.4: how far the schools of a branch have come, by school and grade. Plain data in, numbers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.district.branch import below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GONE = "CANCELLED"
"""No transcript any more: the pupil waits for the next version."""
AWAITING = ("AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "AWAITING_LEADER", "AWAITING_ISSUE")
WITHDRAWN = ("WITHDRAWAL_PENDING", "WITHDRAWN")
STATES = (*AWAITING, "RETURNED", "SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED", *WITHDRAWN, GONE)
COLUMNS = ("pupils", "not_created", "awaiting", "returned", "signed", "confirmed", "submitted", "accepted", "rejected", "withdrawn")
"""Every pupil is in exactly one of the columns after the first."""
WORDS = {
    "pupils": "Học sinh",
    "not_created": "Chưa tạo",
    "awaiting": "Chờ ký",
    "returned": "Trả lại",
    "signed": "Hoàn thành ký",
    "confirmed": "Xác nhận",
    "submitted": "Đã gửi",
    "accepted": "Đã tiếp nhận",
    "rejected": "Từ chối",
    "withdrawn": "Thu hồi",
}

Key = tuple[str, int]


def row(pupils: int, states: Mapping[str, int]) -> dict[str, int]:
    return {
        "pupils": pupils,
        "not_created": pupils - sum(states.values()) + states.get(GONE, 0),
        "awaiting": sum([states.get(s, 0) for s in AWAITING]),
        "returned": states.get("RETURNED", 0),
        "signed": states.get("SIGNED", 0),
        "confirmed": states.get("CONFIRMED", 0),
        "submitted": states.get("SUBMITTED", 0),
        "accepted": states.get("ACCEPTED", 0),
        "rejected": states.get("REJECTED", 0),
        "withdrawn": sum([states.get(s, 0) for s in WITHDRAWN]),
    }


def told_of(states: Mapping[str, int]) -> str:
    """How far class summaries have come, in words and numbers; "" while there are none."""
    return ", ".join(f"{WORDS[column]} {number}" for column, number in _moved(states).items() if number)


def word_of(state: str) -> str:
    return next((WORDS[column] for column, number in _moved({state: 1}).items() if number), WORDS["not_created"])


def _moved(states: Mapping[str, int]) -> dict[str, int]:
    """The columns of what was created."""
    return {column: number for column, number in row(0, states).items() if column not in {"pupils", "not_created"}}


def by_school(
    schools: Sequence[Mapping[str, Any]], pupils: Mapping[Key, Mapping[str, int]], states: Mapping[Key, Mapping[str, int]]
) -> list[dict[str, Any]]:
    """One row a school with its grades below; a school without data has zeros, so that nobody is forgotten."""
    rows = []
    grades: dict[str, set[int]] = {}
    for code, grade in (*pupils, *states):
        grades.setdefault(code, set()).add(grade)
    for school in schools:
        code = str(school["_id"])
        own = sorted(grades.get(code, ()))
        lines = [{"grade": g, **row(pupils.get((code, g), {}).get("pupils", 0), states.get((code, g), {}))} for g in own]
        above = school["path"][-1] if school["path"] else ""
        about = {"school": code, "name": school["name"], "levels": school["levels"], "unit": above, "path": list(school["path"])}
        rows.append({**about, **added_up(lines), "grades": lines})
    return rows


def by_unit(unit: str, units: Sequence[Mapping[str, Any]], schools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each unit right below `unit`, with all of its branch added up; `schools` are rows of `by_school`."""
    rows = []
    for one in units:
        if below(unit, one["path"]) == one["_id"]:
            own = [s for s in schools if one["_id"] in s["path"]]
            rows.append({"unit": one["_id"], "name": one["name"], "schools": len(own), **added_up(own)})
    return rows


def is_done(line: Mapping[str, int]) -> bool:
    """Every pupil's transcript was accepted, or withdrawn after that; a school without pupils has not begun."""
    return line["pupils"] > 0 and line["accepted"] + line["withdrawn"] == line["pupils"]


def added_up(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {column: sum([line[column] for line in lines]) for column in COLUMNS}
