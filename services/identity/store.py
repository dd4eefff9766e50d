"""What every part of identity asks of the database. The queries of a topic stand in the `store.py` of its package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.identity.accounts import recovery_store
from services.identity.accounts import store as accounts
from services.identity.activity import store as activity
from services.identity.agents import store as agents
from services.identity.certificates import outcomes, watch_store
from services.identity.certificates import store as certificates
from services.identity.notices import store as notices
from services.identity.openid import store as openid
from services.identity.organisations import people_store
from services.identity.organisations import store as organisations
from services.identity.problems import store as problems

if TYPE_CHECKING:
    from services.chassis.mongo import Database, Document, Session


async def ensure_indexes(db: Database) -> None:
    for topic in (
        organisations,
        accounts,
        agents,
        certificates,
        outcomes,
        watch_store,
        notices,
        recovery_store,
        people_store,
        activity,
        problems,
        openid,
    ):
        await topic.ensure_indexes(db)


async def one(db: Database, collection: str, key: str, session: Session | None = None) -> Document | None:
    found: Document | None = await db[collection].find_one({"_id": key}, session=session)
    return found
