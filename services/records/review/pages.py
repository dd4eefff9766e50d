"""Pages "Rà soát dữ liệu": the classes at a glance, then each part with filters and as a workbook."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.menu import REVIEW, entry_of
from services.chassis.access import Who
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web import downloads
from services.chassis.web.lists import ordered, paged, query_of
from services.chassis.web.look import render, with_query
from services.records.at_hand import reading
from services.records.page_parts import framed, grades_of, newest
from services.records.review import looking_through
from services.records.review.rules import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.review.rules import Row, Table
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/ui/records", include_in_schema=False)
FILTERS = ("grade", "class", "name", "lacking")
BY_PERSON = ("pupils", "results", "awards", "signers")
"""Parts whose rows are named by a person: sorted by given name."""
NUMBERS = (
    ("Học sinh", "pupils", ""),
    ("Thiếu hồ sơ", "pupils_lacking", "pupils"),
    ("Thiếu kết quả", "results_lacking", "results"),
    ("Trái quy định đánh giá", "contradictions", "results"),
    ("Thiếu phân công", "assignments_lacking", "assignments"),
    ("Thiếu cấu hình in", "printing_lacking", "printing"),
    ("Người ký chưa ký được", "signers_lacking", "signers"),
)
"""(words, key of a row, the part where it is seen)."""


@router.get("/review")
async def show_overview(request: Request, who: Who) -> Response:
    looked_at = await newest(request, who)
    every = await looking_through.overview(looked_at) if looked_at else []
    query = query_of(request, "grade", "sort", "order")
    keys: dict[str, Any] = {"name": lambda r: (r["grade"], r["name"]), **{key: itemgetter(key) for _, key, _ in NUMBERS}}
    rows = ordered([r for r in every if query.get("grade", "") in ("", str(r["grade"]))], query, keys)
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, REVIEW).title,
        "query": query,
        "grades": grades_of(every),
        "tabs": _tabs("", {}),
        "totals": [(words, sum(r[key] for r in rows), "warning" if part else "neutral", key) for words, key, part in NUMBERS],
        "rows": [
            {
                "name": r["name"],
                "finalised": r["finalised"],
                "href": _address("pupils", r["code"]),
                "numbers": [(r[key], _address(part, r["code"], lacking="1") if part else "") for _, key, part in NUMBERS],
            }
            for r in rows
        ],
    }
    return render(request.app.state.pages, request, "records/review.html", context)


def _address(part: str, code: str, **more: str) -> str:
    return f"{REVIEW}/{part}{with_query({'class': code, **more})}"


def _tabs(current: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    kept = {k: v for k, v in query.items() if k in ("grade", "class")}
    parts = [{"text": text, "href": f"{REVIEW}/{part}{with_query(kept)}", "current": part == current} for part, text in PARTS.items()]
    return [{"text": "Tổng quan", "href": REVIEW, "current": not current}, *parts]


@router.get("/review/{part}")
async def show_part(request: Request, who: Who, part: str) -> Response:
    looked_at = await reading(request, who, None)
    query = query_of(request, *FILTERS, "sort", "order", "page")
    table, rows = await _found(looked_at, part, query)
    page, paging = paged(rows, query)
    classes = [c for c in await looked_at.classes() if query.get("grade", "") in ("", str(c["grade"]))]
    context = {
        "shell": await framed(request, who, looked_at),
        "title": PARTS[part],
        "crumb": entry_of(who, REVIEW).title,
        "query": query,
        "tabs": _tabs(part, query),
        "grades": grades_of(await looked_at.classes()),
        "classes": [(c["code"], c["name"]) for c in classes],
        "paging": paging,
        "by_person": part in BY_PERSON,
        "columns": table.columns,
        "rows": page,
        "lacking": sum(bool(r.missing) for r in rows),
        "xlsx_href": f"{REVIEW}/{part}/list.xlsx{with_query(query, sort=None, order=None, page=None)}" if rows else "",
    }
    return render(request.app.state.pages, request, "records/review_part.html", context)


async def _found(looked_at: Reading, part: str, query: Mapping[str, str], *, semesters: bool = False) -> tuple[Table, list[Row]]:
    """Raises Refused(NOT_FOUND)."""
    table = await looking_through.part(looked_at, part, classes=[query["class"]] if query.get("class") else None, semesters=semesters)
    name = fold(query.get("name", ""))
    found = [
        r
        for r in table.rows
        if query.get("grade", "") in ("", str(r.grade)) and name in fold(r.cells[0]) and (r.missing or not query.get("lacking"))
    ]
    by_class = {"class": lambda r: (r.grade, r.class_name)}
    by_name = {"name": lambda r: given_name_key(r.cells[0])}
    keys: dict[str, Any] = {**(by_name | by_class if part in BY_PERSON else by_class), "lacking": lambda r: -len(r.missing)}
    return table, ordered(found, query, keys)


@router.get("/review/{part}/list.xlsx")
async def part_workbook(request: Request, who: Who, part: str) -> Response:
    """What the filter finds; results with both semesters."""
    looked_at = await reading(request, who, None)
    table, rows = await _found(looked_at, part, query_of(request, *FILTERS), semesters=True)
    lines = [[*r.cells, "; ".join(r.missing)] for r in rows]
    headers = [*table.columns, "Thông tin cần bổ sung"]
    return downloads.workbook(downloads.dated(f"ra-soat-{part}"), PARTS[part], headers, lines)
