"""Queries of the dossier: versions of a transcript, what was done to it, and what is left aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document

MOST_ACTS = 500
VERSION = {"version": 1, "state": 1, "created_at": 1, "replaces": 1, "live": 1}


async def ensure_indexes(db: Database) -> None:
    await db["audit"].create_indexes([IndexModel([("subject", ASCENDING), ("at", ASCENDING)], name="subject")])
    await db["transcripts"].create_indexes(
        [IndexModel([("school", ASCENDING), ("year", ASCENDING), ("pupil_code", ASCENDING), ("version", ASCENDING)], name="versions")]
    )


async def versions_of(db: Database, transcript: Document) -> list[Document]:
    """All of the same pupil, year and school, the first one first."""
    same = {k: transcript[k] for k in ("school", "year", "pupil_code")}
    return await db["transcripts"].find(same, projection=VERSION).sort("version", 1).to_list(None)


async def acts_on(db: Database, transcript: Document) -> list[Document]:
    """The newest entries of the audit trail about this transcript, or about a package that it was in; the oldest of them first."""
    packages = await db["exports"].distinct("_id", {"transcripts": transcript["_id"]})
    wanted = {"subject": {"$in": [transcript["_id"], *packages]}}
    shown = {"at": 1, "act": 1, "actor": 1, "details": 1}
    found = await db["audit"].find(wanted, projection=shown).sort([("at", DESCENDING), ("_id", DESCENDING)]).to_list(MOST_ACTS)
    return found[::-1]


async def rendering_problem(db: Database, transcript: str) -> str:
    """Why its PDF could not be made; "" when nothing is known."""
    found = await db["renderings"].find_one({"_id": transcript}, projection={"problem": 1})
    return str((found or {}).get("problem") or "")
