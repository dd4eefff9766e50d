"""Sample contexts of the pages about class summaries: creating (3.1), the lists (3.5.1, 3.6), and what they share with transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

STATES = ("NOT_CREATED", "AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "SIGNED", "REJECTED")
REASONS = ["Lớp 5A chưa hoàn thành tổng kết", "Nguyễn Văn An: Thiếu “Toán: Điểm KTĐK”", "Trần Thị Bích: Thiếu “Xếp loại”"]


def summaries() -> Iterator[Sample]:
    yield from variants("records/summaries", _classes)
    yield Sample("records/summaries-onlooker", "records/summaries.html", {**_classes(3), "selectable": 0})
    yield from variants("records/summary_list", _listed)
    looked_up = {"title": "3.6. Tra cứu bảng tổng hợp", "intro": "", "years": [("2025-2026", "2025-2026")], "selectable": 0}
    yield Sample("records/summary_list-lookup", "records/summary_list.html", {**_listed(3), **looked_up})


def of_summaries(name: str, template: str, context: dict[str, Any], title: str, **more: Any) -> Sample:
    """A page of transcripts, as it is for class summaries."""
    return Sample(f"{name}-summaries", template, {**context, "title": title, "noun": "bảng tổng hợp", "of_pupils": False, **more})


def _classes(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "3.1. Tạo bảng tổng hợp kết quả đánh giá giáo dục",
        "query": {},
        "grades": [("5", "Khối 5")],
        "years": [(year, year) for year in ("2025-2026", "2024-2025")][: rows + 1],
        "action": "/records/summaries",
        "leaders": [("", "Theo cấu hình in của từng lớp"), ("31300001001", "Ngô Diệu Tâm (Hiệu trưởng)")],
        "selectable": (rows + 4) // 5,
        "rows": [
            {
                "code": f"L{number}",
                "name": f"5{chr(65 + number % 26)}",
                "grade": 5,
                "homeroom": name_of(number) if number % 4 else "",
                "leader": "Ngô Diệu Tâm" if number % 3 else "",
                "pupils": 32,
                "finalised": number % 2 == 0,
                "state": STATES[number % 5],
                "reasons": REASONS if number % 10 == 5 else [],
                "more": 12 if number % 10 == 5 else 0,
                "note": "Đã hủy phiên bản 1" if number % 10 == 0 else "",
                "creatable": number % 5 == 0,
                "href": "" if number % 5 == 0 else f"/records/summaries/s{number}",
                "preview_href": f"/records/preview/{number}" if number % 5 == 0 else "",
            }
            for number in range(rows)
        ],
    }


def _listed(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "3.5.1. Xác nhận hoàn thành bảng tổng hợp",
        "intro": "Tích chọn lớp đã hoàn thành ký duyệt – đóng dấu rồi cập nhật.",
        "query": {},
        "paging": paging(rows, rows + 740 if rows > 1 else rows),
        "years": [],
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "states": [("SIGNED", "Hoàn thành ký")],
        "search": "Tìm kiếm",
        "action": "/records/summary-confirmation",
        "buttons": [{"text": "Cập nhật", "name": "act", "value": "confirm"}, {"text": "Hủy xác nhận hoàn thành", "kind": "secondary"}],
        "selectable": rows,
        "rows": [
            {
                "id": f"s{number}",
                "class": f"5{chr(65 + number % 26)}",
                "homeroom": name_of(number),
                "leader": "Ngô Diệu Tâm",
                "pupils": 32,
                "version": 1 + number % 2,
                "state": STATES[1 + number % 4],
                "reason": "HB-GW-012: Số định danh cá nhân không khớp." if number % 4 == 3 else "",
                "created_at": MOMENT,
                "confirmed_at": MOMENT if number % 2 else None,
                "href": f"/records/summaries/s{number}",
                "selectable": True,
            }
            for number in range(rows)
        ],
    }
