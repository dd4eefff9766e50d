"""Sample contexts of the pages of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import Notice
from services.records.page_parts import NO_JOB
from tests.unit.chassis.web_samples_base import DAY, MOMENT, Sample, name_of, paging, progress, shell, variants
from tests.unit.chassis.web_samples_life import life
from tests.unit.chassis.web_samples_looking import looking
from tests.unit.chassis.web_samples_summaries import of_summaries


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
            "missing_href": "/records/missing.xlsx" if rows else "",
            "printing_href": "/records/printing",
            **NO_JOB,
            "running_href": "?job=j1" if rows else "",
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
                    "note": "Chưa đủ điều kiện tạo học bạ số: 32 học sinh" if number % 3 == 2 else "",
                    "needs": ["Lớp chưa hoàn thành tổng kết", "Lãnh đạo ký chưa được phân công"] if number % 3 == 2 else [],
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
            "print_href": "/records/classes/5A/print.pdf",
            "export_href": "/records/classes/5A/export",
            "finalised": True,
            "may_create": True,
            "homeroom": "Trần Thị Mai",
            "leader": "",
            "selectable": min(rows, 150),
            **NO_JOB,
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
                    "tickable": number % 10 in {0, 8},
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
        "job_class": "5A",
    }
    going = {"job_cancel": "/records/jobs/j1/cancel", "progress": progress(running=True)}
    ended = {"job_retry": "/records/jobs/j1/retry", "progress": progress(running=False)}
    yield Sample("records/class-running", "records/class.html", {**one_class(3), **job, **going})
    yield Sample("records/class-done", "records/class.html", {**one_class(3), **job, **ended})
    yield from _creating()
    yield from life()
    yield from looking()
    yield from _transcripts()
    yield from _imports()


def _transcripts() -> Iterator[Sample]:
    verdicts = ("VALID", "INVALID", "UNCHECKED", "PENDING")
    roles = ("Giáo viên bộ môn (Toán, Tiếng Việt)", "Giáo viên chủ nhiệm", "Lãnh đạo", "Đóng dấu phát hành")

    def transcript(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Học bạ: Đặng Ngọc Bảo Ước",
            "noun": "học bạ",
            "crumb": "Lớp 5A · Năm học 2025-2026",
            "back_href": "/records/classes/5A",
            "back_text": "Lớp 5A",
            "state": "REJECTED" if rows else "AWAITING_HOMEROOM",
            "state_reason": "HB-GW-012: Số định danh cá nhân không khớp." if rows else "",
            "preview_href": "" if rows else "/records/transcripts/t1/preview.pdf",
            "dossier_href": "/records/transcripts/t1/dossier",
            "export_href": "/records/transcripts/t1/export.zip" if rows else "",
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
            "evidence": {
                "proven_since": MOMENT,
                "timestamps": 2,
                "renew_before": MOMENT,
                "href": "/api/records/transcripts/t1/evidence.ers",
                "size": 5_400,
            }
            if rows > 1
            else None,
            "pdf_inline": False,
            "inline_href": "?pdf=1#pdf",
        }

    yield from variants("records/transcript", transcript)
    summary = {"state": "AWAITING_SUBJECT_TEACHERS", "dossier_href": ""}
    yield of_summaries("records/transcript", "records/transcript.html", transcript(4), "Bảng tổng hợp lớp 5A", **summary)
    yield Sample("records/transcript-inline", "records/transcript.html", {**transcript(4), "pdf_inline": True})


def _imports() -> Iterator[Sample]:
    states = ("PREVIEW", "APPLIED", "REFUSED", "WRITING")
    pulls = ("running", "stopped", "failed", "finished")

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
                    "state": states[number % 4],
                    "findings": number % 7,
                    "href": f"/records/imports/i{number}",
                }
                for number in range(rows)
            ],
            "sector": True,
            "pull_action": "/records/pulls",
            "year": "2025-2026",
            "pulls": [
                {
                    "started_at": MOMENT,
                    "mode": ("full", "changes")[number % 2],
                    "state": pulls[number % 4],
                    "rows": number * 1000,
                    "href": "/records/pulls/p",
                }
                for number in range(min(rows, 5))
            ],
        }

    yield from variants("records/imports", imports)
    yield Sample(
        "records/imports-error",
        "records/imports.html",
        {**imports(0), "errors": {"files": "Tệp ket_qua.pdf không phải là tệp Excel (.xlsx)."}},
    )

    differences = ("Mới", "Thay đổi", "Không còn", "Không đổi", "Để lại, không nhập")

    def preview(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Xem trước dữ liệu nhập",
            "back_href": "/records/imports",
            "query": {},
            "paging": paging(rows),
            "confirm_action": "/records/imports/i1/confirm",
            "review_action": "/records/imports/i1/review",
            "rows_href": "/records/imports/i1/rows",
            "report_href": "/records/imports/i1/report.xlsx",
            "state": "PREVIEW",
            "progress": None,
            "stale": "",
            "unchanged": rows == 0,
            "difference": [
                {"name": kind, "cells": [(words, number * rows, f"?state=s{number}") for number, words in enumerate(differences)]}
                for kind in ("Trường", "Cán bộ", "Lớp", "Phân công", "Học sinh")
            ],
            "skipped": [{"class_name": "5A", "pupil": "", "reason": "Dữ liệu đã thay đổi trong lúc nhập."}] if rows == 1 else [],
            "columns": [("Học sinh", "Họ và tên HS", "Họ tên")] * min(rows, 3),
            "ignored": [("ho_so_truong.xlsx", "Học sinh", "Ghi chú")] * min(rows, 2),
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
    blocked = {"state": "REFUSED", "blocked_reason": "Thiếu trang tính “Học sinh”: chưa nhập được."}
    yield Sample("records/import_preview-error", "records/import_preview.html", {**preview(1), **blocked})
    yield Sample("records/import_preview-done", "records/import_preview.html", {**preview(0), "state": "APPLIED"})
    stale = {"stale": "Dữ liệu của trường đã thay đổi sau khi lập bản xem trước này."}
    yield Sample("records/import_preview-stale", "records/import_preview.html", {**preview(1), **stale})
    writing = {"state": "WRITING", "progress": progress(running=True)}
    yield Sample("records/import_preview-running", "records/import_preview.html", {**preview(0), **writing})
    change = {"field": "Toán: Nhận xét", "before": "", "after": "Em chăm học."}
    kinds = ("new", "changed", "gone", "unchanged", "left_out")

    def differing(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Khác biệt với dữ liệu đã có",
            "back_href": "/records/imports/i1",
            "report_href": "/records/imports/i1/report.xlsx",
            "query": {},
            "paging": paging(rows),
            "classes": [("5A", "5A")],
            "states": [("different", "Tất cả khác biệt"), ("new", "Mới")],
            "kinds": [("pupil", "Học sinh")],
            "rows": [
                {
                    "kind": "Học sinh",
                    "key": f"3125001{number:05d}",
                    "name": name_of(number),
                    "class_name": "5A",
                    "state": kinds[number % 5],
                    "state_text": differences[number % 5],
                    "changes": [change] * (number % 3),
                    "left": [change] * (number % 2),
                    "reason": "Đã có học bạ: thay đổi chỉ vào phiên bản sau." if number % 2 else "",
                }
                for number in range(rows)
            ],
        }

    yield from variants("records/import_rows", differing)
    pull = {
        "shell": shell(),
        "title": "Lấy dữ liệu từ CSDL ngành",
        "back_href": "/records/imports",
        "preview_href": "",
        "resume_action": "",
    }
    outcomes = {"running": {}, "done": {"preview_href": "/records/imports/i1"}, "error": {"resume_action": "/records/pulls/p/resume"}}
    for name, more in outcomes.items():
        yield Sample(f"records/pull-{name}", "records/pull.html", {**pull, "progress": progress(running=name == "running"), **more})


def _creating() -> Iterator[Sample]:
    """The dialogue, finalising and the print configuration."""
    teachers = [{"name": name_of(number), "subjects": ["Toán", "Tiếng Việt"]} for number in range(3)]
    yield from variants(
        "records/create",
        lambda rows: {
            "shell": shell(),
            "title": "Tạo học bạ",
            "crumb": "2.1. Tạo học bạ",
            "action": "/records/classes",
            "cancel_href": "/records/classes",
            "question": "Bạn chắc chắn muốn tạo học bạ cho những học sinh đang chọn?",
            "button": "OK",
            "fields": [("sure", "1"), ("ids", "5A")],
            "facts": [("Mẫu học bạ", "Học bạ tiểu học (TT 27/2020/TT-BGDĐT)"), ("Học sinh đủ điều kiện", "316 trong 320")],
            "lacking": min(rows, 4),
            "comments": [("subject", "Nhận xét của giáo viên từng môn học"), ("none", "Không ghi nhận xét môn học")],
            "waiting": 3,
            "printing_href": "/records/printing" if rows else "",
            "rows": [
                {
                    "name": f"{number % 5 + 1}A",
                    "pupils": 32,
                    "ready": 0 if number % 4 == 3 else 32,
                    "needs": ["Lớp chưa hoàn thành tổng kết."] if number % 4 == 3 else [],
                    "teachers": teachers[: number % 4],
                    "homeroom": name_of(number),
                    "leader": "" if number % 4 == 3 else "Ngô Diệu Tâm",
                    "position": "Hiệu trưởng",
                    "place": "Hải Phòng",
                    "date": DAY,
                }
                for number in range(min(rows, 60))
            ],
        },
    )
    yield from variants(
        "records/finalisation",
        lambda rows: {
            "shell": shell(),
            "title": "Xác nhận hoàn thành tổng kết",
            "action": "/records/finalisation",
            "acts": ["finalise", "undo"] if rows != 1 else ["finalise"],
            "query": {"grade": "5"},
            "grades": [("5", "Khối 5")],
            "rows": [
                {
                    "code": f"L{number}",
                    "name": f"L{number}",
                    "homeroom": name_of(number),
                    "pupils": 32,
                    "finalised": number % 3 != 0,
                    "imported": number % 3 == 2,
                    "finalised_at": MOMENT if number % 3 == 1 else None,
                    "finalised_by": name_of(number) if number % 3 == 1 else "",
                    "blocking": 2 if number % 3 == 0 else 0,
                    "lacking": 1 if number % 3 == 0 else 0,
                    "href": f"/records/finalisation/L{number}",
                    "selectable": number % 3 != 2,
                }
                for number in range(rows)
            ],
        },
    )
    yield from variants(
        "records/class_finalisation",
        lambda rows: {
            "shell": shell(),
            "title": "Tổng kết lớp 5A",
            "crumb": "Xác nhận hoàn thành tổng kết",
            "query": {},
            "paging": paging(rows),
            "action": "/records/finalisation",
            "back_href": "/records/finalisation",
            "class_href": "/records/classes/5A",
            "code": "5A",
            "finalised": rows == 0,
            "imported": False,
            "finalised_at": MOMENT if rows == 0 else None,
            "pupils": 32,
            "blocking": rows,
            "may_finalise": rows > 0,
            "may_undo": rows == 0,
            "reopenings": [{"at": MOMENT, "name": name_of(2), "reason": "Nhập nhầm điểm môn Toán của cả lớp."}] if rows else [],
            "rows": [
                {
                    "name": name_of(number),
                    "blocking": ["Xếp loại “Hoàn thành” không khớp với các mức và điểm của học sinh."] if number % 2 else [],
                    "lacking": [] if number % 2 else ["Thiếu “Chỗ ở hiện nay”."],
                }
                for number in range(rows)
            ],
        },
    )

    def printing(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Cấu hình in học bạ",
            "action": "/records/printing",
            "query": {},
            "grades": [("5", "Khối 5")],
            "leaders": [("l1", "Ngô Diệu Tâm (Hiệu trưởng)"), ("l2", "Trần Văn Bình (Phó hiệu trưởng)")],
            "imported": {"place": "Hải Phòng", "date": DAY} if rows else None,
            "first_day": DAY,
            "last_day": DAY,
            "values": {"place": "An Hải", "date": "2026-05-30", "leader": "l2"},
            "class_values": {"place": "", "date": "", "leader": ""},
            "errors": {},
            "rows": [
                {
                    "code": f"L{n}",
                    "name": f"L{n}",
                    "place": "Hải Phòng",
                    "date": DAY,
                    "leader": "" if n % 3 == 2 else name_of(n),
                    "own": n % 2 == 0,
                }
                for n in range(rows)
            ],
        }

    yield from variants("records/printing", printing)
    wrong = {"date": "Ngày ghi học bạ phải là một ngày có thật từ 01/08/2025 đến 31/12/2026."}
    yield Sample("records/printing-wrong", "records/printing.html", {**printing(3), "errors": wrong})
    nobody = {"bulk": "Không có lớp nào trong phần đã chọn."}
    yield Sample("records/printing-nobody", "records/printing.html", {**printing(3), "errors": nobody})
