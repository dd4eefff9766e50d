"""The administrators of a school: named by the oversight unit, several of them if need be, and their right taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import audit
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.errors import OWN_ACCOUNT, REASON_NEEDED, UNKNOWN_PERSON, UNKNOWN_SCHOOL
from services.identity.organisations import people, places, store
from services.identity.organisations.units_and_schools import check_living
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session
    from services.identity.accounts.sign_in import Door
    from services.identity.organisations.places import Issued, Named


async def name_administrator(door: Door, school: str, named: Named, *, reset: bool, actor: str, request_id: str) -> Issued:
    """One more administrator of a school, or a new one-time password for one.

    Raises Refused: UNKNOWN_SCHOOL, ENDED, CODE_TAKEN for somebody of another place.
    """
    passwords = await places.wanted_passwords(door, named, reset=reset)

    async def work(session: Session) -> Document:
        place = await one(door.db, "schools", school, session)
        if place is None:
            raise Refused(UNKNOWN_SCHOOL, school=school)
        check_living(place)
        known = await one(door.db, "people", named.code, session)
        person = people.as_administrator(known, code=named.code, name=named.name, personal_id=named.personal_id, school=school)
        await places.admit(door, session, known, person, passwords=passwords, act="administrator set", actor=actor, request_id=request_id)
        return person

    return places.issued_to(await transaction(door.db, work), passwords)


async def take_administration(db: Database, school: str, person: str, *, reason: str, actor: str, request_id: str) -> None:
    """The right ends at once, whether the oversight gave it or an import; only the oversight gives it again.

    Raises Refused: REASON_NEEDED, OWN_ACCOUNT, UNKNOWN_PERSON for somebody who is not an administrator of the school.
    """
    if not reason.strip():
        raise Refused(REASON_NEEDED)
    if person == actor:
        raise Refused(OWN_ACCOUNT)

    async def work(session: Session) -> None:
        before = (await store.people_by_code(db, [person], session)).get(person)
        if before is None or before["school"] != school or not people.is_administrator(before):
            raise Refused(UNKNOWN_PERSON, person=person)
        after = people.with_roles({**before, "administrator_given": False, "administrator_taken": True})
        await save(db, session, "people", [Change(after)], actor=actor, cause=request_id)
        details = {"before": before["roles"], "after": after["roles"], "reason": reason.strip()[:500]}
        await audit.record(
            db, session, actor=actor, act="administrator taken", subject=person, place=school, request_id=request_id, details=details
        )

    await transaction(db, work)
