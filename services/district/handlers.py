"""What district keeps of what others tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.event import Event
from contracts.events.identity import (
    CertificateApprovedV1,
    CertificateEndedV1,
    CertificateRefusedV1,
    CertificateRequestedV1,
    SchoolChangedV1,
    UnitChangedV1,
)
from contracts.events.records import ClassImportedV1, TranscriptMovedV1
from services.chassis.kafka import Consumer
from services.district import certificate_store
from services.district.withdrawals import handlers as withdrawals

if TYPE_CHECKING:
    from services.chassis.mongo import Session
    from services.district.store import Store


def consumers(store: Store) -> list[Consumer]:
    organisations = Consumer("district", "identity.organisations")
    certificates = Consumer("district", "identity.certificates")
    classes = Consumer("district", "records.classes")
    transcripts = Consumer("district", "records.transcripts")

    @organisations.on(UnitChangedV1)
    async def _(session: Session, events: list[Event[UnitChangedV1]]) -> None:
        await store.save_units(session, events)

    @organisations.on(SchoolChangedV1)
    async def _(session: Session, events: list[Event[SchoolChangedV1]]) -> None:
        await store.save_schools(session, events)

    @certificates.on(CertificateRequestedV1)
    async def _(session: Session, events: list[Event[CertificateRequestedV1]]) -> None:
        await certificate_store.add(store.db, session, events)

    @certificates.on(CertificateApprovedV1)
    async def _(session: Session, events: list[Event[CertificateApprovedV1]]) -> None:
        await certificate_store.set_in_force(store.db, session, events)

    @certificates.on(CertificateRefusedV1)
    async def _(session: Session, events: list[Event[CertificateRefusedV1]]) -> None:
        await certificate_store.set_refused(store.db, session, events)

    @certificates.on(CertificateEndedV1)
    async def _(session: Session, events: list[Event[CertificateEndedV1]]) -> None:
        await certificate_store.set_ended(store.db, session, events)

    @classes.on(ClassImportedV1)
    async def _(session: Session, events: list[Event[ClassImportedV1]]) -> None:
        await store.save_classes(session, events)

    @transcripts.on(TranscriptMovedV1)
    async def _(session: Session, events: list[Event[TranscriptMovedV1]]) -> None:
        # class summaries are no pupil's transcript: the numbers of menu 6.4 are of transcripts alone
        await store.save_moves(session, [e for e in events if e.data.kind == "transcript"])

    return [organisations, certificates, classes, transcripts, withdrawals.consumer(store.db)]
