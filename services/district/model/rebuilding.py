"""Rebuilding the model below the pages: rows and counters are taken over one by one from what the owners republish.

While a building is at work every event and snapshot marks its row with it and counts the row in its counters. When all that each owner
told is loaded, rows and counters without the mark go: nobody owns them any more, or they were wrong. Pages never see less than before.

model: one document, {run: the last whole building, building: the one at work}. loads: how much of which republishing is there.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import crc32

from services.chassis import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.event import Event
    from contracts.snapshots import SnapshotsTold
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.process import Parts

FIRST = ""
"""The building of a model that was never rebuilt."""
TOPICS = ("identity.organisations", "records.classes", "records.transcripts")
ROWS = ("units", "schools", "classes", "transcripts", "summaries")
COUNTERS = ("counts", "days")
LOADERS = 8
"""Documents that share the count of one republishing, so that workers side by side seldom meet."""
log = logging.getLogger(__name__)


async def state(db: Database, session: Session | None = None) -> Document:
    return await db["model"].find_one({"_id": "model"}, session=session) or {"run": FIRST, "building": None}


async def begin(db: Database) -> str:
    """A new building; one that was at work is given up, its rows are taken over too."""
    building = uuid4().hex
    change = {"$set": {"building": building, "begun_at": clock.now()}, "$setOnInsert": {"run": FIRST}}
    await db["model"].update_one({"_id": "model"}, change, upsert=True)
    return building


async def count_loaded(db: Database, session: Session, building: str | None, topic: str, events: Sequence[Event[Any]]) -> None:
    """How many snapshots of each republishing these events are."""
    by_run: dict[str, int] = {}
    for event in events:
        if event.snapshot is not None:
            by_run[event.snapshot] = by_run.get(event.snapshot, 0) + 1
    if building is None:
        return
    for run, number in by_run.items():
        key = f"{building}:{topic}:{run}:{crc32(str(events[0].id).encode()) % LOADERS}"
        change = {"$inc": {"loaded": number}, "$set": {"building": building, "topic": topic, "snapshot": run}}
        await db["loads"].update_one({"_id": key}, change, upsert=True, session=session)


async def note_told(db: Database, session: Session, events: Sequence[Event[Any]]) -> None:
    """An owner says how many snapshots it told."""
    building = (await state(db, session))["building"]
    for event in events if building else ():
        fact: SnapshotsTold = event.data
        key = f"{building}:{fact.topic}:{fact.run}:told"
        change = {"$set": {"building": building, "topic": fact.topic, "snapshot": fact.run, "told": fact.subjects}}
        await db["loads"].update_one({"_id": key}, change, upsert=True, session=session)


async def loaded(db: Database, building: str) -> dict[str, tuple[int, int | None]]:
    """By topic: how many snapshots are there, and of how many; of several republishings the one that is nearest to its end."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    async for row in db["loads"].find({"building": building}):
        one = found.setdefault((row["topic"], row["snapshot"]), {"loaded": 0, "told": None})
        one["loaded"] += row.get("loaded", 0)
        one["told"] = row.get("told", one["told"])
    best: dict[str, tuple[int, int | None]] = dict.fromkeys(TOPICS, (0, None))
    for (topic, _), one in found.items():
        best[topic] = max(best[topic], (one["loaded"], one["told"]), key=lambda each: (is_whole(each), each[0]))
    return best


def is_whole(load: tuple[int, int | None]) -> bool:
    there, told = load
    return told is not None and there >= told


async def finish(db: Database) -> int:
    """Work of the worker: ends the building when everything is loaded. 1 when it did."""
    building = (await state(db))["building"]
    if building is None or not all(is_whole(load) for load in (await loaded(db, building)).values()):
        return 0
    gone = 0
    for collection in (*ROWS, *COUNTERS):
        gone += (await db[collection].delete_many({"run": {"$ne": building}})).deleted_count
    done = {"$set": {"run": building, "building": None, "finished_at": clock.now()}}
    await db["model"].update_one({"_id": "model", "building": building}, done)
    await db["loads"].delete_many({})
    log.info("the model is rebuilt", extra={"gone": gone})
    return 1


# the commands


async def begin_command(parts: Parts) -> None:
    """`python -m services.district rebuild`: then the owners republish."""
    building = await begin(parts.db)
    log.info("rebuilding has begun: let the owners republish", extra={"building": building, "topics": TOPICS})


async def wait_command(parts: Parts) -> None:
    """`python -m services.district rebuilt`: ends when the model is whole."""
    while (building := (await state(parts.db))["building"]) is not None:
        there = await loaded(parts.db, building)
        log.info("rebuilding", extra={"loaded": {topic: f"{now}/{'?' if told is None else told}" for topic, (now, told) in there.items()}})
        await asyncio.sleep(2)
    log.info("the model is whole")
