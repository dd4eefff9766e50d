"""What menu 6.5 asks of the database.

withdrawals: requests as publishing told them, with the decision and what became of it. withdrawal_outcomes: what a bulk act did, for a
day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel, UpdateMany
from services.chassis.vietnamese import fold
from services.district.withdrawals.rules import APPROVED, PENDING, RECALLED, REFUSED, WITHDRAWN
from services.district.withdrawals.rules import pending as as_pending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.event import Event
    from contracts.events.publishing import TranscriptWithdrawnV1, WithdrawalPendingV1, WithdrawalRecalledV1, WithdrawalRefusedV1
    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session

MOST = 5000
"""Requests that one act takes."""
OUTCOMES_KEPT_SECONDS = 24 * 3600


async def ensure_indexes(db: Database) -> None:
    await db["withdrawals"].create_indexes(
        [
            IndexModel([("path", ASCENDING), ("state", ASCENDING), ("sent_at", ASCENDING)], name="branch"),
            IndexModel([("school", ASCENDING)], name="school"),
            IndexModel([("transcript", ASCENDING)], name="document"),
        ]
    )
    await db["withdrawal_outcomes"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=OUTCOMES_KEPT_SECONDS, name="kept")])


# what publishing tells


async def add(db: Database, session: Session, events: Sequence[Event[WithdrawalPendingV1]]) -> None:
    known = await db["schools"].find({"_id": {"$in": [e.data.school for e in events]}}, session=session).to_list(None)
    schools = {s["_id"]: s for s in known}
    for event in events:
        request = as_pending(event, schools.get(event.data.school))
        await db["withdrawals"].update_one({"_id": request["_id"]}, {"$setOnInsert": request}, upsert=True, session=session)


async def follow(db: Database, session: Session, schools: Iterable[str]) -> None:
    """Requests go with their school: whoever is responsible for it now sees and decides them."""
    known = await db["schools"].find({"_id": {"$in": list(schools)}}, {"path": 1, "name": 1}, session=session).to_list(None)
    writes = [
        UpdateMany(
            {"school": s["_id"], "path": {"$ne": s["path"]}},
            {"$set": {"path": s["path"], "school_name": s["name"]}, "$inc": {"sequence": 1}},
        )
        for s in known
    ]
    if writes:
        await db["withdrawals"].bulk_write(writes, ordered=False, session=session)


async def set_recalled(db: Database, session: Session, events: Sequence[Event[WithdrawalRecalledV1]]) -> None:
    """Publishing told first: a decision that was on its way then does not count."""
    for event in events:
        await _end(db, session, event.subject, {"state": RECALLED, "ended_at": event.data.recalled_at})


async def set_refused(db: Database, session: Session, events: Sequence[Event[WithdrawalRefusedV1]]) -> None:
    """By the gateway; what the unit itself refused is known."""
    for event in events:
        if event.data.code is not None:
            reason = f"{event.data.code}: {event.data.reason}"
            await _end(db, session, event.subject, {"state": REFUSED, "refusal": reason, "ended_at": event.data.refused_at})


async def set_withdrawn(db: Database, session: Session, events: Sequence[Event[TranscriptWithdrawnV1]]) -> None:
    for event in events:
        await _end(db, session, event.subject, {"state": WITHDRAWN, "ended_at": event.data.withdrawn_at})


async def _end(db: Database, session: Session, request: str, now: Document) -> None:
    open_one = {"_id": request, "state": {"$in": [PENDING, APPROVED, REFUSED] if now["state"] == RECALLED else [PENDING, APPROVED]}}
    await db["withdrawals"].update_one(open_one, {"$set": now, "$inc": {"sequence": 1}}, session=session)


# looking


async def one(db: Database, request: str, session: Session | None = None) -> Document:
    """Raises Refused(NOT_FOUND)."""
    found = await db["withdrawals"].find_one({"_id": request}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def page(db: Database, wanted: Document, order: Sequence[tuple[str, int]], *, skip: int = 0, most: int = MOST) -> list[Document]:
    return await db["withdrawals"].find(wanted).sort(list(order)).skip(skip).limit(most).to_list(most)


async def ids(db: Database, wanted: Document) -> list[str]:
    """Those of them that wait for a decision, longest first."""
    found = db["withdrawals"].find({**wanted, "state": PENDING}, projection={"_id": 1}).sort("sent_at", ASCENDING).limit(MOST + 1)
    return [r["_id"] for r in await found.to_list(None)]


async def counts(db: Database, wanted: Document) -> dict[str, int]:
    """By state."""
    rows = db["withdrawals"].aggregate([{"$match": wanted}, {"$group": {"_id": "$state", "n": {"$sum": 1}}}])
    return {row["_id"]: row["n"] async for row in rows}


async def schools(db: Database, unit: str) -> list[tuple[str, str]]:
    """Schools of the branch that ever asked: (code, name), by name."""
    rows = db["withdrawals"].aggregate([{"$match": {"path": unit}}, {"$group": {"_id": "$school", "name": {"$first": "$school_name"}}}])
    return sorted([(row["_id"], row["name"]) async for row in rows], key=lambda s: fold(s[1]))


async def of_document(db: Database, transcript: str) -> list[Document]:
    """Every request for the same document, newest first."""
    return await db["withdrawals"].find({"transcript": transcript}).sort("sent_at", -1).to_list(100)


# deciding


async def save(db: Database, session: Session, change: Change, *, actor: str) -> None:
    await aggregates.save(db, session, "withdrawals", [change], actor=actor)


async def keep_outcome(db: Database, outcome: Document) -> None:
    await db["withdrawal_outcomes"].insert_one(outcome)


async def outcome(db: Database, key: str, person: str) -> Document:
    """The actor's own. Raises Refused(NOT_FOUND)."""
    found = await db["withdrawal_outcomes"].find_one({"_id": key, "person": person})
    if found is None:
        raise Refused(NOT_FOUND)
    return found
