"""What publishing does when records tells it something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.event import Event
from contracts.events.district import LockDatesSetV1
from contracts.events.identity import SchoolChangedV1, UnitChangedV1
from contracts.events.records import (
    ConfirmationUndoneV1,
    SubmissionClearedV1,
    SubmissionDeniedV1,
    TranscriptCancelledV1,
    TranscriptConfirmedV1,
    TranscriptCreatedV1,
    TranscriptMovedV1,
)
from services.chassis.kafka import Consumer
from services.publishing import window_store
from services.publishing.admissions import rules as admissions
from services.publishing.admissions.handlers import fallen
from services.publishing.reading import store as reading
from services.publishing.submissions import cancelled, cleared, confirmed, denied, unconfirmed
from services.publishing.verification import source
from services.publishing.verification import store as verification
from services.publishing.withdrawals import handlers as withdrawals

if TYPE_CHECKING:
    from services.chassis.mongo import Session
    from services.publishing.store import Store


def consumers(store: Store) -> list[Consumer]:
    transcripts = Consumer("publishing", "records.transcripts")

    @transcripts.on(TranscriptConfirmedV1)
    async def _(session: Session, events: list[Event[TranscriptConfirmedV1]]) -> None:
        newest = {e.subject: e for e in events}
        before = await store.load(session, newest)
        changes = [confirmed(e, before.get(e.subject)) for e in newest.values()]
        await store.save(session, changes, actor="records", cause=str(events[0].id))
        await verification.take(store.db, session, events, source.confirmed)

    @transcripts.on(ConfirmationUndoneV1)
    async def _(session: Session, events: list[Event[ConfirmationUndoneV1]]) -> None:
        before = await store.load(session, {e.subject for e in events})
        await store.save(session, [unconfirmed(s) for s in before.values()], actor="records", cause=str(events[0].id))

    @transcripts.on(TranscriptCancelledV1)
    async def _(session: Session, events: list[Event[TranscriptCancelledV1]]) -> None:
        before = await store.load(session, {e.subject for e in events})
        await store.save(session, [cancelled(s) for s in before.values()], actor="records", cause=str(events[0].id))
        await fallen(store.db, session, before, admissions.CANCELLED, cause=str(events[0].id))

    @transcripts.on(SubmissionClearedV1)
    async def _(session: Session, events: list[Event[SubmissionClearedV1]]) -> None:
        before = await store.load(session, {e.subject for e in events})
        changes = [cleared(before[e.subject], e.data.submission) for e in events]
        await store.save(session, [c for c in changes if c is not None], actor="records", cause=str(events[0].id))

    @transcripts.on(SubmissionDeniedV1)
    async def _(session: Session, events: list[Event[SubmissionDeniedV1]]) -> None:
        before = await store.load(session, {e.subject for e in events})
        changes = [denied(before[e.subject], e.data.submission, e.data.state) for e in events]
        await store.save(session, [c for c in changes if c is not None], actor="records", cause=str(events[0].id))

    @transcripts.on(TranscriptCreatedV1)
    async def _(session: Session, events: list[Event[TranscriptCreatedV1]]) -> None:
        await verification.take(store.db, session, events, source.created)

    @transcripts.on(TranscriptMovedV1)
    async def _(session: Session, events: list[Event[TranscriptMovedV1]]) -> None:
        await verification.take(store.db, session, events, source.moved)
        await reading.take(store.db, session, events)

    organisations = Consumer("publishing", "identity.organisations")
    windows = Consumer("publishing", "district.windows")

    @organisations.on(UnitChangedV1)
    async def _(session: Session, events: list[Event[UnitChangedV1]]) -> None:
        await window_store.save_units(store.db, session, events)

    @organisations.on(SchoolChangedV1)
    async def _(session: Session, events: list[Event[SchoolChangedV1]]) -> None:
        await window_store.save_schools(store.db, session, events)

    @windows.on(LockDatesSetV1)
    async def _(session: Session, events: list[Event[LockDatesSetV1]]) -> None:
        await window_store.save_dates(store.db, session, events)

    return [transcripts, organisations, windows, *withdrawals.consumers(store.db, transcripts)]
