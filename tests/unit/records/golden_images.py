"""Draws the golden images anew: `python -m tests.unit.records.golden_images`, then look at every one before committing it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from tests.factories.transcripts import primary_content, secondary_content, shared_subjects_content, subject_signatures
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
}


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, page) in PAGES.items():
            content = make()
            pdf = Path(folder) / f"{name}.pdf"
            pdf.write_bytes(transcript_pdf(content, subject_signatures(content), transcript_xml(content)))
            write_png(image_of(pdf, page, DPI), GOLDEN / f"{name}.png")


if __name__ == "__main__":
    main()
