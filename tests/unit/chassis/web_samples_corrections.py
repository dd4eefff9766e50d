"""Sample contexts of the pages of locks and corrections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.records.corrections.states import PARTIES
from services.records.locks.dates import Dates
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

STEPS = ("forward", "turn-down", "approve", "refuse", "witness", "withdraw", "relock", "correct")
DATES = Dates(dt.date(2026, 7, 15), dt.date(2026, 8, 20))
LONG = "Em có nhiều tiến bộ trong học tập, cần đọc to và rõ hơn. " * 6


def corrections() -> Iterator[Sample]:
    yield from variants(
        "records/corrections",
        lambda rows: {
            "shell": shell(),
            "title": "Phiếu đề nghị sửa dữ liệu",
            "query": {"state": "SUBMITTED", "mine": "1"},
            "paging": paging(rows, rows),
            "mine": rows // 3,
            "classes": [("5A", "5A")],
            "states": [("SUBMITTED", "Chờ Ban quản trị"), ("DONE", "Đã sửa, đã lập biên bản")],
            "years": [("2025-2026", "2025-2026"), ("2024-2025", "2024-2025")],
            "new_href": "/records/corrections/new",
            "action": "/records/corrections",
            "buttons": [{"text": "Báo cáo Hiệu trưởng", "name": "act", "value": "forward"}],
            "selectable": rows,
            "rows": [
                {
                    "id": f"c{number}",
                    "tickable": number % 3 == 0,
                    "number": number + 1,
                    "name": name_of(number),
                    "class_name": "5A",
                    "field": "Toán: Nhận xét" if number % 2 else "Toán: Điểm KTĐK",
                    "before": LONG if number % 2 else "8",
                    "after": "" if number % 2 else "9",
                    "state_text": "Chờ Ban quản trị",
                    "tone": "waiting",
                    "asked_by": name_of(number + 3),
                    "asked_at": MOMENT,
                    "mine": number % 3 == 0,
                    "href": f"/records/corrections/{number}",
                }
                for number in range(rows)
            ],
        },
    )
    for name, state, may in (
        ("asked", "SUBMITTED", STEPS[:2]),
        ("witnessing", "APPROVED", ("witness", "withdraw", "relock")),
        ("done", "DONE", ()),
    ):
        yield Sample(f"correction-{name}", "records/correction.html", _one(state, may))
    wrong = {"reason-turn-down": "Thao tác này cần ghi lý do."}
    yield Sample("correction-wrong", "records/correction.html", {**_one("SUBMITTED", STEPS[:2]), "errors": wrong})
    yield Sample("correction-unlocked", "records/correction.html", {**_one("UNLOCKED", ()), "may_correct": True})
    yield from _new()
    yield from _locks()


def _one(state: str, may: tuple[str, ...]) -> dict[str, Any]:
    done = state == "DONE"
    change = {"field": "Toán: Điểm KTĐK", "before": "10", "after": "8"}
    effect = {"field": "Khen thưởng", "before": "Học sinh Xuất sắc", "after": ""}
    return {
        "shell": shell(),
        "title": "Phiếu đề nghị sửa số 7",
        "crumb": "Phiếu đề nghị sửa dữ liệu",
        "back_href": "/records/corrections",
        "api": "/api/records/corrections/7",
        "asked": {
            "name": name_of(1),
            "class_name": "5A",
            "field": "Toán: Điểm KTĐK",
            "before": "10",
            "after": "8",
            "state": state,
            "state_text": "Chờ xử lý",
            "tone": "waiting",
            "reason": LONG,
            "asked_by": name_of(2),
            "asked_at": MOMENT,
            "has_minutes": done,
            "effects": [effect],
            "changes": [change, effect] if done else [],
            "evidence": [("bai_kiem_tra_dinh_ki_cuoi_nam_hoc_mon_toan.pdf", 90_412), ("anh.png", 1_400_000)],
            "witnesses": [
                {"party": words, "name": name_of(at) if at < 2 or done else "", "at": MOMENT if at < 2 or done else None}
                for at, words in enumerate(PARTIES.values())
            ],
            "history": [{"at": MOMENT, "name": name_of(2), "act": "Lập phiếu đề nghị sửa", "reason": LONG}],
        },
        "may": list(may),
        "may_correct": False,
        "parties": [("board", "Ban quản trị"), ("management", "Ban giám hiệu")] if "witness" in may else [],
        "actions": {step: f"/records/corrections/7/{step}" for step in STEPS},
        "transcript_stands": state == "APPROVED",
        "dates": DATES,
        "values": {"value": ""},
        "longest": 500,
        "errors": {},
    }


def _new() -> Iterator[Sample]:
    blank = {"class": "", "pupil": "", "field": "", "value": "", "reason": ""}
    context: dict[str, Any] = {
        "shell": shell(),
        "title": "Lập phiếu đề nghị sửa dữ liệu",
        "crumb": "Phiếu đề nghị sửa dữ liệu",
        "back_href": "/records/corrections",
        "choose_action": "/records/corrections/new",
        "action": "/records/corrections/new?year=2025-2026",
        "typed": blank,
        "year": "2025-2026",
        "classes": [("5A", "5A"), ("5B", "5B")],
        "pupils": [],
        "fields": [],
        "present": None,
        "stopped": "",
        "most_files": 5,
        "longest": 500,
        "last_correction": DATES.last_correction,
        "errors": {},
    }
    yield Sample("correction-new", "records/correction_new.html", context)
    yield Sample("correction-new-none", "records/correction_new.html", {**context, "classes": []})
    pupils = [("1", name_of(1)), ("2", name_of(2))]
    yield Sample(
        "correction-new-stopped", "records/correction_new.html", {**context, "pupils": pupils, "stopped": "Kết quả chưa khóa dữ liệu."}
    )
    filled = {**blank, "class": "5A", "pupil": "1", "field": "Toán: Điểm KTĐK", "value": "8,5"}
    chosen = {**context, "pupils": pupils, "fields": ["Toán: Điểm KTĐK", "Toán: Nhận xét"], "present": "10", "typed": filled}
    yield Sample("correction-new-chosen", "records/correction_new.html", chosen)
    errors = {"value": "“8,5” không phải là số nguyên.", "files": "Đính kèm từ 1 đến 5 tệp PDF, PNG hoặc JPEG."}
    yield Sample("correction-new-wrong", "records/correction_new.html", {**chosen, "errors": errors})


def _locks() -> Iterator[Sample]:
    context: dict[str, Any] = {
        "shell": shell(),
        "title": "Khóa học bạ",
        "errors": {},
        "lock": {"locked": False, "inspector": name_of(3)},
        "dates": {"planned": None, "national": DATES.national, "last_correction": DATES.last_correction, "late": False, "over": False},
        "query": {"year": "2025-2026"},
        "years": [("2025-2026", "2025-2026"), ("2024-2025", "2024-2025")],
        "counts": [("Học sinh", 320, "neutral"), ("Chưa tạo học bạ", 4, "waiting"), ("Đã xác nhận hoàn thành", 316, "success")],
        "unfinished": 4,
        "actions": {name: f"/records/locks/{name}" for name in ("plan", "inspector", "lock", "unlock")},
        "may_plan": True,
        "may_lock": True,
        "day": "",
        "person": "",
        "reason": "",
        "longest": 500,
        "staff": [("", "Chọn cán bộ, giáo viên"), ("1", f"{name_of(3)} – Giáo viên")],
        "history": [],
    }
    yield Sample("locks", "records/locks.html", context)
    yield Sample("locks-none", "records/locks.html", {**context, "lock": None})
    late = {**context["dates"], "planned": dt.date(2026, 9, 1), "late": True, "over": True}
    yield Sample("locks-wrong", "records/locks.html", {**context, "dates": late, "errors": {"day": "Ngày khóa học bạ dự kiến đã qua."}})
    history = [{"at": MOMENT, "name": name_of(1), "act": "Khóa học bạ", "reason": LONG}]
    locked = {"locked": True, "inspector": ""}
    yield Sample("locks-locked", "records/locks.html", {**context, "lock": locked, "history": history, "may_plan": False})
