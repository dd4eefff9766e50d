"""What is done with the final lock, each act with its audit entry in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.chassis.aggregates import Change
from services.chassis.mongo import Session, transaction
from services.records.corrections.states import UNLOCKED
from services.records.locks import rules
from services.records.locks.dates import today
from services.records.locks.store import lock_of, save_lock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.chassis.mongo import Database, Document
    from services.records.store import Store

PLAN = "lock planned"
APPOINT = "inspector appointed"
LOCK = "school year locked"
UNLOCK = "school year unlocked"


async def plan(store: Store, school: str, year: str, day: str, *, actor: str) -> None:
    """Raises Refused: WRONG_DATE, YEAR_LOCKED."""
    chosen = rules.day_in(day, today())

    async def decide(_: Session, lock: Document) -> Change:
        return Change(rules.planned(lock, chosen, by=actor, at=clock.now()))

    await _act(store.db, school, year, decide, act=PLAN, actor=actor)


async def appoint(store: Store, school: str, year: str, person: str, *, actor: str) -> None:
    """Raises Refused: WRONG_INSPECTOR, YEAR_LOCKED."""
    found = (await store.staff(school, year)).get(person)

    async def decide(_: Session, lock: Document) -> Change:
        return Change(rules.appointed(lock, found, by=actor, at=clock.now()))

    await _act(store.db, school, year, decide, act=APPOINT, actor=actor)


async def lock_year(store: Store, school: str, year: str, reason: str, *, actor: str) -> None:
    """Raises Refused: REASON_NEEDED, ALREADY_LOCKED, CORRECTIONS_OPEN."""
    said = rules.reason_in(reason)

    async def decide(session: Session, lock: Document) -> Change:
        unlocked = {"school": school, "year": year, "state": UNLOCKED}
        unfinished = await store.db["corrections"].count_documents(unlocked, session=session)
        return rules.locked(lock, said, unfinished=unfinished, by=actor, at=clock.now())

    await _act(store.db, school, year, decide, act=LOCK, actor=actor, reason=said)


async def unlock_year(store: Store, school: str, year: str, reason: str, *, actor: str) -> None:
    """Raises Refused: REASON_NEEDED, ALREADY_LOCKED."""
    said = rules.reason_in(reason)

    async def decide(_: Session, lock: Document) -> Change:
        return rules.unlocked(lock, said, by=actor, at=clock.now())

    await _act(store.db, school, year, decide, act=UNLOCK, actor=actor, reason=said)


async def _act(
    db: Database,
    school: str,
    year: str,
    decide: Callable[[Session, Document], Awaitable[Change]],
    *,
    act: str,
    actor: str,
    reason: str = "",
) -> None:
    async def work(session: Session) -> None:
        before = await lock_of(db, school, year, session)
        change = await decide(session, before)
        await save_lock(db, session, change, actor=actor)
        keys = ("locked", "planned_on", "inspector")
        details = {
            "year": year,
            "before": {k: before[k] for k in keys},
            "after": {k: change.document[k] for k in keys},
            **({"reason": reason} if reason else {}),
        }
        await audit.record(db, session, actor=actor, act=act, subject=before["_id"], place=school, details=details)

    await transaction(db, work)
