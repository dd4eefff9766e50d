"""What organisations and people ask of the database, and their indexes.

units, schools: the oversight tree. people: who somebody is and what they may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, IndexModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["people"].create_indexes([IndexModel([("school", ASCENDING)], name="school")])


async def schools_below(db: Database, unit: str) -> list[Document]:
    return await db["schools"].find({"path": unit}).sort("_id", ASCENDING).to_list(None)


async def people_of(db: Database, school: str, session: Session | None = None, codes: Iterable[str] = ()) -> dict[str, Document]:
    """Everybody of the school, and whoever else has one of the codes."""
    found = db["people"].find({"$or": [{"school": school}, {"_id": {"$in": list(codes)}}]}, session=session)
    return {person["_id"]: person async for person in found}


async def people_by_code(db: Database, codes: Iterable[str], session: Session | None = None) -> dict[str, Document]:
    found = db["people"].find({"_id": {"$in": list(codes)}}, session=session)
    return {person["_id"]: person async for person in found}
