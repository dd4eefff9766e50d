"""Sample contexts of the learner record, of transfers and of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.chassis.web.look import Notice
from tests.unit.chassis.web_samples_base import DAY, MOMENT, Sample, name_of, paging, progress, shell, variants

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
VERDICTS = ("VALID", "UNCHECKED", "INVALID")
TABS = [{"text": "Chuyển đi", "href": "/out", "current": True}, {"text": "Chuyển đến", "href": "/in", "current": False}]


def over_the_years() -> Iterator[Sample]:
    yield from _learners()
    yield from _transfers()
    yield from _archives()


def _learners() -> Iterator[Sample]:
    yield from variants(
        "records/learners",
        lambda rows: {
            "shell": shell(),
            "title": "Hồ sơ học tập",
            "query": {"name": "an"},
            "paging": paging(rows, rows + 740 if rows > 1 else rows),
            "classes": [("", "Tất cả"), ("5A", "5A")],
            "years": [("", "Tất cả"), ("2025-2026", "2025-2026")],
            "rows": [
                {
                    "name": name_of(number),
                    "code": f"31250010{number:04}",
                    "born": DAY if number % 5 else None,
                    "class_name": "5A",
                    "year": "2025-2026",
                    "years": number % 5 + 1,
                    "status": ("Đang học", "Chuyển đi", "")[number % 3],
                    "href": f"/records/learners/{number}",
                }
                for number in range(rows)
            ],
        },
    )
    files = {"pdf_href": "/a.pdf", "xml_href": "/a.xml"}
    version = {"version": 2, "id": "t2", "state": "ACCEPTED", "replaces": "t1", "link": "Khớp với học bạ năm trước (2024-2025)"}
    first = {"version": 1, "id": "t1", "state": "CANCELLED", "replaces": "", "link": "Không ghi học bạ năm trước", "tone": "neutral"}
    years = [
        {
            "year": "2025-2026",
            "school": "Trường Tiểu học An Hồng",
            "class_name": "5A",
            "note": "",
            "status": "Đang học",
            "versions": [{**version, "tone": "success", "href": "/t2", **files}, {**first, "href": "/t1", "pdf_href": "", "xml_href": ""}],
        },
        {"year": "2024-2025", "school": "Trường B", "class_name": "4B", "note": "Nhận qua gói", "status": "", "versions": []},
    ]
    learner: dict[str, Any] = {
        "shell": shell(),
        "title": f"Hồ sơ học tập: {name_of(1)}",
        "back_href": "/records/learners",
        "facts": [("Họ và tên", name_of(1)), ("Ngày sinh", "")],
        "years": years,
        "moves": [{"at": "01/06/2026 09:00 +07:00", "what": "Chuyển đi, số 1/2025-2026", "place": "Trường B", "note": "Đã hủy"}],
        "transfer_href": "/records/transfers/new?pupil=1",
    }
    yield Sample("records/learner", "records/learner.html", learner)
    yield Sample("records/learner-empty", "records/learner.html", {**learner, "years": [], "moves": [], "transfer_href": ""})


def _transfers() -> Iterator[Sample]:
    states = ("SEALED", "TAKEN", "CANCELLED")
    yield from variants(
        "records/transfers",
        lambda rows: {
            "shell": shell(notices=(Notice("success", "Đã hủy chuyển trường."),)),
            "title": "Chuyển trường",
            "tabs": TABS,
            "query": {},
            "paging": paging(rows),
            "new_href": "/records/transfers/new",
            "errors": {},
            "rows": [
                {
                    "number": f"{number}/2025-2026",
                    "name": name_of(number),
                    "code": f"31250010{number:04}",
                    "class_name": "5A",
                    "to": "Trường Tiểu học Nơi Đến (31300002)",
                    "reason": "Theo gia đình chuyển chỗ ở",
                    "decision": "12/QĐ-CT",
                    "documents": 5,
                    "state": states[number % 3],
                    "at": MOMENT,
                    "learner_href": f"/records/learners/{number}",
                    "download_href": f"/api/records/transfers/{number}/package.zip" if number % 3 != 2 else "",
                    "undo_action": f"/records/transfers/{number}/undo" if number % 3 == 0 else "",
                }
                for number in range(rows)
            ],
        },
    )
    form: dict[str, Any] = {
        "shell": shell(),
        "title": "Lập gói chuyển trường",
        "back_href": "/records/transfers",
        "action": "/records/transfers",
        "find_action": "/records/transfers/new",
        "pupil": {"code": "312500100001", "name": name_of(1), "class_name": "5A", "year": "2025-2026"},
        "held": [{"year": "2024-2025", "school": "Trường B", "class_name": "4B"}],
        "values": dict.fromkeys(("pupil", "reason", "to_name", "to_code", "decision"), ""),
        "errors": {},
    }
    yield Sample("records/transfer_new", "records/transfer_new.html", form)
    yield Sample("records/transfer_new-find", "records/transfer_new.html", {**form, "pupil": {}, "held": []})
    wrong = {"reason": "Ghi lý do chuyển trường, ít nhất 5 ký tự.", "_form": "Học sinh đã chuyển đi."}
    yield Sample("records/transfer_new-error", "records/transfer_new.html", {**form, "held": [], "errors": wrong})
    yield from variants(
        "records/arrivals",
        lambda rows: {
            "shell": shell(),
            "title": "Chuyển trường",
            "tabs": TABS,
            "action": "/records/transfers/arrivals",
            "query": {},
            "paging": paging(rows),
            "errors": {"file": "Tệp a.pdf: nội dung tệp đã bị thay đổi."} if rows == 1 else {},
            "rows": [
                {
                    "name": name_of(number),
                    "code": f"31250010{number:04}",
                    "from_school": "Trường Tiểu học Hoa Phượng",
                    "class_name": "5A" if number % 2 else "",
                    "verdict": VERDICTS[number % 3],
                    "state": "TAKEN" if number % 2 else "CHECKED",
                    "at": MOMENT,
                    "href": f"/records/transfers/arrivals/{number}",
                }
                for number in range(rows)
            ],
        },
    )
    for verdict, taken in (("VALID", False), ("UNCHECKED", False), ("INVALID", False), ("VALID", True)):
        files = [
            {
                "kind": "PDF",
                "state": verdict,
                "reasons": [] if verdict == "VALID" else ["Chữ ký nhà trường: thiếu chứng thư số"],
                "signatures": 3,
            },
            {"kind": "XML", "state": "VALID", "reasons": [], "signatures": 1},
        ]
        arrival = {
            "shell": shell(),
            "title": f"Tiếp nhận: {name_of(1)}",
            "crumb": "Gói chuyển trường của Trường Tiểu học Hoa Phượng",
            "back_href": "/records/transfers/arrivals",
            "verdict": verdict,
            "state": "TAKEN" if taken else "CHECKED",
            "facts": [("Họ và tên", name_of(1)), ("Vân tay niêm phong", ":".join([DIGEST[:2].upper()] * 32))],
            "documents": [{"year": "2025-2026", "school": "Trường B", "class_name": "5A", "version": 1, "files": files}],
            "classes": [("", "Chỉ lưu hồ sơ, chưa xếp lớp"), ("5A", "Lớp 5A")],
            "take_action": "" if taken or verdict == "INVALID" else "/records/transfers/arrivals/1/take",
            "learner_href": "/records/learners/1" if taken else "",
            "errors": {"accept_unchecked": "Tích vào ô xác nhận."} if verdict == "UNCHECKED" else {},
        }
        yield Sample(f"records/arrival-{verdict.lower()}{'-taken' if taken else ''}", "records/arrival.html", arrival)


def _archives() -> Iterator[Sample]:
    states = ("FINISHED", "PACKING", "PLANNING", "FAILED")

    def archives(rows: int) -> dict[str, Any]:
        return {
            "shell": shell(),
            "title": "Đóng gói lưu trữ",
            "action": "/records/archives",
            "query": {},
            "paging": paging(rows),
            "years": [{"year": "2025-2026", "locked": True}, {"year": "2026-2027", "locked": False}],
            "progress": None,
            "rows": [
                {
                    "year": "2025-2026",
                    "number": number + 1,
                    "state": states[number % 4],
                    "at": MOMENT,
                    "finished_at": MOMENT if number % 4 in {0, 3} else None,
                    "by": name_of(number),
                    "bytes": 812_345_678,
                    "total": 4_180,
                    "manifest": DIGEST if number % 4 == 0 else "",
                    "problem": "HB-REC-163: Tệp a.pdf không còn đúng." if number % 4 == 3 else "",
                    "href": f"/api/records/archives/{number}/package.zip" if number % 4 == 0 else "",
                }
                for number in range(rows)
            ],
        }

    yield from variants("records/archives", archives)
    yield Sample("records/archives-running", "records/archives.html", {**archives(2), "progress": progress(running=True)})
    nothing = {**archives(0), "years": [{"year": "2026-2027", "locked": False}]}
    yield Sample("records/archives-unlocked", "records/archives.html", nothing)
