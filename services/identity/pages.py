"""Pages under /ui/identity: signing in, the password, the devices, the home page, 1.3 Duyệt tài khoản ký."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from contracts.access import Action, allowed
from services.chassis.access import require
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import count_in
from services.chassis.web.look import Notice, Paging, Shell, render, vn_number
from services.chassis.web.shell import DEVICES, HOME, shell
from services.identity import passwords, store
from services.identity.at_hand import (
    CookieSession,
    Db,
    From,
    RequestId,
    TheDoor,
    TheRegistry,
    give_cookie,
    session_of,
    take_cookie,
)
from services.identity.certificates import ACCOUNT_STATES, APPROVED, NOT_REGISTERED, REFUSED, WAITING
from services.identity.errors import CATALOGUE, REASON_NEEDED, WRONG_FORM_TOKEN, WRONG_OLD_PASSWORD
from services.identity.people import is_manager, may_issue
from services.identity.routes import devices_of
from services.identity.sessions import Here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.places import Outcome
    from services.identity.providers import Providers

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

SIGN_IN = "/ui/identity/sign-in"
PASSWORD = "/ui/identity/password"  # noqa: S105 - an address
ACCOUNTS = "/ui/identity/signing-accounts"
PAGE_SIZE = 50
VERSIONS = [
    ("TH", "Quản lý Tiểu học", ""),
    ("THCS", "Quản lý THCS", ""),
    ("THPT", "Quản lý THPT", ""),
    ("OVERSIGHT", "Phòng/Sở GD&ĐT", ""),
]


class MustChangePassword(Exception):
    """Somebody with a one-time password asked for another page."""


async def _settled(here: CookieSession) -> Here:
    """Raises MustChangePassword until the one-time password is changed."""
    if here.forced:
        raise MustChangePassword
    return here


async def lead_to_password(_request: Request, _problem: Exception) -> Response:
    return RedirectResponse(PASSWORD, status_code=303)


Settled = Annotated[Here, Depends(_settled)]


def _check_form(here: Here, csrf: str) -> None:
    """Raises Refused(WRONG_FORM_TOKEN) unless the form was made for this session."""
    if not hmac.compare_digest(here.csrf.encode(), csrf.encode()):
        raise Refused(WRONG_FORM_TOKEN)


# --- signing in and out


@router.get("/sign-in")
async def show_sign_in(request: Request, db: Db, next: str = "") -> Response:  # noqa: A002 - the form's own word
    here = await session_of(request, db)
    if here is not None:
        return RedirectResponse(_onward(next), status_code=303)
    return _sign_in_page(request, {"version": "TH", "username": ""}, onward=next)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    *,
    door: TheDoor,
    request_id: RequestId,
    origin: From,
    version: Annotated[str, Form()] = "",
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002 - the form's own word
) -> Response:
    values = {"version": version, "username": username[:200]}
    errors = {}
    if version not in {value for value, _, _ in VERSIONS}:
        errors["version"] = "Chọn phiên bản"
    if not username.strip():
        errors["username"] = "Nhập tên đăng nhập"
    if not password:
        errors["password"] = "Nhập mật khẩu"  # noqa: S105 - a message
    if errors:
        return _sign_in_page(request, values, onward=next, errors=errors, status=422)
    try:
        signed_in = await door.sign_in(version, username, password[:1000], request_id=request_id, origin=origin)
    except Refused as refused:
        said = {"_form": f"{refused.cause} {refused.action}"}
        return _sign_in_page(request, values, onward=next, errors=said, status=refused.refusal.status)
    response = RedirectResponse(PASSWORD if signed_in.here.forced else _onward(next), status_code=303)
    give_cookie(response, signed_in.token)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, db: Db, door: TheDoor, request_id: RequestId) -> Response:
    """Pages of all services show this form; that it comes from one of them is checked by its origin."""
    here = await session_of(request, db)
    if here is not None:
        await door.sign_out(here, request_id=request_id)
    response = RedirectResponse(SIGN_IN, status_code=303)
    take_cookie(response)
    return response


def _onward(address: str) -> str:
    """Only to pages of our own."""
    return address if address.startswith("/ui/") and "\\" not in address else HOME


def _sign_in_page(
    request: Request, values: dict[str, str], *, onward: str, errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    context = {
        "shell": shell(request, None),
        "title": "Đăng nhập",
        "action": SIGN_IN,
        "next": onward if onward.startswith("/ui/") else "",
        "versions": VERSIONS,
        "values": values,
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "identity/sign_in.html", context, status_code=status)


# --- the password


@router.get("/password")
async def show_password(request: Request, here: CookieSession) -> Response:
    return _password_page(request, here, {})


@router.post("/password")
async def change_password(
    request: Request,
    *,
    here: CookieSession,
    door: TheDoor,
    request_id: RequestId,
    origin: From,
    csrf: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    repeat: Annotated[str, Form()] = "",
) -> Response:
    _check_form(here, csrf)
    if new != repeat:
        return _password_page(request, here, {"repeat": "Hai mật khẩu mới không giống nhau"})
    try:
        changed = await door.change_password(here, current[:1000], new, request_id=request_id, origin=origin)
    except Refused as refused:
        field = "current" if refused.refusal is WRONG_OLD_PASSWORD else "new"
        return _password_page(request, here, {field: refused.cause})
    response = RedirectResponse(f"{HOME}?changed=1", status_code=303)
    give_cookie(response, changed.token)
    return response


def _password_page(request: Request, here: Here, errors: dict[str, str]) -> Response:
    username = store.username_of(here.who.person)
    context = {
        "shell": shell(request, None if here.forced else here.who, csrf=here.csrf),
        "title": "Đổi mật khẩu",
        "action": PASSWORD,
        "forced": here.forced,
        "ask_current": True,
        "username": username,
        "minimum": passwords.MINIMUM,
        "cancel_href": HOME,
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/change_password.html", context, status_code=422 if errors else 200)


# --- where the account is signed in


@router.get("/devices")
async def show_devices(request: Request, here: Settled, db: Db, ended: str = "") -> Response:
    devices = await devices_of(here, db)
    context = {
        "shell": await _shell(request, here, db, _ended_notice(ended)),
        "title": "Thiết bị đăng nhập",
        "action": f"{DEVICES}/end",
        "others_action": f"{DEVICES}/end-others",
        "password_href": PASSWORD,
        "rows": [device.model_dump() for device in devices],
    }
    return render(request.app.state.pages, request, "identity/devices.html", context)


@router.post("/devices/end")
async def end_device(
    here: Settled, door: TheDoor, request_id: RequestId, csrf: Annotated[str, Form()] = "", session: Annotated[str, Form()] = ""
) -> Response:
    _check_form(here, csrf)
    await door.end_session(here, session, request_id=request_id)
    if session != here.public_id:
        return RedirectResponse(f"{DEVICES}?ended=1", status_code=303)
    response = RedirectResponse(SIGN_IN, status_code=303)
    take_cookie(response)
    return response


@router.post("/devices/end-others")
async def end_other_devices(here: Settled, door: TheDoor, request_id: RequestId, csrf: Annotated[str, Form()] = "") -> Response:
    _check_form(here, csrf)
    ended = await door.end_other_sessions(here, request_id=request_id)
    return RedirectResponse(f"{DEVICES}?ended={ended}", status_code=303)


def _ended_notice(ended: str) -> list[Notice]:
    """The address holds a number only, the words are ours."""
    if not (ended.isascii() and ended.isdigit() and len(ended) < 6):
        return []
    if int(ended) == 0:
        return [Notice("info", "Không có thiết bị nào khác đang đăng nhập.")]
    return [Notice("success", f"Đã đăng xuất {vn_number(int(ended))} thiết bị.")]


# --- home


@router.get("/")
async def home(request: Request, here: Settled, db: Db, changed: str = "") -> Response:
    notices = [Notice("success", "Đã đổi mật khẩu.")] if changed else []
    school = await store.one(db, "schools", here.who.school) if here.who.school else None
    context = {
        "shell": await _shell(request, here, db, notices),
        "title": "Trang chính",
        "tasks": await _tasks(here, db, school) if school else [],
    }
    return render(request.app.state.pages, request, "identity/home.html", context)


async def _tasks(here: Here, db: Database, school: Document) -> list[dict[str, str]]:
    accounts = await store.latest_accounts(db, school["_id"], school["year"])
    tasks = []
    if allowed(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=school["_id"]):
        own = accounts.get(here.who.person)
        state = own["state"] if own else NOT_REGISTERED
        if state != APPROVED:
            tone = {WAITING: "waiting", REFUSED: "danger"}.get(state, "neutral")
            hint = own["refusal"] if own else ""
            tasks.append({"text": "1.2. Giáo viên đăng ký tài khoản ký", "hint": hint, "status": ACCOUNT_STATES[state], "tone": tone})
    if allowed(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school["_id"]):
        waiting = sum(r["state"] == WAITING and not r["by_oversight"] for r in accounts.values())
        if waiting:
            status = f"{vn_number(waiting)} tài khoản chờ duyệt"
            tasks.append({"text": "1.3. Duyệt tài khoản ký", "href": f"{ACCOUNTS}?state={WAITING}", "status": status, "tone": "waiting"})
    return tasks


async def _shell(request: Request, here: Here, db: Database, notices: Sequence[Notice] = ()) -> Shell:
    """With the name of the school or unit, and the school year."""
    place = None
    if here.who.school:
        place = await store.one(db, "schools", here.who.school)
    elif here.who.unit:
        place = await store.one(db, "units", here.who.unit)
    year = place.get("year") if place else None
    return shell(
        request,
        here.who,
        notices=notices,
        csrf=here.csrf,
        organisation=place["name"] if place else "",
        period=f"Năm học {year}" if year else "",
    )


# --- 1.3 Duyệt tài khoản ký


@router.get("/signing-accounts")
async def show_accounts(request: Request, here: Settled, db: Db, registry: TheRegistry) -> Response:
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=here.who.school or "")
    query = dict(request.query_params)
    rows = await _rows(db, here.who.school or "", registry.providers, query)
    page = max(1, count_in(query.get("page", "")))
    paging = Paging(min(page, max(1, -(-len(rows) // PAGE_SIZE))), PAGE_SIZE, len(rows))
    kept = {key: query[key] for key in ("name", "state", "sort", "order", "page") if query.get(key)}
    context = {
        "shell": await _shell(request, here, db, _notices(query)),
        "title": "Duyệt tài khoản ký",
        "crumb": "1. Hệ thống / 1.3. Duyệt tài khoản ký",
        "query": kept,
        "paging": paging,
        "action": ACCOUNTS,
        "copy_action": "",
        "rows": rows[(paging.page - 1) * PAGE_SIZE : paging.page * PAGE_SIZE],
    }
    return render(request.app.state.pages, request, "identity/staff.html", context)


@router.post("/signing-accounts")
async def decide_accounts(
    request: Request,
    *,
    here: Settled,
    db: Db,
    registry: TheRegistry,
    request_id: RequestId,
    decision: Annotated[Literal["approve", "refuse"], Form()],
    ids: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    all: Annotated[str, Form()] = "",  # noqa: A002 - the form's own word
    filter: Annotated[str, Form()] = "",  # noqa: A002 - the form's own word
    reason: Annotated[str | None, Form()] = None,
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """The ticked ones, or all that the filter finds; refusing first asks for the reason."""
    _check_form(here, csrf)
    school = here.who.school or ""
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school)
    if all:
        found = await _rows(db, school, registry.providers, dict(parse_qsl(filter.removeprefix("?"))))
        ids = [str(row["id"]) for row in found if row["state"] == WAITING]
    if not ids:
        return RedirectResponse(f"{ACCOUNTS}?none=1", status_code=303)
    if decision == "approve":
        return _outcome("approved", await registry.approve(here.who, school, ids, request_id=request_id))
    reason = reason.strip() if reason is not None else None
    if not reason:
        return await _ask_reason(request, here, db, ids, missing=reason is not None)
    return _outcome("refused", await registry.refuse(here.who, school, ids, reason[:500], request_id=request_id))


def _outcome(what: str, outcomes: list[Outcome]) -> Response:
    why = ",".join(sorted({o.refused.code for o in outcomes if o.refused}))
    done = sum(o.refused is None for o in outcomes)
    return RedirectResponse(f"{ACCOUNTS}?{what}={done}&left={len(outcomes) - done}&why={why}", status_code=303)


def _notices(query: dict[str, str]) -> list[Notice]:
    """What the last act did; the address holds numbers and codes only, the words are ours."""
    notices = []
    for key, text in (("approved", "Đã duyệt"), ("refused", "Đã từ chối")):
        if done := count_in(query.get(key, "")):
            notices.append(Notice("success", f"{text} {vn_number(done)} tài khoản."))
    if left := count_in(query.get("left", "")):
        reasons = " ".join(CATALOGUE[code].title + "." for code in query.get("why", "").split(",") if code in CATALOGUE)
        notices.append(Notice("error", f"{vn_number(left)} tài khoản không thực hiện được. {reasons}"))
    if query.get("none"):
        notices.append(Notice("info", "Chưa chọn tài khoản nào đang chờ duyệt."))
    return notices


async def _ask_reason(request: Request, here: Here, db: Database, ids: Sequence[str], *, missing: bool) -> Response:
    people = await store.people_by_code(db, ids)
    own = [people[code] for code in ids if code in people and people[code]["school"] == here.who.school]
    context = {
        "shell": await _shell(request, here, db),
        "title": "Từ chối tài khoản",
        "question": "Từ chối các tài khoản ký đã chọn?",
        "action": ACCOUNTS,
        "confirm": "Từ chối tài khoản",
        "cancel_href": ACCOUNTS,
        "fields": [("decision", "refuse"), *(("ids", code) for code in ids)],
        "facts": [],
        "items": [person["name"] for person in own[:10]],
        "count": len(own),
        "warning": "",
        "danger": True,
        "reason": {"label": "Lý do từ chối", "hint": "Giáo viên thấy lý do này và đăng ký lại.", "value": ""},
        "errors": {"reason": REASON_NEEDED.cause.format()} if missing else {},
    }
    return render(request.app.state.pages, request, "chassis/confirm.html", context, status_code=422 if missing else 200)


async def _rows(db: Database, school: str, providers: Providers, query: dict[str, str]) -> list[dict[str, object]]:
    """The staff that the filter finds, sorted as asked, by given name otherwise."""
    school_document = await store.one(db, "schools", school)
    accounts = await store.latest_accounts(db, school, school_document["year"] if school_document else None)
    staff = await store.people_of(db, school)
    rows = [_row(person, accounts.get(code), providers) for code, person in staff.items() if person["roles"]]
    name, state = fold(query.get("name", "")), query.get("state", "")
    rows = [r for r in rows if name in fold(str(r["name"])) and state in ("", r["state"])]
    rows.sort(key=lambda r: given_name_key(str(r["name"])))
    key = query.get("sort", "name")
    if key in ("position", "state", "valid_until"):
        rows.sort(key=lambda r: str(r[key] or ""))
    if query.get("order") == "desc":
        rows.reverse()
    return rows


def _row(person: Document, registration: Document | None, providers: Providers) -> dict[str, object]:
    state = registration["state"] if registration else NOT_REGISTERED
    reason = registration["refusal"] if registration else ""
    if state == WAITING and is_manager(person):
        reason = "Do Phòng/Sở GD&ĐT duyệt"
    return {
        "id": person["_id"],
        "name": person["name"],
        "code": person["_id"],
        "position": person["position"],
        "means": "Remote Signing" if registration else "",
        "provider": providers.name(registration["provider"]) if registration else "",
        "certificate_serial": registration["facts"]["serial"] if registration else "",
        "valid_until": registration["facts"]["valid_to"] if registration else None,
        "state": state,
        "reason": reason,
        "issuer": may_issue(person),
        "href": "",
    }
