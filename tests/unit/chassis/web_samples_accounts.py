"""Contexts of the pages of forgotten passwords and staff accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from tests.unit.chassis.web_samples_base import MOMENT, OUTSIDE, Sample, name_of, paging, shell, variants

VERSIONS = [("TH", "Quản lý Tiểu học", ""), ("OVERSIGHT", "Phòng/Sở GD&ĐT", "")]
STATES = {
    "signed_in": "Đang đăng nhập",
    "never": "Chưa đăng nhập lần nào",
    "one_time": "Chờ đổi mật khẩu một lần",
    "locked": "Tạm khoá đăng nhập",
    "left": "Đã nghỉ, chuyển đi",
    "unlisted": "Không còn trong dữ liệu nhập",
}
REQUESTS = {"WAITING": "Chờ xử lý", "DONE": "Đã cấp lại", "REFUSED": "Đã từ chối"}
PICTURE = Markup('<svg width="20" height="20"><path stroke="#000" d="M4 4.5h7"/></svg>')


def accounts() -> Iterator[Sample]:
    yield from _outside()
    yield from _recovery()
    yield from _list()
    yield from _person()


def _outside() -> Iterator[Sample]:
    forgotten: dict[str, Any] = {
        "shell": OUTSIDE,
        "title": "Quên mật khẩu",
        "action": "/identity/sign-in/forgotten",
        "cancel_href": "/identity/sign-in",
        "versions": VERSIONS,
        "values": {"version": "TH", "username": ""},
        "errors": {},
    }
    yield Sample("identity/forgotten", "identity/forgotten.html", forgotten)
    errors = {"_form": "Tên đăng nhập này đã được yêu cầu 5 lần.", "username": "Nhập tên đăng nhập"}
    yield Sample("identity/forgotten-error", "identity/forgotten.html", {**forgotten, "errors": errors})
    reset: dict[str, Any] = {
        "shell": OUTSIDE,
        "title": "Đặt mật khẩu mới",
        "action": "/identity/sign-in/reset",
        "token": "Zm9yZ290dGVu",
        "minimum": 10,
        "errors": {},
    }
    yield Sample("identity/reset_password", "identity/reset_password.html", reset)
    wrong = {"new": "Mật khẩu mới cần ít nhất 10 ký tự.", "repeat": "Hai mật khẩu mới không giống nhau"}
    yield Sample("identity/reset_password-error", "identity/reset_password.html", {**reset, "errors": wrong})
    said = {"shell": OUTSIDE, "title": "Đã gửi yêu cầu", "paragraphs": ["Yêu cầu đã được chuyển."], "sign_in_href": "/identity/sign-in"}
    yield Sample("identity/outside_message", "identity/outside_message.html", said)


def _recovery() -> Iterator[Sample]:
    def desk(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Yêu cầu cấp lại mật khẩu",
            "query": {"state": "ALL"},
            "paging": paging(rows),
            "states": REQUESTS,
            "links_action": "/identity/recovery/links",
            "refuse_action": "/identity/recovery/refuse",
            "hours": 24,
            "rows": [
                {
                    "id": f"p{number}",
                    "name": name_of(number),
                    "username": f"31300001{number:03}",
                    "position": "Giáo viên" if number % 2 else "",
                    "place": "Trường Tiểu học An Hồng",
                    "asked_at": MOMENT,
                    "state": tuple(REQUESTS)[number % 3],
                    "decided_at": MOMENT if number % 3 else None,
                    "decided_by": "Ngô Công Hoàng" if number % 3 else "",
                    "reason": "Không phải tôi yêu cầu" if number % 3 == 2 else "",
                }
                for number in range(rows)
            ],
        }

    yield from variants("identity/recovery", desk)
    links = {
        "shell": shell(),
        "title": "Đường dẫn đặt lại mật khẩu",
        "back_href": "/identity/recovery",
        "drop_factors": True,
        "rows": [
            {"name": name_of(n), "person": f"31300001{n:03}", "address": "hocba.example?t=" + "a" * 43, "until": MOMENT, "qr": PICTURE}
            for n in range(2)
        ],
        "refused": [{"name": "031-cb01", "message": "Không có tài khoản trong phạm vi."}],
    }
    yield Sample("identity/recovery_links", "identity/recovery_links.html", links)


def _row(number: int) -> dict[str, Any]:
    state = tuple(STATES)[number % 6]
    left = {"on": "2026-05-01", "reason": "Chuyển trường."} if state == "left" else None
    return {
        "id": f"31300001{number:03}",
        "name": name_of(number),
        "username": f"31300001{number:03}",
        "position": "Giáo viên",
        "role_names": ["Giáo viên chủ nhiệm", "Giáo viên bộ môn"] if number % 2 else [],
        "classes": ["5A", "5B"] if number % 3 == 0 else [],
        "by_hand": number % 4 == 2,
        "tags": [{"text": STATES[state], "tone": "waiting" if state == "one_time" else "neutral"}],
        "has_password": state != "never",
        "signed_in_at": None if state == "never" else MOMENT,
        "one_time_until": MOMENT if state == "one_time" else None,
        "one_time_over": number % 2 == 0,
        "locked_until": MOMENT if state == "locked" else None,
        "left": left,
    }


def _list() -> Iterator[Sample]:
    def page(rows: int, *, may_act: bool = True) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Tài khoản cán bộ, giáo viên",
            "query": {"name": "an"},
            "paging": paging(rows, rows + 40 if rows > 1 else rows),
            "roles": [("manager", "Cán bộ quản lý")],
            "states": STATES,
            "may_act": may_act,
            "action": "/identity/accounts",
            "person_href": "/identity/accounts/person",
            "new_href": "/identity/accounts/new",
            "recovery_href": "/identity/recovery",
            "rows": [_row(number) for number in range(rows)],
        }

    yield from variants("identity/accounts", page)
    yield Sample("identity/accounts-looking", "identity/accounts.html", page(7, may_act=False))
    slips = {
        "shell": shell(),
        "title": "Phiếu mật khẩu một lần",
        "back_href": "/identity/accounts",
        "address": "hocba.example",
        "days": 14,
        "rows": [{"name": name_of(n), "username": f"31300001{n:03}", "password": "abcd-efgh-jkmn"} for n in range(3)],
        "refused": [{"name": "Ngô Công Hoàng", "message": "Không tự cấp lại mật khẩu."}],
    }
    yield Sample("identity/password_slips", "identity/password_slips.html", slips)
    yield Sample("identity/password_slips-none", "identity/password_slips.html", {**slips, "rows": [], "refused": []})


def _person() -> Iterator[Sample]:
    person: dict[str, Any] = {
        "shell": shell(),
        "title": name_of(2),
        "crumb": "1. Hệ thống / Tài khoản cán bộ, giáo viên",
        "row": {**_row(2), "personal_id": "031190000002", "left_on": None},
        "roles": [
            {"role": "Nhân sự ký phát hành", "source": "Phân quyền Ký phát hành", "given_by": "Ngô Công Hoàng", "given_at": MOMENT},
            {"role": "Nhân viên học vụ", "source": "Chức vụ Nhân viên học vụ (người nhập thêm)", "given_by": "", "given_at": None},
        ],
        "history": [
            {"at": MOMENT, "text": "Nhập sai mật khẩu", "refused": True, "by": "Chưa đăng nhập", "reason": ""},
            {"at": MOMENT, "text": "Từ chối cấp lại mật khẩu", "refused": False, "by": "Ngô Công Hoàng", "reason": "Nhầm người."},
        ],
        "may_act": True,
        "may_correct": True,
        "grantable": True,
        "issuer_granted": True,
        "values": {"name": name_of(2), "personal_id": "", "position": "Giáo viên", "on": "", "leaving_reason": ""},
        "action": "/identity/accounts",
        "correct_action": "/identity/accounts/correct",
        "leave_action": "/identity/accounts/leave",
        "return_action": "/identity/accounts/return",
        "back_href": "/identity/accounts",
        "errors": {},
    }
    yield Sample("identity/person", "identity/person.html", person)
    errors = {"personal_id": "Số định danh cá nhân gồm 12 chữ số", "on": "Ngày nghỉ sai.", "reason": "Chưa nêu lý do."}
    yield Sample("identity/person-error", "identity/person.html", {**person, "errors": errors})
    left = {**_row(4), "personal_id": "", "left_on": dt.date(2026, 5, 1)}
    yield Sample("identity/person-left", "identity/person.html", {**person, "row": left, "roles": [], "history": [], "grantable": False})
    yield Sample("identity/person-looking", "identity/person.html", {**person, "may_act": False, "may_correct": False})
    new: dict[str, Any] = {
        "shell": shell(),
        "title": "Thêm nhân sự",
        "crumb": "1. Hệ thống / Tài khoản cán bộ, giáo viên",
        "action": "/identity/accounts/new",
        "cancel_href": "/identity/accounts",
        "values": {"code": "", "name": "", "personal_id": "", "position": ""},
        "errors": {},
    }
    yield Sample("identity/new_person", "identity/new_person.html", new)
    faults = {"code": "Mã đã được sử dụng.", "name": "Nhập họ và tên"}
    yield Sample("identity/new_person-error", "identity/new_person.html", {**new, "errors": faults})
