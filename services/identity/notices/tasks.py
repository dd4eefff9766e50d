"""What the home page shows of notices: that some were not read, and what the newest are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.web.look import vn_number
from services.identity.notices import store
from services.identity.notices.notices import TONES, title
from services.identity.pages import NOTICES

if TYPE_CHECKING:
    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here

SHOWN = 3


async def tasks(here: Here, db: Database) -> list[dict[str, str]]:
    """One line for all: what there is to do about one has a line of its own."""
    number, unread = await store.of_person(db, here.who.person, only_unread=True, most=SHOWN)
    if not unread:
        return []
    tones = {TONES[notice["what"]] for notice in unread}
    tone = next(each for each in ("danger", "warning", "success") if each in tones)
    hint = "; ".join(title(notice) for notice in unread) + ("; …" if number > len(unread) else ".")
    return [{"text": "Thông báo", "href": NOTICES, "hint": hint, "status": f"{vn_number(number)} chưa đọc", "tone": tone}]
