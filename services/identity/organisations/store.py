"""Queries about units, schools, people, school years and planned changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.identity.organisations.changes import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Document, Session

PLANNED, DONE, UNDONE, FAILED = "PLANNED", "DONE", "UNDONE", "FAILED"
"""Of a change: its day has not come, it has taken effect, it was taken back before, it could not be done on its day."""


async def ensure_indexes(db: Database) -> None:
    await db["people"].create_indexes(
        [IndexModel([("school", ASCENDING)], name="school"), IndexModel([("unit", ASCENDING)], name="unit", sparse=True)]
    )
    await db["units"].create_indexes([IndexModel([("path", ASCENDING)], name="path")])
    await db["schools"].create_indexes([IndexModel([("path", ASCENDING)], name="path")])
    await db["changes"].create_indexes(
        [
            IndexModel([("state", ASCENDING), ("day", ASCENDING), ("ordered_at", ASCENDING)], name="due"),
            IndexModel([("code", ASCENDING), ("day", DESCENDING)], name="code"),
        ]
    )
    await db["school_years"].create_indexes([IndexModel([("school", ASCENDING), ("year", DESCENDING)], name="school")])


async def schools_below(db: Database, unit: str) -> list[Document]:
    return await db["schools"].find({"path": unit}).sort("_id", ASCENDING).to_list(None)


async def units_below(db: Database, unit: str) -> list[Document]:
    """The unit itself among them."""
    return await db["units"].find({"path": unit}).sort("_id", ASCENDING).to_list(None)


async def names(db: Database, codes: Iterable[str]) -> dict[str, str]:
    """Of units and schools, by code."""
    wanted = list(codes)
    found = {}
    for collection in ("units", "schools"):
        found.update({d["_id"]: d["name"] async for d in db[collection].find({"_id": {"$in": wanted}}, projection={"name": 1})})
    return found


async def people_of(db: Database, school: str, session: Session | None = None, codes: Iterable[str] = ()) -> dict[str, Document]:
    """Everybody of the school, and whoever else has one of the codes."""
    found = db["people"].find({"$or": [{"school": school}, {"_id": {"$in": list(codes)}}]}, session=session)
    return {person["_id"]: person async for person in found}


async def people_by_code(db: Database, codes: Iterable[str], session: Session | None = None) -> dict[str, Document]:
    found = db["people"].find({"_id": {"$in": list(codes)}}, session=session)
    return {person["_id"]: person async for person in found}


async def officers_of(db: Database, unit: str, session: Session | None = None) -> list[Document]:
    return await db["people"].find({"unit": unit}, session=session).sort("_id", ASCENDING).to_list(None)


# the tree and its changes


async def read_tree(db: Database, session: Session | None = None) -> Tree:
    """All of it: a change is rare, and judged with everything that it may touch."""
    units = {u["_id"]: u async for u in db["units"].find({}, session=session)}
    schools = {s["_id"]: s async for s in db["schools"].find({}, session=session)}
    return Tree(units, schools)


async def hold_tree(db: Database, session: Session) -> None:
    """Changes of the tree happen one after the other: of two transactions at once one is run again and sees what the other did."""
    await db["tree"].update_one({"_id": "tree"}, {"$inc": {"held": 1}}, upsert=True, session=session)


async def planned(db: Database, session: Session | None = None) -> list[Document]:
    """What is planned, in the order in which it will happen."""
    order = [("day", ASCENDING), ("ordered_at", ASCENDING)]
    return await db["changes"].find({"state": PLANNED}, session=session).sort(order).to_list(None)


async def next_due(db: Database, day: str) -> Document | None:
    order = [("day", ASCENDING), ("ordered_at", ASCENDING)]
    found: Document | None = await db["changes"].find_one({"state": PLANNED, "day": {"$lte": day}}, sort=order)
    return found


async def changes_of(db: Database, codes: Iterable[str], states: Iterable[str]) -> list[Document]:
    """Newest day first; those that a unit or school is the successor or new place of as well."""
    wanted = list(codes)
    found = db["changes"].find({"$or": [{"code": {"$in": wanted}}, {"target": {"$in": wanted}}], "state": {"$in": list(states)}})
    return await found.sort([("day", DESCENDING), ("ordered_at", DESCENDING)]).to_list(None)


# school years


async def years_of(db: Database, school: str, session: Session | None = None) -> dict[str, Document]:
    """By year, newest first."""
    found = db["school_years"].find({"school": school}, session=session).sort("year", DESCENDING)
    return {year["year"]: year async for year in found}
