"""Which picture a person's signature had at which time, as identity tells it.

signature_pictures: one document for each person (`_id` is the staff code) with the versions that were in use, the oldest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.documents import DocumentRef

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from contracts.event import Event
    from contracts.events.identity import SignatureImageChangedV1
    from services.chassis.mongo import Database, Document, Session

COLLECTION: Final = "signature_pictures"
MOST_VERSIONS: Final = 100


async def save_signature_pictures(db: Database, session: Session, events: Sequence[Event[SignatureImageChangedV1]]) -> None:
    """Take up what changed; an event that came before, or late behind a newer one, finds its place by its number."""
    for event in events:
        version = {"sequence": event.sequence, "from": event.occurred_at, "image": event.data.image.model_dump()}
        await db[COLLECTION].update_one({"_id": event.data.person}, {"$pull": {"versions": {"sequence": event.sequence}}}, session=session)
        await db[COLLECTION].update_one(
            {"_id": event.data.person},
            {"$push": {"versions": {"$each": [version], "$sort": {"sequence": 1}, "$slice": -MOST_VERSIONS}}},
            upsert=True,
            session=session,
        )


async def pictures_at(db: Database, signed: Mapping[str, dt.datetime]) -> dict[str, DocumentRef]:
    """By staff code, the picture that was in use when that person signed; nobody who had none then."""
    found = await db[COLLECTION].find({"_id": {"$in": list(signed)}}).to_list(None)
    chosen = {document["_id"]: _in_use(document, signed[document["_id"]]) for document in found}
    return {person: ref for person, ref in chosen.items() if ref is not None}


def _in_use(document: Document, at: dt.datetime) -> DocumentRef | None:
    before = [version for version in document["versions"] if version["from"] <= at]
    return DocumentRef.model_validate(before[-1]["image"]) if before else None
