"""Every query of digitising: `digitisation_plans` (keyed as school years are) and `digitised` (a pupil's year, keyed as the pupil is)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, IndexModel

if TYPE_CHECKING:
    from collections.abc import Collection

    from services.chassis.mongo import Database, Document, Session

PLANS, ITEMS = "digitisation_plans", "digitised"


async def ensure_indexes(db: Database) -> None:
    await db[PLANS].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db[ITEMS].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("pupil_code", ASCENDING)], unique=True),
            IndexModel([("school", ASCENDING), ("pupil_code", ASCENDING)]),
        ]
    )


async def plan_of(db: Database, school: str, year: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db[PLANS].find_one({"_id": f"{school}:{year}"}, session=session)
    return found


async def plans(db: Database, school: str) -> list[Document]:
    """Newest year first."""
    found: list[Document] = await db[PLANS].find({"school": school}).sort("year", -1).to_list(None)
    return found


async def years(db: Database, school: str) -> list[str]:
    """Every year of which anything is digitised, newest first."""
    planned = await db[PLANS].distinct("year", {"school": school})
    return sorted({*planned, *await db[ITEMS].distinct("year", {"school": school})}, reverse=True)


async def item_of(db: Database, school: str, year: str, pupil: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db[ITEMS].find_one({"_id": f"{school}:{year}:{pupil}"}, session=session)
    return found


async def items_of(db: Database, school: str, year: str, pupils: Collection[str] | None = None) -> dict[str, Document]:
    """By pupil code."""
    wanted: Document = {"school": school, "year": year}
    if pupils is not None:
        wanted["pupil_code"] = {"$in": list(pupils)}
    return {d["pupil_code"]: d async for d in db[ITEMS].find(wanted)}


async def years_of_pupil(db: Database, school: str, pupil: str) -> frozenset[str]:
    """The years of this pupil that are digitised one by one."""
    return frozenset(await db[ITEMS].distinct("year", {"school": school, "pupil_code": pupil}))


async def born_digital(db: Database, school: str, year: str) -> int:
    """How many live transcripts of the year were not made from paper."""
    return int(await db["transcripts"].count_documents({"school": school, "year": year, "live": True, "content.digitised": None}))


async def live_transcript(db: Database, school: str, year: str, pupil: str, session: Session | None = None) -> Document | None:
    wanted = {"school": school, "year": year, "pupil_code": pupil, "live": True}
    found: Document | None = await db["transcripts"].find_one(wanted, projection={"state": 1}, session=session)
    return found


async def live_transcripts(db: Database, school: str, year: str) -> dict[str, Document]:
    """By pupil code: {_id, state}."""
    wanted = {"school": school, "year": year, "live": True}
    return {t["pupil_code"]: t async for t in db["transcripts"].find(wanted, projection={"pupil_code": 1, "state": 1})}
