"""What the pages 1.1 and 1.2 share: the form that begins a registration, the sign-in at a provider, last year's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.web.look import Notice, render
from services.identity.certificates import copying, in_words, proving, store
from services.identity.certificates import registrations as certificates
from services.identity.certificates.proofs import OPEN, is_over, slot
from services.identity.certificates.registering import Login
from services.identity.certificates.registrations import APPROVED, MEANS_NAMES, WAITING
from services.identity.errors import CATALOGUE, REASON_NEEDED, WRONG_PROVIDER_LOGIN
from services.identity.pages import frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sessions import Here
    from services.identity.certificates.providers import Providers
    from services.identity.certificates.registering import Registry
    from services.identity.certificates.registrations import Kind

PROOFS = "/ui/identity/proofs"
"""Where a proof is carried on (`proof_pages`)."""
LONGEST_REASON = 500

MeansField = Annotated[str, Form(alias="means")]
ProviderField = Annotated[str, Form(alias="provider")]
ReasonField = Annotated[str, Form(alias="reason")]
UserField = Annotated[str, Form(alias="username")]
PasswordField = Annotated[str, Form(alias="password")]
CsrfField = Annotated[str, Form(alias="csrf")]


async def begin(
    request: Request, here: Here, registry: Registry, kind: Kind, *, order: Mapping[str, str], page: str, crumb: str, request_id: str
) -> Response | dict[str, str]:
    """After the choice of the means: to the sign-in at the provider, or to the signing program. Errors by field otherwise."""
    reason = order["reason"].strip()[:LONGEST_REASON]
    if order["means"] not in MEANS_NAMES:
        return {"means": "Chọn kiểu chữ ký."}
    if order["means"] == "remote":
        if not any(p.id == order["provider"] for p in registry.providers.listed):
            return {"provider": "Chọn nhà phát hành."}
        if kind == "school" and not reason and (await registry.standing(None, await registry.wanted(kind, here.who)))[1] is not None:
            return {"reason": REASON_NEEDED.cause}
        return await login_page(request, here, registry, order={**order, "reason": reason}, page=page, crumb=crumb)
    try:
        proof = await proving.open_token(registry, kind, here.who, reason=reason, request_id=request_id)
    except Refused as refused:
        return said(refused)
    return RedirectResponse(f"{PROOFS}/{proof['_id']}", status_code=303)


async def login_page(
    request: Request,
    here: Here,
    registry: Registry,
    *,
    order: Mapping[str, str],
    page: str,
    crumb: str,
    errors: Mapping[str, str] | None = None,
) -> Response:
    context = {
        "shell": await frame(request, here, registry.db),
        "title": "Thông tin đăng nhập chữ ký số",
        "crumb": crumb,
        "action": f"{page.rstrip('/')}/login",
        "cancel_href": page,
        "provider": order["provider"],
        "provider_name": registry.providers.name(order["provider"]),
        "asks_password": registry.providers.asks_password(order["provider"]),
        "reason": order["reason"],
        "username": order.get("username", ""),
        "errors": dict(errors or {}),
    }
    return render(request.app.state.pages, request, "identity/provider_login.html", context, status_code=422 if errors else 200)


async def log_in(
    request: Request, here: Here, registry: Registry, kind: Kind, *, order: Mapping[str, str], page: str, crumb: str, request_id: str
) -> Response:
    """Sign in to the provider and go on to the choice of the certificate; the password is passed on and kept nowhere."""
    given = {**order, "username": order["username"].strip()[:200], "reason": order["reason"].strip()[:LONGEST_REASON]}
    wanted = {"username": "Nhập tên đăng nhập.", "password": "Nhập mật khẩu."}
    if not registry.providers.asks_password(given["provider"]):
        del wanted["password"]
    missing = {key: text for key, text in wanted.items() if not given[key]}
    if missing:
        return await login_page(request, here, registry, order=given, page=page, crumb=crumb, errors=missing)
    login = Login(given["provider"], given["username"], given["password"][:1000])
    try:
        proof = await proving.open_account(registry, kind, here.who, login, reason=given["reason"], request_id=request_id)
    except Refused as refused:
        if refused.refusal.status == 404:
            raise
        errors = {"username": f"{refused.cause}. {refused.action}"} if refused.refusal is WRONG_PROVIDER_LOGIN else said(refused)
        return await login_page(request, here, registry, order=given, page=page, crumb=crumb, errors=errors)
    return RedirectResponse(f"{PROOFS}/{proof['_id']}", status_code=303)


async def copy(registry: Registry, kind: Kind, here: Here, *, page: str, request_id: str) -> Response:
    try:
        await copying.copy_own(registry, kind, here.who, request_id=request_id)
    except Refused as refused:
        return RedirectResponse(f"{page}?refused={refused.code}", status_code=303)
    return RedirectResponse(f"{page}?copied=1", status_code=303)


def said(refused: Refused) -> dict[str, str]:
    """A refusal that belongs to no field."""
    return {"_form": f"{refused.cause} {refused.action}"}


def outcome(query: Mapping[str, str], done: str, copied: str) -> list[Notice]:
    """What the last act did; the address holds codes only, the words are ours."""
    notices = []
    if query.get("done"):
        notices.append(Notice("success", done))
    if query.get("copied"):
        notices.append(Notice("success", copied))
    refusal = CATALOGUE.get(query.get("refused", ""))
    if refusal is not None:
        notices.append(Notice("error", f"{refusal.title}. {'' if '{' in refusal.action else refusal.action}".strip()))
    return notices


async def under_way(db: Database, kind: Kind, person: str) -> str:
    """The address of the person's open attempt; "" when there is none."""
    proof = await store.open_proof(db, None, slot(kind, person))
    if proof is None or proof["state"] not in OPEN or is_over(proof, clock.now()):
        return ""
    return f"{PROOFS}/{proof['_id']}"


def form_of(registry: Registry, order: Mapping[str, str]) -> dict[str, Any]:
    """The fields that begin a registration, as typed before or as they are at first."""
    listed = registry.providers.listed
    return {
        "means": order.get("means", "remote"),
        "provider": order.get("provider") or (listed[0].id if len(listed) == 1 else ""),
        "providers": [("", "Chọn nhà phát hành"), *((p.id, p.name) for p in listed)],
        "reason": order.get("reason", ""),
    }


def shown(registration: Document, providers: Providers) -> dict[str, Any]:
    """A registration with its certificate in plain words."""
    certificate, _ = certificates.ders(registration)
    means = MEANS_NAMES[registration["means"]]
    provider = providers.name(registration["provider"])
    where = [("Kiểu chữ ký", means), *([("Nhà phát hành", provider)] if registration["provider"] else [])]
    return {
        "state": registration["state"],
        "refusal": registration["refusal"],
        "rows": [*where, *in_words.rows(certificate, clock.now())],
        "requested_at": registration["requested_at"],
        "decided_at": registration["decided_at"],
    }


def latest_and_active(history: Sequence[Document]) -> tuple[Document | None, Document | None]:
    """Of registrations, newest first: what was asked for last, and what may sign now if that is another one."""
    latest = history[0] if history else None
    active = next((r for r in history if r["state"] == APPROVED), None)
    return latest, active if active is not latest else None


def may_begin(latest: Document | None) -> bool:
    return latest is None or latest["state"] != WAITING
