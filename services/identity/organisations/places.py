"""Setting up organisations and people: units with officers, schools with their administrators, one-time passwords, the right to issue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.accounts import store as accounts_store
from services.identity.accounts.errors import ALREADY_LEFT
from services.identity.accounts.sign_in import issue_one_time, keep_one_time
from services.identity.certificates import registrations as certificates
from services.identity.certificates import store as certificates_store
from services.identity.errors import CODE_TAKEN, OWN_ACCOUNT, OWN_PASSWORD, UNKNOWN_PERSON, UNKNOWN_SCHOOL, UNKNOWN_UNIT
from services.identity.messages import Outcome
from services.identity.organisations import people, spans, store
from services.identity.organisations import units_and_schools as organisations
from services.identity.organisations.people import place_of
from services.identity.store import one

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document, Session
    from services.identity.accounts.sign_in import Door


@dataclass(frozen=True)
class Named:
    """Somebody whom the oversight names: an officer of a unit, the administrator of a school."""

    code: str
    name: str
    personal_id: str = ""


@dataclass(frozen=True)
class Issued:
    """`one_time_password` is shown once and None when the person keeps the present one."""

    person: str
    name: str
    username: str
    one_time_password: str | None


async def put_unit(
    door: Door,
    code: str,
    *,
    name: str,
    parent: str | None,
    officer: Named | None,
    reset: bool,
    actor: str,
    request_id: str | None,
    valid_from: dt.date | None = None,
) -> tuple[Document, Issued | None]:
    """A unit, and its officer if named, made or changed. `valid_from` is for a new one.

    Raises Refused: UNKNOWN_UNIT, PARENT_FIXED, CODE_TAKEN, ENDED, WRONG_DATES.
    """
    passwords = await wanted_passwords(door, officer, reset=reset)

    async def work(session: Session) -> tuple[Document, Document | None]:
        await store.hold_tree(door.db, session)
        above = await one(door.db, "units", parent, session) if parent else None
        if parent and above is None:
            raise Refused(UNKNOWN_UNIT, unit=parent)
        if await one(door.db, "schools", code, session) is not None:
            raise Refused(CODE_TAKEN, code=code)
        before = await one(door.db, "units", code, session)
        change = organisations.unit_change(before, code=code, name=name, parent=above, today=spans.today(), valid_from=valid_from)
        await _save(door.db, session, "units", change, "unit set", actor=actor, request_id=request_id)
        person = None
        if officer is not None:
            known = await one(door.db, "people", officer.code, session)
            person = people.as_officer(known, code=officer.code, name=officer.name, unit=code)
            await admit(door, session, known, person, passwords=passwords, act="officer set", actor=actor, request_id=request_id)
        unit = change.document if change else before
        assert unit is not None
        return unit, person

    unit, person = await transaction(door.db, work)
    return unit, issued_to(person, passwords) if person else None


async def put_school(
    door: Door,
    code: str,
    *,
    name: str,
    levels: Sequence[str],
    tax_code: str,
    unit_code: str,
    administrator: Named,
    reset: bool,
    actor: str,
    request_id: str,
    valid_from: dt.date | None = None,
) -> tuple[Document, Issued]:
    """A school and its administrator made or changed, from today on. `valid_from` is for a new one.

    Raises Refused: UNKNOWN_UNIT, CODE_TAKEN, ENDED, WRONG_DATES.
    """
    passwords = await wanted_passwords(door, administrator, reset=reset)

    async def work(session: Session) -> tuple[Document, Document]:
        await store.hold_tree(door.db, session)
        if await one(door.db, "units", code, session) is not None:
            raise Refused(CODE_TAKEN, code=code)
        unit = await one(door.db, "units", unit_code, session)
        before = await one(door.db, "schools", code, session)
        change = organisations.school_change(
            before,
            code=code,
            name=name,
            levels=levels,
            tax_code=tax_code,
            unit=unit,
            unit_code=unit_code,
            today=spans.today(),
            valid_from=valid_from,
        )
        await _save(door.db, session, "schools", change, "school set", actor=actor, request_id=request_id)
        known = await one(door.db, "people", administrator.code, session)
        person = people.as_administrator(
            known, code=administrator.code, name=administrator.name, personal_id=administrator.personal_id, school=code
        )
        await admit(door, session, known, person, passwords=passwords, act="administrator set", actor=actor, request_id=request_id)
        school = change.document if change else before
        assert school is not None
        return school, person

    school, person = await transaction(door.db, work)
    return school, issued_to(person, passwords)


async def put_facts(db: Database, code: str, *, levels: Sequence[str], tax_code: str, actor: str, request_id: str) -> bool:
    """Levels and tax code of a school; whether anything changes. Raises Refused: UNKNOWN_SCHOOL, ENDED."""

    async def work(session: Session) -> bool:
        before = await one(db, "schools", code, session)
        if before is None:
            raise Refused(UNKNOWN_SCHOOL, school=code)
        unit = await one(db, "units", before["unit"], session)
        change = organisations.school_change(
            before,
            code=code,
            name=before["name"],
            levels=levels,
            tax_code=tax_code,
            unit=unit,
            unit_code=before["unit"],
            today=spans.today(),
        )
        await _save(db, session, "schools", change, "school set", actor=actor, request_id=request_id)
        return change is not None

    return await transaction(db, work)


async def give_credentials(
    door: Door, school: str, wanted: Sequence[str] | None, *, actor: str, request_id: str
) -> tuple[list[Issued], list[Outcome]]:
    """One-time passwords: for those named, or for all staff who never signed in and hold no valid one. Refusals item by item."""
    staff = await store.people_of(door.db, school)
    outcomes = []
    if wanted is None:
        accounts = await accounts_store.accounts_of(door.db, staff)
        chosen = [code for code, person in sorted(staff.items()) if people.is_staff(person) and _never_in(accounts.get(code))]
    else:
        chosen = []
        for code in dict.fromkeys(wanted):
            if code == actor:
                outcomes.append(Outcome(code, Refused(OWN_PASSWORD)))
            elif code not in staff:
                outcomes.append(Outcome(code, Refused(UNKNOWN_PERSON, person=code)))
            elif people.has_left(staff[code]):
                outcomes.append(Outcome(code, Refused(ALREADY_LEFT, person=code)))
            else:
                chosen.append(code)
    issued = await issue_one_time(door, chosen)

    async def work(session: Session) -> None:
        await keep_one_time(door, session, issued)
        for code in issued:
            await audit.record(
                door.db, session, actor=actor, act="one-time password issued", subject=code, place=school, request_id=request_id
            )

    if issued:
        await transaction(door.db, work)
    return [issued_to(staff[code], issued) for code in chosen], outcomes


async def grant_issue(door: Door, school: str, wanted: Sequence[str], *, granted: bool, actor: str, request_id: str) -> list[Outcome]:
    """Give or take the right "Ký phát hành". Nobody gives it to themselves; what an import says of a person stays."""

    async def work(session: Session) -> list[Outcome]:
        school_document = await one(door.db, "schools", school, session)
        if school_document is None:
            raise Refused(UNKNOWN_SCHOOL, school=school)
        staff = await store.people_by_code(door.db, wanted, session)
        outcomes, changed, turned = [], [], []
        for code in dict.fromkeys(wanted):
            before = staff.get(code)
            if before is None or before["school"] != school or not people.is_staff(before):
                outcomes.append(Outcome(code, Refused(UNKNOWN_PERSON, person=code)))
                continue
            if code == actor:
                outcomes.append(Outcome(code, Refused(OWN_ACCOUNT)))
                continue
            outcomes.append(Outcome(code))
            after = people.with_roles({**before, "issuer_granted": granted})
            if after == before:
                continue
            changed.append(Change(after))
            details = {"before": before["issuer_granted"], "after": granted}
            await audit.record(
                door.db,
                session,
                actor=actor,
                act="issue right set",
                subject=code,
                place=school,
                request_id=request_id,
                details=details,
            )
            if people.may_issue(before) != people.may_issue(after):
                turned.append(after)
        await save(door.db, session, "people", changed, actor=actor, cause=request_id)
        await tell_issue_right(door.db, session, school_document, turned, actor=actor, cause=request_id)
        return outcomes

    return await transaction(door.db, work)


async def tell_issue_right(
    db: Database, session: Session, school: Document, turned: Sequence[Document], *, actor: str, cause: str | None
) -> None:
    """Approved signing accounts of those whose right to issue has changed are told again."""
    if not turned or school["year"] is None:
        return
    by_code = {person["_id"]: person for person in turned}
    standing = await certificates_store.open_registrations(db, session, school["_id"], school["year"], by_code)
    changes = [Change(r, certificates.approval(r, by_code[r["owner"]])) for r in standing if r["state"] == certificates.APPROVED]
    await save(db, session, "registrations", changes, actor=actor, cause=cause)


async def wanted_passwords(door: Door, named: Named | None, *, reset: bool) -> dict[str, tuple[str, str]]:
    """Made before the transaction, because hashing takes its time."""
    if named is None:
        return {}
    accounts = await accounts_store.accounts_of(door.db, [named.code])
    if named.code in accounts and accounts[named.code]["hash"] and not reset:
        return {}
    return await issue_one_time(door, [named.code])


async def admit(
    door: Door,
    session: Session,
    before: Document | None,
    after: Document,
    *,
    passwords: dict[str, tuple[str, str]],
    act: str,
    actor: str,
    request_id: str | None,
) -> None:
    if after != before:
        await _save(door.db, session, "people", Change(after), act, actor=actor, request_id=request_id)
    await accounts_store.open_account(door.db, session, after["_id"])
    if passwords:
        await keep_one_time(door, session, passwords)
        await audit.record(
            door.db,
            session,
            actor=actor,
            act="one-time password issued",
            subject=after["_id"],
            place=place_of(after),
            request_id=request_id,
        )


TOLD_OF = {
    "units": ("name", "path"),
    "schools": ("name", "levels", "tax_code", "unit"),
    "people": ("roles", "school", "unit"),
}
"""What the audit trail is told of a change; of people nothing that is personal."""


async def _save(
    db: Database, session: Session, collection: str, change: Change | None, act: str, *, actor: str, request_id: str | None
) -> None:
    if change is None:
        return
    document = change.document
    before = await one(db, collection, document["_id"], session)
    await save(db, session, collection, [change], actor=actor, cause=request_id)
    place = document["_id"] if collection in ("units", "schools") else document["school"] or document["unit"]
    fields = TOLD_OF[collection]
    details = {"before": {key: (before or {}).get(key) for key in fields}, "after": {key: document.get(key) for key in fields}}
    await audit.record(db, session, actor=actor, act=act, subject=document["_id"], place=place, request_id=request_id, details=details)


def _never_in(account: Document | None) -> bool:
    if account is None or account["hash"] is None:
        return True
    until = account["one_time_until"]
    return account["signed_in_at"] is None and until is not None and until <= clock.now()


def issued_to(person: Document, passwords: dict[str, tuple[str, str]]) -> Issued:
    password, _ = passwords.get(person["_id"], (None, ""))
    return Issued(person["_id"], person["name"], accounts_store.username_of(person["_id"]), password)
