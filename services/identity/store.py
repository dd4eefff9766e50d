"""Everything that identity asks of its database, and its indexes.

units, schools: the oversight tree. people: who somebody is and what they may. accounts: how they sign in.
sessions: who is signed in. guesses: failures in a row by user name. registrations: signing accounts and school certificates.
owners: which school holds a school certificate.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from services.identity import certificates, passwords, sessions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session

FORGET_GUESSES = 24 * 3600
OPEN_STATES = [certificates.WAITING, certificates.APPROVED]
SHOWN_STATES = [certificates.WAITING, certificates.APPROVED, certificates.REFUSED]


async def ensure_indexes(db: Database) -> None:
    await db["people"].create_indexes([IndexModel([("school", ASCENDING)], name="school")])
    await db["accounts"].create_indexes([IndexModel([("username", ASCENDING)], unique=True, name="username")])
    await db["sessions"].create_indexes(
        [
            IndexModel([("ends_at", ASCENDING)], expireAfterSeconds=0, name="ends"),
            IndexModel([("person", ASCENDING)], name="person"),
        ]
    )
    await db["guesses"].create_indexes([IndexModel([("at", ASCENDING)], expireAfterSeconds=FORGET_GUESSES, name="forget")])
    await db["registrations"].create_indexes(
        [
            IndexModel([("slot", ASCENDING)], unique=True, partialFilterExpression={"slot": {"$exists": True}}, name="slot"),
            IndexModel([("kind", ASCENDING), ("owner", ASCENDING), ("year", ASCENDING), ("requested_at", DESCENDING)], name="owner"),
            IndexModel([("school", ASCENDING), ("year", ASCENDING), ("kind", ASCENDING)], name="school"),
        ]
    )


# --- organisations and people


async def one(db: Database, collection: str, key: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db[collection].find_one({"_id": key}, session=session)
    return found


async def schools_below(db: Database, unit: str) -> list[Document]:
    return await db["schools"].find({"path": unit}).sort("_id", ASCENDING).to_list(None)


async def people_of(db: Database, school: str, session: Session | None = None, codes: Iterable[str] = ()) -> dict[str, Document]:
    """Everybody of the school, and whoever else has one of the codes."""
    found = db["people"].find({"$or": [{"school": school}, {"_id": {"$in": list(codes)}}]}, session=session)
    return {person["_id"]: person async for person in found}


async def people_by_code(db: Database, codes: Iterable[str], session: Session | None = None) -> dict[str, Document]:
    found = db["people"].find({"_id": {"$in": list(codes)}}, session=session)
    return {person["_id"]: person async for person in found}


# --- accounts


async def account_named(db: Database, username: str) -> Document | None:
    found: Document | None = await db["accounts"].find_one({"username": username_of(username)})
    return found


async def accounts_of(db: Database, people: Iterable[str]) -> dict[str, Document]:
    found = db["accounts"].find({"_id": {"$in": list(people)}})
    return {account["_id"]: account async for account in found}


async def open_account(db: Database, session: Session, person: str) -> None:
    """An account without a password, unless there is one."""
    await db["accounts"].update_one(
        {"_id": person},
        {"$setOnInsert": {"username": username_of(person), "hash": None, "one_time_until": None, "signed_in_at": None}},
        upsert=True,
        session=session,
    )


async def keep_password(db: Database, session: Session | None, person: str, kept: str, one_time_until: datetime | None) -> None:
    """`one_time_until` None: a password of the person's own choice."""
    await db["accounts"].update_one({"_id": person}, {"$set": {"hash": kept, "one_time_until": one_time_until}}, session=session)


async def signed_in(db: Database, session: Session, person: str, at: datetime) -> None:
    await db["accounts"].update_one({"_id": person}, {"$set": {"signed_in_at": at}}, session=session)


def username_of(person: str) -> str:
    return person.strip().casefold()


def guess_key(username: str) -> str:
    """What is typed as user name may be a password by mistake, so only its digest is kept."""
    return hashlib.sha256(username_of(username).encode()).hexdigest()


async def count_guess(db: Database, key: str, at: datetime) -> int:
    """Count an attempt before it is made, so that many at once cannot pass the limit; over LOCKED_FROM the account is locked."""
    still_locked = {"$gt": [{"$ifNull": ["$until", at]}, at]}
    was_locked = {"$lte": ["$until", at]}
    counted = {"$add": [{"$ifNull": ["$failures", 0]}, 1]}
    document: Document | None = await db["guesses"].find_one_and_update(
        {"_id": key},
        [
            {
                "$set": {
                    "failures": {"$cond": [{"$and": [{"$gt": ["$until", None]}, was_locked]}, 1, counted]},
                    "until": {"$cond": [still_locked, "$until", None]},
                    "at": at,
                }
            },
            {
                "$set": {
                    "until": {
                        "$cond": [
                            {"$and": [{"$lte": ["$until", None]}, {"$gte": ["$failures", passwords.LOCKED_FROM]}]},
                            at + passwords.LOCK,
                            "$until",
                        ]
                    }
                }
            },
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert document is not None
    return int(document["failures"])


async def forget_guesses(db: Database, usernames: Iterable[str], session: Session | None = None) -> None:
    await db["guesses"].delete_many({"_id": {"$in": [guess_key(name) for name in usernames]}}, session=session)


# --- sessions


async def session_by_token(db: Database, token: str) -> tuple[Document | None, Document | None]:
    """The session and its person as they are now, in one round trip."""
    found = await (
        db["sessions"]
        .aggregate(
            [
                {"$match": {"_id": sessions.digest_of(token)}},
                {"$lookup": {"from": "people", "localField": "person", "foreignField": "_id", "as": "who"}},
            ]
        )
        .to_list(1)
    )
    if not found:
        return None, None
    return found[0], next(iter(found[0]["who"]), None)


async def touch(db: Database, digest: str, at: datetime) -> None:
    await db["sessions"].update_one({"_id": digest}, {"$set": {"seen_at": at}})


async def sessions_of(db: Database, person: str, at: datetime, session: Session | None = None) -> list[Document]:
    """The person's good sessions, the one used last first."""
    good = {"person": person, "ends_at": {"$gt": at}, "seen_at": {"$gt": at - sessions.IDLE}}
    return await db["sessions"].find(good, session=session).sort("seen_at", DESCENDING).to_list(None)


async def end_other_sessions(db: Database, session: Session, person: str, kept: str) -> None:
    """All of the person but the one with this digest."""
    await db["sessions"].delete_many({"person": person, "_id": {"$ne": kept}}, session=session)


async def end_sessions(db: Database, session: Session | None, people: Iterable[str]) -> None:
    await db["sessions"].delete_many({"person": {"$in": list(people)}}, session=session)


# --- registrations


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
