"""Pages: the second factor at sign-in, "Xác thực hai lớp", and confirming anew in the middle of an act."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from services.chassis.access import require_confirmed
from services.chassis.errors import Refused
from services.chassis.web.confirming import confirm_page, kept_in
from services.chassis.web.look import Notice, render
from services.chassis.web.shell import FACTORS, HOME, SIGN_OUT, shell
from services.identity.accounts import factors, second_step, store, totp
from services.identity.accounts.factor_routes import factors_of
from services.identity.accounts.factors import Proof
from services.identity.accounts.pages import onward, where_to
from services.identity.accounts.second_step import Asking
from services.identity.accounts.sessions import Missing
from services.identity.at_hand import Self, give_cookies
from services.identity.errors import NOT_BEGUN
from services.identity.pages import STEPS, Unfinished, check_form, frame

if TYPE_CHECKING:
    from services.chassis.web.look import Shell
    from services.identity.accounts.second_step import Enrolled
    from services.identity.accounts.sign_in import SignedIn

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

SECOND_FACTOR = STEPS[Missing.SECOND_FACTOR]
APP = f"{FACTORS}/totp"
DONE = {
    "enrolled": "Đã thêm cách xác thực.",
    "removed": "Đã xoá cách xác thực.",
}
"""The address holds a word of these only."""
LONGEST_PASSKEY = 20_000


# --- at sign-in


@router.get("/second-factor")
async def show_second_factor(request: Request, asking: Self, next: str = "") -> Response:  # noqa: A002 - the form's own word
    if asking.here.missing is not Missing.SECOND_FACTOR:
        return RedirectResponse(where_to(asking.here, next), status_code=303)
    return await _second_factor_page(request, asking, next, {})


@router.post("/second-factor")
async def give(
    request: Request,
    *,
    asking: Self,
    csrf: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    passkey: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002 - the form's own word
) -> Response:
    check_form(asking.here, csrf)
    if not code.strip() and not passkey:
        return await _second_factor_page(request, asking, next, {"code": "Nhập mã xác thực"})
    try:
        given = await second_step.give(asking, _proof(code, passkey))
    except Refused as refused:
        return await _second_factor_page(request, asking, next, {"code": f"{refused.cause} {refused.action}"}, refused.refusal.status)
    return _leading(where_to(given.here, next), given)


async def _second_factor_page(request: Request, asking: Asking, address: str, errors: dict[str, str], status: int = 422) -> Response:
    account = await second_step.account_of(asking.db, asking.person)
    context = {
        "shell": shell(request, None, csrf=asking.here.csrf),
        "title": "Xác thực hai lớp",
        "action": SECOND_FACTOR,
        "sign_out": SIGN_OUT,
        "next": onward(address) if address else "",
        "has_passkey": bool(factors.passkeys_of(account)),
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/second_factor.html", context, status_code=status if errors else 200)


# --- the own factors


async def _enrolling(asking: Self) -> Asking:
    """Whoever is signed in, or has nothing left but to enrol. Raises Unfinished."""
    if asking.here.missing not in (None, Missing.ENROLMENT):
        raise Unfinished(asking.here.missing)
    return asking


async def _confirmed(asking: Annotated[Asking, Depends(_enrolling)]) -> Asking:
    """Raises ConfirmationNeeded, too."""
    require_confirmed(asking.here.who)
    return asking


Enrolling = Annotated[Asking, Depends(_enrolling)]
Confirmed = Annotated[Asking, Depends(_confirmed)]
Csrf = Annotated[str, Form()]


@router.get("/factors")
async def show_factors(request: Request, asking: Enrolling, done: str = "") -> Response:
    return await _factors_page(request, asking, notices=[Notice("success", DONE[done])] if done in DONE else [])


@router.post("/factors/totp/begin")
async def begin_app(asking: Confirmed, csrf: Csrf = "") -> Response:
    check_form(asking.here, csrf)
    await second_step.begin_app(asking)
    return RedirectResponse(APP, status_code=303)


@router.get("/factors/totp")
async def show_app(request: Request, asking: Enrolling) -> Response:
    return await _app_page(request, asking, {})


@router.post("/factors/totp")
async def enrol_app(
    request: Request, asking: Enrolling, csrf: Csrf = "", code: Annotated[str, Form()] = "", name: Annotated[str, Form()] = ""
) -> Response:
    check_form(asking.here, csrf)
    try:
        return await _enrolled(request, await second_step.enrol_app(asking, code[:40], name.strip()[:60]))
    except Refused as refused:
        if refused.refusal is NOT_BEGUN:
            return RedirectResponse(FACTORS, status_code=303)
        return await _app_page(request, asking, {"code": f"{refused.cause} {refused.action}"})


@router.post("/factors/passkeys")
async def enrol_passkey(
    request: Request, asking: Enrolling, csrf: Csrf = "", passkey: Annotated[str, Form()] = "", name: Annotated[str, Form()] = ""
) -> Response:
    check_form(asking.here, csrf)
    try:
        return await _enrolled(request, await second_step.enrol_passkey(asking, _answer(passkey), name.strip()[:60]))
    except Refused as refused:
        return await _factors_page(request, asking, errors={"name": f"{refused.cause} {refused.action}"})


@router.post("/factors/remove")
async def remove(request: Request, asking: Confirmed, csrf: Csrf = "", factor: Annotated[str, Form()] = "") -> Response:
    check_form(asking.here, csrf)
    try:
        removed = await second_step.remove(asking, factor)
    except Refused as refused:
        return await _factors_page(request, asking, errors={"_form": f"{refused.cause} {refused.action}"})
    return _leading(f"{FACTORS}?done=removed", removed)


@router.post("/factors/spare-codes")
async def new_spare_codes(request: Request, asking: Confirmed, csrf: Csrf = "") -> Response:
    check_form(asking.here, csrf)
    codes = await second_step.new_spare_codes(asking)
    return _codes_page(request, await _frame(request, asking), codes)


async def _enrolled(request: Request, enrolled: Enrolled) -> Response:
    """The spare codes stand in this one answer alone; an address that shows them again would have to keep them."""
    if enrolled.spare_codes is None:
        return _leading(f"{FACTORS}?done=enrolled", enrolled.signed_in)
    here = enrolled.signed_in.here
    surroundings = shell(request, None if here.missing else here.who, csrf=here.csrf, notices=[Notice("success", DONE["enrolled"])])
    response = _codes_page(request, surroundings, enrolled.spare_codes)
    give_cookies(response, enrolled.signed_in)
    return response


async def _factors_page(
    request: Request, asking: Asking, *, notices: list[Notice] | None = None, errors: dict[str, str] | None = None
) -> Response:
    own = await factors_of(asking)
    context = {
        "shell": await _frame(request, asking, notices or []),
        "title": "Xác thực hai lớp",
        "missing": asking.here.missing is not None,
        "required": own.required,
        "rows": [each.model_dump() for each in own.factors],
        "spare_codes": own.spare_codes,
        "app_action": f"{APP}/begin",
        "passkey_action": f"{FACTORS}/passkeys",
        "remove_action": f"{FACTORS}/remove",
        "codes_action": f"{FACTORS}/spare-codes",
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "identity/factors.html", context, status_code=422 if errors else 200)


async def _app_page(request: Request, asking: Asking, errors: dict[str, str]) -> Response:
    try:
        secret = await second_step.begun_app(asking)
    except Refused:
        return RedirectResponse(FACTORS, status_code=303)
    context = {
        "shell": await _frame(request, asking),
        "title": "Thêm ứng dụng xác thực",
        "action": APP,
        # drawn by ourselves, of a text of our own
        "picture": Markup(totp.picture_of(totp.uri_of(secret, store.username_of(asking.person)))),  # noqa: S704 - see above
        "secret": totp.in_groups(secret),
        "cancel_href": FACTORS,
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/totp.html", context, status_code=422 if errors else 200)


def _codes_page(request: Request, surroundings: Shell, codes: list[str]) -> Response:
    context = {"shell": surroundings, "title": "Mã dự phòng", "codes": codes, "onward": FACTORS}
    return render(request.app.state.pages, request, "identity/spare_codes.html", context)


async def _frame(request: Request, asking: Asking, notices: list[Notice] | None = None) -> Shell:
    """Without the menu as long as enrolling is all that works."""
    if asking.here.missing is not None:
        return shell(request, None, notices=notices or [], csrf=asking.here.csrf)
    return await frame(request, asking.here, asking.db, notices or [])


# --- confirming anew


@router.post("/confirm")
async def confirm(request: Request, asking: Enrolling) -> Response:
    """The form comes from a page of any service, so it has no value of the session; its origin and what it proves protect it."""
    form = await request.form(max_fields=20_000)
    kept = kept_in(form)
    given: dict[str, str] = {name: value for name in ("password", "code", "passkey") if isinstance(value := form.get(name), str)}
    who, csrf = asking.here.who, asking.here.csrf
    field = "code" if who.second_factor else "password"
    if not given.get(field, "").strip() and not given.get("passkey"):
        empty = "Nhập mã xác thực" if who.second_factor else "Nhập mật khẩu"
        return confirm_page(request, who, kept, errors={field: empty}, csrf=csrf)
    proof = _proof(given.get("code", ""), given.get("passkey", "")) if who.second_factor else None
    try:
        confirmed = await second_step.confirm(asking, given.get("password", "")[:1000], proof)
    except Refused as refused:
        return confirm_page(request, who, kept, errors={field: f"{refused.cause} {refused.action}"}, csrf=csrf)
    if not kept.target:
        return _leading(HOME, confirmed)
    context: dict[str, Any] = {
        "shell": shell(request, confirmed.here.who, csrf=confirmed.here.csrf),
        "title": "Đã xác nhận",
        "action": kept.target,
        "fields": kept.fields,
        "own": kept.target.startswith("/ui/identity/"),
    }
    response = render(request.app.state.pages, request, "identity/confirmed.html", context)
    give_cookies(response, confirmed)
    return response


def _leading(address: str, signed_in: SignedIn) -> Response:
    response = RedirectResponse(address, status_code=303)
    give_cookies(response, signed_in)
    return response


def _proof(code: str, passkey: str) -> Proof:
    return Proof(passkey=_answer(passkey)) if passkey else Proof(code=code[:40])


def _answer(text: str) -> dict[str, Any]:
    """What the script put into the form; whatever is no such thing proves nothing."""
    try:
        answer = json.loads(text[:LONGEST_PASSKEY])
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
