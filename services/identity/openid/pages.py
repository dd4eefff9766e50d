"""Pages: signing in with an account of the unit's own, and the links that wait for somebody's decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.errors import Refused
from services.chassis.web import lists
from services.chassis.web.look import Notice, confirm_page, render
from services.chassis.web.shell import shell
from services.identity.accounts import recovery_desk
from services.identity.accounts.pages import SIGN_IN, VERSIONS, onward
from services.identity.accounts.recovery_pages import desk_of
from services.identity.at_hand import Db, Device, From, RequestId, TheDoor, TheOpenId, give_cookies
from services.identity.errors import CATALOGUE, REASON_NEEDED
from services.identity.openid import coming_in, links, store
from services.identity.openid.errors import SIGN_IN_NOT_BEGUN, SIGN_IN_PROVIDER_REFUSED
from services.identity.organisations.store import names, people_by_code
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here
    from services.identity.openid.client import OpenId

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

OUTSIDE = f"{SIGN_IN}/oidc"
LINKS = "/ui/identity/sign-in-links"
COOKIE = "__Secure-hocba-oidc"
DID = {
    "approved": ("Đã duyệt {n} liên kết đăng nhập.", "Chưa chọn liên kết nào đang chờ duyệt."),
    "refused": ("Đã từ chối {n} liên kết đăng nhập.", "Chưa chọn liên kết nào đang chờ duyệt."),
    "removed": ("Đã gỡ liên kết đăng nhập.", ""),
}


@router.get("/sign-in/oidc/{provider_id}")
async def show_versions(request: Request, openid: TheOpenId, provider_id: str, next: str = "") -> Response:  # noqa: A002 - as in the sign-in form
    provider = openid.provider(provider_id)
    context = {
        "shell": shell(request, None),
        "title": f"Đăng nhập bằng {provider.name}",
        "provider": provider.name,
        "begin_href": f"{OUTSIDE}/{provider_id}/begin",
        "next": next if next.startswith("/ui/") else "",
        "versions": VERSIONS,
        "cancel_href": SIGN_IN,
    }
    return render(request.app.state.pages, request, "identity/openid_versions.html", context)


@router.get("/sign-in/oidc/{provider_id}/begin")
async def begin(
    request: Request,
    *,
    db: Db,
    openid: TheOpenId,
    provider_id: str,
    version: Literal["TH", "THCS", "THPT", "OVERSIGHT"],
    next: str = "",  # noqa: A002 - as in the sign-in form
) -> Response:
    """Off to the provider; the browser keeps the state, so that only it can come back with it."""
    begun = await coming_in.leave(db, openid, provider_id, version=version, onward=onward(next), callback=_callback(request, provider_id))
    response = RedirectResponse(begun.address, status_code=303)
    age = int(links.BEGUN_VALID.total_seconds())
    response.set_cookie(COOKIE, begun.state, max_age=age, path=OUTSIDE, secure=True, httponly=True, samesite="lax")
    return response


@router.get("/sign-in/oidc/{provider_id}/callback")
async def come_back(
    request: Request,
    *,
    door: TheDoor,
    openid: TheOpenId,
    request_id: RequestId,
    origin: From,
    device: Device,
    provider_id: str,
    state: str = "",
    code: str = "",
    error: str = "",
) -> Response:
    if error or not code:
        raise Refused(SIGN_IN_PROVIDER_REFUSED, problem="nobody signed in there") if state else Refused(SIGN_IN_NOT_BEGUN)
    back = await coming_in.come_back(
        door,
        openid,
        provider_id,
        cookie=request.cookies.get(COOKIE, ""),
        state=state,
        code=code,
        callback=_callback(request, provider_id),
        request_id=request_id,
        origin=origin,
        device=device,
    )
    response = RedirectResponse(back.onward, status_code=303)
    give_cookies(response, back.signed_in)
    response.delete_cookie(COOKIE, path=OUTSIDE, secure=True, httponly=True, samesite="lax")
    return response


@router.get("/sign-in-links")
async def show_links(request: Request, here: Settled, db: Db, openid: TheOpenId) -> Response:
    """Those that wait for this person's decision, and the own ones."""
    query = lists.query_of(request, "state", "page")
    found = await rows_at(db, openid, here.who, query) if may_decide(here.who) else []
    rows, paging = lists.paged(found, query)
    own = await _rows(db, openid, await store.own_links(db, here.who.person))
    context = {
        "shell": await frame(request, here, db, _notices(request)),
        "title": "Liên kết đăng nhập",
        "query": query,
        "paging": paging,
        "states": links.STATES,
        "action": LINKS,
        "remove_action": f"{LINKS}/remove",
        "decides": may_decide(here.who),
        "rows": rows,
        "own": own,
    }
    return render(request.app.state.pages, request, "identity/openid_links.html", context)


