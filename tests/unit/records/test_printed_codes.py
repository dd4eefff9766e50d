"""QR codes on printed pages, read from the page's picture by a reader that shares nothing with what draws them."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from services.records.render.pdf import summary_pdf, transcript_pdf
from services.records.render.summary_xml import summary_xml
from services.records.render.xml import transcript_xml
from tests.factories.copies import EVERYTHING, certified_copy
from tests.factories.summaries import summary_content
from tests.factories.transcripts import primary_content
from tests.unit.records.pdf_tools import image_of
from tests.unit.records.qr_reader import codes_of, text_of

DPI = 200
LEVELS = st.sampled_from("LMQH")
TEXTS = st.text(alphabet=string.ascii_letters + "/.:-#", min_size=1, max_size=110).map(lambda t: f"https://{t}")


@given(TEXTS, LEVELS, st.integers(0, 7))
def test_the_reader_reads_what_another_program_has_drawn(text: str, level: str, mask: int) -> None:
    code = segno.make(text, error=level, micro=False, boost_error=False, mask=mask, mode="byte")
    assert text_of([[int(bool(module)) for module in row] for row in code.matrix]) == text


@given(TEXTS, st.integers(9, 10_000), st.integers(1, 4))
def test_a_code_with_one_wrong_module_is_refused_by_the_reader(text: str, row: int, from_the_right: int) -> None:
    """In the last four columns, below the corner pattern, every module holds data."""
    grid = [[int(bool(module)) for module in line] for line in segno.make(text, error="m", micro=False, mode="byte").matrix]
    grid[9 + row % (len(grid) - 9)][-from_the_right] ^= 1
    with pytest.raises(ValueError, match="check words"):
        text_of(grid)


def test_the_code_on_a_transcript_leads_to_its_verification_page(tmp_path: Path) -> None:
    content, file = primary_content(), tmp_path / "a.pdf"
    file.write_bytes(transcript_pdf(content, (), transcript_xml(content)))
    assert codes_of(image_of(file, 1, DPI)) == [content.verify_url]


@pytest.mark.parametrize("asked", [{}, {"medium": "FILE"}, {"kind": "EXTRACT", "parts": EVERYTHING}], ids=["paper", "file", "extract"])
def test_the_code_on_a_certified_copy_leads_to_the_page_of_the_original(asked: dict[str, object], tmp_path: Path) -> None:
    content, file = primary_content(), tmp_path / "copy.pdf"
    original = transcript_pdf(content, (), transcript_xml(content))
    file.write_bytes(certified_copy(content, original, **asked))
    assert codes_of(image_of(file, 1, DPI)) == [content.verify_url]


def test_a_printed_page_that_is_scanned_coarsely_can_still_be_read(tmp_path: Path) -> None:
    content, file = primary_content(), tmp_path / "copy.pdf"
    file.write_bytes(certified_copy(content, transcript_pdf(content, (), transcript_xml(content))))
    assert codes_of(image_of(file, 1, 110)) == [content.verify_url]


def test_the_code_on_a_class_summary_leads_to_its_verification_page(tmp_path: Path) -> None:
    content, file = summary_content(), tmp_path / "summary.pdf"
    file.write_bytes(summary_pdf(content, summary_xml(content)))
    assert content.verify_url in {text for page in (1, 2) for text in codes_of(image_of(file, page, DPI))}
