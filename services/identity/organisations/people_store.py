"""What the page and the API of staff accounts ask of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, DESCENDING, IndexModel
from services.identity.accounts import sessions
from services.identity.accounts import store as accounts_store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from services.chassis.mongo import Database, Document


async def ensure_indexes(db: Database) -> None:
    await db["audit"].create_indexes([IndexModel([("subject", ASCENDING), ("at", DESCENDING)], name="subject")])


async def locked_until(db: Database, people: Iterable[str], at: datetime) -> dict[str, datetime]:
    """Who may not sign in because of wrong passwords, and until when: the latest over all counters of the account."""
    by_key = {accounts_store.guess_key(code): code for code in people}
    found = db["guesses"].find({"account": {"$in": list(by_key)}, "until": {"$gt": at}}).sort("until", ASCENDING)
    return {by_key[guess["account"]]: guess["until"] async for guess in found}


async def signed_in_now(db: Database, people: Collection[str], at: datetime) -> set[str]:
    good = {"person": {"$in": list(people)}, "ends_at": {"$gt": at}, "seen_at": {"$gt": at - sessions.IDLE}}
    return set(await db["sessions"].distinct("person", good))


async def acts_on(db: Database, person: str, acts: Iterable[str], most: int) -> list[Document]:
    """Recorded acts on the account, newest first; wrong passwords, which stand under the digest of the name, among them."""
    wanted = {"subject": {"$in": [person, accounts_store.guess_key(person)]}, "act": {"$in": list(acts)}}
    return await db["audit"].find(wanted).sort("at", DESCENDING).to_list(most)


async def last_act(db: Database, person: str, act: str) -> Document | None:
    found: Document | None = await db["audit"].find_one({"subject": person, "act": act}, sort=[("at", DESCENDING)])
    return found
