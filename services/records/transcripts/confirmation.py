"""Menu 2.7 "Xác nhận hoàn thành": the administrator's act after all signatures, and its undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from contracts.events.records import ConfirmationUndoneV1, TranscriptConfirmedV1
from services.chassis import audit, clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import Document, Session, transaction
from services.records.transcripts.states import State, moved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.records.store import Store

CHUNK = 100


def confirm(transcript: Document) -> Change:
    moment = clock.now()
    after = moved(transcript, "confirm", confirmed_at=moment)
    fact = TranscriptConfirmedV1(
        school=transcript["school"],
        year=transcript["year"],
        class_code=transcript["class_code"],
        grade=transcript["grade"],
        version=transcript["version"],
        pupil_code=transcript["pupil_code"],
        pupil_name=transcript["pupil_name"],
        pdf=DocumentRef.model_validate(transcript["pdf"]),
        xml=DocumentRef.model_validate(transcript["xml"]),
        confirmed_at=moment,
    )
    return Change(after, fact)


def undo(transcript: Document) -> Change:
    fact = ConfirmationUndoneV1(school=transcript["school"], class_code=transcript["class_code"])
    return Change(moved(transcript, "undo confirm", confirmed_at=None), fact)


ACTS: dict[str, tuple[Callable[[Document], Change], State]] = {"confirm": (confirm, State.SIGNED), "undo confirm": (undo, State.CONFIRMED)}
"""Act → (rule, the state that a class or "all" selects)."""


async def each(
    store: Store, transcripts: Sequence[Document], decide: Callable[[Document], Change], *, act: str, actor: str, request_id: str
) -> dict[str, Any]:
    """Decide for each transcript on its own: {"done": n, "refused": [{transcript, code, reason}]}."""
    refused: list[dict[str, str]] = []
    done = 0
    for start in range(0, len(transcripts), CHUNK):
        ids = [t["_id"] for t in transcripts[start : start + CHUNK]]

        async def work(session: Session, ids: list[str] = ids) -> tuple[int, list[dict[str, str]]]:
            loaded = await store.load(session, ids)
            changes, no = [], []
            for transcript_id in ids:
                try:
                    changes.append(decide(loaded[transcript_id]))
                except Refused as refusal:
                    no.append({"transcript": transcript_id, "code": refusal.code, "reason": refusal.cause})
            await store.save(session, changes, actor=actor, cause=request_id)
            for after in (change.document for change in changes):
                details = {"before": loaded[after["_id"]]["state"], "after": after["state"]}
                await audit.record(
                    store.db,
                    session,
                    actor=actor,
                    act=act,
                    subject=after["_id"],
                    place=after["school"],
                    request_id=request_id,
                    details=details,
                )
            return len(changes), no

        count, no = await transaction(store.db, work)
        done += count
        refused += no
    return {"done": done, "refused": refused}
