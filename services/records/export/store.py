"""Queries of export and printing. `exports` says which transcripts went out with which package: an audit entry names the package."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from services.chassis import audit, clock
from services.chassis.mongo import ASCENDING, IndexModel, transaction
from services.records.documents import COLLECTIONS, kind_of, told_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.documents import DocumentKind
    from services.chassis.mongo import Database, Document, Session

KNOWN = {"kind": 1, "school": 1, "year": 1, "class_code": 1, "pupil_code": 1, "state": 1, "number": 1, "pdf": 1}
NEEDED = {
    **KNOWN,
    "pupil_name": 1,
    "version": 1,
    "xml": 1,
    "level": 1,
    "content.school_class.name": 1,
    "content.school.name": 1,
}
"""Of a document, without the content and the signatures: a school has thousands."""


async def ensure_indexes(db: Database) -> None:
    await db["exports"].create_indexes([IndexModel([("transcripts", ASCENDING)])])


async def by_ids(db: Database, school: str, ids: Sequence[str], kind: DocumentKind = "transcript") -> list[Document]:
    return await db[COLLECTIONS[kind]].find({"_id": {"$in": list(ids)}, "school": school}, projection=KNOWN).to_list(None)


async def live(
    db: Database,
    school: str,
    year: str,
    *,
    classes: Iterable[str] | None = None,
    pupils: Iterable[str] | None = None,
    kind: DocumentKind = "transcript",
) -> list[Document]:
    wanted: Document = {"school": school, "year": year, "live": True}
    if classes is not None:
        wanted["class_code"] = {"$in": list(classes)}
    if pupils is not None:
        wanted["pupil_code"] = {"$in": list(pupils)}
    return await db[COLLECTIONS[kind]].find(wanted, projection=KNOWN).to_list(None)


async def needed(db: Database, ids: Sequence[str], kind: DocumentKind = "transcript") -> list[Document]:
    """In the order of `ids`."""
    found = {d["_id"]: d async for d in db[COLLECTIONS[kind]].find({"_id": {"$in": list(ids)}}, projection=NEEDED)}
    return [found[i] for i in ids if i in found]


async def record(db: Database, *, act: str, school: str, actor: str, transcripts: Sequence[Document]) -> Document:
    """The package and its entry in the audit trail; whoever gives something out is on record before the first byte leaves."""
    ids = [t["_id"] for t in transcripts]
    package: Document = {"_id": str(uuid4()), "school": school, "act": act, "actor": actor, "at": clock.now(), "transcripts": ids}
    details = {
        **told_kind(kind_of(transcripts[0])),
        "transcripts": len(ids),
        "classes": len({(t["year"], t["class_code"]) for t in transcripts}),
    }

    async def work(session: Session) -> None:
        await db["exports"].insert_one(package, session=session)
        subject = ids[0] if len(ids) == 1 else package["_id"]
        await audit.record(db, session, actor=actor, act=act, subject=subject, place=school, details=details)

    await transaction(db, work)
    return package
