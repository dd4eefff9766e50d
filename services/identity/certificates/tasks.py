"""What waits for somebody about certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.access import Action, allowed
from contracts.menu import SCHOOL_CERTIFICATE, SIGNING_ACCOUNT, entry_of
from services.chassis import clock
from services.chassis.web.look import vn_date, vn_number
from services.identity.accounts.sessions import Here
from services.identity.certificates import store
from services.identity.certificates.listing import ACCOUNTS, EXPIRING, expiry_badge
from services.identity.certificates.registrations import ACCOUNT_STATES, APPROVED, NOT_REGISTERED, REFUSED, SCHOOL_STATES, WAITING

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document


async def tasks(here: Here, db: Database, school: Document) -> list[dict[str, str]]:
    """What the home page shows of signing accounts: what is missing, what waits."""
    accounts = await store.latest_accounts(db, school["_id"], school["year"])
    at = clock.now()
    found = []
    if allowed(here.who, Action.REGISTER_SIGNING_ACCOUNT, school=school["_id"]):
        own = accounts.get(here.who.person)
        state = own["state"] if own else NOT_REGISTERED
        if state != APPROVED:
            tone = {WAITING: "waiting", REFUSED: "danger"}.get(state, "neutral")
            hint = own["refusal"] if own else ""
            text, status = entry_of(here.who, SIGNING_ACCOUNT).title, ACCOUNT_STATES[state]
            found.append({"text": text, "href": SIGNING_ACCOUNT, "hint": hint, "status": status, "tone": tone})
        elif own and (badge := expiry_badge(own["facts"]["valid_to"], at)):
            hint = f"Chứng thư số có hạn dùng đến {vn_date(own['facts']['valid_to'])}: gia hạn rồi đăng ký lại tài khoản ký."
            text = entry_of(here.who, SIGNING_ACCOUNT).title
            found.append({"text": text, "href": SIGNING_ACCOUNT, "hint": hint, "status": badge["text"], "tone": badge["tone"]})
    if allowed(here.who, Action.REGISTER_SCHOOL_CERTIFICATE, school=school["_id"]):
        found += await _school_certificate(here, db, school)
    if allowed(here.who, Action.APPROVE_SIGNING_ACCOUNT, school=school["_id"]):
        waiting = sum(r["state"] == WAITING and not r["by_oversight"] for r in accounts.values())
        if waiting:
            status = f"{vn_number(waiting)} tài khoản chờ duyệt"
            found.append({"text": "1.3. Duyệt tài khoản ký", "href": f"{ACCOUNTS}?state={WAITING}", "status": status, "tone": "waiting"})
        ending = sum(r["state"] == APPROVED and expiry_badge(r["facts"]["valid_to"], at) is not None for r in accounts.values())
        if ending:
            status = f"{vn_number(ending)} chứng thư số sắp hết hạn hoặc đã hết hạn"
            found.append({"text": "1.3. Duyệt tài khoản ký", "href": f"{ACCOUNTS}?state={EXPIRING}", "status": status, "tone": "warning"})
    return found


async def _school_certificate(here: Here, db: Database, school: Document) -> list[dict[str, str]]:
    """Nothing once it is approved and no other was asked for."""
    history = await store.history(db, "school", school["_id"], school["year"])
    latest = history[0] if history else None
    state = latest["state"] if latest else NOT_REGISTERED
    if state == APPROVED:
        return []
    tone = {WAITING: "waiting", REFUSED: "danger"}.get(state, "neutral")
    hint = latest["refusal"] if latest else ""
    text = entry_of(here.who, SCHOOL_CERTIFICATE).title
    return [{"text": text, "href": SCHOOL_CERTIFICATE, "hint": hint, "status": SCHOOL_STATES[state], "tone": tone}]
