"""Contexts of the pages of menus 2.10 and 6.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import MenuGroup, MenuItem, Shell
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

REASON = "Sai điểm môn Toán học kỳ II, đã đối chiếu với sổ theo dõi và đánh giá học sinh."
STATES = (
    ("DRAFT", "Nháp", "Lê Thị Ký không ký: lý do thu hồi chưa rõ ràng."),
    ("SEALING", "Chờ ký", ""),
    ("PENDING", "Chờ xử lý", ""),
    ("APPROVED", "Đã duyệt", ""),
    ("WITHDRAWN", "Đã thu hồi", ""),
    ("REFUSED", "Từ chối", "Thông tin trên học bạ đã chính xác."),
    ("RECALLED", "Đã rút yêu cầu", ""),
)
DECIDED = (
    ("pending", "Chờ xử lý", ""),
    ("approved", "Đã duyệt", ""),
    ("withdrawn", "Đã thu hồi", ""),
    ("refused", "Từ chối", "NG-601: Cổng không giữ học bạ này của trường."),
    ("recalled", "Nhà trường đã rút", ""),
)
ADDRESS = "/publishing/withdrawals"
DISTRICT = "/district/withdrawals"
SEND = {"text": "Gửi lên hệ thống", "name": "act", "value": "send"}
DELETE = {"text": "Xóa", "name": "act", "value": "delete", "kind": "secondary"}


def withdrawals() -> Iterator[Sample]:
    yield from variants("publishing/withdrawals", _list)
    yield Sample(
        "publishing/withdrawals-onlooker", "publishing/withdrawals.html", {**_list(7), "new_href": "", "buttons": [], "selectable": 0}
    )
    yield from variants("publishing/withdrawal_new", _new)
    yield Sample("publishing/withdrawal", "publishing/withdrawal.html", _details(0, buttons=[SEND, DELETE], edit_action=f"{ADDRESS}/w0"))
    wrong = {"reason": "Lý do thu hồi phải có từ 10 đến 500 ký tự."}
    yield Sample(
        "publishing/withdrawal-wrong",
        "publishing/withdrawal.html",
        _details(0, buttons=[SEND, DELETE], edit_action=f"{ADDRESS}/w0", errors=wrong, reason_value="<b>"),
    )
    yield Sample("publishing/withdrawal-ended", "publishing/withdrawal.html", _details(4, signed_href=f"{ADDRESS}/w4/request.xml"))
    unit = shell(
        menu=(MenuGroup("6. Học bạ số", (MenuItem("6.5.", "Quản lý yêu cầu thu hồi", DISTRICT, current=True),)),),
        organisation="Phòng Giáo dục và Đào tạo",
        period="",
    )
    yield from variants("district/withdrawals", lambda rows: _requests(unit, rows))
    for number in (0, 3):
        yield Sample(f"district/withdrawal-{DECIDED[number][0]}", "district/withdrawal.html", _request_details(unit, number))
    yield from variants("district/withdrawals_outcome", lambda rows: _outcome(unit, rows))


def _list(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "2.10.2. Gửi yêu cầu thu hồi",
        "query": {},
        "paging": paging(rows),
        "tabs": [{"text": "Nháp", "href": "?tab=draft", "current": True, "count": rows}],
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "new_href": f"{ADDRESS}/new",
        "other": (ADDRESS, "2.10.1. Tạo yêu cầu thu hồi"),
        "action": ADDRESS,
        "buttons": [SEND, DELETE],
        "selectable": rows,
        "rows": [_row(number) for number in range(rows)],
    }


def _row(number: int) -> dict[str, Any]:
    state, text, note = STATES[number % len(STATES)]
    return {
        "id": f"w{number}",
        "name": name_of(number),
        "class_name": "5A",
        "grade": 5,
        "pupil_code": f"31250010{number:04}" if number % 5 else "",
        "reason": REASON,
        "state": state,
        "state_text": text,
        "note": note,
        "at": MOMENT,
        "fit": state in {"DRAFT", "SEALING", "PENDING"},
        "href": f"{ADDRESS}/w{number}",
    }


def _new(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Tạo yêu cầu thu hồi",
        "crumb": "2.10.1. Tạo yêu cầu thu hồi",
        "back_href": ADDRESS,
        "query": {},
        "paging": paging(rows),
        "grades": [("5", "Khối 5")],
        "classes": [("5A", "5A")],
        "action": f"{ADDRESS}/new",
        "selectable": rows,
        "rows": [
            {
                "id": f"t{number}",
                "name": name_of(number),
                "class_name": "5A",
                "grade": 5,
                "pupil_code": f"31250010{number:04}" if number % 5 else "",
                "decided_at": MOMENT,
            }
            for number in range(rows)
        ],
    }


def _details(number: int, **changes: Any) -> dict[str, Any]:
    steps = [("Ký bằng chứng thư số nhà trường", name_of(4), ""), ("Gửi lên hệ thống", name_of(3), ""), ("Tạo yêu cầu", name_of(3), REASON)]
    context = {
        "shell": shell(),
        "title": f"Yêu cầu thu hồi: {name_of(number)}",
        "crumb": "2.10.1. Tạo yêu cầu thu hồi",
        "back_href": ADDRESS,
        "row": _row(number),
        "version": 1,
        "year": "2025-2026",
        "document_href": "/records/transcripts/t1",
        "signed_href": "",
        "sealed_by": name_of(4) if number else "",
        "edit_action": "",
        "reason_value": REASON,
        "errors": {},
        "sending_action": "/publishing/withdrawal-sending",
        "buttons": [],
        "history": [{"at": MOMENT, "text": text, "by": by, "reason": reason} for text, by, reason in steps],
        "earlier": [_row(5)] if number else [],
    }
    return {**context, **changes}


def _requests(unit: Shell, rows: int) -> dict[str, Any]:
    return {
        "shell": unit,
        "title": "6.5. Quản lý yêu cầu thu hồi",
        "query": {"state": "all"},
        "paging": paging(rows),
        "action": DISTRICT,
        "tabs": [{"text": text, "href": f"?state={state}", "current": state == "pending", "count": rows} for state, text, _ in DECIDED],
        "schools": [("S0", "Trường Tiểu học số 1")],
        "grades": [("5", "Khối 5")],
        "selectable": rows,
        "rows": [_request(number) for number in range(rows)],
    }


def _request(number: int) -> dict[str, Any]:
    state, text, refusal = DECIDED[number % len(DECIDED)]
    return {
        "id": f"r{number}",
        "href": f"{DISTRICT}/r{number}",
        "transcript": "5d0c1a2b-3e4f-4a5b-8c6d-7e8f9a0b1c2d",
        "school": "S0",
        "school_name": "Trường Tiểu học số 1",
        "year": "2025-2026",
        "class_code": "5A",
        "grade": 5,
        "version": 1,
        "pupil_code": f"31250010{number:04}" if number % 5 else "",
        "pupil_name": name_of(number),
        "kind": "transcript",
        "kind_name": "Học bạ",
        "reason": REASON,
        "by_name": name_of(3),
        "sealed_by_name": name_of(4),
        "sent_at": MOMENT,
        "state": state,
        "state_name": text,
        "refusal": refusal,
        "decided_by_name": name_of(5) if number % len(DECIDED) else None,
        "decided_at": MOMENT if number % len(DECIDED) else None,
        "ended_at": MOMENT if number % len(DECIDED) > 1 else None,
    }


def _request_details(unit: Shell, number: int) -> dict[str, Any]:
    return {
        "shell": unit,
        "title": "Chi tiết yêu cầu thu hồi",
        "crumb": "6. Học bạ số / 6.5. Quản lý yêu cầu thu hồi",
        "action": DISTRICT,
        "decidable": number == 0,
        "signed_href": f"{DISTRICT}/r{number}/request.xml",
        "school_href": f"{DISTRICT}?state=all&school=S0",
        "row": _request(number),
        "history": [_request(number), _request(number + 1)],
    }


def _outcome(unit: Shell, rows: int) -> dict[str, Any]:
    said = {"code": "HB-DIS-020", "title": "Yêu cầu không còn chờ xử lý", "cause": "Đã thu hồi.", "action": "Tải lại danh sách."}
    return {
        "shell": unit,
        "title": "Kết quả duyệt yêu cầu thu hồi",
        "done": rows - rows // 2,
        "failed": rows // 2,
        "done_text": "Đã duyệt",
        "back": DISTRICT,
        "rows": [
            {
                "name": name_of(number),
                "school_name": "Trường Tiểu học số 1",
                "class_name": "5A",
                **(said if number < rows // 2 else dict.fromkeys(said, "")),
            }
            for number in range(rows)
        ],
    }
