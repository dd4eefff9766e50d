"""Sample contexts of the pages that look at transcripts: dossier, review, progress of signing, look-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import DAY, MOMENT, Sample, name_of, paging, shell, variants

STATES = ("AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "RETURNED", "SIGNED", "CANCELLED")
UUID = "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f"


def looking() -> Iterator[Sample]:
    yield from variants("records/dossier", _dossier)
    yield from variants("records/review", _review)
    yield from variants("records/review_part", _part)
    subjects = tuple(f"{name} {term}" for name in ("Ngữ văn", "Lịch sử và Địa lí", "Khoa học tự nhiên") for term in ("HKI", "HKII", "CN"))
    wide = ("Họ và tên", "Mã học sinh", "Lớp", *subjects, "Kết quả học tập", "Kết quả rèn luyện", "Được lên lớp")
    cells = (name_of(3), "312500199001", "5A", *("8,5" for _ in subjects), "Tốt", "Khá", "Có")
    results = {"by_person": True, "columns": wide, "rows": [{"cells": cells, "missing": ("Toán: Cả năm phải là 8,1",)}]}
    yield Sample("records/review_part-wide", "records/review_part.html", {**_part(1), **results})
    yield from variants("records/progress", _progress)
    yield from variants("records/progress_class", _class_progress)
    yield from variants("records/lookup", _lookup)
    unknown = {"personal_id": "Trường không có học bạ nào của số định danh cá nhân đã nhập."}
    yield Sample("records/lookup-error", "records/lookup.html", {**_lookup(0), "errors": unknown})


def _dossier(rows: int) -> dict[str, Any]:
    columns = ["Vai trò", "Người ký", "Mã cán bộ", "Thời điểm ký"]
    return {
        "shell": shell(),
        "title": "Hồ sơ học bạ: Đặng Ngọc Bảo Ước",
        "crumb": "Lớp 5A · Năm học 2025-2026",
        "back_href": "/records/transcripts/t1",
        "state": "AWAITING_HOMEROOM",
        "version": 2,
        "id": UUID,
        "steps": [
            {"text": "Tạo học bạ", "hint": "28/05/2026 14:03 +07:00", "status": "Đã xong", "tone": "success"},
            {"text": "Giáo viên bộ môn ký duyệt", "hint": "Trần Văn An", "status": "Đang chờ", "tone": "waiting"},
            {"text": "Lãnh đạo ký duyệt", "hint": "", "status": "Chưa đến", "tone": "neutral"},
        ],
        "export_href": "/records/transcripts/t1/export.zip" if rows else "",
        "verify_href": "/publishing/verify/t1",
        "parts": [
            {"title": "Học sinh", "facts": [("Họ và tên", "Đặng Ngọc Bảo Ước"), ("Nơi sinh", "")]},
            {"title": "Người ký", "columns": columns, "rows": [["Lãnh đạo", name_of(n), "31300001001", "Chờ ký"] for n in range(rows)]},
            {"title": "Tệp học bạ", "columns": ["Tệp", "Dung lượng", "Mã SHA-256"], "rows": [["Bản PDF", "88 KB", "0" * 64]]},
        ],
    }


TABS = [{"text": "Tổng quan", "href": "/records/review", "current": True}, {"text": "Hồ sơ học sinh", "href": "/r", "current": False}]


def _review(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Rà soát dữ liệu",
        "query": {"sort": "name"},
        "grades": [("5", "Khối 5")],
        "tabs": TABS,
        "totals": [("Học sinh", 320, "neutral", "pupils"), ("Thiếu hồ sơ", 4, "warning", "pupils_lacking")],
        "rows": [
            {
                "name": f"5{chr(65 + number % 26)}",
                "href": f"/records/review/pupils?class={number}",
                "finalised": number % 2 == 0,
                "numbers": [(32, ""), (number % 3, f"/records/review/pupils?class={number}&lacking=1")],
            }
            for number in range(rows)
        ],
    }


def _part(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Hồ sơ học sinh",
        "crumb": "Rà soát dữ liệu",
        "query": {"class": "5A", "lacking": "1"},
        "tabs": TABS,
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "paging": paging(rows),
        "by_person": True,
        "columns": ("Họ và tên", "Mã học sinh", "Lớp", "Nơi sinh"),
        "rows": [
            {"cells": (name_of(n), f"HS{n:04}", "5A", "" if n % 2 else "Hải Phòng"), "missing": ("Thiếu “Nơi sinh”",) if n % 2 else ()}
            for n in range(rows)
        ],
        "lacking": rows // 2,
        "xlsx_href": "/records/review/pupils/list.xlsx" if rows else "",
    }


def _progress(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Tiến độ ký",
        "query": {"person": "31300001012"},
        "grades": [("5", "Khối 5")],
        "steps": [("", "Tất cả"), ("AWAITING_HOMEROOM", "Giáo viên chủ nhiệm")],
        "totals": [("Học sinh", 320, "neutral"), ("Chờ giáo viên bộ môn", 300, "waiting"), ("Không ký tiếp được", 2, "danger")],
        "xlsx_href": "/records/progress.xlsx" if rows else "",
        "rows": [
            {
                "name": f"5{chr(65 + number % 26)}",
                "href": f"/records/progress/5{number}",
                "since": MOMENT if number % 2 else None,
                "days": 12,
                "numbers": [32, 30, number % 3],
            }
            for number in range(rows)
        ],
        "people": [
            {
                "name": name_of(number),
                "step_text": "Giáo viên bộ môn",
                "count": 60,
                "classes": ["5A", "5B"],
                "since": MOMENT,
                "days": 12,
                "href": "?person=31300001012" if number else "",
            }
            for number in range(rows)
        ],
    }


def _class_progress(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Tiến độ ký lớp 5A",
        "crumb": "Tiến độ ký",
        "back_href": "/records/progress",
        "query": {},
        "paging": paging(rows),
        "states": [("", "Tất cả"), ("AWAITING_HOMEROOM", "Giáo viên chủ nhiệm")],
        "people": [("", "Tất cả"), ("31300001012", "Trần Văn An")],
        "xlsx_href": "/records/progress/5A/list.xlsx" if rows else "",
        "rows": [
            {
                "name": name_of(number),
                "state": STATES[number % 3],
                "waits_for": [name_of(number + n) for n in range(number % 4)],
                "since": MOMENT,
                "problem": "" if number % 4 else "HB-SIG-016: Một chứng thư số không còn chứng minh được.",
                "href": f"/records/transcripts/{number}/dossier",
            }
            for number in range(rows)
        ],
    }


def _lookup(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Tra cứu học bạ",
        "query": {"pupil": "312500199001"} if rows == 1 else {"name": "an"},
        "errors": {},
        "paging": paging(rows),
        "years": [("2025-2026", "2025-2026")],
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "action": "/records/lookup/export",
        "personal_id_action": "/records/lookup/personal-id",
        "exportable": rows,
        "rows": [
            {
                "id": f"{number:08}-7b1e-7d55-a5a0-5f6f0c1d2e3f",
                "year": "2025-2026",
                "class": "5A",
                "name": name_of(number),
                "born": DAY,
                "personal_id": f"0312150{number:05}",
                "version": 1 + number % 2,
                "state": STATES[number % 5],
                "created_at": MOMENT,
                "exportable": number % 5 != 4,
                "href": f"/records/transcripts/{number}",
                "dossier_href": f"/records/transcripts/{number}/dossier",
            }
            for number in range(rows)
        ],
    }
