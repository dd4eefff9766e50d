"""What records does when others tell it something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.event import Event
from contracts.events.district import LockDatesSetV1
from contracts.events.identity import (
    CertificateApprovedV1,
    CertificateEndedV1,
    CertificateRefusedV1,
    CertificateRequestedV1,
    SchoolChangedV1,
    SignatureImageChangedV1,
)
from contracts.events.publishing import (
    SubmissionRequestedV1,
    TranscriptAcceptedV1,
    TranscriptRefusedV1,
    TranscriptWithdrawnV1,
    WithdrawalRecalledV1,
    WithdrawalRefusedV1,
    WithdrawalRequestedV1,
)
from contracts.events.records import SubmissionClearedV1, SubmissionDeniedV1, TranscriptSignedV1
from contracts.events.signing import (
    EvidenceRecordedV1,
    StepSignedV1,
    SubjectSignedV1,
    SubjectsSignedV1,
    TranscriptReturnedV1,
    TranscriptSealedV1,
    TranscriptStoppedV1,
)
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.kafka import Consumer
from services.records.cancellation.cancelling import returned, stopped
from services.records.evidence_files import save_evidence
from services.records.images.store import save_signature_pictures
from services.records.locks.intake import save_dates
from services.records.review.certificate_store import save_told
from services.records.store import Store, document_ref
from services.records.transcripts import withdrawing
from services.records.transcripts.states import moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.chassis.mongo import Document, Session


def consumers(store: Store) -> list[Consumer]:
    return [
        _of_organisations(store),
        _of_windows(store),
        _of_certificates(store),
        _of_steps(store),
        _of_submissions(store),
        _of_withdrawals(store),
    ]


def _of_organisations(store: Store) -> Consumer:
    organisations = Consumer("records", "identity.organisations")

    @organisations.on(SchoolChangedV1)
    async def _(session: Session, events: list[Event[SchoolChangedV1]]) -> None:
        await store.save_schools(session, events)

    return organisations


def _of_windows(store: Store) -> Consumer:
    windows = Consumer("records", "district.windows")

    @windows.on(LockDatesSetV1)
    async def _(session: Session, events: list[Event[LockDatesSetV1]]) -> None:
        await save_dates(store.db, session, events)

    return windows


def _of_certificates(store: Store) -> Consumer:
    certificates = Consumer("records", "identity.certificates")

    @certificates.on(SignatureImageChangedV1)
    async def _(session: Session, events: list[Event[SignatureImageChangedV1]]) -> None:
        await save_signature_pictures(store.db, session, events)

    @certificates.on(CertificateRequestedV1)
    async def _(session: Session, events: list[Event[CertificateRequestedV1]]) -> None:
        await save_told(store.db, session, events)

    @certificates.on(CertificateApprovedV1)
    async def _(session: Session, events: list[Event[CertificateApprovedV1]]) -> None:
        await save_told(store.db, session, events)

    @certificates.on(CertificateRefusedV1)
    async def _(session: Session, events: list[Event[CertificateRefusedV1]]) -> None:
        await save_told(store.db, session, events)

    @certificates.on(CertificateEndedV1)
    async def _(session: Session, events: list[Event[CertificateEndedV1]]) -> None:
        await save_told(store.db, session, events)

    return certificates


async def _change(store: Store, session: Session, events: list[Event[Any]], decide: Callable[[Document, Any], Change]) -> None:
    """One change an event; a subject with several events in the run gets them one after the other."""
    while events:
        first = {e.subject: e for e in reversed(events)}
        events = [e for e in events if e is not first[e.subject]]
        loaded = await store.load(session, first)
        changes = [decide(loaded[subject], e.data) for subject, e in first.items()]
        await store.save(session, changes, actor=next(iter(first.values())).actor, cause=str(next(iter(first.values())).id))


def _of_steps(store: Store) -> Consumer:
    steps = Consumer("records", "signing.steps")

    @steps.on(SubjectSignedV1)
    async def _(session: Session, events: list[Event[SubjectSignedV1]]) -> None:
        await _change(store, session, list(events), lambda t, fact: Change(_with_signature(t, fact)))

    @steps.on(SubjectsSignedV1)
    async def _(session: Session, events: list[Event[SubjectsSignedV1]]) -> None:
        due = {
            e.subject: {"xml": document_ref(e.data.xml), "signatures": [s.model_dump(mode="json") for s in e.data.signatures]}
            for e in events
        }
        await store.queue_renderings(session, due)

    @steps.on(StepSignedV1)
    async def _(session: Session, events: list[Event[StepSignedV1]]) -> None:
        await _change(store, session, list(events), lambda t, fact: Change(moved(_with_signature(t, fact), fact.step, **_files(fact))))

    @steps.on(TranscriptSealedV1)
    async def _(session: Session, events: list[Event[TranscriptSealedV1]]) -> None:
        await _change(
            store,
            session,
            list(events),
            lambda t, fact: Change(
                moved(_with_signature(t, fact), "sealed", **_files(fact), level=fact.level, timestamped_at=fact.timestamped_at),
                TranscriptSignedV1(school=t["school"], class_code=t["class_code"]),
            ),
        )

    @steps.on(EvidenceRecordedV1)
    async def _(session: Session, events: list[Event[EvidenceRecordedV1]]) -> None:
        await save_evidence(store.db, session, events)

    @steps.on(TranscriptReturnedV1)
    async def _(session: Session, events: list[Event[TranscriptReturnedV1]]) -> None:
        await _change(store, session, list(events), returned)

    @steps.on(TranscriptStoppedV1)
    async def _(session: Session, events: list[Event[TranscriptStoppedV1]]) -> None:
        await _change(store, session, list(events), stopped)

    return steps


def _of_submissions(store: Store) -> Consumer:
    submissions = Consumer("records", "publishing.submissions")

    @submissions.on(SubmissionRequestedV1)
    async def _(session: Session, events: list[Event[SubmissionRequestedV1]]) -> None:
        await _change(store, session, list(events), _claim)

    @submissions.on(TranscriptAcceptedV1)
    async def _(session: Session, events: list[Event[TranscriptAcceptedV1]]) -> None:
        await _change(store, session, list(events), lambda t, fact: Change(moved(t, "accepted", decided_at=fact.accepted_at)))

    @submissions.on(TranscriptRefusedV1)
    async def _(session: Session, events: list[Event[TranscriptRefusedV1]]) -> None:
        await _change(
            store,
            session,
            list(events),
            lambda t, fact: Change(moved(t, "refused", decided_at=fact.refused_at, refusal={"code": fact.code, "reason": fact.reason})),
        )

    return submissions


def _of_withdrawals(store: Store) -> Consumer:
    withdrawals = Consumer("records", "publishing.withdrawals")

    async def withdraw(session: Session, events: list[Event[Any]], decide: Callable[[Document, Any], Change]) -> None:
        """A request is about a document: its events are of the request, and name the document."""
        for event in events:
            document = (await store.load(session, [event.data.transcript]))[event.data.transcript]
            await store.save(session, [decide(document, event)], actor=event.actor, cause=str(event.id))

    @withdrawals.on(WithdrawalRequestedV1)
    async def _(session: Session, events: list[Event[WithdrawalRequestedV1]]) -> None:
        await withdraw(session, list(events), withdrawing.claimed)

    @withdrawals.on(WithdrawalRecalledV1)
    async def _(session: Session, events: list[Event[WithdrawalRecalledV1]]) -> None:
        await withdraw(session, list(events), withdrawing.recalled)

    @withdrawals.on(WithdrawalRefusedV1)
    async def _(session: Session, events: list[Event[WithdrawalRefusedV1]]) -> None:
        await withdraw(session, list(events), withdrawing.refused)

    @withdrawals.on(TranscriptWithdrawnV1)
    async def _(session: Session, events: list[Event[TranscriptWithdrawnV1]]) -> None:
        await withdraw(session, list(events), withdrawing.withdrawn)

    return withdrawals


def _with_signature(transcript: Document, fact: SubjectSignedV1 | StepSignedV1 | TranscriptSealedV1) -> Document:
    return {**transcript, "signatures": [*transcript["signatures"], fact.signature.model_dump(mode="json")]}


def _files(fact: StepSignedV1 | TranscriptSealedV1) -> Document:
    return {"xml": document_ref(fact.xml), "pdf": document_ref(fact.pdf)}


def _claim(transcript: Document, fact: SubmissionRequestedV1) -> Change:
    """Two services never both decide: records claims the transcript, or says no.

    A request that rests on a confirmation which was undone meanwhile is void: publishing forgot it when it heard of that.
    """
    void = fact.confirmed_at not in {None, transcript.get("confirmed_at")}
    try:
        claimed = None if void else moved(transcript, "submit", submission=fact.submission, submitted_at=clock.now())
    except Refused:
        claimed = None
    if claimed is None:
        return Change(transcript, SubmissionDeniedV1(submission=fact.submission, state=transcript["state"]))
    return Change(claimed, SubmissionClearedV1(submission=fact.submission))
