"""Queries of class summaries: collection `summaries`, one live document a school, year and class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from services.chassis.mongo import Database, Document, Session

SUMMARIES = "summaries"
UNSHOWN = {"content": 0}


async def ensure_indexes(db: Database) -> None:
    keys = [("school", ASCENDING), ("year", ASCENDING), ("class_code", ASCENDING)]
    await db[SUMMARIES].create_indexes(
        [
            IndexModel(keys, unique=True, partialFilterExpression={"live": True}, name="one"),
            IndexModel([*keys, ("state", ASCENDING)]),
            IndexModel([("school", ASCENDING), ("_id", ASCENDING)], name="told together"),
        ]
    )


async def live_summary(db: Database, school: str, year: str, code: str, session: Session | None = None) -> Document | None:
    """Of a class, without its content."""
    wanted = {"school": school, "year": year, "class_code": code, "live": True}
    found: Document | None = await db[SUMMARIES].find_one(wanted, projection=UNSHOWN, session=session)
    return found


async def every(db: Database, school: str, year: str, classes: Collection[str] | None = None) -> list[Document]:
    """All versions, cancelled ones too, without their content; the newest of a class first."""
    wanted: Document = {"school": school, "year": year}
    if classes is not None:
        wanted["class_code"] = {"$in": list(classes)}
    return await db[SUMMARIES].find(wanted, projection=UNSHOWN).sort([("class_code", 1), ("version", -1)]).to_list(None)


async def summary(db: Database, summary_id: str) -> Document:
    found: Document | None = await db[SUMMARIES].find_one({"_id": summary_id})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def last_cancelled(db: Database, school: str, year: str, code: str) -> Document | None:
    """What a new summary of the class replaces."""
    wanted = {"school": school, "year": year, "class_code": code, "live": False}
    found: Document | None = await db[SUMMARIES].find_one(wanted, projection={"version": 1}, sort=[("version", -1)])
    return found


async def doubtful(db: Database, school: str, year: str, classes: Iterable[str], *, corrected: Iterable[str]) -> dict[str, list[Document]]:
    """By class, the pupils of whom the import found something missing, and those who are being `corrected`: nobody else needs judging."""
    found: dict[str, list[Document]] = {code: [] for code in classes}
    either: Document = {"$or": [{"missing": {"$ne": []}}, {"code": {"$in": list(corrected)}}]}
    wanted = {"school": school, "year": year, "class_code": {"$in": list(found)}, **either}
    async for pupil in db["pupils"].find(wanted).sort([("class_code", 1), ("number", 1)]):
        found[pupil["class_code"]].append(pupil)
    return found
