"""Contexts of the pages of 1.3. Duyệt tài khoản ký, and of the pictures of seals and signatures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import static_url
from services.identity.certificates.listing import FILTER_NAMES
from services.identity.images.pixels import Edit
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

STATES = (
    ("Đã đăng ký, chờ duyệt", "waiting"),
    ("Đã duyệt tài khoản", "success"),
    ("Từ chối duyệt", "danger"),
    ("Chưa đăng ký", "neutral"),
)
CRUMB = "1. Hệ thống / 1.3. Duyệt tài khoản ký"


def approval() -> Iterator[Sample]:
    yield from variants("identity/staff", _staff)
    yield from variants("identity/outcome", _outcome)
    yield Sample("identity/staff_person", "identity/staff_person.html", _person(0))
    yield Sample("identity/staff_person-own", "identity/staff_person.html", {**_person(1), "own": True, "decide": False, "granting": False})
    nobody = {**_person(3), "certificate": [], "checks": [], "recheck_href": "", "picture_href": "", "history": [], "decide": False}
    yield Sample("identity/staff_person-none", "identity/staff_person.html", nobody)
    yield from variants("identity/image", _image)
    refused = {"image": "Hệ thống chỉ hỗ trợ upload ảnh có định dạng: .png. Tệp đã chọn là ảnh JPEG."}
    yield Sample("identity/image-error", "identity/image.html", {**_image(2), "errors": refused})
    yield Sample("identity/image_edit", "identity/image_edit.html", _edit(Edit()))
    yield Sample("identity/image_edit-numbers", "identity/image_edit.html", _edit(Edit(crop=False, trims=(10, 20, 30, 40))))
    nothing = {**_edit(Edit()), "preview_href": "", "sample_href": "", "errors": {"threshold": "Sau khi xóa nền, ảnh không còn nét mực."}}
    yield Sample("identity/image_edit-error", "identity/image_edit.html", nothing)


def _row(number: int) -> dict[str, Any]:
    registered = number % 4 != 3
    name, tone = STATES[number % 4]
    return {
        "id": f"p{number}",
        "name": name_of(number),
        "code": f"CB{number:03}",
        "position": "Giáo viên",
        "means": "Remote Signing" if registered else "",
        "provider": "Nhà cung cấp A" if registered else "",
        "certificate_serial": "540102030405060708090A0B0C0D0E0F" if registered else "",
        "valid_until": dt.date(2027, 3, 1) if registered else None,
        "warning": {"text": "Còn 12 ngày", "tone": "warning"} if number % 8 == 1 else None,
        "state_name": name,
        "tone": tone,
        "reason": "Chứng thư số không phải của cán bộ này." if number % 4 == 2 else "",
        "issuer": number % 9 == 0,
        "href": f"/identity/staff/p{number}",
    }


def _staff(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Duyệt tài khoản ký",
        "crumb": CRUMB,
        "query": {"sort": "name", "order": "asc", "state": "PENDING"} if rows > 1 else {},
        "paging": paging(rows, rows + 740 if rows > 1 else rows),
        "action": "/identity/staff",
        "copy_action": "/identity/staff/copy",
        "export_href": "/identity/staff/list.xlsx",
        "issue_word": "Ký phát hành",
        "granting": rows != 1,
        "filters": [{"state": state, "text": text, "count": rows} for state, text in FILTER_NAMES.items()],
        "rows": [_row(number) for number in range(rows)],
    }


def _outcome(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Kết quả duyệt tài khoản đăng ký",
        "crumb": CRUMB,
        "done": 120,
        "at": MOMENT,
        "act": "refuse" if rows == 1 else "approve",
        "reason": "Sai số định danh" if rows == 1 else "",
        "action": "/identity/staff",
        "back_href": "/identity/staff",
        "rows": [
            {
                "person": f"p{number}",
                "name": name_of(number) if number % 5 else "",
                "code": "HB-IDN-036",
                "cause": "Hệ thống của tổ chức cấp chứng thư số chưa trả lời.",
                "action": "Thử lại sau ít phút.",
                "href": f"/identity/staff/p{number}",
            }
            for number in range(rows)
        ],
        "again": [f"p{number}" for number in range(0, rows, 2)],
    }


def _person(number: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Thông tin ký số nhân sự",
        "crumb": CRUMB,
        "row": _row(number),
        "own": False,
        "decide": True,
        "certificate": [("Chủ thể", name_of(number)), ("Tổ chức cấp", "Nhà cung cấp A"), ("Thuật toán", "ECDSA 256 bit, SHA-256")],
        "checks": [
            {"text": "Thời hạn hiệu lực", "result": "Đạt", "tone": "success", "words": "Đang trong thời hạn hiệu lực."},
            {"text": "Người được cấp", "result": "Không đạt", "tone": "danger", "words": "Chứng thư số cấp cho người khác."},
            {"text": "Tình trạng thu hồi", "result": "Chưa hỏi lại", "tone": "neutral", "words": "Được kiểm tra khi đăng ký."},
        ],
        "recheck_href": "?revocation=1",
        "picture_href": static_url("icon.svg"),
        "action": "/identity/staff",
        "issuer_action": f"/identity/staff/p{number}/issuer",
        "granting": True,
        "issue_word": "Ký phát hành",
        "imported_issuer": number == 0,
        "back_href": "/identity/staff",
        "history": [
            {
                "at": MOMENT,
                "serial": "540102030405060708090A0B0C0D0E0F",
                "means": "Remote Signing",
                "provider": "Nhà cung cấp A" if each else "",
                "state": STATES[each][0],
                "tone": STATES[each][1],
                "decided_at": MOMENT if each else None,
                "decided_by": name_of(each) if each else "",
                "reason": "Nhầm" if each == 2 else "",
            }
            for each in range(3)
        ],
    }


def _image(rows: int) -> dict[str, Any]:
    picture = static_url("icon.svg") if rows else ""
    return {
        "shell": shell(),
        "title": "Thông tin hình ảnh con dấu",
        "crumb": "1. Hệ thống / 1.1. Quản lý con dấu trường",
        "noun": "con dấu",
        "of_seal": rows != 1,
        "action": "/identity/seal",
        "block": {"position": "HIỆU TRƯỞNG", "name": name_of(0)},
        "edit_href": "/identity/seal/edit" if rows else "",
        "picture_href": picture,
        "sample_href": picture,
        "restore_action": "/identity/seal/restore",
        "parent_href": "/identity/school-certificate",
        "earlier": rows > 1,
        "rows": [
            {
                "number": rows - number,
                "at": MOMENT,
                "by": name_of(number),
                "what": "Đã xóa nền, ngưỡng 25, cắt sát nét mực" if number % 2 else "Ảnh tải lên",
                "size": "820 × 800",
                "bytes": 182_000,
                "href": picture,
                "current": number == 0,
            }
            for number in range(rows)
        ],
        "errors": {},
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Chỉnh sửa ảnh con dấu",
        "crumb": "1. Hệ thống / 1.1. Quản lý con dấu trường",
        "noun": "con dấu",
        "of_seal": True,
        "action": "/identity/seal/edit",
        "block": {"position": "HIỆU TRƯỞNG", "name": name_of(0)},
        "back_href": "/identity/seal",
        "edit": edit,
        "fields": [("background", 1), ("threshold", edit.threshold), ("crop", "auto")],
        "trims": dict(zip(("left", "top", "right", "bottom"), edit.trims or (0, 0, 0, 0), strict=True)),
        "preview_href": static_url("icon.svg"),
        "sample_href": static_url("icon.svg"),
        "errors": {},
    }
