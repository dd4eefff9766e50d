"""Contexts of the pages of units, schools and school years."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

PLACES = "/ui/identity/organisations"
DAY = dt.date(2025, 7, 1)


def organisations() -> Iterator[Sample]:
    yield from variants(
        "identity/organisations",
        lambda rows: {
            "shell": shell(),
            "title": "Đơn vị và trường học",
            "crumb": "1. Hệ thống / Đơn vị và trường học",
            "counts": [("Đơn vị đang hoạt động", 12, "neutral"), ("Thay đổi không thực hiện được", 1, "danger")],
            "query": {"name": "an"} if rows else {},
            "paging": paging(rows),
            "rows": [_place(n) for n in range(min(rows, 50))],
            "new_unit_href": f"{PLACES}/units/new",
            "new_school_href": f"{PLACES}/schools/new",
            "changes_href": f"{PLACES}/changes",
        },
    )
    yield from variants(
        "identity/organisation_changes",
        lambda rows: {
            "shell": shell(),
            "title": "Thay đổi đã lên kế hoạch",
            "query": {},
            "paging": paging(rows),
            "changes": [_change(n) for n in range(min(rows, 50))],
            "list_href": PLACES,
        },
    )
    unit: dict[str, Any] = {
        "shell": shell(),
        "title": "Phòng Giáo dục và Đào tạo",
        "facts": [("Mã đơn vị", "03101"), ("Cán bộ quản lý", "")],
        "counts": [("Trường", 24, "neutral")],
        "acts": [{"text": "Sáp nhập đơn vị", "href": f"{PLACES}/change?kind=merge_unit"}],
        "new_unit_href": f"{PLACES}/units/new",
        "new_school_href": f"{PLACES}/schools/new",
        "rows": [_place(1), _place(2)],
        "past": _past(),
        "changes": [_change(n) for n in range(4)],
        "list_href": PLACES,
    }
    yield Sample("identity/unit", "identity/unit.html", unit)
    bare = {"acts": [], "new_unit_href": "", "new_school_href": "", "rows": [], "changes": [], "counts": []}
    yield Sample("identity/unit-ended", "identity/unit.html", {**unit, **bare})
    school: dict[str, Any] = {
        "shell": shell(),
        "title": "Trường Tiểu học An Hồng",
        "facts": [("Mã trường", "31300001"), ("Năm học đang mở", "2025-2026")],
        "acts": [{"text": "Đổi tên trường", "href": f"{PLACES}/change?kind=rename_school"}],
        "edit_href": f"{PLACES}/schools/31300001/edit",
        "administrators": [
            {"name": name_of(n), "code": f"3130000100{n}", "position": "Nhân viên" * (n % 2), "take_href": f"{PLACES}/take/{n}"}
            for n in range(2)
        ],
        "name_href": f"{PLACES}/schools/31300001/administrators",
        "past": _past(),
        "changes": [_change(1)],
        **_years(),
    }
    yield Sample("identity/school", "identity/school.html", school)
    closed: dict[str, Any] = {
        "acts": [],
        "edit_href": "",
        "administrators": [],
        "name_href": "",
        "changes": [],
        "years": [],
        "next_year": None,
    }
    yield Sample("identity/school-closed", "identity/school.html", {**school, **closed})
    yield Sample(
        "identity/own_school",
        "identity/own_school.html",
        {"shell": shell(), "title": "Thông tin nhà trường", "facts": school["facts"], "past": _past(), **_years()},
    )
    yield from _forms()


def _forms() -> Iterator[Sample]:
    change: dict[str, Any] = {
        "shell": shell(),
        "title": "Sáp nhập đơn vị",
        "subject": "Phòng Giáo dục và Đào tạo",
        "action": f"{PLACES}/change/preview",
        "cancel_href": f"{PLACES}/units/03101",
        "values": {"kind": "merge_unit", "code": "03101", "day": "2025-07-01", "name": "", "target": "03102", "basis": "Quyết định số 12"},
        "asks_name": False,
        "target_label": "Đơn vị kế thừa",
        "targets": [("", "Chọn đơn vị"), ("03102", "Xã An Lão (03102)")],
        "officers": [{"_id": f"031-cb0{n}", "name": name_of(n)} for n in range(2)],
        "errors": {},
    }
    yield Sample("identity/organisation_change", "identity/organisation_change.html", change)
    wrong = {"target": "Chọn đơn vị kế thừa", "day": "Nhập ngày có hiệu lực"}
    yield Sample("identity/organisation_change-error", "identity/organisation_change.html", {**change, "errors": wrong})
    rename = {"title": "Đổi tên trường", "asks_name": True, "target_label": "", "officers": [], "errors": {"name": "Nhập tên mới"}}
    yield Sample("identity/organisation_change-rename", "identity/organisation_change.html", {**change, **rename})
    names = ("code", "name", "parent", "unit", "tax_code", "valid_from", "person_code", "person_name", "personal_id", "reset")
    new: dict[str, Any] = {
        "shell": shell(),
        "title": "Thêm trường",
        "action": f"{PLACES}/schools",
        "cancel_href": PLACES,
        "units": [("03101", "Phòng Giáo dục và Đào tạo (03101)")],
        "values": dict.fromkeys(names, ""),
        "levels": [("TH", "Tiểu học", True), ("THCS", "THCS", False), ("THPT", "THPT", False)],
        "errors": {},
    }
    for kind in ("unit", "school", "facts", "administrator"):
        yield Sample(f"identity/organisation_new-{kind}", "identity/organisation_new.html", {**new, "kind": kind})
    missing = {"code": "Nhập mã", "levels": "Chọn ít nhất một cấp học", "tax_code": "Nhập mã số thuế", "person_name": "Nhập họ và tên"}
    yield Sample("identity/organisation_new-error", "identity/organisation_new.html", {**new, "kind": "school", "errors": missing})
    for password in ("ABCD-EFGH-IJKL", None):
        issued = {"person": "31300001003", "name": name_of(3), "username": "31300001003", "one_time_password": password}
        context = {"shell": shell(), "title": "Đã thêm trường", "issued": issued, "onward": f"{PLACES}/schools/31300001"}
        yield Sample(f"identity/organisation_made-{'new' if password else 'kept'}", "identity/organisation_made.html", context)
    dates: dict[str, Any] = {
        "shell": shell(),
        "title": "Các ngày của năm học 2025-2026",
        "school": "Trường Tiểu học An Hồng",
        "action": "/ui/identity/school-years/31300001/2025-2026/dates",
        "cancel_href": "/ui/identity/own-school",
        "values": {"starts_on": "2025-09-05", "ends_on": "2026-05-31", "deadline": ""},
        "national_deadline": dt.date(2026, 8, 20),
        "errors": {},
    }
    yield Sample("identity/school_year_dates", "identity/school_year_dates.html", dates)
    wrong = {"_form": "Ngày kết thúc phải sau ngày bắt đầu.", "starts_on": "Nhập ngày bắt đầu"}
    yield Sample("identity/school_year_dates-error", "identity/school_year_dates.html", {**dates, "errors": wrong})


def _place(number: int) -> dict[str, Any]:
    school = number % 3 != 0
    return {
        "name": f"Trường Tiểu học số {number}" if school else f"Phường số {number}",
        "code": f"3130000{number}",
        "href": f"{PLACES}/schools/3130000{number}",
        "depth": number % 4,
        "kind": "school" if school else "unit",
        "above": "Phòng Giáo dục và Đào tạo" if number else "",
        "levels": "Tiểu học, THCS" if school else "",
        "year": "2025-2026" if school else "",
        "ended": number % 5 == 4,
        "state": "Không còn từ ngày 01/07/2025" if number % 5 == 4 else "Đang hoạt động",
    }


def _change(number: int) -> dict[str, Any]:
    status, tone = (
        ("Chờ đến ngày", "waiting"),
        ("Đã có hiệu lực", "success"),
        ("Không thực hiện được", "danger"),
        ("Đã huỷ", "neutral"),
    )[number % 4]
    return {
        "id": f"c{number}",
        "act": "Sáp nhập đơn vị",
        "name": f"Phường số {number}",
        "href": f"{PLACES}/units/0310{number}",
        "day": DAY,
        "to": "Xã An Lão",
        "basis": "Quyết định số 12" if number % 2 else "",
        "status": status,
        "tone": tone,
        "reason": "Đơn vị kế thừa không còn hoạt động." if tone == "danger" else "",
        "by": "031-cb01",
        "at": MOMENT,
        "undo": f"{PLACES}/changes/c{number}/undo" if tone == "waiting" else "",
    }


def _past() -> list[dict[str, Any]]:
    return [
        {"name": "Trường cũ", "above": "Sở › Phòng", "since": None, "until": dt.date(2025, 6, 30)},
        {"name": "Trường mới", "above": "Sở › Phường", "since": DAY, "until": None},
    ]


def _years() -> dict[str, Any]:
    years = [
        {
            "year": f"{first}-{first + 1}",
            "open": is_open,
            "status": "Đang mở" if is_open else "Đã đóng",
            "starts_on": dt.date(first, 9, 5),
            "ends_on": dt.date(first + 1, 5, 31),
            "deadline": dt.date(first + 1, 6, 30) if is_open else None,
            "national_deadline": dt.date(first + 1, 8, 20),
            "reason": "" if is_open else "Đính chính học bạ",
            "dates_href": f"/ui/identity/school-years/31300001/{first}/dates",
            "open_href": "" if is_open else f"/ui/identity/school-years/31300001/{first}/open",
        }
        for first, is_open in ((2025, True), (2024, False))
    ]
    return {"years": years, "next_year": {"year": "2026-2027", "href": "/ui/identity/school-years/31300001/2026-2027/open"}}
