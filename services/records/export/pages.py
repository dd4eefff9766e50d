"""What menu 2.1 offers of a class: "Xuất dữ liệu" and "In cả lớp"."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.chassis.access import Who
from services.chassis.errors import Refused
from services.chassis.web.lists import ticked
from services.records.at_hand import parts_of, reading
from services.records.errors import NOTHING_SELECTED
from services.records.export import exporting
from services.records.export.routes import package, printed
from services.records.transcripts.pages import pupil_rows

router = APIRouter(prefix="/ui/records", include_in_schema=False)


@router.post("/classes/{code}/export")
async def export_of_class(request: Request, who: Who, code: str) -> Response:
    """Of the ticked pupils (by code), or of all that the list's filter finds and the person may export."""
    looked_at = await reading(request, who, None)
    chosen = await ticked(request)
    codes = set(chosen.ids)
    if chosen.filter is not None:
        codes = {r["id"] for r in await pupil_rows(looked_at, code, chosen.filter) if r["exportable"]}
    if not codes:
        raise Refused(NOTHING_SELECTED)
    of_class = await exporting.chosen(parts_of(request), who, looked_at.school, looked_at.year, classes=[code])
    return await package(request, who, [t for t in of_class if t["pupil_code"] in codes])


@router.get("/classes/{code}/print.pdf")
async def print_of_class(request: Request, who: Who, code: str) -> Response:
    """For people: what cannot be printed is told on a page."""
    return await printed(request, await reading(request, who, None), code)
