"""What signing does when others tell it something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.event import Event
from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1, SealImageChangedV1, SignatureImageChangedV1
from contracts.events.publishing import SealRecalledV1, SealRequestedV1
from contracts.events.records import (
    CancellationRefusedV1,
    SchoolYearLockedV1,
    SchoolYearUnlockedV1,
    TranscriptCancelledV1,
    TranscriptCreatedV1,
    TranscriptRenderedV1,
)
from services.chassis.aggregates import Change
from services.chassis.kafka import Consumer
from services.signing import pictures
from services.signing.tasks import CANCELLED, RENDERING, at_step, dropped, new_task, reopened, request_task

if TYPE_CHECKING:
    from services.chassis.mongo import Session
    from services.signing.store import Store


def consumers(store: Store) -> list[Consumer]:
    transcripts = Consumer("signing", "records.transcripts")
    certificates = Consumer("signing", "identity.certificates")
    withdrawals = Consumer("signing", "publishing.withdrawals")

    @transcripts.on(TranscriptCreatedV1)
    async def _(session: Session, events: list[Event[TranscriptCreatedV1]]) -> None:
        await store.save_tasks(session, [Change(new_task(e)) for e in events], actor="records", cause=str(events[0].id))

    @transcripts.on(TranscriptRenderedV1)
    async def _(session: Session, events: list[Event[TranscriptRenderedV1]]) -> None:
        tasks = await store.load_tasks(session, [e.subject for e in events])
        changes = [
            Change(at_step({**tasks[e.subject], "pdf": e.data.pdf.model_dump(mode="json")}, "homeroom"))
            for e in events
            if tasks[e.subject]["step"] == RENDERING
        ]
        await store.save_tasks(session, changes, actor="records", cause=str(events[0].id))

    @transcripts.on(TranscriptCancelledV1)
    async def _(session: Session, events: list[Event[TranscriptCancelledV1]]) -> None:
        tasks = await store.load_tasks(session, {e.subject for e in events})
        await store.save_tasks(session, [Change(dropped(t)) for t in tasks.values()], actor="records", cause=str(events[0].id))

    @transcripts.on(CancellationRefusedV1)
    async def _(session: Session, events: list[Event[CancellationRefusedV1]]) -> None:
        tasks = await store.load_tasks(session, {e.subject for e in events})
        for event in events:
            tasks[event.subject] = reopened(tasks[event.subject], event.data)
        await store.save_tasks(session, [Change(t) for t in tasks.values()], actor="records", cause=str(events[0].id))

    @transcripts.on(SchoolYearLockedV1)
    async def _(session: Session, events: list[Event[SchoolYearLockedV1]]) -> None:
        await store.save_year_locks(session, events, locked=True)

    @transcripts.on(SchoolYearUnlockedV1)
    async def _(session: Session, events: list[Event[SchoolYearUnlockedV1]]) -> None:
        await store.save_year_locks(session, events, locked=False)

    @certificates.on(CertificateApprovedV1)
    async def _(session: Session, events: list[Event[CertificateApprovedV1]]) -> None:
        await store.save_certificates(session, events)

    @certificates.on(CertificateEndedV1)
    async def _(session: Session, events: list[Event[CertificateEndedV1]]) -> None:
        await store.end_certificates(session, events)

    @certificates.on(SealImageChangedV1)
    async def _(session: Session, events: list[Event[SealImageChangedV1]]) -> None:
        await pictures.save(store.db, session, events)

    @certificates.on(SignatureImageChangedV1)
    async def _(session: Session, events: list[Event[SignatureImageChangedV1]]) -> None:
        await pictures.save(store.db, session, events)

    @withdrawals.on(SealRequestedV1)
    async def _(session: Session, events: list[Event[SealRequestedV1]]) -> None:
        newest = {e.subject: e for e in events}
        before = await store.load_tasks(session, newest)
        changes = [Change(request_task(e, before.get(e.subject))) for e in newest.values()]
        await store.save_tasks(session, changes, actor="publishing", cause=str(events[0].id))

    @withdrawals.on(SealRecalledV1)
    async def _(session: Session, events: list[Event[SealRecalledV1]]) -> None:
        recalled = {e.subject: e.data.attempt for e in events}
        tasks = await store.load_tasks(session, recalled)
        changes = [Change(dropped(t)) for t in tasks.values() if t["attempt"] == recalled[t["_id"]] and t["step"] != CANCELLED]
        await store.save_tasks(session, changes, actor="publishing", cause=str(events[0].id))

    return [transcripts, certificates, withdrawals]
