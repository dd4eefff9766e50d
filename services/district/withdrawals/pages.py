"""The pages of menu 6.5 Quản lý yêu cầu thu hồi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from contracts.access import Action
from contracts.menu import WITHDRAWAL_REQUESTS, entry_of
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.web.lists import PAGE_SIZE, catalogue_of, count_in, done, notices, query_of, ticked
from services.chassis.web.look import Paging, Shell, confirm_page, render, with_query
from services.chassis.web.shell import shell
from services.district.routes import own_branch, store_of
from services.district.withdrawals import deciding, errors, rules, store
from services.district.withdrawals.rules import ALL, PENDING, STATES, ordering, shown, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter(prefix="/ui/district", include_in_schema=False)

CATALOGUE = catalogue_of(chassis_errors, errors)
NOTHING = "Chưa chọn yêu cầu nào đang chờ xử lý."
WORDS = {"approve": ("Đã duyệt {n} yêu cầu thu hồi.", NOTHING), "refuse": ("Đã từ chối {n} yêu cầu thu hồi.", NOTHING)}
FILTERS = ("state", "school", "grade", "name")
SHOWN = 10


@router.get("/withdrawals")
async def show_requests(request: Request, who: Who) -> Response:
    unit = await own_branch(request, who, Action.DECIDE_WITHDRAWAL)
    db = store_of(request).db
    query = query_of(request, *FILTERS, "sort", "order", "page")
    query.setdefault("state", PENDING)
    filtered = wanted(unit, query)
    counts = await store.counts(db, wanted(unit, query, state=ALL))
    total = sum(n for state, n in counts.items() if filtered.get("state") in (None, state))
    paging = Paging(min(max(1, count_in(query.get("page", ""))), max(1, -(-total // PAGE_SIZE))), PAGE_SIZE, total)
    rows = await store.page(db, filtered, ordering(query), skip=(paging.page - 1) * PAGE_SIZE, most=PAGE_SIZE)
    context = {
        "shell": await _framed(request, who, unit),
        "title": entry_of(who, WITHDRAWAL_REQUESTS).title,
        "query": query,
        "paging": paging,
        "action": WITHDRAWAL_REQUESTS,
        "tabs": _tabs(query, counts),
        "schools": await store.schools(db, unit),
        "grades": [(str(g), f"Khối {g}") for g in range(1, 13)],
        "selectable": counts.get(PENDING, 0) if filtered.get("state") in (None, PENDING) else 0,
        "rows": [{**shown(r), "href": f"{WITHDRAWAL_REQUESTS}/{r['_id']}"} for r in rows],
    }
    return render(request.app.state.pages, request, "district/withdrawals.html", context)


def _tabs(query: Mapping[str, str], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    tabs = [(state, name, counts.get(state, 0)) for state, name in STATES.items()]
    return [
        {"text": name, "count": count, "href": with_query(query, state=state, page=None), "current": state == query["state"]}
        for state, name, count in (*tabs, (ALL, "Tất cả", sum(counts.values())))
    ]


@router.get("/withdrawals/outcomes/{key}")
async def show_outcome(request: Request, who: Who, key: str) -> Response:
    """What a bulk act of the actor did, item by item."""
    unit = await own_branch(request, who, Action.DECIDE_WITHDRAWAL)
    kept = await store.outcome(store_of(request).db, key, who.person)
    approved = kept["act"] == "approve"
    context = {
        "shell": await _framed(request, who, unit),
        "title": "Kết quả duyệt yêu cầu thu hồi" if approved else "Kết quả từ chối yêu cầu thu hồi",
        "done": kept["done"],
        "failed": len(kept["items"]) - kept["done"],
        "done_text": "Đã duyệt" if approved else "Đã từ chối",
        "rows": kept["items"],
        "back": WITHDRAWAL_REQUESTS,
    }
    return render(request.app.state.pages, request, "district/withdrawals_outcome.html", context)


@router.get("/withdrawals/{key}")
async def show_request(request: Request, who: Who, key: str) -> Response:
    unit = await own_branch(request, who, Action.DECIDE_WITHDRAWAL)
    db = store_of(request).db
    found = await store.one(db, key)
    require(who, Action.DECIDE_WITHDRAWAL, path=tuple(found["path"]))
    context = {
        "shell": await _framed(request, who, unit),
        "title": "Chi tiết yêu cầu thu hồi",
        "crumb": f"6. Học bạ số / {entry_of(who, WITHDRAWAL_REQUESTS).title}",
        "row": shown(found),
        "action": WITHDRAWAL_REQUESTS,
        "signed_href": f"/api/district/withdrawals/{key}/request.xml",
        "school_href": f"{WITHDRAWAL_REQUESTS}{with_query({'state': ALL, 'school': found['school']})}",
        "decidable": found["state"] == PENDING and who.person not in (found["by"], found["sealed_by"]),
        "history": [{**shown(r), "href": f"{WITHDRAWAL_REQUESTS}/{r['_id']}"} for r in await store.of_document(db, found["transcript"])],
    }
    return render(request.app.state.pages, request, "district/withdrawal.html", context)


async def _framed(request: Request, who: Principal, unit: str) -> Shell:
    names = await store_of(request).unit_names([unit])
    return shell(request, who, notices=notices(request, WORDS, CATALOGUE), organisation=names.get(unit, ""))


@router.post("/withdrawals")
async def decide(request: Request, who: Who) -> Response:
    """The ticked ones, or all that the filter finds; refusing first asks for the reason."""
    unit = await own_branch(request, who, Action.DECIDE_WITHDRAWAL, acting=True)
    db = store_of(request).db
    form = await ticked(request)
    ids = list(form.ids)
    if form.filter is not None:
        ids = await store.ids(db, wanted(unit, form.filter))
    act = "refuse" if form.field("act") == "refuse" else "approve"
    if not ids:
        return done(WITHDRAWAL_REQUESTS, act, 0)
    if act == "refuse":
        try:
            rules.reason_of(form.field("reason"))
        except Refused as refused:
            return await _ask_reason(request, who, unit, ids, missing=refused.cause if "reason" in form.form else "")
    outcomes = await deciding.decide_all(
        db, who, ids, approved=act == "approve", reason=form.field("reason"), request_id=request.state.request_id
    )
    if all(o.refused is None for o in outcomes):
        return done(WITHDRAWAL_REQUESTS, act, len(outcomes))
    return RedirectResponse(f"{WITHDRAWAL_REQUESTS}/outcomes/{await _kept(request, who, unit, act, outcomes)}", status_code=303)


async def _kept(request: Request, who: Principal, unit: str, act: str, outcomes: Sequence[deciding.Outcome]) -> str:
    """Keep what became of each, so that the page that shows it may be loaded again. Names only of what is of the branch."""
    known = {r["_id"]: r for r in await _of_branch(request, unit, [o.id for o in outcomes])}
    items = [
        {
            "name": known[o.id]["pupil_name"] if o.id in known else "Không tìm thấy",
            "school_name": known[o.id]["school_name"] if o.id in known else "",
            "class_name": known[o.id]["class_code"] if o.id in known else "",
            "code": o.refused.code if o.refused else "",
            "title": o.refused.refusal.title if o.refused else "",
            "cause": o.refused.cause if o.refused else "",
            "action": o.refused.action if o.refused else "",
        }
        for o in sorted(outcomes, key=lambda o: o.refused is None)
    ]
    key = str(uuid4())
    finished = sum(o.refused is None for o in outcomes)
    kept = {"_id": key, "person": who.person, "act": act, "at": clock.now(), "done": finished, "items": items}
    await store.keep_outcome(store_of(request).db, kept)
    return key


async def _of_branch(request: Request, unit: str, ids: Sequence[str]) -> list[Document]:
    return await store.page(store_of(request).db, {"path": unit, "_id": {"$in": list(ids)}}, [("school_name", 1)])


async def _ask_reason(request: Request, who: Principal, unit: str, ids: Sequence[str], *, missing: str) -> Response:
    chosen = [r for r in await _of_branch(request, unit, ids) if r["state"] == PENDING]
    if not chosen:
        return done(WITHDRAWAL_REQUESTS, "refuse", 0, [errors.NOT_PENDING.code] * len(ids))
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await _framed(request, who, unit),
        title="Từ chối yêu cầu thu hồi",
        crumb=f"6. Học bạ số / {entry_of(who, WITHDRAWAL_REQUESTS).title}",
        question="Từ chối các yêu cầu thu hồi đã chọn?",
        action=WITHDRAWAL_REQUESTS,
        confirm="Từ chối",
        cancel_href=WITHDRAWAL_REQUESTS,
        fields=[("act", "refuse"), *(("ids", r["_id"]) for r in chosen)],
        items=[f"{r['pupil_name']} – lớp {r['class_code']}, {r['school_name']}" for r in chosen[:SHOWN]],
        count=len(chosen),
        danger=True,
        reason=("Lý do từ chối", f"Nhà trường thấy lý do này; từ {rules.SHORTEST} đến {rules.LONGEST} ký tự."),
        missing=missing,
    )
