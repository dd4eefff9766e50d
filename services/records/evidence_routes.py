"""Files under /api/records: the evidence record of a document, for whoever may see the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.documents import DocumentRef
from services.chassis.access import Who
from services.chassis.errors import Refused
from services.records.at_hand import parts_of, store_of, visible_transcript
from services.records.errors import NO_DOCUMENT
from services.records.evidence_files import evidence_of
from services.records.summaries.reading import visible_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(prefix="/api/records")


@router.get("/transcripts/{transcript_id}/evidence.ers")
async def transcript_evidence(request: Request, who: Who, transcript_id: str) -> Response:
    """RFC 4998, DER; goes with the PDF and the XML as they are now."""
    return await _file(request, await visible_transcript(request, who, transcript_id))


@router.get("/summaries/{summary_id}/evidence.ers")
async def summary_evidence(request: Request, who: Who, summary_id: str) -> Response:
    """RFC 4998, DER; goes with the PDF and the XML as they are now."""
    return await _file(request, await visible_summary(store_of(request), who, summary_id))


async def _file(request: Request, document: Mapping[str, Any]) -> Response:
    evidence = await evidence_of(store_of(request).db, document)
    if evidence is None:
        raise Refused(NO_DOCUMENT)
    headers = {
        "Content-Disposition": f'attachment; filename="{document["_id"]}.ers"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    content = await parts_of(request).objects.get(DocumentRef.model_validate(evidence["file"]))
    return Response(content, media_type="application/octet-stream", headers=headers)
