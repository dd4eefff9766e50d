"""Taking an import: preview and difference, kept until the administrator confirms; then it is written as it was shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.documents import DocumentRef
from services.chassis import audit, clock
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.leases import claim, release
from services.chassis.mongo import DuplicateKeyError, transaction
from services.chassis.origin import asking
from services.records.errors import IMPORT_BLOCKED, IMPORT_RUNNING, WORKBOOK
from services.records.imports.difference import KINDS, STATES, Stored, base_of, difference_of
from services.records.imports.errors import NOTHING_TO_REVIEW, OTHER_IMPORT_RUNNING, STALE_PREVIEW
from services.records.imports.findings import SCHOOL_LEVEL, Finding, Place, Report
from services.records.imports.preview import Preview, preview, preview_of
from services.records.imports.store import WRITING, stored_year
from services.records.imports.workbooks import Sheet, WorkbookRefused
from services.records.imports.writing import Writing, begin
from services.records.locks.errors import YEAR_LOCKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.process import Parts
    from services.records.schoolyear import Level

SHOWN_FINDINGS = 500
CONFIRMED = "đã được xác nhận"
LEVELS: dict[str, Level] = {"TH": "TH", "THCS": "THCS", "THPT": "THPT"}
"""The version chosen at sign-in says which level's data are expected."""


def _read_files(files: Mapping[str, bytes], school: str, level: Level | None) -> str:
    """In a process of the pool: the preview as JSON."""
    return preview(files, school_code=school, level=level).model_dump_json()


def _read_sheets(sheets: Sequence[Sheet], school: str, year: str) -> str:
    return preview_of(sheets, school_code=school, year=year).model_dump_json()


def _compare(content: bytes, stored: Stored) -> Document:
    """In a process of the pool: what of an import's document depends on what is stored, with the two texts that are kept beside it."""
    seen = Preview.model_validate_json(content)
    if other := other_level(seen, stored):
        seen = seen.model_copy(update={"blocked": True})
    if seen.blocked or seen.school is None:
        refused: dict[str, list[dict[str, Any]]] = {}
        for r in seen.refused_pupils:
            refused.setdefault(r.pupil, []).append({"field": r.field, "kind": r.kind, "message": r.reason_vi})
        nothing: Document = {"base": "", "missing": refused, "difference": None, "rows": "[]", "plan": "", "parts": [], "changes": 0}
        return {**nothing, "found": [each.model_dump(mode="json") for each in other]}
    found = difference_of(seen, stored)
    counts = {kind: dict.fromkeys(STATES, 0) for kind in KINDS}
    for row in found.rows:
        counts[row.kind][row.state] += 1
    return {
        "base": base_of(found.rows, stored),
        "missing": found.missing,
        "difference": counts,
        "rows": json.dumps([row.model_dump(exclude_defaults=True) for row in found.rows], ensure_ascii=False),
        "plan": found.plan.model_dump_json(),
        "parts": found.plan.parts,
        "found": [],
        "changes": sum(row.state in ("new", "changed", "gone") for row in found.rows),
    }


def _base(content: bytes, stored: Stored) -> str:
    """In a process of the pool: what a preview of the same data would rest on now."""
    return base_of(difference_of(Preview.model_validate_json(content), stored, judged=False).rows, stored)


def other_level(seen: Preview, stored: Stored) -> list[Finding]:
    """Why data cannot stand beside those of another level: a school code holds one level a year, and an import replaces what is there."""
    held = stored.school["level"] if stored.school else None
    if seen.school is None or held in (None, seen.school.level):
        return []
    report = Report()
    said = f"Mã trường {seen.school.code} đã có dữ liệu cấp {held} của năm học {seen.school.year}; dữ liệu này là cấp {seen.school.level}."
    report.block(SCHOOL_LEVEL, Place(sheet="Trường"), said)
    return report.findings


