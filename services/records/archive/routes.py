"""JSON and files under /api/records/archives: exports of locked years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from services.chassis import audit
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.records.archive import exporting, store
from services.records.archive.download import Unsatisfiable, range_of, slices
from services.records.archive.errors import EXPORT_UNFINISHED
from services.records.at_hand import own_school, parts_of, store_of
from services.records.locks.store import lock_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from contracts.documents import DocumentRef
    from services.chassis.mongo import Document, Session
    from services.chassis.objects import Objects

router = APIRouter(prefix="/api/records")


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    year: str = Field(pattern=r"^20\d\d-20\d\d$")


def shown(export: Document) -> dict[str, Any]:
    keys = ("year", "number", "state", "total", "done", "bytes", "by", "at", "finished_at", "manifest", "problem")
    return {"id": export["_id"], **{k: export[k] for k in keys}}


@router.get("/archives")
async def archives(request: Request, who: Who) -> dict[str, Any]:
    """The school's years with their final lock, and every export."""
    school, records = own_school(who), store_of(request)
    require(who, Action.ARCHIVE_YEAR, school=school)
    years = [{"year": y, "locked": bool((await lock_of(records.db, school, y))["locked"])} for y in await records.years(school)]
    return {"years": years, "exports": [shown(e) for e in await store.exports(records.db, school)]}


@router.post("/archives", status_code=202)
async def order(request: Request, who: Who, wanted: Order) -> dict[str, Any]:
    """ "Đóng gói lưu trữ": answers with the export to follow."""
    school, records = own_school(who), store_of(request)
    require(who, Action.ARCHIVE_YEAR, school=school)
    await records.school(school, wanted.year)
    return {"id": await exporting.start(records.db, school=school, year=wanted.year, actor=who.person)}


@router.get("/archives/{export_id}")
async def export(request: Request, who: Who, export_id: str) -> dict[str, Any]:
    school = own_school(who)
    require(who, Action.ARCHIVE_YEAR, school=school)
    return shown(await store.export_of(store_of(request).db, school, export_id))


@router.get("/archives/{export_id}/package.zip")
async def package(request: Request, who: Who, export_id: str) -> Response:
    """The package, whole or the one range that is asked for (a broken download goes on where it stopped)."""
    school, db = own_school(who), store_of(request).db
    require(who, Action.ARCHIVE_YEAR, school=school)
    found = await store.export_of(db, school, export_id)
    if found["state"] != store.FINISHED:
        raise Refused(EXPORT_UNFINISHED)
    size, tag = found["bytes"], f'"{found["manifest"]}"'
    name = f"luu-tru-hoc-ba-{school}-{found['year']}-{found['number']}.zip"
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    asked = request.headers.get("Range") if request.headers.get("If-Range", tag) == tag else None
    try:
        part = range_of(asked, size)
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    first, beyond = part or (0, size)
    if first == 0:

        async def work(session: Session) -> None:
            details = {"year": found["year"], "number": found["number"], "bytes": size}
            await audit.record(db, session, actor=who.person, act="archive downloaded", subject=export_id, place=school, details=details)

        await transaction(db, work)
    if part:
        headers["Content-Range"] = f"bytes {first}-{beyond - 1}/{size}"
    headers["Content-Length"] = str(beyond - first)
    body = _bytes(parts_of(request).objects, await store.parts_of(db, export_id), first, beyond)
    return StreamingResponse(body, status_code=206 if part else 200, media_type="application/zip", headers=headers)


async def _bytes(objects: Objects, refs: Sequence[DocumentRef], first: int, beyond: int) -> AsyncIterator[bytes]:
    """Part by part, each held against its digest."""
    for number, low, high in slices([ref.size for ref in refs], first, beyond):
        content = await objects.get(refs[number])
        yield content[low:high]
