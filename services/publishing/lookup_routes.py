"""Menu 2.9 Tra cứu học bạ trên Cổng tiếp nhận: the page, and the same as JSON. Asked by body, so no personal data stand in an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from contracts.access import Action, Principal
from contracts.menu import GATEWAY_LOOKUP, entry_of
from services.chassis import audit
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.web.lists import count_in
from services.chassis.web.look import Paging, render
from services.chassis.web.shell import shell
from services.publishing.errors import GATEWAY_SILENT
from services.publishing.gateways.national import GatewayAway, NationalGateway, PackageRefused
from services.publishing.lookup import STATES, Criteria, Found, compared, missing
from services.publishing.routes import own_school, store_of

if TYPE_CHECKING:
    from collections.abc import Callable

router = APIRouter()
FIELDS = ("year", "grade", "class_code", "name", "personal_id", "status", "uuid", "page")
WRONG = {
    "grade": "Khối học phải từ 1 đến 12.",
    "personal_id": "Số định danh cá nhân gồm 12 chữ số.",
    "uuid": "Mã định danh học bạ (UUID) gồm 36 ký tự.",
    "year": "Năm học có dạng 2025-2026.",
}


@router.post("/api/publishing/lookup")
async def look_up(request: Request, who: Who, asked: Criteria) -> dict[str, Any]:
    """What the gateway holds of the own school, whoever sent it, and the difference to what this system knows."""
    found, rows = await _asked(request, who, asked)
    return {"total": found.total, "page": asked.page, "size": found.size, "transcripts": rows}


async def _asked(request: Request, who: Principal, asked: Criteria) -> tuple[Found, list[dict[str, Any]]]:
    """Raises Refused when the gateway is away."""
    school = own_school(who)
    require(who, Action.VIEW_SCHOOL, school=school)
    gateway: Callable[[], NationalGateway] = request.app.state.gateway
    store = store_of(request)
    try:
        found = await gateway().search(school, asked)
    except (GatewayAway, PackageRefused) as problem:
        raise Refused(GATEWAY_SILENT) from problem
    # which fields were used, never what stood in them
    used = [field for field in FIELDS if field != "page" and getattr(asked, field)]
    await audit.record(
        store.db,
        None,
        actor=who.person,
        act="gateway searched",
        subject=school,
        place=school,
        request_id=request.state.request_id,
        details={"count": found.total, "by": used},
    )
    own = {s["_id"]: s for s in await store.submissions(school)}
    rows = compared(found.results, own)
    if found.total == len(found.results):
        rows += missing(asked, found.results, own.values())
    return found, rows


@router.get("/ui/publishing/lookup", include_in_schema=False)
async def show_lookup(request: Request, who: Who) -> Response:
    require(who, Action.VIEW_SCHOOL, school=own_school(who))
    return await _show(request, who, {}, None, None)


@router.post("/ui/publishing/lookup", include_in_schema=False)
async def show_found(request: Request, who: Who) -> Response:
    form = await request.form()
    given = {k: v.strip() for k in FIELDS if isinstance(v := form.get(k), str) and v.strip()}
    try:
        asked = Criteria.model_validate({**given, "grade": given.get("grade") or None, "page": max(1, count_in(given.get("page", "")))})
    except ValidationError as problem:
        wrong = {str(e["loc"][0]): WRONG.get(str(e["loc"][0]), "Giá trị không hợp lệ.") for e in problem.errors(include_input=False)}
        return await _show(request, who, given, None, None, errors=wrong)
    found, rows = await _asked(request, who, asked)
    return await _show(request, who, given, Paging(asked.page, found.size, found.total), rows)


async def _show(
    request: Request,
    who: Principal,
    given: dict[str, str],
    paging: Paging | None,
    rows: list[dict[str, Any]] | None,
    *,
    errors: dict[str, str] | None = None,
) -> Response:
    own = await store_of(request).submissions(own_school(who))
    context = {
        "shell": shell(request, who),
        "title": entry_of(who, GATEWAY_LOOKUP).title,
        "errors": errors or {},
        "action": GATEWAY_LOOKUP,
        "given": given,
        "years": [(y, y) for y in sorted({s["year"] for s in own}, reverse=True)],
        "grades": [(str(g), f"Khối {g}") for g in sorted({s["grade"] for s in own})],
        "classes": [(c, c) for c in sorted({s["class_code"] for s in own})],
        "states": [(state, STATES[state]) for state in ("ACCEPTED", "WITHDRAWN")],
        "paging": paging,
        "rows": rows,
    }
    return render(request.app.state.pages, request, "publishing/lookup.html", context, status_code=422 if errors else 200)
