"""What is held of one pupil over the years: queries by sector code within a school, and by personal id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, IndexModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Document

OF_A_TRANSCRIPT = {
    "school": 1,
    "year": 1,
    "class_code": 1,
    "grade": 1,
    "version": 1,
    "replaces": 1,
    "live": 1,
    "state": 1,
    "created_at": 1,
    "pdf": 1,
    "xml": 1,
    "content.previous": 1,
    "content.digitised.scan_sha256": 1,
    "content.school.name": 1,
    "content.school_class.name": 1,
}


async def ensure_indexes(db: Database) -> None:
    await db["transcripts"].create_indexes([IndexModel([("content.pupil.personal_id", ASCENDING), ("year", ASCENDING)])])
    await db["pupils"].create_indexes(
        [IndexModel([("school", ASCENDING), ("code", ASCENDING), ("year", ASCENDING)]), IndexModel([("data.personal_id", ASCENDING)])]
    )


async def years_of(db: Database, school: str, code: str) -> list[Document]:
    """The pupil in every year in which the school has them, newest first."""
    found: list[Document] = (
        await db["pupils"].find({"school": school, "code": code}, projection={"result": 0}).sort("year", -1).to_list(None)
    )
    return found


async def transcripts_of(db: Database, personal_id: str) -> list[Document]:
    """Every version at every school of this installation, oldest year first, without what stands in them."""
    wanted = {"content.pupil.personal_id": personal_id}
    found: list[Document] = (
        await db["transcripts"].find(wanted, projection=OF_A_TRANSCRIPT).sort([("year", 1), ("version", 1)]).to_list(None)
    )
    return found


async def received_codes(db: Database, school: str, code: str) -> list[Document]:
    found: list[Document] = await db["received"].find({"school": school, "pupil_code": code}).sort("document.year", 1).to_list(None)
    return found


async def pupils(db: Database, school: str, year: str | None, classes: Iterable[str] | None) -> list[Document]:
    """Each pupil once, in the newest year; `year` and `classes` limit whom."""
    wanted: Document = {"school": school}
    if year is not None:
        wanted["year"] = year
    if classes is not None:
        wanted["class_code"] = {"$in": list(classes)}
    steps: list[Document] = [
        {"$match": wanted},
        {"$project": {"code": 1, "name": 1, "year": 1, "class_code": 1, "born": "$data.born", "status": "$data.status"}},
        {"$sort": {"year": -1}},
        {
            "$group": {
                "_id": "$code",
                "name": {"$first": "$name"},
                "year": {"$first": "$year"},
                "class_code": {"$first": "$class_code"},
                "born": {"$first": "$born"},
                "status": {"$first": "$status"},
                "years": {"$sum": 1},
            }
        },
    ]
    found: list[Document] = await db["pupils"].aggregate(steps).to_list(None)
    return found
