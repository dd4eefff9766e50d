"""Pages: 1.3 Duyệt tài khoản ký."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from contracts.access import Action
from services.chassis.access import require
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import count_in
from services.chassis.web.look import Notice, Paging, render, vn_number
from services.identity.accounts.sessions import Here
from services.identity.at_hand import (
    Db,
    RequestId,
    TheRegistry,
)
from services.identity.certificates import store
from services.identity.certificates.registrations import NOT_REGISTERED, WAITING
from services.identity.errors import CATALOGUE, REASON_NEEDED
from services.identity.organisations import store as organisations_store
from services.identity.organisations.people import is_manager, may_issue
from services.identity.pages import Settled, check_form, frame
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.certificates.providers import Providers
    from services.identity.messages import Outcome


router = APIRouter(prefix="/ui/identity", include_in_schema=False)

ACCOUNTS = "/ui/identity/signing-accounts"

PAGE_SIZE = 50


@router.get("/signing-accounts")
async def show_accounts(request: Request, here: Settled, db: Db, registry: TheRegistry) -> Response:
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=here.who.school or "")
    query = dict(request.query_params)
    rows = await _rows(db, here.who.school or "", registry.providers, query)
    page = max(1, count_in(query.get("page", "")))
    paging = Paging(min(page, max(1, -(-len(rows) // PAGE_SIZE))), PAGE_SIZE, len(rows))
    kept = {key: query[key] for key in ("name", "state", "sort", "order", "page") if query.get(key)}
    context = {
        "shell": await frame(request, here, db, _notices(query)),
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
    check_form(here, csrf)
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
    people = await organisations_store.people_by_code(db, ids)
    own = [people[code] for code in ids if code in people and people[code]["school"] == here.who.school]
    context = {
        "shell": await frame(request, here, db),
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
    school_document = await one(db, "schools", school)
    accounts = await store.latest_accounts(db, school, school_document["year"] if school_document else None)
    staff = await organisations_store.people_of(db, school)
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
