"""Reporting a problem and answering it; who may see which."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from contracts.access import Action, Principal, allowed
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.aggregates import Change, save
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.identity.errors import TOO_MANY_PROBLEMS, UNKNOWN_PROBLEM
from services.identity.organisations import store as organisations
from services.identity.problems import reports, store
from services.identity.store import one

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session

DAY = dt.timedelta(days=1)


async def report(db: Database, who: Principal, what: str, *, page: str, request_id: str) -> str:
    """The id of the report. Raises Refused(TOO_MANY_PROBLEMS)."""
    at = clock.now()
    if await store.told_since(db, who.person, at - DAY) >= reports.MOST_A_DAY:
        raise Refused(TOO_MANY_PROBLEMS, most=reports.MOST_A_DAY)
    document = reports.reported(who, what, page=page, request_id=request_id, at=at)

    async def work(session: Session) -> None:
        await save(db, session, "problems", [Change(document)], actor=who.person)
        details = {"page": document["page"], "request": document["request_id"]}
        await audit.record(db, session, actor=who.person, act="problem reported", subject=document["_id"], place=who.place, details=details)

    await transaction(db, work)
    return str(document["_id"])


async def answer(db: Database, who: Principal, problem: str, *, state: str, text: str) -> None:
    """Raises Refused: UNKNOWN_PROBLEM, FORBIDDEN, ANSWER_NEEDED."""

    async def work(session: Session) -> None:
        before = await one(db, "problems", problem, session)
        if before is None or not await in_reach(db, who, before):
            raise Refused(UNKNOWN_PROBLEM)
        await require_answering(db, who, before)
        after = reports.answered(before, state=state, answer=text, by=who.person, at=clock.now())
        await save(db, session, "problems", [Change(after)], actor=who.person)
        details = {"before": before["state"], "after": after["state"]}
        await audit.record(db, session, actor=who.person, act="problem answered", subject=problem, place=before["place"], details=details)

    await transaction(db, work)


async def look(db: Database, who: Principal, problem: str) -> Document:
    """The reporter has then read the answer. Raises Refused(UNKNOWN_PROBLEM), for those out of reach as well."""
    found = await one(db, "problems", problem)
    if found is None or not await in_reach(db, who, found):
        raise Refused(UNKNOWN_PROBLEM)
    if found["by"] == who.person and not found["read"]:
        await store.mark_read(db, problem)
    return found


async def in_reach(db: Database, who: Principal, problem: Document) -> bool:
    return problem["by"] == who.person or await may_answer(db, who, problem)


async def may_answer(db: Database, who: Principal, problem: Document) -> bool:
    unit = await one(db, "units", problem["place"] or "")
    return allowed(who, Action.ANSWER_PROBLEMS, school=problem["place"], path=tuple(unit["path"]) if unit else ())


async def require_answering(db: Database, who: Principal, problem: Document) -> None:
    """Raises Refused(FORBIDDEN)."""
    unit = await one(db, "units", problem["place"] or "")
    require(who, Action.ANSWER_PROBLEMS, school=problem["place"], path=tuple(unit["path"]) if unit else ())


async def to_answer(db: Database, who: Principal) -> list[str]:
    """The places whose reports the person answers: the own school, or for an officer the own unit and those below it."""
    if who.school and allowed(who, Action.ANSWER_PROBLEMS, school=who.school):
        return [who.school]
    unit = await one(db, "units", who.unit) if who.unit else None
    if unit is None or not allowed(who, Action.ANSWER_PROBLEMS, path=tuple(unit["path"])):
        return []
    return [u["_id"] for u in await db["units"].find({"path": unit["_id"]}, projection={"_id": 1}).to_list(None)]


async def by_school(db: Database, who: Principal) -> list[tuple[str, dict[str, int]]]:
    """For an officer, the schools of the branch with reports: (name, how many in each state)."""
    if who.unit is None:
        return []
    schools = {s["_id"]: s["name"] for s in await organisations.schools_below(db, who.unit)}
    counted = await store.counts(db, list(schools))
    return [(schools[code], counted[code]) for code in schools if code in counted]
