"""The sealed documents of a year beside the transcripts: class summaries, the minutes of corrections, scans of paper transcripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.records.archive.plan import SEALED, Item, safe, sealed_files
from services.records.archive.store import with_evidence
from services.records.summaries.store import SUMMARIES, UNSHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Database


async def others(db: Database, school: str, year: str, names: Mapping[str, str]) -> list[Item]:
    """`names`: the folder of each class."""
    found: list[Item] = []
    live = await db[SUMMARIES].find({"school": school, "year": year, "live": True}, projection=UNSHOWN).sort("_id", 1).to_list(None)
    for summary in await with_evidence(db, live):
        found += sealed_files(summary, f"tong-hop/{names.get(summary['class_code'], safe(summary['class_code']))}")
    async for correction in db["corrections"].find({"school": school, "year": year, "minutes": {"$ne": None}}).sort("_id", 1):
        found.append((f"bien-ban/{safe(correction['_id'])}.pdf", DocumentRef.model_validate(correction["minutes"])))
    paper = {"school": school, "year": year, "live": True, "content.digitised": {"$ne": None}}
    made = {t["pupil_code"]: t async for t in db["transcripts"].find(paper, projection={"pupil_code": 1, "class_code": 1, "state": 1})}
    async for item in db["digitised"].find({"school": school, "year": year, "scan": {"$ne": None}}).sort("_id", 1):
        transcript = made.get(item["pupil_code"])
        if transcript is not None and transcript["state"] in SEALED:
            folder = names.get(transcript["class_code"], safe(transcript["class_code"]))
            found.append((f"ban-quet/{folder}/{transcript['_id']}.pdf", DocumentRef.model_validate(item["scan"]["document"])))
    return found
