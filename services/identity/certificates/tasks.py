"""What waits for somebody about certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.access import Action, allowed
from services.chassis.web.look import vn_number
from services.identity.accounts.sessions import Here
from services.identity.certificates import store
from services.identity.certificates.pages import ACCOUNTS
from services.identity.certificates.registrations import ACCOUNT_STATES, APPROVED, NOT_REGISTERED, REFUSED, WAITING

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document


async def tasks(here: Here, db: Database, school: Document) -> list[dict[str, str]]:
    """What the home page shows of signing accounts: what is missing, what waits."""
    accounts = await store.latest_accounts(db, school["_id"], school["year"])
    found = []
    if allowed(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=school["_id"]):
        own = accounts.get(here.who.person)
        state = own["state"] if own else NOT_REGISTERED
        if state != APPROVED:
            tone = {WAITING: "waiting", REFUSED: "danger"}.get(state, "neutral")
            hint = own["refusal"] if own else ""
            found.append({"text": "1.2. Giáo viên đăng ký tài khoản ký", "hint": hint, "status": ACCOUNT_STATES[state], "tone": tone})
    if allowed(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school["_id"]):
        waiting = sum(r["state"] == WAITING and not r["by_oversight"] for r in accounts.values())
        if waiting:
            status = f"{vn_number(waiting)} tài khoản chờ duyệt"
            found.append({"text": "1.3. Duyệt tài khoản ký", "href": f"{ACCOUNTS}?state={WAITING}", "status": status, "tone": "waiting"})
    return found
