from __future__ import annotations

import datetime as dt
import hashlib
import re
import subprocess
import unicodedata
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import pytest
import segno
from pyhanko.pdf_utils.reader import PdfFileReader

from services.records.render import pdf as pdf_module
from services.records.render.compose import QR_MASK
from services.records.render.fields import MM, PANELS, UnexpectedPdfError, add_signature_fields
from services.records.render.pdf import RenderError, check_fonts, transcript_pdf
from services.records.render.pictures import LARGEST, printable
from services.records.render.xml import transcript_xml
from services.records.schoolyear import PrimarySubject, Trait, TranscriptContent
from tests.factories.pictures import signature_picture, signature_pictures
from tests.factories.transcripts import (
    filled_upper_secondary_content,
    primary_content,
    primary_result,
    pupil,
    school,
    secondary_content,
    shared_subjects_content,
    subject_signatures,
)
from tests.unit.records.golden_images import DPI, GOLDEN, PAGES, PICTURED, pictured
from tests.unit.records.pdf_tools import attachment_of, image_of, page_count, read_png, text_of, words_of

Render = Callable[..., Path]


@cache
def _rendered_once(content: TranscriptContent, *, preview: bool, signed: bool) -> bytes:
    return transcript_pdf(content, subject_signatures(content) if signed else (), transcript_xml(content), preview=preview)


@pytest.fixture
def render(tmp_path: Path) -> Render:
    def rendered(content: TranscriptContent, *, preview: bool = False, signed: bool = True) -> Path:
        target = tmp_path / "hoc-ba.pdf"
        target.write_bytes(_rendered_once(content, preview=preview, signed=signed))
        return target

    return rendered


def test_every_block_of_the_primary_form_is_there(render: Render) -> None:
    shown = text_of(render(primary_content()))
    for words in (
        "BỘ GIÁO DỤC VÀ ĐÀO TẠO",
        "HỌC BẠ TIỂU HỌC",
        "NGUYỄN THỊ QUỲNH HƯƠNG",
        "Trường Tiểu học Hoa Phượng",
        "Xã (Phường, Đặc khu):",
        "Tỉnh (Thành phố):",
        "Giới tính: Nữ",
        "Ngày, tháng, năm sinh: 16/08/2015",
        "Dân tộc: Kinh",
        "Quốc tịch: Việt Nam",
        "Nơi sinh: Hải Phòng",
        "Quê quán: An Hồng, Hải Phòng",
        "Nơi ở hiện nay: Số 91, An Hồng, Hải Phòng",
        "Số định danh cá nhân: 031315002519",
        "Họ và tên cha: Nguyễn Gia Thành",
        "Họ và tên mẹ: Trịnh Phương Hạnh",
        "Người giám hộ (nếu có):",
        "QUÁ TRÌNH HỌC TẬP",
        "Số đăng bộ",
        "2021/0001",
        "05/09/2021",
        "Lớp: 5A",
        "Chiều cao: 142,5 cm",
        "Cân nặng: 36 kg",
        "Sức khoẻ: Tốt",
        "Số ngày nghỉ: 3",
        "Có phép: 2",
        "Không phép: 1",
        "1. Các môn học và hoạt động giáo dục",
        "Điểm KTĐK",
        "2. Những phẩm chất chủ yếu",
        "Em chăm chỉ, trung thực.",
        "3. Những năng lực cốt lõi",
        "3.1. Năng lực chung",
        "3.2. Năng lực đặc thù",
        "Em tự tin, biết hợp tác với bạn.",
        "4. Đánh giá kết quả giáo dục: Hoàn thành xuất sắc",
        "Em ngoan, lễ phép, có ý thức học tập.",
        "5. Khen thưởng: Học sinh Xuất sắc",
        "6. Hoàn thành chương trình lớp học/chương trình tiểu học: Hoàn thành chương trình tiểu học.",
        "Hải Phòng, ngày 28 tháng 5 năm 2026",
        "Xác nhận của Hiệu trưởng",
        "Giáo viên chủ nhiệm",
        "Nhà trường ký phát hành, đóng dấu",
        "Mã định danh học bạ: 0197f3a2-6c1b-7d44-9e0a-5b2f8c7d1e60",
    ):
        assert words in shown, words


