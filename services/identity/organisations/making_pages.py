"""Pages where units, schools and their administrators are made; a one-time password is shown on the answer and never again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from contracts.access import Action
from services.chassis.access import require
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold
from services.chassis.web import lists
from services.chassis.web.look import confirm_page, render
from services.identity.at_hand import Db, RequestId, TheDoor
from services.identity.errors import CODE_TAKEN, REASON_NEEDED, UNKNOWN_PERSON, UNKNOWN_UNIT
from services.identity.organisations import administrators, people, places, spans, store
from services.identity.organisations.change_routes import AdministratorOrder
from services.identity.organisations.errors import WRONG_DATES
from services.identity.organisations.page_parts import CRUMB, LEVELS, PAGE, SCHOOLS, UNITS, field
from services.identity.organisations.pages import branch_of
from services.identity.organisations.routes import SchoolFacts, SchoolOrder, UnitOrder, school_of
from services.identity.pages import Settled, check_form, frame
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import FormData

    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sessions import Here
    from services.identity.organisations.places import Issued

router = APIRouter(prefix=PAGE, include_in_schema=False)

B = TypeVar("B", bound=BaseModel)
MISSING = {
    "code": "Nhập mã gồm chữ không dấu, chữ số, dấu chấm hoặc gạch ngang, tối đa 40 ký tự",
    "name": "Nhập tên",
    "parent": "Chọn đơn vị cấp trên",
    "unit": "Chọn đơn vị quản lý",
    "levels": "Chọn ít nhất một cấp học",
    "tax_code": "Nhập mã số thuế gồm 7 đến 13 chữ số",
    "valid_from": "Nhập ngày bắt đầu hoạt động",
    "person_code": "Nhập mã của người được giao, gồm chữ không dấu, chữ số, dấu chấm hoặc gạch ngang",
    "person_name": "Nhập họ và tên",
    "personal_id": "Nhập số định danh cá nhân gồm 12 chữ số, hoặc để trống",
}
"""What to do about a field that the shape of an order refuses."""


@router.get("/units/new")
async def ask_unit(request: Request, here: Settled, db: Db, parent: str = "") -> Response:
    branch_of(here.who)
    return await _unit_page(request, here, db, {"parent": parent, "valid_from": spans.today().isoformat()}, {})


@router.post("/units")
async def make_unit(request: Request, here: Settled, db: Db, door: TheDoor, request_id: RequestId) -> Response:
    branch_of(here.who)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    values = _values(form, "code", "name", "parent", "valid_from", "person_code", "person_name")
    person = {"code": values["person_code"], "name": values["person_name"]}
    given = {"officer": person} if any(person.values()) else {}
    order, errors = _shaped(UnitOrder, {**{k: values[k] for k in ("code", "name", "parent", "valid_from")}, **given})
    if order is None:
        return await _unit_page(request, here, db, values, errors)
    try:
        await _check_new(db, here, order.code, order.parent)
        unit, issued = await places.put_unit(
            door,
            order.code,
            name=order.name,
            parent=order.parent,
            officer=order.officer.named() if order.officer else None,
            reset=False,
            actor=here.who.person,
            request_id=request_id,
            valid_from=order.valid_from,
        )
    except Refused as refused:
        return await _unit_page(request, here, db, values, _about(refused, "parent", "person_code", order.code))
    if issued is None:
        return lists.done(f"{UNITS}/{unit['_id']}", "saved", 1)
    return await _made_page(request, here, db, issued, title="Đã thêm đơn vị", onward=f"{UNITS}/{unit['_id']}")


@router.get("/schools/new")
async def ask_school(request: Request, here: Settled, db: Db, unit: str = "") -> Response:
    branch_of(here.who)
    return await _school_page(request, here, db, values={"unit": unit, "valid_from": spans.today().isoformat()}, levels=[], errors={})


@router.post("/schools")
async def make_school(request: Request, here: Settled, db: Db, door: TheDoor, request_id: RequestId) -> Response:
    branch_of(here.who)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    own = ("code", "name", "unit", "tax_code", "valid_from")
    values, levels = _values(form, *own, "person_code", "person_name", "personal_id"), _levels(form)
    person = {"code": values["person_code"], "name": values["person_name"], "personal_id": values["personal_id"]}
    order, errors = _shaped(SchoolOrder, {**{k: values[k] for k in own}, "levels": levels, "administrator": person})
    if order is None:
        return await _school_page(request, here, db, values=values, levels=levels, errors=errors)
    try:
        await _check_new(db, here, order.code, order.unit)
        school, issued = await places.put_school(
            door,
            order.code,
            name=order.name,
            levels=order.levels,
            tax_code=order.tax_code,
            unit_code=order.unit,
            administrator=order.administrator.named(),
            reset=False,
            actor=here.who.person,
            request_id=request_id,
            valid_from=order.valid_from,
        )
    except Refused as refused:
        errors = _about(refused, "unit", "person_code", order.code)
        return await _school_page(request, here, db, values=values, levels=levels, errors=errors)
    return await _made_page(request, here, db, issued, title="Đã thêm trường", onward=f"{SCHOOLS}/{school['_id']}")


@router.get("/schools/{code}/edit")
async def ask_facts(request: Request, code: str, here: Settled, db: Db) -> Response:
    school = await _school(db, here, code)
    return await _edit_page(request, here, db, school, values={"tax_code": school["tax_code"]}, levels=school["levels"], errors={})


@router.post("/schools/{code}/edit")
async def change_facts(request: Request, code: str, here: Settled, db: Db, request_id: RequestId) -> Response:
    school = await _school(db, here, code)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    values, levels = _values(form, "tax_code"), _levels(form)
    order, errors = _shaped(SchoolFacts, {**values, "levels": levels})
    if order is None:
        return await _edit_page(request, here, db, school, values=values, levels=levels, errors=errors)
    changed = await places.put_facts(db, code, levels=order.levels, tax_code=order.tax_code, actor=here.who.person, request_id=request_id)
    return lists.done(f"{SCHOOLS}/{code}", "saved", int(changed))


@router.get("/schools/{code}/administrators")
async def ask_administrator(request: Request, code: str, here: Settled, db: Db) -> Response:
    return await _administrator_page(request, here, db, await _school(db, here, code), values={}, errors={})


@router.post("/schools/{code}/administrators")
async def name_administrator(request: Request, code: str, *, here: Settled, db: Db, door: TheDoor, request_id: RequestId) -> Response:
    school = await _school(db, here, code)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    values = _values(form, "person_code", "person_name", "personal_id", "reset")
    given = {
        "code": values["person_code"],
        "name": values["person_name"],
        "personal_id": values["personal_id"],
        "reset": bool(values["reset"]),
    }
    order, errors = _shaped(AdministratorOrder, given, inside="administrator")
    if order is None:
        return await _administrator_page(request, here, db, school, values=values, errors=errors)
    try:
        issued = await administrators.name_administrator(
            door, code, order.named(), reset=order.reset, actor=here.who.person, request_id=request_id
        )
    except Refused as refused:
        return await _administrator_page(request, here, db, school, values=values, errors=_about(refused, "_form", "person_code", ""))
    return await _made_page(request, here, db, issued, title="Đã chỉ định quản trị viên", onward=f"{SCHOOLS}/{code}")


@router.get("/schools/{code}/administrators/{person}")
async def ask_taking(request: Request, code: str, person: str, here: Settled, db: Db) -> Response:
    return await _taking_page(request, here, db, await _school(db, here, code), person, missing=False)


@router.post("/schools/{code}/administrators/{person}")
async def take_administration(request: Request, code: str, person: str, *, here: Settled, db: Db, request_id: RequestId) -> Response:
    school = await _school(db, here, code)
    form = await request.form()
    check_form(here, field(form, "csrf"))
    reason = field(form, "reason", 500)
    if not reason:
        return await _taking_page(request, here, db, school, person, missing=True)
    await administrators.take_administration(db, code, person, reason=reason, actor=here.who.person, request_id=request_id)
    return lists.done(f"{SCHOOLS}/{code}", "taken", 1)


async def _school(db: Database, here: Here, code: str) -> Document:
    """Raises Refused: UNKNOWN_SCHOOL, FORBIDDEN."""
    school = await school_of(db, code)
    require(here.who, Action.MANAGE_ORGANISATIONS, path=tuple(school["path"]))
    return school


async def _check_new(db: Database, here: Here, code: str, above: str) -> None:
    """What is there already is changed on its own page, from a day on. Raises Refused: UNKNOWN_UNIT, FORBIDDEN, CODE_TAKEN."""
    unit = await one(db, "units", above)
    if unit is None:
        raise Refused(UNKNOWN_UNIT, unit=above)
    require(here.who, Action.MANAGE_ORGANISATIONS, path=tuple(unit["path"]))
    if await store.names(db, [code]):
        raise Refused(CODE_TAKEN, code=code)


def _values(form: FormData, *names: str) -> dict[str, str]:
    return {name: field(form, name) for name in names}


def _levels(form: FormData) -> list[str]:
    sent = form.getlist("levels")
    return [level for level, _ in LEVELS if level in sent]


def _shaped(order: type[B], values: Mapping[str, Any], *, inside: str = "") -> tuple[B | None, dict[str, str]]:
    """The order, or what is wrong with it by field of the form; the fields of the person stand in `officer` or `administrator`."""
    try:
        return order.model_validate(values), {}
    except ValidationError as problem:
        errors = {}
        for error in problem.errors():
            first, *rest = (str(part) for part in error["loc"])
            if inside or first in ("officer", "administrator"):
                name = (rest or [first])[0] if not inside else first
                first = {"code": "person_code", "name": "person_name"}.get(name, name)
            errors[first] = MISSING[first]
        return None, errors


def _about(refused: Refused, unit_field: str, person_field: str, code: str) -> dict[str, str]:
    """By the field that it is about: a taken code may be the organisation's or the person's."""
    if refused.refusal is CODE_TAKEN:
        where = "code" if refused.values["code"] == code else person_field
    else:
        where = {UNKNOWN_UNIT: unit_field, WRONG_DATES: "valid_from"}.get(refused.refusal, "_form")
    return {where: f"{refused.cause} {refused.action}"}


async def _units(db: Database, here: Here) -> list[tuple[str, str]]:
    found = [u for u in await store.units_below(db, here.who.unit or "") if not u.get("ended_on")]
    return [(u["_id"], f"{u['name']} ({u['_id']})") for u in sorted(found, key=lambda u: fold(u["name"]))]


async def _unit_page(request: Request, here: Here, db: Database, values: Mapping[str, str], errors: dict[str, str]) -> Response:
    context = {"title": "Thêm đơn vị", "action": UNITS, "cancel_href": PAGE, "units": await _units(db, here), "kind": "unit"}
    return await _new_page(request, here, db, context, values=values, levels=[], errors=errors)


async def _school_page(
    request: Request, here: Here, db: Database, *, values: Mapping[str, str], levels: list[str], errors: dict[str, str]
) -> Response:
    context = {"title": "Thêm trường", "action": SCHOOLS, "cancel_href": PAGE, "units": await _units(db, here), "kind": "school"}
    return await _new_page(request, here, db, context, values=values, levels=levels, errors=errors)


async def _edit_page(
    request: Request, here: Here, db: Database, school: Document, *, values: Mapping[str, str], levels: list[str], errors: dict[str, str]
) -> Response:
    address = f"{SCHOOLS}/{school['_id']}"
    context = {
        "title": f"Sửa thông tin: {school['name']}",
        "action": f"{address}/edit",
        "cancel_href": address,
        "units": [],
        "kind": "facts",
    }
    return await _new_page(request, here, db, context, values=values, levels=levels, errors=errors)


async def _administrator_page(
    request: Request, here: Here, db: Database, school: Document, *, values: Mapping[str, str], errors: dict[str, str]
) -> Response:
    address = f"{SCHOOLS}/{school['_id']}"
    context = {
        "title": f"Chỉ định quản trị viên: {school['name']}",
        "action": f"{address}/administrators",
        "cancel_href": address,
        "units": [],
        "kind": "administrator",
    }
    return await _new_page(request, here, db, context, values=values, levels=[], errors=errors)


async def _new_page(
    request: Request,
    here: Here,
    db: Database,
    context: dict[str, Any],
    *,
    values: Mapping[str, str],
    levels: list[str],
    errors: dict[str, str],
) -> Response:
    names = ("code", "name", "parent", "unit", "tax_code", "valid_from", "person_code", "person_name", "personal_id", "reset")
    context = {
        "shell": await frame(request, here, db),
        "crumb": CRUMB,
        **context,
        "values": {name: values.get(name, "") for name in names},
        "levels": [(level, text, level in levels) for level, text in LEVELS],
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/organisation_new.html", context, status_code=422 if errors else 200)


async def _made_page(request: Request, here: Here, db: Database, issued: Issued, *, title: str, onward: str) -> Response:
    context = {"shell": await frame(request, here, db), "title": title, "crumb": CRUMB, "issued": issued, "onward": onward}
    return render(request.app.state.pages, request, "identity/organisation_made.html", context)


async def _taking_page(request: Request, here: Here, db: Database, school: Document, person: str, *, missing: bool) -> Response:
    found = (await store.people_of(db, school["_id"])).get(person)
    if found is None or not people.is_administrator(found):
        raise Refused(UNKNOWN_PERSON, person=person)
    address = f"{SCHOOLS}/{school['_id']}"
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title="Thu hồi quyền quản trị viên",
        crumb=CRUMB,
        question=f"Thu hồi quyền quản trị viên của {found['name']} tại {school['name']}?",
        action=f"{address}/administrators/{person}",
        confirm="Thu hồi quyền",
        cancel_href=address,
        warning="Quyền kết thúc ngay; chỉ đơn vị quản lý chỉ định lại được.",
        danger=True,
        reason=("Lý do thu hồi", "Lý do được lưu trong nhật ký."),
        missing=REASON_NEEDED.cause if missing else "",
    )
