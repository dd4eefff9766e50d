"""What district keeps of what others tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.event import Event
from contracts.events.identity import (
    CertificateApprovedV1,
    CertificateEndedV1,
    CertificateRefusedV1,
    CertificateRequestedV1,
    OrganisationsToldV1,
    SchoolChangedV1,
    UnitChangedV1,
)
from contracts.events.records import ClassesToldV1, ClassImportedV1, TranscriptMovedV1, TranscriptsToldV1
from services.chassis.kafka import Consumer
from services.district import certificate_store
from services.district.model.rebuilding import note_told
from services.district.withdrawals import handlers as withdrawals

if TYPE_CHECKING:
    from services.chassis.mongo import Session
    from services.district.store import Store

LOADED_AT_ONCE = 1000
"""Snapshots of one transaction: what it costs beside its rows is then little for each."""


def consumers(store: Store) -> list[Consumer]:
    organisations = Consumer("district", "identity.organisations")
    certificates = Consumer("district", "identity.certificates")
    classes = Consumer("district", "records.classes")
    transcripts = Consumer("district", "records.transcripts", at_once=LOADED_AT_ONCE)

    @organisations.on(UnitChangedV1, snapshots=True)
    async def _(session: Session, events: list[Event[UnitChangedV1]]) -> None:
        await store.save_units(session, events)

    @organisations.on(SchoolChangedV1, snapshots=True)
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

    @classes.on(ClassImportedV1, snapshots=True)
    async def _(session: Session, events: list[Event[ClassImportedV1]]) -> None:
        await store.save_classes(session, events)

    @transcripts.on(TranscriptMovedV1, snapshots=True)
    async def _(session: Session, events: list[Event[TranscriptMovedV1]]) -> None:
        await store.save_moves(session, events)

    @organisations.on(OrganisationsToldV1, snapshots=True)
    async def _(session: Session, events: list[Event[OrganisationsToldV1]]) -> None:
        await note_told(store.db, session, events)

    @classes.on(ClassesToldV1, snapshots=True)
    async def _(session: Session, events: list[Event[ClassesToldV1]]) -> None:
        await note_told(store.db, session, events)

    @transcripts.on(TranscriptsToldV1, snapshots=True)
    async def _(session: Session, events: list[Event[TranscriptsToldV1]]) -> None:
        await note_told(store.db, session, events)

    return [organisations, certificates, classes, transcripts, withdrawals.consumer(store.db)]
