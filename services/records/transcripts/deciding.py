"""One person's act on many documents of one kind: each is decided on its own, and whoever is refused is told why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.nouns import worded
from services.chassis import audit
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import Document, Session, transaction
from services.records.documents import kind_of, told_kind
from services.records.locks.locking import locks_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from contracts.documents import DocumentKind
    from services.chassis.aggregates import Change
    from services.records.locks.locking import Locks, What
    from services.records.store import Store

    Decide = Callable[[Document], Change]
    Also = Callable[[Session, Sequence[Document]], Awaitable[None]]

CHUNK = 100


async def each(
    store: Store,
    ids: Sequence[str],
    decide: Decide,
    *,
    school: str,
    year: str,
    what: What,
    act: str,
    actor: str,
    request_id: str,
    details: Mapping[str, object] | None = None,
    also: Also | None = None,
    kind: DocumentKind = "transcript",
) -> dict[str, Any]:
    """{"done": n, "refused": [{transcript, code, reason, action}]}; an id that the school does not have in this year is not found.

    `what` is asked of the locks of the year, in the transaction of the act. `also` is done in it with the transcripts as they are then.
    """
    refused: list[dict[str, str]] = []
    done = 0
    every = list(dict.fromkeys(ids))
    for start in range(0, len(every), CHUNK):

        async def work(session: Session, chunk: Sequence[str] = every[start : start + CHUNK]) -> tuple[int, list[dict[str, str]]]:
            found = await store.load(session, chunk)
            own = {i: t for i, t in found.items() if (t["school"], t["year"], kind_of(t)) == (school, year, kind)}
            locks = await locks_of(store.db, school, year, pupils={t["pupil_code"] for t in own.values()}, session=session)
            changes: list[Change] = []
            no: list[dict[str, str]] = []
            for transcript_id in chunk:
                try:
                    changes.append(decide(_open(own.get(transcript_id), locks, what)))
                except Refused as refusal:
                    said = {"reason": worded(kind, refusal.cause), "action": worded(kind, refusal.action)}
                    no.append({"transcript": transcript_id, "code": refusal.code, **said})
            await store.save(session, changes, actor=actor, cause=request_id)
            for after in (change.document for change in changes):
                told = {"before": own[after["_id"]]["state"], "after": after["state"], **told_kind(kind), **(details or {})}
                await audit.record(
                    store.db, session, actor=actor, act=act, subject=after["_id"], place=school, request_id=request_id, details=told
                )
            if also is not None:
                await also(session, [change.document for change in changes])
            return len(changes), no

        count, no = await transaction(store.db, work)
        done += count
        refused += no
    return {"done": done, "refused": refused}


def _open(transcript: Document | None, locks: Locks, what: What) -> Document:
    """Raises Refused for one that is not there or is locked."""
    if transcript is None:
        raise Refused(NOT_FOUND)
    locked = locks.why_not(transcript["class_code"], transcript["pupil_code"], what=what)
    if locked is not None:
        raise Refused(locked)
    return transcript
