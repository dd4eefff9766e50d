"""Who holds up what in a school: for each class the people whose signature is waited for. Plain rows in, rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.vietnamese import given_name_key
from services.district.statistics import AWAITING, row

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

STEPS = {
    "AWAITING_SUBJECT_TEACHERS": "Giáo viên bộ môn",
    "AWAITING_HOMEROOM": "Giáo viên chủ nhiệm",
    "AWAITING_LEADER": "Lãnh đạo",
    "AWAITING_ISSUE": "Nhà trường ký phát hành",
}
ANY_ISSUER = "Nhân sự ký phát hành"
NOBODY = "Đang xử lý"
"""All of the step have signed, and the next one has not begun yet."""
ACTS = {"SIGNED": "Xác nhận hoàn thành", "CONFIRMED": "Gửi học bạ", "REJECTED": "Sửa và gửi lại", "RETURNED": "Xử lý học bạ bị trả lại"}
"""What is left to the school's administrator when nobody has to sign any more."""
ADMINISTRATOR = "Quản trị viên của trường"


def held_up(waiting: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `store.waiting` in words: by class, step and person how many wait and since when; the longest wait first."""
    rows = []
    for each in waiting:
        state = each["state"]
        signing = state in AWAITING
        rows.append(
            {
                "class": each["class"],
                "step": STEPS[state] if signing else ACTS[state],
                "person": each["person"],
                "name": _name(each["person"], each["name"]) if signing else ADMINISTRATOR,
                "count": each["count"],
                "since": each["since"],
            }
        )
    return sorted(rows, key=lambda r: (r["since"] is None, r["since"] or 0, r["class"], given_name_key(r["name"])))


def _name(person: str, name: str) -> str:
    if person == "*":
        return NOBODY
    return name or person or ANY_ISSUER


def of_people(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same over all classes: who is waited for most; `classes` are those that wait for the person."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in rows:
        one = found.setdefault((each["person"], each["name"], each["step"]), {**each, "count": 0, "classes": []})
        one["count"] += each["count"]
        one["classes"].append(each["class"])
        one["since"] = min((s for s in (one["since"], each["since"]) if s is not None), default=None)
    return sorted(found.values(), key=lambda p: (-p["count"], given_name_key(p["name"])))


def by_class(classes: Sequence[Mapping[str, Any]], states: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """A row a class with the columns of menu 6.4; a class of which nothing was imported has the pupils of its transcripts."""
    known = {c["code"]: c for c in classes}
    rows = []
    for code in sorted({*known, *states}):
        counted = states.get(code, {})
        about = known.get(code, {"name": code, "grade": 0, "pupils": sum(counted.values())})
        rows.append({"class": code, "name": about["name"], "grade": about["grade"], **row(about["pupils"], counted)})
    return sorted(rows, key=lambda r: (r["grade"], r["class"]))


def waited_days(since: dt.datetime | None, now: dt.datetime) -> int:
    return max(0, (now - since).days) if since else 0
