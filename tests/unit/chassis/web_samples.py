"""Contexts of every page of the look: empty, one row, five hundred rows, error, running, done. Used by the unit tests and in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from services.chassis.web.look import Deadline, MenuGroup, MenuItem, Notice, Paging, Progress, Shell, User

PACKAGES = ("services.identity", "services.records", "services.signing", "services.publishing", "services.district")
MOMENT = dt.datetime(2026, 5, 28, 7, 3, tzinfo=dt.UTC)
DAY = dt.date(2015, 9, 2)
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Bùi")
MIDDLES = ("Thị", "Văn", "Ngọc Bảo", "Hữu", "Minh")
GIVENS = ("An", "Ánh", "Bình", "Châu", "Đào", "Giang", "Hà", "Khánh", "Lâm", "Oanh", "Ước", "Yến")


@dataclass(frozen=True)
class Sample:
    """One page to be rendered: `title` is what its heading says."""

    name: str
    template: str
    context: dict[str, Any]


def name_of(number: int) -> str:
    return f"{FAMILIES[number % 7]} {MIDDLES[number % 5]} {GIVENS[number % 12]}"


def shell(**changes: Any) -> Shell:
    menu = (
        MenuGroup(
            "1. Hệ thống",
            (
                MenuItem("1.1.", "Quản lý con dấu trường", "/identity/seal"),
                MenuItem("1.2.", "Giáo viên đăng ký tài khoản ký", "/identity/account"),
                MenuItem("1.3.", "Duyệt tài khoản ký", "/identity/staff", count=12),
            ),
        ),
        MenuGroup(
            "2. Học bạ điện tử",
            (
                MenuItem("2.1.", "Tạo học bạ", "/records/classes", current=True),
                MenuItem("", "Giáo viên bộ môn ký duyệt", "/signing/subjects"),
                MenuItem("2.2.", "Giáo viên chủ nhiệm ký duyệt", "/signing/homeroom", count=35),
                MenuItem("2.3.", "Lãnh đạo ký duyệt", "/signing/leader"),
                MenuItem("2.4.", "Đóng dấu phát hành", "/signing/issue"),
                MenuItem("2.5.1.", "Xác nhận hoàn thành học bạ", "/records/confirm"),
                MenuItem("2.5.2.", "Gửi học bạ", "/publishing/submissions"),
                MenuItem("2.6.", "Quản lý hủy duyệt học bạ", "/records/returns"),
            ),
        ),
    )
    base = Shell(
        product="Học bạ số",
        organisation="Trường Tiểu học An Hồng",
        period="Năm học 2025-2026",
        menu=menu,
        user=User("Nguyễn Thị Hương Giang", "Quản trị viên", "/identity/sign-out", (("Đổi mật khẩu", "/identity/password"),)),
        deadline=Deadline("Hạn gửi học bạ lên Cổng tiếp nhận", dt.date(2026, 8, 20), 84),
        csrf="token-of-the-session",
        request_id="0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f",
    )
    return replace(base, **changes)


OUTSIDE = shell(menu=(), user=None, deadline=None, organisation="", period="")


def progress(*, running: bool, failed: int = 3) -> Progress:
    return Progress(
        title="Ký 320 học bạ",
        total=320,
        done=120 if running else 320 - failed,
        failed=failed,
        waiting=197 if running else 0,
        running=running,
        href="?",
        message="Đã ký 120 trong 320 học bạ." if running else "Đã xong.",
        eta="2 phút",
        outcome="warning" if failed else "success",
    )


def paging(rows: int, total: int | None = None) -> Paging:
    return Paging(page=1, size=max(rows, 1), total=rows if total is None else total)


def variants(template: str, build: Callable[[int], dict[str, Any]]) -> Iterator[Sample]:
    for name, rows in (("empty", 0), ("one", 1), ("many", 500)):
        yield Sample(f"{template}-{name}", f"{template}.html", build(rows))


def samples() -> list[Sample]:
    return [*_identity(), *_descriptions(), *_records(), *_signing(), *_publishing(), *_district(), *_chassis()]


def _identity() -> Iterator[Sample]:
    sign_in: dict[str, Any] = {
        "shell": OUTSIDE,
        "title": "Đăng nhập",
        "action": "/identity/sign-in",
        "next": "/records/classes",
        "versions": [
            ("TH", "Quản lý Tiểu học", ""),
            ("THCS", "Quản lý THCS", ""),
            ("THPT", "Quản lý THPT", ""),
            ("UNIT", "Quản lý Phòng/Sở GD&ĐT", ""),
        ],
        "values": {"version": "TH", "username": ""},
        "errors": {},
    }
    yield Sample("identity/sign_in", "identity/sign_in.html", sign_in)
    errors = {
        "_form": "Tên đăng nhập hoặc mật khẩu không đúng.",
        "username": "Nhập tên đăng nhập.",
        "password": "Nhập mật khẩu.",
        "version": "Chọn phiên bản.",
    }
    yield Sample("identity/sign_in-error", "identity/sign_in.html", {**sign_in, "errors": errors, "values": {"version": "", "username": "an"}})
    password: dict[str, Any] = {
        "shell": shell(menu=()),
        "title": "Đổi mật khẩu",
        "action": "/identity/password",
        "forced": True,
        "ask_current": False,
        "username": "huonggiang",
        "minimum": 12,
        "cancel_href": "/",
        "errors": {},
    }
    yield Sample("identity/change_password", "identity/change_password.html", password)
    wrong = {"forced": False, "ask_current": True, "errors": {"current": "Mật khẩu hiện tại không đúng.", "repeat": "Hai mật khẩu mới khác nhau."}}
    yield Sample("identity/change_password-error", "identity/change_password.html", {**password, **wrong})
    tasks = [
        {"text": "Duyệt tài khoản ký", "href": "/identity/staff", "hint": "12 tài khoản chờ duyệt", "status": "Chờ duyệt", "tone": "waiting"},
        {"text": "Đăng ký chứng thư số nhà trường", "href": "", "hint": "", "status": "Đã duyệt", "tone": "success"},
    ]
    yield Sample("identity/home", "identity/home.html", {"shell": shell(), "title": "Trang chính", "tasks": tasks})
    yield Sample("identity/home-empty", "identity/home.html", {"shell": shell(menu=()), "title": "Trang chính", "tasks": []})
    states = ("PENDING", "APPROVED", "REFUSED", "NOT_REGISTERED")
    yield from variants(
        "identity/staff",
        lambda rows: {
            "shell": shell(),
            "title": "1.3. Duyệt tài khoản ký",
            "query": {"sort": "name", "order": "asc"},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "action": "/identity/staff",
            "copy_action": "/identity/staff/copy",
            "rows": [
                {
                    "id": f"p{number}",
                    "name": name_of(number),
                    "code": f"CB{number:03}",
                    "position": "Giáo viên",
                    "means": "" if number % 4 == 3 else "Remote Signing",
                    "provider": "" if number % 4 == 3 else "Nhà cung cấp A",
                    "certificate_serial": "" if number % 4 == 3 else "54:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F",
                    "valid_until": None if number % 4 == 3 else dt.date(2027, 3, 1),
                    "state": states[number % 4],
                    "reason": "Chứng thư số không phải của cán bộ này." if number % 4 == 2 else "",
                    "issuer": number % 9 == 0,
                    "href": f"/identity/staff/p{number}",
                }
                for number in range(rows)
            ],
        },
    )


def _descriptions() -> Iterator[Sample]:
    services = [{"name": name, "text": name, "href": f"/api/{name}/openapi.json"} for name in ("identity", "records")]
    yield Sample("identity/openapi", "identity/openapi.html", {"shell": shell(), "title": "Mô tả API", "services": services, "chosen": "records"})


def _records() -> Iterator[Sample]:
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
    states = ("NOT_CREATED", "AWAITING_HOMEROOM", "SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED", "RETURNED", "CANCELLED", "WITHDRAWN")

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
            "sealed": bool(rows),
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
    yield Sample("records/imports-error", "records/imports.html", {**imports(0), "errors": {"files": "Tệp ket_qua.pdf không phải là tệp Excel (.xlsx)."}})

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


def _signing() -> Iterator[Sample]:
    def queue(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "2.2. Giáo viên chủ nhiệm ký duyệt",
            "query": {"tab": "awaiting"},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "tab": "awaiting",
            "awaiting": rows,
            "signed": 12,
            "awaiting_href": "?tab=awaiting",
            "signed_href": "?tab=signed",
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
                    "part": "Nhận xét của giáo viên chủ nhiệm",
                    "at": MOMENT,
                    "state_text": "Chờ ký",
                    "signable": True,
                    "href": f"/records/transcripts/t{number}",
                }
                for number in range(rows)
            ],
        }

    yield from variants("signing/queue", queue)
    yield Sample("signing/queue-signed", "signing/queue.html", {**queue(1), "tab": "signed"})
    problem = "Tài khoản ký chưa được duyệt: quản trị viên duyệt tại mục 1.3. Duyệt tài khoản ký."
    yield Sample("signing/queue-error", "signing/queue.html", {**queue(1), "problem": problem})
    authorise: dict[str, Any] = {
        "shell": shell(),
        "title": "Ký học bạ",
        "action": "/signing/batches",
        "cancel_href": "/signing/homeroom",
        "provider": "Nhà cung cấp A",
        "certificate": {"serial": "54010203040506070809", "owner": "Trần Thị Mai", "valid_until": dt.date(2027, 3, 1)},
        "count": 32,
        "titles": [f"{name_of(number)} – lớp 5A" for number in range(5)],
        "fields": [("batch", "b1")],
        "left_out": [],
        "values": {"username": ""},
        "errors": {},
    }
    yield Sample("signing/authorise", "signing/authorise.html", authorise)
    refused = {
        "errors": {"username": "Thông tin thẻ không tồn tại hoặc không đúng."},
        "left_out": [{"title": f"{name_of(9)} – lớp 5A", "reason": "Học bạ đã được trả lại."}],
    }
    yield Sample("signing/authorise-error", "signing/authorise.html", {**authorise, **refused})
    states = ("FAILED", "AWAITING_CONFIRMATION", "SIGNING", "SIGNED", "WAITING", "REFUSED", "CANCELLED")

    def batch(rows: int, *, running: bool) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Đợt ký lúc 14:03 ngày 28/05/2026",
            "back_href": "/signing/homeroom",
            "back_text": "2.2. Giáo viên chủ nhiệm ký duyệt",
            "query": {},
            "paging": paging(rows),
            "progress": progress(running=running),
            "awaiting_phone": running,
            "retry_action": "" if running else "/signing/batches/b1/retry",
            "retryable": 3,
            "cancel_action": "/signing/batches/b1/cancel" if running else "",
            "items": [
                {
                    "title": f"{name_of(number)} – lớp 5A",
                    "state": states[number % 7],
                    "reason": "HB-SIG-104: Nhà cung cấp không trả lời, thử lại sau." if number % 7 == 0 else "",
                    "at": MOMENT if number % 7 == 3 else None,
                    "href": f"/records/transcripts/t{number}",
                }
                for number in range(rows)
            ],
        }

    yield Sample("signing/batch-running", "signing/batch.html", batch(7, running=True))
    yield Sample("signing/batch-done", "signing/batch.html", batch(500, running=False))
    yield Sample("signing/batch-empty", "signing/batch.html", batch(0, running=True))


def _publishing() -> Iterator[Sample]:
    states = ("NOT_SENT", "SENDING", "SENT", "ACCEPTED", "REJECTED", "WITHDRAWAL_PENDING", "WITHDRAWN")

    def submissions(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "2.5.2. Gửi học bạ",
            "query": {},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "action": "/publishing/submissions",
            "classes": [("5A", "5A")],
            "window_closed": "",
            "counts": {"NOT_SENT": 120, "ACCEPTED": 196, "REJECTED": 4} if rows else {},
            "rows": [
                {
                    "id": f"t{number}",
                    "name": name_of(number),
                    "class_name": "5A",
                    "personal_id": f"0312150{number:05}",
                    "confirmed_at": MOMENT,
                    "state": states[number % 7],
                    "sent_at": None if number % 7 == 0 else MOMENT,
                    "reason": "Số định danh cá nhân không khớp." if number % 7 == 4 else "",
                    "receipt": "BN-000123" if number % 7 == 3 else "",
                    "sendable": number % 7 in {0, 4},
                    "href": f"/records/transcripts/t{number}",
                }
                for number in range(rows)
            ],
        }

    yield from variants("publishing/submissions", submissions)
    closed = {"window_closed": "Đã khóa tiếp nhận từ 20/08/2026. Liên hệ Phòng/Sở GD&ĐT."}
    yield Sample("publishing/submissions-error", "publishing/submissions.html", {**submissions(1), **closed})


def _district() -> Iterator[Sample]:
    counts = (
        {"ACCEPTED": 300, "SUBMITTED": 10, "REJECTED": 4, "NOT_CREATED": 6},
        {"AWAITING_HOMEROOM": 100, "AWAITING_LEADER": 80, "SIGNED": 40, "NOT_CREATED": 120},
        {"NOT_CREATED": 412},
        {"ACCEPTED": 500},
        {},
    )
    unit = shell(
        organisation="Phòng GD&ĐT quận Ngô Quyền",
        menu=(MenuGroup("6. Học bạ số", (MenuItem("6.1.", "Duyệt chứng thư số đơn vị", "#"), MenuItem("6.4.", "Thống kê", "#", current=True))),),
        user=User("Phạm Văn Lâm", "Cán bộ Phòng GD&ĐT", "/identity/sign-out"),
    )
    yield from variants(
        "district/statistics",
        lambda rows: {
            "shell": unit,
            "title": "6.4. Thống kê học bạ số",
            "query": {"sort": "name", "order": "asc"},
            "paging": paging(rows, rows + 100 if rows > 1 else rows),
            "years": [("2025-2026", "2025-2026")],
            "levels": [("TH", "Tiểu học"), ("THCS", "THCS")],
            "updated_at": MOMENT,
            "export_href": "/district/statistics.xlsx",
            "totals": {"ACCEPTED": 80_000, "SUBMITTED": 1_240, "AWAITING_HOMEROOM": 9_000, "REJECTED": 400, "NOT_CREATED": 21_400},
            "rows": [
                {
                    "code": f"S{number}",
                    "name": f"Trường Tiểu học số {number + 1}",
                    "unit": "Phường An Hải",
                    "counts": counts[number % 5],
                    "held_up": "Giáo viên chủ nhiệm lớp 3B" if number % 5 == 1 else "",
                    "href": f"/district/schools/S{number}",
                }
                for number in range(rows)
            ],
        },
    )


def _chassis() -> Iterator[Sample]:
    confirm: dict[str, Any] = {
        "shell": shell(),
        "title": "Trả lại học bạ",
        "question": "Trả lại 32 học bạ cho nhà trường kiểm tra?",
        "action": "/signing/returns",
        "confirm": "Xác nhận",
        "cancel_href": "/signing/homeroom",
        "fields": [("ids", "t1"), ("ids", "t2")],
        "facts": [("Lớp", "5A")],
        "items": [name_of(number) for number in range(3)],
        "count": 32,
        "warning": "",
        "danger": False,
        "reason": {"label": "Lý do trả lại", "hint": "Ghi rõ điểm, nhận xét hoặc thông tin cần sửa.", "value": ""},
        "errors": {},
    }
    yield Sample("chassis/confirm", "chassis/confirm.html", confirm)
    yield Sample("chassis/confirm-error", "chassis/confirm.html", {**confirm, "errors": {"reason": "Nhập lý do trả lại."}})
    final = {"reason": None, "danger": True, "warning": "Học bạ đã hủy không khôi phục được.", "title": "Hủy học bạ", "question": "Đồng ý xác nhận hủy học bạ?"}
    yield Sample("chassis/confirm-danger", "chassis/confirm.html", {**confirm, **final})
    error: dict[str, Any] = {
        "shell": shell(notices=(Notice("error", "Không lưu được."), Notice("info", "Hệ thống bảo trì lúc 22:00.", href="#", link_text="Xem lịch"))),
        "title": "Hệ thống đang bận",
        "code": "HB-WEB-503",
        "cause": "Một thành phần của hệ thống tạm thời chưa sẵn sàng.",
        "action": "Chờ khoảng một phút rồi thử lại; dữ liệu đã lưu không bị mất.",
        "retry_after": 60,
    }
    yield Sample("chassis/error", "chassis/error.html", error)
    late = shell(deadline=Deadline("Hạn gửi học bạ", dt.date(2026, 5, 20), -8))
    yield Sample("chassis/error-outside", "chassis/error.html", {**error, "shell": OUTSIDE, "retry_after": None})
    yield Sample("chassis/error-late", "chassis/error.html", {**error, "shell": late, "retry_after": None})
