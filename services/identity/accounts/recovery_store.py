"""What recovering accounts asks of the database, and its indexes.

recoveries: the last request for each name, under its digest. recovery_links: one-time links by the digest of their secret.
recovery_asks: how often a name was asked for lately.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.access import Role
from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from services.identity.accounts import recovery
from services.identity.accounts import store as accounts_store
from services.identity.accounts.recovery import Surroundings
from services.identity.organisations.people import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    await db["recoveries"].create_indexes(
        [
            IndexModel([("desk", ASCENDING), ("state", ASCENDING), ("asked_at", DESCENDING)], name="desk"),
            IndexModel([("forget_at", ASCENDING)], expireAfterSeconds=0, name="forget"),
        ]
    )
    await db["recovery_links"].create_indexes(
        [
            IndexModel([("person", ASCENDING)], name="person"),
            IndexModel([("until", ASCENDING)], expireAfterSeconds=0, name="ends"),
        ]
    )
    await db["recovery_asks"].create_indexes([IndexModel([("until", ASCENDING)], expireAfterSeconds=0, name="forget")])


async def count_ask(db: Database, key: str, at: datetime) -> int:
    """How often the name was asked for within ASKED_WITHIN of the first time, this one included."""
    over = {"$lte": [{"$ifNull": ["$until", at]}, at]}
    document: Document | None = await db["recovery_asks"].find_one_and_update(
        {"_id": key},
        [
            {
                "$set": {
                    "count": {"$cond": [over, 1, {"$add": ["$count", 1]}]},
                    "until": {"$cond": [over, at + recovery.ASKED_WITHIN, "$until"]},
                }
            }
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert document is not None
    return int(document["count"])


async def keep_request(db: Database, session: Session, request: Document) -> None:
    await db["recoveries"].replace_one({"_id": request["_id"]}, request, upsert=True, session=session)


async def requests_at(db: Database, desk: str, state: str | None = None) -> list[Document]:
    """Newest first."""
    wanted = {"desk": desk, **({"state": state} if state else {})}
    return await db["recoveries"].find(wanted).sort("asked_at", DESCENDING).to_list(None)


async def count_waiting(db: Database, desk: str) -> int:
    return await db["recoveries"].count_documents({"desk": desk, "state": recovery.WAITING})


async def waiting_of(db: Database, session: Session | None, people: Iterable[str]) -> dict[str, Document]:
    """The waiting requests of these people, by person."""
    keys = [accounts_store.guess_key(person) for person in people]
    found = db["recoveries"].find({"_id": {"$in": keys}, "state": recovery.WAITING, "person": {"$ne": None}}, session=session)
    return {request["person"]: request async for request in found}


async def decide(db: Database, session: Session, people: Iterable[str], *, state: str, by: str, reason: str, at: datetime) -> None:
    """What waits of these people, is decided."""
    keys = [accounts_store.guess_key(person) for person in people]
    change = {"state": state, "decided_by": by, "decided_at": at, "reason": reason}
    await db["recoveries"].update_many({"_id": {"$in": keys}, "state": recovery.WAITING}, {"$set": change}, session=session)


async def keep_links(db: Database, session: Session, links: Sequence[Document]) -> None:
    """New links; earlier ones of the same people end."""
    await end_links(db, session, [link["person"] for link in links])
    await db["recovery_links"].insert_many([dict(link) for link in links], session=session)


async def end_links(db: Database, session: Session, people: Iterable[str]) -> int:
    ended = await db["recovery_links"].delete_many({"person": {"$in": list(people)}}, session=session)
    return int(ended.deleted_count)


async def take_link(db: Database, session: Session, digest: str) -> Document | None:
    """The link, which is used up with this."""
    found: Document | None = await db["recovery_links"].find_one_and_delete({"_id": digest}, session=session)
    return found


async def has_link(db: Database, person: str, at: datetime) -> bool:
    return await db["recovery_links"].find_one({"person": person, "until": {"$gt": at}}) is not None


async def set_reset(db: Database, session: Session, person: str, *, by: str, at: datetime) -> None:
    await db["accounts"].update_one({"_id": person}, {"$set": {"reset": {"at": at, "by": by}}}, session=session)


async def close_accounts(db: Database, session: Session, people: Sequence[str]) -> None:
    """No password opens them any more; whoever is signed in is signed out, links and requests end."""
    await db["accounts"].update_many({"_id": {"$in": list(people)}}, {"$set": {"hash": None, "one_time_until": None}}, session=session)
    await accounts_store.end_sessions(db, session, people)
    await end_links(db, session, people)


async def around(db: Database, person: Document, session: Session | None = None) -> Surroundings:
    """Always the same queries, whoever it is."""
    [found] = await around_all(db, [person], session)
    return found


async def around_all(db: Database, people: Sequence[Document], session: Session | None = None) -> list[Surroundings]:
    """The surroundings of each, in order."""
    schools = {p["school"] for p in people if p["school"]}
    units = {p["unit"] for p in people if p["unit"]}
    places = [
        document
        for collection, codes in (("schools", schools), ("units", units))
        async for document in db[collection].find({"_id": {"$in": list(codes)}}, {"path": 1}, session=session)
    ]
    paths: dict[str, list[str]] = {place["_id"]: place["path"] for place in places}
    above = {unit for path in paths.values() for unit in path}
    wanted = [
        {"school": {"$in": list(schools)}, "roles": Role.ADMINISTRATOR.value},
        {"unit": {"$in": list(above)}, "roles": Role.OFFICER.value},
    ]
    keepers = await db["people"].find({"$or": wanted}, session=session).to_list(None)
    found = []
    for person in people:
        path = paths.get(place_of(person) or "", [])
        near = [k for k in keepers if (k["school"] and k["school"] == person["school"]) or k["unit"] in path]
        found.append(Surroundings(path, near))
    return found
