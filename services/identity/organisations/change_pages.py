"""Pages of a dated change: what is asked, what it would do, doing it, and the planned ones with their undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.vietnamese import fold
from services.chassis.web import lists
from services.chassis.web.look import confirm_page, render, vn_date, vn_number
from services.identity.at_hand import Db, RequestId
from services.identity.organisations import page_parts, planning, spans, store
from services.identity.organisations.change_routes import branch_changes
from services.identity.organisations.changes import RENAMES, TO_UNIT, Kind, Order
from services.identity.organisations.page_parts import ACTS, CHANGE, CHANGES, CRUMB, PAGE, SCHOOLS, TARGETS, UNITS, field
from services.identity.organisations.pages import branch_of, told
from services.identity.pages import Settled, check_form, frame
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import FormData

    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sessions import Here

router = APIRouter(prefix=PAGE, include_in_schema=False)

SHOWN = (store.PLANNED, store.FAILED)
WARNINGS: Mapping[Kind, str] = {
    Kind.MERGE_UNIT: "Từ ngày có hiệu lực, các trường và đơn vị trực thuộc thuộc về đơn vị kế thừa; không hoàn tác được sau ngày đó.",
    Kind.ABOLISH_UNIT: "Từ ngày có hiệu lực, cán bộ quản lý của đơn vị không còn quyền; không hoàn tác được sau ngày đó.",
    Kind.CLOSE_SCHOOL: "Từ ngày có hiệu lực, trường không nhận dữ liệu mới và không mở năm học; không hoàn tác được sau ngày đó.",
}


@router.get("/change")
async def ask(request: Request, here: Settled, db: Db, kind: str = "", code: str = "") -> Response:
    branch_of(here.who)
    return await _form_page(request, here, db, {"kind": kind, "code": code, "day": spans.today().isoformat()}, {})


@router.post("/change/preview")
async def show_preview(request: Request, here: Settled, db: Db) -> Response:
    branch_of(here.who)
    values, officers = await _read(request, here)
    order, errors = _order(values, officers)
    if order is None:
        return await _form_page(request, here, db, values, errors)
    try:
        found = await planning.preview(db, here.who, order)
    except Refused as refused:
        return await _form_page(request, here, db, values, _about(order.kind, refused))
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title=ACTS[order.kind],
        crumb=CRUMB,
        question=f"{ACTS[order.kind]}: {found.subject['name']}?",
        action=CHANGE,
        confirm="Thực hiện" if found.at_once else "Lên kế hoạch",
        cancel_href=page_parts.address_of(found.subject),
        fields=[*values.items(), *(("officers", code) for code in officers)],
        facts=await _facts(db, order, found),
        warning=WARNINGS.get(order.kind, ""),
        danger=order.kind in WARNINGS,
    )


async def _facts(db: Database, order: Order, found: planning.Preview) -> list[tuple[str, str]]:
    names = await store.names(db, [order.target]) if order.target else {}
    facts = [("Ngày có hiệu lực", vn_date(order.day) + (" (có hiệu lực ngay)" if found.at_once else " (tự có hiệu lực khi đến ngày)"))]
    if order.kind in RENAMES:
        facts.append(("Tên mới", order.name))
    if order.target:
        facts.append((TARGETS[order.kind], names.get(order.target, order.target)))
    if not order.kind.of_school and order.kind is not Kind.RENAME_UNIT:
        facts.append(("Trường chuyển theo", vn_number(len(found.schools))))
        facts.append(("Đơn vị chuyển theo", vn_number(len(found.units))))
    if order.kind in (Kind.MERGE_UNIT, Kind.ABOLISH_UNIT):
        facts.append(("Cán bộ chuyển sang đơn vị kế thừa", ", ".join(p["name"] for p in found.moved) or "Không có"))
        facts.append(("Cán bộ không còn quyền", ", ".join(p["name"] for p in found.released) or "Không có"))
    if order.basis:
        facts.append(("Căn cứ", order.basis))
    return facts


@router.post("/change")
async def do(request: Request, here: Settled, db: Db, request_id: RequestId) -> Response:
    branch_of(here.who)
    values, officers = await _read(request, here)
    order, errors = _order(values, officers)
    if order is None:
        return await _form_page(request, here, db, values, errors)
    try:
        change = await planning.order_change(db, here.who, order, request_id=request_id)
    except Refused as refused:
        return await _form_page(request, here, db, values, _about(order.kind, refused))
    address = f"{SCHOOLS if order.kind.of_school else UNITS}/{order.code}"
    return lists.done(address, "changed" if change["state"] == store.DONE else "planned", 1)


@router.get("/changes")
async def show_changes(request: Request, here: Settled, db: Db) -> Response:
    branch_of(here.who)
    query = lists.query_of(request, "page")
    found = await branch_changes(db, here.who, SHOWN)
    page, paging = lists.paged(await page_parts.change_rows(db, reversed(found)), query)
    context = {
        "shell": await frame(request, here, db, told(request)),
        "title": "Thay đổi đã lên kế hoạch",
        "crumb": CRUMB,
        "query": query,
        "paging": paging,
        "changes": page,
        "list_href": PAGE,
    }
    return render(request.app.state.pages, request, "identity/organisation_changes.html", context)


@router.post("/changes/{change}/undo")
async def undo(request: Request, change: str, here: Settled, db: Db, request_id: RequestId) -> Response:
    branch_of(here.who)
    check_form(here, field(await request.form(), "csrf"))
    try:
        await planning.undo(db, here.who, change, request_id=request_id)
    except Refused as refused:
        return lists.done(CHANGES, "undone", 0, [refused.code])
    return lists.done(CHANGES, "undone", 1)


async def _read(request: Request, here: Here) -> tuple[dict[str, str], list[str]]:
    form: FormData = await request.form()
    check_form(here, field(form, "csrf"))
    values = {name: field(form, name, 300) for name in ("kind", "code", "day", "name", "target", "basis")}
    return values, [code for code in form.getlist("officers") if isinstance(code, str)]


def _order(values: Mapping[str, str], officers: list[str]) -> tuple[Order | None, dict[str, str]]:
    """The order, or what is missing of it, by field."""
    if values["kind"] not in list(Kind):
        raise Refused(NOT_FOUND)
    kind, day = Kind(values["kind"]), page_parts.day_of(values["day"])
    errors = {}
    if day is None:
        errors["day"] = "Nhập ngày có hiệu lực"
    if kind in RENAMES and not values["name"]:
        errors["name"] = "Nhập tên mới"
    if kind in TO_UNIT and not values["target"]:
        errors["target"] = f"Chọn {TARGETS[kind].lower()}"
    if day is None or errors:
        return None, errors
    order = Order(kind, values["code"], day, values["name"][:200], values["target"], tuple(officers), values["basis"])
    return order, {}


def _about(kind: Kind, refused: Refused) -> dict[str, str]:
    return {page_parts.error_field(kind, refused): f"{refused.cause} {refused.action}"}


async def _form_page(request: Request, here: Here, db: Database, values: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    if values["kind"] not in list(Kind):
        raise Refused(NOT_FOUND)
    kind = Kind(values["kind"])
    subject = await one(db, "schools" if kind.of_school else "units", values["code"])
    if subject is None:
        raise Refused(NOT_FOUND)
    planning.check_subject(here.who, subject)
    context: dict[str, Any] = {
        "shell": await frame(request, here, db),
        "title": ACTS[kind],
        "crumb": CRUMB,
        "subject": subject["name"],
        "action": f"{CHANGE}/preview",
        "cancel_href": page_parts.address_of(subject),
        "values": {"name": subject["name"], "target": "", "basis": "", **{k: v for k, v in values.items() if v or k == "day"}},
        "asks_name": kind in RENAMES,
        "target_label": TARGETS.get(kind, ""),
        "targets": await _targets(db, here.who.unit or "", kind, subject),
        "officers": await store.officers_of(db, subject["_id"]) if kind is Kind.MERGE_UNIT else [],
        "errors": dict(errors),
    }
    status = 422 if errors else 200
    return render(request.app.state.pages, request, "identity/organisation_change.html", context, status_code=status)


async def _targets(db: Database, unit: str, kind: Kind, subject: Document) -> list[tuple[str, str]]:
    """What may be chosen: in the own branch, still there, and neither the thing itself nor below it."""
    if kind not in TARGETS:
        return []
    found = await (store.schools_below if kind is Kind.CLOSE_SCHOOL else store.units_below)(db, unit)
    first = ("", "Không có (giải thể)") if kind is Kind.CLOSE_SCHOOL else ("", "Chọn đơn vị")
    usable = [
        d for d in found if not d.get("ended_on") and d["_id"] != subject["_id"] and (kind.of_school or subject["_id"] not in d["path"])
    ]
    return [first, *((d["_id"], f"{d['name']} ({d['_id']})") for d in sorted(usable, key=lambda d: fold(d["name"])))]
