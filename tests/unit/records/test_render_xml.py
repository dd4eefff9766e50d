from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from lxml import etree

from services.records.render.xml import transcript_xml, validate_transcript
from services.records.schoolyear import PrimarySubject, Trait, TranscriptContent
from tests.factories.transcripts import (
    GRADE_5_SUBJECTS,
    primary_content,
    primary_result,
    pupil,
    secondary_content,
    secondary_result,
)

NS = {"h": "urn:hocba:transcript:1"}
DSIG = "http://www.w3.org/2000/09/xmldsig#"


def texts(xml: bytes, path: str) -> list[str]:
    nodes: Any = etree.fromstring(xml).xpath(f"{path}/text()", namespaces=NS)
    return [str(node) for node in nodes]


@pytest.mark.parametrize("content", [primary_content(), secondary_content()], ids=["primary", "secondary"])
def test_a_rendered_transcript_is_valid(content: TranscriptContent) -> None:
    assert validate_transcript(transcript_xml(content)) == []


def test_a_transcript_with_only_what_is_required_is_valid() -> None:
    content = primary_content(
        pupil=pupil(ethnicity="", nationality="", home_town="", address="", father="", mother="", register_number="", enrolled_on=None),
        result=primary_result(height_cm=None, weight_kg=None, health="", award="", homeroom_comment="", quality_comment=""),
        subject_teachers=(),
    )
    assert validate_transcript(transcript_xml(content)) == []


def test_the_document_starts_as_agreed_with_those_who_sign_it() -> None:
    xml = transcript_xml(primary_content())
    assert xml.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<HocBa xmlns="urn:hocba:transcript:1" phienBan="1.0"><NoiDung Id="nd"><ThongTinHocBa>'
    )
    assert xml.endswith(b'</NoiDung><ChuKy Id="ck"/></HocBa>')


def test_the_same_content_gives_the_same_bytes_whatever_the_zone_of_its_time() -> None:
    content = primary_content()
    same = content.model_copy(update={"created_at": content.created_at.astimezone(dt.UTC)})
    assert transcript_xml(content) == transcript_xml(same)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        transcript_xml(primary_content(created_at=dt.datetime(2026, 5, 27, 9, 30)))  # noqa: DTZ001 - the refused input itself


def test_every_subject_trait_and_signer_is_in_the_document() -> None:
    xml = transcript_xml(primary_content())
    assert texts(xml, "//h:CacMonHoc/h:MonHoc/h:TenMonHoc") == [name for name, _ in GRADE_5_SUBJECTS]
    assert texts(xml, "//h:CacMonHoc/h:MonHoc/h:DiemKTDK") == [str(mark) for _, mark in GRADE_5_SUBJECTS if mark is not None]
    assert len(texts(xml, "//h:PhamChatChuYeu/h:Ten")) == 5
    assert len(texts(xml, "//h:NangLucChung/h:Ten")) == 3
    assert len(texts(xml, "//h:NangLucDacThu/h:Ten")) == 7
    assert texts(xml, "//h:GiaoVienBoMon/h:HoTen") == ["Lê Thị Thuỳ Dương", "Phạm Quốc Khánh", "Đỗ Hữu Nghĩa"]
    assert texts(xml, "//h:GiaoVienChuNhiem/h:SoDinhDanhCaNhan") == ["031185002506"]
    assert texts(xml, "//h:LanhDao/h:ChucVu") == ["Hiệu trưởng"]


def test_only_grade_five_speaks_of_the_primary_programme() -> None:
    assert texts(transcript_xml(primary_content()), "//h:HoanThanhChuongTrinhTieuHoc") == ["true"]
    grade_4 = primary_content(school_class=primary_content().school_class.model_copy(update={"grade": 4}))
    assert texts(transcript_xml(grade_4), "//h:HoanThanhChuongTrinhTieuHoc") == []


