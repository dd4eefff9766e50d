"""Sample contexts of the certified copies, and of the rules in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.records.copies.rules import COPY_WORDS, KINDS, MEDIA, PARTS, RELATIONS, CopyState
from services.records.rules.pages import LEVELS, shown
from services.records.rules.routes import in_force
from services.records.rules.ruleset import GRADES
from tests.unit.chassis.web_samples_base import MOMENT, Sample, name_of, paging, shell, variants

YEAR = "2025-2026"
TRANSCRIPT = "01980000-0000-7000-8000-000000000001"
CRUMB = "Cấp bản sao học bạ"
STATES = list(CopyState)


def copies() -> Iterator[Sample]:
    yield from variants("records/copies", _register)
    yield from variants("records/copy_choice", _choice)
    form = _form()
    yield Sample("records/copy_new", "records/copy_new.html", form)
    wrong = {
        "requester": "Nhập họ tên người yêu cầu hoặc tên cơ quan (không quá 200 ký tự).",
        "relation": "Chọn quan hệ với học sinh.",
        "parts": "Bản trích sao cần ít nhất một phần của học bạ.",
        "count": "Số bản là số nguyên từ 1 đến 20.",
    }
    yield Sample("records/copy_new-error", "records/copy_new.html", {**form, "errors": wrong})
    for state in STATES:
        yield Sample(f"records/copy-{state.lower()}", "records/copy.html", _copy(state))
    yield Sample("records/copy-nobody", "records/copy.html", {**_copy(CopyState.ASKED), "signers": []})
    for level in LEVELS:
        yield Sample(f"records/rules-{level.lower()}", "records/rules.html", _rules([level], YEAR))
    yield Sample("records/rules-before", "records/rules.html", _rules(["TH", "THCS"], "2022-2023"))


def _register(rows: int) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": CRUMB,
        "query": {"sort": "number", "order": "desc"},
        "paging": paging(rows, rows + 740 if rows > 1 else rows),
        "years": [("", "Tất cả"), ("2026", "2026")],
        "states": [("", "Tất cả"), *((state.value, words) for state, words in COPY_WORDS.items())],
        "kinds": [("", "Tất cả"), *KINDS.items()],
        "media": [("", "Tất cả"), *MEDIA.items()],
        "new_href": "/records/copies/new",
        "xlsx_href": "/records/copies/register.xlsx",
        "rows": [
            {
                "number": f"{number:04d}/2026/BS-HBS" if number % 2 else "",
                "state": STATES[number % 4].value,
                "state_text": COPY_WORDS[STATES[number % 4]],
                "name": name_of(number),
                "pupil": f"3125001{number:05d}",
                "class": "5A",
                "year": YEAR,
                "kind_text": KINDS["EXTRACT" if number % 3 else "WHOLE"],
                "medium_text": MEDIA["FILE" if number % 2 else "PAPER"],
                "count": number % 3 + 1,
                "requester": name_of(number + 3),
                "relation": RELATIONS[number % 6],
                "requested_at": MOMENT,
                "issued_at": MOMENT if number % 2 else None,
                "href": f"/records/copies/{number}",
            }
            for number in range(rows)
        ],
    }


def _choice(rows: int) -> dict[str, Any]:
    row = {"pupil": "312500199001", "class": "5A", "year": YEAR, "state_text": "Hoàn thành ký"}
    return {
        "shell": shell(),
        "title": "Chọn học bạ để cấp bản sao",
        "crumb": CRUMB,
        "back_href": "/records/copies",
        "query": {"find": "hương"},
        "rows": [{**row, "name": name_of(number), "href": f"/records/copies/new?transcript={number}"} for number in range(rows)],
        "total": rows + 20 if rows > 1 else rows,
    }


def _form() -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": f"Yêu cầu cấp bản sao: {name_of(1)}",
        "crumb": CRUMB,
        "back_href": "/records/copies",
        "action": "/records/copies/new",
        "transcript": TRANSCRIPT,
        "facts": [("Học sinh", name_of(1)), ("Mã định danh học bạ", f"{TRANSCRIPT}, phiên bản 1")],
        "relations": [("", "Chọn quan hệ"), *((each, each) for each in RELATIONS)],
        "kinds": [(value, text, "") for value, text in KINDS.items()],
        "media": [("PAPER", "Bản giấy", "In, ký và đóng dấu"), ("FILE", "Tệp", "PDF kèm tệp học bạ gốc đã ký số")],
        "parts": list(PARTS.items()),
        "values": {
            "kind": "EXTRACT",
            "medium": "PAPER",
            "count": "1",
            "parts": ["profile"],
            "requester": name_of(2),
            "relation": "Cha",
            "purpose": "Nộp hồ sơ",
        },
        "errors": {},
    }


def _copy(state: CopyState) -> dict[str, Any]:
    issued = state in {CopyState.ISSUED, CopyState.REVOKED}
    return {
        "shell": shell(),
        "title": "Bản sao số 0012/2026/BS-HBS" if issued else f"Yêu cầu cấp bản sao: {name_of(1)}",
        "crumb": CRUMB,
        "back_href": "/records/copies",
        "state": state.value,
        "state_text": COPY_WORDS[state],
        "reason": "" if state in {CopyState.ASKED, CopyState.ISSUED} else "Ghi nhầm người yêu cầu",
        "facts": [("Học sinh", name_of(1)), ("Người yêu cầu", f"{name_of(2)} (Cha)"), ("SHA-256 của bản sao", "9f" * 32 if issued else "")],
        "source_facts": [("Mã định danh học bạ", f"{TRANSCRIPT}, phiên bản 1"), ("SHA-256 của tệp gốc", "a1" * 32)],
        "source_gone": state is CopyState.REVOKED,
        "pdf_href": "/api/records/copies/1/document.pdf" if state is CopyState.ISSUED else "",
        "issue_action": "/records/copies/1/issue",
        "signers": [("1", "Nguyễn Thị Đứng Đầu (Hiệu trưởng)"), ("2", "Phạm Văn Phó (Phó hiệu trưởng)")],
        "decline_href": "/records/copies/1/decline",
        "revoke_href": "/records/copies/1/revoke",
    }


def _rules(levels: list[str], year: str) -> dict[str, Any]:
    return {
        "shell": shell(),
        "title": "Quy định áp dụng",
        "query": {"year": year},
        "years": [(YEAR, YEAR), ("2022-2023", "2022-2023")],
        "levels": [(level, LEVELS[level]) for level in levels],
        "sections": [
            {
                "level": LEVELS[level],
                "sets": [shown(each) for each in in_force(level, year)],
                "uncovered": ", ".join(str(grade) for grade in list(GRADES[level])[3:]) if year != YEAR else "",
            }
            for level in levels
        ],
    }
