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


async def by_code(db: Database, code: str, session: Session | None = None) -> Source | None:
    """By what `source.code_of` gives. None also for a short code that stands for more than one."""
    if is_short(code):
        # "-" stands before "." in the order of characters, and every id goes on with "-"
        found = await db[DOCUMENTS].find({"_id": {"$gte": f"{code}-", "$lt": f"{code}."}}, session=session).to_list(2)
    else:
        found = await db[DOCUMENTS].find({"_id": code}, session=session).to_list(1)
    return await _source(db, found[0], session) if len(found) == 1 and "state" in found[0] else None


async def by_file(db: Database, sha256: str) -> Source | None:
    """The document that this very file was issued as."""
    row = await db[DOCUMENTS].find_one({"files": sha256})
    return await _source(db, row) if row is not None and "state" in row else None


async def _source(db: Database, row: Row, session: Session | None = None) -> Source:
    chain, shown = row.get("chain"), {"version": 1, "state": 1}
    versions = await db[DOCUMENTS].find({"chain": chain}, projection=shown, session=session).to_list(50) if chain else []
    school = await db[SCHOOLS].find_one({"_id": row["school"]}, projection={"name": 1}, session=session)
    return source_of(row, versions, {row["school"]: school["name"]} if school else {})
