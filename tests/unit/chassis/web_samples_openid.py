"""Contexts of the pages of signing in with an account of a unit's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, OUTSIDE, Sample, name_of, paging, shell, variants

STATES = {"WAITING": "Chờ duyệt", "APPROVED": "Đã duyệt", "REFUSED": "Từ chối"}


def openid() -> Iterator[Sample]:
    versions: dict[str, Any] = {
        "shell": OUTSIDE,
        "title": "Đăng nhập bằng Cổng xác thực thử nghiệm",
        "provider": "Cổng xác thực thử nghiệm",
        "begin_href": "/identity/sign-in/oidc/sandbox/begin",
        "next": "/records/classes",
        "versions": [("TH", "Quản lý Tiểu học", ""), ("OVERSIGHT", "Phòng/Sở GD&ĐT", "")],
        "cancel_href": "/identity/sign-in",
    }
    yield Sample("identity/openid_versions", "identity/openid_versions.html", versions)

    def links(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Liên kết đăng nhập",
            "query": {"state": "ALL"},
            "paging": paging(rows),
            "states": STATES,
            "action": "/identity/sign-in-links",
            "remove_action": "/identity/sign-in-links/remove",
            "decides": True,
            "rows": [_row(number) for number in range(min(rows, 50))],
            "own": [_row(number) for number in range(min(rows, 2))],
        }

    yield from variants("identity/openid_links", links)
    teacher = {**links(1), "decides": False, "rows": []}
    yield Sample("identity/openid_links-own", "identity/openid_links.html", teacher)


def _row(number: int) -> dict[str, Any]:
    state = list(STATES)[number % 3]
    return {
        "id": f"{number:064x}",
        "name": name_of(number),
        "code": f"31300001{number:03d}",
        "place": "Trường Tiểu học An Hồng",
        "provider": "Cổng xác thực thử nghiệm",
        "asked_at": MOMENT,
        "state": state,
        "decided_at": None if state == "WAITING" else MOMENT,
        "decided_by": "" if state == "WAITING" else name_of(number + 1),
        "reason": "Không đúng người" if state == "REFUSED" else "",
    }
