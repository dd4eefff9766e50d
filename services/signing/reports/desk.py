"""Who may see a document's report, and how it is made."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from contracts.access import Action, Principal
from contracts.documents import DocumentRef
from services.chassis import clock
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.objects import DamagedObject, MissingObject
from services.signing.auditing import store as audits
from services.signing.auditing.auditor import stored_files
from services.signing.auditing.examine import examine
from services.signing.auditing.expected import expected_of, owner_of
from services.signing.errors import NO_CERTIFICATES, NO_REPORT, STORED_DIFFERS
from services.signing.queues import title_of
from services.signing.reports.certificates import Signed, signed_of
from services.signing.reports.report import judge_file, make_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.chassis.mongo import Document
    from services.chassis.process import Parts
    from services.signing.reports.report import Report
    from services.signing.store import Store

MOST_OF_A_CLASS = 200
log = logging.getLogger(__name__)


async def assigned(store: Store, who: Principal, year: str, class_code: str) -> bool:
    """Own are the documents of the class that the person signs for in that year: a class of the same name is another one each year."""
    return await store.signs_in_class(str(who.school), year, class_code, who.person)


async def visible_task(store: Store, who: Principal, document: str) -> Document:
    """Raises Refused(NOT_FOUND) for another school's, FORBIDDEN, and NO_REPORT while nothing is signed."""
    task = await store.task(document)
    if task["school"] != who.school:
        raise Refused(NOT_FOUND)
    own = await assigned(store, who, task["year"], task["class_code"])
    require(who, Action.VIEW_CLASS, school=task["school"], own=own)
    if task["xml"] is None or not task["signatures"]:
        raise Refused(NO_REPORT)
    return task


async def report_of(parts: Parts, store: Store, roots: tuple[bytes, ...], task: Document) -> Report:
    """Judged now, from what stands in the object store now; a damaged file is judged as what it is."""
    stored = await stored_files(parts.objects, task)
    approvals = await audits.approvals_of(store.db, [owner_of(task, s) for s in task["signatures"]])
    at = clock.now()
    files = [("xml", stored.xml), *([("pdf", stored.pdf)] if stored.pdf and _signs_pdf(task) else [])]
    pool = parts.pool
    findings = await pool.run(examine, expected_of(task, approvals), stored, roots, at)
    judged = [await pool.run(judge_file, name, one.sha256, one.octets, roots, at) for name, one in files]
    known = await audits.audit_of(store.db, task["_id"])
    audited_at = known["audited_at"] if known else None
    return make_report(task, judged, title=title_of(task), findings=findings, roots=roots, at=at, audited_at=audited_at)


def _signs_pdf(task: Mapping[str, Any]) -> bool:
    return any(made["step"] != "subjects" for made in task["signatures"])


async def signed_document(parts: Parts, task: Mapping[str, Any]) -> Signed:
    """The signers' certificates as they stand in the XML. Raises Refused(STORED_DIFFERS)."""
    try:
        octets = await parts.objects.get(DocumentRef.model_validate(task["xml"]))
    except (DamagedObject, MissingObject) as problem:
        log.critical("a stored document is damaged", extra={"transcript": task["_id"]}, exc_info=problem)
        raise Refused(STORED_DIFFERS, reason="tệp bị mất hoặc nội dung đã thay đổi.") from problem
    return await parts.pool.run(signed_of, dict(task), octets)


async def signed_of_class(parts: Parts, store: Store, who: Principal, year: str, class_code: str) -> list[Signed]:
    """Of all signed documents of a class. Raises Refused(NO_CERTIFICATES, STORED_DIFFERS)."""
    require(who, Action.VIEW_CLASS, school=who.school, own=await assigned(store, who, year, class_code))
    tasks = await store.signed_of_class(str(who.school), year, class_code, MOST_OF_A_CLASS)
    if not tasks:
        raise Refused(NO_CERTIFICATES)
    return list(await asyncio.gather(*(signed_document(parts, task) for task in tasks)))