async def take(parts: Parts, who: Principal, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Read the workbooks and keep the preview. Raises Refused when the upload as a whole cannot be read, or while another import is
    being written."""
    if await parts.db["imports"].find_one({"school": who.school, "state": WRITING}, projection={"_id": 1}):
        raise Refused(OTHER_IMPORT_RUNNING)
    try:
        text = await parts.pool.run(_read_files, files, who.school, LEVELS.get(who.level or ""))
    except WorkbookRefused as refusal:
        raise Refused(WORKBOOK, code=refusal.code, reason=refusal.message) from refusal
    return await _keep(parts, str(uuid4()), str(who.school), who.person, sorted(files), text)


async def take_sheets(parts: Parts, import_id: str, school: str, person: str, year: str, sheets: Sequence[Sheet]) -> None:  # noqa: PLR0917 - whose data, and what
    """The same for data that came as sheets, from the sector database itself. Done twice with one id it is done once."""
    text = await parts.pool.run(_read_sheets, sheets, school, year)
    try:
        await _keep(parts, import_id, school, person, sorted({sheet.file for sheet in sheets}), text)
    except DuplicateKeyError:
        await import_of(parts.db, school, import_id)


async def _keep(parts: Parts, import_id: str, school: str, person: str, files: Sequence[str], text: str) -> dict[str, Any]:  # noqa: PLR0917 - as above
    content = text.encode()
    seen = json.loads(content)
    kept = await parts.objects.put(f"imports/{import_id}", ".json", content, "application/json")
    year = seen["school"]["year"] if seen["school"] else None
    document: Document = {
        "_id": import_id,
        "school": school,
        "year": year,
        "at": clock.now(),
        "by": person,
        "files": list(files),
        "state": "previewed",
        "blocked": seen["blocked"],
        "findings": seen["findings"][:SHOWN_FINDINGS],
        "preview": kept.model_dump(mode="json"),
        "columns": seen["columns"],
        "ignored": seen["ignored_columns"],
    }
    document |= await _compared(parts, document, content)
    pupils = {p["code"] for p in seen["pupils"]}
    document["counts"] = {
        "classes": len(seen["classes"]),
        "staff": len(seen["staff"]),
        "pupils": len(pupils | {r["pupil"] for r in seen["refused_pupils"]}),
        "complete": len(pupils - {r["pupil"] for r in document["refused"]}),
        "errors": sum(1 for f in seen["findings"] if f["severity"] == "error")
        + sum(f["code"] == SCHOOL_LEVEL.code for f in document["findings"]),
        "warnings": sum(1 for f in seen["findings"] if f["severity"] == "warning"),
    }

    async def work(session: Session) -> None:
        await parts.db["imports"].insert_one(document, session=session)
        details = {"year": year, "files": len(files), **document["counts"]}
        await audit.record(parts.db, session, actor=person, act="import read", subject=import_id, place=school, details=details)

    await transaction(parts.db, work)
    return shown(document)


async def _compared(parts: Parts, document: Document, content: bytes) -> Document:
    """The part of an import's document that rests on what is stored now."""
    school, year = document["school"], document["year"]
    stored = await stored_year(parts.db, school, year) if year else Stored()
    told = await parts.pool.run(_compare, content, stored)
    prefix = f"imports/{document['_id']}"
    rows = await parts.objects.put(f"{prefix}/rows", ".json", told["rows"].encode(), "application/json")
    plan = await parts.objects.put(f"{prefix}/plan", ".json", told["plan"].encode(), "application/json") if told["plan"] else None
    found = document["findings"] if not told["found"] else [*told["found"], *(f for f in document["findings"] if f not in told["found"])]
    return {
        "base": told["base"],
        "blocked": document["blocked"] or bool(told["found"]),
        "findings": found,
        "difference": told["difference"],
        "changes": told["changes"],
        "rows": rows.model_dump(mode="json"),
        "plan": plan.model_dump(mode="json") if plan else None,
        "planned": told["parts"],
        "refused": [{"pupil": code, **reason} for code, reasons in told["missing"].items() for reason in reasons],
        "reviewed_at": clock.now(),
    }


def shown(document: Document) -> dict[str, Any]:
    keys = ("state", "year", "at", "blocked", "counts", "difference", "changes", "findings", "refused")
    progress = {"parts": document.get("parts", 0), "remaining": len(document.get("remaining", ())), "skipped": document.get("skipped", [])}
    return {"id": document["_id"], **{k: document.get(k) for k in keys}, **progress}


async def import_of(db: Database, school: str, import_id: str) -> Document:
    found = await db["imports"].find_one({"_id": import_id, "school": school})
    if found is None:
        raise Refused(NOT_FOUND)
    return found


async def review(parts: Parts, who: Principal, import_id: str) -> dict[str, Any]:
    """Compare the same data with what is stored now. Raises Refused(NOTHING_TO_REVIEW) when it is written already, or being written."""
    document = await import_of(parts.db, str(who.school), import_id)
    content = await parts.objects.get(DocumentRef.model_validate(document["preview"]))
    fields = await _compared(parts, document, content)

    async def work(session: Session) -> None:
        waiting = {"_id": import_id, "state": "previewed"}
        if (await parts.db["imports"].update_one(waiting, {"$set": fields}, session=session)).matched_count != 1:
            raise Refused(NOTHING_TO_REVIEW)
        details = {"year": document["year"]}
        act, subject = "import reviewed", import_id
        await audit.record(parts.db, session, actor=who.person, act=act, subject=subject, place=document["school"], details=details)

    await transaction(parts.db, work)
    return shown(await import_of(parts.db, str(who.school), import_id))


async def confirm(parts: Parts, who: Principal, import_id: str) -> dict[str, Any]:
    """Write what the preview showed; an import that stopped in the middle goes on.

    Raises Refused: IMPORT_BLOCKED, IMPORT_RUNNING (confirmed already), OTHER_IMPORT_RUNNING (also of this one), YEAR_LOCKED, and
    STALE_PREVIEW when what is stored is no longer what the preview rests on.
    """
    document = await import_of(parts.db, str(who.school), import_id)
    if document["blocked"]:
        raise Refused(IMPORT_BLOCKED, count=document["counts"]["errors"])
    writing = Writing(parts)
    held = await _held(parts, import_id, writing.owner)
    try:
        if held["state"] == "previewed":
            held = await _started(parts, who, held, writing.owner)
    except Refused:
        await release(parts.db["imports"], import_id, writing.owner)
        raise
    await writing.finish(held)
    return shown(await import_of(parts.db, str(who.school), import_id))


async def _held(parts: Parts, import_id: str, owner: str) -> Document:
    open_states = {"_id": import_id, "state": {"$in": ["previewed", WRITING]}}
    held = await claim(parts.db["imports"], open_states, owner, parts.settings.lease_seconds)
    if held is None:
        if await parts.db["imports"].find_one(open_states, projection={"_id": 1}) is not None:
            # somebody confirms the same preview at this moment
            raise Refused(OTHER_IMPORT_RUNNING)
        raise Refused(IMPORT_RUNNING, state=CONFIRMED)
    return held


async def _started(parts: Parts, who: Principal, document: Document, owner: str) -> Document:
    stored = await stored_year(parts.db, document["school"], document["year"])
    if stored.locks.final:
        raise Refused(YEAR_LOCKED)
    content = await parts.objects.get(DocumentRef.model_validate(document["preview"]))
    if await parts.pool.run(_base, content, stored) != document["base"]:
        raise Refused(STALE_PREVIEW)
    at_hand = asking()
    fields = {
        "confirmed_by": who.person,
        "request_id": at_hand.request_id if at_hand else None,
        "remaining": document["planned"],
        "parts": len(document["planned"]),
        "skipped": [],
    }
    try:
        started = await begin(parts.db, document["_id"], fields, owner)
    except DuplicateKeyError as problem:
        raise Refused(OTHER_IMPORT_RUNNING) from problem
    if started is None:
        raise Refused(IMPORT_RUNNING, state=CONFIRMED)
    return started
