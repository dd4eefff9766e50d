"""What becomes of an admission when its transcript is in force no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import audit, clock
from services.publishing.admissions import rules, store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.chassis.mongo import Database, Session


async def fallen(db: Database, session: Session, transcripts: Iterable[str], why: str, *, cause: str) -> None:
    """`why`: WITHDRAWN, CANCELLED. The portal is told to strike out what it has of them; told twice, it is told once."""
    known = await store.load(db, session, transcripts)
    changes = [change for admission in known.values() if (change := rules.fallen(admission, why, clock.now())) is not None]
    await store.save(db, session, changes, actor="publishing", cause=cause)
    await store.revoke(db, session, [change.document["push"] for change in changes])
    for after in (change.document for change in changes):
        details = {"before": known[after["_id"]]["state"], "after": after["state"]}
        await audit.record(
            db, session, actor="publishing", act="admission fallen", subject=after["_id"], place=after["school"], details=details
        )
