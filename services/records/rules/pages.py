"""Page "Quy định áp dụng": what the school's results are judged by, for teachers to check."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response

from services.chassis.access import Who
from services.chassis.web.lists import query_of
from services.chassis.web.look import render
from services.records.page_parts import framed, newest
from services.records.rules.in_words import Described
from services.records.rules.routes import choices, in_force, without_rules

router = APIRouter(prefix="/ui/records", include_in_schema=False)
LEVELS = {"TH": "Tiểu học", "THCS": "Trung học cơ sở", "THPT": "Trung học phổ thông"}
_YEAR = re.compile(r"20\d\d-20\d\d")


@router.get("/rules")
async def show_rules(request: Request, who: Who) -> Response:
    levels, years = await choices(request, who)
    query = query_of(request, "year", "level")
    asked = query.get("year", "")
    year = asked if _YEAR.fullmatch(asked) else years[0]
    asked_for = [each for each in levels if query.get("level", "") in ("", each)] or levels
    sections = []
    for level in asked_for:
        found = in_force(level, year)
        uncovered = ", ".join(str(grade) for grade in without_rules(level, found))
        sections.append({"level": LEVELS[level], "sets": [shown(each) for each in found], "uncovered": uncovered})
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": "Quy định áp dụng",
        "query": {**query, "year": year},
        "years": [(each, each) for each in dict.fromkeys([*years, year])],
        "levels": [(each, LEVELS[each]) for each in levels],
        "sections": sections,
    }
    return render(request.app.state.pages, request, "records/rules.html", context)


def shown(described: Described) -> dict[str, object]:
    since = "; ".join(f"lớp {grade} từ năm học {year}" for grade, year in described.since)
    return {
        "circular": described.circular,
        "facts": [
            ("Văn bản", described.circular),
            ("Phiên bản bộ quy định", str(described.version)),
            ("Nguồn", described.source),
            ("Áp dụng", since + (f"; đến hết năm học {described.until}" if described.until else "")),
        ],
        "parts": [part.model_dump() for part in described.parts],
    }
