"""The pages "Chuyển trường": the register of leavers, the form, arrivals with what was found in their packages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from contracts.access import Action
from contracts.menu import LEARNERS, TRANSFERS, entry_of
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import done, ordered, paged, query_of
from services.chassis.web.look import confirm_page, render
from services.records.at_hand import own_school, store_of
from services.records.page_parts import framed, newest
from services.records.transfers import outgoing, routes, store
from services.records.transfers.errors import (
    ALREADY_LEFT,
    NO_PACKAGE,
    NO_PROFILE,
    NO_SUCH_CLASS,
    NOTHING_SEALED,
    OTHER_PUPIL,
    UNCHECKED_NOT_ACCEPTED,
)
from services.records.transfers.outgoing import Order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal

router = APIRouter(prefix="/ui/records", include_in_schema=False)
ARRIVALS = f"{TRANSFERS}/arrivals"
FIELDS = {UNCHECKED_NOT_ACCEPTED.code: "accept_unchecked", OTHER_PUPIL.code: "class_code", NO_SUCH_CLASS.code: "class_code"}
"""Where a refusal is shown on the page of an arrival."""
KINDS = {"pdf": "PDF", "xml": "XML"}


def _tabs(current: str) -> list[dict[str, Any]]:
    return [
        {"text": "Chuyển đi", "href": TRANSFERS, "current": current == "out"},
        {"text": "Chuyển đến", "href": ARRIVALS, "current": current == "in"},
    ]


# --- leaving


@router.get("/transfers")
async def show_transfers(request: Request, who: Who) -> Response:
    query = query_of(request, "name", "state", "sort", "order", "page")
    every = (await routes.transfers(request, who))["transfers"]
    rows = [_row(t) for t in every if query.get("state", "") in ("", t["state"]) and fold(query.get("name", "")) in fold(t["pupil_name"])]
    keys = {"number": lambda r: -r["at"].timestamp(), "name": lambda r: given_name_key(r["name"]), "at": lambda r: r["at"]}
    page, paging = paged(ordered(rows, query, keys), query)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": entry_of(who, TRANSFERS).title,
        "tabs": _tabs("out"),
        "query": query,
        "paging": paging,
        "new_href": f"{TRANSFERS}/new",
        "rows": page,
        "errors": {},
    }
    return render(request.app.state.pages, request, "records/transfers.html", context)


def _row(transfer: Mapping[str, Any]) -> dict[str, Any]:
    address = f"{TRANSFERS}/{transfer['id']}"
    to = transfer["to"]
    return {
        "number": transfer["number"],
        "name": transfer["pupil_name"],
        "code": transfer["pupil_code"],
        "class_name": transfer["class_code"],
        "to": f"{to['name']} ({to['code']})" if to["code"] else to["name"],
        "reason": transfer["reason"],
        "decision": transfer["decision"],
        "documents": transfer["documents"],
        "state": transfer["state"],
        "at": transfer["at"],
        "learner_href": f"{LEARNERS}/{transfer['pupil_code']}",
        "download_href": f"/api/records/transfers/{transfer['id']}/package.zip" if transfer["state"] != store.CANCELLED else "",
        "undo_action": f"{address}/undo" if transfer["state"] == store.SEALED else "",
    }


@router.get("/transfers/new")
async def show_form(request: Request, who: Who, pupil: str = "") -> Response:
    school = own_school(who)
    require(who, Action.KEEP_TRANSFERS, school=school)
    if not pupil:
        return await _form(request, who, {}, {})
    try:
        await outgoing.newest_of(store_of(request).db, school, pupil)
    except Refused as refused:
        if refused.refusal is not NOT_FOUND:
            raise
        return await _form(request, who, {}, {"pupil": "Không có học sinh nào của trường có mã này."}, status=404)
    return await _form(request, who, {"pupil": pupil}, {})


async def _form(request: Request, who: Principal, values: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    records, school = store_of(request), own_school(who)
    pupil: dict[str, Any] = {}
    held: list[dict[str, str]] = []
    if values.get("pupil"):
        found = await outgoing.newest_of(records.db, school, values["pupil"])
        pupil = {"code": found["code"], "name": found["name"], "class_name": found["class_code"], "year": found["year"]}
        if found["data"]:
            documents, _ = await outgoing.held_of(records, school, found["data"]["personal_id"])
            held = [{"year": d.year, "school": d.school_name, "class_name": d.class_name} for d in documents]
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": "Lập gói chuyển trường",
        "back_href": TRANSFERS,
        "action": TRANSFERS,
        "find_action": f"{TRANSFERS}/new",
        "pupil": pupil,
        "held": held,
        "values": {k: values.get(k, "") for k in ("pupil", "reason", "to_name", "to_code", "decision")},
        "errors": errors,
    }
    return render(request.app.state.pages, request, "records/transfer_new.html", context, status_code=status)


@router.post("/transfers")
async def leave(request: Request, who: Who) -> Response:
    school = own_school(who)
    require_fresh(who, Action.TRANSFER, school=school)
    form = await request.form()
    values = {k: str(form.get(k) or "").strip()[:500] for k in Order.model_fields}
    limits = {"pupil": 40, "reason": 500, "to_name": 200, "to_code": 40, "decision": 60}
    order = Order(**{k: v[: limits[k]] for k, v in values.items()})
    if not order.pupil:
        return await _form(request, who, {}, {"pupil": "Ghi mã học sinh."}, status=422)
    wrong = outgoing.problems(order, school)
    if wrong:
        return await _form(request, who, values, wrong, status=422)
    try:
        await routes.leave(request, who, order)
    except Refused as refused:
        if refused.refusal not in (ALREADY_LEFT, NOTHING_SEALED, NO_PROFILE):
            raise
        return await _form(request, who, values, {"_form": f"{refused.cause} {refused.action}"}, status=refused.refusal.status)
    return done(TRANSFERS, "transfer", 1)


@router.post("/transfers/{transfer_id}/undo")
async def undo(request: Request, who: Who, transfer_id: str) -> Response:
    school = own_school(who)
    require_fresh(who, Action.TRANSFER, school=school)
    form = await request.form()
    if not form.get("sure"):
        found = await store.transfer_out(store_of(request).db, school, transfer_id)
        return confirm_page(
            request.app.state.pages,
            request,
            shell=await framed(request, who, await newest(request, who)),
            title="Hủy chuyển trường",
            crumb=entry_of(who, TRANSFERS).title,
            question="Bạn có chắc chắn muốn hủy việc chuyển trường này? Gói đã gửi đi không còn được tiếp nhận.",
            action=f"{TRANSFERS}/{transfer_id}/undo",
            confirm="Hủy chuyển trường",
            cancel_href=TRANSFERS,
            fields=[("sure", "1")],
            items=[f"{found['pupil_name']}, số {outgoing.shown_number(found)}"],
            count=1,
        )
    await routes.undo(request, who, transfer_id)
    return done(TRANSFERS, "untransfer", 1)


# --- arriving


@router.get("/transfers/arrivals")
async def show_arrivals(request: Request, who: Who) -> Response:
    return await _arrivals(request, who, {})


async def _arrivals(request: Request, who: Principal, errors: Mapping[str, str], status: int = 200) -> Response:
    query = query_of(request, "name", "state", "sort", "order", "page")
    every = (await routes.arrivals(request, who))["arrivals"]
    rows = [
        {
            **{k: a[k] for k in ("verdict", "state", "at")},
            "name": a["pupil_name"],
            "code": a["pupil_code"],
            "from_school": a["from"]["name"],
            "class_name": a["class_code"] or "",
            "href": f"{ARRIVALS}/{a['id']}",
        }
        for a in every
        if query.get("state", "") in ("", a["state"]) and fold(query.get("name", "")) in fold(a["pupil_name"])
    ]
    keys = {"at": lambda r: -r["at"].timestamp(), "name": lambda r: given_name_key(r["name"])}
    page, paging = paged(ordered(rows, query, keys), query)
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": entry_of(who, TRANSFERS).title,
        "tabs": _tabs("in"),
        "action": ARRIVALS,
        "query": query,
        "paging": paging,
        "rows": page,
        "errors": errors,
    }
    return render(request.app.state.pages, request, "records/arrivals.html", context, status_code=status)


@router.post("/transfers/arrivals")
async def receive(request: Request, who: Who) -> Response:
    require(who, Action.KEEP_TRANSFERS, school=own_school(who))
    files = [f for f in (await request.form()).getlist("file") if isinstance(f, UploadFile) and f.filename]
    if len(files) != 1:
        return await _arrivals(request, who, {"file": NO_PACKAGE.cause}, status=NO_PACKAGE.status)
    try:
        found = await routes.receive(request, who, files[0])  # type: ignore[arg-type]  # FastAPI's UploadFile only adds documentation
    except Refused as refused:
        return await _arrivals(request, who, {"file": f"{refused.cause} {refused.action}"}, status=refused.refusal.status)
    return RedirectResponse(f"{ARRIVALS}/{found['id']}", status_code=303)


@router.get("/transfers/arrivals/{arrival_id}")
async def show_arrival(request: Request, who: Who, arrival_id: str) -> Response:
    return await _arrival(request, who, arrival_id, {})


async def _arrival(request: Request, who: Principal, arrival_id: str, errors: Mapping[str, str], status: int = 200) -> Response:
    found = await routes.arrival(request, who, arrival_id)
    looked_at = await newest(request, who)
    classes = await looked_at.store.classes(looked_at.school, looked_at.year) if looked_at else []
    seen, dossier = found["examined"], found["examined"]["dossier"]
    pupil, leaving = dossier["pupil"], dossier["leaving"]
    context = {
        "shell": await framed(request, who, looked_at),
        "title": f"Tiếp nhận: {pupil['name']}",
        "crumb": f"Gói chuyển trường của {seen['school_name']}",
        "back_href": ARRIVALS,
        "verdict": found["verdict"],
        "state": found["state"],
        "facts": [
            ("Họ và tên", pupil["name"]),
            ("Mã học sinh", pupil["code"]),
            ("Ngày sinh", f"{dt.date.fromisoformat(pupil['born']):%d/%m/%Y}"),
            ("Số định danh cá nhân", pupil["personal_id"]),
            ("Trường chuyển đi", f"{seen['school_name']} (mã {seen['school']})"),
            ("Lớp đang học", leaving["from_class"]),
            ("Lý do", leaving["reason"]),
            ("Số quyết định", leaving["decision"]),
            ("Vân tay niêm phong", seen["fingerprint"]),
        ],
        "documents": [_document(r) for r in seen["reports"]],
        "classes": [("", "Chỉ lưu hồ sơ, chưa xếp lớp"), *((c["code"], f"Lớp {c['data']['name']}") for c in classes)],
        "take_action": f"{ARRIVALS}/{arrival_id}/take" if found["state"] == store.CHECKED and found["verdict"] != "INVALID" else "",
        "learner_href": f"{LEARNERS}/{pupil['code']}" if found["state"] == store.TAKEN else "",
        "errors": errors,
    }
    return render(request.app.state.pages, request, "records/arrival.html", context, status_code=status)


def _document(report: Mapping[str, Any]) -> dict[str, Any]:
    document = report["document"]
    files = [
        {"kind": KINDS[f["kind"]], "state": f["state"], "reasons": f["reasons"], "signatures": len(f["signatures"])}
        for f in report["files"]
    ]
    about = {
        "year": document["year"],
        "school": document["school_name"],
        "class_name": document["class_name"],
        "version": document["version"],
    }
    return {**about, "files": files}


@router.post("/transfers/arrivals/{arrival_id}/take")
async def take(request: Request, who: Who, arrival_id: str) -> Response:
    require_fresh(who, Action.TRANSFER, school=own_school(who))
    form = await request.form()
    taking = routes.Taking(class_code=str(form.get("class_code") or "")[:40], accept_unchecked=bool(form.get("accept_unchecked")))
    try:
        taken = await routes.take(request, who, arrival_id, taking)
    except Refused as refused:
        if refused.refusal.status not in (409, 422):
            raise
        field = FIELDS.get(refused.code, "_form")
        return await _arrival(request, who, arrival_id, {field: f"{refused.cause} {refused.action}"}, status=refused.refusal.status)
    return done(f"{LEARNERS}/{taken['pupil_code']}", "arrival", 1)
