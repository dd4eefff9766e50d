"""Contexts of the pages of menu 6.2."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import MenuGroup, MenuItem, Shell
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

ADDRESS = "/district/lock-dates"
TITLE = "6.2. Cấu hình tiếp nhận, thu hồi học bạ số"
JUNE, JULY = dt.date(2026, 6, 30), dt.date(2026, 7, 15)


def lock_dates() -> Iterator[Sample]:
    unit = shell(
        menu=(MenuGroup("6. Học bạ số", (MenuItem("6.2.", "Cấu hình tiếp nhận, thu hồi học bạ số", ADDRESS, current=True),)),),
        organisation="Phòng Giáo dục và Đào tạo",
        period="Năm học 2025-2026",
        deadline=None,
    )
    yield from variants("district/lock_dates", lambda rows: _list(unit, rows))
    form = {
        "shell": unit,
        "title": "Cấu hình khóa tiếp nhận",
        "crumb": f"6. Học bạ số / {TITLE}",
        "errors": {},
        "action": ADDRESS,
        "fields": [("year", "2025-2026"), ("act", "intake"), ("scope", "schools"), ("ids", "S0")],
        "facts": [("Năm học", "2025-2026"), ("Áp dụng cho", "12 trường đã chọn"), ("Hạn đưa lên CSDL quốc gia", "20/08/2026")],
        "grades": [(str(g), f"Khối {g}") for g in range(1, 10)],
        "day_label": "Ngày khóa tiếp nhận",
        "cancel_href": ADDRESS,
    }
    yield Sample("district/lock_dates_form", "district/lock_dates_form.html", form)
    wrong = {"grades": "Chưa chọn khối học.", "on": "Chưa nhập ngày khóa."}
    yield Sample("district/lock_dates_form-wrong", "district/lock_dates_form.html", {**form, "errors": wrong})
    yield from variants("district/lock_dates_history", lambda rows: _history(unit, rows))
    yield from variants("district/lock_dates_school", lambda rows: _school(unit, min(rows, 10)))


def _list(unit: Shell, rows: int) -> dict[str, Any]:
    return {
        "shell": unit,
        "title": TITLE,
        "query": {"year": "2025-2026"},
        "paging": paging(rows),
        "action": ADDRESS,
        "years": [("2025-2026", "2025-2026")],
        "levels": [("TH", "Tiểu học"), ("THCS", "THCS")],
        "history_href": f"{ADDRESS}/history",
        "common": [
            ("Ngày khóa tiếp nhận", "Mọi khối: 30/06/2026" if rows else "Chưa đặt"),
            ("Ngày khóa thu hồi", "Chưa đặt"),
            ("Ngày khóa gửi tuyển sinh", "Khối 5: 25/05/2026"),
        ],
        "national": dt.date(2026, 8, 20),
        "selectable": rows,
        "rows": [
            {
                "id": f"S{number}",
                "name": f"Trường Tiểu học số {number + 1}",
                "href": f"{ADDRESS}/S{number}",
                "own": number % 3 == 1,
                "intake": [
                    {"grades": "Khối 1–4", "on": JUNE, "past": number % 4 == 0},
                    {"grades": "Khối 5", "on": JULY, "past": False},
                ],
                "withdrawal": [] if number % 2 else [{"grades": "Mọi khối", "on": JULY, "past": False}],
                "admissions": [{"grades": "Mọi khối", "on": JUNE, "past": True}] if number % 2 else [],
            }
            for number in range(rows)
        ],
    }


def _line(number: int) -> dict[str, Any]:
    return {
        "at": MOMENT,
        "actor": name_of(number),
        "school": "Tất cả trường" if number % 2 else "Trường Tiểu học số 1",
        "matter": "Khóa tiếp nhận",
        "grade": "Khối 5",
        "before": None if number % 3 == 0 else JUNE,
        "after": JULY,
    }


def _history(unit: Shell, rows: int) -> dict[str, Any]:
    return {
        "shell": unit,
        "title": "Lịch sử cấu hình ngày khóa",
        "crumb": f"6. Học bạ số / {TITLE}",
        "query": {"year": "2025-2026"},
        "years": [("2025-2026", "2025-2026")],
        "paging": paging(rows),
        "back": ADDRESS,
        "rows": [_line(number) for number in range(rows)],
    }


def _school(unit: Shell, rows: int) -> dict[str, Any]:
    bound = {"own": "", "on": JUNE, "set_by": "Sở GD&ĐT"}
    return {
        "shell": unit,
        "title": "Trường Tiểu học An Hồng",
        "crumb": f"6. Học bạ số / {TITLE}",
        "year": "2025-2026",
        "action": f"{ADDRESS}/S0",
        "back": ADDRESS,
        "national": dt.date(2026, 8, 20),
        "rows": [
            {
                "grade": g,
                "intake": {"own": "2026-07-15", "on": JULY, "set_by": "Phường An Hải"},
                "withdrawal": bound if g % 2 else {"own": "", "on": None, "set_by": ""},
                "admissions": bound if g == 5 else None,
            }
            for g in range(1, 6)
        ],
        "history": [_line(number) for number in range(rows)],
        "more": rows > 5,
    }
