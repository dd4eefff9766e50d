"""Imports and pulls: their documents, and a school year as it is stored, for the comparison with what comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.records.imports.difference import Stored
from services.records.locks.locking import locks_of
from services.records.transfers.store import left_of

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document

WRITING = "writing"
SHOWN_PULLS = 5
SHOWN_IMPORTS = 20


async def ensure_indexes(db: Database) -> None:
    await db["imports"].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("at", DESCENDING)]),
            # one import at a time is written, whoever confirms
            IndexModel(
                [("school", ASCENDING), ("year", ASCENDING)], unique=True, partialFilterExpression={"state": WRITING}, name="writing"
            ),
        ]
    )
    await db["pulls"].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("at", DESCENDING)]),
            IndexModel(
                [("school", ASCENDING), ("year", ASCENDING)], unique=True, partialFilterExpression={"state": "running"}, name="running"
            ),
        ]
    )
    await db["pull_pages"].create_indexes([IndexModel([("pull", ASCENDING), ("number", ASCENDING)])])


async def stored_year(db: Database, school: str, year: str) -> Stored:
    prefix = {"school": school, "year": year}
    document = await db["years"].find_one({"_id": f"{school}:{year}"}, projection={"data": 1, "assignments": 1})
    staff = await db["staff"].find(prefix, projection={"data": 1}).to_list(None)
    classes = await db["classes"].find(prefix).to_list(None)
    names = ("code", "class_code", "number", "name", "data", "result", "missing", "arrival", "from_paper")
    pupils = await db["pupils"].find(prefix, projection={"_id": 0, **dict.fromkeys(names, 1)}).sort("number", 1).to_list(None)
    return Stored(
        school=document["data"] if document else None,
        assignments=document.get("assignments", []) if document else [],
        staff={each["data"]["code"]: each["data"] for each in staff},
        classes={each["code"]: each for each in classes},
        pupils={each["code"]: each for each in pupils},
        locks=await locks_of(db, school, year),
        left=await left_of(db, school, year),
    )


async def pulls_of(db: Database, school: str) -> list[Document]:
    """The newest pulls of a school."""
    return await db["pulls"].find({"school": school}).sort("at", -1).to_list(SHOWN_PULLS)


async def imports_of(db: Database, school: str) -> list[Document]:
    """The newest imports of a school."""
    return await db["imports"].find({"school": school}).sort("at", -1).to_list(SHOWN_IMPORTS)
