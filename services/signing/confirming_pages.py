"""Where a batch is confirmed without a phone: the page for a PIN or one-time password, and the way to the provider's page and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from contracts.nouns import NOUNS, worded
from services.chassis import clock
from services.chassis import errors as chassis_errors
from services.chassis.access import Who
from services.chassis.errors import FORBIDDEN, Refused
from services.chassis.web.lists import catalogue_of, done, notices
from services.chassis.web.look import render
from services.chassis.web.shell import shell
from services.signing import batches, confirming, errors
from services.signing.errors import NO_LONGER_WAITS, PROVIDER_AWAY, WRONG_SECRET
from services.signing.queues import kind_of
from services.signing.routes import own_batch, providers_of, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter()
BATCHES = "/ui/signing/batches"
BACK = "/ui/signing/provider-callback"
CATALOGUE = catalogue_of(chassis_errors, errors)
WORDS = {
    "code": ("Đã gửi mã OTP. Mã gửi trước đó không còn dùng được.", "Mã OTP vừa được gửi; chờ 30 giây rồi gửi lại nếu chưa nhận được.")
}


def asked_of(who: Principal, batch: Mapping[str, Any], provider: str) -> dict[str, Any] | None:
    """What the batch's page asks of its person before it can go on: `text`, and a `button` that leads or is sent (`sends`) to `href`."""
    if batch["person"] != who.person or not confirming.waits(batch):
        return None
    here = f"{BATCHES}/{batch['_id']}"
    if confirming.on_page(batch):
        text = f"Đến trang của {provider}, đăng nhập và đồng ý để ký cả đợt"
        return {"text": text, "button": "Đến trang của nhà cung cấp để xác nhận", "href": f"{here}/provider", "sends": False}
    wanted = confirming.secrets_of(batch)
    names = " và ".join(dict.fromkeys({"pin": "mã PIN", "otp": "mã OTP"}[each.kind] for each in wanted))
    sent = any(each.sent for each in wanted)
    href = f"{here}/confirmation/code" if sent and not batch.get("codes_sent_at") else f"{here}/confirmation"
    return {"text": f"Nhập {names} để ký cả đợt", "button": f"Nhập {names}", "href": href, "sends": href.endswith("code")}


@router.get("/batches/{batch_id}/confirmation")
async def show(request: Request, who: Who, batch_id: str) -> Response:
    batch = await _own(request, who, batch_id)
    if not confirming.waits(batch) or confirming.on_page(batch):
        return RedirectResponse(f"{BATCHES}/{batch_id}", status_code=303)
    return await _page(request, who, batch)


@router.post("/batches/{batch_id}/confirmation")
async def confirm(request: Request, who: Who, batch_id: str) -> Response:
    """What was typed goes to the provider and nowhere else."""
    batch = await _own(request, who, batch_id)
    batches.require_for(who, batch["step"])
    form = await request.form()
    typed = {
        secret.id: value.strip()[: confirming.LONGEST_SECRET]
        for number, secret in enumerate(confirming.secrets_of(batch))
        if isinstance(value := form.get(_field(number)), str)
    }
    missing = {_field(n): f"Nhập {s.label}." for n, s in enumerate(confirming.secrets_of(batch)) if not typed.get(s.id)}
    if missing and confirming.waits(batch):
        return await _page(request, who, batch, wrong=missing)
    try:
        await confirming.confirm(store_of(request), providers_of(request), batch, typed)
    except Refused as refused:
        if refused.refusal not in (WRONG_SECRET, PROVIDER_AWAY):
            raise
        said = worded(kind_of(batch), f"{refused.code}: {refused.cause} {refused.action}")
        field = _field(0) if refused.refusal is WRONG_SECRET else "_form"
        return await _page(request, who, batch, wrong={field: said}, status=refused.refusal.status)
    return RedirectResponse(f"{BATCHES}/{batch_id}", status_code=303)


@router.post("/batches/{batch_id}/confirmation/code")
async def send_code(request: Request, who: Who, batch_id: str) -> Response:
    """The one-time password, for the first time or again."""
    batch = await _own(request, who, batch_id)
    here = f"{BATCHES}/{batch_id}/confirmation"
    try:
        sent = await confirming.send_codes(store_of(request), providers_of(request), batch)
    except Refused as refused:
        if refused.refusal is NO_LONGER_WAITS:
            raise
        return done(here, "code", 0, [refused.code])
    return done(here, "code", int(sent))


@router.get("/batches/{batch_id}/provider")
async def leave(request: Request, who: Who, batch_id: str) -> Response:
    """Off to the provider's page. A link, since a form of ours may lead nowhere else."""
    batch = await _own(request, who, batch_id)
    away = await confirming.leave(store_of(request), providers_of(request), batch, _back(request))
    return RedirectResponse(away or f"{BATCHES}/{batch_id}", status_code=303)


@router.get("/provider-callback")
async def come_back(
    request: Request,
    who: Who,
    *,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """From the provider's page, with what the person decided there."""
    batches.require_any_step(who)
    store, providers = store_of(request), providers_of(request)
    batch_id = await confirming.come_back(store, providers, who.person, _back(request), state=state, code=code, error=error)
    return RedirectResponse(f"{BATCHES}/{batch_id}", status_code=303)


async def _own(request: Request, who: Principal, batch_id: str) -> Document:
    """Only who started a batch confirms it."""
    batch = await own_batch(request, who, batch_id)
    if batch["person"] != who.person:
        raise Refused(FORBIDDEN, action="batch")
    batches.require_step(who, batch["step"])
    return batch


async def _page(
    request: Request, who: Principal, batch: Document, *, wrong: Mapping[str, str] | None = None, status: int = 422
) -> Response:
    here = f"{BATCHES}/{batch['_id']}"
    asked = confirming.secrets_of(batch)
    questions = dict(batch.get("questions") or [])
    sent_at = batch.get("codes_sent_at")
    context = {
        "shell": shell(request, who, notices=notices(request, WORDS, CATALOGUE)),
        "title": "Xác nhận ký số",
        "noun": NOUNS[kind_of(batch)],
        "provider": providers_of(request).name(batch["provider"]),
        "count": batch["total"],
        "confirm_by": f"{clock.in_vietnam(batch['deadline']):%H:%M}",
        "action": f"{here}/confirmation",
        "send_action": f"{here}/confirmation/code" if any(each.sent for each in asked) else "",
        "sent_at": f"{clock.in_vietnam(sent_at):%H:%M:%S}" if sent_at else "",
        "back_href": here,
        "secrets": [
            {"field": _field(n), "label": s.label, "hint": questions.get(s.id, ""), "digits": s.digits} for n, s in enumerate(asked)
        ],
        "errors": dict(wrong or {}),
    }
    return render(request.app.state.pages, request, "signing/confirmation.html", context, status_code=status if wrong else 200)


def _field(number: int) -> str:
    """Called so that a form which is kept while somebody confirms who they are is kept without it (`services.chassis.web.confirming`)."""
    return f"password-{number}"


def _back(request: Request) -> str:
    return f"{request.app.state.parts.settings.public_url}{BACK}"
