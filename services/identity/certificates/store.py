"""What registrations ask of the database, and their indexes.

registrations: signing accounts and school certificates. owners: which school holds a school certificate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.identity.certificates import registrations as certificates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["registrations"].create_indexes(
        [
            IndexModel([("slot", ASCENDING)], unique=True, partialFilterExpression={"slot": {"$exists": True}}, name="slot"),
            IndexModel([("kind", ASCENDING), ("owner", ASCENDING), ("year", ASCENDING), ("requested_at", DESCENDING)], name="owner"),
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("kind", ASCENDING)], name="school"),
        ]
    )


OPEN_STATES = [certificates.WAITING, certificates.APPROVED]

SHOWN_STATES = [certificates.WAITING, certificates.APPROVED, certificates.REFUSED]


async def in_slot(db: Database, session: Session | None, slot: str) -> Document | None:
    found: Document | None = await db["registrations"].find_one({"slot": slot}, session=session)
    return found


async def open_registrations(
    db: Database, session: Session | None, school: str, year: str, people: Iterable[str] | None = None
) -> list[Document]:
    """Waiting and approved signing accounts of the school; of certain people only, if they are named."""
    wanted: dict[str, Any] = {"school": school, "year": year, "kind": "person", "state": {"$in": OPEN_STATES}}
    if people is not None:
        wanted["owner"] = {"$in": list(people)}
    return await db["registrations"].find(wanted, session=session).to_list(None)


async def latest_accounts(db: Database, school: str, year: str | None) -> dict[str, Document]:
    """What stands for each person of the school: the newest registration that was not replaced or ended."""
    found = db["registrations"].find({"school": school, "year": year, "kind": "person", "state": {"$in": SHOWN_STATES}})
    return {r["owner"]: r async for r in found.sort("requested_at", ASCENDING)}


async def history(db: Database, kind: str, owner: str, year: str | None) -> list[Document]:
    """Newest first."""
    return await db["registrations"].find({"kind": kind, "owner": owner, "year": year}).sort("requested_at", DESCENDING).to_list(None)


async def hold_certificate(db: Database, session: Session, sha256: str, school: str) -> bool:
    """False when another school holds it. Inside a transaction two schools that try at once conflict, and one is run again."""
    held = await db["owners"].find_one({"_id": sha256}, session=session)
    if held is not None:
        return bool(held["school"] == school)
    await db["owners"].insert_one({"_id": sha256, "school": school}, session=session)
    return True


async def release_certificate(db: Database, session: Session, sha256: str) -> None:
    """Free for others again, unless another registration of the school still needs it."""
    if await db["registrations"].count_documents({"kind": "school", "sha256": sha256, "state": {"$in": OPEN_STATES}}, session=session) == 0:
        await db["owners"].delete_one({"_id": sha256}, session=session)
