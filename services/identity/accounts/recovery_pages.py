"""Pages of a forgotten password: asking for help, "Yêu cầu cấp lại mật khẩu", the one-time links, choosing the new password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from contracts.access import Action, Principal
from contracts.menu import entry_of
from services.chassis.access import require
from services.chassis.errors import Refused
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web import lists
from services.chassis.web.look import confirm_page, render
from services.chassis.web.shell import HOME, shell
from services.identity.accounts import errors as account_errors
from services.identity.accounts import passwords, recovery, recovery_desk
from services.identity.accounts import recovery_store as store
from services.identity.accounts import store as accounts_store
from services.identity.accounts.errors import LINK_GONE, NOT_IN_CHAIN
from services.identity.accounts.pages import SIGN_IN, VERSIONS
from services.identity.accounts.sessions import Here
from services.identity.at_hand import Db, TheDoor
from services.identity.errors import CATALOGUE, REASON_NEEDED
from services.identity.organisations.people import place_of
from services.identity.organisations.store import names, people_by_code
from services.identity.pages import Settled, check_form, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from services.chassis.mongo import Database
    from services.identity.accounts.recovery_desk import Link
    from services.identity.messages import Outcome

router = APIRouter(prefix="/ui/identity", include_in_schema=False)

FORGOTTEN = f"{SIGN_IN}/forgotten"
RESET = f"{SIGN_IN}/reset"
DESK = "/ui/identity/recovery"
OWN = f"{DESK}/own"
# the secret stands in the address, so the next address must not be told where somebody came from
SECRET_ADDRESS = {"Referrer-Policy": "strict-origin"}
DID = {"refused": ("Đã từ chối {n} yêu cầu.", "Chưa chọn yêu cầu nào.")}


@router.get("/sign-in/forgotten")
async def show_forgotten(request: Request) -> Response:
    return _forgotten_page(request, {"version": "TH", "username": ""}, {})


@router.post("/sign-in/forgotten")
async def ask(request: Request, db: Db, version: Annotated[str, Form()] = "", username: Annotated[str, Form()] = "") -> Response:
    values = {"version": version, "username": username[:200]}
    errors = {}
    if version not in {value for value, _, _ in VERSIONS}:
        errors["version"] = "Chọn phiên bản"
    if not username.strip():
        errors["username"] = "Nhập tên đăng nhập"
    if errors:
        return _forgotten_page(request, values, errors, status=422)
    try:
        await recovery_desk.ask(db, version, values["username"])
    except Refused as refused:
        return _forgotten_page(request, values, {"_form": f"{refused.cause} {refused.action}"}, status=refused.refusal.status)
    return RedirectResponse(f"{FORGOTTEN}/sent", status_code=303)


@router.get("/sign-in/forgotten/sent")
async def show_sent(request: Request) -> Response:
    paragraphs = [
        "Nếu tên đăng nhập có trong phiên bản đã chọn, yêu cầu đã được chuyển đến người quản lý tài khoản: giáo viên, nhân viên do quản trị"
        " viên của nhà trường xử lý; quản trị viên do Phòng/Sở GD&ĐT xử lý; cán bộ Phòng/Sở GD&ĐT do đơn vị cấp trên xử lý.",
        "Người quản lý tài khoản trao tận tay thầy/cô đường dẫn hoặc mã QR để tự đặt mật khẩu mới."
        " Đường dẫn dùng được một lần trong 24 giờ.",
    ]
    return _message_page(request, "Đã gửi yêu cầu cấp lại mật khẩu", paragraphs)


@router.get("/sign-in/reset")
async def show_reset(request: Request, db: Db, t: str = "") -> Response:
    """Looking uses nothing up: programs that read messages open addresses, too."""
    await recovery_desk.good_link(db, t)
    return _reset_page(request, t, {})


@router.post("/sign-in/reset")
async def reset(
    request: Request,
    door: TheDoor,
    t: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    repeat: Annotated[str, Form()] = "",
) -> Response:
    if new != repeat:
        await recovery_desk.good_link(door.db, t)
        return _reset_page(request, t, {"repeat": "Hai mật khẩu mới không giống nhau"})
    try:
        await recovery_desk.reset(door, t, new)
    except Refused as refused:
        if refused.refusal is LINK_GONE:
            raise
        return _reset_page(request, t, {"new": refused.cause})
    return RedirectResponse(f"{RESET}/done", status_code=303)


@router.get("/sign-in/reset/done")
async def show_done(request: Request) -> Response:
    paragraphs = ["Mật khẩu mới đã có hiệu lực, mọi thiết bị đang đăng nhập tài khoản đã được đăng xuất."]
    return _message_page(request, "Đã đặt mật khẩu mới", paragraphs)


@router.get("/recovery")
async def show_desk(request: Request, here: Settled, db: Db) -> Response:
    desk = desk_of(here.who)
    query = lists.query_of(request, "name", "state", "sort", "order", "page")
    found = await rows_at(db, desk, query)
    rows, paging = lists.paged(found, query)
    context = {
        "shell": await frame(request, here, db, lists.notices(request, DID, {**CATALOGUE, **lists.catalogue_of(account_errors)})),
        "title": entry_of(here.who, DESK).title,
        "query": query,
        "paging": paging,
        "states": recovery.STATES,
        "links_action": f"{DESK}/links",
        "refuse_action": f"{DESK}/refuse",
        "hours": int(recovery.LINK_VALID.total_seconds() // 3600),
        "rows": rows,
    }
    return render(request.app.state.pages, request, "identity/recovery.html", context)


@router.post("/recovery/links")
async def make_links(request: Request, here: Settled, db: Db) -> Response:
    """For the ticked requests, or for the user name that was typed in."""
    ticked = await lists.ticked(request)
    check_form(here, ticked.field("csrf"))
    desk = desk_of(here.who)
    typed = ticked.field("username").strip()[:200]
    if typed:
        account = await accounts_store.account_named(db, typed)
        wanted = [account["_id"] if account else typed]
    else:
        wanted = await _chosen(db, desk, ticked)
    if not wanted:
        return lists.done(DESK, "refused", 0)
    return await links_page(request, here, db, wanted, drop_factors=bool(ticked.field("drop_factors")), back=DESK)


@router.post("/recovery/refuse")
async def refuse(request: Request, here: Settled, db: Db) -> Response:
    """Asks for the reason first."""
    ticked = await lists.ticked(request)
    check_form(here, ticked.field("csrf"))
    wanted = await _chosen(db, desk_of(here.who), ticked)
    if not wanted:
        return lists.done(DESK, "refused", 0)
    reason = ticked.field("reason").strip()[:500]
    if reason:
        outcomes = await recovery_desk.refuse(db, here.who, wanted, reason)
        refused = [o.refused.code for o in outcomes if o.refused]
        return lists.done(DESK, "refused", len(outcomes) - len(refused), refused)
    missing = "reason" in ticked.form
    names_shown = await recovery_desk.names_of(db, here.who, wanted)
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title="Từ chối yêu cầu cấp lại mật khẩu",
        question=f"Từ chối yêu cầu của {len(wanted)} tài khoản?",
        action=f"{DESK}/refuse",
        confirm="Từ chối yêu cầu",
        cancel_href=DESK,
        fields=[("ids", code) for code in wanted],
        items=names_shown[:10],
        count=len(wanted),
        danger=True,
        reason=("Lý do từ chối", ""),
        missing=REASON_NEEDED.cause if missing else "",
    )


@router.get("/recovery/own")
async def show_own(request: Request, here: Settled, db: Db) -> Response:
    return confirm_page(
        request.app.state.pages,
        request,
        shell=await frame(request, here, db),
        title="Yêu cầu cấp lại mật khẩu của tài khoản này",
        question="Thầy/cô không yêu cầu cấp lại mật khẩu?",
        action=OWN,
        confirm=recovery.NOT_ME,
        cancel_href=HOME,
        warning="Yêu cầu bị từ chối và đường dẫn đặt lại mật khẩu đã tạo không dùng được nữa. Mật khẩu hiện tại giữ nguyên.",
        danger=True,
    )


@router.post("/recovery/own")
async def deny(here: Settled, db: Db, csrf: Annotated[str, Form()] = "") -> Response:
    check_form(here, csrf)
    await recovery_desk.deny(db, here.who.person)
    return RedirectResponse(f"{HOME}?denied=1", status_code=303)


def desk_of(who: Principal) -> str:
    """The school or unit for which `who` deals with requests. Raises Refused(FORBIDDEN)."""
    if who.unit is not None:
        require(who, Action.MANAGE_ORGANISATIONS, path=(who.unit,))
        return who.unit
    require(who, Action.GRANT_ACCOUNTS, school=who.school or "")
    return who.school or ""


async def links_page(request: Request, here: Here, db: Database, wanted: Sequence[str], *, drop_factors: bool, back: str) -> Response:
    """Makes the links and shows them, this once."""
    links, outcomes = await recovery_desk.make_links(db, here.who, wanted, drop_factors=drop_factors)
    known = await people_by_code(db, [o.person for o in outcomes])
    context = {
        "shell": await frame(request, here, db),
        "title": "Đường dẫn đặt lại mật khẩu",
        "back_href": back,
        "drop_factors": drop_factors,
        "rows": [_link_row(request.app.state.public_url, link) for link in links],
        "refused": [_refusal_row(outcome, known) for outcome in outcomes],
    }
    return render(request.app.state.pages, request, "identity/recovery_links.html", context)


async def rows_at(db: Database, desk: str, query: Mapping[str, str]) -> list[dict[str, object]]:
    """The requests at a desk that the filter finds; those that wait unless another state is asked for."""
    state = query.get("state", recovery.WAITING)
    requests = await store.requests_at(db, desk, state if state in recovery.STATES else None)
    people = await people_by_code(db, {code for r in requests for code in (r["person"], r["decided_by"]) if code})
    places = await names(db, {place for person in people.values() if (place := place_of(person))})
    name = fold(query.get("name", ""))
    rows: list[dict[str, object]] = []
    for asked in requests:
        person = people.get(asked["person"])
        if person is None or name not in fold(person["name"]):
            continue
        decider = people.get(asked["decided_by"] or "")
        rows.append(
            {
                "id": person["_id"],
                "name": person["name"],
                "username": accounts_store.username_of(person["_id"]),
                "position": person["position"],
                "place": places.get(place_of(person) or "", ""),
                "asked_at": asked["asked_at"],
                "state": asked["state"],
                "decided_at": asked["decided_at"],
                "decided_by": decider["name"] if decider else "",
                "reason": asked["reason"],
            }
        )
    keys: dict[str, Callable[[dict[str, object]], Any]] = {
        "asked_at": lambda row: row["asked_at"],
        "name": lambda row: given_name_key(str(row["name"])),
        "place": lambda row: row["place"],
    }
    return lists.ordered(rows, query, keys)


async def _chosen(db: Database, desk: str, ticked: lists.Ticked) -> list[str]:
    if ticked.filter is None:
        return list(ticked.ids)
    return [str(row["id"]) for row in await rows_at(db, desk, ticked.filter) if row["state"] == recovery.WAITING]


def _link_row(public_url: str, link: Link) -> dict[str, object]:
    address = f"{public_url}{RESET}?t={link.token}"
    picture = segno.make(address, error="m", micro=False).svg_inline(scale=4, svgclass=None, lineclass=None)
    # drawn from an address of our own making, nothing in it comes from outside
    return {"name": link.name, "person": link.person, "address": address, "until": link.until, "qr": Markup(picture)}  # noqa: S704 - see above


def _refusal_row(outcome: Outcome, people: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Names only people whom the refusal shows to be known."""
    assert outcome.refused is not None
    hidden = outcome.refused.refusal is NOT_IN_CHAIN
    name = people[outcome.person]["name"] if outcome.person in people and not hidden else outcome.person
    return {"name": name, "message": f"{outcome.refused.cause} {outcome.refused.action}"}


def _forgotten_page(request: Request, values: dict[str, str], errors: dict[str, str], *, status: int = 200) -> Response:
    context = {
        "shell": shell(request, None),
        "title": "Quên mật khẩu",
        "action": FORGOTTEN,
        "cancel_href": SIGN_IN,
        "versions": VERSIONS,
        "values": values,
        "errors": errors,
    }
    return render(request.app.state.pages, request, "identity/forgotten.html", context, status_code=status)


def _reset_page(request: Request, token: str, errors: dict[str, str]) -> Response:
    context = {
        "shell": shell(request, None),
        "title": "Đặt mật khẩu mới",
        "action": RESET,
        "token": token,
        "minimum": passwords.MINIMUM,
        "errors": errors,
    }
    status = 422 if errors else 200
    return render(request.app.state.pages, request, "identity/reset_password.html", context, status_code=status, headers=SECRET_ADDRESS)


def _message_page(request: Request, title: str, paragraphs: list[str]) -> Response:
    context = {"shell": shell(request, None), "title": title, "paragraphs": paragraphs, "sign_in_href": SIGN_IN}
    return render(request.app.state.pages, request, "identity/outside_message.html", context)
