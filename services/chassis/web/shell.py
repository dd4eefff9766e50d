"""What surrounds every page for the person who is signed in."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from contracts.menu import PRODUCT, entry_of, menu_of, role_name
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.web.look import MenuGroup, MenuItem, Notice, Shell, User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from contracts.access import Principal
    from contracts.menu import Entry

HOME = "/ui/identity/"
SIGN_OUT = "/ui/identity/sign-out"
ACCOUNT = "/ui/identity/password"
DEVICES = "/ui/identity/devices"
FACTORS = "/ui/identity/factors"
AGENTS = "/ui/identity/agents"
MINE = "/ui/identity/my-activity"
OWN_PROBLEMS = "/ui/identity/problems?mine=1"
REPORT = "/ui/identity/problems/new"
OWN_ACCOUNT = (
    ("Đổi mật khẩu", ACCOUNT),
    ("Thiết bị đăng nhập", DEVICES),
    ("Xác thực hai lớp", FACTORS),
    ("Chương trình ký số", AGENTS),
    ("Hoạt động của tôi", MINE),
    ("Báo lỗi đã gửi", OWN_PROBLEMS),
)


def in_menu(who: Principal, href: str) -> Entry:
    """The entry of a page that only some versions of the menu have. Raises Refused(NOT_FOUND) in the others."""
    try:
        return entry_of(who, href)
    except LookupError:
        raise Refused(NOT_FOUND) from None


def shell(
    request: Request,
    who: Principal | None,
    *,
    notices: Sequence[Notice] = (),
    csrf: str = "",
    organisation: str = "",
    period: str = "",
    failed: bool = False,
) -> Shell:
    """`failed`: the page says that something went wrong, so it can be reported whoever is there."""
    here = request.url.path
    request_id = getattr(request.state, "request_id", "")
    groups = [
        MenuGroup(title, [MenuItem(e.number, e.text, e.href, current=here.startswith(e.href)) for e in entries])
        for title, entries in groupby(menu_of(who) if who else (), key=lambda e: e.group)
    ]
    return Shell(
        product=PRODUCT,
        home=HOME,
        organisation=organisation,
        period=period,
        menu=groups,
        user=User(who.name, role_name(who), SIGN_OUT, links=OWN_ACCOUNT) if who else None,
        notices=notices,
        csrf=csrf,
        request_id=request_id,
        report=f"{REPORT}?{urlencode({'page': here, 'request': request_id})}" if who or failed else "",
    )
