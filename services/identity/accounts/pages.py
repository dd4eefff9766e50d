"""Pages: signing in and out, the password, the devices."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.errors import Refused
from services.chassis.web.look import Notice, render, vn_number
from services.chassis.web.shell import DEVICES, HOME, shell
from services.identity.accounts import passwords, store
from services.identity.accounts.routes import devices_of
from services.identity.accounts.sessions import Here, Missing
from services.identity.at_hand import (
    CookieSession,
    Db,
    Device,
    From,
    RequestId,
    TheDoor,
    give_cookies,
    session_of,
    take_cookie,
)
from services.identity.errors import WRONG_OLD_PASSWORD
from services.identity.pages import STEPS, Settled, Unfinished, check_form, frame

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

SIGN_IN = "/ui/identity/sign-in"

PASSWORD = "/ui/identity/password"  # noqa: S105 - an address

VERSIONS = [
    ("TH", "Quản lý Tiểu học", ""),
    ("THCS", "Quản lý THCS", ""),
    ("THPT", "Quản lý THPT", ""),
    ("OVERSIGHT", "Phòng/Sở GD&ĐT", ""),
]


@router.get("/sign-in")
async def show_sign_in(request: Request, db: Db, next: str = "") -> Response:  # noqa: A002 - the form's own word
    here = await session_of(request, db)
    if here is not None:
        return RedirectResponse(where_to(here, next), status_code=303)
    return _sign_in_page(request, {"version": "TH", "username": ""}, onward=next)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    *,
    door: TheDoor,
    request_id: RequestId,
    origin: From,
    device: Device,
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
        signed_in = await door.sign_in(version, username, password[:1000], request_id=request_id, origin=origin, device=device)
    except Refused as refused:
        said = {"_form": f"{refused.cause} {refused.action}"}
        return _sign_in_page(request, values, onward=next, errors=said, status=refused.refusal.status)
    response = RedirectResponse(where_to(signed_in.here, next), status_code=303)
    give_cookies(response, signed_in)
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


def onward(address: str) -> str:
    """Only to pages of our own."""
    return address if address.startswith("/ui/") and "\\" not in address else HOME


def where_to(here: Here, address: str) -> str:
    """To the step that is missing, else on to `address`, which the second factor passes on."""
    if here.missing is None:
        return onward(address)
    step = STEPS[here.missing]
    return f"{step}?{urlencode({'next': address})}" if here.missing is Missing.SECOND_FACTOR and address else step


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
        "outside": [(provider.name, f"{SIGN_IN}/oidc/{provider.id}") for provider in request.app.state.openid.providers.values()],
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "identity/sign_in.html", context, status_code=status)


async def _may_change(here: CookieSession) -> Here:
    """Raises Unfinished while the second factor, which comes before the password, is missing."""
    if here.missing is Missing.SECOND_FACTOR:
        raise Unfinished(here.missing)
    return here


MayChange = Annotated[Here, Depends(_may_change)]


@router.get("/password")
async def show_password(request: Request, here: MayChange) -> Response:
    return _password_page(request, here, {})


@router.post("/password")
async def change_password(
    request: Request,
    *,
    here: MayChange,
    door: TheDoor,
    request_id: RequestId,
    origin: From,
    device: Device,
    csrf: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    repeat: Annotated[str, Form()] = "",
) -> Response:
    check_form(here, csrf)
    if new != repeat:
        return _password_page(request, here, {"repeat": "Hai mật khẩu mới không giống nhau"})
    try:
        changed = await door.change_password(here, current[:1000], new, request_id=request_id, origin=origin, device=device)
    except Refused as refused:
        field = "current" if refused.refusal is WRONG_OLD_PASSWORD else "new"
        return _password_page(request, here, {field: refused.cause})
    response = RedirectResponse(f"{HOME}?changed=1", status_code=303)
    give_cookies(response, changed)
    return response


def _password_page(request: Request, here: Here, errors: dict[str, str]) -> Response:
    username = store.username_of(here.who.person)
    context = {
        "shell": shell(request, None if here.missing else here.who, csrf=here.csrf),
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


@router.get("/devices")
async def show_devices(request: Request, here: Settled, db: Db, ended: str = "") -> Response:
    devices = await devices_of(here, db)
    context = {
        "shell": await frame(request, here, db, _ended_notice(ended)),
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
    check_form(here, csrf)
    await door.end_session(here, session, request_id=request_id)
    if session != here.public_id:
        return RedirectResponse(f"{DEVICES}?ended=1", status_code=303)
    response = RedirectResponse(SIGN_IN, status_code=303)
    take_cookie(response)
    return response


@router.post("/devices/end-others")
async def end_other_devices(here: Settled, door: TheDoor, request_id: RequestId, csrf: Annotated[str, Form()] = "") -> Response:
    check_form(here, csrf)
    ended = await door.end_other_sessions(here, request_id=request_id)
    return RedirectResponse(f"{DEVICES}?ended={ended}", status_code=303)


def _ended_notice(ended: str) -> list[Notice]:
    """The address holds a number only, the words are ours."""
    if not (ended.isascii() and ended.isdigit() and len(ended) < 6):
        return []
    if int(ended) == 0:
        return [Notice("info", "Không có thiết bị nào khác đang đăng nhập.")]
    return [Notice("success", f"Đã đăng xuất {vn_number(int(ended))} thiết bị.")]
