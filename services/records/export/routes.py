"""JSON under /api/records: "Xuất dữ liệu" as a zip, and a class as one PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from contracts.documents import DocumentKind
from contracts.nouns import NOUNS
from services.chassis import clock
from services.chassis.access import Who
from services.records.at_hand import Year, own_school, parts_of, reading, store_of, visible_transcript
from services.records.documents import kind_of
from services.records.export import class_print, exporting, naming
from services.records.export.zipping import zipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from contracts.access import Principal
    from services.records.transcripts.reading import Reading

router = APIRouter(prefix="/api/records")
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


class Order(BaseModel):
    """What to export: transcripts by id, pupils or classes of the year by code, or all that the person may export.

    With `kind`, class summaries, which have no pupils.
    """

    model_config = ConfigDict(extra="forbid")

    transcripts: list[str] | None = Field(default=None, max_length=5000)
    pupils: list[str] | None = Field(default=None, max_length=5000)
    classes: list[str] | None = Field(default=None, max_length=200)
    all: bool = False
    kind: DocumentKind = "transcript"


@router.post("/exports")
async def export(request: Request, who: Who, order: Order, year: Year = None) -> Response:
    """A zip with the PDF, XML, XSLT and the signers' certificates of the selection, and a manifest of SHA-256 digests."""
    looked_at = await reading(request, who, year)
    found = await exporting.chosen(
        parts_of(request),
        who,
        looked_at.school,
        looked_at.year,
        classes=order.classes,
        pupils=order.pupils,
        transcripts=order.transcripts,
        everything=order.all,
        kind=order.kind,
    )
    return await package(request, who, found)


@router.get("/transcripts/{transcript_id}/export.zip")
async def export_one(request: Request, who: Who, transcript_id: str) -> Response:
    found = await visible_transcript(request, who, transcript_id)
    await exporting.require_export(store_of(request), who, [found])
    return await package(request, who, [found])


@router.get("/classes/{code}/print.pdf")
async def print_class(request: Request, who: Who, code: str, year: Year = None) -> Response:
    """ "In cả lớp"."""
    return await printed(request, await reading(request, who, year), code)


async def printed(request: Request, looked_at: Reading, code: str) -> Response:
    content = await class_print.class_pdf(parts_of(request), looked_at, code)
    name = f"hoc-ba-{naming.safe(looked_at.year)}-lop-{naming.safe(code)}.pdf"
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"', **PRIVATE})


async def package(request: Request, who: Principal, found: Sequence[dict[str, Any]]) -> Response:
    """The first file is fetched before the answer begins, so that a store that is away is an answer of its own."""
    school = own_school(who)
    files = await exporting.package(parts_of(request), who, school, found)
    sent = zipped(files, clock.now())
    first = await anext(sent)
    headers = {"Content-Disposition": f'attachment; filename="{_name(school, found)}"', **PRIVATE}
    return StreamingResponse(_after(first, sent), media_type="application/zip", headers=headers)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


def _name(school: str, found: Sequence[dict[str, Any]]) -> str:
    years, classes = {t["year"] for t in found}, {t["class_code"] for t in found}
    about = [school, *(years if len(years) == 1 else ()), *((f"lop-{c}" for c in classes) if len(classes) == 1 else ())]
    if len(found) == 1:
        about.append(found[0]["_id"])
    noun = naming.safe(NOUNS[kind_of(found[0])])
    return f"{noun}-{'-'.join(naming.safe(part) for part in about)}.zip"
