"""Asking for transcripts to be sent to the admissions portal, each with its own answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.lock_dates import FINAL_GRADES
from services.chassis import audit, clock
from services.chassis.errors import Refused
from services.chassis.mongo import Session, transaction
from services.publishing import window_store
from services.publishing.admissions import rules
from services.publishing.admissions import store as admissions
from services.publishing.admissions.errors import NOTHING_TO_PUSH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.aggregates import Change
    from services.publishing.store import Store

CHUNK = 100


async def push(
    store: Store, who: Principal, *, transcripts: Sequence[str] | None, classes: Sequence[str] | None, everything: bool, request_id: str
) -> dict[str, Any]:
    """{"requested": n, "refused": [{transcript, code, reason}]}. Named ones are answered each, classes give what can be sent."""
    school = str(who.school)
    if transcripts:
        ids = list(dict.fromkeys(transcripts))
    elif classes or everything:
        ids = await sendable(store, school, classes=None if everything else classes)
    else:
        ids = []
    if not ids:
        raise Refused(NOTHING_TO_PUSH)
    total, refused, sending = 0, [], str(uuid4())
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]

        async def work(session: Session, chunk: list[str] = chunk) -> tuple[int, list[dict[str, str]]]:
            submissions = await store.load(session, chunk)
            known = await admissions.load(store.db, session, chunk)
            withdrawing = await admissions.withdrawing(store.db, session, chunk)
            windows, at = await window_store.windows_of(store.db, school, session), clock.now()
            changes: list[Change] = []
            no: list[dict[str, str]] = []
            for each in chunk:
                submission = submissions.get(each)
                own = submission if submission is not None and submission["school"] == school else None
                try:
                    changes.append(
                        rules.requested(
                            own, known.get(each), windows, withdrawing=each in withdrawing, sending=sending, by=who.person, at=at
                        )
                    )
                except Refused as refusal:
                    no.append({"transcript": each, "code": refusal.code, "reason": refusal.cause})
            await admissions.save(store.db, session, changes, actor=who.person, cause=request_id)
            asked = [change.document for change in changes]
            await admissions.mark(store.db, session, asked)
            await admissions.add_jobs(store.db, session, asked)
            for after in asked:
                await audit.record(
                    store.db,
                    session,
                    actor=who.person,
                    act="send to admissions",
                    subject=after["_id"],
                    place=school,
                    request_id=request_id,
                    details={"class": after["class_code"], "year": after["year"]},
                )
            return len(changes), no

        count, no = await transaction(store.db, work)
        total += count
        refused += no
    return {"requested": total, "refused": refused}


async def sendable(store: Store, school: str, *, classes: Sequence[str] | None) -> list[str]:
    """Those of the final grades that could be sent if no deadline has passed."""
    every = [s for s in await store.submissions(school, classes=classes, states=["ACCEPTED"]) if s["grade"] in FINAL_GRADES]
    known = await admissions.of_school(store.db, school)
    withdrawing = await admissions.withdrawing(store.db, None, [s["_id"] for s in every])
    return [s["_id"] for s in every if rules.unfit(s, known.get(s["_id"]), withdrawing=s["_id"] in withdrawing) is None]
