"""Contexts of the pages of the audit trail, the school's activity and problem reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.identity.activity.words import ACTS, KINDS, SERVICES
from services.identity.problems.reports import STATES
from tests.unit.chassis.web_samples_base import DAY, MOMENT, Sample, name_of, paging, shell, variants

REQUEST = "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f"


def activity() -> Iterator[Sample]:
    yield from variants("identity/activity", _activity)
    yield from variants("identity/audit", _audit)
    wrong = {"from": "Ngày bắt đầu không phải là ngày.", "first": "Khoảng thời gian quá dài."}
    yield Sample("identity/audit-error", "identity/audit.html", {**_audit(1), "errors": wrong})
    mine = {"mine": True, "title": "Hoạt động của tôi", "crumb": "", "export_action": "", "places": [], "query": {"request": REQUEST}}
    yield Sample("identity/audit-mine", "identity/audit.html", {**_audit(1), **mine})
    yield from variants("identity/problems", _problems)
    form: dict[str, Any] = {
        "shell": shell(report=f"/identity/problems/new?page=/ui/records/classes&request={REQUEST}"),
        "title": "Báo lỗi",
        "action": "/identity/problems/new",
        "what": "",
        "page": "/ui/records/classes",
        "told": REQUEST,
        "longest": 2000,
        "back_href": "/identity/problems?mine=1",
        "errors": {},
    }
    yield Sample("identity/problem_new", "identity/problem_new.html", form)
    yield Sample("identity/problem_new-error", "identity/problem_new.html", {**form, "errors": {"what": "Nhập nội dung cần báo"}})
    yield from _problem()


def _shown(number: int) -> dict[str, Any]:
    return {
        "id": f"records:{number}",
        "at": MOMENT,
        "actor": f"31300001{number:03d}",
        "actor_name": name_of(number),
        "text": "Phân quyền Ký phát hành",
        "refused": number % 4 == 0,
        "subject": f"31300001{number + 1:03d}",
        "subject_name": name_of(number + 1),
        "place_name": "Trường Tiểu học An Hồng",
        "service_name": "Tài khoản, chứng thư số",
        "number": number + 1,
        "address": "203.0.113.7",
        "device": "Chrome trên Windows",
        "request_id": REQUEST,
        "details": [("Thay đổi", "không → có")] if number % 3 else [],
        "details_left_out": number % 3 == 0,
    }


def _activity(rows: int) -> dict[str, Any]:
    def finding(number: int) -> dict[str, Any]:
        return {
            "id": f"night:identity:{number}",
            "title": "Đăng nhập ban đêm",
            "reason": "Đăng nhập lúc 02:14, trong khoảng 0 giờ đến 5 giờ.",
            "at": MOMENT,
            "person": name_of(number),
            "href": "/identity/audit?who=31300001001",
            "seen_by": name_of(number + 3),
            "seen_at": MOMENT,
        }

    return {
        "shell": shell(),
        "title": "Hoạt động của trường",
        "crumb": "1. Hệ thống",
        "action": "/identity/activity/seen",
        "fresh": [finding(n) for n in range(rows)],
        "fresh_total": rows * 2,
        "looked_at": [finding(n) for n in range(min(rows, 20))],
        "kinds": KINDS,
        "day_columns": [{"text": "Ngày"}, *({"text": text, "number": True} for text in (*KINDS, "Tổng"))],
        "days": [{"day": DAY - dt.timedelta(days=n), "acts": [n * k for k in range(len(KINDS))], "total": 21 * n} for n in range(14)],
        "latest": [_shown(n) for n in range(min(rows, 10))],
        "audit_href": "/identity/audit",
    }


def _audit(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(report=f"/identity/problems/new?page=/ui/identity/audit&request={REQUEST}"),
        "title": "Nhật ký hoạt động",
        "crumb": "1. Hệ thống",
        "mine": False,
        "query": {"kind": KINDS[0]} if rows > 1 else {},
        "errors": {},
        "rows": [_shown(n) for n in range(rows)],
        "total": rows * 40,
        "most": 10_000,
        "first_page": rows < 2,
        "next": "1779951780000~records:40" if rows > 1 else "",
        "kinds": [("", "Tất cả"), *((kind, kind) for kind in KINDS)],
        "acts": [("", "Tất cả"), *((act, words.text) for act, words in ACTS.items())],
        "services": [("", "Tất cả"), *SERVICES.items()],
        "places": [("", "Tất cả"), ("31300001", "Trường Tiểu học An Hồng"), ("31300002", "Trường Tiểu học An Hải")],
        "export_action": "/identity/audit/export",
        "export": {"first": "2026-05-01", "last": "2026-05-28", "place": "31300001"},
    }


def _problems(rows: int) -> dict[str, Any]:
    def row(number: int) -> dict[str, Any]:
        return {
            "id": f"problem-{number}",
            "href": f"/identity/problems/problem-{number}",
            "what": "Không tải được danh sách lớp 1A…",
            "by": name_of(number),
            "at": MOMENT,
            "state": STATES[number % 3],
            "answered_at": MOMENT if number % 3 else None,
            "unread": number % 5 == 1,
        }

    return {
        "shell": shell(),
        "title": "Báo lỗi",
        "crumb": "1. Hệ thống",
        "query": {},
        "paging": paging(rows),
        "new_href": "/identity/problems/new",
        "rows": [row(n) for n in range(rows)],
        "by_school": [{"name": f"Trường Tiểu học {n}", "NEW": n, "WORKING": 0, "DONE": 2 * n} for n in range(min(rows, 30))],
    }


def _problem() -> Iterator[Sample]:
    problem = {
        "_id": "problem-1",
        "what": "Không tải được danh sách lớp 1A <b>",
        "at": MOMENT,
        "page": "/ui/records/classes",
        "request_id": REQUEST,
        "state": "NEW",
        "answer": "",
        "answered_at": None,
    }
    context: dict[str, Any] = {
        "shell": shell(),
        "title": "Nội dung báo lỗi",
        "crumb": "Báo lỗi",
        "problem": problem,
        "by": name_of(3),
        "answered_by": "",
        "action": "/identity/problems/problem-1",
        "text": "",
        "back_href": "/identity/problems",
        "errors": {},
    }
    yield Sample("identity/problem-board", "identity/problem.html", context)
    yield Sample("identity/problem-error", "identity/problem.html", {**context, "errors": {"text": "Chưa nhập nội dung trả lời."}})
    answered = {**problem, "state": "DONE", "answer": "Đã sửa, thầy/cô tải lại trang.", "answered_at": MOMENT}
    reader = {"problem": answered, "answered_by": name_of(4), "action": ""}
    yield Sample("identity/problem-answered", "identity/problem.html", {**context, **reader})