@router.post("/sign-in-links")
async def decide(request: Request, here: Settled, db: Db, openid: TheOpenId) -> Response:
    """The ticked ones, or all that the filter finds; refusing asks for the reason first."""
    ticked = await lists.ticked(request)
    check_form(here, ticked.field("csrf"))
    desk_of(here.who)
    approves = ticked.field("decision") != "refuse"
    keys = list(ticked.ids)
    if ticked.filter is not None:
        keys = [str(row["id"]) for row in await rows_at(db, openid, here.who, ticked.filter) if row["state"] == links.WAITING]
    act = "approved" if approves else "refused"
    if not keys:
        return lists.done(LINKS, act, 0)
    reason = ticked.field("reason").strip()[:500]
    if not approves and not reason:
        return await _ask_reason(request, here, db, keys, missing="reason" in ticked.form)
    state = links.APPROVED if approves else links.REFUSED
    outcomes = await coming_in.decide(db, here.who, keys, state=state, reason=reason)
    refused = [o.refused.code for o in outcomes if o.refused]
    return lists.done(LINKS, act, len(outcomes) - len(refused), refused)


@router.post("/sign-in-links/remove")
async def remove(here: Settled, db: Db, link: Annotated[str, Form()] = "", csrf: Annotated[str, Form()] = "") -> Response:
    check_form(here, csrf)
    await coming_in.remove_own(db, here.who, link)
    return lists.done(LINKS, "removed", 1)


def may_decide(who: Principal) -> bool:
    try:
        desk_of(who)
    except Refused:
        return False
    return True


async def rows_at(db: Database, openid: OpenId, who: Principal, query: Any) -> list[dict[str, object]]:
    """Links of people of the own school, or of the own unit's branch; those that wait unless another state is asked for."""
    state = query.get("state", links.WAITING)
    places = [desk_of(who)] if who.unit is None else await store.places_below(db, who.unit)
    return await _rows(db, openid, await store.links_at(db, places, state if state in links.STATES else None))


async def _rows(db: Database, openid: OpenId, found: Sequence[Any]) -> list[dict[str, object]]:
    people = await people_by_code(db, {code for link in found for code in (link["person"], link["decided_by"]) if code})
    places = await names(db, {link["place"] for link in found if link["place"]})
    return [
        {
            "id": link["_id"],
            "name": people[link["person"]]["name"],
            "code": link["person"],
            "place": places.get(link["place"], ""),
            "provider": openid.providers[link["provider"]].name if link["provider"] in openid.providers else link["provider"],
            "asked_at": link["asked_at"],
            "state": link["state"],
            "decided_at": link["decided_at"],
            "decided_by": people[link["decided_by"]]["name"] if link["decided_by"] in people else "",
            "reason": link["reason"],
        }
        for link in found
        if link["person"] in people
    ]


async def _ask_reason(request: Request, here: Here, db: Database, keys: Sequence[str], *, missing: bool) -> Response:
    found = await store.links_of(db, None, keys)
    names_shown = await recovery_desk.names_of(db, here.who, list({link["person"] for link in found}))
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title="Từ chối liên kết đăng nhập",
        question="Từ chối các liên kết đăng nhập đã chọn?",
        action=LINKS,
        confirm="Từ chối",
        cancel_href=LINKS,
        fields=[("decision", "refuse"), *(("ids", key) for key in keys)],
        items=names_shown[:10],
        count=len(keys),
        danger=True,
        reason=("Lý do từ chối", "Người đăng nhập thấy lý do này."),
        missing=REASON_NEEDED.cause if missing else "",
    )


def _notices(request: Request) -> list[Notice]:
    return lists.notices(request, DID, CATALOGUE)


def _callback(request: Request, provider_id: str) -> str:
    return f"{request.app.state.public_url}{OUTSIDE}/{provider_id}/callback"
