"""Asking for a correction and each step of it: what is checked, and everything that is written in one transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from contracts.access import Action, Principal, allowed
from contracts.events.records import CorrectionDecidedV1
from services.chassis import audit, clock
from services.chassis.access import require, require_fresh
from services.chassis.errors import CONFLICT, FORBIDDEN, NOT_FOUND, Refused
from services.chassis.mongo import DuplicateKeyError, Session, transaction
from services.chassis.web.look import vn_date
from services.records.corrections import states, store
from services.records.corrections.errors import (
    ALREADY_ASKED,
    CHANGED_MEANWHILE,
    CHANGED_WHILE_OPEN,
    NO_INSPECTOR,
    NOT_AS_APPROVED,
    NOT_LOCKED,
    TOO_LATE,
    TRANSCRIPT_FIRST,
    UNKNOWN_FIELD,
)
from services.records.corrections.evidence import taken
from services.records.corrections.fields import asker_fields, corrected, differences, fields_of, result_from, value_of
from services.records.corrections.minutes import minutes_pdf
from services.records.corrections.minutes_words import words_of
from services.records.locks.dates import dates_of, today
from services.records.locks.errors import YEAR_LOCKED
from services.records.locks.locking import class_finalised, locks_of
from services.records.locks.rules import reason_in
from services.records.locks.store import hold, lock_of
from services.records.store import Store, document_ref, key
from services.records.summaries.errors import SUMMARY_STANDS
from services.records.summaries.store import live_summary
from services.records.transcripts.assigned import in_year

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.documents import DocumentRef
    from services.chassis.mongo import Database, Document
    from services.chassis.process import Parts
    from services.records.corrections.fields import Effect, Field
    from services.records.schoolyear import Result
    from services.records.transcripts.reading import Reading

ASKED = "correction asked"
RECORDED = {
    states.FORWARD: "correction forwarded",
    states.TURN_DOWN: "correction turned down",
    states.APPROVE: "correction approved",
    states.REFUSE: "correction refused",
    states.WITNESS: "unlock witnessed",
    states.WITHDRAW: "correction withdrawn",
    states.RELOCK: "result locked again",
}
CORRECTED = "result corrected"
OUTCOMES: dict[str, Literal["forwarded", "approved", "refused"]] = {
    states.FORWARD: "forwarded",
    states.APPROVE: "approved",
    states.TURN_DOWN: "refused",
    states.REFUSE: "refused",
}
LONGEST_TOLD = 40
"""Characters of a value in the audit trail: marks, levels and ratings, but no comment on a pupil."""


@dataclass(frozen=True)
class Order:
    """What a teacher asks for."""

    class_code: str
    pupil: str
    field: str
    value: str
    reason: str


@dataclass(frozen=True)
class Asked:
    """A locked result of a class that is the asker's, with the fields that the asker may have corrected."""

    pupil: Document
    school_class: Document
    result: Result
    fields: Mapping[str, Field]


def person_of(who: Principal, lock: Mapping[str, Any]) -> states.Person:
    return states.Person(
        who.person,
        who.name,
        board=allowed(who, Action.GATHER_CORRECTION, school=who.school),
        manager=allowed(who, Action.DECIDE_CORRECTION, school=who.school),
        inspector=lock["inspector"] == who.person,
    )


def may_see(who: Principal, request: Mapping[str, Any], lock: Mapping[str, Any]) -> bool:
    """Board and management; of others the asker, the class's homeroom teacher and who witnesses for the inspection board.

    `who` as of the year of the request.
    """
    own = who.person in {request["asked_by"], lock["inspector"]} or request["class_code"] in who.homeroom_of
    return allowed(who, Action.VIEW_CORRECTION, school=request["school"], own=own)


async def seen(db: Database, who: Principal, school: str, request_id: str) -> tuple[Document, Document]:
    """A request and its year's lock. Raises Refused: NOT_FOUND, FORBIDDEN."""
    request = await store.request_of(db, school, request_id)
    lock = await lock_of(db, school, request["year"])
    if not may_see(await in_year(Store(db), who, school, request["year"]), request, lock):
        raise Refused(FORBIDDEN, action=Action.VIEW_CORRECTION.value)
    return request, lock


