"""Contexts of signing's pages: queues, the authorisation, batches, signature reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, progress, shell, variants
from tests.unit.chassis.web_samples_summaries import of_summaries


def signing() -> Iterator[Sample]:
    def queue(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "2.2. Giáo viên chủ nhiệm ký duyệt",
            "query": {"tab": "awaiting"},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "noun": "học bạ",
            "of_pupils": True,
            "tab": "awaiting",
            "awaiting": rows,
            "signed": 12,
            "awaiting_href": "?tab=awaiting",
            "signed_href": "?tab=signed",
            "batches_href": "/signing/batches",
            "grades": [("5", "Khối 5")],
            "classes": [("5A", "5A"), ("5B", "5B")],
            "action": "/signing/homeroom",
            "problem": "",
            "buttons": [
                {"text": "Ký học bạ", "name": "act", "value": "sign"},
                {"text": "Trả lại", "name": "act", "value": "return", "kind": "secondary"},
            ],
            "selectable": rows + 740 if rows > 1 else rows,
            "rows": [
                {
                    "id": f"t{number}",
                    "name": name_of(number),
                    "class_name": "5A",
                    "part": "Giáo viên chủ nhiệm",
                    "at": None,
                    "state_text": "Chờ ký",
                    "signable": True,
                    "href": f"/records/transcripts/t{number}",
                    "report_href": "",
                }
                for number in range(rows)
            ],
            "certificates": [],
        }

    yield from variants("signing/queue", queue)
    yield of_summaries("signing/queue", "signing/queue.html", queue(3), "3.2. Giáo viên chủ nhiệm ký duyệt")
    signed = {**queue(1)["rows"][0], "at": MOMENT, "state_text": "Đã ký", "report_href": "/signing/reports/t0"}
    zipped = [("Chứng thư số người ký của lớp (PEM)", "/api/signing/certificates.zip?class=5A")]
    told = {"tab": "signed", "rows": [signed, {**signed, "id": "t1", "report_href": ""}], "certificates": zipped}
    yield Sample("signing/queue-signed", "signing/queue.html", {**queue(1), **told})
    problem = "Tài khoản ký chưa được duyệt: quản trị viên duyệt tại mục 1.3. Duyệt tài khoản ký."
    only = {"problem": problem, "buttons": [{"text": "Trả lại", "name": "act", "value": "return", "kind": "secondary"}]}
    yield Sample("signing/queue-error", "signing/queue.html", {**queue(1), **only})
    authorise: dict[str, Any] = {
        "shell": shell(),
        "title": "Ký học bạ",
        "noun": "học bạ",
        "action": "/signing/batches",
        "cancel_href": "/signing/homeroom",
        "provider": "Nhà cung cấp A",
        "asks_password": True,
        "certificate": {"serial": "54010203040506070809", "owner": "Trần Thị Mai", "valid_until": dt.date(2027, 3, 1)},
        "count": 32,
        "titles": [f"{name_of(number)} – lớp 5A" for number in range(5)],
        "fields": [("batch", "b1")],
        "left_out": [],
        "chosen": 32,
        "problem": "",
        "warnings": [],
        "values": {"username": ""},
        "errors": {},
    }
    yield Sample("signing/authorise", "signing/authorise.html", authorise)
    yield Sample("signing/authorise-phone-alone", "signing/authorise.html", {**authorise, "asks_password": False})
    refused = {
        "errors": {"username": "Thông tin thẻ không tồn tại hoặc không đúng."},
        "left_out": [{"title": f"{name_of(9)} – lớp 5A", "reason": "HB-SIG-018: Học bạ đã được trả lại.", "todo": "Chờ kết quả xử lý."}],
        "chosen": 33,
        "warnings": ["Chưa kiểm tra được chứng thư số có bị thu hồi không."],
    }
    yield Sample("signing/authorise-error", "signing/authorise.html", {**authorise, **refused})
    away = "Dịch vụ ký số từ xa tạm thời không kết nối được. Chờ ít phút rồi ký lại."
    yield Sample("signing/authorise-away", "signing/authorise.html", {**authorise, "problem": away})
    states = ("FAILED", "AWAITING_CONFIRMATION", "SIGNING", "SIGNED", "WAITING", "REFUSED", "CANCELLED")

    def batch(rows: int, *, running: bool) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Đợt ký lúc 14:03 ngày 28/05/2026",
            "noun": "học bạ",
            "back_href": "/signing/homeroom",
            "back_text": "2.2. Giáo viên chủ nhiệm ký duyệt",
            "query": {},
            "paging": paging(rows),
            "progress": progress(running=running),
            "awaiting_phone": running,
            "confirmation": None,
            "token_note": None,
            "confirm_by": "14:08" if running else "",
            "asked_again": running,
            "only_failed": False,
            "retry_action": "" if running else "/signing/batches/b1/retry",
            "retryable": 3,
            "cancel_action": "/signing/batches/b1/cancel" if running else "",
            "items": [
                {
                    "title": f"{name_of(number)} – lớp 5A",
                    "state": states[number % 7],
                    "reason": "HB-SIG-104: Nhà cung cấp không trả lời." if number % 7 == 0 else "",
                    "todo": "Thử lại sau." if number % 7 == 0 else "",
                    "at": MOMENT if number % 7 == 3 else None,
                    "href": f"/records/transcripts/t{number}",
                }
                for number in range(rows)
            ],
        }

    yield Sample("signing/batch-running", "signing/batch.html", batch(7, running=True))
    note = {"text": "Cắm USB token rồi mở chương trình ký số.", "href": "/identity/agents", "link_text": "hướng dẫn cài đặt"}
    yield Sample("signing/batch-token", "signing/batch.html", {**batch(7, running=True), "awaiting_phone": False, "token_note": note})
    typed = {"text": "Nhập mã PIN và mã OTP để ký cả đợt", "button": "Nhập mã PIN và mã OTP", "href": "/signing/batches/b1/confirmation"}
    asked = {**batch(7, running=True), "awaiting_phone": False}
    yield Sample("signing/batch-secrets", "signing/batch.html", {**asked, "confirmation": {**typed, "sends": True}})
    elsewhere = {
        "text": "Đến trang của Nhà cung cấp A",
        "button": "Đến trang của nhà cung cấp để xác nhận",
        "href": "/signing/batches/b1/provider",
    }
    yield Sample("signing/batch-page", "signing/batch.html", {**asked, "confirmation": {**elsewhere, "sends": False}})
    secrets: dict[str, Any] = {
        "shell": shell(),
        "title": "Xác nhận ký số",
        "noun": "học bạ",
        "provider": "Nhà cung cấp A",
        "count": 32,
        "confirm_by": "14:08",
        "action": "/signing/batches/b1/confirmation",
        "send_action": "/signing/batches/b1/confirmation/code",
        "sent_at": "14:03:10",
        "back_href": "/signing/batches/b1",
        "secrets": [
            {"field": "password-0", "label": "Mã PIN", "hint": "", "digits": True},
            {"field": "password-1", "label": "Mã OTP gửi qua tin nhắn", "hint": "Gửi đến số điện thoại đuôi 321", "digits": True},
        ],
        "errors": {},
    }
    yield Sample("signing/confirmation", "signing/confirmation.html", secrets)
    pin_alone = {"send_action": "", "sent_at": "", "secrets": secrets["secrets"][:1]}
    yield Sample("signing/confirmation-pin", "signing/confirmation.html", {**secrets, **pin_alone})
    wrong = "HB-SIG-097: Nhà cung cấp chữ ký số không chấp nhận mã vừa nhập. Nhập lại mã PIN, hoặc gửi lại và nhập mã OTP mới."
    yield Sample("signing/confirmation-error", "signing/confirmation.html", {**secrets, "errors": {"password-0": wrong}})
    yield Sample("signing/batch-done", "signing/batch.html", batch(500, running=False))
    yield Sample("signing/batch-empty", "signing/batch.html", batch(0, running=True))

    def batches(rows: int) -> dict[str, Any]:
        ends = (("Đang ký", "info"), ("Đã kết thúc", "success"), ("Đã kết thúc, có mục chưa ký được", "warning"))
        listed = [
            {
                "at": MOMENT,
                "step_text": "Giáo viên chủ nhiệm ký duyệt",
                "noun": "học bạ",
                "total": 32,
                "signed": 30,
                "failed": number % 3,
                "state_text": ends[number % 3][0],
                "tone": ends[number % 3][1],
                "href": f"/signing/batches/b{number}",
            }
            for number in range(rows)
        ]
        return {"shell": shell(), "title": "Các đợt ký của tôi", "query": {}, "paging": paging(rows), "rows": listed}

    yield from variants("signing/batches", batches)
    yield from _reports()


def _reports() -> Iterator[Sample]:
    def differing(rows: int) -> dict[str, Any]:
        listed = [
            {
                "title": f"{name_of(number)} – lớp 5A",
                "id": f"0197c2f2-7b1e-7d55-a5a0-{number:012x}",
                "since": MOMENT,
                "text": "Tệp XML không còn trong kho lưu trữ.",
                "href": f"/signing/reports/t{number}",
            }
            for number in range(rows)
        ]
        return {
            "shell": shell(),
            "title": "Tệp lưu trữ sai khác",
            "code": "HB-SIG-090",
            "what_to_do": "Không dùng tệp này; báo quản trị hệ thống.",
            "rows": listed,
        }

    yield from variants("signing/differing", differing)
    checks = [
        {"text": "Toàn vẹn", "status": "Đạt", "tone": "success", "hint": "Nội dung không thay đổi sau khi ký."},
        {"text": "Thu hồi", "status": "Chưa kiểm tra được", "tone": "waiting"},
    ]
    signature = {
        "name": name_of(1),
        "step": "Giáo viên bộ môn ký duyệt: Âm nhạc",
        "at": "28/05/2026 14:03 +07:00",
        "verdict": ("Hợp lệ", "success"),
        "checks": checks,
        "facts": [("Vị trí", "Chữ ký số 1"), ("Số chứng thư", "54010203040506070809")],
    }
    one_file = {
        "name": "Bản PDF",
        "facts": [("Tình trạng", "Đúng tệp đã ghi nhận"), ("Mã SHA-256", "9f86d081884c7d659a2feaa0c55ad015")],
        "signatures": [signature, signature],
        "stamps": [["Dấu thời gian tài liệu", "28/05/2026 14:03 +07:00", "TSA thử nghiệm", "01"]],
        "proofs": [["OCSP", "CA thử nghiệm", "28/05/2026 14:03 +07:00", "–"]],
    }
    report: dict[str, Any] = {
        "shell": shell(),
        "title": "Báo cáo chữ ký: Đặng Ngọc Bảo Ước",
        "back_href": "/records/transcripts/t1",
        "back_text": "Xem học bạ",
        "id": "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f",
        "version": 2,
        "verdict": ("Hợp lệ", "success"),
        "said": "Mọi chữ ký đều toàn vẹn, đúng người ký, được tin cậy và có dấu thời gian.",
        "code": "",
        "what_to_do": "Không dùng tệp này; báo quản trị hệ thống.",
        "findings": [],
        "facts": [("Năm học", "2025-2026"), ("Thời điểm kiểm tra", "28/05/2026 14:03 +07:00")],
        "files": [one_file, {**one_file, "name": "Bản XML"}],
        "downloads": [("Tải báo cáo theo ETSI TS 119 102-2 (XML)", "/api/signing/reports/t1/etsi.xml")],
    }
    yield Sample("signing/report", "signing/report.html", report)
    bad = {"code": "HB-SIG-090", "findings": ["Bản PDF: tệp không còn trong kho lưu trữ."], "files": [{**one_file, "signatures": []}]}
    yield Sample("signing/report-error", "signing/report.html", {**report, **bad, "verdict": ("Không hợp lệ", "danger")})
