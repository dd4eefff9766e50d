"""Page 1.1: Quản lý chứng thư số nhà trường (guide 001), Quản lý con dấu trường (guide 000, primary schools)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from contracts.access import Action
from contracts.menu import PRIMARY, SCHOOL_CERTIFICATE, entry_of
from services.chassis.access import require
from services.chassis.web.look import render
from services.identity.at_hand import RequestId, TheRegistry
from services.identity.certificates import copying, store
from services.identity.certificates import register_pages as shared
from services.identity.certificates.register_pages import CsrfField, MeansField, PasswordField, ProviderField, ReasonField, UserField
from services.identity.certificates.registrations import APPROVED, MEANS_NAMES, NOT_REGISTERED, REFUSED, SCHOOL_STATES
from services.identity.organisations import store as organisations_store
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.identity.accounts.sessions import Here
    from services.identity.certificates.registering import Registry

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

SEAL_PICTURE = "/ui/identity/images/seal"
DONE = "Đăng ký thành công tài khoản"
DONE_AGAIN = "Đăng ký thay đổi thông tin thành công"
COPIED = "Đã lấy dữ liệu năm học trước. Chứng thư số chờ Phòng/Sở GD&ĐT duyệt cho năm học này."


def crumb_of(who: Principal) -> str:
    return f"1. Hệ thống / {entry_of(who, SCHOOL_CERTIFICATE).title}"


@router.get("/school-certificate")
async def show(request: Request, here: Settled, registry: TheRegistry) -> Response:
    require(here.who, Action.REGISTER_SCHOOL_CERTIFICATE, school=here.who.school or "")
    return await _page(request, here, registry)


@router.post("/school-certificate")
async def begin(
    request: Request,
    *,
    here: Settled,
    registry: TheRegistry,
    request_id: RequestId,
    means: MeansField = "",
    provider: ProviderField = "",
    reason: ReasonField = "",
    csrf: CsrfField = "",
) -> Response:
    check_form(here, csrf)
    require(here.who, Action.REGISTER_SCHOOL_CERTIFICATE, school=here.who.school or "")
    order = {"means": means, "provider": provider, "reason": reason}
    crumb = crumb_of(here.who)
    done = await shared.begin(request, here, registry, "school", order=order, page=SCHOOL_CERTIFICATE, crumb=crumb, request_id=request_id)
    return done if isinstance(done, Response) else await _page(request, here, registry, order=order, errors=done)


@router.post("/school-certificate/login")
async def log_in(
    request: Request,
    *,
    here: Settled,
    registry: TheRegistry,
    request_id: RequestId,
    provider: ProviderField = "",
    reason: ReasonField = "",
    username: UserField = "",
    password: PasswordField = "",
    csrf: CsrfField = "",
) -> Response:
    check_form(here, csrf)
    require(here.who, Action.REGISTER_SCHOOL_CERTIFICATE, school=here.who.school or "")
    order = {"provider": provider, "reason": reason, "username": username, "password": password}
    crumb = crumb_of(here.who)
    return await shared.log_in(request, here, registry, "school", order=order, page=SCHOOL_CERTIFICATE, crumb=crumb, request_id=request_id)


@router.post("/school-certificate/copy")
async def copy(*, here: Settled, registry: TheRegistry, request_id: RequestId, csrf: CsrfField = "") -> Response:
    check_form(here, csrf)
    require(here.who, Action.REGISTER_SCHOOL_CERTIFICATE, school=here.who.school or "")
    return await shared.copy(registry, "school", here, page=SCHOOL_CERTIFICATE, request_id=request_id)


async def _page(
    request: Request, here: Here, registry: Registry, *, order: Mapping[str, str] | None = None, errors: dict[str, str] | None = None
) -> Response:
    wanted = await registry.wanted("school", here.who)
    history = await store.whole_history(registry.db, "school", wanted.school["_id"])
    latest, active = shared.latest_and_active([r for r in history if r["year"] == wanted.school["year"]])
    state = latest["state"] if latest else NOT_REGISTERED
    approved = active is not None or state == APPROVED
    last = await copying.last_year(registry, wanted) if latest is None or state == REFUSED else None
    primary = here.who.level == PRIMARY
    done = DONE_AGAIN if active is not None else DONE
    context = {
        "shell": await frame(request, here, registry.db, shared.outcome(dict(request.query_params), done, COPIED)),
        "title": entry_of(here.who, SCHOOL_CERTIFICATE).text,
        "crumb": crumb_of(here.who),
        "state": APPROVED if approved else state,
        "state_name": SCHOOL_STATES[APPROVED if approved else state],
        "asked": SCHOOL_STATES[state] if approved and state != APPROVED else "",
        "asked_state": state,
        "latest": shared.shown(latest, registry.providers) if latest else None,
        "active": shared.shown(active, registry.providers) if active else None,
        "under_way": await shared.under_way(registry.db, "school", here.who.person),
        "form": shared.form_of(registry, order or {}) if shared.may_begin(latest) and wanted.school["year"] else None,
        "again": approved,
        "button": "Gửi yêu cầu đăng ký lại" if approved else "Đăng ký tài khoản ký" if primary else "Đăng ký tài khoản",
        "action": SCHOOL_CERTIFICATE,
        "copy_action": f"{SCHOOL_CERTIFICATE}/copy" if last and not approved else "",
        "picture_href": SEAL_PICTURE,
        "history": await _history(registry, history),
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "identity/school_certificate.html", context, status_code=422 if errors else 200)


async def _history(registry: Registry, history: Sequence[Document]) -> list[dict[str, Any]]:
    named = {code for r in history for code in (r["person"], r["decided_by"]) if code}
    people = await organisations_store.people_by_code(registry.db, named)

    def name(code: str | None) -> str:
        return people[code]["name"] if code in people else code or ""

    return [
        {
            "year": r["year"],
            "requested_at": r["requested_at"],
            "person": name(r["person"]),
            "means": MEANS_NAMES[r["means"]],
            "provider": registry.providers.name(r["provider"]),
            "subject": r["facts"]["subject"],
            "serial": r["facts"]["serial"],
            "valid_from": r["facts"]["valid_from"],
            "valid_to": r["facts"]["valid_to"],
            "reason": r["reason"],
            "state": r["state"],
            "state_name": SCHOOL_STATES[r["state"]],
            "refusal": r["refusal"],
            "decided_at": r["decided_at"],
            "decided_by": name(r["decided_by"]),
        }
        for r in history
    ]
