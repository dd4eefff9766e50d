"""Taking an import: preview, keep it, and write it when the administrator confirms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.documents import DocumentRef
from services.chassis import clock
from services.chassis.errors import Refused
from services.records.errors import IMPORT_BLOCKED, WORKBOOK
from services.records.imports.preview import Preview, preview
from services.records.imports.workbooks import WorkbookRefused
from services.records.rules.completeness import missing
from services.records.store import document_ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.chassis.process import Parts
    from services.records.store import Store

SHOWN_FINDINGS = 500


def _preview_json(files: Mapping[str, bytes], school: str) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """In a process of the pool: the preview, and by pupil what forbids a transcript."""
    seen = preview(files, school_code=school)
    return seen.model_dump_json(), _blocked(seen)


def _blocked(seen: Preview) -> dict[str, list[dict[str, Any]]]:
    reasons: dict[str, list[dict[str, Any]]] = {}
    for r in seen.refused_pupils:
        reasons.setdefault(r.pupil, []).append({"field": r.field, "kind": r.kind, "message": r.reason_vi})
    classes = {c.code: c for c in seen.classes}
    staff = {s.code: s for s in seen.staff}
    for pupil in seen.pupils:
        if pupil.code in reasons or seen.school is None or pupil.class_code not in classes:
            continue
        lacking = missing(
            pupil=pupil,
            result=seen.results.get(pupil.code),
            school_class=classes[pupil.class_code],
            assignments=seen.assignments,
            staff=staff,
            school=seen.school,
        )
        if lacking:
            reasons[pupil.code] = [{"field": m.field, "kind": m.kind, "message": m.message_vi, "article": m.article} for m in lacking]
    return reasons


async def take(parts: Parts, store: Store, who: Principal, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Read the workbooks and keep the preview. Raises Refused when the upload as a whole is empty or too large."""
    try:
        text, blocked = await parts.pool.run(_preview_json, files, who.school)
    except WorkbookRefused as refusal:
        raise Refused(WORKBOOK, code=refusal.code, reason=refusal.message) from refusal
    seen = Preview.model_validate_json(text)
    import_id = str(uuid4())
    kept = await parts.objects.put(f"imports/{import_id}", ".json", text.encode(), "application/json")
    document: Document = {
        "_id": import_id,
        "school": who.school,
        "year": seen.school.year if seen.school else None,
        "at": clock.now(),
        "by": who.person,
        "files": sorted(files),
        "state": "previewed",
        "blocked": seen.blocked,
        "counts": {
            "classes": len(seen.classes),
            "staff": len(seen.staff),
            "pupils": len({p.code for p in seen.pupils} | {r.pupil for r in seen.refused_pupils}),
            "complete": sum(1 for p in seen.pupils if p.code not in blocked),
            "errors": sum(1 for f in seen.findings if f.severity == "error"),
            "warnings": sum(1 for f in seen.findings if f.severity == "warning"),
        },
        "findings": [f.model_dump(mode="json") for f in seen.findings[:SHOWN_FINDINGS]],
        "refused": [{"pupil": code, **reason} for code, reasons in blocked.items() for reason in reasons],
        "preview": document_ref(kept),
    }
    await store.add_import(document, actor=who.person)
    return shown(document)


def shown(document: Document) -> dict[str, Any]:
    keys = ("state", "year", "at", "blocked", "counts", "findings", "refused")
    return {"id": document["_id"], **{k: document[k] for k in keys}}


async def confirm(parts: Parts, store: Store, who: Principal, import_id: str) -> dict[str, Any]:
    """Write it. Raises Refused when structural findings block it, or when it was confirmed already."""
    document = await store.import_of(str(who.school), import_id)
    if document["blocked"]:
        raise Refused(IMPORT_BLOCKED, count=document["counts"]["errors"])
    content = await parts.objects.get(DocumentRef.model_validate(document["preview"]))
    blocked: dict[str, list[dict[str, Any]]] = {}
    for reason in document["refused"]:
        blocked.setdefault(reason["pupil"], []).append({k: v for k, v in reason.items() if k != "pupil"})
    await store.apply_import(import_id, Preview.model_validate_json(content), blocked, actor=who.person)
    return shown(await store.import_of(str(who.school), import_id))
