"""What the minutes ("biên bản") of a correction say: every word ready, so that Typst only lays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis import clock
from services.chassis.web.look import vn_time
from services.records.corrections.states import ACT_WORDS, APPROVE, PARTIES
from services.records.render.text import clean, date_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Document
    from services.records.schoolyear import School, Staff

BLANK = "(để trống)"


def words_of(request: Document, school: School, staff: Mapping[str, Staff]) -> dict[str, Any]:
    """JSON-able; of a request that has just been carried out. All text is cleaned of what cannot be seen."""
    ended = request["changed_at"]
    approval = next(h for h in request["history"] if h["act"] == APPROVE)
    return {
        "title": f"Biên bản sửa dữ liệu học bạ số {request['number']} - Năm học {request['year']}",
        "moment": ended.isoformat(),
        "unit": clean(school.unit_name),
        "school": clean(school.name),
        "number": f"{request['number']:02d}/BB-HBS",
        "place_date": f"{clean(school.print_place)}, {date_words(clock.in_vietnam(ended).date())}",
        "year": request["year"],
        "pupil": clean(request["pupil_name"]),
        "pupil_code": request["pupil_code"],
        "class": clean(request["class_name"]),
        "asker": clean(request["asked_by_name"]),
        "asked_at": vn_time(request["asked_at"]),
        "reason": clean(request["reason"]),
        "approver": clean(approval["name"]),
        "approver_position": clean(_position(approval["by"], staff)),
        "approved_at": vn_time(approval["at"]),
        "witnesses": [
            {
                "party": words,
                "name": clean(request["witnesses"][party]["name"]),
                "position": clean(_position(request["witnesses"][party]["by"], staff)),
                "at": vn_time(request["witnesses"][party]["at"]),
            }
            for party, words in PARTIES.items()
        ],
        "changes": [
            {"field": clean(c["field"]), "before": clean(c["before"]) or BLANK, "after": clean(c["after"]) or BLANK}
            for c in sorted(request["changes"], key=lambda c: c["field"] != request["field"])
        ],
        "evidence": [{"name": clean(e["name"]), "sha256": e["document"]["sha256"]} for e in request["evidence"]],
        "history": [
            {
                "at": vn_time(h["at"]),
                "name": clean(h["name"]),
                "act": ACT_WORDS[h["act"]] + (f" ({PARTIES[h['party']]})" if h["party"] else ""),
            }
            for h in request["history"]
        ],
        "ended_at": vn_time(ended),
    }


def _position(code: str, staff: Mapping[str, Staff]) -> str:
    return staff[code].position if code in staff else ""
