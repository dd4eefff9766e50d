"""The page "Đóng gói lưu trữ": locked years, exports on their way and done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from contracts.menu import ARCHIVES, entry_of
from services.chassis.access import Who
from services.chassis.errors import INVALID_INPUT, Refused
from services.chassis.web.lists import done, paged, query_of
from services.chassis.web.look import Progress, render, vn_number
from services.records.archive import routes, store
from services.records.archive.errors import EXPORT_RUNNING, YEAR_NOT_LOCKED
from services.records.at_hand import own_school, store_of
from services.records.page_parts import framed, newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

router = APIRouter(prefix="/ui/records", include_in_schema=False)


@router.get("/archives")
async def show_archives(request: Request, who: Who) -> Response:
    told = await routes.archives(request, who)
    query = query_of(request, "year", "export", "page")
    looked_at = await newest(request, who)
    staff = await store_of(request).staff(own_school(who), looked_at.year) if looked_at else {}
    wanted = [e for e in told["exports"] if query.get("year", "") in ("", e["year"])]
    page, paging = paged(wanted, query)
    progress = _progress(told["exports"], query.get("export", ""))
    if progress and request.headers.get("HX-Request"):
        return render(request.app.state.pages, request, "chassis/progress.html", {"progress": progress})
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, ARCHIVES).title,
        "action": ARCHIVES,
        "query": query,
        "paging": paging,
        "years": told["years"],
        "progress": progress,
        "rows": [_row(e, staff) for e in page],
    }
    return render(request.app.state.pages, request, "records/archives.html", context)


@router.post("/archives")
async def order(request: Request, who: Who) -> Response:
    year = (await request.form()).get("year")
    try:
        wanted = routes.Order.model_validate({"year": year})
    except ValidationError as problem:
        raise Refused(INVALID_INPUT, fields="year") from problem
    try:
        ordered = await routes.order(request, who, wanted)
    except Refused as refused:
        if refused.refusal not in (YEAR_NOT_LOCKED, EXPORT_RUNNING):
            raise
        return done(ARCHIVES, "archive", 0, [refused.code])
    return done(f"{ARCHIVES}?{urlencode({'export': ordered['id']})}", "archive", 1)


def _progress(exports: Sequence[Mapping[str, Any]], asked: str) -> Progress | None:
    """Of the export that is asked for, else of one that is under way."""
    running = (e for e in exports if e["state"] in store.RUNNING)
    export = next((e for e in exports if e["id"] == asked), None) or next(running, None)
    if export is None:
        return None
    under_way = export["state"] in store.RUNNING
    failed = export["state"] == store.FAILED
    message = f"Đã ghi {vn_number(export['done'])} trong {vn_number(export['total'])} tệp."
    return Progress(
        title=f"Đóng gói lưu trữ năm học {export['year']}, lần {export['number']}",
        total=export["total"],
        done=export["done"],
        failed=int(failed),
        waiting=export["total"] - export["done"] - int(failed),
        running=under_way,
        href=f"{ARCHIVES}?{urlencode({'export': export['id']})}",
        message=f"{message} {export['problem']['reason']}" if failed else message,
        outcome="danger" if failed else "success",
    )


def _row(export: Mapping[str, Any], staff: Mapping[str, Any]) -> dict[str, Any]:
    by = export["by"]
    return {
        **{k: export[k] for k in ("year", "number", "state", "at", "finished_at", "bytes", "total")},
        "by": staff[by].name if by in staff else by,
        "manifest": export["manifest"] or "",
        "problem": f"{export['problem']['code']}: {export['problem']['reason']}" if export["problem"] else "",
        "href": f"/api/records/archives/{export['id']}/package.zip" if export["state"] == store.FINISHED else "",
    }
