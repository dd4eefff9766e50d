"""Draws the golden images anew: `python -m tests.unit.records.golden_images`, then look at every one before committing it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from services.records.render.pdf import summary_pdf, transcript_pdf
from services.records.render.summary_xml import summary_xml
from services.records.render.xml import transcript_xml
from services.records.schoolyear import TranscriptContent
from tests.factories.pictures import signature_pictures
from tests.factories.summaries import summary_content
from tests.factories.transcripts import (
    filled_upper_secondary_content,
    primary_content,
    secondary_content,
    shared_subjects_content,
    subject_signatures,
)
from tests.unit.records.pdf_tools import image_of, write_png

GOLDEN = Path(__file__).parent / "golden"
DPI = 50
PAGES = {
    "primary-cover": (primary_content, 1),
    "primary-profile": (primary_content, 2),
    "primary-year": (primary_content, 3),
    "primary-signatures": (primary_content, 4),
    "secondary-year": (secondary_content, 3),
    "secondary-shared-subjects": (shared_subjects_content, 3),
    "secondary-signatures": (shared_subjects_content, 4),
    "upper-secondary-profile": (filled_upper_secondary_content, 2),
    "upper-secondary-year": (filled_upper_secondary_content, 3),
    "upper-secondary-signatures": (filled_upper_secondary_content, 4),
}
SUMMARIES = {
    "summary-grade-1": (1, 35, 1),
    "summary-grade-1-totals": (1, 35, 2),
    "summary-grade-3": (3, 60, 2),
    "summary-grade-5": (5, 35, 1),
}
"""Grade, pupils, page."""
PICTURED = {"primary-pictures": (primary_content, 4), "upper-secondary-pictures": (filled_upper_secondary_content, 3)}


def pictured(content: TranscriptContent) -> bytes:
    return transcript_pdf(content, subject_signatures(content), transcript_xml(content), pictures=signature_pictures(content))


def summarised(grade: int, pupils: int) -> bytes:
    content = summary_content(grade, pupils)
    return summary_pdf(content, summary_xml(content))


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        drawn = [(name, _signed(make()), page) for name, (make, page) in PAGES.items()]
        drawn += [(name, summarised(grade, pupils), page) for name, (grade, pupils, page) in SUMMARIES.items()]
        drawn += [(name, pictured(make()), page) for name, (make, page) in PICTURED.items()]
        for name, document, page in drawn:
            pdf = Path(folder) / f"{name}.pdf"
            pdf.write_bytes(document)
            write_png(image_of(pdf, page, DPI), GOLDEN / f"{name}.png")


def _signed(content: TranscriptContent) -> bytes:
    return transcript_pdf(content, subject_signatures(content), transcript_xml(content))


if __name__ == "__main__":
    main()