async def classes_to_ask_for(looked_at: Reading) -> list[Document]:
    """The classes that the person is homeroom teacher or subject teacher of."""
    who = looked_at.who
    if not allowed(who, Action.ASK_CORRECTION, school=looked_at.school, own=True):
        return []
    taught = {a.class_code for a in await looked_at.store.assignments(looked_at.school, looked_at.year) if a.staff == who.person}
    own = taught | set(who.homeroom_of)
    return [c for c in await looked_at.store.classes(looked_at.school, looked_at.year) if c["code"] in own]


async def asked_about(looked_at: Reading, class_code: str, pupil_code: str) -> Asked:
    """Raises Refused: FORBIDDEN for another's class, NOT_FOUND, YEAR_LOCKED, NOT_LOCKED, ALREADY_ASKED, TOO_LATE."""
    records, who, school, year = looked_at.store, looked_at.who, looked_at.school, looked_at.year
    assignments = await records.assignments(school, year)
    homeroom = class_code in who.homeroom_of
    own = homeroom or any(a.class_code == class_code and a.staff == who.person for a in assignments)
    require(who, Action.ASK_CORRECTION, school=school, own=own)
    school_class = await records.school_class(school, year, class_code)
    pupils = [p for p in await records.pupils(school, year, codes=[pupil_code]) if p["class_code"] == class_code]
    if not pupils:
        raise Refused(NOT_FOUND)
    pupil = pupils[0]
    locks = await locks_of(records.db, school, year, pupils=[pupil_code])
    if locks.final:
        raise Refused(YEAR_LOCKED)
    if not class_finalised(school_class) or pupil["result"] is None or pupil_code in locks.incomplete:
        raise Refused(NOT_LOCKED)
    check_window(await lock_of(records.db, school, year))
    if await store.open_of(records.db, school, year, pupil_code) is not None:
        raise Refused(ALREADY_ASKED)
    result = result_from(pupil["result"])
    grade = school_class["data"]["grade"]
    fields = asker_fields(result, grade, year, class_code=class_code, person=who.person, homeroom=homeroom, assignments=assignments)
    return Asked(pupil, school_class, result, fields)


def check_window(lock: Mapping[str, Any]) -> None:
    """Raises Refused: YEAR_LOCKED, TOO_LATE."""
    if lock["locked"]:
        raise Refused(YEAR_LOCKED)
    dates = dates_of(lock)
    if today() > dates.last_correction:
        raise Refused(TOO_LATE, last=vn_date(dates.last_correction), day=vn_date(dates.lock))


async def ask(parts: Parts, looked_at: Reading, order: Order, files: list[tuple[str, bytes]]) -> str:
    """Write a request down, with its evidence in the object store; its id.

    Raises Refused: those of `asked_about`, UNKNOWN_FIELD, WRONG_VALUE, INCONSISTENT, REASON_NEEDED, EVIDENCE_NEEDED, WRONG_EVIDENCE.
    """
    about = await asked_about(looked_at, order.class_code, order.pupil)
    field = about.fields.get(order.field)
    if field is None:
        raise Refused(UNKNOWN_FIELD, field=order.field[:100])
    grade = about.school_class["data"]["grade"]
    after, effects = corrected(about.result, field.name, order.value, grade, looked_at.year)
    reason = reason_in(order.reason)
    evidence = taken(files)
    request_id = str(uuid4())
    kept = [
        {
            "name": each.name,
            "media_type": each.media_type,
            "document": document_ref(await parts.objects.put(f"corrections/{request_id}", each.suffix, each.content, each.media_type)),
        }
        for each in evidence
    ]
    db, who, moment = looked_at.store.db, looked_at.who, clock.now()
    document: Document = {
        "_id": request_id,
        "school": looked_at.school,
        "year": looked_at.year,
        "class_code": order.class_code,
        "class_name": about.school_class["data"]["name"],
        "grade": grade,
        "pupil_code": order.pupil,
        "pupil_name": about.pupil["name"],
        "field": field.name,
        "subject": field.subject,
        "before": value_of(about.result, field),
        "after": value_of(after, fields_of(after)[field.name]),
        "effects": [asdict(e) for e in effects],
        "reason": reason,
        "evidence": kept,
        "asked_by": who.person,
        "asked_by_name": who.name,
        "asked_at": moment,
        "changed_at": moment,
        "state": states.SUBMITTED,
        "open": True,
        "witnesses": {},
        "result_at_unlock": None,
        "changes": [],
        "minutes": None,
        "history": [{"at": moment, "by": who.person, "name": who.name, "act": "ask", "reason": reason, "party": ""}],
    }

    async def work(session: Session) -> None:
        lock = await hold(db, session, looked_at.school, looked_at.year, numbers=1)
        check_window(lock)
        await db[store.CORRECTIONS].insert_one({**document, "number": lock["requests"], "sequence": 1}, session=session)
        details = {"year": looked_at.year, "class": order.class_code, "pupil": order.pupil, "field": field.name, "files": len(kept)}
        await audit.record(db, session, actor=who.person, act=ASKED, subject=request_id, place=looked_at.school, details=details)

    try:
        await transaction(db, work)
    except DuplicateKeyError as problem:
        raise Refused(ALREADY_ASKED) from problem
    return request_id


