"""Contexts of the pages of the admissions portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from services.publishing.admissions import rules
from services.publishing.admissions.pages import STATES, TONES
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, progress, shell, variants

ADDRESS = "/publishing/admissions"
TITLE = "Gửi học bạ lên Cổng Tuyển sinh"


def admissions() -> Iterator[Sample]:
    yield from variants("publishing/admissions", _list)
    yield Sample("publishing/admissions-onlooker", "publishing/admissions.html", {**_list(7), "selectable": 0, "progress": None})
    receipt = {
        "number": "TS-2025-000128",
        "received_at": MOMENT,
        "issued_at": MOMENT,
        "sha256": "5d0c1a2b" * 8,
        "pdf_sha256": "3e4f4a5b" * 8,
        "xml_sha256": "7e8f9a0b" * 8,
        "signer": "UID=SERVICE:admissions,CN=Cổng Tuyển sinh Sở Giáo dục và Đào tạo,C=VN",
        "href": "/api/publishing/admissions/t4/receipt",
    }
    yield Sample("publishing/admission", "publishing/admission.html", _one(4, receipt=receipt, attempts=2))
    yield Sample("publishing/admission-refused", "publishing/admission.html", _one(5, sendable=True, attempts=1))
    yield Sample("publishing/admission-never", "publishing/admission.html", _one(1, sendable=True))


def _list(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": TITLE,
        "progress": replace(progress(running=True), title="Gửi 320 học bạ lên Cổng Tuyển sinh") if rows > 1 else None,
        "query": {"year": "2025-2026"} if rows else {},
        "paging": paging(rows),
        "action": ADDRESS,
        "years": [("2025-2026", "2025-2026"), ("2024-2025", "2024-2025")] if rows else [],
        "classes": [("5A", "5A"), ("5B", "5B")],
        "states": [(state, rules.WORDS[state]) for state in STATES],
        "deadlines": [("Lớp 5", "Gửi đến hết ngày 25/05/2026 (Sở Giáo dục và Đào tạo)")] if rows else [],
        "counts": [(rules.WORDS[state], 12 * n + 1, TONES[state]) for n, state in enumerate(STATES)] if rows else [],
        "selectable": rows,
        "rows": [_row(number) for number in range(rows)],
    }


def _row(number: int) -> dict[str, Any]:
    state = STATES[number % len(STATES)]
    return {
        "id": f"t{number}",
        "name": name_of(number),
        "class_name": "5A",
        "grade": 5,
        "pupil_code": f"31250010{number:04}",
        "state": state,
        "state_text": rules.WORDS[state],
        "tone": TONES[state],
        "sent_at": MOMENT if state in {rules.SENT, rules.RECEIPTED, rules.REFUSED, rules.REVOKED} else None,
        "receipt": f"TS-2025-{number:06}" if state in {rules.RECEIPTED, rules.REVOKED} else "",
        "reason": "TS-202: Học bạ không hợp lệ (NG-304): Chữ ký XML cuối cùng mang mã số thuế khác." if state == rules.REFUSED else "",
        "sendable": state in {rules.NOT_SENT, rules.RESEND, rules.REFUSED},
        "href": f"{ADDRESS}/t{number}",
    }


def _one(number: int, *, receipt: dict[str, Any] | None = None, sendable: bool = False, attempts: int = 0) -> dict[str, Any]:
    ends = ((rules.RECEIPTED, "TS-2025-000128"), (rules.REFUSED, "TS-201: Cổng Tuyển sinh chỉ nhận học bạ lớp 5, lớp 9 và lớp 12."))
    return {
        "shell": shell(),
        "title": name_of(number),
        "crumb": TITLE,
        "back": ADDRESS,
        "action": ADDRESS,
        "sendable": sendable,
        "row": _row(number),
        "year": "2025-2026",
        "version": 1,
        "document_href": f"/records/transcripts/t{number}",
        "receipt": receipt,
        "attempts": [
            {
                "requested_at": MOMENT,
                "sent_at": MOMENT if state == rules.RECEIPTED else None,
                "at": MOMENT,
                "outcome": rules.WORDS[state],
                "tone": TONES[state],
                "reason": reason,
                "push": "0197c2f2-7b1e-7d55-a5a0-5f6f0c1d2e3f",
            }
            for state, reason in ends[2 - attempts :]
        ],
    }
