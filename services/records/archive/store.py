"""Archive exports: `archives` (one document an export), `archive_items` (what goes in, in order), `archive_parts` (what is written)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel
from services.records.archive.checker import Entry
from services.records.archive.packing import Written
from services.records.evidence_files import evidence_of_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document, Session

EXPORTS, ITEMS, PARTS = "archives", "archive_items", "archive_parts"
PLANNING, PACKING, FINISHED, FAILED = "PLANNING", "PACKING", "FINISHED", "FAILED"
RUNNING = (PLANNING, PACKING)
BATCH = 1000
SHOWN = 200


async def ensure_indexes(db: Database) -> None:
    await db[EXPORTS].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("at", ASCENDING)]),
            IndexModel([("school", ASCENDING), ("year", ASCENDING)], unique=True, partialFilterExpression={"running": True}, name="one"),
            IndexModel([("running", ASCENDING)]),
        ]
    )
    for name in (ITEMS, PARTS):
        await db[name].create_indexes([IndexModel([("export", ASCENDING), ("n", ASCENDING)], unique=True)])


async def add(db: Database, session: Session, document: Document) -> None:
    """Raises DuplicateKeyError while another export of the year runs."""
    await db[EXPORTS].insert_one(document, session=session)


async def count(db: Database, school: str, year: str, session: Session) -> int:
    return await db[EXPORTS].count_documents({"school": school, "year": year}, session=session)


async def standing(db: Database, school: str, year: str) -> list[Document]:
    """The transcripts that count, with their evidence and without what stands in them: thousands fit into memory."""
    wanted = {"school": school, "year": year, "live": True}
    found = db["transcripts"].find(wanted, projection={"content": 0, "signatures": 0}).sort([("class_code", 1), ("number", 1)])
    return await with_evidence(db, await found.to_list(None))


async def with_evidence(db: Database, documents: Sequence[Document]) -> list[Document]:
    """`ers`: the file of the evidence record over what stands there; None as long as there is none."""
    evidence = await evidence_of_all(db, documents)
    return [{**each, "ers": evidence[each["_id"]]["file"] if each["_id"] in evidence else None} for each in documents]


async def export_of(db: Database, school: str, export_id: str) -> Document:
    found: Document | None = await db[EXPORTS].find_one({"_id": export_id, "school": school})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def exports(db: Database, school: str) -> list[Document]:
    """Newest first."""
    found: list[Document] = await db[EXPORTS].find({"school": school}).sort("at", -1).to_list(SHOWN)
    return found


async def keep_plan(db: Database, export_id: str, items: Sequence[tuple[str, DocumentRef]]) -> bool:
    """Write the items down, over what an earlier try left. False when the export is no longer being planned."""
    await db[ITEMS].delete_many({"export": export_id})
    documents = [
        {"_id": f"{export_id}:{n:07}", "export": export_id, "n": n, "name": name, "ref": ref.model_dump(mode="json")}
        for n, (name, ref) in enumerate(items)
    ]
    for start in range(0, len(documents), BATCH):
        await db[ITEMS].insert_many(documents[start : start + BATCH])
    done = await db[EXPORTS].update_one({"_id": export_id, "state": PLANNING}, {"$set": {"state": PACKING, "total": len(documents)}})
    return done.modified_count == 1


async def items_from(db: Database, export_id: str, first: int, most: int) -> list[tuple[str, DocumentRef]]:
    found = await db[ITEMS].find({"export": export_id, "n": {"$gte": first}}).sort("n", 1).to_list(most)
    return [(d["name"], DocumentRef.model_validate(d["ref"])) for d in found]


async def keep_part(
    db: Database, session: Session, export_id: str, *, n: int, start: int, ref: DocumentRef, entries: Sequence[Written]
) -> None:
    rows = [{"name": w.entry.name, "size": w.entry.size, "crc": w.entry.crc, "offset": w.entry.offset, "sha256": w.sha256} for w in entries]
    document = {"_id": f"{export_id}:{n:05}", "export": export_id, "n": n, "start": start, "ref": ref.model_dump(mode="json")}
    await db[PARTS].insert_one({**document, "entries": rows}, session=session)


async def advance(db: Database, session: Session, export: Document, changes: Document) -> bool:
    """From the state that was worked from, else nothing: two workers never both write the same part."""
    wanted = {"_id": export["_id"], "state": PACKING, "done": export["done"], "parts": export["parts"]}
    done = await db[EXPORTS].update_one(wanted, {"$set": changes}, session=session)
    return done.modified_count == 1


async def written_entries(db: Database, export_id: str) -> list[Written]:
    found: list[Written] = []
    async for part in db[PARTS].find({"export": export_id}).sort("n", 1):
        found += [Written(Entry(e["name"], e["size"], e["crc"], e["offset"]), e["sha256"]) for e in part["entries"]]
    return found


async def parts_of(db: Database, export_id: str) -> list[DocumentRef]:
    found = await db[PARTS].find({"export": export_id}, projection={"ref": 1}).sort("n", 1).to_list(None)
    return [DocumentRef.model_validate(d["ref"]) for d in found]


async def finish(db: Database, session: Session, export_id: str, changes: Document) -> None:
    await db[EXPORTS].update_one({"_id": export_id}, {"$set": changes, "$unset": {"running": ""}}, session=session)


async def drop_items(db: Database, export_id: str) -> None:
    """The plan is not needed any more once the package is closed or given up."""
    await db[ITEMS].delete_many({"export": export_id})
