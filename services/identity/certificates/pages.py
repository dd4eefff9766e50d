"""Pages: 1.3 Duyệt tài khoản ký. The list, acts on many at once and what became of them. One person: person_pages.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from contracts.access import Action, allowed
from services.chassis import audit, clock, xlsx
from services.chassis.access import require, require_fresh
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.web.lists import done, notices, paged, query_of, ticked
from services.chassis.web.look import Notice, confirm_page, render, vn_number
from services.identity.at_hand import Db, RequestId, TheDoor, TheRegistry
from services.identity.certificates import listing, outcomes, person_pages
from services.identity.certificates.copying import copy_from_last_year
from services.identity.certificates.listing import ACCOUNTS, QUERY_KEYS
from services.identity.certificates.registrations import ENDED, NOT_REGISTERED, REFUSED, WAITING
from services.identity.errors import (
    CATALOGUE,
    NOTHING_LAST_YEAR,
    NOTHING_WAITS,
    OVERSIGHT_DECIDES,
    OWN_ACCOUNT,
    REASON_NEEDED,
    REVOKED_CERTIFICATE,
    STANDS_ALREADY,
    UNKNOWN_PERSON,
)
from services.identity.organisations import places
from services.identity.organisations import store as organisations_store
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here
    from services.identity.accounts.sign_in import Door
    from services.identity.certificates.registering import Registry
    from services.identity.messages import Outcome


router = APIRouter(prefix="/ui/identity", include_in_schema=False)

APPROVE, REFUSE, COPY, GRANT, TAKE = "approve", "refuse", "copy", "grant", "take"
WORDS: Final = {
    APPROVE: ("Đã duyệt {n} tài khoản.", "Chưa chọn tài khoản nào đang chờ duyệt."),
    REFUSE: ("Đã từ chối {n} tài khoản.", "Chưa chọn tài khoản nào đang chờ duyệt."),
    COPY: ("Đã lấy dữ liệu năm trước cho {n} tài khoản.", "Không có tài khoản nào của năm học trước còn hiệu lực để lấy."),
    GRANT: ("Đã phân quyền cho {n} nhân sự.", "Chưa chọn nhân sự nào."),
    TAKE: ("Đã thu quyền của {n} nhân sự.", "Chưa chọn nhân sự nào."),
    "saved": ("Đã lưu thông tin ký số nhân sự.", ""),
}
TITLES: Final = {
    APPROVE: "Kết quả duyệt tài khoản đăng ký",
    REFUSE: "Kết quả từ chối tài khoản",
    COPY: "Kết quả lấy dữ liệu năm trước",
    GRANT: "Kết quả phân quyền",
    TAKE: "Kết quả thu quyền",
}
RIGHTS: Final = {
    APPROVE: Action.APPROVE_SIGNING_ACCOUNT,
    REFUSE: Action.APPROVE_SIGNING_ACCOUNT,
    COPY: Action.APPROVE_SIGNING_ACCOUNT,
    GRANT: Action.GRANT_ACCOUNTS,
    TAKE: Action.GRANT_ACCOUNTS,
}
FITTING: Final = {APPROVE: (WAITING,), REFUSE: (WAITING,), COPY: (NOT_REGISTERED, REFUSED, ENDED)}
"""The states that an act by filter is meant for; any state for the others."""
LASTING: Final = {
    r.code for r in (OWN_ACCOUNT, OVERSIGHT_DECIDES, NOTHING_WAITS, UNKNOWN_PERSON, REVOKED_CERTIFICATE, STANDS_ALREADY, NOTHING_LAST_YEAR)
}
"""What trying again does not change."""


@router.get("/signing-accounts")
async def show_accounts(request: Request, here: Settled, db: Db, registry: TheRegistry) -> Response:
    school = here.who.school or ""
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school)
    query = query_of(request, *QUERY_KEYS)
    everybody = listing.named(await listing.rows_of(db, school, registry.providers, at=clock.now()), query)
    rows, paging = paged(listing.found(everybody, query), query)
    context = {
        "shell": await frame(request, here, db, notices(request, WORDS, CATALOGUE)),
        "title": "Duyệt tài khoản ký",
        "crumb": "1. Hệ thống / 1.3. Duyệt tài khoản ký",
        "query": query,
        "paging": paging,
        "action": ACCOUNTS,
        "copy_action": f"{ACCOUNTS}/copy",
        "export_href": f"{ACCOUNTS}/list.xlsx",
        "issue_word": listing.issue_word(here.who.level),
        "granting": allowed(here.who, Action.GRANT_ACCOUNTS, school=school),
        "filters": listing.filters(everybody),
        "rows": rows,
    }
    return render(request.app.state.pages, request, "identity/staff.html", context)


@router.post("/signing-accounts")
async def decide_accounts(
    request: Request, *, here: Settled, db: Db, registry: TheRegistry, door: TheDoor, request_id: RequestId
) -> Response:
    """The ticked ones, or all that the filter finds and the act is meant for; refusing first asks for the reason."""
    chosen = await ticked(request)
    check_form(here, chosen.field("csrf"))
    school, act = here.who.school or "", chosen.field("decision")
    if act not in RIGHTS:
        raise Refused(NOT_FOUND)
    require_fresh(here.who, RIGHTS[act], school=school)
    ids: Sequence[str] = chosen.ids
    if chosen.filter is not None:
        ids = await _meant(db, registry, school, chosen.filter, act, own=here.who.person)
    if not ids:
        return done(ACCOUNTS, act, 0)
    reason = chosen.field("reason").strip()[:500]
    if act == REFUSE and not reason:
        return await _ask_reason(request, here, db, ids, missing="reason" in chosen.form)
    became = await _do(registry, door, here, act, ids, reason=reason, request_id=request_id)
    return await _told(db, here, act, became, reason=reason)


@router.post("/signing-accounts/copy")
async def copy_accounts(request: Request, here: Settled, db: Db, registry: TheRegistry, request_id: RequestId) -> Response:
    """ "Lấy dữ liệu năm trước" for everybody who has no account this year."""
    chosen = await ticked(request)
    check_form(here, chosen.field("csrf"))
    school = here.who.school or ""
    require_fresh(here.who, RIGHTS[COPY], school=school)
    became = await copy_from_last_year(registry, here.who, school, None, request_id=request_id)
    return await _told(db, here, COPY, became, reason="")


@router.get("/signing-accounts/list.xlsx")
async def export_accounts(request: Request, here: Settled, db: Db, registry: TheRegistry, request_id: RequestId) -> Response:
    """What the filter finds, as a workbook."""
    school = here.who.school or ""
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school)
    query = query_of(request, *QUERY_KEYS)
    at = clock.now()
    rows = listing.found(await listing.rows_of(db, school, registry.providers, at=at), query)
    details = {"rows": len(rows), "state": query.get("state", "")}
    await audit.record(
        db,
        None,
        actor=here.who.person,
        act="signing accounts exported",
        subject=school,
        place=school,
        request_id=request_id,
        details=details,
    )
    name = f"tai-khoan-ky-{clock.in_vietnam(at):%Y%m%d}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(xlsx.workbook("Tài khoản ký", listing.HEADERS, listing.sheet(rows)), media_type=xlsx.MEDIA_TYPE, headers=headers)


@router.get("/signing-accounts/outcomes/{key}")
async def show_outcome(request: Request, key: str, here: Settled, db: Db) -> Response:
    """What was not done and why, for the one who did it."""
    school = here.who.school or ""
    require(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school)
    outcome = await outcomes.kept(db, key, by=here.who.person, school=school)
    if outcome is None:
        raise Refused(NOT_FOUND)
    left: list[dict[str, Any]] = outcome["left"]
    people = await organisations_store.people_by_code(db, [item["person"] for item in left])
    names = {code: person["name"] for code, person in people.items() if person["school"] == school}
    some, _ = WORDS[outcome["act"]]
    told = [Notice("success", some.format(n=vn_number(outcome["done"])))] if outcome["done"] else []
    context = {
        "shell": await frame(request, here, db, told),
        "title": TITLES[outcome["act"]],
        "crumb": "1. Hệ thống / 1.3. Duyệt tài khoản ký",
        "done": outcome["done"],
        "at": outcome["at"],
        "act": outcome["act"],
        "reason": outcome["reason"],
        "action": ACCOUNTS,
        "back_href": ACCOUNTS,
        "rows": [{**item, "name": names.get(item["person"], ""), "href": f"{ACCOUNTS}/{item['person']}"} for item in left],
        "again": [item["person"] for item in left if item["code"] not in LASTING],
    }
    return render(request.app.state.pages, request, "identity/outcome.html", context)


router.include_router(person_pages.router)


async def _do(registry: Registry, door: Door, here: Here, act: str, ids: Sequence[str], *, reason: str, request_id: str) -> list[Outcome]:
    school = here.who.school or ""
    if act == APPROVE:
        return await registry.approve(here.who, school, ids, request_id=request_id)
    if act == REFUSE:
        return await registry.refuse(here.who, school, ids, reason, request_id=request_id)
    if act == COPY:
        return await copy_from_last_year(registry, here.who, school, ids, request_id=request_id)
    return await places.grant_issue(door, school, ids, granted=act == GRANT, actor=here.who.person, request_id=request_id)


async def _told(db: Database, here: Here, act: str, became: list[Outcome], *, reason: str) -> Response:
    """Back to the list when all is done, otherwise on to what is not."""
    if all(o.refused is None for o in became):
        return done(ACCOUNTS, act, len(became))
    key = await outcomes.keep(db, by=here.who.person, school=here.who.school or "", act=act, reason=reason, outcomes=became)
    return RedirectResponse(f"{ACCOUNTS}/outcomes/{key}", status_code=303)


async def _meant(db: Database, registry: Registry, school: str, query: Mapping[str, str], act: str, *, own: str) -> list[str]:
    rows = listing.found(await listing.rows_of(db, school, registry.providers, at=clock.now()), query)
    fitting = FITTING.get(act)
    return [row["id"] for row in rows if (row["state"] in fitting if fitting else row["id"] != own)]


async def _ask_reason(request: Request, here: Here, db: Database, ids: Sequence[str], *, missing: bool) -> Response:
    people = await organisations_store.people_by_code(db, ids)
    own = [people[code] for code in ids if code in people and people[code]["school"] == here.who.school]
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title="Từ chối tài khoản",
        question="Từ chối các tài khoản ký đã chọn?",
        action=ACCOUNTS,
        confirm="Từ chối tài khoản",
        cancel_href=ACCOUNTS,
        fields=[("decision", REFUSE), *(("ids", code) for code in ids)],
        items=[person["name"] for person in own[:10]],
        count=len(own),
        danger=True,
        reason=("Lý do từ chối", "Giáo viên thấy lý do này và đăng ký lại."),
        missing=REASON_NEEDED.cause if missing else "",
    )
