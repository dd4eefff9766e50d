"""Setting lock dates (menu 6.2), and looking first whom that affects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.deadlines import national_deadline
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import Session, transaction
from services.district.errors import LOCK_DATE_TOO_FAR, NO_LOCK_DATE, NO_SCHOOL_CHOSEN, SCHOOL_NOT_IN_BRANCH
from services.district.lock_dates import rules
from services.district.lock_dates import store as lock_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from contracts.lock_dates import Matter
    from services.chassis.mongo import Document
    from services.district.store import Store

CHUNK = 50
"""Schools in one transaction."""
YEARS_AHEAD = 10
"""After the school year's first: a later day is a slip of the pen."""


@dataclass(frozen=True)
class Preview:
    """`untouched`: schools of the order for which another day stays in force, of their own or of a unit above."""

    effects: list[rules.Effect]
    untouched: int
    closes_now: bool
    after_national: bool


async def chosen_schools(store: Store, unit: str, order: rules.Order) -> list[Document]:
    """Those that the order is about. Raises Refused: nothing chosen, no date, a school outside the branch, a day of another year."""
    if not order.wishes:
        raise Refused(NO_LOCK_DATE)
    first, last = int(order.year[:4]), int(order.year[:4]) + YEARS_AHEAD
    for wish in order.wishes:
        if wish.on is not None and not first <= wish.on.year <= last:
            raise Refused(LOCK_DATE_TOO_FAR, first=first, last=last)
    branch = await store.own_schools(unit)
    if order.schools is None:
        return branch
    if not order.schools:
        raise Refused(NO_SCHOOL_CHOSEN)
    known = {s["_id"]: s for s in branch}
    if not known.keys() >= set(order.schools):
        raise Refused(SCHOOL_NOT_IN_BRANCH)
    return [known[code] for code in order.schools]


async def preview(store: Store, unit: str, order: rules.Order) -> Preview:
    schools = await chosen_schools(store, unit, order)
    documents = await lock_store.dates(store.db, order.year, {code for s in schools for code in s["path"]} | {unit})
    matters: Sequence[Matter] = tuple(dict.fromkeys(w.matter for w in order.wishes))
    numbers = await lock_store.concerned(store.db, [s["_id"] for s in schools], order.year)
    found = rules.effects(
        schools,
        rules.dates_in(documents),
        rules.dates_in(rules.after_order(documents, order, unit)),
        year=order.year,
        matters=matters,
        concerned=numbers,
    )
    today = clock.in_vietnam(clock.now()).date()
    return Preview(
        effects=found,
        untouched=len(schools) - len({e.school for e in found}),
        closes_now=any(e.after is not None and e.after < today for e in found),
        after_national=any(w.on is not None and w.matter == "intake" and w.on > national_deadline(order.year) for w in order.wishes),
    )


async def set_dates(store: Store, who: Principal, unit: str, order: rules.Order, *, request_id: str) -> int:
    """How many scopes (the common one, or schools) have other dates now. All of a chunk of schools, or none of it."""
    await chosen_schools(store, unit, order)
    scopes, total = order.scopes, 0
    for start in range(0, len(scopes), CHUNK):
        chunk = scopes[start : start + CHUNK]

        async def work(session: Session, chunk: Sequence[str | None] = chunk) -> int:
            at = clock.now()
            known = await lock_store.load(store.db, session, [rules.key_of(unit, order.year, s) for s in chunk])
            outcomes = [
                outcome
                for school in chunk
                if (
                    outcome := rules.changed(
                        known.get(rules.key_of(unit, order.year, school)), order, unit=unit, school=school, actor=who.person, at=at
                    )
                )
            ]
            if not outcomes:
                return 0
            changes, entries = [c for c, _ in outcomes], [e for _, some in outcomes for e in some]
            await lock_store.save(store.db, session, changes, entries, who=who, unit=unit, year=order.year, at=at)
            for change, some in outcomes:
                await _record(store, session, who, unit, document=change.document, entries=some, request_id=request_id)
            return len(outcomes)

        total += await transaction(store.db, work)
    return total


async def _record(
    store: Store, session: Session, who: Principal, unit: str, *, document: Document, entries: Sequence[rules.Entry], request_id: str
) -> None:
    for matter in dict.fromkeys(e.matter for e in entries):
        of_it = [(rules.grades_in_words([e.grade]), e) for e in entries if e.matter == matter]
        details = {
            "kind": matter,
            "year": document["year"],
            "before": {words: e.before.isoformat() if e.before else "" for words, e in of_it},
            "after": {words: e.after.isoformat() if e.after else "" for words, e in of_it},
        }
        await audit.record(
            store.db,
            session,
            actor=who.person,
            act="lock dates set",
            subject=document["_id"],
            place=document["school"] or unit,
            request_id=request_id,
            details=details,
        )
