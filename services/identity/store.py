"""What every part of identity asks of the database. The queries of a topic stand in the `store.py` of its package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.identity.accounts import store as accounts
from services.identity.certificates import store as certificates
from services.identity.organisations import store as organisations

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    for topic in (organisations, accounts, certificates):
        await topic.ensure_indexes(db)


async def one(db: Database, collection: str, key: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db[collection].find_one({"_id": key}, session=session)
    return found