def require_for(who: Principal, request: Mapping[str, Any], lock: Mapping[str, Any], step: str) -> None:
    """The right that a step needs, confirmed anew where it is grave. Raises Refused(FORBIDDEN), ConfirmationNeeded."""
    school = request["school"]
    if step in {states.FORWARD, states.TURN_DOWN}:
        require(who, Action.GATHER_CORRECTION, school=school)
    elif step in {states.APPROVE, states.REFUSE, states.RELOCK}:
        require_fresh(who, Action.DECIDE_CORRECTION, school=school)
    elif step == states.WITNESS:
        require_fresh(who, Action.WITNESS_CORRECTION, school=school, own=who.person in {request["asked_by"], lock["inspector"]})
    else:
        require(who, Action.ASK_CORRECTION, school=school, own=who.person == request["asked_by"])


async def step(db: Database, who: Principal, school: str, request_id: str, name: str, *, reason: str = "", party: str = "") -> Document:
    """Everything but the correction itself; the request after it.

    Raises Refused: NOT_FOUND, FORBIDDEN, what `states.moved` says, REASON_NEEDED, YEAR_LOCKED, TOO_LATE, NO_INSPECTOR, TRANSCRIPT_FIRST,
    CHANGED_MEANWHILE, CHANGED_WHILE_OPEN.
    """
    first, lock_before = await seen(db, who, school, request_id)
    require_for(who, first, lock_before, name)
    said = reason_in(reason) if name in states.REASON_NEEDED else ""
    moment = clock.now()

    async def work(session: Session) -> Document:
        lock = await hold(db, session, school, first["year"])
        request = await store.request_of(db, school, request_id, session)
        after = states.moved(request, name, person_of(who, lock), at=moment, reason=said, party=party)
        if name in states.WITHIN_WINDOW:
            check_window(lock)
        if name == states.APPROVE and lock["inspector"] in {None, request["asked_by"]}:
            raise Refused(NO_INSPECTOR)
        if name in {states.WITNESS, states.RELOCK}:
            pupil = await _pupil(db, request, session)
            if name == states.WITNESS:
                await _ready_to_unlock(db, request, pupil, session)
            elif request["result_at_unlock"] is not None and request["result_at_unlock"] != pupil["result"]:
                raise Refused(CHANGED_WHILE_OPEN)
            if after["state"] == states.UNLOCKED:
                after = {**after, "result_at_unlock": pupil["result"]}
        await store.save(db, session, after, actor=who.person, fact=_decided(after, name, said))
        details = {"year": request["year"], "before": request["state"], "after": after["state"], "party": party, "reason": said}
        await audit.record(db, session, actor=who.person, act=RECORDED[name], subject=request_id, place=school, details=details)
        return after

    return await transaction(db, work)


def _decided(request: Mapping[str, Any], step: str, reason: str) -> CorrectionDecidedV1 | None:
    """What the principal or the asker has to hear of; nothing of the other steps."""
    outcome = OUTCOMES.get(step)
    if outcome is None:
        return None
    named = {name: request[name] for name in ("school", "year", "number", "class_name")}
    return CorrectionDecidedV1(**named, asker=request["asked_by"], outcome=outcome, reason=reason)


