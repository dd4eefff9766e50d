"""Sample contexts of digitising paper transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
STATES = [
    ("NO_SCAN", "Chưa có bản quét", "neutral"),
    ("REVIEWING", "Đang đối chiếu", "waiting"),
    ("SENT_BACK", "Trả lại", "danger"),
    ("REVIEWED", "Đã đối chiếu", "info"),
    ("CREATED", "Đã tạo học bạ", "success"),
]
NO_JOB = {"progress": None, "running_href": ""}
PEOPLE = [("", "Chọn cán bộ"), ("a", "Trần Thị Học Vụ – Nhân viên học vụ")]


def digitising() -> Iterator[Sample]:
    yield from variants("records/digitisation", _list)
    yield from _plan()
    yield from _one()
    yield from _data()


def _list(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Số hóa học bạ giấy",
        "query": {"year": "2024-2025"},
        "paging": paging(rows, rows + 300 if rows > 1 else rows),
        "years": [("2024-2025", "2024-2025")],
        "states": [("", "Tất cả"), *((value, words) for value, words, _ in STATES)],
        "classes": [("", "Tất cả"), ("5A", "5A")],
        "plan": {
            "year": "2024-2025",
            "reviewer": name_of(1),
            "leader": name_of(2),
            "note": "Các khối lớp theo Chương trình GDPT 2018",
        },
        "plan_href": "/plan",
        "imports_href": "/imports",
        "confirmation_href": "/confirmation?year=2024-2025",
        "cancellation_href": "/cancellation?year=2024-2025",
        "counts": [(words, 12, tone) for _, words, tone in STATES],
        "action": "/digitisation",
        "selectable": rows,
        **NO_JOB,
        "rows": [
            {
                "code": f"31250010{number:04}",
                "name": name_of(number),
                "class_name": "5A",
                "source": "Trường Tiểu học Nguyễn Thị Lắng" if number % 4 == 0 else "Học bạ giấy của trường",
                "state": STATES[number % 5][0],
                "state_text": STATES[number % 5][1],
                "tone": STATES[number % 5][2],
                "waiting": f"{name_of(3)}, {name_of(4)}" if number % 5 in (1, 2) else "",
                "transcript": "Chờ ký" if number % 5 == 4 else "",
                "transcript_href": "/t" if number % 5 == 4 else "",
                "href": f"/digitisation/{number}",
                "selectable": number % 5 == 3,
            }
            for number in range(rows)
        ],
    }


def _plan() -> Iterator[Sample]:
    base: dict[str, Any] = {
        "shell": shell(),
        "title": "Kế hoạch số hóa",
        "back_href": "/digitisation",
        "newest": "2025-2026",
        "plan_action": "/plan",
        "pupil_action": "/pupils",
        "reviewers": PEOPLE,
        "leaders": PEOPLE,
        "typed": {"year": "", "reviewer": "", "leader": "a", "note": ""},
        "pupil": dict.fromkeys(("pupil", "year", "grade", "class_name", "paper_school", "reviewer", "leader"), ""),
        "plans": [],
        "errors": {},
    }
    yield Sample("records/digitisation_plan-new", "records/digitisation_plan.html", base)
    plans = [{"year": "2024-2025", "reviewer": name_of(1), "leader": name_of(2), "note": ""}]
    wrong = {"year": "Năm học 2025-2026 chưa kết thúc.", "p-year": "Năm học ghi dạng 2023-2024.", "_form": "Học sinh đã có học bạ."}
    yield Sample("records/digitisation_plan-error", "records/digitisation_plan.html", {**base, "plans": plans, "errors": wrong})


def _one() -> Iterator[Sample]:
    def part(number: int, kind: str, **more: Any) -> dict[str, Any]:
        return {
            "key": f"{kind}:{number}",
            "kind": kind,
            "title": "Tiếng Việt, Toán, Đạo đức",
            "rows": [
                ("Toán: Mức đạt được", "T"),
                ("Toán: Điểm KTĐK", "9"),
                ("Toán: Nhận xét", "Em nắm chắc kiến thức. " * 4),
            ],
            "written_by": name_of(7) if number == 2 else "",
            "reviewer": name_of(1),
            "signer": name_of(2),
            "seen": "Chưa đối chiếu",
            "tone": "waiting",
            "by": "",
            "at": None,
            "reason": "",
            "digest": DIGEST,
            "may_check": True,
            "may_send_back": True,
            **more,
        }

    base: dict[str, Any] = {
        "shell": shell(),
        "title": f"Số hóa học bạ giấy: {name_of(1)}",
        "back_href": "/digitisation",
        "facts": [("Năm học, lớp", "2024-2025, lớp 4C"), ("Trường ghi trên học bạ giấy", "Học bạ giấy của trường")],
        "state_text": "Đang đối chiếu",
        "unchecked": "",
        "transcript": "",
        "transcript_href": "",
        "scan_href": "",
        "scan_pages": 0,
        "scan_sha256": "",
        "scan_action": "/scan",
        "data_href": "/data",
        "check_action": "/check",
        "sign_links": [],
        "parts": [part(0, "profile", rows=[], may_check=False, may_send_back=False)],
        "history": [],
        "errors": {},
    }
    yield Sample("records/digitised-new", "records/digitised.html", base)
    done = {"seen": "Đã đối chiếu", "tone": "success", "by": name_of(1), "at": MOMENT, "may_check": False}
    back = {"seen": "Trả lại", "tone": "danger", "by": name_of(3), "at": MOMENT, "reason": "Điểm Toán không khớp", "may_send_back": False}
    full = {
        "scan_href": "/scan.pdf",
        "scan_pages": 6,
        "scan_sha256": DIGEST,
        "unchecked": "Chưa có bộ quy định đánh giá cho khối và năm học này.",
        "parts": [part(0, "profile"), part(1, "subjects", **done), part(2, "subjects", **back), part(3, "homeroom")],
        "history": [{"at": MOMENT, "name": name_of(1), "act": "Trả lại", "part": "Toán", "reason": "Điểm Toán không khớp"}],
    }
    yield Sample("records/digitised-review", "records/digitised.html", {**base, **full})
    wrong = {"ticked-profile:0": "Cần xác nhận bản quét là của đúng học sinh này.", "reason-subjects:1": "Lý do trả lại có từ 10 ký tự."}
    yield Sample(
        "records/digitised-error", "records/digitised.html", {**base, **full, "errors": {**wrong, "files": "Bản quét lớn hơn 20 MB."}}
    )
    created = {
        "transcript": "Chờ ký",
        "transcript_href": "/t",
        "sign_links": [("Ký", "/sign")],
        "scan_action": "",
        "data_href": "",
    }
    yield Sample("records/digitised-created", "records/digitised.html", {**base, **full, **created})


def _data() -> Iterator[Sample]:
    def field(number: int, label: str, value: str, kind: str = "text") -> dict[str, Any]:
        return {"id": f"f-{number}", "name": f"v:{number}", "label": label, "value": value, "kind": kind}

    subjects = [
        {
            "name": name,
            "id": f"s-{at}",
            "fields": [
                field(10 * at, "Mức đạt được", "T"),
                field(10 * at + 1, "Điểm KTĐK", "9"),
                field(10 * at + 2, "Nhận xét", "Tốt.", "long"),
            ],
            "teacher": ("", "Trần Văn Cũ"),
        }
        for at, name in enumerate(("Tiếng Việt", "Toán", "Lịch sử và Địa lí"))
    ]
    base: dict[str, Any] = {
        "shell": shell(),
        "title": f"Nhập dữ liệu học bạ giấy: {name_of(1)}",
        "crumb": "Năm học 2024-2025 · lớp 4C",
        "back_href": "/one",
        "action": "/data",
        "scan_href": "/scan.pdf",
        "unchecked": "",
        "circular": "TT 27/2020/TT-BGDĐT",
        "subjects": subjects,
        "others": [field(90, "Xếp loại", ""), field(91, "Lên lớp", "x", "tick"), field(92, "Nhận xét GVCN", "", "long")],
        "asks_teachers": True,
        "asks_staff": True,
        "homeroom": ("", ""),
        "staff": [("", "Đã nghỉ, chuyển công tác"), ("a", name_of(4))],
        "errors": {},
    }
    yield Sample("records/digitised_data-typing", "records/digitised_data.html", base)
    imported = {"asks_teachers": False, "asks_staff": False, "scan_href": "", "unchecked": "Chưa có bộ quy định đánh giá.", "circular": ""}
    wrong = {"f-1": "Toán: Điểm KTĐK nằm ngoài khoảng 0 đến 10.", "f-90": "Thiếu “Xếp loại”."}
    yield Sample("records/digitised_data-error", "records/digitised_data.html", {**base, **imported, "errors": wrong})
