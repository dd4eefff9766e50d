"""People by hand, and acts on the accounts of a school's people: entered, corrected, gone, back, unlocked, signed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.accounts import recovery, recovery_store
from services.identity.accounts import store as accounts_store
from services.identity.certificates import registrations as certificates
from services.identity.certificates import store as certificates_store
from services.identity.errors import OWN_ACCOUNT, UNKNOWN_PERSON, UNKNOWN_SCHOOL
from services.identity.messages import Outcome
from services.identity.notices import store as notices
from services.identity.organisations import people, store
from services.identity.organisations.places import tell_issue_right
from services.identity.store import one

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session


async def enter(db: Database, who: Principal, *, code: str, name: str, personal_id: str, position: str) -> Document:
    """Somebody whom no import names joins the staff of the actor's school. Raises Refused as `people.entered` does; PERSONAL_ID_TAKEN."""

    async def work(session: Session) -> Document:
        school = await _school(db, session, who)
        before = await one(db, "people", code, session)
        if before is None and any([await one(db, "schools", code, session), await one(db, "units", code, session)]):
            before = people.blank(code, "")
        after = people.entered(
            before, code=code, name=name, personal_id=personal_id, position=position, school=school["_id"], actor=who.person
        )
        people.check_personal_id(after, (await store.people_of(db, school["_id"], session)).values())
        await accounts_store.open_account(db, session, code)
        await _change(db, session, school, before, after, act="person entered", actor=who.person, details={"roles": after["roles"]})
        return after

    return await transaction(db, work)


async def correct(db: Database, who: Principal, *, code: str, name: str, personal_id: str, position: str) -> Document:
    """Raises Refused: UNKNOWN_PERSON, OWN_ACCOUNT, NOT_BY_HAND, PERSONAL_ID_TAKEN. A changed personal id ends certificates."""

    async def work(session: Session) -> Document:
        school = await _school(db, session, who)
        before = await _person(db, session, who, code)
        after = people.corrected(before, name=name, personal_id=personal_id, position=position, actor=who.person)
        people.check_personal_id(after, (await store.people_of(db, school["_id"], session)).values())
        if after != before:
            changed = [key for key in ("name", "personal_id", "position", "roles") if before[key] != after[key]]
            await _change(db, session, school, before, after, act="person corrected", actor=who.person, details={"changed": changed})
        return after

    return await transaction(db, work)


async def leave(db: Database, who: Principal, *, code: str, on: dt.date | None, reason: str) -> Document:
    """The account is closed, sessions and registrations end, the past stays. Raises Refused: UNKNOWN_PERSON; as `people.gone` does."""
    today = clock.in_vietnam(clock.now()).date()

    async def work(session: Session) -> Document:
        school = await _school(db, session, who)
        before = await _person(db, session, who, code)
        after = people.gone(before, on=on, reason=reason, today=today, actor=who.person)
        details = {"on": after["left"]["on"], "reason": after["left"]["reason"], "before": before["roles"]}
        await _change(db, session, school, before, after, act="person left", actor=who.person, details=details)
        return after

    return await transaction(db, work)


async def come_back(db: Database, who: Principal, *, code: str) -> Document:
    """The roles of now, and an account without a password: one is issued apart. Raises Refused: UNKNOWN_PERSON; as `people.returned`."""

    async def work(session: Session) -> Document:
        school = await _school(db, session, who)
        before = await _person(db, session, who, code)
        after = people.returned(before, actor=who.person)
        await _change(db, session, school, before, after, act="person returned", actor=who.person, details={"after": after["roles"]})
        return after

    return await transaction(db, work)


async def unlock(db: Database, who: Principal, wanted: Sequence[str]) -> list[Outcome]:
    """Wrong passwords so far are forgotten, a lock with them."""

    async def do(session: Session, code: str) -> None:
        await accounts_store.forget_guesses(db, [accounts_store.username_of(code)], session)

    return await _each(db, who, wanted, do, act="account unlocked")


async def sign_out(db: Database, who: Principal, wanted: Sequence[str]) -> list[Outcome]:
    """From every device."""

    async def do(session: Session, code: str) -> None:
        await accounts_store.end_sessions(db, session, [code])

    return await _each(db, who, wanted, do, act="signed out everywhere")


async def _each(
    db: Database, who: Principal, wanted: Sequence[str], do: Callable[[Session, str], Awaitable[None]], *, act: str
) -> list[Outcome]:
    async def work(session: Session) -> list[Outcome]:
        staff = await store.people_by_code(db, wanted, session)
        outcomes = []
        for code in dict.fromkeys(wanted):
            if code == who.person:
                outcomes.append(Outcome(code, Refused(OWN_ACCOUNT)))
            elif code not in staff or staff[code]["school"] != who.school:
                outcomes.append(Outcome(code, Refused(UNKNOWN_PERSON, person=code)))
            else:
                await do(session, code)
                await audit.record(db, session, actor=who.person, act=act, subject=code, place=who.school)
                outcomes.append(Outcome(code))
        return outcomes

    return await transaction(db, work)


async def _change(
    db: Database,
    session: Session,
    school: Document,
    before: Document | None,
    after: Document,
    *,
    act: str,
    actor: str,
    details: Mapping[str, object],
) -> None:
    await save(db, session, "people", [Change(after)], actor=actor)
    left = people.has_left(after)
    if left:
        await recovery_store.close_accounts(db, session, [after["_id"]])
        await recovery_store.decide(
            db, session, [after["_id"]], state=recovery.REFUSED, by=actor, reason="Đã nghỉ, chuyển đi", at=clock.now()
        )
    if left or (before is not None and before["personal_id"] and before["personal_id"] != after["personal_id"]):
        # a certificate of somebody who is gone, or that bears another personal id than the record, must not sign any more
        why = "person left" if left else "personal id changed"
        standing = await certificates_store.open_registrations(db, session, school["_id"], school["year"] or "", [after["_id"]])
        ended = [certificates.end(r, why, at=clock.now()) for r in standing]
        await save(db, session, "registrations", ended, actor=actor)
        for change in ended:
            await notices.tell(db, session, change.document, "ended", at=clock.now(), reason=change.document["refusal"])
    elif before is not None and people.may_issue(before) != people.may_issue(after):
        await tell_issue_right(db, session, school, [after], actor=actor, cause=None)
    await audit.record(db, session, actor=actor, act=act, subject=after["_id"], place=school["_id"], details=details)


async def _school(db: Database, session: Session, who: Principal) -> Document:
    school = await one(db, "schools", who.school or "", session)
    if school is None:
        raise Refused(UNKNOWN_SCHOOL, school=who.school or "")
    return school


async def _person(db: Database, session: Session, who: Principal, code: str) -> Document:
    person = await one(db, "people", code, session)
    if person is None or person["school"] != who.school:
        raise Refused(UNKNOWN_PERSON, person=code)
    return person