def test_a_later_version_names_the_one_that_it_replaces() -> None:
    xml = transcript_xml(primary_content(version=2, replaces="0197f3a2-6c1b-7d44-9e0a-000000000001"))
    assert texts(xml, "//h:ThayThe") == ["0197f3a2-6c1b-7d44-9e0a-000000000001"]
    assert validate_transcript(xml) == []


def test_decomposed_text_becomes_composed() -> None:
    name = "Nguyễn Thị Quỳnh Hương"
    xml = transcript_xml(primary_content(pupil=pupil(name=unicodedata.normalize("NFD", name))))
    assert texts(xml, "//h:HocSinh/h:HoTen") == [name]
    assert unicodedata.is_normalized("NFC", xml.decode())
    assert xml == transcript_xml(primary_content())


def test_invisible_characters_are_left_out() -> None:
    xml = transcript_xml(primary_content(pupil=pupil(name=" Lê\u200b  Văn\u202e A\x07\n")))
    assert texts(xml, "//h:HocSinh/h:HoTen") == ["Lê Văn A"]


def test_markup_in_a_name_stays_text() -> None:
    evil = '</HoTen><HoTen Id="nd">&xxe;<!-- ]]> "Tí\''
    xml = transcript_xml(primary_content(pupil=pupil(name=evil)))
    assert texts(xml, "//h:HocSinh/h:HoTen") == [evil]
    assert validate_transcript(xml) == []


def test_a_trait_of_an_unknown_group_is_refused() -> None:
    traits = (*primary_result().traits, Trait(group="Năng khiếu", name="Hát", level="T"))
    with pytest.raises(ValueError, match="Năng khiếu"):
        transcript_xml(primary_content(result=primary_result(traits=traits)))


@pytest.mark.parametrize(
    ("subject", "element"),
    [
        (PrimarySubject(name="Toán", level="T", mark=11), "DiemKTDK"),
        (PrimarySubject(name="Toán", level="T", mark=-1), "DiemKTDK"),
        (PrimarySubject(name="Toán", level="Đ", mark=9), "MucDatDuoc"),
        (PrimarySubject(name="Toán", level=""), "MucDatDuoc"),
        (PrimarySubject(name=" ", level="T"), "TenMonHoc"),
    ],
)
def test_a_wrong_level_or_mark_is_named(subject: PrimarySubject, element: str) -> None:
    errors = validate_transcript(transcript_xml(primary_content(result=primary_result(subjects=(subject,)))))
    assert errors
    assert element in errors[0]


@pytest.mark.parametrize("mark", ["10.5", "7,5", "-1", "NaN", "8.55", "đ", "11"])
def test_a_wrong_secondary_mark_is_refused(mark: str) -> None:
    subjects = secondary_result().subjects
    wrong = (subjects[0].model_copy(update={"semester1": mark}), *subjects[1:])
    errors = validate_transcript(transcript_xml(secondary_content(result=secondary_result(subjects=wrong))))
    assert errors
    assert "HocKiI" in errors[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [("personal_id", "12345678901"), ("personal_id", "03131500251X"), ("code", "31 25")],
)
def test_a_wrong_identifier_is_refused(field: str, value: str) -> None:
    assert validate_transcript(transcript_xml(primary_content(pupil=pupil(**{field: value}))))


def test_heights_keep_one_decimal_at_most() -> None:
    assert validate_transcript(transcript_xml(primary_content(result=primary_result(height_cm=Decimal("142.55")))))


