"""Pages under /ui/records: 3.1 Tạo bảng tổng hợp kết quả đánh giá giáo dục, and one summary. The other lists are `list_pages`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from contracts.menu import SUMMARIES
from contracts.nouns import worded
from services.chassis.access import Who
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done, ordered, query_of, reworded, ticked
from services.chassis.web.look import confirm_page, render
from services.chassis.web.shell import in_menu
from services.records.at_hand import of_year, own_school, reading, store_of, year_asked
from services.records.evidence_files import shown
from services.records.export.exporting import export_address
from services.records.page_parts import CATALOGUE, asked_or_newest, framed, grades_of
from services.records.summaries import routes
from services.records.summaries.reading import class_rows, leaders_of, visible_summary
from services.records.summaries.signers import signing_year
from services.records.summaries.summary_page import context_of
from services.records.transcripts.reading import Reading
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

router = APIRouter(prefix="/ui/records", include_in_schema=False)
KIND: Final = "class_summary"
QUESTION = "Bạn chắc chắn muốn tạo bảng tổng hợp kết quả đánh giá giáo dục cho những lớp đang chọn?"
CONFIGURED = "Theo cấu hình in của từng lớp"
SHOWN = 3
"""Reasons of a class that the list shows; the others are counted."""
MOST_TOLD = 200


@router.get("/summaries")
async def show_summaries(request: Request, who: Who) -> Response:
    entry = in_menu(who, SUMMARIES)
    looked_at = await asked_or_newest(request, who)
    query = query_of(request, "year", "grade", "state", "sort", "order")
    every = await class_rows(looked_at) if looked_at else []
    rows = _rows(looked_at, every, query) if looked_at else []
    leaders = leaders_of((await signing_year(looked_at)).staff) if looked_at else []
    years = await looked_at.store.years(looked_at.school) if looked_at else []
    context = {
        "shell": await framed(request, who, looked_at, KIND),
        "title": entry.title,
        "query": query,
        "grades": grades_of(every),
        "years": [(year, year) for year in years],
        "action": of_year(request, SUMMARIES),
        "leaders": [("", CONFIGURED), *leaders],
        "selectable": sum(r["creatable"] for r in rows),
        "rows": rows,
    }
    return render(request.app.state.pages, request, "records/summaries.html", context)


def _rows(looked_at: Reading, every: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    grade, state = query.get("grade", ""), query.get("state", "")
    found = [
        _row(looked_at, row)
        for row in every
        if grade in ("", str(row["grade"])) and (state in ("", row["state"]) or (state == "AWAITING" and row["state"].startswith(state)))
    ]
    keys = {"name": lambda r: (r["grade"], r["name"]), "homeroom": lambda r: given_name_key(r["homeroom"])}
    return ordered(found, query, keys)


def _row(looked_at: Reading, row: Mapping[str, Any]) -> dict[str, Any]:
    reasons = [f"{r['name']}: {r['reason']}" if r["name"] else r["reason"] for r in row["reasons"]]
    uncreated = row["state"] == State.NOT_CREATED
    may = row["may_create"]
    return {
        **{k: row[k] for k in ("code", "name", "grade", "homeroom", "leader", "pupils", "finalised", "state")},
        "reasons": [r.rstrip(".") for r in reasons[:SHOWN]],
        "more": len(reasons[SHOWN:]),
        "note": f"Đã hủy phiên bản {row['cancelled']}" if row["cancelled"] else "",
        "creatable": uncreated and may,
        "href": f"{SUMMARIES}/{row['summary']}" if row["summary"] else "",
        "preview_href": f"/api/records/summaries/preview.pdf?{urlencode({'class': row['code'], 'year': looked_at.year})}"
        if uncreated and may
        else "",
    }


@router.post("/summaries")
async def create_summaries(request: Request, who: Who) -> Response:
    """Asks once more, in the words of guide 000; then each class is decided on its own."""
    in_menu(who, SUMMARIES)
    chosen = await ticked(request)
    looked_at = await reading(request, who, year_asked(request))
    back = of_year(request, SUMMARIES)
    codes, leader = list(chosen.ids), chosen.field("leader")
    if chosen.filter is not None:
        codes = [r["code"] for r in _rows(looked_at, await class_rows(looked_at), chosen.filter) if r["creatable"]]
    if not codes:
        return done(back, "summaries", 0)
    if not chosen.field("sure"):
        return await _ask(request, looked_at, codes, leader)
    outcome = await routes.create(request, who, routes.CreationOrder(classes=codes, leader=leader), looked_at.year)
    if not outcome["refused"]:
        return done(back, "summaries", len(outcome["created"]))
    catalogue = reworded(CATALOGUE, partial(worded, KIND))
    rows = [
        {
            "name": r["name"] or f"Lớp {r['class']}",
            "class_name": r["class"],
            "href": "",
            "title": "",
            "cause": r["reason"],
            "action": catalogue[r["code"]].action if r["code"] in catalogue else "",
            "code": r["code"],
        }
        for r in outcome["refused"][:MOST_TOLD]
    ]
    context = {
        "shell": await framed(request, who, looked_at, KIND),
        "title": "Tạo bảng tổng hợp kết quả ĐGGD",
        "noun": "nội dung",
        "column": "Lớp, học sinh",
        "done": len(outcome["created"]),
        "failed": len(outcome["refused"]),
        "done_text": "Đã tạo",
        "back": back,
        "rows": rows,
    }
    return render(request.app.state.pages, request, "records/outcome.html", context)


async def _ask(request: Request, looked_at: Reading, codes: Sequence[str], leader: str) -> Response:
    names = dict(leaders_of((await signing_year(looked_at)).staff))
    rows = [row for row in await class_rows(looked_at) if row["code"] in codes]
    items = []
    for row in rows:
        ready = "" if not row["reasons"] else f" – chưa đủ điều kiện: {row['reasons'][0]['reason'].rstrip('.')}"
        items.append(f"Lớp {row['name']}: {row['pupils']} học sinh; lãnh đạo ký: {names.get(leader) or row['leader']}{ready}")
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await framed(request, looked_at.who, looked_at, KIND),
        title="Tạo bảng tổng hợp kết quả ĐGGD",
        crumb=in_menu(looked_at.who, SUMMARIES).title,
        question=QUESTION,
        action=of_year(request, SUMMARIES),
        confirm="OK",
        cancel_href=of_year(request, SUMMARIES),
        fields=[("sure", "1"), ("leader", leader), *(("ids", row["code"]) for row in rows)],
        items=items,
        count=len(items),
    )


@router.get("/summaries/{summary_id}")
async def show_summary(request: Request, who: Who, summary_id: str, pdf: str = "") -> Response:
    found = await visible_summary(store_of(request), who, summary_id)
    looked_at = await Reading.of(store_of(request), who, own_school(who), found["year"])
    context = {
        "shell": await framed(request, who, looked_at, KIND),
        "back_href": SUMMARIES,
        "pdf_inline": bool(pdf),
        "inline_href": "?pdf=1#pdf",
        "export_href": export_address(looked_at.who, found),
        **context_of(found),
        **await shown(store_of(request).db, found, "summaries"),
    }
    return render(request.app.state.pages, request, "records/transcript.html", context)
