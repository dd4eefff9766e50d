"""Examining every stored document again, for ever: the longest unexamined first, slowly, one auditor at a time.

Nothing but `audits` is written, so it may stop anywhere: whoever leads next goes on with what is due.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from services.chassis import clock, failpoints
from services.chassis.leases import owner_token
from services.chassis.objects import MissingObject
from services.signing.auditing import store as audits
from services.signing.auditing.examine import Stored, StoredFiles, examine
from services.signing.auditing.expected import expected_of, owner_of
from services.signing.metrics import AUDITED, DIFFERING, UNAUDITED_AGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document
    from services.chassis.objects import Objects
    from services.chassis.process import Parts
    from services.signing.auditing.findings import Finding
    from services.signing.store import Store

CHUNK = 10
ENROLLED_AT_ONCE = 500
AGAIN = dt.timedelta(days=7)
"""At the soonest; with many documents the rate decides."""
DIFFERENT_AGAIN = dt.timedelta(hours=1)
"""So that a file that was put back is soon known to be whole."""
IDLE = 5.0
log = logging.getLogger(__name__)


class Auditor:
    def __init__(self, parts: Parts, store: Store, roots: Sequence[bytes]) -> None:
        self.parts = parts
        self.store = store
        self.roots = tuple(roots)
        self.owner = owner_token()
        self.pause = 60 / parts.settings.audits_per_minute

    async def round(self) -> int:
        """How many were examined."""
        db = self.store.db
        if not await audits.lead(db, self.owner, self.parts.settings.lease_seconds):
            DIFFERING.set(0)
            UNAUDITED_AGE.set(0)
            return 0
        await audits.enrol(db, ENROLLED_AT_ONCE)
        chosen = await audits.due(db, CHUNK)
        for document in chosen:
            started = time.monotonic()
            await self._audit(document)
            await asyncio.sleep(max(0.0, self.pause - (time.monotonic() - started)))
            if not await audits.lead(db, self.owner, self.parts.settings.lease_seconds):
                break
        DIFFERING.set(await audits.count_different(db))
        oldest = await audits.longest_unexamined(db)
        UNAUDITED_AGE.set((clock.now() - oldest).total_seconds() if oldest else 0)
        return len(chosen)

    async def _audit(self, document: str) -> None:
        task = (await self.store.load_tasks(None, [document])).get(document)
        if task is None:
            await audits.forget(self.store.db, document)
            return
        findings = await self._findings(task)
        failpoints.reach("signing.audit.examined")
        fresh = await audits.record(self.store.db, task, findings, again=DIFFERENT_AGAIN if findings else AGAIN)
        failpoints.reach("signing.audit.recorded")
        AUDITED.labels(audits.DIFFERENT if findings else audits.WHOLE).inc()
        if fresh:
            codes = [f"{f.file}:{f.place}:{f.code}" for f in findings]
            log.critical("a stored document is not what was signed", extra={"transcript": document, "findings": codes})

    async def _findings(self, task: Document) -> tuple[Finding, ...]:
        approvals = await audits.approvals_of(self.store.db, [owner_of(task, s) for s in task["signatures"]])
        stored = await stored_files(self.parts.objects, task)
        return await self.parts.pool.run(examine, expected_of(task, approvals), stored, self.roots, clock.now())


async def stored_files(objects: Objects, task: Mapping[str, Any]) -> StoredFiles:
    """What stands in the object store now, checked by nobody yet. Raises ObjectsUnavailable."""
    return StoredFiles(
        content=await _stored(objects, task["content"]),
        xml=await _stored(objects, task["xml"]),
        pdf=await _stored(objects, task["pdf"]) if task.get("pdf") else None,
    )


async def _stored(objects: Objects, ref: Document) -> Stored:
    known = DocumentRef.model_validate(ref)
    try:
        return Stored(sha256=known.sha256, octets=await objects.get_unchecked(known))
    except MissingObject:
        return Stored(sha256=known.sha256, octets=None)
