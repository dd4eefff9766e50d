"""What the samples of pages share: people, shell, progress, paging, and the three sizes of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from services.chassis.web.look import Deadline, MenuGroup, MenuItem, Paging, Progress, Shell, User

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
        user=User(
            "Nguyễn Thị Hương Giang",
            "Quản trị viên",
            "/identity/sign-out",
            (("Đổi mật khẩu", "/identity/password"), ("Thiết bị đăng nhập", "/identity/devices")),
        ),
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
