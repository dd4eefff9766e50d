"""What accounts ask of the database, and their indexes.

accounts: how people sign in. sessions: who is signed in. guesses: failures by user name and device (see `guesses.py`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from services.identity.accounts import passwords, sessions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["accounts"].create_indexes([IndexModel([("username", ASCENDING)], unique=True, name="username")])
    await db["sessions"].create_indexes(
        [
            IndexModel([("ends_at", ASCENDING)], expireAfterSeconds=0, name="ends"),
            IndexModel([("person", ASCENDING)], name="person"),
        ]
    )
    await db["guesses"].create_indexes(
        [
            IndexModel([("at", ASCENDING)], expireAfterSeconds=FORGET_GUESSES, name="forget"),
            IndexModel([("account", ASCENDING)], name="account"),
        ]
    )


FORGET_GUESSES = 24 * 3600


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


async def count_guess(db: Database, key: str, at: datetime, *, account: str) -> int:
    """Count an attempt before it is made, so that many at once cannot pass the limit; over LOCKED_FROM the counter `key` is locked."""
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
                    "account": account,
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
    """On every counter."""
    await db["guesses"].delete_many({"account": {"$in": [guess_key(name) for name in usernames]}}, session=session)


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