async def correct(parts: Parts, looked_at: Reading, request_id: str, value: str) -> Document:
    """Enter the approved value, write the minutes, lock the result again; the request after it.

    Raises Refused: NOT_FOUND, FORBIDDEN, what `states.moved` says, YEAR_LOCKED, TOO_LATE, TRANSCRIPT_FIRST, CHANGED_MEANWHILE,
    NOT_AS_APPROVED, INCONSISTENT, CONFLICT.
    """
    db, who, school = looked_at.store.db, looked_at.who, looked_at.school
    request, lock = await seen(db, who, school, request_id)
    require_for(who, request, lock, states.CORRECT)
    moment = clock.now()
    after = states.moved(request, states.CORRECT, person_of(who, lock), at=moment)
    check_window(lock)
    pupil = await _pupil(db, request, None)
    await _no_transcript(db, request, None)
    result, changes = _entered(request, pupil, value)
    after = {**after, "changes": [asdict(c) for c in changes]}
    minutes = await _minutes(parts, looked_at, after, request_id)
    after["minutes"] = document_ref(minutes)

    async def work(session: Session) -> None:
        check_window(await hold(db, session, school, request["year"]))
        await _no_transcript(db, request, session)
        if (await _pupil(db, request, session))["result"] != pupil["result"]:
            raise Refused(CONFLICT)
        await db["pupils"].update_one({"_id": pupil["_id"]}, {"$set": {"result": result.model_dump(mode="json")}}, session=session)
        await store.save(db, session, after, actor=who.person)
        details = {
            "year": request["year"],
            "pupil": request["pupil_code"],
            "before": {c.field: _told(c.before) for c in changes},
            "after": {c.field: _told(c.after) for c in changes},
            "sha256": minutes.sha256,
        }
        await audit.record(db, session, actor=who.person, act=CORRECTED, subject=request_id, place=school, details=details)

    await transaction(db, work)
    return after


def _entered(request: Mapping[str, Any], pupil: Mapping[str, Any], value: str) -> tuple[Result, Sequence[Effect]]:
    """The result after the correction and all that changed since the unlock: an import may have brought the approved value already."""
    unlocked, present = result_from(request["result_at_unlock"]), result_from(pupil["result"])
    name, grade, year = request["field"], request["grade"], request["year"]
    approved, _ = corrected(unlocked, name, request["after"], grade, year)
    typed, _ = corrected(unlocked, name, value, grade, year)
    field = fields_of(approved)[name]
    if value_of(typed, field) != value_of(approved, field):
        raise Refused(NOT_AS_APPROVED)
    there = fields_of(present).get(name)
    if there is not None and value_of(present, there) == request["after"]:
        return present, differences(unlocked, present)
    if there is None or value_of(present, there) != request["before"]:
        raise Refused(CHANGED_MEANWHILE)
    after, _ = corrected(present, name, request["after"], grade, year)
    return after, differences(unlocked, after)


async def _ready_to_unlock(db: Database, request: Mapping[str, Any], pupil: Document, session: Session) -> None:
    await _no_transcript(db, request, session)
    result = result_from(pupil["result"])
    field = fields_of(result).get(request["field"])
    if field is None or value_of(result, field) != request["before"]:
        raise Refused(CHANGED_MEANWHILE)


async def _no_transcript(db: Database, request: Mapping[str, Any], session: Session | None) -> None:
    wanted = {"school": request["school"], "year": request["year"], "pupil_code": request["pupil_code"], "live": True}
    if await db["transcripts"].find_one(wanted, projection={"_id": 1}, session=session) is not None:
        raise Refused(TRANSCRIPT_FIRST)
    if await live_summary(db, request["school"], request["year"], request["class_code"], session) is not None:
        raise Refused(SUMMARY_STANDS, name=request["class_code"])


async def _pupil(db: Database, request: Mapping[str, Any], session: Session | None) -> Document:
    pupil_id = key(request["school"], request["year"], request["pupil_code"])
    found: Document | None = await db["pupils"].find_one({"_id": pupil_id}, session=session)
    if found is None or found["result"] is None:
        raise Refused(CHANGED_MEANWHILE)
    return found


async def _minutes(parts: Parts, looked_at: Reading, request: Document, request_id: str) -> DocumentRef:
    school = await looked_at.store.school(looked_at.school, request["year"])
    staff = await looked_at.store.staff(looked_at.school, request["year"])
    content = await parts.pool.run(minutes_pdf, words_of(request, school, staff))
    return await parts.objects.put(f"corrections/{request_id}", ".pdf", content, "application/pdf")


def _told(value: str) -> str:
    return value if len(value) <= LONGEST_TOLD else "…"
