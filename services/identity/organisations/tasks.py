"""What the home page says of organisations: the date that binds a school, and what waits for an officer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.access import Action, allowed
from services.chassis.web.look import Deadline, vn_date, vn_number
from services.identity.organisations import opening, school_years, spans, store
from services.identity.organisations.change_routes import branch_changes
from services.identity.organisations.page_parts import CHANGES

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document
    from services.identity.accounts.sessions import Here


async def deadline(db: Database, school: Document) -> Deadline | None:
    """The school's own date for its transcripts, or the national one; None while no school year is open, and for a closed school."""
    if spans.ended_on(school):
        return None
    year = next((y for y in await opening.years(db, school) if y["state"] == school_years.OPEN), None)
    if year is None:
        return None
    text, day = school_years.binding_deadline(year)
    national = school_years.national_deadline(year["year"])
    if day != national:
        text = f"{text} (hạn toàn quốc {vn_date(national)})"
    return Deadline(text, day, (day - spans.today()).days)


async def tasks(here: Here, db: Database) -> list[dict[str, str]]:
    """Changes of the officer's branch that could not be done on their day."""
    if here.who.unit is None or not allowed(here.who, Action.MANAGE_ORGANISATIONS, path=(here.who.unit,)):
        return []
    failed = await branch_changes(db, here.who, (store.FAILED,))
    if not failed:
        return []
    status = f"{vn_number(len(failed))} thay đổi"
    return [{"text": "Thay đổi đơn vị, trường học không thực hiện được", "href": CHANGES, "status": status, "tone": "danger", "hint": ""}]
