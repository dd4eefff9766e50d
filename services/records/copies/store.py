"""Every query of certified copies: `copies`, and `copy_numbers` with the last number of each school and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import aggregates, audit
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, transaction
from services.records.copies.rules import SEALED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.documents import DocumentRef
    from services.chassis.mongo import Database, Document, Session

MOST_FOUND = 50
"""Transcripts shown to choose from."""
SHOWN = ("pupil_code", "pupil_name", "class_code", "year", "version", "state", "school")


async def ensure_indexes(db: Database) -> None:
    await db["copies"].create_indexes(
        [
            IndexModel(
                [("school", ASCENDING), ("register_year", ASCENDING), ("number", ASCENDING)],
                unique=True,
                partialFilterExpression={"number": {"$type": "int"}},
            ),
            IndexModel([("school", ASCENDING), ("requested_at", DESCENDING)]),
        ]
    )


async def copy_of(db: Database, school: str, copy_id: str, session: Session | None = None) -> Document:
    """Raises Refused(NOT_FOUND), for another school's copy too."""
    found = await db["copies"].find_one({"_id": copy_id, "school": school}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def copies(db: Database, school: str) -> list[Document]:
    """All that was ever asked of the school, newest first."""
    return await db["copies"].find({"school": school}).sort([("requested_at", -1), ("_id", 1)]).to_list(None)


async def transcript_of(db: Database, school: str, transcript_id: str, session: Session | None = None) -> Document:
    """Raises Refused(NOT_FOUND), for another school's transcript too."""
    found = await db["transcripts"].find_one({"_id": transcript_id, "school": school}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def sealed_transcripts(db: Database, school: str) -> list[Document]:
    """Every transcript of the school that copies can be made of, of all years, without its content."""
    wanted = {"school": school, "live": True, "state": {"$in": [state.value for state in SEALED]}}
    projection = {**dict.fromkeys(SHOWN, 1), "content.pupil.personal_id": 1}
    return await db["transcripts"].find(wanted, projection=projection).sort([("year", -1), ("class_code", 1)]).to_list(None)


async def add(db: Database, copy: Document, *, actor: str) -> None:
    async def work(session: Session) -> None:
        await aggregates.save(db, session, "copies", [Change(copy)], actor=actor)
        ask = copy["ask"]
        details = {"transcript": copy["transcript"], "kind": ask["kind"], "medium": ask["medium"], "copies": ask["count"]}
        await audit.record(db, session, actor=actor, act="copy asked for", subject=copy["_id"], place=copy["school"], details=details)

    await transaction(db, work)


async def issue(
    db: Database, school: str, copy_id: str, year: int, decide: Callable[[Document, Document, int], Document], *, actor: str
) -> Document:
    """Number and state change in one transaction: whatever fails takes the number back, so the register has no gaps.

    `decide` gets the copy, its transcript as it is now, and the number. Raises Refused.
    """

    counter_id = {"_id": f"{school}:{year}"}
    # there before the transaction: two first copies of a year then wait for each other instead of both creating it
    await db["copy_numbers"].update_one(counter_id, {"$setOnInsert": {"last": 0}}, upsert=True)

    async def work(session: Session) -> Document:
        copy = await copy_of(db, school, copy_id, session)
        transcript = await transcript_of(db, school, copy["transcript"], session)
        counter = await db["copy_numbers"].find_one_and_update(
            counter_id, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER, session=session
        )
        if counter is None:
            raise Refused(CONFLICT)
        after = decide(copy, transcript, counter["last"])
        await aggregates.save(db, session, "copies", [Change(after)], actor=actor)
        details = {
            "number": after["number"],
            "year": str(after["register_year"]),
            "transcript": after["transcript"],
            "sha256": after["source"]["pdf"]["sha256"],
            "before": copy["state"],
            "after": after["state"],
        }
        await audit.record(db, session, actor=actor, act="copy issued", subject=copy_id, place=school, details=details)
        return after

    return await transaction(db, work)


async def change(db: Database, school: str, copy_id: str, decide: Callable[[Document], Document], *, act: str, actor: str) -> None:
    async def work(session: Session) -> None:
        copy = await copy_of(db, school, copy_id, session)
        after = decide(copy)
        await aggregates.save(db, session, "copies", [Change(after)], actor=actor)
        details = {"before": copy["state"], "after": after["state"], "reason": after["reason"]}
        if copy["number"]:
            details["number"] = copy["number"]
        await audit.record(db, session, actor=actor, act=act, subject=copy_id, place=school, details=details)

    await transaction(db, work)


async def keep_file(db: Database, copy: Mapping[str, object], file: DocumentRef) -> Document:
    """The first file that was made of an issued copy is the one; a second one made at the same time is forgotten."""
    stored = file.model_dump(mode="json")
    await db["copies"].update_one({"_id": copy["_id"], "pdf": None}, {"$set": {"pdf": stored}, "$inc": {"sequence": 1}})
    found = await db["copies"].find_one({"_id": copy["_id"]})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def record_export(db: Database, school: str, rows: int, *, actor: str) -> None:
    await audit.record(db, None, actor=actor, act="copy register exported", subject=school, place=school, details={"rows": rows})
