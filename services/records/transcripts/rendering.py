"""The PDF: rendered once the subject teachers have signed, with their signatures on it and the signed XML inside.

A class summary has no subject teachers, so its turn comes at once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from contracts.events.records import TranscriptRenderedV1
from services.chassis import failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.kafka import TRANSIENT
from services.chassis.metrics import WORK_ITEMS
from services.chassis.mongo import Document, Session, transaction
from services.records.cancellation.errors import NOT_RENDERED
from services.records.documents import kind_of
from services.records.images.pictures import SignaturePictures
from services.records.render.pooled import render, render_summary
from services.records.schoolyear import SummaryContent, TranscriptContent
from services.records.store import document_ref
from services.records.summaries.errors import SUMMARY_NOT_RENDERED
from services.records.transcripts.states import State, moved

if TYPE_CHECKING:
    from services.chassis.process import Parts
    from services.records.store import Store

CHUNK = 24
log = logging.getLogger(__name__)


class Rendering:
    def __init__(self, parts: Parts, store: Store) -> None:
        self.parts = parts
        self.store = store
        self.pictures = SignaturePictures(store.db, parts.objects, parts.pool)

    async def round(self) -> int:
        """Render what is due; run twice by two workers it has its effect once, since the transcript moves on only once."""
        due = await self.store.due_renderings(CHUNK)
        if not due:
            return 0
        outcomes = await asyncio.gather(*(self._render(d) for d in due), return_exceptions=True)
        rendered: dict[str, DocumentRef] = {}
        for each, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, DocumentRef):
                rendered[each["_id"]] = outcome
            elif isinstance(outcome, TRANSIENT) or not isinstance(outcome, Exception):
                raise outcome
            else:
                log.error("a transcript cannot be rendered; it is left aside", extra={"transcript": each["_id"]}, exc_info=outcome)
                WORK_ITEMS.labels("rendering", "failed").inc()
                await self.store.set_rendering_aside(each["_id"], str(outcome), await self._refused(each["_id"]))
        WORK_ITEMS.labels("rendering", "done").inc(len(rendered))
        failpoints.reach("records.render.stored")

        async def work(session: Session) -> None:
            transcripts = await self.store.load(session, rendered)
            changes = [
                Change(
                    moved(transcripts[d["_id"]], "rendered", pdf=document_ref(rendered[d["_id"]]), xml=d["xml"]),
                    TranscriptRenderedV1(pdf=rendered[d["_id"]], xml=DocumentRef.model_validate(d["xml"])),
                )
                for d in due
                if d["_id"] in rendered and transcripts[d["_id"]]["state"] == State.AWAITING_SUBJECT_TEACHERS
            ]
            await self.store.save(session, changes, actor="records", cause="rendering")
            await self.store.finish_renderings(session, list(rendered))
            failpoints.reach("records.render.before-commit")

        await transaction(self.store.db, work)
        failpoints.reach("records.render.committed")
        return len(due)

    async def _refused(self, document_id: str) -> Refused:
        kind = kind_of(await self.store.document(document_id))
        return Refused(SUMMARY_NOT_RENDERED if kind == "class_summary" else NOT_RENDERED)

    async def _render(self, due: Document) -> DocumentRef:
        transcript = await self.store.document(due["_id"])
        xml = await self.parts.objects.get(DocumentRef.model_validate(due["xml"]))
        if kind_of(transcript) == "class_summary":
            summary = SummaryContent.model_validate(transcript["content"]).model_dump_json()
            return await self._put(due["_id"], await self.parts.pool.run(render_summary, summary, xml))
        content = TranscriptContent.model_validate(transcript["content"]).model_dump_json()
        pictures = await self.pictures.of(due["signatures"])
        return await self._put(due["_id"], await self.parts.pool.run(render, content, due["signatures"], xml, pictures))

    async def _put(self, document_id: str, pdf: bytes) -> DocumentRef:
        return await self.parts.objects.put(f"transcripts/{document_id}", ".pdf", pdf, "application/pdf")
