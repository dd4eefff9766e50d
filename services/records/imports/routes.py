"""JSON under /api/records/imports."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, UploadFile

from contracts.access import Action
from services.chassis.access import Who, require
from services.chassis.errors import TOO_LARGE, Refused
from services.records.at_hand import own_school, parts_of, store_of
from services.records.errors import NO_FILES
from services.records.imports import taking

UPLOAD_LIMIT = 64 * 1024 * 1024
"""Bytes of all files of one import."""

router = APIRouter(prefix="/api/records")


@router.post("/imports", status_code=201)
async def upload(request: Request, who: Who, files: list[UploadFile]) -> dict[str, Any]:
    """Read workbooks and show what they say; nothing is written until the preview is confirmed."""
    require(who, Action.IMPORT, school=own_school(who))
    if not files:
        raise Refused(NO_FILES)
    if sum(f.size or 0 for f in files) > UPLOAD_LIMIT:
        raise Refused(TOO_LARGE, limit="64 MB")
    contents = {f.filename or f"tep-{i}": await f.read() for i, f in enumerate(files)}
    return await taking.take(parts_of(request), store_of(request), who, contents)


@router.get("/imports/{import_id}")
async def import_of(request: Request, who: Who, import_id: str) -> dict[str, Any]:
    require(who, Action.IMPORT, school=own_school(who))
    found = await store_of(request).import_of(own_school(who), import_id)
    return taking.shown(found)


@router.post("/imports/{import_id}/confirm")
async def confirm_import(request: Request, who: Who, import_id: str) -> dict[str, Any]:
    """Write a preview: all of it or nothing. The good pupils go on, the refused ones stay listed."""
    require(who, Action.IMPORT, school=own_school(who))
    return await taking.confirm(parts_of(request), store_of(request), who, import_id)
