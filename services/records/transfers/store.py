"""Transfers: `transfers_out` and `arrivals` (the registers), `received` (documents of other schools), `registers` (running numbers)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.mongo import ASCENDING, IndexModel, ReturnDocument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Document, Session

OUT, IN, RECEIVED, REGISTERS = "transfers_out", "arrivals", "received", "registers"
SEALED, TAKEN, CANCELLED, CHECKED = "SEALED", "TAKEN", "CANCELLED", "CHECKED"
SHOWN = 5000


async def ensure_indexes(db: Database) -> None:
    await db[OUT].create_indexes(
        [
            IndexModel(
                [("school", ASCENDING), ("personal_id", ASCENDING)],
                unique=True,
                partialFilterExpression={"standing": True},
                name="one_stands",
            ),
            IndexModel([("school", ASCENDING), ("at", ASCENDING)]),
            IndexModel([("personal_id", ASCENDING)]),
        ]
    )
    await db[IN].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("package", ASCENDING)], unique=True),
            IndexModel([("school", ASCENDING), ("at", ASCENDING)]),
        ]
    )
    await db[RECEIVED].create_indexes(
        [
            IndexModel([("school", ASCENDING), ("document.id", ASCENDING)], unique=True),
            IndexModel([("school", ASCENDING), ("personal_id", ASCENDING)]),
        ]
    )


async def next_number(db: Database, session: Session, register: str) -> int:
    """The next running number of a register, from 1; given back when the transaction is."""
    found: Document | None = await db[REGISTERS].find_one_and_update(
        {"_id": register}, {"$inc": {"n": 1}}, upsert=True, return_document=ReturnDocument.AFTER, session=session
    )
    return int((found or {})["n"])


# leaving


async def left_of(db: Database, school: str, year: str) -> frozenset[str]:
    """Codes of the pupils who left in that year with a transfer that stands."""
    return frozenset(await db[OUT].distinct("pupil_code", {"school": school, "year": year, "standing": True}))


async def transfer_out(db: Database, school: str, transfer_id: str, session: Session | None = None) -> Document:
    found: Document | None = await db[OUT].find_one({"_id": transfer_id, "school": school}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def transfers_out(db: Database, school: str) -> list[Document]:
    """Newest first."""
    found: list[Document] = await db[OUT].find({"school": school}).sort("at", -1).to_list(SHOWN)
    return found


async def standing_of(db: Database, school: str, personal_id: str) -> Document | None:
    found: Document | None = await db[OUT].find_one({"school": school, "personal_id": personal_id, "standing": True})
    return found


async def of_package(db: Database, package: str, session: Session | None = None) -> Document | None:
    """The transfer that made this package, when that was here."""
    found: Document | None = await db[OUT].find_one({"_id": package}, session=session)
    return found


async def add_out(db: Database, session: Session, document: Document) -> None:
    """Raises DuplicateKeyError while another transfer of the pupil stands."""
    await db[OUT].insert_one(document, session=session)


async def move_out(db: Database, session: Session, transfer_id: str, state: str, changes: Document) -> None:
    """Raises Refused(CONFLICT) when it is not in `state` any more."""
    done = await db[OUT].update_one({"_id": transfer_id, "state": state}, {"$set": changes}, session=session)
    if done.modified_count != 1:
        raise Refused(CONFLICT)


async def end_standing(db: Database, session: Session, school: str, personal_id: str) -> None:
    """The pupil is back: the way out lies behind."""
    await db[OUT].update_many(
        {"school": school, "personal_id": personal_id, "standing": True}, {"$set": {"standing": False}}, session=session
    )


async def moves_of(db: Database, school: str, personal_id: str) -> tuple[list[Document], list[Document]]:
    """(transfers out, arrivals that were taken) of one pupil at one school, oldest first."""
    out: list[Document] = await db[OUT].find({"school": school, "personal_id": personal_id}).sort("at", 1).to_list(None)
    wanted = {"school": school, "personal_id": personal_id, "state": TAKEN}
    taken: list[Document] = await db[IN].find(wanted).sort("at", 1).to_list(None)
    return out, taken


# arriving


async def arrival(db: Database, school: str, arrival_id: str, session: Session | None = None) -> Document:
    found: Document | None = await db[IN].find_one({"_id": arrival_id, "school": school}, session=session)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def arrivals(db: Database, school: str) -> list[Document]:
    found: list[Document] = await db[IN].find({"school": school}).sort("at", -1).to_list(SHOWN)
    return found


async def arrival_of_package(db: Database, school: str, package: str) -> Document | None:
    found: Document | None = await db[IN].find_one({"school": school, "package": package})
    return found


async def keep_arrival(db: Database, session: Session, document: Document) -> None:
    """A package uploaded again before it is taken replaces what was examined. Raises DuplicateKeyError when two do it at once."""
    await db[IN].delete_many({"school": document["school"], "package": document["package"], "state": CHECKED}, session=session)
    await db[IN].insert_one(document, session=session)


async def take_arrival(db: Database, session: Session, arrival_id: str, changes: Document) -> bool:
    done = await db[IN].update_one({"_id": arrival_id, "state": CHECKED}, {"$set": {**changes, "state": TAKEN}}, session=session)
    return done.modified_count == 1


# documents of other schools


async def known_received(db: Database, session: Session, school: str, ids: Iterable[str]) -> set[str]:
    return set(await db[RECEIVED].distinct("document.id", {"school": school, "document.id": {"$in": list(ids)}}, session=session))


async def add_received(db: Database, session: Session, documents: list[Document]) -> None:
    if documents:
        await db[RECEIVED].insert_many(documents, session=session)


async def received_of(db: Database, school: str, personal_id: str) -> list[Document]:
    """Oldest year first."""
    wanted = {"school": school, "personal_id": personal_id}
    found: list[Document] = await db[RECEIVED].find(wanted).sort([("document.year", 1), ("_id", 1)]).to_list(None)
    return found


async def received(db: Database, school: str, received_id: str) -> Document:
    found: Document | None = await db[RECEIVED].find_one({"_id": received_id, "school": school})
    if found is None:
        raise Refused(NOT_FOUND)
    return found
