"""Queries of district over what others tell it; those of menu 6.1 stand in `certificate_store.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, IndexModel, UpdateOne
from services.district import certificate_store
from services.district.lock_dates import store as lock_dates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.event import Event
    from contracts.events.identity import SchoolChangedV1, UnitChangedV1
    from contracts.events.records import ClassImportedV1, TranscriptMovedV1
    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["schools"].create_indexes([IndexModel([("path", ASCENDING)])])
    await db["classes"].create_indexes([IndexModel([("school", ASCENDING), ("year", ASCENDING)])])
    await db["transcripts"].create_indexes(
        [IndexModel([("school", ASCENDING), ("year", ASCENDING), ("grade", ASCENDING), ("state", ASCENDING)])]
    )
    await certificate_store.ensure_indexes(db)
    await lock_dates.ensure_indexes(db)


class Store:
    def __init__(self, db: Database) -> None:
        self.db = db

    # what others tell

    async def save_units(self, session: Session, events: Sequence[Event[UnitChangedV1]]) -> None:
        await self._newest(session, "units", events, [{"name": e.data.name, "path": list(e.data.path)} for e in events])

    async def save_schools(self, session: Session, events: Sequence[Event[SchoolChangedV1]]) -> None:
        rows = [{"name": e.data.name, "path": list(e.data.path), "levels": list(e.data.levels)} for e in events]
        await self._newest(session, "schools", events, rows)
        await certificate_store.follow(self.db, session, {e.data.code for e in events})

    async def save_classes(self, session: Session, events: Sequence[Event[ClassImportedV1]]) -> None:
        await self._newest(session, "classes", events, [e.data.model_dump(mode="json") for e in events])

    async def save_moves(self, session: Session, events: Sequence[Event[TranscriptMovedV1]]) -> None:
        await self._newest(session, "transcripts", events, [{**e.data.model_dump(mode="json"), "at": e.occurred_at} for e in events])

    async def _newest(self, session: Session, collection: str, events: Sequence[Event[Any]], rows: Sequence[Document]) -> None:
        """Keep what the newest event of each subject says; an older one that comes late changes nothing."""
        writes = []
        for event, row in zip(events, rows, strict=True):
            fresh = {"$lt": [{"$ifNull": ["$seq", 0]}, event.sequence]}
            fields = {k: {"$cond": [fresh, {"$literal": v}, f"${k}"]} for k, v in {**row, "seq": event.sequence}.items()}
            writes.append(UpdateOne({"_id": event.subject}, [{"$set": fields}], upsert=True))
        if writes:
            await self.db[collection].bulk_write(writes, ordered=True, session=session)

    # statistics

    async def unit(self, code: str) -> Document | None:
        found: Document | None = await self.db["units"].find_one({"_id": code})
        return found

    async def unit_names(self, codes: Iterable[str]) -> dict[str, str]:
        found = await self.db["units"].find({"_id": {"$in": list(codes)}}, projection={"name": 1}).to_list(None)
        return {u["_id"]: u["name"] for u in found}

    async def years(self, unit: str) -> list[str]:
        schools = await self.db["schools"].distinct("_id", {"path": unit})
        return sorted(await self.db["classes"].distinct("year", {"school": {"$in": schools}}), reverse=True)

    async def schools(self, unit: str) -> list[Document]:
        return await self.db["schools"].find({"path": unit}).sort("name", 1).to_list(None)

    async def pupils(self, schools: Sequence[str], year: str) -> dict[tuple[str, int], dict[str, int]]:
        """By school and grade: pupils imported and those whose data forbid a transcript."""
        rows = self.db["classes"].aggregate(
            [
                {"$match": {"school": {"$in": list(schools)}, "year": year}},
                {
                    "$group": {
                        "_id": {"school": "$school", "grade": "$grade"},
                        "pupils": {"$sum": "$pupils"},
                        "refused": {"$sum": "$refused"},
                    }
                },
            ]
        )
        return {(r["_id"]["school"], r["_id"]["grade"]): {"pupils": r["pupils"], "refused": r["refused"]} async for r in rows}

    async def states(self, schools: Sequence[str], year: str) -> dict[tuple[str, int], dict[str, int]]:
        """By school and grade: transcripts in each state."""
        rows = self.db["transcripts"].aggregate(
            [
                {"$match": {"school": {"$in": list(schools)}, "year": year}},
                {"$group": {"_id": {"school": "$school", "grade": "$grade", "state": "$state"}, "n": {"$sum": 1}}},
            ]
        )
        counts: dict[tuple[str, int], dict[str, int]] = {}
        async for r in rows:
            counts.setdefault((r["_id"]["school"], r["_id"]["grade"]), {})[r["_id"]["state"]] = r["n"]
        return counts
