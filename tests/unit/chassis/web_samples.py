"""Contexts of every page of the look: empty, one row, five hundred rows, error, running, done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import Deadline, MenuGroup, MenuItem, Notice, User
from services.district.statistics import row
from services.district.statistics_shown import HEADERS, LEGEND, line_of
from tests.unit.chassis.web_samples_accounts import accounts
from tests.unit.chassis.web_samples_activity import activity
from tests.unit.chassis.web_samples_admissions import admissions
from tests.unit.chassis.web_samples_agents import agents
from tests.unit.chassis.web_samples_approval import approval
from tests.unit.chassis.web_samples_base import MOMENT, OUTSIDE, Sample, name_of, paging, progress, shell, variants
from tests.unit.chassis.web_samples_certificates import certificates
from tests.unit.chassis.web_samples_copies import copies
from tests.unit.chassis.web_samples_corrections import corrections
from tests.unit.chassis.web_samples_digitisation import digitising
from tests.unit.chassis.web_samples_district import overseeing
from tests.unit.chassis.web_samples_factors import factors
from tests.unit.chassis.web_samples_lock_dates import lock_dates
from tests.unit.chassis.web_samples_openid import openid
from tests.unit.chassis.web_samples_organisations import organisations
from tests.unit.chassis.web_samples_records import records
from tests.unit.chassis.web_samples_registering import registering
from tests.unit.chassis.web_samples_sharing import sharing
from tests.unit.chassis.web_samples_signing import signing
from tests.unit.chassis.web_samples_summaries import of_summaries, summaries
from tests.unit.chassis.web_samples_verification import verification
from tests.unit.chassis.web_samples_withdrawals import withdrawals
from tests.unit.chassis.web_samples_years import over_the_years

PACKAGES = ("services.identity", "services.records", "services.signing", "services.publishing", "services.district")


def samples() -> list[Sample]:
    return [
        *_identity(),
        *agents(),
        *approval(),
        *registering(),
        *accounts(),
        *factors(),
        *openid(),
        *organisations(),
        *activity(),
        *_descriptions(),
        *records(),
        *over_the_years(),
        *summaries(),
        *digitising(),
        *corrections(),
        *copies(),
        *signing(),
        *_publishing(),
        *verification(),
        *sharing(),
        *_district(),
        *overseeing(),
        *certificates(),
        *withdrawals(),
        *admissions(),
        *lock_dates(),
        *_chassis(),
    ]


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
        "outside": [("Cổng xác thực thử nghiệm", "/identity/sign-in/oidc/sandbox")],
        "errors": {},
    }
    yield Sample("identity/sign_in", "identity/sign_in.html", sign_in)
    errors = {
        "_form": "Tên đăng nhập hoặc mật khẩu không đúng.",
        "username": "Nhập tên đăng nhập.",
        "password": "Nhập mật khẩu.",
        "version": "Chọn phiên bản.",
    }
    yield Sample(
        "identity/sign_in-error", "identity/sign_in.html", {**sign_in, "errors": errors, "values": {"version": "", "username": "an"}}
    )
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
    wrong = {
        "forced": False,
        "ask_current": True,
        "errors": {"current": "Mật khẩu hiện tại không đúng.", "repeat": "Hai mật khẩu mới khác nhau."},
    }
    yield Sample("identity/change_password-error", "identity/change_password.html", {**password, **wrong})
    tasks = [
        {
            "text": "Duyệt tài khoản ký",
            "href": "/identity/staff",
            "hint": "12 tài khoản chờ duyệt",
            "status": "Chờ duyệt",
            "tone": "waiting",
        },
        {"text": "Đăng ký chứng thư số nhà trường", "href": "", "hint": "", "status": "Đã duyệt", "tone": "success"},
    ]
    yield Sample("identity/home", "identity/home.html", {"shell": shell(), "title": "Trang chính", "tasks": tasks})
    yield Sample("identity/home-empty", "identity/home.html", {"shell": shell(menu=()), "title": "Trang chính", "tasks": []})
    yield from variants(
        "identity/devices",
        lambda rows: {
            "shell": shell(notices=(Notice("success", "Đã đăng xuất 1 thiết bị."),) if rows == 1 else ()),
            "title": "Thiết bị đăng nhập",
            "action": "/identity/devices/end",
            "others_action": "/identity/devices/end-others",
            "password_href": "/identity/password",
            "rows": [
                {
                    "id": f"{number:032x}",
                    "device": ("Chrome trên Windows", "Safari trên iPhone", "Thiết bị khác")[number % 3],
                    "address": "" if number % 7 == 6 else "2001:db8:85a3:8d3:1319:8a2e:370:7348" if number % 3 else "203.0.113.7",
                    "since": MOMENT,
                    "last_used": MOMENT,
                    "current": number == 0,
                }
                for number in range(rows)
            ],
        },
    )


def _descriptions() -> Iterator[Sample]:
    services = [{"name": name, "text": name, "href": f"/api/{name}/openapi.json"} for name in ("identity", "records")]
    yield Sample(
        "identity/openapi", "identity/openapi.html", {"shell": shell(), "title": "Mô tả API", "services": services, "chosen": "records"}
    )


def _publishing() -> Iterator[Sample]:
    states = ("NOT_SENT", "SENDING", "SENT", "ACCEPTED", "REJECTED", "WITHDRAWN")

    def submissions(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "2.5.2. Gửi học bạ",
            "noun": "học bạ",
            "of_pupils": True,
            "button": "Gửi lên hệ thống",
            "query": {},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "action": "/publishing/submissions",
            "classes": [("5A", "5A")],
            "selectable": rows,
            "counts": {"NOT_SENT": 120, "ACCEPTED": 196, "REJECTED": 4} if rows else {},
            "rows": [
                {
                    "id": f"t{number}",
                    "name": name_of(number),
                    "class_name": "5A",
                    "pupil_code": f"31250010{number:04}",
                    "confirmed_at": MOMENT,
                    "state": states[number % 6],
                    "sent_at": None if number % 6 == 0 else MOMENT,
                    "reason": "HB-GW-012: Số định danh cá nhân không khớp." if number % 6 == 4 else "",
                    "sendable": number % 6 in {0, 4},
                    "href": f"/records/transcripts/t{number}",
                    "history_href": f"/publishing/submissions/t{number}" if number % 2 else "",
                }
                for number in range(rows)
            ],
            "progress": progress(running=True) if rows > 1 else None,
        }

    yield from variants("publishing/submissions", submissions)
    one = {"shell": shell(), "title": name_of(1), "crumb": "2.5.2. Gửi học bạ", "back": "/publishing/submissions"}
    refused = {"requested_at": MOMENT, "sent_at": MOMENT, "at": MOMENT, "accepted": False, "reason": "NG-404: Sai mã số thuế."}
    attempts = [
        {**refused, "package": "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f"},
        {**refused, "requested_at": None, "accepted": True, "package": ""},
    ]
    row = submissions(5)["rows"][4]
    yield Sample("publishing/submission", "publishing/submission.html", {**one, "row": row, "attempts": attempts})
    searched = {
        "shell": shell(),
        "title": "2.9. Tra cứu học bạ trên Cổng tiếp nhận",
        "errors": {},
        "action": "/publishing/lookup",
        "given": {"class_code": "5A"},
        "years": [("2025-2026", "2025-2026")],
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "states": [("ACCEPTED", "Đã tiếp nhận")],
        "paging": None,
        "rows": None,
    }
    differences = ("Khớp", "Do hệ thống khác gửi", "Khác phiên bản trên hệ thống này", "Không thấy trên Cổng tiếp nhận")

    def found(rows: int) -> dict[str, Any]:
        held = [
            {
                "uuid": f"0197c2f2-7b1e-7d55-a5a0-{number:012}",
                "pupil_name": name_of(number),
                "pupil_code": f"31250010{number:04}",
                "personal_id": None if number % 4 == 3 else "031215001234",
                "class_code": "5A",
                "year": "2025-2026",
                "version": 1,
                "state": "ACCEPTED",
                "state_name": "Đã tiếp nhận",
                "accepted_at": MOMENT,
                "sender": "hocba",
                "difference": differences[number % 4],
                "known": number % 4 != 1,
            }
            for number in range(rows)
        ]
        return {**searched, "paging": paging(rows, rows + 300 if rows > 1 else rows), "rows": held}

    yield from variants("publishing/lookup", found)
    yield Sample("publishing/lookup-fresh", "publishing/lookup.html", searched)
    wrong = {**searched, "errors": {"personal_id": "Số định danh cá nhân gồm 12 chữ số."}, "given": {"personal_id": "12"}}
    yield Sample("publishing/lookup-wrong", "publishing/lookup.html", wrong)
    yield Sample("publishing/submission-never", "publishing/submission.html", {**one, "row": row, "attempts": []})
    send = "Gửi bảng tổng hợp kết quả ĐGGD"
    yield of_summaries("publishing/submissions", "publishing/submissions.html", submissions(3), "3.5.2. Gửi bảng tổng hợp", button=send)
    yield Sample("publishing/submissions-onlooker", "publishing/submissions.html", {**submissions(1), "selectable": 0})


def _district() -> Iterator[Sample]:
    lines = tuple(
        line_of(row(pupils, states))
        for pupils, states in (
            (320, {"ACCEPTED": 300, "SUBMITTED": 10, "REJECTED": 4}),
            (340, {"AWAITING_HOMEROOM": 100, "AWAITING_LEADER": 80, "SIGNED": 40}),
            (412, {}),
            (500, {"ACCEPTED": 500}),
            (0, {}),
        )
    )
    unit = shell(
        organisation="Phòng GD&ĐT quận Ngô Quyền",
        menu=(
            MenuGroup(
                "6. Học bạ số", (MenuItem("6.1.", "Duyệt chứng thư số đơn vị", "#"), MenuItem("6.4.", "Thống kê", "#", current=True))
            ),
        ),
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
            "headers": HEADERS,
            "legend": LEGEND,
            "summaries": "Chờ ký 1, Đã tiếp nhận 3",
            "totals": line_of(row(112_040, {"ACCEPTED": 80_000, "SUBMITTED": 1_240, "AWAITING_HOMEROOM": 9_000, "REJECTED": 400})),
            "rows": [
                {
                    "code": f"S{number}",
                    "name": f"Trường Tiểu học số {number + 1}",
                    "unit": "Phường An Hải",
                    "line": lines[number % 5],
                    "href": f"/district/statistics/schools/S{number}",
                }
                for number in range(rows)
            ],
            "unit_name": "Phường An Hải" if rows == 1 else "",
            "back_href": "?year=2025-2026",
            "units": [{"name": "Phường An Hải", "schools": rows, "line": lines[0], "href": "?unit=03101"}] if rows > 1 else [],
            "closed": [
                {
                    "name": "Trường cũ",
                    "unit": "Phường Lê Lợi",
                    "ended_on": MOMENT.date(),
                    "line": lines[2],
                    "href": "/district/statistics/schools/S",
                }
            ]
            if rows > 1
            else [],
            "overtime_href": "/district/statistics/overtime",
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
    final = {
        "reason": None,
        "danger": True,
        "warning": "Học bạ đã hủy không khôi phục được.",
        "title": "Hủy học bạ",
        "question": "Đồng ý xác nhận hủy học bạ?",
    }
    yield Sample("chassis/confirm-danger", "chassis/confirm.html", {**confirm, **final})
    error: dict[str, Any] = {
        "shell": shell(
            notices=(Notice("error", "Không lưu được."), Notice("info", "Hệ thống bảo trì lúc 22:00.", href="#", link_text="Xem lịch"))
        ),
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
