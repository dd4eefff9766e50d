"""Page 1.2. Giáo viên đăng ký tài khoản ký."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from contracts.access import Action
from contracts.menu import SIGNING_ACCOUNT
from services.chassis.access import require
from services.chassis.web.look import render
from services.identity.at_hand import RequestId, TheRegistry
from services.identity.certificates import copying, store
from services.identity.certificates import register_pages as shared
from services.identity.certificates.register_pages import CsrfField, MeansField, PasswordField, ProviderField, ReasonField, UserField
from services.identity.certificates.registrations import ACCOUNT_STATES, NOT_REGISTERED, REFUSED
from services.identity.organisations.people import is_manager
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.identity.accounts.sessions import Here
    from services.identity.certificates.registering import Registry

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

TITLE = "Giáo viên đăng ký tài khoản ký"
CRUMB = f"1. Hệ thống / 1.2. {TITLE}"
SIGNATURE_PICTURE = "/ui/identity/images/signature"
DONE = {
    "school": "Đăng ký thành công tài khoản, CBQL/Quản trị viên chọn đến mục 1.3. Duyệt tài khoản ký để duyệt tài khoản.",
    "oversight": "Đăng ký thành công tài khoản. Chờ Phòng/Sở GD&ĐT duyệt.",
}
COPIED = "Đã lấy dữ liệu năm học trước. Tài khoản ký chờ duyệt cho năm học này."
UNTIL_DECIDED = {
    "school": "Quản trị viên hoặc cán bộ quản lý của trường duyệt tại mục 1.3. Duyệt tài khoản ký.",
    "oversight": "Phòng/Sở GD&ĐT duyệt tại mục 6.1. Duyệt chứng thư số đơn vị.",
}


@router.get("/signing-account")
@router.get("/signing-account/")
async def show(request: Request, here: Settled, registry: TheRegistry) -> Response:
    require(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=here.who.school or "")
    return await _page(request, here, registry)


@router.post("/signing-account/")
async def begin(
    request: Request,
    *,
    here: Settled,
    registry: TheRegistry,
    request_id: RequestId,
    means: MeansField = "",
    provider: ProviderField = "",
    csrf: CsrfField = "",
) -> Response:
    check_form(here, csrf)
    require(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=here.who.school or "")
    order = {"means": means, "provider": provider, "reason": ""}
    done = await shared.begin(request, here, registry, "person", order=order, page=SIGNING_ACCOUNT, crumb=CRUMB, request_id=request_id)
    return done if isinstance(done, Response) else await _page(request, here, registry, order=order, errors=done)


@router.post("/signing-account/login")
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
    require(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=here.who.school or "")
    order = {"provider": provider, "reason": reason, "username": username, "password": password}
    return await shared.log_in(request, here, registry, "person", order=order, page=SIGNING_ACCOUNT, crumb=CRUMB, request_id=request_id)


@router.post("/signing-account/copy")
async def copy(*, here: Settled, registry: TheRegistry, request_id: RequestId, csrf: CsrfField = "") -> Response:
    check_form(here, csrf)
    require(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=here.who.school or "")
    return await shared.copy(registry, "person", here, page=SIGNING_ACCOUNT, request_id=request_id)


async def _page(
    request: Request, here: Here, registry: Registry, *, order: Mapping[str, str] | None = None, errors: dict[str, str] | None = None
) -> Response:
    wanted = await registry.wanted("person", here.who)
    history = await store.history(registry.db, "person", here.who.person, wanted.school["year"])
    latest, active = shared.latest_and_active(history)
    state = latest["state"] if latest else NOT_REGISTERED
    last = await copying.last_year(registry, wanted) if latest is None or state == REFUSED else None
    decided_by = "oversight" if is_manager(wanted.person) else "school"
    notices = shared.outcome(dict(request.query_params), DONE[decided_by], COPIED)
    context = {
        "shell": await frame(request, here, registry.db, notices),
        "title": TITLE,
        "crumb": CRUMB,
        "state": state,
        "state_name": ACCOUNT_STATES[state],
        "until_decided": UNTIL_DECIDED[decided_by],
        "latest": shared.shown(latest, registry.providers) if latest else None,
        "active": shared.shown(active, registry.providers) if active else None,
        "under_way": await shared.under_way(registry.db, "person", here.who.person),
        "form": shared.form_of(registry, order or {}) if shared.may_begin(latest) and wanted.school["year"] else None,
        "action": SIGNING_ACCOUNT,
        "copy_action": f"{SIGNING_ACCOUNT}copy" if last and not active else "",
        "picture_href": SIGNATURE_PICTURE,
        "errors": errors or {},
    }
    return render(request.app.state.pages, request, "identity/signing_account.html", context, status_code=422 if errors else 200)
