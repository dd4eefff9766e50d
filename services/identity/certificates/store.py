"""What registrations ask of the database, and their indexes.

registrations: signing accounts and school certificates. owners: which school holds a school certificate.
proofs: attempts to show that a key is held, on the way to a registration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.identity.certificates import registrations as certificates

if TYPE_CHECKING:
    import datetime as dt
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
    await db["proofs"].create_indexes(
        [
            IndexModel([("slot", ASCENDING)], unique=True, partialFilterExpression={"slot": {"$exists": True}}, name="slot"),
            IndexModel([("forget_at", ASCENDING)], expireAfterSeconds=0, name="forget"),
        ]
    )


OPEN_STATES = [certificates.WAITING, certificates.APPROVED, certificates.SUSPENDED]

SHOWN_STATES = [certificates.WAITING, certificates.APPROVED, certificates.REFUSED, certificates.SUSPENDED]


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


async def latest_accounts(db: Database, school: str, year: str | None, states: Iterable[str] = SHOWN_STATES) -> dict[str, Document]:
    """What stands for each person of the school: the newest registration that was not replaced or ended, or that is in `states`."""
    found = db["registrations"].find({"school": school, "year": year, "kind": "person", "state": {"$in": list(states)}})
    return {r["owner"]: r async for r in found.sort("requested_at", ASCENDING)}


async def history(db: Database, kind: str, owner: str, year: str | None) -> list[Document]:
    """Newest first."""
    return await db["registrations"].find({"kind": kind, "owner": owner, "year": year}).sort("requested_at", DESCENDING).to_list(None)


async def whole_history(db: Database, kind: str, owner: str) -> list[Document]:
    """Of all school years, newest first."""
    return await db["registrations"].find({"kind": kind, "owner": owner}).sort("requested_at", DESCENDING).to_list(None)


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


async def approved_last_year(
    db: Database, session: Session | None, kind: str, school: str, year: str, *, owners: Iterable[str] | None = None
) -> dict[str, Document]:
    """By owner, what is still approved of the school year before `year`."""
    wanted: dict[str, Any] = {"kind": kind, "school": school, "state": certificates.APPROVED, "year": certificates.year_before(year)}
    if owners is not None:
        wanted["owner"] = {"$in": list(owners)}
    return {r["owner"]: r async for r in db["registrations"].find(wanted, session=session)}


async def own_proof(db: Database, key: str, person: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db["proofs"].find_one({"_id": key, "person": person}, session=session)
    return found


async def note_codes_sent(db: Database, key: str, at: dt.datetime | None, *, before: dt.datetime) -> bool:
    """False when one-time passwords were sent after `before`; `at` None when the sending failed."""
    free = {"$or": [{"codes_sent_at": None}, {"codes_sent_at": {"$lt": before}}]} if at is not None else {}
    return (await db["proofs"].update_one({"_id": key, **free}, {"$set": {"codes_sent_at": at}})).matched_count == 1


async def change_proof(db: Database, key: str, changes: dict[str, Any]) -> None:
    """While its key is waited for, beside whoever carries it on."""
    await db["proofs"].update_one({"_id": key, "state": "WAITING_FOR_KEY"}, {"$set": changes})


async def take_way_back(db: Database, person: str, state: str) -> Document | None:
    """The proof, with `leaving`, of a person who comes back from a provider's page; the same `state` finds nothing a second time."""
    wanted = {"person": person, "state": "WAITING_FOR_KEY", "leaving.state": state}
    found: Document | None = await db["proofs"].find_one_and_update(wanted, {"$unset": {"leaving": ""}})
    return found


async def open_proof(db: Database, session: Session | None, slot: str) -> Document | None:
    found: Document | None = await db["proofs"].find_one({"slot": slot}, session=session)
    return found


async def add_proof(db: Database, session: Session, proof: Document) -> None:
    await db["proofs"].insert_one(proof, session=session)


async def keep_proof(db: Database, session: Session | None, before: Document, after: Document) -> bool:
    """False when it is not as it was any more: ended, or worked on by somebody else."""
    as_it_was: dict[str, Any] = {"_id": before["_id"], "state": before["state"], "lease": before.get("lease", {"$exists": False})}
    return (await db["proofs"].replace_one(as_it_was, after, session=session)).matched_count == 1
