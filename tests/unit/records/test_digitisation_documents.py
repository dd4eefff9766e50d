"""What a digitised transcript says of the paper in XML, on its page and in the PDF; one that was born digital says nothing of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from services.records.digitisation.cases import Case, new_item
from services.records.digitisation.creating import Paper
from services.records.digitisation.rules import Assigned
from services.records.render.form import form
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml, validate_transcript
from services.records.schoolyear import Digitised, DigitisedPart, TranscriptContent
from tests.factories.transcripts import primary_content, secondary_content, subject_signatures
from tests.unit.records.pdf_tools import text_of

AT = dt.datetime(2026, 11, 20, 3, 4, tzinfo=dt.UTC)
DIGEST = "ab" * 32
H = {"h": "urn:hocba:transcript:1"}
UNCHECKED = "không đối chiếu theo quy định"


def digitised(content: TranscriptContent, circular: str = "TT 27/2020/TT-BGDĐT") -> TranscriptContent:
    by = {"reviewed_by": "31300001005", "reviewed_name": "Trần Học Vụ", "reviewed_at": AT}
    head = {"signed_by": content.school_class.leader, "signed_name": content.leader_name}
    subjects = tuple(s.name for s in content.result.subjects)
    parts = (
        DigitisedPart(kind="profile", **by, **head),
        DigitisedPart(kind="subjects", subjects=subjects, written_by=("Phạm Nghỉ Hưu", "Đỗ Chuyển Đi"), **by, **head),
        DigitisedPart(kind="homeroom", written_by=("Lê Chủ Nhiệm Cũ",), **by, **head),
    )
    paper = Digitised(
        scan_sha256=DIGEST, scan_bytes=91_234, scan_pages=7, paper_school="Trường Nơi Khác & Cũ", circular=circular, parts=parts
    )
    return content.model_copy(update={"digitised": paper})


@pytest.mark.parametrize("made", [primary_content, secondary_content])
def test_the_xml_names_the_scan_and_who_answers_for_each_part_and_is_valid(made: Callable[[], TranscriptContent]) -> None:
    document = transcript_xml(digitised(made()))
    assert validate_transcript(document) == []
    paper = etree.fromstring(document).find("h:NoiDung/h:SoHoa", H)
    assert paper is not None
    assert paper.findtext("h:BanQuet/h:Bam", namespaces=H) == DIGEST
    assert [p.findtext("h:LoaiPhan", namespaces=H) for p in paper.findall("h:Phan", H)] == ["HoSo", "MonHoc", "ChuNhiem"]
    assert paper.findtext("h:Phan/h:RaSoatLuc", namespaces=H) == "2026-11-20T10:04:00+07:00"
    assert [n.text for n in paper.iterfind("h:Phan/h:NguoiGhiHocBaGiay", H)] == ["Phạm Nghỉ Hưu", "Đỗ Chuyển Đi", "Lê Chủ Nhiệm Cũ"]


def test_a_transcript_that_was_born_digital_says_nothing_of_paper() -> None:
    content = primary_content()
    assert b"SoHoa" not in transcript_xml(content)
    assert form(content, (), preview=False)["digitised"] == {}


def test_values_that_were_compared_with_no_rule_are_told_to_be_so() -> None:
    content = digitised(primary_content(), circular="")
    assert b"QuyDinhDoiChieu" not in transcript_xml(content)
    assert UNCHECKED in form(content, (), preview=False)["digitised"]["checked"]


def test_the_page_of_the_xml_shows_the_source_and_the_table_of_parts() -> None:
    with (files("contracts") / "xml" / "hoc-ba-1.0.xslt").open("rb") as source:
        shown = etree.XSLT(etree.parse(source))(etree.fromstring(transcript_xml(digitised(primary_content()))))
    words = " ".join(str(shown.xpath("string()")).split())
    for expected in ("Số hóa từ học bạ giấy", DIGEST, "Trường Nơi Khác & Cũ", "Phạm Nghỉ Hưu, Đỗ Chuyển Đi", "20/11/2026 10:04:00 +07:00"):
        assert expected in words


@pytest.mark.parametrize("made", [primary_content, secondary_content])
def test_the_pdf_says_so_on_its_cover_and_before_the_signatures(made: Callable[[], TranscriptContent], tmp_path: Path) -> None:
    content = digitised(made())
    target = tmp_path / "a.pdf"
    target.write_bytes(transcript_pdf(content, subject_signatures(content), transcript_xml(content)))
    words = " ".join(text_of(target).split())
    for expected in ("SỐ HÓA TỪ HỌC BẠ GIẤY", "Bản quét học bạ giấy: 7 trang", "Trường Nơi Khác & Cũ", "Lê Chủ Nhiệm Cũ", "Trần Học Vụ"):
        assert expected in words


def test_a_paper_from_before_the_programme_is_kept_but_becomes_no_transcript() -> None:
    content = primary_content()
    item = new_item("31300001", "2019-2020", "p")
    case = Case(item, {"code": "p", "data": None, "result": None}, content.school_class, Assigned("c", "h"), (), True, None)
    assert [r["code"] for r in Paper(case, {}, content.school, "").reasons()] == ["HB-REC-184"]
