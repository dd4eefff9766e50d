"""Contexts of the pages of menu 6.1 and of the notices about certificates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import MenuGroup, MenuItem, Shell
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

STATES = [
    ("pending", "Chờ duyệt", ""),
    ("approved", "Đã duyệt", ""),
    ("refused", "Từ chối", "Sai mã số thuế."),
    ("ended", "Hết hiệu lực/đã thu hồi", "Chứng thư số đã bị thu hồi."),
]
ADDRESS = "/district/certificates"


def certificates() -> Iterator[Sample]:
    unit = shell(
        menu=(MenuGroup("6. Học bạ số", (MenuItem("6.1.", "Duyệt chứng thư số đơn vị", ADDRESS, current=True),)),),
        organisation="Phòng Giáo dục và Đào tạo",
        period="",
    )
    yield from variants("district/certificates", lambda rows: _list(unit, rows))
    waiting = {"shell": unit, "title": "Chi tiết chứng thư số", "crumb": "6. Học bạ số / 6.1. Duyệt chứng thư số đơn vị", "action": ADDRESS}
    more = {"school_href": f"{ADDRESS}?state=all&school=S0", "history": [_row(0), _row(1)]}
    yield Sample(
        "district/certificate", "district/certificate.html", {**waiting, **more, "row": _row(0), "present": _row(1), "decidable": True}
    )
    yield Sample(
        "district/certificate-ended", "district/certificate.html", {**waiting, **more, "row": _row(3), "present": None, "decidable": False}
    )
    yield from variants("district/certificates_outcome", lambda rows: _outcome(unit, rows))
    yield from variants("identity/notices", _notices)


def _list(unit: Shell, rows: int) -> dict[str, Any]:
    counts = [sum(n % 4 == state for n in range(rows)) for state in range(4)]
    return {
        "shell": unit,
        "title": "6.1. Duyệt chứng thư số đơn vị",
        "query": {"state": "all"},
        "paging": paging(rows),
        "action": ADDRESS,
        "tabs": [
            {"text": name, "href": f"?state={state}", "current": False, "count": counts[n]} for n, (state, name, _) in enumerate(STATES)
        ]
        + [{"text": "Tất cả", "href": "?state=all", "current": True, "count": rows}],
        "kinds": [("school", "Chứng thư số đơn vị"), ("manager", "Tài khoản ký số của cán bộ quản lý")],
        "waiting": [("3", "Từ 3 ngày"), ("7", "Từ 7 ngày")],
        "school_name": "",
        "export_href": f"{ADDRESS}.xlsx?state=all",
        "selectable": counts[0],
        "rows": [_row(number) for number in range(rows)],
    }


def _row(number: int) -> dict[str, Any]:
    state, state_name, reason = STATES[number % 4]
    return {
        "id": f"r{number}",
        "href": f"{ADDRESS}/r{number}",
        "school": f"S{number}",
        "school_name": f"Trường Tiểu học số {number + 1}",
        "kind": "school",
        "kind_name": "Chứng thư số đơn vị",
        "person_name": name_of(number),
        "subject": f"Trường Tiểu học số {number + 1}",
        "organisation": f"Trường Tiểu học số {number + 1}",
        "tax_code": "0231300001",
        "issuer": "CA công cộng thử nghiệm",
        "serial": "54010203040506070809",
        "algorithm": "RSA 2048 bit, SHA256",
        "provider": "sandbox",
        "year": "2025-2026",
        "valid_from": MOMENT,
        "valid_to": MOMENT + dt.timedelta(days=365),
        "days_left": 365,
        "requested_at": MOMENT,
        "days_waiting": 4 if state == "pending" else None,
        "asked_because": "Đổi nhà cung cấp chứng thư số." if number % 5 == 0 else "",
        "state": state,
        "state_name": state_name,
        "reason": reason,
        "checking": False,
        "decided_at": None if state == "pending" else MOMENT,
        "ended_at": None,
    }


def _outcome(unit: Shell, rows: int) -> dict[str, Any]:
    return {
        "shell": unit,
        "title": "Kết quả duyệt chứng thư số",
        "done": rows - rows // 2,
        "failed": rows // 2,
        "done_text": "Đã duyệt",
        "back": ADDRESS,
        "rows": [
            {
                "school_name": f"Trường Tiểu học số {number + 1}",
                "kind_name": "Chứng thư số đơn vị",
                "subject": f"Trường Tiểu học số {number + 1}",
                "code": "HB-DIS-001" if number < rows // 2 else "",
                "title": "Yêu cầu đã được xử lý" if number < rows // 2 else "",
                "cause": "Yêu cầu này đã được duyệt hoặc từ chối trước đó." if number < rows // 2 else "",
                "action": "Tải lại danh sách để xem trạng thái mới nhất." if number < rows // 2 else "",
            }
            for number in range(rows)
        ],
    }


def _notices(rows: int) -> dict[str, Any]:
    kinds = [
        ("Chứng thư số của thầy/cô còn không quá 15 ngày là hết hạn", "Sắp hết hạn", "warning"),
        ("Chứng thư số nhà trường đã bị thu hồi", "Đã bị thu hồi", "danger"),
        ("Tài khoản ký của thầy/cô đã được duyệt", "Đã duyệt", "success"),
    ]
    return {
        "shell": shell(),
        "title": "Thông báo",
        "action": "/identity/notices",
        "query": {},
        "paging": paging(rows),
        "unread": (rows + 1) // 2,
        "rows": [
            {
                "id": f"n{number}",
                "title": kinds[number % 3][0],
                "text": "Gia hạn tại nhà cung cấp rồi đăng ký lại tại mục 1.2. Giáo viên đăng ký tài khoản ký trước ngày đó.",
                "certificate_subject": name_of(number),
                "certificate_serial": "54010203040506070809",
                "at": MOMENT,
                "read": number % 2 == 1,
                "status": kinds[number % 3][1],
                "tone": kinds[number % 3][2],
            }
            for number in range(rows)
        ],
    }
