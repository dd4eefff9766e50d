"""What the home page shows of notices: the newest that were not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.identity.notices import store
from services.identity.notices.notices import STATUS, TONES, body, title
from services.identity.pages import NOTICES

if TYPE_CHECKING:
    from services.chassis.mongo import Database
    from services.identity.accounts.sessions import Here

SHOWN = 5


async def tasks(here: Here, db: Database) -> list[dict[str, str]]:
    _, unread = await store.of_person(db, here.who.person, only_unread=True, most=SHOWN)
    return [{"text": title(n), "href": NOTICES, "hint": body(n), "status": STATUS[n["what"]], "tone": TONES[n["what"]]} for n in unread]
