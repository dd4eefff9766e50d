"""What signing in elsewhere asks of the database, and its indexes.

openid_begun: who left for a provider and has not come back. openid_links: which account of a provider is whose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.identity.openid import links

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from services.chassis.mongo import Database, Document, Session
    from services.identity.openid.client import Begun


async def ensure_indexes(db: Database) -> None:
    await db["openid_begun"].create_indexes([IndexModel([("until", ASCENDING)], expireAfterSeconds=0, name="ends")])
    await db["openid_links"].create_indexes(
        [
            IndexModel([("place", ASCENDING), ("state", ASCENDING), ("asked_at", DESCENDING)], name="place"),
            IndexModel([("person", ASCENDING)], name="person"),
        ]
    )


async def keep_begun(db: Database, begun: Begun, *, provider: str, version: str, onward: str, at: datetime) -> None:
    kept = {"provider": provider, "nonce": begun.nonce, "verifier": begun.verifier, "version": version, "onward": onward}
    await db["openid_begun"].insert_one({"_id": links.digest_of(begun.state), **kept, "until": at + links.BEGUN_VALID})


async def take_begun(db: Database, state: str, provider: str, at: datetime) -> Document | None:
    """Used up with this, whatever comes of it."""
    found: Document | None = await db["openid_begun"].find_one_and_delete({"_id": links.digest_of(state)})
    return found if found is not None and found["provider"] == provider and at < found["until"] else None


async def people_known_as(db: Database, personal_id: str, unit: str | None) -> tuple[list[Document], dict[str, Document]]:
    """Whoever has the personal id in the unit's branch, and the schools of these people by code; without a unit, anywhere."""
    branch = {"path": unit} if unit else {}
    people = await db["people"].find({"personal_id": personal_id}).to_list(None)
    schools = {s["_id"]: s async for s in db["schools"].find({"_id": {"$in": [p["school"] for p in people if p["school"]]}, **branch})}
    units = {u["_id"] async for u in db["units"].find({"_id": {"$in": [p["unit"] for p in people if p["unit"]]}, **branch})}
    return [p for p in people if p["school"] in schools or p["unit"] in units], schools


async def keep_link(db: Database, session: Session, link: Document) -> None:
    await db["openid_links"].replace_one({"_id": link["_id"]}, link, upsert=True, session=session)


async def links_of(db: Database, session: Session | None, keys: Sequence[str]) -> list[Document]:
    return await db["openid_links"].find({"_id": {"$in": list(keys)}}, session=session).to_list(None)


async def links_at(db: Database, places: Sequence[str], state: str | None = None) -> list[Document]:
    """Those of people of these schools and units, newest first."""
    wanted: dict[str, Any] = {"place": {"$in": list(places)}, **({"state": state} if state else {})}
    return await db["openid_links"].find(wanted).sort("asked_at", DESCENDING).to_list(None)


async def own_links(db: Database, person: str) -> list[Document]:
    return await db["openid_links"].find({"person": person}).sort("asked_at", DESCENDING).to_list(None)


async def remove_link(db: Database, session: Session, key: str, person: str) -> bool:
    """False when the person has no such link."""
    gone = await db["openid_links"].delete_one({"_id": key, "person": person}, session=session)
    return bool(gone.deleted_count)


async def places_below(db: Database, unit: str) -> list[str]:
    """Codes of the schools and units of the branch."""
    return [d["_id"] for name in ("units", "schools") for d in await db[name].find({"path": unit}, {"_id": 1}).to_list(None)]
