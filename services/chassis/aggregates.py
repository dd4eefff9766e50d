"""Saving aggregates: the state, its next sequence and the event of it in one transaction.

A document carries `sequence`, the number of its changes. A save names the sequence that it was loaded with,
so that of two who change one aggregate at once one wins and the other is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.chassis import outbox
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import BulkWriteError, InsertOne, ReplaceOne

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.event import Fact
    from services.chassis.mongo import Database, Document, Session


class Change:
    """The whole new state (`_id`; `sequence` as loaded, absent or 0 for a new one) and the facts to tell, in order."""

    def __init__(self, document: Document, *facts: Fact | None) -> None:
        self.document = document
        self.facts = tuple(f for f in facts if f is not None)


async def save(db: Database, session: Session, collection: str, changes: Sequence[Change], *, actor: str, cause: str | None = None) -> None:
    """Raises Refused(CONFLICT) when somebody changed one of them meanwhile; the transaction must then be abandoned.

    Every fact takes a sequence of its own, a change without facts takes one too.
    """
    writes: list[InsertOne[Document] | ReplaceOne[Document]] = []
    events = []
    known = 0
    for change in changes:
        before = int(change.document.get("sequence", 0))
        state = {**change.document, "sequence": before + max(1, len(change.facts))}
        if before:
            known += 1
            writes.append(ReplaceOne({"_id": state["_id"], "sequence": before}, state))
        else:
            writes.append(InsertOne(state))
        events += [
            outbox.event(fact, subject=str(state["_id"]), sequence=before + nth, actor=actor, cause=cause)
            for nth, fact in enumerate(change.facts, start=1)
        ]
    if not writes:
        return
    try:
        done = await db[collection].bulk_write(writes, ordered=True, session=session)
    except BulkWriteError as problem:
        if any(e.get("code") == 11000 for e in (problem.details or {}).get("writeErrors", [])):
            raise Refused(CONFLICT) from problem
        raise
    if done.matched_count != known:
        raise Refused(CONFLICT)
    await outbox.append(db, session, events)
