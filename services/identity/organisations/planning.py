"""Ordering a change of the tree, looking at what it would do, taking it back, and doing it when its day has come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.access import Action
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.aggregates import Change, save
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import transaction
from services.identity.accounts import store as accounts_store
from services.identity.errors import UNKNOWN_PERSON
from services.identity.organisations import changes, people, spans, store
from services.identity.organisations.changes import Kind, Order, Tree, order_of
from services.identity.organisations.errors import NOT_PLANNED
from services.identity.organisations.units_and_schools import school_fact, unit_fact
from services.identity.store import one

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session

SYSTEM = "identity"


@dataclass(frozen=True)
class Preview:
    """What an order would do: the codes of the units and schools that pass to another place, and what becomes of officers."""

    subject: Document
    units: list[str]
    schools: list[str]
    moved: list[Document]
    released: list[Document]
    at_once: bool


async def preview(db: Database, who: Principal, order: Order) -> Preview:
    """Raises Refused as `order_change`, and changes nothing."""
    tree, plan = await store.read_tree(db), [order_of(d) for d in await store.planned(db)]
    check_right(who, tree, order)
    found = _judged(tree, plan, order, spans.today())
    moved, released = _officers(order, await store.officers_of(db, order.code))
    return Preview(
        subject=tree.subject(order),
        units=[u["_id"] for u in found.units if u["_id"] != order.code],
        schools=[s["_id"] for s in found.schools if s["_id"] != order.code],
        moved=moved,
        released=released,
        at_once=order.day <= spans.today(),
    )


async def order_change(db: Database, who: Principal, order: Order, *, request_id: str) -> Document:
    """The change, done when its day has come already, planned otherwise.

    Raises Refused: FORBIDDEN for what is not in the branch of `who`, UNKNOWN_PERSON for an officer who is not of the unit, and
    whatever `changes.effects` and `changes.check_planned` do.
    """
    today = spans.today()

    async def work(session: Session) -> Document:
        await store.hold_tree(db, session)
        tree, plan = await store.read_tree(db, session), [order_of(d) for d in await store.planned(db, session)]
        check_right(who, tree, order)
        _judged(tree, plan, order, today)
        _officers(order, await store.officers_of(db, order.code, session))
        at_once = order.day <= today
        document = {
            "_id": str(uuid4()),
            **order.document,
            "state": store.DONE if at_once else store.PLANNED,
            "ordered_by": who.person,
            "ordered_at": clock.now(),
            "applied_at": clock.now() if at_once else None,
            "undone_by": None,
            "undone_at": None,
            "refused": None,
        }
        await save(db, session, "changes", [Change(document)], actor=who.person, cause=request_id)
        if at_once:
            await _carry_out(db, session, tree, order, actor=who.person, cause=request_id)
        else:
            await _note(db, session, order, "change planned", actor=who.person, cause=request_id)
        return {**document, "sequence": 1}

    return await transaction(db, work)


async def undo(db: Database, who: Principal, change: str, *, request_id: str) -> Document:
    """A planned change is taken back before its day, or one that failed is put away.

    Raises Refused: NOT_PLANNED, FORBIDDEN, AGAINST_PLAN for a later one that needs it.
    """

    async def work(session: Session) -> Document:
        await store.hold_tree(db, session)
        document = await one(db, "changes", change, session)
        if document is None:
            raise Refused(NOT_PLANNED)
        tree, order = await store.read_tree(db, session), order_of(document)
        check_right(who, tree, order, target=False)
        if document["state"] == store.PLANNED and order.day > spans.today():
            _check_without(tree, await store.planned(db, session), change)
        elif document["state"] != store.FAILED:
            raise Refused(NOT_PLANNED)
        after = {**document, "state": store.UNDONE, "undone_by": who.person, "undone_at": clock.now()}
        await save(db, session, "changes", [Change(after)], actor=who.person, cause=request_id)
        await _note(db, session, order, "change undone", actor=who.person, cause=request_id)
        return after

    return await transaction(db, work)


def _check_without(tree: Tree, documents: list[Document], change: str) -> None:
    """Raises Refused(AGAINST_PLAN) when a later planned change cannot be done without this one."""
    position = next(n for n, d in enumerate(documents) if d["_id"] == change)
    plan = [order_of(d) for d in documents]
    before, others = changes.outcomes(tree, plan), [*plan[:position], *plan[position + 1 :]]
    changes.check_against_plan([*before[:position], *before[position + 1 :]], changes.outcomes(tree, others), others)


async def apply_due(db: Database) -> int:
    """Do the oldest change whose day has come; how many there were, at most one. May be run by several workers at once and again.

    One that is no longer possible is kept as failed with its reason, for the officers to see.
    """
    due = await store.next_due(db, spans.today().isoformat())
    if due is None:
        return 0
    order = order_of(due)

    async def carry_out(session: Session) -> None:
        await store.hold_tree(db, session)
        document = await one(db, "changes", due["_id"], session)
        if document is None or document["state"] != store.PLANNED:
            return
        after = {**document, "state": store.DONE, "applied_at": clock.now()}
        await save(db, session, "changes", [Change(after)], actor=SYSTEM, cause=due["_id"])
        await _carry_out(db, session, await store.read_tree(db, session), order, actor=due["ordered_by"], cause=due["_id"])

    try:
        await transaction(db, carry_out)
    except Refused as refused:
        if refused.refusal is not CONFLICT:
            await _give_up(db, due["_id"], refused)
    return 1


async def _give_up(db: Database, change: str, refused: Refused) -> None:
    reason = {"code": refused.code, "cause": refused.cause}

    async def work(session: Session) -> None:
        document = await one(db, "changes", change, session)
        if document is None or document["state"] != store.PLANNED:
            return
        after = {**document, "state": store.FAILED, "refused": reason}
        await save(db, session, "changes", [Change(after)], actor=SYSTEM, cause=change)
        await _note(db, session, order_of(document), "change failed", actor=SYSTEM, cause=change, code=refused.code)

    await transaction(db, work)


def check_right(who: Principal, tree: Tree, order: Order, *, target: bool = True) -> None:
    """A unit is changed by those above it, a school by those it stands below, and the other place must be of the branch as well.

    Raises Refused: FORBIDDEN, UNKNOWN_UNIT, UNKNOWN_SCHOOL.
    """
    check_subject(who, tree.subject(order))
    if not target or not order.target:
        return
    other = tree.school(order.target) if order.kind is Kind.CLOSE_SCHOOL else tree.unit(order.target)
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple(other["path"]))


def check_subject(who: Principal, document: Document) -> None:
    """Raises Refused(FORBIDDEN). The root is changed by its own officers: nobody stands above it."""
    path = document["path"] if "unit" in document else document["path"][:-1] or document["path"]
    require(who, Action.MANAGE_ORGANISATIONS, path=tuple(path))


def _judged(tree: Tree, plan: list[Order], order: Order, today: dt.date) -> changes.Effects:
    """Raises Refused when the order cannot be done on its day, or stands against what is planned."""
    if order.day > today:
        changes.check_planned(tree, plan, order)
        return changes.effects(changes.foreseen(tree, plan, order.day), order)
    found = changes.effects(tree, order)
    changes.check_against_plan(changes.outcomes(tree, plan), changes.outcomes(tree.after(found), plan), plan)
    return found


def _officers(order: Order, officers: list[Document]) -> tuple[list[Document], list[Document]]:
    """Those of the unit who go over to the successor, and those who lose the branch. Raises Refused(UNKNOWN_PERSON)."""
    if order.kind not in (Kind.ABOLISH_UNIT, Kind.MERGE_UNIT):
        return [], []
    codes = {p["_id"] for p in officers}
    for code in order.officers:
        if code not in codes or order.kind is Kind.ABOLISH_UNIT:
            raise Refused(UNKNOWN_PERSON, person=code)
    return [p for p in officers if p["_id"] in order.officers], [p for p in officers if p["_id"] not in order.officers]


async def _carry_out(db: Database, session: Session, tree: Tree, order: Order, *, actor: str, cause: str) -> None:
    found = changes.effects(tree, order)
    await save(db, session, "units", [Change(u, unit_fact(u)) for u in found.units], actor=actor, cause=cause)
    await save(db, session, "schools", [Change(s, school_fact(s)) for s in found.schools], actor=actor, cause=cause)
    passed = [d["_id"] for d in (*found.units, *found.schools) if d["_id"] != order.code]
    before, after = tree.subject(order), (found.schools if order.kind.of_school else found.units)[0]
    moved = {"before": spans.above(before), "after": spans.above(after)}
    await _note(db, session, order, "change done", actor=actor, cause=cause, passed=passed, **moved)
    if order.kind in (Kind.ABOLISH_UNIT, Kind.MERGE_UNIT):
        await _change_officers(db, session, order, actor=actor, cause=cause)


async def _change_officers(db: Database, session: Session, order: Order, *, actor: str, cause: str) -> None:
    """Whoever was named at the time and is still there goes over; all others of the unit lose the branch and are signed out."""
    for person in await store.officers_of(db, order.code, session):
        goes_over = person["_id"] in order.officers
        unit = order.target if goes_over else None
        await save(db, session, "people", [Change(people.with_roles({**person, "unit": unit}))], actor=actor, cause=cause)
        if not goes_over:
            await accounts_store.end_sessions(db, session, [person["_id"]])
        await audit.record(
            db,
            session,
            actor=actor,
            act="officer moved" if goes_over else "officer released",
            subject=person["_id"],
            place=order.code,
            request_id=cause,
            details={"before": order.code, "after": unit},
        )


async def _note(db: Database, session: Session, order: Order, act: str, *, actor: str, cause: str, **more: object) -> None:
    details = {"kind": order.kind.value, "day": order.day.isoformat(), "target": order.target, "officers": list(order.officers), **more}
    await audit.record(db, session, actor=actor, act=act, subject=order.code, place=order.code, request_id=cause, details=details)
