"""What the import of a school's staff changes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contracts.events.records import StaffImportedV1
from services.chassis import audit, clock
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.kafka import Consumer
from services.identity.accounts import store as accounts_store
from services.identity.certificates import registrations as certificates
from services.identity.certificates import store as certificates_store
from services.identity.errors import UNKNOWN_SCHOOL
from services.identity.notices import store as notices
from services.identity.organisations import opening, people, spans, store
from services.identity.organisations.places import tell_issue_right
from services.identity.store import one

if TYPE_CHECKING:
    from contracts.event import Event
    from services.chassis.mongo import Database, Session


log = logging.getLogger(__name__)


def staff_consumer(db: Database) -> Consumer:
    consumer = Consumer("identity", "records.staff")

    @consumer.on(StaffImportedV1)
    async def imported(session: Session, events: list[Event[StaffImportedV1]]) -> None:
        for event in events:
            await take_staff(db, session, event)

    return consumer


async def take_staff(db: Database, session: Session, event: Event[StaffImportedV1]) -> None:
    """The staff of the open school year become people with accounts and roles; a year before it, or a closed school, changes nothing.

    Raises Refused(UNKNOWN_SCHOOL).
    """
    fact, cause = event.data, str(event.id)
    school = await one(db, "schools", fact.school, session)
    if school is None:
        raise Refused(UNKNOWN_SCHOOL, school=fact.school)
    if school["year"] is not None and fact.year < school["year"]:
        log.info("staff of an earlier school year left aside", extra={"school": fact.school, "year": fact.year})
        return
    if spans.ended_on(school):
        log.warning("staff of a closed school left aside", extra={"school": fact.school, "year": fact.year})
        return
    if school["year"] != fact.year:
        school = await opening.open_year(db, session, school, fact.year, imported=True, reason="", actor=event.actor, cause=cause)
    known = await store.people_of(db, fact.school, session, [m.code for m in fact.staff])
    merged = people.merge(fact.school, known, fact.staff)
    await save(db, session, "people", [Change(p) for p in (*merged.new, *merged.changed)], actor=event.actor, cause=cause)
    for person in merged.new:
        await accounts_store.open_account(db, session, person["_id"])
    if merged.owners_changed:
        # a certificate that bears another personal id than the record must not sign any more
        owners = [p["_id"] for p in merged.owners_changed]
        ended = [
            certificates.end(r, "personal id changed", at=clock.now())
            for r in await certificates_store.open_registrations(db, session, fact.school, fact.year, owners)
        ]
        await save(db, session, "registrations", ended, actor=event.actor, cause=cause)
        for change in ended:
            await notices.tell(db, session, change.document, "ended", at=clock.now(), reason=change.document["refusal"])
    await tell_issue_right(db, session, school, merged.issuers_changed, actor=event.actor, cause=cause)
    details = {
        "year": fact.year,
        "new": len(merged.new),
        "changed": [p["_id"] for p in merged.changed],
        "refused": merged.foreign,
    }
    await audit.record(
        db,
        session,
        actor=event.actor,
        act="staff imported",
        subject=fact.school,
        place=fact.school,
        request_id=cause,
        details=details,
    )
