"""The pages of menu 6.1 Duyệt chứng thư số đơn vị: school certificates and managers' signing accounts of the branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.access import Action
from contracts.menu import CERTIFICATES, entry_of
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require
from services.chassis.web import downloads
from services.chassis.web.lists import PAGE_SIZE, catalogue_of, count_in, done, notices, query_of, ticked
from services.chassis.web.look import Paging, Shell, confirm_page, render, with_query
from services.chassis.web.shell import shell
from services.district import approvals, certificate_store, errors
from services.district.certificates import (
    ALL,
    HEADERS,
    KINDS,
    PENDING,
    STATES,
    WAITING_DAYS,
    line,
    ordering,
    present,
    shown,
    wanted,
)
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
FILTERS = ("state", "kind", "school", "name", "waiting")
LONGEST_REASON = 500
SHOWN = 10


@router.get("/certificates")
async def show_certificates(request: Request, who: Who) -> Response:
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    db, at = store_of(request).db, clock.now()
    query = query_of(request, *FILTERS, "sort", "order", "page")
    query.setdefault("state", PENDING)
    filtered = wanted(unit, query, at)
    counts = await certificate_store.counts(db, wanted(unit, {**query, "state": ALL}, at))
    total = sum(n for state, n in counts.items() if filtered.get("state") in (None, state))
    paging = Paging(min(max(1, count_in(query.get("page", ""))), max(1, -(-total // PAGE_SIZE))), PAGE_SIZE, total)
    rows = await certificate_store.page(db, filtered, ordering(query), skip=(paging.page - 1) * PAGE_SIZE, most=PAGE_SIZE)
    context = {
        "shell": await _framed(request, who, unit),
        "title": entry_of(who, CERTIFICATES).title,
        "query": query,
        "paging": paging,
        "action": CERTIFICATES,
        "tabs": _tabs(query, counts),
        "kinds": list(KINDS.items()),
        "waiting": [(n, f"Từ {n} ngày") for n in WAITING_DAYS],
        "school_name": rows[0]["school_name"] if query.get("school") and rows else "",
        "export_href": f"{CERTIFICATES}.xlsx{with_query(query, page=None)}",
        "selectable": counts.get(PENDING, 0) if filtered.get("state") in (None, PENDING) else 0,
        "rows": [{**shown(r, at), "href": f"{CERTIFICATES}/{r['_id']}"} for r in rows],
    }
    return render(request.app.state.pages, request, "district/certificates.html", context)


def _tabs(query: Mapping[str, str], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    here = query["state"]
    tabs = [(state, name, counts.get(state, 0)) for state, name in STATES.items()]
    return [
        {"text": name, "count": count, "href": with_query(query, state=state, page=None, waiting=None), "current": state == here}
        for state, name, count in (*tabs, (ALL, "Tất cả", sum(counts.values())))
    ]


@router.get("/certificates.xlsx")
async def export_certificates(request: Request, who: Who) -> Response:
    """What the filter finds."""
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    query, at = query_of(request, *FILTERS, "sort", "order"), clock.now()
    rows = await certificate_store.page(store_of(request).db, wanted(unit, query, at), ordering(query))
    return downloads.workbook("chung-thu-so-don-vi", "Chứng thư số đơn vị", HEADERS, [line(shown(r, at)) for r in rows])


@router.get("/certificates/outcomes/{key}")
async def show_outcome(request: Request, who: Who, key: str) -> Response:
    """What a bulk act of the actor did, item by item."""
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    kept = await certificate_store.outcome(store_of(request).db, key, who.person)
    context = {
        "shell": await _framed(request, who, unit),
        "title": "Kết quả duyệt chứng thư số" if kept["act"] == "approve" else "Kết quả từ chối chứng thư số",
        "done": kept["done"],
        "failed": len(kept["items"]) - kept["done"],
        "done_text": "Đã duyệt" if kept["act"] == "approve" else "Đã từ chối",
        "rows": kept["items"],
        "back": CERTIFICATES,
    }
    return render(request.app.state.pages, request, "district/certificates_outcome.html", context)


@router.get("/certificates/{key}")
async def show_certificate(request: Request, who: Who, key: str) -> Response:
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    db, at = store_of(request).db, clock.now()
    found = await certificate_store.one(db, key)
    require(who, Action.DECIDE_CERTIFICATE, path=tuple(found["path"]))
    history = await certificate_store.history(db, found)
    now = present(history, found)
    context = {
        "shell": await _framed(request, who, unit),
        "title": "Chi tiết chứng thư số",
        "crumb": f"6. Học bạ số / {entry_of(who, CERTIFICATES).title}",
        "row": shown(found, at),
        "present": shown(now, at) if now else None,
        "history": [{**shown(r, at), "href": f"{CERTIFICATES}/{r['_id']}"} for r in history],
        "action": CERTIFICATES,
        "school_href": f"{CERTIFICATES}{with_query({'state': ALL, 'school': found['school']})}",
        "decidable": found["state"] == PENDING and found["person"] != who.person,
    }
    return render(request.app.state.pages, request, "district/certificate.html", context)


async def _framed(request: Request, who: Principal, unit: str) -> Shell:
    names = await store_of(request).unit_names([unit])
    return shell(request, who, notices=notices(request, WORDS, CATALOGUE), organisation=names.get(unit, ""))


@router.post("/certificates")
async def decide(request: Request, who: Who) -> Response:
    """The ticked ones, or all that the filter finds; refusing first asks for the reason."""
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE, acting=True)
    db = store_of(request).db
    form = await ticked(request)
    ids = list(form.ids)
    if form.filter is not None:
        ids = await certificate_store.ids(db, wanted(unit, form.filter, clock.now()))
    act = "refuse" if form.field("act") == "refuse" else "approve"
    reason = form.field("reason").strip()[:LONGEST_REASON]
    if not ids:
        return done(CERTIFICATES, act, 0)
    if act == "refuse" and not reason:
        chosen = await certificate_store.page(db, {"path": unit, "state": PENDING, "_id": {"$in": ids}}, [("search", 1)])
        return await _ask_reason(request, who, unit, chosen, missing="reason" in form.form)
    outcomes = await approvals.decide_all(
        db, who, ids, approved=act == "approve", reason=reason if act == "refuse" else "", request_id=request.state.request_id
    )
    if all(o.refused is None for o in outcomes):
        return done(CERTIFICATES, act, len(outcomes))
    return RedirectResponse(f"{CERTIFICATES}/outcomes/{await _kept(request, who, unit, act, outcomes)}", status_code=303)


async def _kept(request: Request, who: Principal, unit: str, act: str, outcomes: Sequence[approvals.Outcome]) -> str:
    """Keep what became of each, so that the page that shows it may be loaded again. Names only of what is of the branch."""
    db = store_of(request).db
    found = await certificate_store.page(db, {"path": unit, "_id": {"$in": [o.id for o in outcomes]}}, [("search", 1)])
    names = {r["_id"]: r for r in found}
    items = [
        {
            "school_name": names[o.id]["school_name"] if o.id in names else "Không tìm thấy",
            "kind_name": KINDS[names[o.id]["kind"]] if o.id in names else "",
            "subject": names[o.id]["certificate_subject"] if o.id in names else "",
            "code": o.refused.code if o.refused else "",
            "title": o.refused.refusal.title if o.refused else "",
            "cause": o.refused.cause if o.refused else "",
            "action": o.refused.action if o.refused else "",
        }
        for o in sorted(outcomes, key=lambda o: o.refused is None)
    ]
    key = str(uuid4())
    finished = sum(o.refused is None for o in outcomes)
    await certificate_store.keep_outcome(
        db, {"_id": key, "person": who.person, "act": act, "at": clock.now(), "done": finished, "items": items}
    )
    return key


async def _ask_reason(request: Request, who: Principal, unit: str, chosen: Sequence[Document], *, missing: bool) -> Response:
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await _framed(request, who, unit),
        title="Từ chối chứng thư số",
        question="Từ chối các yêu cầu đã chọn?",
        action=CERTIFICATES,
        confirm="Từ chối",
        cancel_href=CERTIFICATES,
        fields=[("act", "refuse"), *(("ids", r["_id"]) for r in chosen)],
        items=[f"{r['school_name']} – {KINDS[r['kind']]}: {r['certificate_subject']}" for r in chosen[:SHOWN]],
        count=len(chosen),
        danger=True,
        reason=("Lý do từ chối", "Nhà trường thấy lý do này và đăng ký lại."),
        missing=REASON_NEEDED.cause if missing else "",
    )
