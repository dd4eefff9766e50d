"""Pages under /ui/district: 6.4 Thống kê học bạ số, by unit and school; what is below a school stands in `progress/`."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.menu import STATISTICS, entry_of
from services.chassis import clock
from services.chassis.access import Who
from services.chassis.vietnamese import fold
from services.chassis.web import downloads
from services.chassis.web.lists import ordered, paged, query_of
from services.chassis.web.look import render, with_query
from services.chassis.web.shell import shell
from services.district import certificate_pages
from services.district.board import pages as board_pages
from services.district.lock_dates import pages as lock_date_pages
from services.district.lookup import pages as lookup_pages
from services.district.progress import overtime_pages
from services.district.progress import pages as progress_pages
from services.district.routes import numbers, store_of
from services.district.statistics import COLUMNS, WORDS, added_up, told_of
from services.district.statistics_shown import HEADERS, LEGEND, line_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal

router = APIRouter(prefix="/ui/district", include_in_schema=False)
for part in (certificate_pages, lock_date_pages, lookup_pages, overtime_pages, progress_pages, board_pages):
    router.include_router(part.router)

OVERTIME = f"{STATISTICS}/overtime"
LEVELS = {"TH": "Tiểu học", "THCS": "THCS", "THPT": "THPT"}


@router.get("/statistics")
async def show_statistics(request: Request, who: Who) -> Response:
    query = query_of(request, "year", "unit", "level", "name", "sort", "order", "page")
    told, rows = await _schools(request, who, query)
    page, paging = paged(rows, query)
    names = await store_of(request).unit_names({told["unit"], told["own_unit"], *(r["unit"] for r in (*page, *told["closed"]))})
    year = told["year"] or ""
    context = {
        "shell": shell(
            request, who, organisation=names.get(told["own_unit"], ""), period=f"Năm học {told['year']}" if told["year"] else ""
        ),
        "title": entry_of(who, STATISTICS).title,
        "query": {**query, **({"year": told["year"]} if told["year"] else {})},
        "paging": paging,
        "years": [(y, y) for y in told["years"]],
        "levels": list(LEVELS.items()),
        "updated_at": clock.now(),
        "export_href": f"{STATISTICS}.xlsx{with_query(query, page=None)}",
        "headers": HEADERS,
        "legend": LEGEND,
        "totals": line_of(added_up(rows)),
        "summaries": told_of(sum((Counter(told["summaries"].get(r["school"], {})) for r in rows), Counter())),
        "unit_name": names.get(told["unit"], "") if told["unit"] != told["own_unit"] else "",
        "back_href": with_query(query, unit=None, page=None),
        "units": [
            {"name": u["name"], "schools": u["schools"], "line": line_of(u), "href": with_query(query, unit=u["unit"], page=None)}
            for u in told["units"]
        ],
        "rows": [
            {
                "code": r["school"],
                "name": r["name"],
                "unit": names.get(r["unit"], ""),
                "line": line_of(r),
                "href": f"{STATISTICS}/schools/{r['school']}{with_query({'year': year})}",
            }
            for r in page
        ],
        "closed": [
            {
                "name": r["name"],
                "unit": names.get(r["unit"], ""),
                "ended_on": dt.date.fromisoformat(r["abolished_on"]),
                "line": line_of(r),
                "href": f"{STATISTICS}/schools/{r['school']}{with_query({'year': year})}",
            }
            for r in told["closed"]
        ],
        "overtime_href": f"{OVERTIME}{with_query({'year': year, 'unit': query.get('unit', '')})}",
    }
    return render(request.app.state.pages, request, "district/statistics.html", context)


async def _schools(request: Request, who: Principal, query: Mapping[str, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the API tells, and of it the schools that the filter finds. A year that nobody has shows the newest."""
    told = await numbers(request, who, query.get("year"), query.get("unit"), known=True)
    name, level = fold(query.get("name", "")), query.get("level", "")
    found = [r for r in told["schools"] if (not name or name in fold(r["name"])) and (not level or level in r["levels"])]
    return told, ordered(found, query, {"name": lambda r: fold(r["name"]), "total": lambda r: r["pupils"]})


@router.get("/statistics.xlsx")
async def export_statistics(request: Request, who: Who) -> Response:
    """By school and grade, all that the filter finds."""
    told, rows = await _schools(request, who, query_of(request, "year", "unit", "level", "name", "sort", "order"))
    headers = ["Mã trường", "Tên trường", "Khối", *(WORDS[column] for column in COLUMNS)]
    lines = [[r["school"], r["name"], line["grade"], *(line[column] for column in COLUMNS)] for r in rows for line in r["grades"]]
    return downloads.workbook("thong-ke-hoc-ba", f"Năm học {told['year']}" if told["year"] else "Thống kê", headers, lines)
