"""Pages: "Tài khoản cán bộ, giáo viên", one person's account, people by hand, slips with one-time passwords."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from contracts.access import Action, Principal, Role, allowed
from contracts.menu import ROLE_NAMES, entry_of
from services.chassis.access import require
from services.chassis.errors import INVALID_INPUT, Refused
from services.chassis.web import lists
from services.chassis.web.look import render
from services.identity.accounts import errors as account_errors
from services.identity.accounts import passwords
from services.identity.accounts.pages import SIGN_IN
from services.identity.accounts.recovery_pages import DESK, links_page
from services.identity.accounts.sessions import Here
from services.identity.at_hand import Db, RequestId, TheDoor
from services.identity.errors import CATALOGUE, CODE_TAKEN, REASON_NEEDED, UNKNOWN_PERSON
from services.identity.organisations import errors as people_errors
from services.identity.organisations import people, people_desk, people_list, places
from services.identity.organisations.errors import PERSONAL_ID_TAKEN, WRONG_LEAVING_DATE
from services.identity.organisations.store import people_by_code
from services.identity.pages import Settled, check_form, frame
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sign_in import Door
    from services.identity.messages import Outcome

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

ACCOUNTS = "/ui/identity/accounts"
PERSON = f"{ACCOUNTS}/person"
NEW = f"{ACCOUNTS}/new"
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
PERSONAL_ID = re.compile(r"([0-9]{12})?")
STAFF_ROLES = {role: words for role, words in ROLE_NAMES.items() if role is not Role.OFFICER}
TONES = {
    people_list.SIGNED_IN: "success",
    people_list.NEVER: "neutral",
    people_list.ONE_TIME: "waiting",
    people_list.LOCKED: "danger",
    people_list.LEFT: "neutral",
    people_list.UNLISTED: "neutral",
}
REFUSALS = {**CATALOGUE, **lists.catalogue_of(account_errors, people_errors)}
DID = {
    "unlock": ("Đã mở khoá đăng nhập {n} tài khoản.", "Chưa chọn tài khoản nào."),
    "sign_out": ("Đã đăng xuất {n} tài khoản khỏi mọi thiết bị.", "Chưa chọn tài khoản nào."),
    "grant": ("Đã phân quyền Ký phát hành cho {n} tài khoản.", "Chưa chọn tài khoản nào."),
    "take": ("Đã thu quyền Ký phát hành của {n} tài khoản.", "Chưa chọn tài khoản nào."),
    "none": ("", "Chưa chọn tài khoản nào."),
    "entered": ("Đã thêm nhân sự. Cấp mật khẩu một lần hoặc tạo đường dẫn để nhân sự đăng nhập.", ""),
    "corrected": ("Đã sửa thông tin nhân sự.", ""),
    "left": ("Đã ghi nhận nghỉ, chuyển đi. Tài khoản đã đóng, các đăng ký tài khoản ký đã kết thúc.", ""),
    "returned": ("Đã ghi nhận trở lại. Cấp mật khẩu một lần hoặc tạo đường dẫn để nhân sự đăng nhập.", ""),
}


@router.get("/accounts")
async def show_accounts(request: Request, here: Settled, db: Db) -> Response:
    school = here.who.school or ""
    require(here.who, Action.VIEW_ACCOUNTS, school=school)
    query = lists.query_of(request, "name", "role", "state", "sort", "order", "page")
    rows, paging = lists.paged(await people_list.rows(db, school, query), query)
    context = {
        "shell": await frame(request, here, db, lists.notices(request, DID, REFUSALS)),
        "title": entry_of(here.who, ACCOUNTS).title,
        "query": query,
        "paging": paging,
        "roles": [(role.value, words) for role, words in STAFF_ROLES.items()],
        "states": people_list.STATES,
        "may_act": _may_act(here.who),
        "action": ACCOUNTS,
        "person_href": PERSON,
        "new_href": NEW,
        "recovery_href": DESK,
        "rows": [_shown(row) for row in rows],
    }
    return render(request.app.state.pages, request, "identity/accounts.html", context)


@router.post("/accounts")
async def act(request: Request, here: Settled, db: Db, door: TheDoor, request_id: RequestId) -> Response:
    """What the pressed button says, for the ticked people or for all that the filter finds."""
    ticked = await lists.ticked(request)
    check_form(here, ticked.field("csrf"))
    school = here.who.school or ""
    require(here.who, Action.GRANT_ACCOUNTS, school=school)
    wanted = list(ticked.ids)
    if ticked.filter is not None:
        wanted = [row["id"] for row in await people_list.rows(db, school, ticked.filter) if row["id"] != here.who.person]
    name = ticked.field("act")
    back = f"{PERSON}?code={wanted[0]}" if ticked.field("alone") and len(wanted) == 1 and CODE.fullmatch(wanted[0]) else ACCOUNTS
    if not wanted:
        return lists.done(ACCOUNTS, "none", 0)
    if name == "links":
        return await links_page(request, here, db, wanted, drop_factors=bool(ticked.field("drop_factors")), back=back)
    if name == "passwords":
        return await _slips_page(request, here, door, wanted, back=back, request_id=request_id)
    if name == "unlock":
        return _done(back, name, await people_desk.unlock(db, here.who, wanted))
    if name == "sign_out":
        return _done(back, name, await people_desk.sign_out(db, here.who, wanted))
    if name in ("grant", "take"):
        granted = name == "grant"
        outcomes = await places.grant_issue(door, school, wanted, granted=granted, actor=here.who.person, request_id=request_id)
        return _done(back, name, outcomes)
    raise Refused(INVALID_INPUT, fields="act")


@router.get("/accounts/person")
async def show_person(request: Request, here: Settled, db: Db, code: str = "") -> Response:
    return await _person_page(request, here, db, await _person(db, here.who, code))


@router.get("/accounts/new")
async def show_new(request: Request, here: Settled, db: Db) -> Response:
    require(here.who, Action.GRANT_ACCOUNTS, school=here.who.school or "")
    return await _new_page(request, here, db, {"code": "", "name": "", "personal_id": "", "position": ""}, {})


@router.post("/accounts/new")
async def enter(
    request: Request,
    *,
    here: Settled,
    db: Db,
    code: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    personal_id: Annotated[str, Form()] = "",
    position: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    require(here.who, Action.GRANT_ACCOUNTS, school=here.who.school or "")
    values = {"code": code.strip(), "name": name.strip(), "personal_id": personal_id.strip(), "position": position.strip()}
    errors = {} if CODE.fullmatch(values["code"]) else {"code": "Nhập mã nhân sự: chữ không dấu, số, dấu chấm, gạch, tối đa 40 ký tự"}
    errors |= _faults(values)
    if not errors:
        try:
            await people_desk.enter(db, here.who, **values)
        except Refused as refused:
            field = {CODE_TAKEN: "code", PERSONAL_ID_TAKEN: "personal_id"}.get(refused.refusal, "_form")
            errors = {field: refused.cause}
    if errors:
        return await _new_page(request, here, db, {key: value[:200] for key, value in values.items()}, errors)
    return lists.done(f"{PERSON}?code={values['code']}", "entered", 1)


@router.post("/accounts/correct")
async def correct(
    request: Request,
    *,
    here: Settled,
    db: Db,
    code: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    personal_id: Annotated[str, Form()] = "",
    position: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    require(here.who, Action.GRANT_ACCOUNTS, school=here.who.school or "")
    person = await _person(db, here.who, code)
    values = {"name": name.strip(), "personal_id": personal_id.strip(), "position": position.strip()}
    errors = _faults(values)
    if not errors:
        try:
            await people_desk.correct(db, here.who, code=code, **values)
        except Refused as refused:
            errors = {"personal_id" if refused.refusal is PERSONAL_ID_TAKEN else "_form": refused.cause}
    if errors:
        return await _person_page(request, here, db, person, errors=errors, typed={key: value[:200] for key, value in values.items()})
    return lists.done(f"{PERSON}?code={code}", "corrected", 1)


@router.post("/accounts/leave")
async def leave(
    request: Request,
    *,
    here: Settled,
    db: Db,
    code: Annotated[str, Form()] = "",
    on: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    require(here.who, Action.GRANT_ACCOUNTS, school=here.who.school or "")
    person = await _person(db, here.who, code)
    try:
        await people_desk.leave(db, here.who, code=code, on=_day(on), reason=reason[:500])
    except Refused as refused:
        field = {WRONG_LEAVING_DATE: "on", REASON_NEEDED: "reason"}.get(refused.refusal, "_form")
        return await _person_page(
            request, here, db, person, errors={field: refused.cause}, typed={"on": on[:20], "leaving_reason": reason[:500]}
        )
    return lists.done(f"{PERSON}?code={code}", "left", 1)


@router.post("/accounts/return")
async def come_back(here: Settled, db: Db, code: Annotated[str, Form()] = "", csrf: Annotated[str, Form()] = "") -> Response:
    check_form(here, csrf)
    require(here.who, Action.GRANT_ACCOUNTS, school=here.who.school or "")
    await people_desk.come_back(db, here.who, code=code)
    return lists.done(f"{PERSON}?code={code}", "returned", 1)


def _shown(row: people_list.Row) -> people_list.Row:
    tags = [{"text": people_list.STATES[state], "tone": TONES[state]} for state in row["states"]]
    return {**row, "tags": tags or [{"text": "Đang sử dụng", "tone": "info"}]}


def _may_act(who: Principal) -> bool:
    return allowed(who, Action.GRANT_ACCOUNTS, school=who.school or "")


def _done(back: str, name: str, outcomes: Sequence[Outcome]) -> RedirectResponse:
    refused = [outcome.refused.code for outcome in outcomes if outcome.refused]
    return lists.done(back, name, len(outcomes) - len(refused), refused)


def _faults(values: dict[str, str]) -> dict[str, str]:
    errors = {}
    if not 0 < len(values["name"]) <= 200:
        errors["name"] = "Nhập họ và tên"
    if not PERSONAL_ID.fullmatch(values["personal_id"]):
        errors["personal_id"] = "Số định danh cá nhân gồm 12 chữ số"
    if not 0 < len(values["position"]) <= 200:
        errors["position"] = "Nhập chức vụ"
    return errors


def _day(text: str) -> dt.date | None:
    """As browsers send it or as people write it."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