def test_every_subject_level_mark_and_trait_is_printed(render: Render) -> None:
    content = primary_content()
    shown = text_of(render(content), first=3)
    for subject in primary_result().subjects:
        assert subject.name in shown
    for trait in primary_result().traits:
        assert trait.name in shown
    assert shown.count("Em nắm chắc kiến thức, vận dụng tốt.") == len(primary_result().subjects)


def test_subject_teachers_stand_with_time_and_certificate(render: Render) -> None:
    shown = text_of(render(primary_content()))
    assert "Giáo viên bộ môn ký số" in shown
    assert "Phạm Quốc Khánh" in shown
    assert "28/05/2026 14:06 +07:00" in shown
    assert "5404A1B2C3D4E5F6 0718293A4B5C6D7E 8F900001" in shown


def test_a_school_without_subject_teachers_signing_has_no_such_table(render: Render) -> None:
    assert "Giáo viên bộ môn ký số" not in text_of(render(primary_content(), signed=False))


def test_a_homeroom_teacher_who_signs_later_is_shown_as_such(tmp_path: Path) -> None:
    content = primary_content()
    others = [signature for signature in subject_signatures(content) if signature.staff != content.school_class.homeroom]
    target = tmp_path / "a.pdf"
    target.write_bytes(transcript_pdf(content, others, transcript_xml(content)))
    assert "Ký với tư cách giáo viên chủ nhiệm" in text_of(target)


def test_a_deputy_signs_on_behalf_of_the_principal(render: Render) -> None:
    shown = text_of(render(primary_content(leader_position="Phó hiệu trưởng")))
    assert shown.count("KT. HIỆU TRƯỞNG PHÓ HIỆU TRƯỞNG") == 2
    assert "KT. HIỆU TRƯỞNG" not in text_of(render(primary_content()))


@pytest.mark.parametrize(
    ("grade", "completed", "promoted", "words"),
    [
        (2, True, True, "Hoàn thành chương trình lớp 2. Được lên lớp 3."),
        (2, False, False, "Chưa hoàn thành chương trình lớp 2. Chưa được lên lớp."),
        (5, False, False, "Chưa hoàn thành chương trình tiểu học."),
    ],
)
def test_block_six_says_what_was_completed(render: Render, grade: int, completed: bool, promoted: bool, words: str) -> None:
    content = primary_content(
        school_class=primary_content().school_class.model_copy(update={"grade": grade}),
        result=primary_result(completed=completed, promoted=promoted),
    )
    assert words in text_of(render(content))


def test_every_page_has_its_number_and_the_identifier(render: Render) -> None:
    pdf = render(primary_content())
    pages = page_count(pdf)
    for page in range(1, pages + 1):
        shown = text_of(pdf, first=page, last=page)
        assert f"Trang {page}/{pages}" in shown
        assert "0197f3a2-6c1b-7d44-9e0a-5b2f8c7d1e60" in shown


def test_the_attached_xml_comes_out_byte_for_byte(render: Render, tmp_path: Path) -> None:
    content = primary_content(pupil=pupil(name="Đỗ Thị <Ngọc> & Ánh"))
    assert attachment_of(render(content), tmp_path) == transcript_xml(content)


def test_the_attachment_is_an_associated_file_of_the_data_kind(render: Render) -> None:
    root = PdfFileReader(BytesIO(render(primary_content()).read_bytes())).root
    specification = root["/AF"][0]
    assert specification["/AFRelationship"] == "/Data"
    assert specification["/UF"] == "hoc-ba.xml"


def test_the_document_is_tagged_titled_and_vietnamese(render: Render) -> None:
    pdf = render(primary_content())
    root = PdfFileReader(BytesIO(pdf.read_bytes())).root
    assert root["/Lang"] == "vi" or str(root["/Lang"]).startswith("vi-")
    assert root["/MarkInfo"]["/Marked"]
    info = subprocess.run(["pdfinfo", str(pdf)], check=True, capture_output=True).stdout.decode()
    assert "Học bạ tiểu học - Nguyễn Thị Quỳnh Hương - Năm học 2025-2026" in info


