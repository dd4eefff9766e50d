"""Every query of verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from services.chassis.mongo import ASCENDING, IndexModel, ReplaceOne
from services.publishing.verification.source import Row, Source, is_short, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contracts.event import Event, Fact
    from services.chassis.mongo import Database, Session

F = TypeVar("F", bound="Fact")
DOCUMENTS, SCHOOLS = "verifiable", "schools"


async def ensure_indexes(db: Database) -> None:
    await db[DOCUMENTS].create_indexes([IndexModel([("chain", ASCENDING), ("version", ASCENDING)]), IndexModel([("files", ASCENDING)])])


async def take(db: Database, session: Session, events: Sequence[Event[F]], rule: Callable[[Row | None, Event[F]], Row]) -> None:
    """Let each event change the row of its subject by `rule`."""
    wanted = list({e.subject for e in events})
    rows = {r["_id"]: r for r in await db[DOCUMENTS].find({"_id": {"$in": wanted}}, session=session).to_list(None)}
    for event in events:
        rows[event.subject] = rule(rows.get(event.subject), event)
    if rows:
        await db[DOCUMENTS].bulk_write([ReplaceOne({"_id": i}, row, upsert=True) for i, row in rows.items()], session=session)


def _joined(collection: str, local: str, foreign: str, *fields: str, into: str) -> Row:
    kept = [{"$limit": 50}, {"$project": dict.fromkeys(fields, 1)}]
    return {"$lookup": {"from": collection, "localField": local, "foreignField": foreign, "pipeline": kept, "as": into}}


_BESIDE = (
    _joined(DOCUMENTS, "chain", "chain", "version", "state", into="versions"),
    _joined(SCHOOLS, "school", "_id", "name", into="names"),
)


async def by_code(db: Database, code: str, session: Session | None = None) -> Source | None:
    """By what `source.code_of` gives. None also for a short code that stands for more than one."""
    if is_short(code):
        # "-" stands before "." in the order of characters, and every id goes on with "-"
        return await _only(db, {"_id": {"$gte": f"{code}-", "$lt": f"{code}."}}, session)
    return await _only(db, {"_id": code}, session)


async def by_file(db: Database, sha256: str) -> Source | None:
    """The document that this very file was issued as; the first where several were."""
    return await _only(db, {"files": sha256}, first=True)


async def _only(db: Database, wanted: Row, session: Session | None = None, *, first: bool = False) -> Source | None:
    """With its versions and the name of its school in one question: this is asked by everybody who scans a QR code."""
    found = await db[DOCUMENTS].aggregate([{"$match": wanted}, {"$limit": 1 if first else 2}, *_BESIDE], session=session).to_list(2)
    if len(found) != 1 or "state" not in found[0]:
        return None
    row = found[0]
    # a row that has no chain yet is joined with all others that have none
    versions = row["versions"] if row.get("chain") else []
    return source_of(row, versions, {school["_id"]: school["name"] for school in row["names"]})
