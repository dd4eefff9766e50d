"""1.3. Duyệt tài khoản ký as a list: one row a member of the staff, what the filter finds, how many there are of each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contracts.menu import PRIMARY
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web.lists import ordered
from services.chassis.web.look import vn_date
from services.identity.certificates import store
from services.identity.certificates.expiry import days_left, expiry_warning
from services.identity.certificates.registrations import (
    ACCOUNT_STATES,
    APPROVED,
    ENDED,
    MEANS_NAMES,
    NOT_REGISTERED,
    REFUSED,
    SUSPENDED,
    WAITING,
)
from services.identity.organisations import store as organisations_store
from services.identity.organisations.people import is_manager, may_issue
from services.identity.store import one

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Database, Document
    from services.identity.certificates.providers import Providers

Row = dict[str, Any]

ACCOUNTS: Final = "/ui/identity/signing-accounts"
EXPIRING: Final = "EXPIRING"
"""Not a state: whose approved certificate ends within 30 days, or has ended."""
BY_OVERSIGHT: Final = "Do Phòng/Sở GD&ĐT duyệt"
FILTERS: Final = (WAITING, APPROVED, REFUSED, NOT_REGISTERED, SUSPENDED, ENDED, EXPIRING)
FILTER_NAMES: Final = {"": "Tất cả", **{state: ACCOUNT_STATES[state] for state in FILTERS[:-1]}, EXPIRING: "Sắp hết hạn"}
TONES: Final = {WAITING: "waiting", APPROVED: "success", REFUSED: "danger", SUSPENDED: "warning", ENDED: "danger"}
QUERY_KEYS: Final = ("name", "state", "sort", "order", "page")
HEADERS: Final = (
    "Mã nhân sự",
    "Họ và tên",
    "Chức vụ",
    "Kiểu chữ ký",
    "Nhà phát hành",
    "Chứng thư số",
    "Hạn dùng",
    "Cảnh báo",
    "Trạng thái",
    "Lý do",
    "Ký phát hành",
)


def issue_word(level: str | None) -> str:
    """The right to issue in the words of the guides: 000 for primary schools, 001 for the others."""
    return "Đóng dấu" if level == PRIMARY else "Ký phát hành"


def expiry_badge(valid_to: dt.datetime, at: dt.datetime) -> dict[str, str] | None:
    """Text and tone of what is to be said ahead of the end of a certificate: from 30 days before, more urgent from 7."""
    if valid_to <= at:
        return {"text": "Đã hết hạn", "tone": "danger"}
    warned = expiry_warning(valid_to, at)
    if warned is None:
        return None
    left = days_left(valid_to, at)
    return {"text": f"Còn {left} ngày" if left else "Hết hạn hôm nay", "tone": "danger" if warned <= 7 else "warning"}


async def rows_of(db: Database, school: str, providers: Providers, *, at: dt.datetime) -> list[Row]:
    """Everybody of the staff with a role, by given name."""
    place = await one(db, "schools", school)
    accounts = await store.latest_accounts(db, school, place["year"] if place else None, (*store.SHOWN_STATES, ENDED))
    staff = await organisations_store.people_of(db, school)
    rows = [row_of(person, accounts.get(code), providers, at=at) for code, person in staff.items() if person["roles"]]
    return sorted(rows, key=lambda row: given_name_key(row["name"]))


def row_of(person: Document, registration: Document | None, providers: Providers, *, at: dt.datetime) -> Row:
    state = registration["state"] if registration else NOT_REGISTERED
    reason = registration["refusal"] if registration else ""
    if state == WAITING and is_manager(person):
        reason = BY_OVERSIGHT
    return {
        "id": person["_id"],
        "name": person["name"],
        "code": person["_id"],
        "position": person["position"],
        "means": MEANS_NAMES[registration.get("means", "remote")] if registration else "",
        "provider": providers.name(registration["provider"]) if registration and registration["provider"] else "",
        "certificate_serial": registration["facts"]["serial"] if registration else "",
        "valid_until": registration["facts"]["valid_to"] if registration else None,
        "warning": expiry_badge(registration["facts"]["valid_to"], at) if registration and state in (APPROVED, WAITING) else None,
        "state": state,
        "state_name": ACCOUNT_STATES[state],
        "tone": TONES.get(state, "neutral"),
        "reason": reason,
        "by_oversight": is_manager(person),
        "issuer": may_issue(person),
        "href": f"{ACCOUNTS}/{person['_id']}",
    }


def named(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """Those whose name or code the filter asks for."""
    wanted = fold(query.get("name", ""))
    return [row for row in rows if wanted in fold(row["name"]) or wanted == row["code"].casefold()]


def found(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """What the whole filter finds, sorted as asked."""
    state = query.get("state", "")
    keys = {
        "name": lambda row: given_name_key(row["name"]),
        "position": lambda row: row["position"],
        "state": lambda row: row["state_name"],
        "valid_until": lambda row: row["valid_until"].timestamp() if row["valid_until"] else float("inf"),
    }
    return ordered([row for row in named(rows, query) if _in_state(row, state)], query, keys)


def filters(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every filter by state, and how many of the rows it would find."""
    return [{"state": state, "text": text, "count": sum(_in_state(r, state) for r in rows)} for state, text in FILTER_NAMES.items()]


def sheet(rows: Sequence[Row]) -> list[list[str]]:
    """The rows below HEADERS."""
    return [
        [
            row["code"],
            row["name"],
            row["position"],
            row["means"],
            row["provider"],
            row["certificate_serial"],
            vn_date(row["valid_until"]) if row["valid_until"] else "",
            row["warning"]["text"] if row["warning"] else "",
            row["state_name"],
            row["reason"],
            "Có" if row["issuer"] else "",
        ]
        for row in rows
    ]


def _in_state(row: Row, state: str) -> bool:
    if state == EXPIRING:
        return row["warning"] is not None and row["state"] == APPROVED
    return state in ("", row["state"])
