"""Putting the subject teachers' parallel signatures together, in the policy's order, once the last one is there."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from contracts.documents import DocumentRef
from contracts.events.signing import SignatureFact, SubjectsSignedV1
from services.chassis import failpoints
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import Document, Session, transaction
from services.chassis.objects import DamagedObject, MissingObject
from services.signing import xml
from services.signing.errors import DAMAGED
from services.signing.steps import STEPS
from services.signing.tasks import ASSEMBLING, RENDERING, at_step, signers_of

if TYPE_CHECKING:
    from services.chassis.process import Parts
    from services.signing.store import Store

CHUNK = 40
log = logging.getLogger(__name__)


class Assembling:
    def __init__(self, parts: Parts, store: Store) -> None:
        self.parts = parts
        self.store = store

    async def round(self) -> int:
        """Done twice by two workers it has its effect once: the task moves on only once."""
        due = await self.store.due_assemblies(CHUNK)
        if not due:
            return 0
        elements = await self.store.signatures([t["_id"] for t in due])
        outcomes = await self._each(due, elements)
        files = {t: outcome for t, outcome in outcomes.items() if outcome is not None}
        await self.store.set_aside({t: Refused(DAMAGED) for t, outcome in outcomes.items() if outcome is None})
        failpoints.reach("signing.assembled")

        async def work(session: Session) -> None:
            tasks = await self.store.load_tasks(session, files)
            changes = [_assembled(t, files[t["_id"]]) for t in tasks.values() if t["step"] == ASSEMBLING]
            await self.store.save_tasks(session, changes, actor="signing", cause="assembling")

        await transaction(self.store.db, work)
        return len(due)

    async def _each(self, due: list[Document], elements: dict[str, dict[str, bytes]]) -> dict[str, DocumentRef | None]:
        """None for a transcript whose stored content is damaged: it alone stops."""

        async def one(task: Document) -> DocumentRef | None:
            try:
                return await self._assemble(task, elements[task["_id"]])
            except (DamagedObject, MissingObject, xml.UnsuitableDocument):
                log.critical("a stored document is damaged", extra={"transcript": task["_id"]}, exc_info=True)
                return None

        return dict(zip([t["_id"] for t in due], await asyncio.gather(*(one(t) for t in due)), strict=True))

    async def _assemble(self, task: Document, elements: dict[str, bytes]) -> DocumentRef:
        content = await self.parts.objects.get(DocumentRef.model_validate(task["content"]))
        document = xml.assemble(content, [elements[i] for i in _order(task)])
        return await self.parts.objects.put(f"transcripts/{task['_id']}", ".xml", document, "application/xml")


def _order(task: Document) -> list[str]:
    return [STEPS["subjects"].signature_id(s["person"]) for s in signers_of(task, "subjects")]


def _assembled(task: Document, document: DocumentRef) -> Change:
    by_id = {s["id"]: s for s in task["signatures"]}
    ordered = [by_id[i] for i in _order(task)]
    after = at_step({**task, "xml": document.model_dump(mode="json"), "signatures": ordered}, RENDERING)
    return Change(after, SubjectsSignedV1(xml=document, signatures=tuple(SignatureFact.model_validate(s) for s in ordered)))
