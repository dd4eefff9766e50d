"""What processes of the pool do with transcripts: plain data in, documents out.

They import this module, and with it neither the stores nor the web: what a process of the pool loads, it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import SignatureFact
from services.records.render.pdf import transcript_pdf, unusual
from services.records.render.xml import transcript_xml, validate_transcript
from services.records.schoolyear import SubjectSignature, TranscriptContent

if TYPE_CHECKING:
    from collections.abc import Sequence


def build(content: str) -> tuple[bytes, str]:
    """From content as JSON: the XML, and what keeps it from being a transcript ("" when nothing does).

    Characters that the form's font may lack are tried out now, not when teachers have signed already.
    """
    parsed = TranscriptContent.model_validate_json(content)
    try:
        document = transcript_xml(parsed)
        problems = validate_transcript(document)
        if not problems and unusual(content):
            transcript_pdf(parsed, [], document, preview=True)
    except ValueError as problem:
        return b"", str(problem)
    return document, "; ".join(problems[:3])


def render(content: str, signatures: Sequence[dict[str, Any]], xml: bytes) -> bytes:
    """From content and SignatureFacts of the subject teachers as JSON, and the XML that they signed, to the final PDF."""
    parsed = TranscriptContent.model_validate_json(content)
    return transcript_pdf(parsed, [_panel(SignatureFact.model_validate(s)) for s in signatures], xml)


def _panel(s: SignatureFact) -> SubjectSignature:
    return SubjectSignature(
        staff=s.person, name=s.name, subjects=s.subjects, signed_at=s.signed_at, certificate_serial=s.certificate_serial
    )
