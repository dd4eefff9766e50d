"""The class summary: columns by grade, totals by column, headings on every page, fields at the foot of the last one."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib.resources import files
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader

from services.records.render.fields import MM
from services.records.render.pdf import RenderError, summary_pdf
from services.records.render.pooled import build_summary, render_summary
from services.records.render.summary import columns, summary_row
from services.records.render.summary_form import sheet_of, summary_form
from services.records.render.summary_xml import summary_xml, validate_summary
from services.records.schoolyear import SummaryContent, Trait
from tests.factories.summaries import summary_content, summary_line
from tests.factories.transcripts import primary_result, pupil
from tests.unit.records.golden_images import DPI, GOLDEN, SUMMARIES, summarised
from tests.unit.records.pdf_tools import attachment_of, image_of, page_count, read_png, text_of, words_of

NS = {"h": "urn:hocba:summary:1"}
LONG_NAME = "Công Tằng Tôn Nữ Nguyễn Phước Huyền Trang Thuỳ Dương Hạ Mỹ Anh"
LONG_AWARD = "Học sinh Tiêu biểu hoàn thành tốt trong học tập và rèn luyện"


@cache
def drawn(grade: int, pupils: int) -> bytes:
    return summarised(grade, pupils)


def on_disk(folder: Path, pdf: bytes) -> Path:
    target = folder / "bang-tong-hop.pdf"
    target.write_bytes(pdf)
    return target


def values(xml: bytes, path: str) -> list[str]:
    nodes: Any = etree.fromstring(xml).xpath(f"{path}/text()", namespaces=NS)
    return [str(node) for node in nodes]


@pytest.mark.parametrize(
    ("grade", "subjects", "marked"),
    [
        (1, 8, ["Tiếng Việt", "Toán"]),
        (3, 11, ["Tiếng Việt", "Toán", "Ngoại ngữ 1", "Tin học", "Công nghệ"]),
        (5, 12, ["Tiếng Việt", "Toán", "Ngoại ngữ 1", "Lịch sử và Địa lí", "Khoa học", "Tin học", "Công nghệ"]),
    ],
)
def test_each_layout_has_the_columns_of_its_grade(grade: int, subjects: int, marked: list[str]) -> None:
    shown = columns(summary_content(grade))
    assert len(shown.subjects) == subjects
    assert [subject.name for subject in shown.subjects if subject.marked] == marked
    assert len(shown.general) == 3
    assert len(shown.specific) == (5 if grade < 3 else 7)
    assert len(shown.qualities) == 5


def test_a_subject_that_only_one_pupil_has_gets_a_column_that_is_empty_for_the_others() -> None:
    own = summary_line(1, 5)
    minority = own.subjects[0].model_copy(update={"name": "Tiếng dân tộc thiểu số", "mark": None, "level": "T"})
    content = summary_content(5, rows=(summary_line(0, 5), own.model_copy(update={"subjects": (*own.subjects, minority)})))
    rows = summary_form(content, preview=False)["rows"]
    place = 2 + sum(2 if subject.marked else 1 for subject in columns(content).subjects) - 1
    assert [row[place] for row in rows] == ["", "T"]


@pytest.mark.parametrize("grade", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("period", ["GK1", "CK1", "GK2", "CN"])
def test_a_class_summary_is_valid_at_every_time_of_every_grade(grade: int, period: str) -> None:
    assert validate_summary(summary_xml(summary_content(grade, 6, period=period))) == []


def test_the_totals_of_the_xml_agree_with_its_own_rows() -> None:
    xml = summary_xml(summary_content(5, 35))
    for subject in ("Toán", "Mĩ thuật"):
        levels = values(xml, f"//h:HocSinh/h:MonHoc[h:TenMonHoc='{subject}']/h:MucDatDuoc")
        for element, level in (("HoanThanhTot", "T"), ("HoanThanh", "H"), ("ChuaHoanThanh", "C")):
            assert values(xml, f"//h:TongHop/h:MonHoc[h:Ten='{subject}']/h:{element}") == [str(levels.count(level))]
    levels = values(xml, "//h:HocSinh/h:PhamChatChuYeu[h:Ten='Nhân ái']/h:MucDatDuoc")
    assert values(xml, "//h:TongHop/h:PhamChat[h:Ten='Nhân ái']/h:Dat") == [str(levels.count("Đ"))]
    ratings = values(xml, "//h:HocSinh/h:XepLoai")
    for rating in ("Hoàn thành xuất sắc", "Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành"):
        assert values(xml, f"//h:TongHop/h:XepLoai[h:Ten='{rating}']/h:SoHocSinh") == [str(ratings.count(rating))]
    assert values(xml, "//h:TongHop/h:KhenThuong") == [str(len(values(xml, "//h:HocSinh/h:KhenThuong")))]
    assert values(xml, "//h:TongHop/h:SoHocSinh") == ["35"]


def test_science_the_subject_and_science_the_competence_are_counted_apart() -> None:
    content = summary_content(5, 10)
    xml = summary_xml(content)
    assert values(xml, "//h:TongHop/h:MonHoc[h:Ten='Khoa học']/h:HoanThanhTot") == ["2"]
    assert values(xml, "//h:TongHop/h:NangLuc[h:Ten='Khoa học']/h:Dat") == ["8"]


def test_before_the_end_of_the_year_nobody_is_rated(tmp_path: Path) -> None:
    content = summary_content(4, 6, period="CK1")
    xml = summary_xml(content)
    assert values(xml, "//h:XepLoai") == []
    shown = text_of(on_disk(tmp_path, summary_pdf(content, xml)))
    assert "Cuối học kì I, năm học 2025-2026" in shown
    assert "Đánh giá kết quả giáo dục Khen thưởng" not in shown
    assert "Hoàn thành xuất sắc" not in shown


def test_a_row_of_the_summary_takes_the_years_result_without_its_comments() -> None:
    row = summary_row(pupil(), primary_result())
    assert row.rating == "Hoàn thành xuất sắc"
    assert {subject.comment for subject in row.subjects} == {""}
    assert row.code == pupil().code


def test_every_block_of_the_form_is_there(tmp_path: Path) -> None:
    shown = text_of(on_disk(tmp_path, drawn(5, 35)))
    for words in (
        "BẢNG TỔNG HỢP KẾT QUẢ ĐÁNH GIÁ GIÁO DỤC",
        "Cuối năm học 2025-2026",
        "TRƯỜNG TIỂU HỌC HOA PHƯỢNG",
        "Lớp: 5A",
        "Họ và tên",
        "Các môn học và hoạt động giáo dục",
        "Phẩm chất chủ yếu",
        "Đánh giá kết quả giáo dục",
        "Khen thưởng",
        "Tổng số T",
        "Số học sinh: 35. Hoàn thành xuất sắc: 7; Hoàn thành tốt: 0; Hoàn thành: 24; Chưa hoàn thành: 4.",
        "Hải Phòng, ngày 28 tháng 5 năm 2026",
        "Hiệu trưởng",
        "Giáo viên chủ nhiệm",
        "Nhà trường ký phát hành, đóng dấu",
        "Mã định danh bảng tổng hợp: 0197f3a2-7d2c-7a55-8b1f-3c9d0e6f7a81",
    ):
        assert words in shown, words


@pytest.mark.parametrize("grade", [1, 3, 5])
def test_a_class_of_sixty_has_its_headings_on_every_page_of_the_table(grade: int, tmp_path: Path) -> None:
    pdf = on_disk(tmp_path, drawn(grade, 60))
    pages = [text_of(pdf, first=page, last=page) for page in range(1, page_count(pdf) + 1)]
    assert len(pages) > 1
    for page in pages:
        if any(row.name in page for row in summary_content(grade, 60).rows):
            assert "Các môn học và hoạt động giáo dục" in page
    for page in pages[1:]:
        assert page.startswith(f"Bảng tổng hợp kết quả đánh giá giáo dục – Lớp {grade}A – Cuối năm học 2025-2026")
    for row in summary_content(grade, 60).rows:
        assert any(row.name in page for page in pages)


def overfull() -> SummaryContent:
    rows = tuple(
        summary_line(number, 5, name=LONG_NAME if number % 2 else "Nguyễn" * 9, award=LONG_AWARD, rating="Hoàn thành xuất sắc")
        for number in range(60)
    )
    return summary_content(5, rows=rows, homeroom_name=LONG_NAME, leader_name=LONG_NAME, leader_position="Phó hiệu trưởng", version=2)


@pytest.mark.parametrize("content", [summary_content(1, 60), summary_content(4, 35), overfull()], ids=["A4", "A3", "overfull"])
def test_nothing_leaves_the_sheet_and_nothing_lies_under_a_signature(content: SummaryContent, tmp_path: Path) -> None:
    pdf = on_disk(tmp_path, summary_pdf(content, summary_xml(content)))
    sheet, words, pages = sheet_of(content), words_of(pdf), page_count(pdf)
    for word in words:
        assert word.left >= 14 * MM, word
        assert word.right <= (sheet.width - 14) * MM, word
        assert word.top >= 8 * MM, word
        assert word.bottom <= (sheet.height - 4) * MM, word
    for word in (word for word in words if word.page == pages):
        for panel in sheet.panels:
            apart = (
                word.right <= panel.left * MM
                or word.left >= (panel.left + panel.width) * MM
                or word.bottom <= panel.top * MM + 1
                or word.top >= (panel.top + panel.height) * MM
            )
            assert apart, (panel.name, word)


@pytest.mark.parametrize("grade", [1, 5])
def test_the_fields_lie_where_the_sheet_says_on_its_last_page(grade: int, tmp_path: Path) -> None:
    pdf = drawn(grade, 35)
    sheet, reader = sheet_of(summary_content(grade)), PdfFileReader(BytesIO(pdf))
    found = {}
    for reference in reader.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        assert field.raw_get("/P") == reader.root["/Pages"]["/Kids"].raw_get(page_count(on_disk(tmp_path, pdf)) - 1)
        found[str(field["/T"])] = [float(value) for value in field["/Rect"]]
    for panel in sheet.panels:
        low = sheet.height - panel.top - panel.height
        edges = (panel.left, low, panel.left + panel.width, low + panel.height)
        assert found[panel.name] == pytest.approx([edge * MM for edge in edges], abs=0.02)


def test_the_attached_xml_comes_out_byte_for_byte(tmp_path: Path) -> None:
    assert attachment_of(on_disk(tmp_path, drawn(5, 35)), tmp_path) == summary_xml(summary_content(5, 35))


def test_a_process_of_the_pool_makes_the_same_documents() -> None:
    content = summary_content(3, 5).model_dump_json()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        xml, problems = pool.submit(build_summary, content).result()
        elsewhere = pool.submit(render_summary, content, xml).result()
    assert problems == ""
    assert xml == summary_xml(summary_content(3, 5))
    assert hashlib.sha256(elsewhere).hexdigest() == hashlib.sha256(summary_pdf(summary_content(3, 5), xml)).hexdigest()


def test_only_a_preview_has_the_watermark_and_only_the_final_has_fields(tmp_path: Path) -> None:
    content = summary_content(1, 3)
    preview = summary_pdf(content, summary_xml(content), preview=True)
    assert "BẢN XEM TRƯỚC" in text_of(on_disk(tmp_path, preview))
    assert "/AcroForm" not in PdfFileReader(BytesIO(preview)).root
    assert "BẢN XEM TRƯỚC" not in text_of(on_disk(tmp_path, drawn(5, 35)))


def test_what_no_form_can_hold_is_refused_with_a_reason() -> None:
    strange = summary_line(0, 5).model_copy(update={"traits": (Trait(group="Năng khiếu", name="Hát", level="T"),)})
    assert "Năng khiếu" in build_summary(summary_content(5, rows=(strange,)).model_dump_json())[1]
    assert "漢" in build_summary(summary_content(5, rows=(summary_line(0, 5, name="漢 Nguyễn"),)).model_dump_json())[1]
    assert "MucDatDuoc" in build_summary(summary_content(5, rows=(summary_line(0, 5, subjects=_wrong_level()),)).model_dump_json())[1]
    with pytest.raises(RenderError, match="漢"):
        summary_pdf(summary_content(5, rows=(summary_line(0, 5, name="漢 Nguyễn"),)), b"<a/>")


def _wrong_level() -> tuple[Any, ...]:
    return tuple(subject.model_copy(update={"level": "Đ"}) for subject in summary_line(0, 5).subjects)


def test_every_element_of_the_schema_is_explained_in_vietnamese_and_english() -> None:
    schema: Any = etree.fromstring((files("contracts") / "xml" / "bang-tong-hop-1.0.xsd").read_bytes())
    xs = {"xs": "http://www.w3.org/2001/XMLSchema"}
    elements = schema.xpath("//xs:element", namespaces=xs)
    assert len(elements) > 50
    for element in elements:
        assert element.xpath("xs:annotation/xs:documentation[normalize-space()]/@xml:lang", namespaces=xs) == ["vi", "en"], element.get(
            "name"
        )


@pytest.mark.parametrize("name", SUMMARIES)
def test_pages_look_like_the_approved_ones(name: str, tmp_path: Path) -> None:
    """After an intended change of layout: `python -m tests.unit.records.golden_images`, look at the images, commit them."""
    grade, pupils, page = SUMMARIES[name]
    assert image_of(on_disk(tmp_path, drawn(grade, pupils)), page, DPI).difference(read_png(GOLDEN / f"{name}.png")) < 2.0
