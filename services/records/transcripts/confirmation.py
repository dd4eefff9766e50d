"""Menu 2.7 "Xác nhận hoàn thành": the administrator's act after all signatures, and its undoing."""

from __future__ import annotations

from collections.abc import Callable

from contracts.documents import DocumentRef
from contracts.events.records import ConfirmationUndoneV1, TranscriptConfirmedV1
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.mongo import Document
from services.records.documents import kind_of
from services.records.transcripts.states import State, moved


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
        kind=kind_of(transcript),
    )
    return Change(after, fact)


def undo(transcript: Document) -> Change:
    fact = ConfirmationUndoneV1(school=transcript["school"], class_code=transcript["class_code"])
    return Change(moved(transcript, "undo confirm", confirmed_at=None), fact)


ACTS: dict[str, tuple[Callable[[Document], Change], tuple[State, ...]]] = {
    "confirm": (confirm, (State.SIGNED,)),
    "undo confirm": (undo, (State.CONFIRMED, State.REJECTED)),
}
"""Act → (rule, the states that a class or "all" selects)."""
