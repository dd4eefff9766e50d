"""Menu 2.8, and 3.5.2 of class summaries: asking for documents to be sent, each with its own answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.nouns import worded
from services.chassis import audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import Session, transaction
from services.publishing import window_store
from services.publishing.errors import NOTHING_TO_SEND
from services.publishing.submissions import SENDABLE, requested
from services.publishing.windows import refuse_if_closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from contracts.documents import DocumentKind
    from services.publishing.store import Store

CHUNK = 100


async def submit(
    store: Store,
    who: Principal,
    *,
    transcripts: Sequence[str] | None,
    classes: Sequence[str] | None,
    everything: bool,
    request_id: str,
    kind: DocumentKind = "transcript",
) -> dict[str, Any]:
    """Documents of one kind: {"requested": n, "refused": [{transcript, code, reason}]}.

    Named ones are answered each, classes give what can be sent. What is asked for inside the intake window goes out also after it.
    """
    school = str(who.school)
    if transcripts:
        ids = list(dict.fromkeys(transcripts))
    elif classes or everything:
        ids = [s["_id"] for s in await store.submissions(school, classes=None if everything else classes, states=SENDABLE, kind=kind)]
    else:
        ids = []
    if not ids:
        raise Refused(NOTHING_TO_SEND)
    total, refused, sending = 0, [], str(uuid4())
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]

        async def work(session: Session, chunk: list[str] = chunk) -> tuple[int, list[dict[str, str]]]:
            loaded = await store.load(session, chunk)
            windows, at = await window_store.windows_of(store.db, school, session), clock.now()
            changes: list[Change] = []
            no: list[dict[str, str]] = []
            for transcript in chunk:
                submission = loaded.get(transcript)
                try:
                    own = submission and (submission["school"], submission.get("kind", "transcript")) == (school, kind)
                    change = requested(submission if own else None, sending=sending, by=who.person, at=at)
                    refuse_if_closed(windows, "intake", year=change.document["year"], grade=change.document["grade"], at=at)
                    changes.append(change)
                except Refused as refusal:
                    no.append({"transcript": transcript, "code": refusal.code, "reason": worded(kind, refusal.cause)})
            await store.save(session, changes, actor=who.person, cause=request_id)
            for after in (change.document for change in changes):
                about = {} if kind == "transcript" else {"kind": kind}
                details = {**about, "before": loaded[after["_id"]]["state"], "after": after["state"]}
                await audit.record(
                    store.db,
                    session,
                    actor=who.person,
                    act="submit",
                    subject=after["_id"],
                    place=school,
                    request_id=request_id,
                    details=details,
                )
            return len(changes), no

        count, no = await transaction(store.db, work)
        total += count
        refused += no
    return {"requested": total, "refused": refused}
