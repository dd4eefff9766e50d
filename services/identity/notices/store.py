"""What notices ask of the database, and their indexes.

notices: one document for each person and fact, kept for a year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from services.identity.notices.notices import made
from services.identity.organisations import store as organisations_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session
    from services.identity.notices.notices import What

KEPT_SECONDS = 366 * 24 * 3600


async def ensure_indexes(db: Database) -> None:
    await db["notices"].create_indexes(
        [
            IndexModel([("person", ASCENDING), ("at", DESCENDING)], name="person"),
            IndexModel([("person", ASCENDING)], partialFilterExpression={"read_at": None}, name="unread"),
            IndexModel([("at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS, name="kept"),
        ]
    )


async def tell(
    db: Database, session: Session, registration: Document, what: What, *, at: datetime, reason: str = "", days: int | None = None
) -> None:
    """In the transaction of the change itself; told again, it stays one notice and stays read."""
    people = await _people_of(db, session, registration)
    await keep(db, session, made(registration, what, people, at=at, reason=reason, days=days))


async def keep(db: Database, session: Session, notices: Sequence[Document]) -> None:
    """Those that are new; one that is there already stays as it is."""
    writes = [UpdateOne({"_id": notice["_id"]}, {"$setOnInsert": notice}, upsert=True) for notice in notices]
    if writes:
        await db["notices"].bulk_write(writes, ordered=True, session=session)


async def _people_of(db: Database, session: Session, registration: Document) -> list[Document]:
    """A teacher's own matter needs the teacher alone; there are fifty of them in one act."""
    if registration["kind"] == "person" and not registration["by_oversight"]:
        return list((await organisations_store.people_by_code(db, [registration["owner"]], session)).values())
    return list((await organisations_store.people_of(db, registration["school"], session)).values())


async def unread(db: Database, person: str) -> int:
    return await db["notices"].count_documents({"person": person, "read_at": None})


async def of_person(db: Database, person: str, *, only_unread: bool = False, skip: int = 0, most: int = 50) -> tuple[int, list[Document]]:
    """How many there are, and those of the page, newest first."""
    wanted: dict[str, Any] = {"person": person, **({"read_at": None} if only_unread else {})}
    total = await db["notices"].count_documents(wanted)
    found = db["notices"].find(wanted).sort([("at", DESCENDING), ("_id", ASCENDING)]).skip(skip).limit(most)
    return total, await found.to_list(most)


async def mark_read(db: Database, person: str, ids: Sequence[str] | None, at: datetime) -> int:
    """The own ones only; all of them without `ids`. How many were new."""
    wanted: dict[str, Any] = {"person": person, "read_at": None}
    if ids is not None:
        wanted["_id"] = {"$in": list(ids)}
    return (await db["notices"].update_many(wanted, {"$set": {"read_at": at}})).modified_count