def test_the_three_fields_are_empty_and_printed_on_the_last_page(render: Render) -> None:
    pdf = render(primary_content())
    reader = PdfFileReader(BytesIO(pdf.read_bytes()))
    form = reader.root["/AcroForm"]
    fields = [reference.get_object() for reference in form["/Fields"]]
    assert form["/SigFlags"] == 3
    assert {field["/T"] for field in fields} == {"GVCN", "CBQL", "KY_PHAT_HANH"}
    for field in fields:
        assert "/V" not in field
        assert field["/F"] == 4
        assert field.raw_get("/P") == reader.root["/Pages"]["/Kids"].raw_get(page_count(pdf) - 1)
        left, bottom, right, top = (float(value) for value in field["/Rect"])
        appearance = field["/AP"]["/N"]
        assert "/Filter" not in appearance
        assert [float(value) for value in appearance["/BBox"]] == pytest.approx([0, 0, right - left, top - bottom], abs=0.01)
    assert b"not signed" in subprocess.run(["pdfsig", str(pdf)], check=False, capture_output=True).stdout


def test_the_final_document_has_one_revision_and_ends_in_a_newline(render: Render) -> None:
    data = render(primary_content()).read_bytes()
    assert data.endswith(b"%%EOF\n")
    assert data.count(b"%%EOF") == 1


def test_a_pdf_written_another_way_is_refused() -> None:
    with pytest.raises(UnexpectedPdfError):
        add_signature_fields(b"%PDF-1.7\n%%EOF")
    once = transcript_pdf(primary_content(), (), b"<a/>", preview=True).rstrip(b"\n")
    with pytest.raises(UnexpectedPdfError):
        add_signature_fields(once.replace(b"/Root ", b"/Rood "))


def test_the_same_input_gives_the_same_bytes() -> None:
    content = primary_content()
    xml = transcript_xml(content)
    first = transcript_pdf(content, subject_signatures(content), xml)
    transcript_pdf(primary_content(pupil=pupil(name="Người Khác")), (), b"<a/>")
    pdf_module._compiler.cache_clear()  # a fresh process would start the same way
    assert transcript_pdf(content, subject_signatures(content), xml) == first


def test_another_process_renders_the_same_bytes() -> None:
    content = primary_content()
    arguments = (content, subject_signatures(content), transcript_xml(content))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = pool.submit(transcript_pdf, *arguments, preview=False).result()
    assert elsewhere == transcript_pdf(*arguments)


def test_only_a_preview_has_the_watermark_and_only_the_final_has_fields(render: Render) -> None:
    preview = render(primary_content(), preview=True)
    assert "BẢN XEM TRƯỚC" in text_of(preview)
    assert "/AcroForm" not in PdfFileReader(BytesIO(preview.read_bytes())).root
    assert "BẢN XEM TRƯỚC" not in text_of(render(primary_content()))


def test_a_preview_shows_who_has_not_signed(render: Render) -> None:
    shown = text_of(render(primary_content(), preview=True, signed=False))
    assert "Phạm Quốc Khánh" in shown
    assert "Chưa ký" in shown


INJECTIONS = (
    '#eval("1+1") *đậm* _nghiêng_ $x^2$ `mã` @ai <nhãn>',
    "= Tiêu đề // chú thích /* khối */ #pagebreak() \\",
    '"}, "award": "Học sinh Xuất sắc"',
    "</HoTen><script>alert(1)</script>&amp;",
    "- 1. + / Mục: -- --- ... 'nháy' \"kép\"",
)


@pytest.mark.parametrize("evil", INJECTIONS)
def test_markup_in_names_and_comments_is_shown_as_it_is(render: Render, evil: str) -> None:
    content = primary_content(pupil=pupil(father=evil), result=primary_result(homeroom_comment=evil, award=""))
    shown = text_of(render(content)).replace("\u200b", "")
    assert shown.count(" ".join(evil.split())) == 2
    assert page_count(render(content)) == page_count(render(primary_content()))