async def _person(db: Database, who: Principal, code: str) -> Document:
    """Raises Refused: FORBIDDEN, UNKNOWN_PERSON."""
    require(who, Action.VIEW_ACCOUNTS, school=who.school or "")
    person = await one(db, "people", code)
    if person is None or person["school"] != who.school:
        raise Refused(UNKNOWN_PERSON, person=code[:40])
    return person


async def _person_page(
    request: Request,
    here: Here,
    db: Database,
    person: Document,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    row = await people_list.row(db, person)
    others = person["_id"] != here.who.person and _may_act(here.who)
    left = row["left"]
    context = {
        "shell": await frame(request, here, db, lists.notices(request, DID, REFUSALS)),
        "title": person["name"],
        "crumb": "1. Hệ thống / Tài khoản cán bộ, giáo viên",
        "row": {**_shown(row), "personal_id": person["personal_id"], "left_on": dt.date.fromisoformat(left["on"]) if left else None},
        "roles": await people_list.roles_of(db, person),
        "history": await people_list.history(db, person["_id"]),
        "may_act": others,
        "may_correct": others and people.by_hand(person),
        "grantable": others and people.is_staff(person),
        "issuer_granted": person["issuer_granted"],
        "values": {
            "name": person["name"],
            "personal_id": person["personal_id"],
            "position": person["position"],
            "on": "",
            "leaving_reason": "",
            **(typed or {}),
        },
        "action": ACCOUNTS,
        "correct_action": f"{ACCOUNTS}/correct",
        "leave_action": f"{ACCOUNTS}/leave",
        "return_action": f"{ACCOUNTS}/return",
        "back_href": ACCOUNTS,
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "identity/person.html", context, status_code=422 if errors else 200)


async def _new_page(request: Request, here: Here, db: Database, values: dict[str, str], errors: dict[str, str]) -> Response:
    context = {
        "shell": await frame(request, here, db),
        "title": "Thêm nhân sự",
        "crumb": "1. Hệ thống / Tài khoản cán bộ, giáo viên",
        "action": NEW,
        "cancel_href": ACCOUNTS,
        "values": values,
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/new_person.html", context, status_code=422 if errors else 200)


async def _slips_page(request: Request, here: Here, door: Door, wanted: Sequence[str], *, back: str, request_id: str) -> Response:
    """Issues the passwords and shows them, this once."""
    issued, outcomes = await places.give_credentials(door, here.who.school or "", wanted, actor=here.who.person, request_id=request_id)
    known = await people_by_code(door.db, [outcome.person for outcome in outcomes])
    context = {
        "shell": await frame(request, here, door.db),
        "title": "Phiếu mật khẩu một lần",
        "back_href": back,
        "address": f"{request.app.state.public_url}{SIGN_IN}",
        "days": passwords.ONE_TIME_VALID.days,
        "rows": [{"name": each.name, "username": each.username, "password": each.one_time_password} for each in issued],
        "refused": [
            {
                "name": known[o.person]["name"] if o.person in known and known[o.person]["school"] == here.who.school else o.person,
                "message": f"{o.refused.cause} {o.refused.action}" if o.refused else "",
            }
            for o in outcomes
        ],
    }
    return render(request.app.state.pages, request, "identity/password_slips.html", context)
