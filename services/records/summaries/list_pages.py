"""Pages over the class summaries that there are: 3.5.1 Xác nhận hoàn thành, 3.6 Tra cứu. 3.7 is a page of cancellation."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import SUMMARIES, SUMMARY_CONFIRMATION, SUMMARY_LOOKUP
from services.chassis.access import Who, require
from services.chassis.web.lists import done, ordered, paged, query_of, ticked
from services.chassis.web.look import confirm_page, render
from services.chassis.web.shell import in_menu
from services.records.at_hand import own_school, parts_of, store_of
from services.records.export import exporting
from services.records.export.exporting import EXPORTABLE, may_export
from services.records.export.routes import package
from services.records.page_parts import framed, grades_of, newest
from services.records.summaries.reading import STATE_WORDS, found
from services.records.transcripts import confirmation
from services.records.transcripts import routes as transcript_routes
from services.records.transcripts.confirmation_pages import DECIDABLE, SENT
from services.records.transcripts.outcome_page import told
from services.records.transcripts.reading import Reading
from services.records.transcripts.routes import Decision
from services.records.transcripts.states import AWAITED, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

router = APIRouter(prefix="/ui/records", include_in_schema=False)
KIND: Final = "class_summary"
CONFIRM = {"text": "Cập nhật", "name": "act", "value": "confirm"}
"""So guide 000 calls the button that confirms (3.5.1, step 3)."""
UNDO = {"text": "Hủy xác nhận hoàn thành", "name": "act", "value": "undo", "kind": "secondary"}
TEXTS = {
    "confirm": ("Xác nhận hoàn thành bảng tổng hợp", "Đã xác nhận hoàn thành"),
    "undo": ("Hủy xác nhận hoàn thành bảng tổng hợp", "Đã hủy xác nhận hoàn thành"),
}
INTRO = "Tích chọn lớp đã hoàn thành ký duyệt – đóng dấu rồi cập nhật. Chỉ bảng tổng hợp đã xác nhận hoàn thành mới gửi được."
SHOWN_TITLES = 10
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


# --- 3.5.1


@router.get("/summary-confirmation")
async def show_confirmation(request: Request, who: Who) -> Response:
    require(who, Action.CONFIRM, school=own_school(who))
    entry = in_menu(who, SUMMARY_CONFIRMATION)
    looked_at = await newest(request, who)
    query = query_of(request, "grade", "class", "state", "sort", "order", "page")
    rows = await _confirmable(looked_at, query) if looked_at else []
    page = {"action": SUMMARY_CONFIRMATION, "buttons": [CONFIRM, UNDO], "search": "Tìm kiếm", "intro": INTRO}
    states = [(s.value, STATE_WORDS[s]) for s in (*DECIDABLE, *SENT)]
    return await _list(
        request,
        looked_at,
        query,
        rows,
        {"shell": await framed(request, who, looked_at, KIND), "title": entry.title, "states": states, **page},
    )


async def _confirmable(looked_at: Reading, query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [r for r in await found(looked_at, query) if State(r["state"]) in (*DECIDABLE, *SENT)]
    return _ordered([{**_row(r), "selectable": State(r["state"]) in DECIDABLE} for r in rows], query)


@router.post("/summary-confirmation")
async def decide(request: Request, who: Who) -> Response:
    """Confirming asks once more, taking back does not."""
    require(who, Action.CONFIRM, school=own_school(who))
    entry = in_menu(who, SUMMARY_CONFIRMATION)
    chosen = await ticked(request)
    asked = "undo" if chosen.field("act") == "undo" else "confirm"
    ids = list(chosen.ids)
    looked_at = await newest(request, who)
    if chosen.filter is not None and looked_at is not None:
        _, states = confirmation.ACTS["undo confirm" if asked == "undo" else "confirm"]
        ids = [r["id"] for r in await _confirmable(looked_at, chosen.filter) if State(r["state"]) in states]
    if not ids or looked_at is None:
        return done(SUMMARY_CONFIRMATION, f"summary-{asked}", 0)
    if asked == "confirm" and not chosen.field("sure"):
        rows = [r for r in await found(looked_at, {}) if r["id"] in ids]
        return confirm_page(
            request.app.state.pages,
            request,
            shell=await framed(request, who, looked_at, KIND),
            title="Xác nhận hoàn thành bảng tổng hợp",
            crumb=entry.title,
            question="Bạn có chắc chắn muốn Xác nhận hoàn thành bảng tổng hợp?",
            action=SUMMARY_CONFIRMATION,
            confirm="OK",
            cancel_href=SUMMARY_CONFIRMATION,
            fields=[("act", "confirm"), ("sure", "1"), *(("ids", r["id"]) for r in rows)],
            items=[f"Lớp {r['class']}" for r in rows[:SHOWN_TITLES]],
            count=len(rows),
        )
    order = Decision(transcripts=ids, kind=KIND)
    outcome = await (transcript_routes.undo if asked == "undo" else transcript_routes.confirm)(request, who, order)
    title, done_text = TEXTS[asked]
    return await told(
        request,
        looked_at,
        outcome,
        did=f"summary-{asked}",
        title=title,
        done_text=done_text,
        back=SUMMARY_CONFIRMATION,
        kind=KIND,
    )


# --- 3.6


@router.get("/summary-lookup")
async def show_lookup(request: Request, who: Who) -> Response:
    entry = in_menu(who, SUMMARY_LOOKUP)
    looked_at = await newest(request, who)
    query = query_of(request, "year", "grade", "class", "state", "sort", "order", "page")
    years = await store_of(request).years(own_school(who))
    if looked_at is not None and query.get("year") in years:
        looked_at = await Reading.of(store_of(request), who, looked_at.school, query["year"])
    rows = await _exportable(looked_at, query) if looked_at else []
    export = {"text": "Xuất dữ liệu", "kind": "secondary"}
    page = {"action": f"{SUMMARY_LOOKUP}/export", "buttons": [export], "search": "Tìm kiếm", "intro": "", "years": [(y, y) for y in years]}
    states = [("AWAITING", "Chờ ký"), *((s.value, STATE_WORDS[s]) for s in State if s not in (State.NOT_CREATED, *AWAITED))]
    return await _list(
        request,
        looked_at,
        query,
        rows,
        {"shell": await framed(request, who, looked_at, KIND), "title": entry.title, "states": states, **page},
    )


async def _exportable(looked_at: Reading, query: Mapping[str, str]) -> list[dict[str, Any]]:
    who, school = looked_at.who, looked_at.school
    rows = [
        {**_row(r), "selectable": State(r["state"]) in EXPORTABLE and may_export(who, school, r["class"])}
        for r in await found(looked_at, query)
    ]
    return _ordered(rows, query)


@router.post("/summary-lookup/export")
async def export_found(request: Request, who: Who) -> Response:
    """ "Xuất dữ liệu" of the ticked summaries, or of all that the filter finds and the person may export."""
    in_menu(who, SUMMARY_LOOKUP)
    chosen = await ticked(request)
    school = own_school(who)
    ids = list(chosen.ids)
    if chosen.filter is not None:
        year = chosen.filter.get("year") or (await store_of(request).years(school))[0]
        looked_at = await Reading.of(store_of(request), who, school, year)
        ids = [r["id"] for r in await _exportable(looked_at, chosen.filter) if r["selectable"]]
    return await package(request, who, await exporting.chosen(parts_of(request), who, school, "", transcripts=ids, kind=KIND))


# --- both


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "href": f"{SUMMARIES}/{row['id']}"}


def _ordered(rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    keys = {
        "class": lambda r: (r["grade"], r["class"], -r["version"]),
        "state": lambda r: list(State).index(State(r["state"])),
        "created": lambda r: r["created_at"],
        "confirmed": lambda r: r["confirmed_at"] or LONG_AGO,
    }
    return ordered(rows, query, keys)


async def _list(
    request: Request,
    looked_at: Reading | None,
    query: Mapping[str, str],
    rows: Sequence[dict[str, Any]],
    more: Mapping[str, Any],
) -> Response:
    page, paging = paged(rows, query)
    classes = await looked_at.store.classes(looked_at.school, looked_at.year) if looked_at else []
    visible = set(await looked_at.visible_classes()) if looked_at else set()
    seen = [c for c in classes if c["code"] in visible]
    context = {
        "query": query,
        "paging": paging,
        "years": [],
        "grades": grades_of([{"grade": c["data"]["grade"]} for c in seen]),
        "classes": [(c["code"], c["data"]["name"]) for c in seen],
        "selectable": sum(r["selectable"] for r in rows),
        "rows": page,
        **more,
    }
    return render(request.app.state.pages, request, "records/summary_list.html", context)
