"""The lower-secondary documents: each subject with its teachers, whoever they are and whenever they taught."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from services.records.render.fields import MM
from services.records.render.form import form
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml, validate_transcript
from services.records.schoolyear import TranscriptContent
from tests.factories.transcripts import (
    SECONDARY_SUBJECTS,
    filled_upper_secondary_content,
    secondary_content,
    secondary_result,
    shared_subjects_content,
    subject_signatures,
    upper_secondary_content,
)
from tests.unit.records.pdf_tools import page_count, text_of, words_of

NS = {"h": "urn:hocba:transcript:1"}
LONG_COMMENT = "Em tiếp thu bài nhanh, vận dụng tốt kiến thức vào thực tiễn; cần cẩn thận hơn khi trình bày và tính toán."


def printed(content: TranscriptContent, folder: Path) -> Path:
    target = folder / "hoc-ba.pdf"
    target.write_bytes(transcript_pdf(content, subject_signatures(content), transcript_xml(content)))
    return target


def signers(content: TranscriptContent, subject: str) -> list[list[str]]:
    rows: list[dict[str, Any]] = form(content, subject_signatures(content), preview=False)["result"]["subjects"]
    return next(row["signers"] for row in rows if row["name"] == subject)


def taught(xml: bytes, subject: str) -> list[tuple[str, list[str]]]:
    rows: Any = etree.fromstring(xml).xpath(f"//h:TrungHoc//h:MonHoc[h:TenMonHoc='{subject}']/h:GiaoVien", namespaces=NS)
    return [(row.findtext("h:MaCanBo", namespaces=NS), [each.text for each in row.findall("h:HocKi", NS)]) for row in rows]


def as_html(xml: bytes) -> Any:
    transform = etree.XSLT(etree.fromstring((files("contracts") / "xml" / "hoc-ba-1.0.xslt").read_bytes()))
    html: Any = transform(etree.fromstring(xml))
    return html.getroot()


def test_every_block_of_the_lower_secondary_form_is_there(tmp_path: Path) -> None:
    shown = text_of(printed(secondary_content(), tmp_path))
    for words in (
        "HỌC BẠ TRUNG HỌC CƠ SỞ",
        "QUÁ TRÌNH HỌC TẬP",
        "NĂM HỌC 2025-2026",
        "Lớp: 9A",
        "Môn học/Hoạt động giáo dục",
        "Điểm trung bình môn học hoặc mức đánh giá",
        "Điểm hoặc mức đánh giá sau đánh giá lại, rèn luyện trong hè (nếu có)",
        "Nhận xét sự tiến bộ, ưu điểm nổi bật, hạn chế chủ yếu (nếu có) và xác nhận của giáo viên môn học",
        "Trong bảng này có sửa chữa ở: 0 điểm, 0 mức đánh giá, thuộc các môn: không.",
        "Giáo viên chủ nhiệm: Bùi Thị Ngọc Ánh",
        "Tổng số buổi nghỉ học cả năm",
        "Sau đánh giá lại",
        "Được lên lớp",
        "Chứng chỉ (nếu có): Tin học ứng dụng cơ bản",
        "Kết quả tham gia các cuộc thi: Giải Ba hội thi Tin học trẻ cấp thành phố",
        "Khen thưởng: Không",
        "Hoàn thành chương trình cấp học: Hoàn thành chương trình trung học cơ sở",
        "Nhận xét của giáo viên chủ nhiệm Chăm ngoan, có ý thức học tập.",
        "Phê duyệt của Hiệu trưởng",
        "Vũ Đình Trọng – 28/05/2026 14:06 +07:00",
        "5404A1B2C3D4E5F60718293A4B5C6D7E8F900001",
        "Nhà trường ký phát hành, đóng dấu",
    ):
        assert words in shown, words


def test_every_subject_stands_with_its_marks_in_vietnamese_writing(tmp_path: Path) -> None:
    """The names stand below each other in the first column, the marks of one subject on one line."""
    words = sorted((word for word in words_of(printed(secondary_content(), tmp_path)) if word.page == 3), key=lambda word: word.top)
    names = " ".join(word.text for word in words if word.right < 56 * MM)
    for name, *_ in SECONDARY_SUBJECTS:
        assert name in names
    marks = [word for word in words if word.left > 56 * MM and word.right < 91 * MM and re.fullmatch(r"\d+,\d|Đ|CĐ", word.text)]
    lines = [sorted(marks[at : at + 3], key=lambda word: word.left) for at in range(0, len(marks), 3)]
    assert [[word.text for word in line] for line in lines] == [[m.replace(".", ",") for m in each] for _, *each in SECONDARY_SUBJECTS]


def test_all_teachers_of_one_subject_stand_in_its_row() -> None:
    names = [name for name, *_ in signers(shared_subjects_content(), "Khoa học tự nhiên")]
    assert names == ["Lý Quang Vỹ", "Nguyễn Phước Bảo Ngọc Quỳnh Trang", "Đinh Hoàng Khánh Vân"]


def test_a_teacher_of_several_subjects_stands_in_each_row_with_the_same_signature() -> None:
    content = shared_subjects_content()
    rows = [row for subject in ("Khoa học tự nhiên", "Công nghệ") for row in signers(content, subject) if row[0] == "Đinh Hoàng Khánh Vân"]
    assert len(rows) == 2
    assert rows[0] == rows[1]


def test_after_a_change_of_teacher_the_row_says_who_taught_in_which_semester(tmp_path: Path) -> None:
    """Who taught in semester I stands first, although the assignment table names them later."""
    content = shared_subjects_content()
    assert [row[:2] for row in signers(content, "Ngữ văn")] == [["Bùi Thị Ngọc Ánh", "học kì I"], ["Nguyễn Thị Hồng Nhung", "học kì II"]]
    shown = text_of(printed(content, tmp_path), first=3)
    assert "Bùi Thị Ngọc Ánh (học kì I) – 28/05/2026 14:06 +07:00" in shown
    assert "Nguyễn Thị Hồng Nhung (học kì II) – 28/05/2026 14:05 +07:00" in shown


def test_who_taught_all_year_has_no_note(tmp_path: Path) -> None:
    assert "(học kì" not in text_of(printed(secondary_content(), tmp_path))


def test_who_has_not_signed_stands_in_the_preview_with_the_semester() -> None:
    rows: list[dict[str, Any]] = form(shared_subjects_content(), (), preview=True)["result"]["subjects"]
    assert rows[0]["signers"][1] == ["Nguyễn Thị Hồng Nhung", "học kì II", "Chưa ký", "", ""]


def test_the_xml_names_the_teachers_of_each_subject_with_their_semesters() -> None:
    xml = transcript_xml(shared_subjects_content())

    assert validate_transcript(xml) == []
    assert taught(xml, "Ngữ văn") == [("31310098010", ["I"]), ("31310098030", ["II"])]
    assert taught(xml, "Toán") == [("31310098011", ["I", "II"])]
    assert [code for code, _ in taught(xml, "Khoa học tự nhiên")] == ["31310098015", "31310098031", "31310098032"]
    assert taught(xml, "Hoạt động trải nghiệm, hướng nghiệp") == [("31310098020", ["I", "II"]), ("31310098010", ["II"])]


def test_every_teacher_of_a_subject_is_one_of_the_signers_and_the_other_way_round() -> None:
    root = etree.fromstring(transcript_xml(shared_subjects_content()))
    of_subjects: Any = root.xpath("//h:MonHoc/h:GiaoVien/h:MaCanBo/text()", namespaces=NS)
    of_signers: Any = root.xpath("//h:NguoiKy/h:GiaoVienBoMon/h:MaCanBo/text()", namespaces=NS)
    assert sorted(set(of_subjects)) == sorted(of_signers)


def test_a_transcript_from_before_the_teachers_stood_with_their_subjects_is_still_valid() -> None:
    root = etree.fromstring(transcript_xml(shared_subjects_content()))
    for element in root.findall(".//h:GiaoVien", NS):
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    assert validate_transcript(etree.tostring(root)) == []


@pytest.mark.parametrize(("right", "wrong"), [("<HocKi>I</HocKi>", "<HocKi>III</HocKi>"), ("<HocKi>I</HocKi><HocKi>II</HocKi>", "")])
def test_a_teacher_without_a_real_semester_is_refused(right: str, wrong: str) -> None:
    xml = transcript_xml(shared_subjects_content()).replace(right.encode(), wrong.encode(), 1)
    assert validate_transcript(xml)


def test_the_stylesheet_shows_each_subjects_teachers() -> None:
    html = as_html(transcript_xml(shared_subjects_content()))
    table = next(table for table in html.iter("table") if table.findtext("caption").startswith("Kết quả các môn học"))
    last_cells = {row.findtext("th"): " ".join("".join(row.findall("td")[-1].itertext()).split()) for row in table.findall("tbody/tr")}
    assert last_cells["Ngữ văn"] == "Bùi Thị Ngọc Ánh (học kì I), Nguyễn Thị Hồng Nhung (học kì II)"
    assert last_cells["Khoa học tự nhiên"] == "Lý Quang Vỹ, Nguyễn Phước Bảo Ngọc Quỳnh Trang, Đinh Hoàng Khánh Vân"


def test_sixteen_teachers_fit_on_the_form_of_four_pages(tmp_path: Path) -> None:
    pdf = printed(shared_subjects_content(), tmp_path)
    assert page_count(pdf) == 4
    shown = text_of(pdf, first=3)
    for teacher in shared_subjects_content().subject_teachers:
        assert teacher.name in shown


@pytest.mark.parametrize("content", [secondary_content(), shared_subjects_content()], ids=["one teacher each", "sixteen teachers"])
def test_results_remarks_and_the_signature_panels_share_the_last_page(content: TranscriptContent, tmp_path: Path) -> None:
    last = text_of(printed(content, tmp_path), first=4, last=4)
    for words in ("Kết quả rèn luyện", "Khen thưởng", "Nhận xét của giáo viên chủ nhiệm", "Phê duyệt của Hiệu trưởng"):
        assert words in last


def test_a_very_long_remark_is_printed_to_its_last_word(tmp_path: Path) -> None:
    remark = " ".join(f"ý{number}" for number in range(900))
    content = secondary_content(result=secondary_result(homeroom_comment=remark[:4000]))
    pdf = printed(content, tmp_path)
    assert remark[:4000].split()[-1] in text_of(pdf).split()
    assert all(word.top >= 15 * MM and word.bottom <= 290 * MM for word in words_of(pdf))


def long_comments() -> TranscriptContent:
    subjects = tuple(subject.model_copy(update={"comment": LONG_COMMENT}) for subject in secondary_result().subjects)
    return shared_subjects_content(result=secondary_result(subjects=subjects))


def test_a_table_over_two_pages_repeats_its_headings_and_every_page_of_the_year_says_whose_it_is(tmp_path: Path) -> None:
    pdf = printed(long_comments(), tmp_path)
    assert page_count(pdf) == 5
    assert "Nhận xét sự tiến bộ" in text_of(pdf, first=4, last=4)
    for page in (4, 5):
        assert text_of(pdf, first=page, last=page).startswith("Nguyễn Thị Quỳnh Hương – Lớp 9A – Năm học 2025-2026")
    assert not text_of(pdf, first=3, last=3).startswith("Nguyễn Thị Quỳnh Hương –")


def test_a_time_of_signing_is_never_broken_over_two_lines(tmp_path: Path) -> None:
    words = words_of(printed(long_comments(), tmp_path))
    times = [at for at, word in enumerate(words) if word.text == "+07:00" and words[at - 3].text == "–"]
    assert len(times) >= 18
    for at in times:
        assert words[at - 3].top == pytest.approx(words[at].top, abs=1 * MM)


def test_upper_secondary_names_the_chosen_subjects_topics_and_everything_that_was_added(tmp_path: Path) -> None:
    shown = text_of(printed(filled_upper_secondary_content(), tmp_path))
    for words in (
        "HỌC BẠ TRUNG HỌC PHỔ THÔNG",
        "Các môn học lựa chọn: Vật lí, Hoá học, Sinh học, Tin học",
        "Các chuyên đề học tập lựa chọn: Chuyên đề Toán 12; Chuyên đề Vật lí 12; Chuyên đề Tin học 12",
        "Trong bảng này có sửa chữa ở: 2 điểm, 1 mức đánh giá, thuộc các môn: Toán, Giáo dục thể chất.",
        "Hoàn thành chương trình trung học phổ thông",
        "Học bạ năm học 2024-2025: mã định danh 0196a1b2-6c1b-7d44-9e0a-00000000aa11",
        "Người giám hộ (nếu có): Trịnh Văn Hậu",
    ):
        assert words in shown, words
    assert "ab" * 32 in shown.replace(" ", "")
    result: dict[str, Any] = form(filled_upper_secondary_content(), (), preview=True)["result"]
    assert result["study"] == ["Khá", "Đạt", "Chưa đạt", "Đạt"]
    assert result["conduct"][3] == "Khá"
    assert result["subjects"][0]["marks"] == ["7,9", "7,5", "4,9", "6,0"]


def test_the_school_life_lists_earlier_years_first_and_the_own_year_last() -> None:
    rows = form(filled_upper_secondary_content(), (), preview=True)["history"]
    assert [row[:3] for row in rows] == [
        ["2023-2024", "10C", "Trường Trung học phổ thông Hải Đăng"],
        ["2024-2025", "11A", "Trường Trung học phổ thông Hoa Phượng"],
        ["2025-2026", "12A", "Trường Trung học phổ thông Hoa Phượng"],
    ]


def test_the_xml_has_all_that_is_optional_and_stays_valid() -> None:
    xml = transcript_xml(filled_upper_secondary_content())
    assert validate_transcript(xml) == []
    root: Any = etree.fromstring(xml)
    for path, expected in (
        ("//h:MonHocLuaChon", ["Vật lí", "Hoá học", "Sinh học", "Tin học"]),
        ("//h:HocBaNamTruoc/h:BamXml", ["cd" * 32]),
        ("//h:QuaTrinhHocTap/h:NamHoc", ["2024-2025", "2023-2024"]),
        ("//h:SuaChua/h:MonHoc", ["Toán", "Giáo dục thể chất"]),
        ("//h:KetQuaHocTap/h:SauDanhGiaLai", ["Đạt"]),
        ("//h:HoanThanhChuongTrinhCapHoc", ["true"]),
    ):
        assert root.xpath(f"{path}/text()", namespaces=NS) == expected, path


@pytest.mark.parametrize(("grade", "stands"), [(8, False), (9, True), (10, False), (12, True)])
def test_only_the_last_grade_of_a_level_speaks_of_its_programme(grade: int, stands: bool) -> None:
    level = "THCS" if grade < 10 else "THPT"
    content = upper_secondary_content() if grade >= 10 else secondary_content()
    changed = content.model_copy(
        update={
            "school": content.school.model_copy(update={"level": level}),
            "school_class": content.school_class.model_copy(update={"grade": grade}),
        }
    )
    assert (b"<HoanThanhChuongTrinhCapHoc>" in transcript_xml(changed)) is stands
    assert bool(form(changed, (), preview=True)["result"]["programme"]) is stands
