"""What the PDF will look like, for whoever reads a transcript before there is one to sign: with its watermark, without fields.

Run in a process of the pool: plain data in, document out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import SignatureFact
from services.records.render.pdf import transcript_pdf
from services.records.schoolyear import SubjectSignature, TranscriptContent

if TYPE_CHECKING:
    from collections.abc import Sequence


def preview(content: str, signatures: Sequence[dict[str, Any]], xml: bytes) -> bytes:
    """From content as JSON, the SignatureFacts so far and the XML."""
    made = [SignatureFact.model_validate(s) for s in signatures]
    panels = [
        SubjectSignature(staff=s.person, name=s.name, subjects=s.subjects, signed_at=s.signed_at, certificate_serial=s.certificate_serial)
        for s in made
        if s.role in ("subjects", "subject_teacher")
    ]
    return transcript_pdf(TranscriptContent.model_validate_json(content), panels, xml, preview=True)
