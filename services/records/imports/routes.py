"""JSON under /api/records/imports and /api/records/pulls."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict

from contracts.access import Action
from contracts.documents import DocumentRef
from services.chassis.access import Who, require
from services.chassis.errors import TOO_LARGE, Refused
from services.chassis.mongo import Document
from services.records.at_hand import own_school, parts_of, store_of
from services.records.errors import NO_FILES
from services.records.imports import pulling, taking
from services.records.imports.difference import Kind, State
from services.records.imports.errors import BAD_YEAR, NO_SECTOR_DATABASE
from services.records.imports.sector import LISTS

UPLOAD_LIMIT = 64 * 1024 * 1024
"""Bytes of all files of one import."""
_YEAR = re.compile(r"(20\d\d)-(20\d\d)")

router = APIRouter(prefix="/api/records")


class PullOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    year: str
    mode: pulling.Mode = "full"


@router.post("/imports", status_code=201)
async def upload(request: Request, who: Who, files: list[UploadFile]) -> dict[str, Any]:
    """Read workbooks and show what they say and would change; nothing is written until the preview is confirmed."""
    require(who, Action.IMPORT, school=own_school(who))
    if not files:
        raise Refused(NO_FILES)
    if sum(f.size or 0 for f in files) > UPLOAD_LIMIT:
        raise Refused(TOO_LARGE, limit="64 MB")
    contents = {f.filename or f"tep-{i}": await f.read() for i, f in enumerate(files)}
    return await taking.take(parts_of(request), who, contents)


async def document_of(request: Request, who: Who, import_id: str) -> Document:
    """The import as it is kept, for whoever may import."""
    require(who, Action.IMPORT, school=own_school(who))
    return await taking.import_of(store_of(request).db, own_school(who), import_id)


@router.get("/imports/{import_id}")
async def import_of(request: Request, who: Who, import_id: str) -> dict[str, Any]:
    return taking.shown(await document_of(request, who, import_id))


async def rows_of(request: Request, document: Document) -> list[dict[str, Any]]:
    """The rows of an import's difference as they are kept: what equals a `Row`'s default is not there."""
    content = await parts_of(request).objects.get(DocumentRef.model_validate(document["rows"]))
    rows: list[dict[str, Any]] = json.loads(content)
    return rows


@router.get("/imports/{import_id}/rows")
async def difference(
    request: Request, who: Who, import_id: str, state: Annotated[State | None, Query()] = None, kind: Annotated[Kind | None, Query()] = None
) -> dict[str, Any]:
    """Row by row what an import changes; a row with values that are left out counts as left out, too."""
    rows = await rows_of(request, await document_of(request, who, import_id))
    return {"rows": [row for row in rows if wanted(row, state or "", kind or "")]}


def wanted(row: dict[str, Any], state: str, kind: str) -> bool:
    if kind and row["kind"] != kind:
        return False
    return not state or row["state"] == state or (state == "left_out" and "left" in row)


@router.post("/imports/{import_id}/confirm")
async def confirm_import(request: Request, who: Who, import_id: str) -> dict[str, Any]:
    """Write a preview as it was shown. The good pupils go on, the refused ones stay listed."""
    require(who, Action.IMPORT, school=own_school(who))
    return await taking.confirm(parts_of(request), who, import_id)


@router.post("/imports/{import_id}/review")
async def review_import(request: Request, who: Who, import_id: str) -> dict[str, Any]:
    """Compare the same data with what is stored now."""
    require(who, Action.IMPORT, school=own_school(who))
    return await taking.review(parts_of(request), who, import_id)


@router.post("/pulls", status_code=202)
async def start_pull(request: Request, who: Who, order: PullOrder) -> dict[str, Any]:
    """Read a school year from the sector database, in the background."""
    school = own_school(who)
    require(who, Action.IMPORT, school=school)
    if parts_of(request).settings.sector_url is None:
        raise Refused(NO_SECTOR_DATABASE)
    years = _YEAR.fullmatch(order.year.strip())
    if years is None or int(years.group(2)) != int(years.group(1)) + 1:
        raise Refused(BAD_YEAR, year=order.year[:20])
    db = store_of(request).db
    pull_id = await pulling.start(db, school=school, year=years.group(0), mode=order.mode, actor=who.person)
    return _shown(await pulling.pull_of(db, school, pull_id))


@router.get("/pulls/{pull_id}")
async def pull_of(request: Request, who: Who, pull_id: str) -> dict[str, Any]:
    require(who, Action.IMPORT, school=own_school(who))
    return _shown(await pulling.pull_of(store_of(request).db, own_school(who), pull_id))


@router.post("/pulls/{pull_id}/resume")
async def resume_pull(request: Request, who: Who, pull_id: str) -> dict[str, Any]:
    """Go on with a pull that gave up, from the page where it stood."""
    require(who, Action.IMPORT, school=own_school(who))
    db = store_of(request).db
    await pulling.resume(db, own_school(who), pull_id)
    return _shown(await pulling.pull_of(db, own_school(who), pull_id))


def _shown(pull: Document) -> dict[str, Any]:
    names = list(LISTS.values())
    reading = "Thay đổi" if pull["mode"] == "changes" else names[min(pull["list"], len(names) - 1)]
    keys = ("year", "mode", "state", "at", "pages", "rows", "failures", "problem", "import")
    return {"id": pull["_id"], "reading": reading, "lists": pull["list"], **{k: pull[k] for k in keys}}
