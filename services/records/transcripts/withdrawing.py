"""Taking an accepted document back, as publishing tells of it: records claims it, and says where it ended. Plain data in, decision out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import WithdrawalClearedV1, WithdrawalDeniedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.records.transcripts.states import moved

if TYPE_CHECKING:
    from contracts.event import Event
    from contracts.events.publishing import TranscriptWithdrawnV1, WithdrawalRecalledV1, WithdrawalRefusedV1, WithdrawalRequestedV1
    from services.chassis.mongo import Document


def claimed(document: Document, event: Event[WithdrawalRequestedV1]) -> Change:
    """Two services never both decide: records claims the document, or says no."""
    fact = event.data
    try:
        if document["school"] != fact.school:
            return Change(document, WithdrawalDeniedV1(request=event.subject, attempt=fact.attempt, state="NOT_FOUND"))
        after = moved(document, "request withdrawal", withdrawal={"request": event.subject, "refused": None})
    except Refused:
        return Change(document, WithdrawalDeniedV1(request=event.subject, attempt=fact.attempt, state=document["state"]))
    return Change(after, WithdrawalClearedV1(request=event.subject, attempt=fact.attempt))


def recalled(document: Document, _: Event[WithdrawalRecalledV1]) -> Change:
    return Change(moved(document, "refuse withdrawal", withdrawal=None))


def refused(document: Document, event: Event[WithdrawalRefusedV1]) -> Change:
    """It stays accepted, with the reason for whoever looks at it."""
    fact = event.data
    said = f"{fact.code}: {fact.reason}" if fact.code else fact.reason
    kept = {"request": event.subject, "refused": {"reason": said, "at": fact.refused_at}}
    return Change(moved(document, "refuse withdrawal", withdrawal=kept))


def withdrawn(document: Document, event: Event[TranscriptWithdrawnV1]) -> Change:
    return Change(moved(document, "withdrawn", withdrawn_at=event.data.withdrawn_at))
