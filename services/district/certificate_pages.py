"""The page of menu 6.1 Duyệt chứng thư số đơn vị: school certificates and managers' signing accounts of the branch."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from contracts.menu import CERTIFICATES, entry_of
from services.chassis import errors as chassis_errors
from services.chassis.access import Who
from services.chassis.vietnamese import fold
from services.chassis.web.lists import catalogue_of, done, notices, ordered, paged, query_of, ticked
from services.chassis.web.look import Shell, render
from services.chassis.web.shell import shell
from services.district import approvals, errors
from services.district.errors import REASON_NEEDED
from services.district.routes import own_branch, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter()
CATALOGUE = catalogue_of(chassis_errors, errors)
NOTHING = "Chưa chọn yêu cầu nào đang chờ duyệt."
WORDS = {"approve": ("Đã duyệt {n} yêu cầu.", NOTHING), "refuse": ("Đã từ chối {n} yêu cầu.", NOTHING)}
KINDS = {"school": "Chứng thư số nhà trường", "manager": "Tài khoản ký của cán bộ quản lý"}
PENDING = "pending"
LONGEST_REASON = 500
SHOWN = 10


@router.get("/certificates")
async def show_certificates(request: Request, who: Who) -> Response:
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    query = query_of(request, "state", "kind", "name", "sort", "order", "page")
    rows = _rows(await store_of(request).requests(unit, None), query)
    page, paging = paged(rows, query)
    context = {
        "shell": await _framed(request, who, unit),
        "title": entry_of(who, CERTIFICATES).title,
        "query": query,
        "paging": paging,
        "action": CERTIFICATES,
        "kinds": list(KINDS.items()),
        "selectable": sum(r["state"] == PENDING for r in rows),
        "rows": page,
    }
    return render(request.app.state.pages, request, "district/certificates.html", context)


async def _framed(request: Request, who: Principal, unit: str) -> Shell:
    names = await store_of(request).unit_names([unit])
    return shell(request, who, notices=notices(request, WORDS, CATALOGUE), organisation=names.get(unit, ""))


def _rows(every: Sequence[Document], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that the filter finds: what waits first, then by the time of the request."""
    name, state, kind = fold(query.get("name", "")), query.get("state", ""), query.get("kind", "")
    found = [
        r for r in every if state in ("", r["state"]) and kind in ("", r["kind"]) and name in fold(f"{r['school_name']} {r['person_name']}")
    ]
    keys = {
        "waiting": lambda r: (r["state"] != PENDING, r["requested_at"]),
        "requested_at": lambda r: r["requested_at"],
        "school": lambda r: fold(r["school_name"]),
        "state": lambda r: r["state"],
    }
    return ordered([_row(r) for r in found], query, keys)


def _row(request: Document) -> dict[str, Any]:
    return {
        "id": request["_id"],
        "school_name": request["school_name"],
        "kind": KINDS[request["kind"]],
        "person_name": request["person_name"],
        "subject": request["certificate_subject"],
        "issuer": request["certificate_issuer"],
        "serial": request["certificate_serial"],
        "valid_from": dt.datetime.fromisoformat(request["valid_from"]),
        "valid_to": dt.datetime.fromisoformat(request["valid_to"]),
        "requested_at": request["requested_at"],
        "state": request["state"],
        "reason": request["reason"],
    }


@router.post("/certificates")
async def decide(request: Request, who: Who) -> Response:
    """The ticked ones, or all that the filter finds; refusing first asks for the reason."""
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    form = await ticked(request)
    pending = await store_of(request).requests(unit, PENDING)
    ids = list(form.ids)
    if form.filter is not None:
        ids = [r["id"] for r in _rows(pending, form.filter)]
    act = "refuse" if form.field("act") == "refuse" else "approve"
    reason = form.field("reason").strip()[:LONGEST_REASON]
    if not ids:
        return done(CERTIFICATES, act, 0)
    if act == "refuse" and not reason:
        return await _ask_reason(request, who, unit, [r for r in pending if r["_id"] in ids], missing="reason" in form.form)
    outcome = await approvals.decide_all(
        store_of(request),
        who,
        ids,
        approved=act == "approve",
        reason=reason if act == "refuse" else "",
        request_id=request.state.request_id,
    )
    return done(CERTIFICATES, act, outcome["done"], [r["code"] for r in outcome["refused"]])


async def _ask_reason(request: Request, who: Principal, unit: str, chosen: Sequence[Document], *, missing: bool) -> Response:
    context = {
        "shell": await _framed(request, who, unit),
        "title": "Từ chối chứng thư số",
        "question": "Từ chối các yêu cầu đã chọn?",
        "action": CERTIFICATES,
        "confirm": "Từ chối",
        "cancel_href": CERTIFICATES,
        "fields": [("act", "refuse"), *(("ids", r["_id"]) for r in chosen)],
        "facts": [],
        "items": [f"{r['school_name']} – {KINDS[r['kind']]}: {r['certificate_subject']}" for r in chosen[:SHOWN]],
        "count": len(chosen),
        "warning": "",
        "danger": True,
        "reason": {"label": "Lý do từ chối", "hint": "Nhà trường thấy lý do này và đăng ký lại.", "value": ""},
        "errors": {"reason": REASON_NEEDED.cause} if missing else {},
    }
    return render(request.app.state.pages, request, "chassis/confirm.html", context, status_code=422 if missing else 200)
