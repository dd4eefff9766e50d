"""Sample contexts of the pages of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import Notice
from tests.unit.chassis.web_samples_base import DAY, MOMENT, Sample, name_of, paging, progress, shell, variants


def records() -> Iterator[Sample]:
    counts = {"NOT_CREATED": 2, "AWAITING_HOMEROOM": 5, "AWAITING_LEADER": 3, "RETURNED": 1, "SIGNED": 4, "ACCEPTED": 15, "REJECTED": 2}
    yield from variants(
        "records/classes",
        lambda rows: {
            "shell": shell(notices=(Notice("success", "Đã nhập 320 học sinh của 10 lớp."),)),
            "title": "2.1. Tạo học bạ",
            "query": {"grade": "5"},
            "grades": [("1", "Khối 1"), ("5", "Khối 5")],
            "action": "/records/create",
            "progress": None,
            "rows": [
                {
                    "code": f"L{number}",
                    "name": f"{number % 5 + 1}{chr(65 + number // 5 % 26)}",
                    "grade": number % 5 + 1,
                    "homeroom": name_of(number),
                    "finalised": number % 3 != 2,
                    "pupils": 32,
                    "counts": counts,
                    "href": f"/records/classes/L{number}",
                    "creatable": number % 3 != 2,
                }
                for number in range(rows)
            ],
        },
    )
    states = (
        "NOT_CREATED",
        "AWAITING_HOMEROOM",
        "SIGNED",
        "CONFIRMED",
        "SUBMITTED",
        "ACCEPTED",
        "REJECTED",
        "RETURNED",
        "CANCELLED",
        "WITHDRAWN",
    )

    def one_class(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Lớp 5A",
            "crumb": "2.1. Tạo học bạ",
            "query": {"sort": "name", "order": "desc"},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "action": "/records/classes/5A/create",
            "back_href": "/records/classes",
            "missing_href": "/records/classes/5A/missing.xlsx",
            "finalised": True,
            "homeroom": "Trần Thị Mai",
            "leader": "",
            "selectable": min(rows, 150),
            "progress": None,
            "rows": [
                {
                    "id": f"HS{number:04}",
                    "name": name_of(number),
                    "born": DAY,
                    "sex": "Nữ",
                    "personal_id": f"0312150{number:05}",
                    "state": states[number % 10],
                    "note": "Chưa đủ điều kiện tạo học bạ số" if number % 10 == 0 else "",
                    "missing": ["Nơi sinh", "Kết quả môn Tin học và Công nghệ"] if number % 10 == 0 else [],
                    "creatable": number % 10 in {0, 8},
                    "href": "" if number % 10 == 0 else f"/records/transcripts/{number}",
                }
                for number in range(rows)
            ],
        }

    yield from variants("records/class", one_class)
    job = {
        "job_refused": [{"name": name_of(3), "class_name": "5A", "reason": "Nơi sinh"}],
        "job_refused_count": 4,
        "job_done_href": "/records/classes/5A",
    }
    yield Sample("records/class-running", "records/class.html", {**one_class(3), "progress": progress(running=True), **job})
    yield Sample("records/class-done", "records/class.html", {**one_class(3), "progress": progress(running=False), **job})
    yield from variants(
        "records/confirmation",
        lambda rows: {
            "shell": shell(),
            "title": "2.5.1. Xác nhận hoàn thành học bạ",
            "query": {},
            "grades": [("5", "Khối 5")],
            "action": "/records/confirmation",
            "rows": [
                {
                    "code": f"L{number}",
                    "name": f"5{chr(65 + number % 26)}",
                    "pupils": 32,
                    "awaiting": 4,
                    "signed": 8,
                    "confirmed": 0,
                    "sent": 20,
                    "href": f"/records/classes/L{number}",
                    "selectable": number % 2 == 0,
                }
                for number in range(rows)
            ],
        },
    )
    yield from _transcripts()
    yield from _imports()


def _transcripts() -> Iterator[Sample]:
    verdicts = ("VALID", "INVALID", "UNCHECKED", "PENDING")
    roles = ("Giáo viên bộ môn (Toán, Tiếng Việt)", "Giáo viên chủ nhiệm", "Lãnh đạo", "Đóng dấu phát hành")

    def transcript(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Học bạ: Đặng Ngọc Bảo Ước",
            "crumb": "Lớp 5A · Năm học 2025-2026",
            "back_href": "/records/classes/5A",
            "back_text": "Lớp 5A",
            "state": "REJECTED" if rows else "AWAITING_HOMEROOM",
            "state_reason": "HB-GW-012: Số định danh cá nhân không khớp." if rows else "",
            "version": 2,
            "id": "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f",
            "facts": [("Họ và tên", "Đặng Ngọc Bảo Ước"), ("Ngày sinh", "02/09/2015"), ("Nơi sinh", ""), ("Được lên lớp", "Có")],
            "tables": [
                {
                    "caption": "Các môn học và hoạt động giáo dục",
                    "columns": ["Môn học", "Mức đạt được", "Điểm KTĐK", "Nhận xét"],
                    "rows": [["Toán", "T", "9", "Tính toán nhanh, trình bày rõ ràng."]] * max(rows, 1),
                }
            ],
            "signatures": [
                {
                    "role": roles[number % 4],
                    "name": "" if verdicts[number % 4] == "PENDING" else name_of(number),
                    "signed_at": None if verdicts[number % 4] == "PENDING" else MOMENT,
                    "certificate_serial": "" if verdicts[number % 4] == "PENDING" else "54010203040506070809",
                    "certificate_subject": "" if verdicts[number % 4] == "PENDING" else name_of(number),
                    "verdict": verdicts[number % 4],
                    "detail": "Không hỏi được trạng thái thu hồi chứng thư." if verdicts[number % 4] == "UNCHECKED" else "",
                }
                for number in range(rows)
            ],
            "pdf_href": "/sample.pdf" if rows else "",
            "xml_href": "/sample.xml" if rows else "",
            "pdf_size": 90_412,
            "xml_size": 21_004,
            "level": "BASELINE-LTA" if rows else "",
            "timestamped_at": MOMENT if rows else None,
            "pdf_inline": False,
            "inline_href": "?pdf=1#pdf",
        }

    yield from variants("records/transcript", transcript)
    yield Sample("records/transcript-inline", "records/transcript.html", {**transcript(4), "pdf_inline": True})


def _imports() -> Iterator[Sample]:
    states = ("PREVIEW", "APPLIED", "REFUSED")

    def imports(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Nhập dữ liệu",
            "action": "/records/imports",
            "errors": {},
            "rows": [
                {
                    "id": f"i{number}",
                    "started_at": MOMENT,
                    "person": name_of(number),
                    "files": ["ho_so_truong.xlsx", *(f"{grade}A.xlsx" for grade in range(number % 6))],
                    "state": states[number % 3],
                    "findings": number % 7,
                    "href": f"/records/imports/i{number}",
                }
                for number in range(rows)
            ],
        }

    yield from variants("records/imports", imports)
    yield Sample(
        "records/imports-error",
        "records/imports.html",
        {**imports(0), "errors": {"files": "Tệp ket_qua.pdf không phải là tệp Excel (.xlsx)."}},
    )

    def preview(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Xem trước dữ liệu nhập",
            "back_href": "/records/imports",
            "query": {},
            "paging": paging(rows),
            "confirm_action": "/records/imports/i1/confirm",
            "confirmable": True,
            "applied": False,
            "blocked_reason": "",
            "counts": [("Lớp", 10, "neutral"), ("Học sinh", 320, "neutral"), ("Chưa đủ điều kiện", 4, "danger")],
            "refused": [{"pupil": "HS0007", "field": "Nơi sinh", "reason": "Chưa có nơi sinh."}] if rows else [],
            "refused_pupils": 4 if rows else 0,
            "findings_total": 1240 if rows > 1 else 0,
            "findings": [
                {
                    "severity": "ERROR" if number % 2 == 0 else "WARNING",
                    "file": "5A.xlsx",
                    "sheet": "Kết quả",
                    "row": None if number % 5 == 4 else number + 3,
                    "column": "Toán – Điểm KTĐK",
                    "class_name": "5A",
                    "text": "Điểm kiểm tra định kỳ phải là số nguyên từ 0 đến 10 (Thông tư 27/2020, Điều 7).",
                    "action": "Sửa điểm trên phần mềm CSDL ngành rồi xuất lại tệp.",
                }
                for number in range(rows)
            ],
        }

    yield from variants("records/import_preview", preview)
    blocked = {"confirmable": False, "blocked_reason": "Thiếu trang tính “Học sinh”: chưa nhập được."}
    yield Sample("records/import_preview-error", "records/import_preview.html", {**preview(1), **blocked})
    yield Sample("records/import_preview-done", "records/import_preview.html", {**preview(0), "confirmable": False, "applied": True})
