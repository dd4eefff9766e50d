"""Registrations of certificates as identity tells them: collection `signer_certificates`, one document a registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from services.chassis.mongo import ASCENDING, IndexModel
from services.records.review.certificates import told_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.event import Event
    from services.chassis.mongo import Database, Document, Session

COLLECTION: Final = "signer_certificates"


async def ensure_indexes(db: Database) -> None:
    await db[COLLECTION].create_indexes([IndexModel([("owner", ASCENDING)])])


async def save_told(db: Database, session: Session, events: Sequence[Event[Any]]) -> None:
    """Events of one registration come in order; one that comes again is left aside."""
    for event in events:
        known = await db[COLLECTION].find_one({"_id": event.subject}, session=session) or {}
        if known.get("sequence", 0) < event.sequence:
            await db[COLLECTION].replace_one({"_id": event.subject}, told_of(event, known), upsert=True, session=session)


async def registrations_of(db: Database, owners: Iterable[str]) -> dict[str, list[Document]]:
    """By owner, every registration that was told; an owner without any has none."""
    found: dict[str, list[Document]] = {owner: [] for owner in owners}
    async for document in db[COLLECTION].find({"owner": {"$in": list(found)}}):
        found[document["owner"]].append(document)
    return found
