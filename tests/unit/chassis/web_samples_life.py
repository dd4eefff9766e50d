"""Sample contexts of the pages about the life of a transcript: confirmation (2.7), cancellation (2.6), what an act did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants
from tests.unit.chassis.web_samples_summaries import of_summaries

TABS = (("Trả lại", "returned"), ("Đã ký xong", "signed"), ("Không ký tiếp được", "stopped"), ("Đã hủy", "cancelled"))
WHY = "Điểm kiểm tra định kì cuối năm học môn Tiếng Việt chưa đúng với sổ theo dõi, đánh giá học sinh của lớp."


def life() -> Iterator[Sample]:
    yield from variants("records/confirmation", _by_class)
    yield Sample("records/confirmation-pupils", "records/confirmation.html", _by_pupil(7))
    yield Sample("records/confirmation-pupils-empty", "records/confirmation.html", _by_pupil(0))
    yield from variants("records/cancellation", _cancellation)
    for _, tab in TABS[1:]:
        yield Sample(f"records/cancellation-{tab}", "records/cancellation.html", _cancellation(7, tab))
    title = "3.7. Quản lý hủy duyệt bảng tổng hợp"
    yield of_summaries("records/cancellation", "records/cancellation.html", _cancellation(3), title)
    yield from variants("records/outcome", _outcome)
    title = "Tạo bảng tổng hợp kết quả ĐGGD"
    yield of_summaries("records/outcome", "records/outcome.html", _outcome(3), title, column="Lớp, học sinh")


def _views(view: str) -> list[dict[str, Any]]:
    words = {"class": "Theo lớp", "pupil": "Theo học sinh"}
    return [{"text": text, "href": f"?view={key}", "current": key == view} for key, text in words.items()]


def _by_class(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "2.5.1. Xác nhận hoàn thành học bạ",
        "query": {},
        "by_pupil": False,
        "views": _views("class"),
        "grades": [("5", "Khối 5")],
        "action": "/records/confirmation",
        "selectable": (rows + 1) // 2,
        "rows": [
            {
                "code": f"L{number}",
                "name": f"5{chr(65 + number % 26)}",
                "pupils": 32,
                "awaiting": 4,
                "signed": 8,
                "confirmed": 0,
                "sent": 19,
                "rejected": 1,
                "href": f"/records/classes/L{number}",
                "selectable": number % 2 == 0,
            }
            for number in range(rows)
        ],
    }


def _by_pupil(rows: int) -> dict[str, Any]:
    states = ("SIGNED", "CONFIRMED", "REJECTED", "SUBMITTED", "ACCEPTED", "WITHDRAWAL_PENDING", "WITHDRAWN")
    return {
        "shell": shell(),
        "title": "2.7. Xác nhận hoàn thành học bạ",
        "query": {"view": "pupil", "class": "5A"},
        "by_pupil": True,
        "views": _views("pupil"),
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "states": list(states),
        "action": "/records/confirmation",
        "paging": paging(rows, rows + 740 if rows else 0),
        "selectable": rows and rows + 740,
        "rows": [
            {
                "id": f"t{number}",
                "name": name_of(number),
                "class_name": "5A",
                "state": states[number % 7],
                "confirmed_at": MOMENT if number % 7 else None,
                "note": "HB-GW-012: Số định danh cá nhân không khớp." if number % 7 == 2 else "",
                "selectable": number % 7 < 3,
                "href": f"/records/transcripts/t{number}",
            }
            for number in range(rows)
        ],
    }


def _cancellation(rows: int, tab: str = "returned") -> dict[str, Any]:
    states = {"returned": "RETURNED", "signed": "SIGNED", "stopped": "AWAITING_ISSUE", "cancelled": "CANCELLED"}
    columns = {
        "returned": ("Lý do trả lại", "Người trả lại", "Ngày trả lại"),
        "signed": ("Ghi chú", "", ""),
        "stopped": ("Nguyên nhân", "", ""),
        "cancelled": ("Lý do hủy", "Người hủy", "Ngày hủy"),
    }
    buttons = {
        "returned": [
            {"text": "Hủy học bạ", "name": "act", "value": "cancel", "kind": "warning"},
            {"text": "Từ chối hủy", "name": "act", "value": "refuse", "kind": "secondary"},
        ],
        "signed": [{"text": "Hủy học bạ", "name": "act", "value": "cancel", "kind": "warning"}],
        "stopped": [{"text": "Trả lại học bạ", "name": "act", "value": "return"}],
        "cancelled": [],
    }
    return {
        "shell": shell(),
        "title": "2.6. Quản lý hủy duyệt học bạ",
        "noun": "học bạ",
        "of_pupils": True,
        "query": {"tab": tab},
        "paging": paging(rows, rows + 740 if rows > 1 else rows),
        "tab": tab,
        "tabs": [{"text": text, "href": f"?tab={key}", "current": key == tab, "count": rows} for text, key in TABS],
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "states": ["SIGNED", "CONFIRMED", "SUBMITTED"] if tab == "signed" else [],
        "columns": columns[tab],
        "action": "/records/cancellation",
        "buttons": buttons[tab],
        "selectable": rows,
        "rows": [
            {
                "id": f"t{number}",
                "name": name_of(number),
                "class_name": "5A",
                "version": 1,
                "state": states[tab],
                "reason": WHY if columns[tab][1] else "",
                "person": f"{name_of(number + 1)} (Giáo viên chủ nhiệm)" if columns[tab][1] else "",
                "at": MOMENT if columns[tab][1] else None,
                "selectable": tab != "cancelled",
                "href": f"/records/transcripts/t{number}",
            }
            for number in range(rows)
        ],
    }


def _outcome(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Hủy học bạ",
        "noun": "học bạ",
        "done": 28,
        "failed": rows + 3 if rows else 0,
        "done_text": "Đã hủy",
        "back": "/records/cancellation",
        "rows": [
            {
                "name": name_of(number),
                "class_name": "5A",
                "href": "" if number % 3 == 2 else f"/records/transcripts/t{number}",
                "title": "" if number % 3 == 1 else "Học bạ đã gửi lên cấp trên",
                "cause": "Học bạ đang ở trạng thái «Đã tiếp nhận» nên chưa hủy được.",
                "action": "Học bạ đã gửi cần được thu hồi trước khi hủy.",
                "code": "HB-REC-020",
            }
            for number in range(rows)
        ],
    }