def test_decomposed_names_are_composed(render: Render) -> None:
    name = "Nguyễn Thị Quỳnh Hương"
    shown = text_of(render(primary_content(pupil=pupil(name=unicodedata.normalize("NFD", name)))))
    assert name in shown
    assert unicodedata.is_normalized("NFC", shown)


LONG_NAME = "Công Tằng Tôn Nữ Nguyễn Phước Huyền Trang Thuỳ Dương Hạ Mỹ Anh"
LONG_COMMENT = ("Em nghiêng mình ghi chép cẩn thận, tiến bộ rõ rệt ở phần đọc hiểu và kể chuyện; " * 8)[:600]


def overfull() -> TranscriptContent:
    subjects = tuple(
        PrimarySubject(name=f"{item.name} ({LONG_NAME})", level="C", mark=10, comment=LONG_COMMENT) for item in primary_result().subjects
    )
    traits = tuple(Trait(group=item.group, name=LONG_NAME, level="C") for item in primary_result().traits)
    return primary_content(
        school=school(name=f"Trường Tiểu học {LONG_NAME}", print_place=LONG_NAME),
        pupil=pupil(name=LONG_NAME, father=LONG_NAME, guardian="A" * 60, address=LONG_COMMENT),
        result=primary_result(
            subjects=subjects,
            traits=traits,
            competence_comment=LONG_COMMENT * 2,
            quality_comment="không" * 120,
            homeroom_comment="1" * 600,
            award=LONG_COMMENT,
        ),
        homeroom_name=LONG_NAME,
        leader_name=LONG_NAME,
        leader_position="Phó hiệu trưởng",
    )


@pytest.mark.parametrize(
    "content",
    [
        primary_content(),
        overfull(),
        filled_upper_secondary_content(),
        secondary_content(),
        secondary_content(homeroom_name=LONG_NAME, leader_name=LONG_NAME, pupil=pupil(name=LONG_NAME)),
        shared_subjects_content(),
    ],
    ids=["primary", "overfull", "upper secondary", "secondary", "secondary with long names", "secondary with shared subjects"],
)
def test_nothing_leaves_the_page_and_nothing_lies_under_a_signature(render: Render, content: TranscriptContent) -> None:
    pdf = render(content)
    words, pages = words_of(pdf), page_count(pdf)
    for word in words:
        assert word.left >= 20 * MM, word
        assert word.right <= 192 * MM, word
        assert word.top >= 15 * MM, word
        assert word.bottom <= 290 * MM, word
    last = [word for word in words if word.page == pages]
    assert any(word.text == "chủ" for word in last)
    for panel in PANELS:
        for word in last:
            apart = (
                word.right <= panel.left * MM
                or word.left >= (panel.left + panel.width) * MM
                or word.bottom <= panel.top * MM + 1
                or word.top >= (panel.top + panel.height) * MM
            )
            assert apart, (panel.name, word)


def test_long_comments_are_printed_to_their_last_word(render: Render) -> None:
    shown = text_of(render(overfull())).replace("\u200b", "").replace(" ", "")
    assert shown.count(LONG_COMMENT.replace(" ", "")[-40:]) >= len(primary_result().subjects)
    assert "không" * 20 in shown


def test_headings_of_a_broken_table_come_again(render: Render) -> None:
    pdf = render(overfull())
    pages = [text_of(pdf, first=page, last=page) for page in range(3, page_count(pdf) + 1)]
    assert sum("Điểm KTĐK" in page for page in pages) >= 3


def test_a_character_that_the_font_lacks_is_named() -> None:
    with pytest.raises(RenderError, match="漢"):
        transcript_pdf(primary_content(pupil=pupil(name="漢 Nguyễn")), (), b"<a/>")


