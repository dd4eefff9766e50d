"""JSON under /api/records/summaries (menu 3.1, 3.6): class summaries. What is decided about them has the addresses of transcripts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action
from contracts.documents import DocumentRef
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.web.look import DOCUMENT_HEADERS
from services.records.at_hand import Year, parts_of, reading, store_of
from services.records.errors import NO_DOCUMENT
from services.records.export import exporting
from services.records.export.routes import PRIVATE, package
from services.records.summaries import creation
from services.records.summaries.errors import NO_CLASS_CHOSEN
from services.records.summaries.reading import class_rows, row_of, visible_summary

router = APIRouter(prefix="/api/records/summaries")


class CreationOrder(BaseModel):
    """`leader`: staff code of who signs for the leaders; left out, for each class whom the print configuration names."""

    model_config = ConfigDict(extra="forbid")

    classes: list[str] = Field(max_length=200)
    leader: str = Field(default="", max_length=40)


@router.get("")
async def listed(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    """Each class that the person may see, with its summary or with the reasons why it cannot have one yet."""
    looked_at = await reading(request, who, year)
    await creation.require_primary(looked_at)
    rows = await class_rows(looked_at)
    return {
        "school": looked_at.school,
        "year": looked_at.year,
        "classes": [{k: v for k, v in r.items() if k not in ("document", "may_create")} for r in rows],
    }


@router.post("")
async def create(request: Request, who: Who, order: CreationOrder, year: Year = None) -> dict[str, Any]:
    """ "Tạo bảng tổng hợp kết quả ĐGGD": {"created": [{class, summary}], "refused": [{class, pupil, name, code, reason}]}."""
    if not order.classes:
        raise Refused(NO_CLASS_CHOSEN)
    looked_at = await reading(request, who, year)
    for code in order.classes:
        require(looked_at.who, Action.CREATE, school=looked_at.school, own=code in looked_at.who.homeroom_of)
    return await creation.create(parts_of(request), looked_at, order.classes, leader=order.leader, request_id=request.state.request_id)


@router.get("/preview.pdf")
async def preview(
    request: Request,
    who: Who,
    class_code: Annotated[str, Query(alias="class", max_length=40)],
    leader: Annotated[str, Query(max_length=40)] = "",
    year: Year = None,
) -> Response:
    """What the summary of a class would look like now, under a watermark; for whoever may create it."""
    looked_at = await reading(request, who, year)
    require(looked_at.who, Action.CREATE, school=looked_at.school, own=class_code in looked_at.who.homeroom_of)
    content = await creation.preview(parts_of(request), looked_at, class_code, leader)
    return _pdf(content, "xem-truoc.pdf")


@router.get("/{summary_id}")
async def summary(request: Request, who: Who, summary_id: str) -> dict[str, Any]:
    found = await visible_summary(store_of(request), who, summary_id)
    documents = {k: found[k] for k in ("xml", "pdf") if found[k]}
    return {**row_of(found), "signatures": found["signatures"], "level": found.get("level"), "documents": documents}


@router.get("/{summary_id}/document.{kind}")
async def document(request: Request, who: Who, summary_id: str, kind: str) -> Response:
    """The newest PDF or XML with the signatures that it has so far."""
    found = await visible_summary(store_of(request), who, summary_id)
    reference = found.get(kind) if kind in ("pdf", "xml") else None
    if reference is None:
        raise Refused(NO_DOCUMENT)
    content = await parts_of(request).objects.get(DocumentRef.model_validate(reference))
    if kind == "pdf":
        return _pdf(content, f"{summary_id}.pdf")
    headers = {"Content-Disposition": f'inline; filename="{summary_id}.xml"', **PRIVATE}
    return Response(content, media_type="application/xml", headers=headers)


@router.get("/{summary_id}/export.zip")
async def export(request: Request, who: Who, summary_id: str) -> Response:
    """ "Xuất dữ liệu" of this one; several at once go by /api/records/exports with `kind`."""
    found = await visible_summary(store_of(request), who, summary_id)
    await exporting.require_export(store_of(request), who, [found])
    return await package(request, who, [found])


def _pdf(content: bytes, name: str) -> Response:
    headers = {**DOCUMENT_HEADERS, "Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type="application/pdf", headers=headers)
