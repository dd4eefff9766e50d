"""JSON under /api/records: the dossier of a transcript."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from contracts.documents import DocumentRef
from services.chassis.access import Who
from services.chassis.web.look import DOCUMENT_HEADERS
from services.records.at_hand import parts_of, visible_transcript
from services.records.dossier.gathering import gathered
from services.records.dossier.preview import preview
from services.records.schoolyear import TranscriptContent

router = APIRouter(prefix="/api/records")


@router.get("/transcripts/{transcript_id}/dossier")
async def dossier(request: Request, who: Who, transcript_id: str) -> dict[str, Any]:
    """ "Xem hồ sơ": everything that is known of a transcript, for whoever may see its class."""
    return await gathered(request, await visible_transcript(request, who, transcript_id))


@router.get("/transcripts/{transcript_id}/preview.pdf")
async def preview_pdf(request: Request, who: Who, transcript_id: str) -> Response:
    """What the PDF looks like with the signatures so far, under a watermark; nothing of it is kept."""
    found = await visible_transcript(request, who, transcript_id)
    parts = parts_of(request)
    xml = await parts.objects.get(DocumentRef.model_validate(found["xml"]))
    content = TranscriptContent.model_validate(found["content"]).model_dump_json()
    pdf = await parts.pool.run(preview, content, found["signatures"], xml)
    headers = {**DOCUMENT_HEADERS, "Content-Disposition": 'inline; filename="xem-truoc.pdf"', "Cache-Control": "private, no-store"}
    return Response(pdf, media_type="application/pdf", headers=headers)
