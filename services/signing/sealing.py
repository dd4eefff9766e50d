"""Bringing a transcript that the school has signed to the archive level, then telling everybody that it is complete.

Nothing is kept between the steps: whoever takes a transcript up after a crash asks for new timestamps and gets equivalent documents.
A transcript's lease is also its pause: what could not be timestamped or proven just now is tried again when the lease has ended,
and does not hold up the others.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from contracts.events.signing import SignatureFact, TranscriptSealedV1
from services.chassis import failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.kafka import is_transient
from services.chassis.leases import owner_token, up_to
from services.chassis.mongo import Document, Session, transaction
from services.means.timestamps import TimestampRefused, time_of
from services.means.validation_data import Unprovable
from services.signing import archive
from services.signing.errors import DAMAGED, UNPROVABLE
from services.signing.ers.store import begin
from services.signing.metrics import SEALED
from services.signing.tasks import DONE, SEALING, at_step

if TYPE_CHECKING:
    import datetime as dt

    from services.chassis.process import Parts
    from services.means.timestamps import TimestampAuthority
    from services.means.validation_data import ValidationSource
    from services.signing.store import Store

CHUNK = 24
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sealed:
    xml: DocumentRef
    pdf: DocumentRef
    timestamped_at: dt.datetime


class Sealing:
    def __init__(self, parts: Parts, store: Store, source: ValidationSource, authority: TimestampAuthority) -> None:
        self.parts = parts
        self.store = store
        self.source = source
        self.authority = authority
        self.owner = owner_token()
        self.lease_seconds = parts.settings.lease_seconds / 2

    async def round(self) -> int:
        """Done twice by two workers it has its effect once: the task moves on only once."""
        due = await up_to(CHUNK, lambda: self.store.claim_sealing(self.owner, self.lease_seconds))
        if not due:
            return 0
        outcomes = await asyncio.gather(*(self._seal(t) for t in due), return_exceptions=True)
        sealed: dict[str, Sealed] = {}
        stopped: dict[str, Refused] = {}
        for task, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, Sealed):
                sealed[task["_id"]] = outcome
            elif (refused := _stops(task["_id"], outcome)) is not None:
                stopped[task["_id"]] = refused
        await self.store.set_aside(stopped)
        failpoints.reach("signing.sealing.stored")
        await self._record(sealed)
        SEALED.labels("sealed").inc(len(sealed))
        SEALED.labels("stopped").inc(len(stopped))
        SEALED.labels("postponed").inc(len(due) - len(sealed) - len(stopped))
        return len(due)

    async def _seal(self, task: Document) -> Sealed:
        document_xml = await self.parts.objects.get(DocumentRef.model_validate(task["xml"]))
        document_pdf = await self.parts.objects.get(DocumentRef.model_validate(task["pdf"]))
        opened = await self.parts.pool.run(archive.open_documents, document_xml)
        unit, signature_token, xml_data, pdf_data = await asyncio.gather(
            self.authority.unit(),
            self.authority.token(opened.value_digest),
            self.source.gather([(s.certificate, s.chain) for s in opened.xml_signers]),
            self.source.gather([(s.certificate, s.chain) for s in opened.pdf_signers]),
        )
        evidence = archive.Evidence(xml=xml_data, pdf=pdf_data, signature_token=signature_token, room=unit.room)
        prepared = await self.parts.pool.run(archive.prepare, document_xml, document_pdf, evidence)
        xml_token, pdf_token = await asyncio.gather(self.authority.token(prepared.xml.digest), self.authority.token(prepared.pdf.digest))
        closed = await self.parts.pool.run(archive.finish, document_pdf, prepared, xml_token, pdf_token)
        prefix = f"transcripts/{task['_id']}"
        return Sealed(
            xml=await self.parts.objects.put(prefix, ".xml", closed.xml, "application/xml"),
            pdf=await self.parts.objects.put(prefix, ".pdf", closed.pdf, "application/pdf"),
            timestamped_at=time_of(pdf_token),
        )

    async def _record(self, sealed: dict[str, Sealed]) -> None:
        async def work(session: Session) -> None:
            tasks = await self.store.load_tasks(session, sealed)
            changes = [_complete(t, sealed[t["_id"]]) for t in tasks.values() if t["step"] == SEALING]
            await self.store.save_tasks(session, changes, actor="signing", cause="sealing")
            await begin(self.store.db, session, [change.document for change in changes])
            failpoints.reach("signing.sealing.before-commit")

        if sealed:
            await transaction(self.store.db, work)
            failpoints.reach("signing.sealing.committed")


def _stops(transcript: str, problem: BaseException) -> Refused | None:
    """Why nothing more is done with the transcript; None when it is tried again later."""
    if isinstance(problem, Unprovable):
        log.error("a signer's certificate cannot be proven", extra={"transcript": transcript}, exc_info=problem)
        return Refused(UNPROVABLE, reason=problem.message_vi, problem=problem.code)
    if isinstance(problem, TimestampRefused):
        log.error("the timestamping authority refused", extra={"transcript": transcript}, exc_info=problem)
        return None
    if is_transient(problem):
        log.warning("sealing is postponed", extra={"transcript": transcript}, exc_info=problem)
        return None
    log.critical("a signed document cannot be brought to the archive level", extra={"transcript": transcript}, exc_info=problem)
    return Refused(DAMAGED)


def _complete(task: Document, sealed: Sealed) -> Change:
    after = at_step({**task, "xml": sealed.xml.model_dump(mode="json"), "pdf": sealed.pdf.model_dump(mode="json")}, DONE)
    after.pop("lease", None)
    signature = SignatureFact.model_validate(task["signatures"][-1])
    fact = TranscriptSealedV1(
        signature=signature, xml=sealed.xml, pdf=sealed.pdf, level=archive.LEVEL, timestamped_at=sealed.timestamped_at
    )
    return Change(after, fact)
