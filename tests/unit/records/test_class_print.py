"""A class as one PDF for the printer: order, blank pages, what is said on it, and that no signature seems to survive."""

from __future__ import annotations

import io
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typst
from pyhanko.pdf_utils.reader import PdfFileReader

from services.records.export.class_print import remark, rows_of
from services.records.export.printing import NOTE, Sheet, UnreadablePdf, bound
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from services.records.transcripts.states import State
from tests.factories.transcripts import primary_content, pupil
from tests.unit.signing import chain

SHEET = Sheet("Trường Tiểu học Hoa Phượng", "Học bạ lớp 5A, năm học 2025-2026", "In lúc 28/05/2026", (("Đặng Ước", "0012", "Trả lại"),))


@cache
def document(name: str) -> bytes:
    content = primary_content(pupil=pupil(name=name))
    return transcript_pdf(content, [], transcript_xml(content))


def pages_of(pdf: bytes, tmp_path: Path) -> list[str]:
    """The words of each page, as Poppler reads them."""
    (tmp_path / "class.pdf").write_bytes(pdf)
    text = subprocess.run(["pdftotext", "-layout", "class.pdf", "-"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    return text.split("\f")[:-1]


def test_each_transcript_begins_on_the_front_of_a_sheet_in_the_order_given(tmp_path: Path) -> None:
    names = ("Nguyễn Thị Ánh", "Bùi Văn Bình", "Đỗ Châu")
    pages = pages_of(bound(SHEET, [(str(n), document(name)) for n, name in enumerate(names)]), tmp_path)
    starts = [next(number for number, text in enumerate(pages, start=1) if name.upper() in text) for name in names]
    assert starts == sorted(starts)
    assert all(start % 2 for start in starts)
    assert [NOTE in pages[start - 1] for start in starts] == [True, True, True]
    assert "Đặng Ước" in pages[0]
    assert "Trả lại" in pages[0]
    assert NOTE in pages[0]


def test_an_odd_number_of_pages_is_filled_up_with_a_blank_one(tmp_path: Path) -> None:
    one_page = typst.compile(b"One page", format="pdf")
    assert isinstance(one_page, bytes)
    pages = pages_of(bound(SHEET, [("a", one_page), ("b", one_page)]), tmp_path)
    assert len(pages) == 5
    assert [text.strip() == "" for text in pages] == [False, True, False, True, False]


def test_no_signature_field_and_no_embedded_file_is_left_in_the_copy() -> None:
    reader: Any = PdfFileReader(io.BytesIO(bound(SHEET, [("a", chain.signed_pdf()), ("b", document("An"))])))
    assert reader.embedded_signatures == []
    assert "/AcroForm" not in reader.root
    assert "/Names" not in reader.root
    assert "/AF" not in reader.root
    assert reader.trailer["/Info"]["/Subject"] == NOTE


def test_the_look_of_a_visible_signature_stays_on_the_page(tmp_path: Path) -> None:
    """Its picture is drawn, though the field is gone."""
    drawn = [_ink(bound(SHEET, [("a", chain.signed_pdf(visible=visible))]), tmp_path) for visible in (True, False)]
    original = [_ink(chain.signed_pdf(visible=visible), tmp_path, page=1) for visible in (True, False)]
    assert (drawn[0] > drawn[1]) == (original[0] > original[1])


def _ink(pdf: bytes, tmp_path: Path, page: int = 3) -> int:
    """How many pixels of a page are not white."""
    (tmp_path / "one.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-gray", "-r", "40", "-f", str(page), "-l", str(page), "one.pdf"]
    image = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
    return sum(byte < 250 for byte in image.split(b"\n", 3)[3])


def test_a_pdf_that_cannot_be_read_names_its_transcript() -> None:
    with pytest.raises(UnreadablePdf) as refused:
        bound(SHEET, [("good", document("An")), ("bad", b"%PDF-1.7 nothing else")])
    assert refused.value.transcript == "bad"


def test_the_first_sheet_lists_everybody_and_says_who_is_not_in_the_print() -> None:
    pdf = {"bucket": "records", "key": "x", "sha256": "0" * 64, "size": 1}
    transcripts: list[dict[str, Any]] = [
        {"pupil_code": "1", "pupil_name": "An", "state": State.SIGNED.value, "pdf": pdf},
        {"pupil_code": "2", "pupil_name": "Bình", "state": State.AWAITING_SUBJECT_TEACHERS.value, "pdf": None},
        {"pupil_code": "3", "pupil_name": "Châu", "state": State.RETURNED.value, "pdf": pdf},
        {"pupil_code": "9", "pupil_name": "Yến", "state": State.SIGNED.value, "pdf": pdf},
    ]
    pupils = [{"code": c, "name": n} for c, n in (("1", "An"), ("2", "Bình"), ("3", "Châu"), ("4", "Dũng"))]
    assert [remark(t) for t in transcripts] == ["", "Chờ ký, chưa có bản PDF", "Trả lại", ""]
    assert rows_of(pupils, transcripts) == [
        ("An", "1", ""),
        ("Bình", "2", "Chờ ký, chưa có bản PDF"),
        ("Châu", "3", "Trả lại"),
        ("Dũng", "4", "Chưa tạo học bạ"),
        ("Yến", "9", ""),
    ]
