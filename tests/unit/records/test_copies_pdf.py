"""What a certified copy shows, and that it carries the original as it is."""

from __future__ import annotations

import io
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from services.records.copies.pdf import copy_pdf
from services.records.copies.sheet import sheet
from services.records.render.fields import MM, PANELS
from services.records.render.pdf import RenderError, transcript_pdf
from services.records.render.xml import transcript_xml
from services.records.schoolyear import TranscriptContent
from tests.factories.copies import AT, EVERYTHING, SIGNATURES, certified_copy, copy_of
from tests.factories.transcripts import primary_content, secondary_content
from tests.unit.records.pdf_tools import attachment_of, image_of, page_count, text_of

CONTENTS = pytest.mark.parametrize("content", [primary_content(), secondary_content()], ids=["primary", "secondary"])


def original_of(content: TranscriptContent) -> bytes:
    return transcript_pdf(content, [], transcript_xml(content))


def saved(pdf: bytes, folder: Path) -> Path:
    file = folder / "copy.pdf"
    file.write_bytes(pdf)
    return file


def words_of(file: Path, **pages: int) -> str:
    return " ".join(text_of(file, **pages).split())


@CONTENTS
def test_the_sheet_says_what_was_copied_for_whom_and_by_whom(content: TranscriptContent, tmp_path: Path) -> None:
    original = original_of(content)
    words = words_of(saved(certified_copy(content, original), tmp_path), last=1)
    digest = sha256(original).hexdigest()
    for said in (
        "BẢN SAO HỌC BẠ SỐ",
        "Số: 0012/2026/BS-HBS",
        "ngày 22 tháng 11 năm 2026",
        content.id,
        digest[:32],
        digest[32:],
        content.pupil.name,
        "Nguyễn Gia Thành (Cha)",
        "02 bản",
        "Bùi Thị Chủ Nhiệm",
        "28/05/2026 14:03 +07:00",
        "1 chữ ký số của giáo viên bộ môn",
        "HIỆU TRƯỞNG",
        "Trần Thị Ký Bản Sao",
        "không mang được chữ ký số của học bạ gốc",
    ):
        assert said in words
    assert "KT. HIỆU TRƯỞNG" not in words


@CONTENTS
def test_every_page_of_the_original_follows_as_it_is_with_the_number_on_top(content: TranscriptContent, tmp_path: Path) -> None:
    original = original_of(content)
    file = saved(certified_copy(content, original), tmp_path)
    source = tmp_path / "original.pdf"
    source.write_bytes(original)
    pages = page_count(source)
    assert page_count(file) == pages + 1
    for page in range(1, pages + 1):
        words = words_of(file, first=page + 1, last=page + 1)
        assert f"BẢN SAO số 0012/2026/BS-HBS, trang {page}/{pages} của học bạ gốc" in words
        assert set(words_of(source, first=page, last=page).split()) <= set(words.split())
        assert image_of(file, page + 1, 40).difference(image_of(source, page, 40)) < 1.5


def test_what_the_original_s_signature_fields_show_stands_at_its_place(tmp_path: Path) -> None:
    content = primary_content()
    sealed = _with_shown_field(original_of(content))
    file = saved(certified_copy(content, sealed), tmp_path)
    panel = PANELS[0]
    picture = image_of(file, page_count(file), 72)
    centre = ((panel.left + panel.width / 2) * MM, (panel.top + panel.height / 2) * MM)
    assert picture.dark(*centre)
    plain = saved(certified_copy(content, original_of(content)), tmp_path)
    assert not image_of(plain, page_count(plain), 72).dark(*centre)


def _with_shown_field(pdf: bytes) -> bytes:
    """The first signature field painted black, drawn at half its size so that it has to be scaled."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    field = writer.root["/AcroForm"]["/Fields"][0].get_object()
    box = generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 50, 10)])  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    entries = {"/Type": "/XObject", "/Subtype": "/Form"}
    names = {generic.NameObject(k): generic.NameObject(v) for k, v in entries.items()}
    shown = generic.StreamObject({**names, generic.NameObject("/BBox"): box}, stream_data=b"0 g 0 0 50 10 re f")
    field["/AP"] = generic.DictionaryObject({generic.NameObject("/N"): writer.add_object(shown)})  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    writer.mark_update(field.container_ref)
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    return out.getvalue()


def test_a_file_carries_the_sealed_original_byte_for_byte_and_paper_does_not(tmp_path: Path) -> None:
    content = primary_content()
    original = original_of(content)
    file = saved(certified_copy(content, original, medium="FILE", count=1), tmp_path)
    assert attachment_of(file, tmp_path) == original
    words = words_of(file, last=1)
    assert "Tệp, 01 bản" in words
    assert "hoc-ba-goc.pdf" in words
    assert "(Ký số)" in words
    names = PdfFileReader(io.BytesIO(certified_copy(content, original))).root
    assert "/Names" not in names or "/EmbeddedFiles" not in names["/Names"]


@CONTENTS
def test_an_extract_has_the_chosen_parts_and_no_others(content: TranscriptContent, tmp_path: Path) -> None:
    original = original_of(content)
    everything = words_of(saved(certified_copy(content, original, kind="EXTRACT", parts=EVERYTHING), tmp_path))
    for said in (
        "BẢN TRÍCH SAO HỌC BẠ SỐ",
        "trích sao dưới đây đúng với học bạ số gốc",
        "Thông tin học sinh",
        "Kết quả cuối năm",
        "Quê quán",
    ):
        assert said in everything
    for subject in content.result.subjects:
        assert subject.name in everything
    one = words_of(saved(certified_copy(content, original, kind="EXTRACT", parts=["profile"]), tmp_path))
    assert "Quê quán" in one
    assert "Kết quả cuối năm" not in one
    assert content.result.subjects[0].comment not in one


def test_a_deputy_signs_for_the_head() -> None:
    content = primary_content()
    original = original_of(content)
    assert sheet(copy_of(original, position="Phó hiệu trưởng"), content, SIGNATURES)["signer_titles"] == [
        "KT. HIỆU TRƯỞNG",
        "PHÓ HIỆU TRƯỞNG",
    ]


def test_a_name_is_never_markup(tmp_path: Path) -> None:
    content = primary_content()
    original = original_of(content)
    words = words_of(saved(certified_copy(content, original, requester='#image("x") *A* $x$ \\ @b <c>'), tmp_path), last=1)
    assert '#image("x") *A* $x$ \\ @b <c>' in words


def test_a_copy_still_claims_pdf_a_after_the_pages_were_laid_in() -> None:
    content = primary_content()
    pdf = certified_copy(content, original_of(content), medium="FILE")
    reader = PdfFileReader(io.BytesIO(pdf))
    metadata = reader.root["/Metadata"].data.decode("utf-8")
    assert re.search(r'pdfaid:part="3"', metadata)
    assert re.search(r'pdfaid:conformance="B"', metadata)
    assert reader.root["/OutputIntents"]


def test_an_original_that_is_no_pdf_is_refused_by_name() -> None:
    content = primary_content()
    words = json.dumps(sheet(copy_of(b"x"), content, SIGNATURES))
    with pytest.raises(RenderError, match="original cannot be read"):
        copy_pdf(words, b"not a pdf", whole=True, attach=False, at=AT)
