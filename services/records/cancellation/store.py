"""What cancelling asks of the transcripts, or of the class summaries, the cancelled ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.records.documents import COLLECTIONS
from services.records.transcripts.states import AWAITED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.documents import DocumentKind
    from services.chassis.mongo import Database, Document, Session
    from services.records.transcripts.states import State

UNSHOWN = {"content": 0, "signatures": 0}


async def in_states(
    db: Database,
    school: str,
    year: str,
    states: Iterable[State],
    *,
    classes: Iterable[str] | None = None,
    kind: DocumentKind = "transcript",
) -> list[Document]:
    """Without their content, by class."""
    wanted: Document = {"school": school, "year": year, "state": {"$in": [s.value for s in states]}}
    if classes is not None:
        wanted["class_code"] = {"$in": list(classes)}
    return await db[COLLECTIONS[kind]].find(wanted, projection=UNSHOWN).sort([("class_code", 1), ("number", 1)]).to_list(None)


async def for_cancelling(db: Database, school: str, year: str, kind: DocumentKind = "transcript") -> list[Document]:
    """All that menu 2.6 shows: signed or later, returned, cancelled, and what waits for a signature that cannot come."""
    waits = {"$in": [s.value for s in AWAITED]}
    wanted: Document = {"school": school, "year": year, "$or": [{"state": {"$not": waits}}, {"state": waits, "stopped": {"$ne": None}}]}
    return await db[COLLECTIONS[kind]].find(wanted, projection=UNSHOWN).sort([("class_code", 1), ("number", 1)]).to_list(None)


async def named(db: Database, school: str, ids: Iterable[str], kind: DocumentKind = "transcript") -> dict[str, Document]:
    """Those of the school, by id."""
    found = await db[COLLECTIONS[kind]].find({"_id": {"$in": list(ids)}, "school": school}, projection=UNSHOWN).to_list(None)
    return {t["_id"]: t for t in found}


async def drop_renderings(db: Database, session: Session, transcripts: Sequence[Document]) -> None:
    await db["renderings"].delete_many({"_id": {"$in": [t["_id"] for t in transcripts]}}, session=session)


async def render_again(db: Database, session: Session, transcripts: Sequence[Document]) -> None:
    """Tries what could not be rendered once more."""
    await db["renderings"].update_many({"_id": {"$in": [t["_id"] for t in transcripts]}}, {"$set": {"problem": None}}, session=session)