def test_the_vendored_fonts_are_the_pinned_ones_and_have_every_letter() -> None:
    check_fonts()
    folder = Path(pdf_module.__file__).parent / "fonts"
    pinned = dict(re.findall(r"\| (Tinos-\w+\.ttf) \| ([0-9a-f]{64}) \|", (folder / "README.md").read_text()))
    assert {path.name for path in folder.glob("*.ttf")} == set(pinned)
    for name, digest in pinned.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_alphabet_checked_at_start_has_all_vietnamese_letters() -> None:
    bases, tones = "aăâeêioôơuưy", ["", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"]
    lower = {unicodedata.normalize("NFC", base + tone) for base in bases for tone in tones} | {"đ"}
    assert lower | {letter.upper() for letter in lower} <= set(pdf_module._alphabet())


def test_a_font_without_vietnamese_letters_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "_alphabet", lambda: "Ω ấ ლ")
    with pytest.raises(RenderError, match="ლ"):
        check_fonts()


def test_the_code_on_the_cover_leads_to_the_verification_page(render: Render) -> None:
    content = primary_content()
    page = image_of(render(content), 1, 200)
    matrix = segno.make(content.verify_url, error="m", micro=False, mask=QR_MASK).matrix
    side = 30 * MM * 200 / 72
    left = (page.width - side) / 2
    top = next(y for y in range(page.height * 2 // 3, page.height) if page.dark(left + 3, y))
    module = side / len(matrix)
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            assert page.dark(left + (column + 0.5) * module, top + (row + 0.5) * module) == bool(dark), (row, column)


@pytest.mark.parametrize("name", PAGES)
def test_pages_look_like_the_approved_ones(render: Render, name: str) -> None:
    """After an intended change of layout: `python -m tests.unit.records.golden_images`, look at the images, commit them."""
    make, page = PAGES[name]
    difference = image_of(render(make()), page, DPI).difference(read_png(GOLDEN / f"{name}.png"))
    assert difference < 2.0


@pytest.mark.parametrize("name", PICTURED)
def test_pages_with_pictures_of_signatures_look_like_the_approved_ones(name: str, tmp_path: Path) -> None:
    make, page = PICTURED[name]
    target = tmp_path / "a.pdf"
    target.write_bytes(pictured(make()))
    assert image_of(target, page, DPI).difference(read_png(GOLDEN / f"{name}.png")) < 2.0


def pictures_in(pdf: bytes) -> int:
    return pdf.count(b"/Subtype/Image")


def test_a_picture_stands_only_for_a_signature_that_was_given() -> None:
    content = primary_content()
    xml, pictures = transcript_xml(content), signature_pictures(content)
    signed = transcript_pdf(content, subject_signatures(content)[:1], xml, pictures=pictures)
    assert pictures_in(signed) == 1
    assert pictures_in(transcript_pdf(content, (), xml, preview=True, pictures=pictures)) == 0


def test_a_picture_of_somebody_else_is_left_out() -> None:
    content = primary_content()
    stranger = {"31300099099": printable(signature_picture())}
    assert pictures_in(transcript_pdf(content, subject_signatures(content), transcript_xml(content), pictures=stranger)) == 0


def test_a_printable_picture_is_small_opaque_and_always_the_same() -> None:
    made = printable(signature_picture(3, width=1200, height=900))
    width, height = (int.from_bytes(made[at : at + 4], "big") for at in (16, 20))
    assert width <= LARGEST[0]
    assert height <= LARGEST[1]
    assert b"tRNS" not in made
    assert len(made) < 8_000
    assert made == printable(signature_picture(3, width=1200, height=900))


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="not a PNG"):
        printable(b"%PDF-1.7 not a picture")


def test_every_field_is_a_tagged_form_element(render: Render) -> None:
    root = PdfFileReader(BytesIO(render(primary_content()).read_bytes())).root
    tree = root["/StructTreeRoot"]
    parents = tree["/ParentTree"]["/Nums"]
    by_key = {int(parents[at]): parents[at + 1] for at in range(0, len(parents), 2)}
    for reference in root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        element = by_key[int(field["/StructParent"])].get_object()
        assert element["/S"] == "/Form"
        assert "/K" not in element, "through which EU DSS would find a forbidden change once the field is signed"
        assert element["/A"]["/Role"] == "/tv"
        assert element["/Alt"] == field["/TU"]
    assert int(tree["/ParentTreeNextKey"]) == max(by_key) + 1


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        transcript_pdf(primary_content(created_at=dt.datetime(2026, 5, 27)), (), b"<a/>")  # noqa: DTZ001 - the refused input itself
