"""Menu 6.4 over time: a line for each step, day by day, of a branch or of one school."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.menu import STATISTICS, entry_of
from services.chassis.access import Who
from services.chassis.web import downloads
from services.chassis.web.lists import query_of
from services.chassis.web.look import render, vn_date, with_query
from services.chassis.web.shell import shell
from services.district import charts
from services.district.overtime import MILESTONES, by_day
from services.district.progress.reading import read
from services.district.routes import numbers, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal

router = APIRouter()
NAMES = [words for words, _ in MILESTONES.values()]


@router.get("/statistics/overtime")
async def show_over_time(request: Request, who: Who) -> Response:
    query = query_of(request, "year", "unit", "school")
    seen = await _seen(request, who, query)
    rows = seen["rows"]
    names = [f"{r['day']:%d/%m}" for r in rows]
    series = {words: (tone, [r[milestone] for r in rows]) for milestone, (words, tone) in MILESTONES.items()}
    period = f"Năm học {seen['year']}" if seen["year"] else ""
    unit_names = await store_of(request).unit_names([who.unit or ""])
    context = {
        "shell": shell(request, who, organisation=unit_names.get(who.unit or "", ""), period=period),
        "title": "Diễn biến theo ngày",
        "crumb": entry_of(who, STATISTICS).title,
        "back_href": seen["back_href"],
        "back_text": seen["back_text"],
        "place": seen["place"],
        "chart": charts.lines(f"Số học bạ cộng dồn theo ngày, {seen['place']}, {period}", names, series) if rows else None,
        "names": NAMES,
        "rows": [{"day": r["day"], "numbers": [r[m] for m in MILESTONES]} for r in reversed(rows)],
        "export_href": f"{STATISTICS}/overtime.xlsx{with_query(query)}",
    }
    return render(request.app.state.pages, request, "district/overtime.html", context)


@router.get("/statistics/overtime.xlsx")
async def export_over_time(request: Request, who: Who) -> Response:
    seen = await _seen(request, who, query_of(request, "year", "unit", "school"))
    lines = [[vn_date(r["day"]), *(r[m] for m in MILESTONES)] for r in seen["rows"]]
    return downloads.workbook("thong-ke-theo-ngay", f"Năm học {seen['year']}" if seen["year"] else "Thống kê", ["Ngày", *NAMES], lines)


async def _seen(request: Request, who: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    """Of one school, or of a unit with everything below it in that year."""
    store = store_of(request)
    if query.get("school"):
        school = await read(request, who, query["school"], query.get("year", ""))
        back = f"{STATISTICS}/schools/{school.school['_id']}{with_query({'year': school.year})}"
        place, year, codes, text = school.then["name"], school.year, [school.school["_id"]], school.then["name"]
    else:
        told = await numbers(request, who, query.get("year"), query.get("unit"))
        year, codes = told["year"] or "", [s["school"] for s in told["schools"]]
        place = (await store.unit_names([told["unit"]])).get(told["unit"], told["unit"])
        back, text = f"{STATISTICS}{with_query(query)}", entry_of(who, STATISTICS).text
    rows = by_day(await store.days(codes, year)) if year else []
    return {"year": year, "place": place, "rows": rows, "back_href": back, "back_text": text}
