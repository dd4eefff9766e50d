"""What processes of the pool do with transcripts and class summaries: plain data in, documents out.

They import this module, and with it neither the stores nor the web: what a process of the pool loads, it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.signing import SignatureFact
from services.records.render.pdf import summary_pdf, transcript_pdf, unusual
from services.records.render.summary_xml import summary_xml, validate_summary
from services.records.render.xml import transcript_xml, validate_transcript
from services.records.rules.ruleset import NoRuleSetError
from services.records.schoolyear import SubjectSignature, SummaryContent, TranscriptContent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
    except (ValueError, NoRuleSetError) as problem:
        return b"", str(problem)
    return document, "; ".join(problems[:3])


def render(content: str, signatures: Sequence[dict[str, Any]], xml: bytes, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """From content and SignatureFacts of the subject teachers as JSON, and the XML that they signed, to the final PDF.

    `pictures`: what their signatures look like (`pictures.printable`), by staff code; for those who have none, words alone.
    """
    parsed = TranscriptContent.model_validate_json(content)
    return transcript_pdf(parsed, [_panel(SignatureFact.model_validate(s)) for s in signatures], xml, pictures=pictures)


def build_summary(content: str) -> tuple[bytes, str]:
    """From SummaryContent as JSON: the XML, and what keeps it from being a class summary ("" when nothing does)."""
    parsed = SummaryContent.model_validate_json(content)
    try:
        document = summary_xml(parsed)
        problems = validate_summary(document)
        if not problems and unusual(content):
            summary_pdf(parsed, document, preview=True)
    except ValueError as problem:
        return b"", str(problem)
    return document, "; ".join(problems[:3])


def preview_summary(content: str) -> tuple[bytes, str]:
    """From SummaryContent as JSON: what the PDF will look like, and what keeps it from being one ("" when nothing does)."""
    parsed = SummaryContent.model_validate_json(content)
    try:
        return summary_pdf(parsed, summary_xml(parsed), preview=True), ""
    except ValueError as problem:
        return b"", str(problem)


def render_summary(content: str, xml: bytes) -> bytes:
    """From SummaryContent as JSON and its XML to the final PDF, ready to be signed."""
    return summary_pdf(SummaryContent.model_validate_json(content), xml)


def _panel(s: SignatureFact) -> SubjectSignature:
    return SubjectSignature(
        staff=s.person, name=s.name, subjects=s.subjects, signed_at=s.signed_at, certificate_serial=s.certificate_serial
    )
