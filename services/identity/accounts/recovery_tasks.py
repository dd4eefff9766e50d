"""What the home page says about recovering accounts: requests that wait for the person, and what happened to the own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.access import Action, allowed
from contracts.menu import entry_of
from services.chassis import clock
from services.chassis.web.look import Notice, vn_number, vn_time
from services.chassis.web.shell import DEVICES
from services.identity.accounts import recovery
from services.identity.accounts import recovery_store as store
from services.identity.accounts.recovery_pages import DESK, OWN
from services.identity.accounts.sessions import Here
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Database


async def tasks(here: Here, db: Database) -> list[dict[str, str]]:
    who = here.who
    desk = who.unit or who.school or ""
    deals = allowed(who, Action.MANAGE_ORGANISATIONS, path=(who.unit,)) if who.unit else allowed(who, Action.GRANT_ACCOUNTS, school=desk)
    waiting = await store.count_waiting(db, desk) if deals else 0
    if not waiting:
        return []
    status = f"{vn_number(waiting)} yêu cầu chờ xử lý"
    return [{"text": entry_of(who, DESK).title, "href": DESK, "status": status, "tone": "waiting"}]


async def notices(here: Here, db: Database, *, denied: bool) -> list[Notice]:
    """Of the own account: that the password was reset, that somebody asks for it."""
    at, person = clock.now(), here.who.person
    found = [Notice("success", "Đã từ chối yêu cầu cấp lại mật khẩu. Mật khẩu hiện tại giữ nguyên.")] if denied else []
    told = recovery.reset_to_tell(await one(db, "accounts", person), at)
    if told is not None:
        by = await one(db, "people", told["by"])
        text = f"Mật khẩu được đặt lại lúc {vn_time(told['at'])} bằng đường dẫn do {by['name'] if by else told['by']} tạo."
        found.append(Notice("info", text, href=DEVICES, link_text="Xem thiết bị đăng nhập"))
    waiting = (await store.waiting_of(db, None, [person])).get(person)
    if waiting is not None:
        text = f"Có yêu cầu cấp lại mật khẩu cho tài khoản này lúc {vn_time(waiting['asked_at'])}."
        found.append(Notice("info", text, href=OWN, link_text=recovery.NOT_ME))
    elif await store.has_link(db, person, at):
        text = "Một đường dẫn đặt lại mật khẩu của tài khoản này đã được tạo và chưa dùng."
        found.append(Notice("info", text, href=OWN, link_text=recovery.NOT_ME))
    return found
