"""The page "Tra cứu học bạ" and "Xuất dữ liệu" of what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.menu import LOOKUP, entry_of
from services.chassis.access import Who
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import ordered, paged, query_of, ticked
from services.chassis.web.look import render, with_query
from services.records.at_hand import own_school, parts_of, store_of
from services.records.export import exporting
from services.records.export.errors import UNKNOWN_PERSONAL_ID
from services.records.export.routes import package
from services.records.lookup.looking_up import FILTERS, looked_up
from services.records.lookup.routes import pupil_of
from services.records.page_parts import framed, grades_of, newest
from services.records.transcripts.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)


@router.get("/lookup")
async def show_lookup(request: Request, who: Who) -> Response:
    return await _page(request, who, query_of(request, *FILTERS, "sort", "order", "page"), {})


async def _page(request: Request, who: Principal, query: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    records, looked_at = store_of(request), await newest(request, who)
    found = _ordered(await looked_up(records, who, own_school(who), query), query) if looked_at else []
    rows, paging = paged(found, query)
    classes = [] if looked_at is None else [c for c in await looked_at.classes() if query.get("grade", "") in ("", str(c["grade"]))]
    context = {
        "shell": await framed(request, who, looked_at),
        "title": entry_of(who, LOOKUP).title,
        "query": query,
        "errors": errors,
        "paging": paging,
        "years": [(y, y) for y in await records.years(own_school(who))],
        "grades": grades_of(await looked_at.classes()) if looked_at else [],
        "classes": [(c["code"], c["name"]) for c in classes],
        "action": f"{LOOKUP}/export",
        "personal_id_action": f"{LOOKUP}/personal-id",
        "exportable": sum(r["exportable"] for r in found),
        "rows": [
            {**r, "href": f"/ui/records/transcripts/{r['id']}", "dossier_href": f"/ui/records/transcripts/{r['id']}/dossier"} for r in rows
        ],
    }
    return render(request.app.state.pages, request, "records/lookup.html", context, status_code=422 if errors else 200)


def _ordered(found: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    keys = {
        "name": lambda r: (given_name_key(r["name"]), r["code"], r["year"], r["version"]),
        "class": lambda r: (r["year"], r["grade"], r["class"]),
        "state": lambda r: list(State).index(State(r["state"])),
        "created": lambda r: r["created_at"],
    }
    return ordered(found, query, keys)


@router.post("/lookup/personal-id")
async def find_by_personal_id(request: Request, who: Who) -> Response:
    """By a form, since a personal id has no place in an address; the list that follows names the pupil's code."""
    given = (await ticked(request)).field("personal_id").replace(" ", "")
    try:
        code = await pupil_of(request, who, given)
    except Refused as refused:
        if refused.refusal is not UNKNOWN_PERSONAL_ID:
            raise
        return await _page(request, who, {}, {"personal_id": f"{refused.cause} {refused.action}"})
    return RedirectResponse(f"{LOOKUP}{with_query({}, pupil=code)}", status_code=303)


@router.post("/lookup/export")
async def export_found(request: Request, who: Who) -> Response:
    """ "Xuất dữ liệu" of the ticked transcripts, or of all that the filter finds and the person may export."""
    chosen = await ticked(request)
    school = own_school(who)
    ids = list(chosen.ids)
    if chosen.filter is not None:
        query = {k: v for k, v in chosen.filter.items() if k in FILTERS}
        ids = [r["id"] for r in await looked_up(store_of(request), who, school, query) if r["exportable"]]
    found = await exporting.chosen(parts_of(request), who, school, "", transcripts=ids)
    return await package(request, who, found)
