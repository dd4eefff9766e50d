"""Finalising classes and taking it back, each class in a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis import aggregates, audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import transaction
from services.records.corrections.desk import check_window
from services.records.finalisation.finalising import finalised, reopened
from services.records.locks.errors import BEING_CORRECTED, YEAR_LOCKED
from services.records.locks.locking import locks_of
from services.records.locks.store import lock_of
from services.records.store import key
from services.records.summaries.store import live_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document, Session

CLASSES = "classes"


async def finalise(db: Database, school: str, year: str, code: str, *, actor: str) -> None:
    """Raises Refused with what forbids it."""

    async def work(session: Session) -> None:
        before, pupils = await _class(db, session, school, year, code)
        if (await lock_of(db, school, year, session))["locked"]:
            raise Refused(YEAR_LOCKED)
        after = finalised(before, pupils, by=actor, at=clock.now())
        await aggregates.save(db, session, CLASSES, [Change(after)], actor=actor)
        details = {"class": code, "year": year, "pupils": len(pupils)}
        await audit.record(db, session, actor=actor, act="finalise class", subject=before["_id"], place=school, details=details)

    await transaction(db, work)


async def reopen(db: Database, school: str, year: str, code: str, *, reason: str, actor: str) -> None:
    """Open the data lock of a class again. `reason`: as `reason_in` has read it.

    Raises Refused with what forbids it: the final lock, a live transcript or class summary, an approved correction, or that it is less
    than a week until the final lock.
    """

    async def work(session: Session) -> None:
        before, pupils = await _class(db, session, school, year, code)
        locks = await locks_of(db, school, year, pupils=[p["code"] for p in pupils], session=session)
        if locks.final:
            raise Refused(YEAR_LOCKED)
        live = await db["transcripts"].count_documents({"school": school, "year": year, "class_code": code, "live": True}, session=session)
        stands = await live_summary(db, school, year, code, session) is not None
        after = reopened(before, reason, by=actor, at=clock.now(), live_transcripts=live, summary_stands=stands)
        if locks.corrections:
            raise Refused(BEING_CORRECTED)
        check_window(await lock_of(db, school, year, session))
        await aggregates.save(db, session, CLASSES, [Change(after)], actor=actor)
        details = {"class": code, "year": year, "before": before["finalised_by"], "reason": reason}
        await audit.record(db, session, actor=actor, act="undo finalise class", subject=before["_id"], place=school, details=details)

    await transaction(db, work)


async def _class(db: Database, session: Session, school: str, year: str, code: str) -> tuple[Document, Sequence[dict[str, Any]]]:
    found = await db[CLASSES].find_one({"_id": key(school, year, code)}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    pupils = await db["pupils"].find({"school": school, "year": year, "class_code": code}, session=session).to_list(None)
    return found, pupils