def test_signatures_are_admitted_in_their_place_only() -> None:
    xml = transcript_xml(primary_content())
    signature = f'<ds:Signature xmlns:ds="{DSIG}" Id="s1"><ds:SignedInfo/></ds:Signature>'.encode()
    assert validate_transcript(xml.replace(b'<ChuKy Id="ck"/>', b'<ChuKy Id="ck">' + signature + b"</ChuKy>")) == []
    assert validate_transcript(xml.replace(b'<ChuKy Id="ck"/>', signature + b'<ChuKy Id="ck"/>'))
    assert validate_transcript(xml.replace(b'<ChuKy Id="ck"/>', b'<ChuKy Id="ck"><KhenThuong/></ChuKy>'))


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<HocBa",
        b'<!DOCTYPE HocBa [<!ENTITY a "b">]><HocBa xmlns="urn:hocba:transcript:1" phienBan="1.0"/>',
        b'<!DOCTYPE HocBa SYSTEM "file:///etc/passwd"><HocBa xmlns="urn:hocba:transcript:1" phienBan="1.0"/>',
        b'<HocBa phienBan="1.0"/>',
        b"<a>" + b" " * 5_000_001 + b"</a>",
    ],
    ids=["empty", "cut off", "entity", "external", "other namespace", "too large"],
)
def test_what_is_not_a_transcript_is_refused_with_a_reason(xml: bytes) -> None:
    assert all(validate_transcript(xml))
    assert validate_transcript(xml)


def test_every_element_of_the_schema_is_explained_in_vietnamese_and_english() -> None:
    schema: Any = etree.fromstring((files("contracts") / "xml" / "hoc-ba-1.0.xsd").read_bytes())
    xs = {"xs": "http://www.w3.org/2001/XMLSchema"}
    elements = schema.xpath("//xs:element", namespaces=xs)
    assert len(elements) > 80
    for element in elements:
        languages = element.xpath("xs:annotation/xs:documentation[normalize-space()]/@xml:lang", namespaces=xs)
        assert languages == ["vi", "en"], element.get("name")
        assert re.fullmatch(r"[A-Z][A-Za-z]+", element.get("name"))


def test_the_stylesheet_names_the_signer_of_each_step() -> None:
    ids = ("GVBM-31300099011", "GVCN", "CBQL", "KY_PHAT_HANH")
    signatures = "".join(f'<ds:Signature xmlns:ds="{DSIG}" Id="{name}"/>' for name in ids).encode()
    xml = transcript_xml(primary_content()).replace(b'<ChuKy Id="ck"/>', b'<ChuKy Id="ck">' + signatures + b"</ChuKy>")
    transform = etree.XSLT(etree.fromstring((files("contracts") / "xml" / "hoc-ba-1.0.xslt").read_bytes()))
    html: Any = transform(etree.fromstring(xml)).getroot()
    table = next(table for table in html.iter("table") if table.findtext("caption").startswith("Các chữ ký"))
    named = [row.findall("td")[1].text.strip() for row in table.findall("tbody/tr")]
    assert named == ["Phạm Quốc Khánh", "Lê Thị Thuỳ Dương", "Ngô Diệu Tâm", "Trường Tiểu học Hoa Phượng"]


@pytest.mark.parametrize("content", [primary_content(), secondary_content()], ids=["primary", "secondary"])
def test_the_stylesheet_shows_the_content_and_the_signers(content: TranscriptContent) -> None:
    signature = (
        f'<ds:Signature xmlns:ds="{DSIG}" Id="gvcn"><ds:KeyInfo><ds:X509Data><ds:X509SubjectName>CN=Lê Thị Thuỳ Dương'
        "</ds:X509SubjectName></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )
    xml = transcript_xml(content).replace(b'<ChuKy Id="ck"/>', f'<ChuKy Id="ck">{signature}</ChuKy>'.encode())
    transform = etree.XSLT(etree.fromstring((files("contracts") / "xml" / "hoc-ba-1.0.xslt").read_bytes()))
    html: Any = transform(etree.fromstring(xml)).getroot()
    shown = " ".join("".join(html.itertext()).split())
    assert html.get("lang") == "vi"
    assert html.findtext("head/title")
    for table in html.iter("table"):
        assert table.findtext("caption")
        assert table.find("thead/tr/th").get("scope") == "col"
    for subject in content.result.subjects:
        assert subject.name in shown
        assert subject.comment in shown
    for expected in (content.id, content.pupil.name, content.pupil.personal_id, content.leader_name, "CN=Lê Thị Thuỳ Dương", "16/08/2015"):
        if expected != "16/08/2015" or content.school.level == "TH":
            assert expected in shown
