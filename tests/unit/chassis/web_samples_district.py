"""Contexts of the pages of menus 6.3 and 6.4 and of the live board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import MenuGroup, MenuItem, User
from services.district import charts
from services.district.overtime import MILESTONES
from services.district.statistics import COLUMNS, WORDS
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

NAMES = [words for words, _ in MILESTONES.values()]


def _shell() -> Any:
    return shell(
        organisation="Phòng Văn hoá - Xã hội phường An Hải",
        menu=(MenuGroup("6. Học bạ số", (MenuItem("6.3.", "Tra cứu học bạ số", "#", current=True),)),),
        user=User("Phạm Văn Lâm", "Cán bộ quản lý cấp trên", "/identity/sign-out"),
    )


def overseeing() -> Iterator[Sample]:
    yield from _lookup()
    yield from variants("district/school", _school)
    yield Sample(
        "district/school-elsewhere", "district/school.html", {**_school(3), "named": False, "ended": "Trường đã kết thúc hoạt động."}
    )
    yield from variants("district/school_class", _school_class)
    yield from variants("district/overtime", _overtime)
    yield from _board()


def _lookup() -> Iterator[Sample]:
    def listed(rows: int) -> dict[str, Any]:
        return {
            "shell": _shell(),
            "title": "6.3. Tra cứu học bạ số",
            "action": "/ui/district/lookup",
            "export_action": "/ui/district/lookup.xlsx",
            "values": {"name": "lan", "personal_id": "", "uuid": "", "school": "", "year": "2025-2026", "grade": "", "state": ""},
            "errors": {},
            "schools": [("31300001", "Trường Tiểu học An Hồng"), ("31300002", "Trường Tiểu học Đặng Xá (đã giải thể, sáp nhập)")],
            "years": [("2025-2026", "2025-2026")],
            "grades": [("1", "Khối 1")],
            "states": [("AWAITING", "Chờ ký")],
            "searched": True,
            "more": rows > 50,
            "paging": paging(rows),
            "rows": [
                {
                    "id": f"736ca2c6-80e9-5197-b9b1-{number:012d}",
                    "name": name_of(number),
                    "personal_id": f"{number:012d}",
                    "school_name": "Trường Tiểu học An Hồng",
                    "class": "5A",
                    "grade": 5,
                    "year": "2025-2026",
                    "version": 1 + number % 2,
                    "state_text": "Bị từ chối tiếp nhận" if number % 3 == 0 else "Đã tiếp nhận",
                    "tone": "danger" if number % 3 == 0 else "success",
                    "submitted_at": MOMENT,
                    "accepted_at": None if number % 3 == 0 else MOMENT,
                    "refusal": "Sai số định danh cá nhân" if number % 3 == 0 else "",
                }
                for number in range(rows)
            ],
        }

    yield from variants("district/lookup", listed)
    yield Sample("district/lookup-new", "district/lookup.html", {**listed(0), "searched": False})
    wrong = {"personal_id": "Số định danh cá nhân gồm đúng 12 chữ số."}
    yield Sample("district/lookup-error", "district/lookup.html", {**listed(0), "searched": False, "errors": wrong})


def _school(rows: int) -> dict[str, Any]:
    return {
        "shell": _shell(),
        "title": "Trường Tiểu học An Hồng",
        "crumb": "6.4. Thống kê học bạ số",
        "back_href": "/ui/district/statistics",
        "facts": [("Mã trường", "31300001"), ("Học sinh", "320")],
        "ended": "",
        "columns": [WORDS[c] for c in COLUMNS],
        "summaries": rows > 0,
        "rows": [
            {
                "name": f"{1 + n % 5}A{n}",
                "grade": 1 + n % 5,
                "numbers": [32, *([n % 4] * (len(COLUMNS) - 1))],
                "summary": "Đã tiếp nhận",
                "href": "/ui/district/class",
            }
            for n in range(rows)
        ],
        "named": True,
        "people": [
            {
                "person": f"3130000100{n}",
                "name": name_of(n),
                "step": "Lãnh đạo",
                "count": n,
                "classes": "5A, 5B",
                "since": MOMENT,
                "days": n,
                "class": "5A",
            }
            for n in range(rows)
        ],
        "overtime_href": "/ui/district/statistics/overtime?school=31300001",
        "export_href": "/ui/district/statistics/schools/31300001.xlsx",
    }


def _school_class(rows: int) -> dict[str, Any]:
    return {
        "shell": _shell(),
        "title": "Lớp 5A",
        "crumb": "Trường Tiểu học An Hồng · Năm học 2025-2026",
        "back_href": "/ui/district/statistics/schools/31300001",
        "back_text": "Trường Tiểu học An Hồng",
        "rows": [
            {
                "name": name_of(n),
                "state_text": "Chờ ký",
                "tone": "waiting",
                "people": name_of(n + 1),
                "since": MOMENT if n % 2 else None,
                "days": n,
                "note": "HB-SIG-001: Tệp hỏng" if n % 2 else "",
            }
            for n in range(rows)
        ],
    }


def _overtime(rows: int) -> dict[str, Any]:
    days = [MOMENT.date() + dt.timedelta(days=n) for n in range(rows)]
    series = {words: (tone, list(range(rows))) for words, tone in MILESTONES.values()}
    return {
        "shell": _shell(),
        "title": "Diễn biến theo ngày",
        "crumb": "6.4. Thống kê học bạ số",
        "back_href": "/ui/district/statistics",
        "back_text": "Thống kê học bạ số",
        "place": "Phường An Hải",
        "chart": charts.lines("Số học bạ cộng dồn theo ngày", [f"{d:%d/%m}" for d in days], series) if rows else None,
        "names": NAMES,
        "rows": [{"day": day, "numbers": [n] * len(NAMES)} for n, day in enumerate(days)],
        "export_href": "/ui/district/statistics/overtime.xlsx",
    }


def _board() -> Iterator[Sample]:
    def board(rows: int, days_left: int = 3) -> dict[str, Any]:
        return {
            "shell": _shell(),
            "title": "Theo dõi trực tiếp",
            "href": "/ui/district/board",
            "events": "/ui/district/board/events",
            "year": "2025-2026",
            "deadline": dt.date(2026, 8, 20),
            "days_left": days_left,
            "updated_at": MOMENT,
            "boxes": [("Học sinh", 320, "neutral"), ("Đã tiếp nhận", 300, "success"), ("Bị từ chối", 4, "danger")],
            "accepted": "300 trong 320 (94%)",
            "speeds": [("Gửi", "120 học bạ mỗi giờ"), ("Với tốc độ này xong sau", "chưa tính được")],
            "chart": charts.bars("Số học bạ được tiếp nhận mỗi giờ", [(f"{h:02d}h", h * 3) for h in range(24)], "success"),
            "hours": [{"text": f"{h:02d}h ngày 20/08", "submitted": h, "accepted": h * 3} for h in range(24)],
            "done_schools": 4,
            "all_schools": 4 + rows,
            "rows": [{"name": f"Trường số {n}", "remaining": n + 1, "share": "94%", "href": "/ui/district/school"} for n in range(rows)],
            "more": 7 if rows > 1 else 0,
        }

    yield from variants("district/board", board)
    yield Sample("district/board-last-day", "district/board.html", board(1, 0))
    yield Sample("district/board-late", "district/board.html", board(1, -2))
    yield Sample("district/board-nothing", "district/board.html", {"shell": _shell(), "title": "Theo dõi trực tiếp", "chart": None})
