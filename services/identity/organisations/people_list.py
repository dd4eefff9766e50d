"""What the page and the API of staff accounts show: everybody of a school with the state of the account, one person in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.access import Role
from contracts.menu import ROLE_NAMES
from services.chassis import clock
from services.chassis.vietnamese import fold, given_name_key
from services.chassis.web import lists
from services.identity.accounts import store as accounts_store
from services.identity.activity.words import ACTS, MACHINES
from services.identity.organisations import people, people_store, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from services.chassis.mongo import Database, Document

Row = dict[str, Any]
SIGNED_IN, NEVER, ONE_TIME, LOCKED, LEFT, UNLISTED = "signed_in", "never", "one_time", "locked", "left", "unlisted"
ALL = "all"
STATES = {
    SIGNED_IN: "Đang đăng nhập",
    NEVER: "Chưa đăng nhập lần nào",
    ONE_TIME: "Chờ đổi mật khẩu một lần",
    LOCKED: "Tạm khoá đăng nhập",
    LEFT: "Đã nghỉ, chuyển đi",
    UNLISTED: "Không còn trong dữ liệu nhập",
}
HISTORY = 50


async def rows(db: Database, school: str, query: Mapping[str, str]) -> list[Row]:
    """Those whom the filter finds (name, role, state), by given name unless another order is asked for; who is gone only on request."""
    staff = await store.people_of(db, school)
    found = await _states(db, staff.values())
    name, role, state = fold(query.get("name", "")), query.get("role", ""), query.get("state", "")
    kept = [r for r in found if name in fold(r["name"]) and (not role or role in r["roles"]) and _in_state(r, state)]
    keys: dict[str, Callable[[Row], Any]] = {
        "name": lambda r: given_name_key(r["name"]),
        "position": lambda r: r["position"],
        "signed_in_at": lambda r: r["signed_in_at"].timestamp() if r["signed_in_at"] else 0,
    }
    return lists.ordered(kept, query, keys)


async def row(db: Database, person: Document) -> Row:
    [found] = await _states(db, [person])
    return found


def _in_state(row: Row, state: str) -> bool:
    if state in STATES:
        return state in row["states"]
    return state == ALL or not {LEFT, UNLISTED} & set(row["states"])


async def _states(db: Database, staff: Iterable[Document]) -> list[Row]:
    found = list(staff)
    at = clock.now()
    codes = [person["_id"] for person in found]
    accounts = await accounts_store.accounts_of(db, codes)
    locked = await people_store.locked_until(db, codes, at)
    here = await people_store.signed_in_now(db, codes, at)
    return [_row(person, accounts.get(person["_id"]), locked.get(person["_id"]), at, signed_in=person["_id"] in here) for person in found]


def _row(person: Document, account: Document | None, locked_until: datetime | None, at: datetime, *, signed_in: bool) -> Row:
    signed_in_at = account["signed_in_at"] if account else None
    one_time_until = account["one_time_until"] if account else None
    left = people.has_left(person)
    flags = {
        SIGNED_IN: signed_in,
        LOCKED: locked_until is not None and not left,
        NEVER: signed_in_at is None and not left,
        ONE_TIME: one_time_until is not None,
        LEFT: left,
        UNLISTED: not left and not people.is_staff(person) and not person["roles"],
    }
    return {
        "id": person["_id"],
        "name": person["name"],
        "username": accounts_store.username_of(person["_id"]),
        "position": person["position"],
        "roles": list(person["roles"]),
        "role_names": [words for role, words in ROLE_NAMES.items() if role in person["roles"]],
        "classes": list(person["homeroom_of"]),
        "by_hand": people.by_hand(person),
        "states": [state for state, holds in flags.items() if holds],
        "has_password": bool(account and account["hash"]),
        "signed_in_at": signed_in_at,
        "one_time_until": one_time_until,
        "one_time_over": one_time_until is not None and one_time_until <= at,
        "locked_until": locked_until,
        "left": dict(person["left"]) if left else None,
    }


async def roles_of(db: Database, person: Document) -> list[Row]:
    """Why the person holds which role, and who gave it when."""
    found = []
    for reason in people.reasons(person):
        given = await people_store.last_act(db, person["_id"], reason.act) if reason.act else None
        by = await _name(db, given["actor"]) if given else ""
        found.append(
            {"role": ROLE_NAMES[Role(reason.role)], "source": reason.source, "given_by": by, "given_at": given["at"] if given else None}
        )
    return found


async def history(db: Database, person: str) -> list[Row]:
    """The last acts on the account, newest first; wrong passwords, which are kept under the digest of the name, among them."""
    entries = await people_store.acts_on(db, person, ACTS, HISTORY)
    names = await store.people_by_code(db, {entry["actor"] for entry in entries})
    return [
        {
            "at": entry["at"],
            "text": ACTS[entry["act"]].text,
            "refused": ACTS[entry["act"]].refused,
            "by": MACHINES.get(entry["actor"]) or names.get(entry["actor"], {}).get("name", entry["actor"]),
            "reason": str(entry["details"].get("reason", "")),
        }
        for entry in entries
    ]


async def _name(db: Database, code: str) -> str:
    people_found = await store.people_by_code(db, [code])
    return MACHINES.get(code) or str(people_found.get(code, {}).get("name", code))
