"""What menu 6.1 asks of the database, and its indexes.

certificates: requests as identity told them, with the decision and what became of it. outcomes: what a bulk act did, for a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis import aggregates
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel, UpdateMany, UpdateOne
from services.district.certificates import APPROVED, ENDED, PENDING, REFUSED, searchable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.event import Event
    from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1, CertificateRefusedV1, CertificateRequestedV1
    from services.chassis.aggregates import Change
    from services.chassis.mongo import Database, Document, Session

MOST = 5000
"""Requests that one act or one file takes."""
OUTCOMES_KEPT_SECONDS = 24 * 3600


async def ensure_indexes(db: Database) -> None:
    await db["certificates"].create_indexes(
        [
            IndexModel([("path", ASCENDING), ("state", ASCENDING), ("requested_at", ASCENDING)], name="branch"),
            IndexModel([("school", ASCENDING), ("kind", ASCENDING), ("requested_at", ASCENDING)], name="school"),
        ]
    )
    await db["outcomes"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=OUTCOMES_KEPT_SECONDS, name="kept")])
    await _complete_old(db)


async def _complete_old(db: Database) -> None:
    """Requests that were kept before they could be searched; what was approved then was in force at once."""
    writes = []
    async for old in db["certificates"].find({"search": {"$exists": False}}):
        changes: dict[str, Any] = {"search": searchable(old)}
        if old["state"] == APPROVED:
            changes["effective_at"] = old["decided_at"]
        if old["state"] == REFUSED:
            changes["refusal"] = old["reason"]
        writes.append(UpdateOne({"_id": old["_id"]}, {"$set": changes}))
    if writes:
        await db["certificates"].bulk_write(writes, ordered=False)


# what identity tells


async def add(db: Database, session: Session, events: Sequence[Event[CertificateRequestedV1]]) -> None:
    for event in events:
        fact = event.data.model_dump(mode="json")
        request = {"_id": event.subject, "sequence": 1, "state": PENDING, "requested_at": event.occurred_at, **fact}
        await db["certificates"].replace_one({"_id": event.subject}, {**request, "search": searchable(fact)}, upsert=True, session=session)
    # a school may have moved between the request and now
    await follow(db, session, {event.data.school for event in events})


async def follow(db: Database, session: Session, schools: Iterable[str]) -> None:
    """Requests go with their school: whoever is responsible for it now sees and decides them."""
    known = await db["schools"].find({"_id": {"$in": list(schools)}}, {"path": 1}, session=session).to_list(None)
    writes = [
        UpdateMany({"school": s["_id"], "path": {"$ne": s["path"]}}, {"$set": {"path": s["path"]}, "$inc": {"sequence": 1}}) for s in known
    ]
    if writes:
        await db["certificates"].bulk_write(writes, ordered=False, session=session)


async def set_in_force(db: Database, session: Session, events: Sequence[Event[CertificateApprovedV1]]) -> None:
    """Also again, after it had been on hold. What never was a request, a teacher's account, is not found."""
    for event in events:
        old = {"_id": event.subject, "$or": [{"effective_at": None}, {"state": ENDED}]}
        now = {"state": APPROVED, "effective_at": event.occurred_at, "ended": None, "ended_at": None}
        await db["certificates"].update_one(old, {"$set": now, "$inc": {"sequence": 1}}, session=session)


async def set_refused(db: Database, session: Session, events: Sequence[Event[CertificateRefusedV1]]) -> None:
    """An approval that came to nothing."""
    for event in events:
        now = {"state": REFUSED, "refusal": event.data.reason}
        await db["certificates"].update_one({"_id": event.subject}, {"$set": now, "$inc": {"sequence": 1}}, session=session)


async def set_ended(db: Database, session: Session, events: Sequence[Event[CertificateEndedV1]]) -> None:
    for event in events:
        now = {"state": ENDED, "ended": event.data.reason, "ended_at": event.occurred_at}
        await db["certificates"].update_one({"_id": event.subject}, {"$set": now, "$inc": {"sequence": 1}}, session=session)


# looking


async def one(db: Database, request: str, session: Session | None = None) -> Document:
    """Raises Refused(NOT_FOUND)."""
    found = await db["certificates"].find_one({"_id": request}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def page(db: Database, wanted: Document, order: Sequence[tuple[str, int]], *, skip: int = 0, most: int = MOST) -> list[Document]:
    return await db["certificates"].find(wanted).sort(list(order)).skip(skip).limit(most).to_list(most)


async def ids(db: Database, wanted: Document) -> list[str]:
    """Those of them that wait for a decision, longest first."""
    found = db["certificates"].find({**wanted, "state": PENDING}, projection={"_id": 1}).sort("requested_at", ASCENDING).limit(MOST)
    return [r["_id"] async for r in found]


async def counts(db: Database, wanted: Document) -> dict[str, int]:
    """By state."""
    rows = db["certificates"].aggregate([{"$match": wanted}, {"$group": {"_id": "$state", "n": {"$sum": 1}}}])
    return {row["_id"]: row["n"] async for row in rows}


async def history(db: Database, request: Document) -> list[Document]:
    """Every request of the same owner, this one too, newest first."""
    same = {"school": request["school"], "kind": request["kind"]}
    if request["kind"] == "manager":
        same["person"] = request["person"]
    return await db["certificates"].find(same).sort("requested_at", -1).to_list(200)


# deciding


async def save(db: Database, session: Session, change: Change, *, actor: str) -> None:
    await aggregates.save(db, session, "certificates", [change], actor=actor)


async def keep_outcome(db: Database, outcome: Document) -> None:
    await db["outcomes"].insert_one(outcome)


async def outcome(db: Database, key: str, person: str) -> Document:
    """The actor's own. Raises Refused(NOT_FOUND)."""
    found = await db["outcomes"].find_one({"_id": key, "person": person})
    if found is None:
        raise Refused(NOT_FOUND)
    return found
