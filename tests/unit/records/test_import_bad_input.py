"""Every kind of bad input: named with its row and column, refused for its own pupil only, everybody else goes on."""

from __future__ import annotations

import datetime as dt

import pytest
from openpyxl import Workbook

from services.records.imports import findings as found
from services.records.imports.preview import preview
from tests.unit.records.import_files import PROFILE, edited, made, only, refused, with_cell, with_result

TH, _ = made("TH")
THCS, _ = made("THCS")
EVERYBODY = {pupil.code for pupil in preview(TH).pupils}
# row 2 of "Học sinh" is the first pupil of 1A, row 4 of ket_qua/1A.xlsx their result; in secondary row 3 of 6A.xlsx
FIRST, SECOND = [pupil.code for pupil in preview(TH).pupils][:2]
FIRST_THCS = next(pupil.code for pupil in preview(THCS).pupils)


def test_a_school_without_mistakes_has_no_findings() -> None:
    for level in ("TH", "THCS", "THPT"):
        seen = preview(made(level)[0])
        assert (seen.findings, seen.refused_pupils, seen.blocked) == ((), (), False)


@pytest.mark.parametrize(
    ("header", "value", "field", "kind"),
    [
        ("Họ tên", None, "Họ tên", "missing"),
        ("Họ tên", " \u200b\u00a0 ", "Họ tên", "missing"),
        ("Ngày sinh", None, "Ngày sinh", "missing"),
        ("Ngày sinh", "31/02/2018", "Ngày sinh", "invalid"),
        ("Ngày sinh", "2018", "Ngày sinh", "invalid"),
        ("Ngày sinh", 43102, "Ngày sinh", "invalid"),
        ("Ngày sinh", "01/02/18", "Ngày sinh", "invalid"),
        ("Ngày sinh", "01/02/2031", "Ngày sinh", "invalid"),
        ("Giới tính", None, "Giới tính", "missing"),
        ("Giới tính", "?", "Giới tính", "invalid"),
        ("Nơi sinh", None, "Nơi sinh", "missing"),
        ("Số định danh cá nhân", None, "Số định danh cá nhân", "missing"),
        ("Số định danh cá nhân", "12345", "Số định danh cá nhân", "invalid"),
        ("Số định danh cá nhân", "03131900251X", "Số định danh cá nhân", "invalid"),
        ("Số định danh cá nhân", "٠٣١٣١٩٠٠٢٥١٩", "Số định danh cá nhân", "invalid"),
        ("Số định danh cá nhân", 12345, "Số định danh cá nhân", "invalid"),
        ("Ngày nhập học", "hôm qua", "Ngày nhập học", "invalid"),
        ("Mã lớp", None, "Mã lớp", "missing"),
        ("Mã lớp", "9Z", "Mã lớp", "unknown"),
    ],
)
def test_a_bad_profile_cell_refuses_its_pupil_alone(header: str, value: object, field: str, kind: str) -> None:
    seen = preview(with_cell(TH, "Học sinh", 2, header, value))
    assert refused(seen) == {(FIRST, field, kind)}
    assert {pupil.code for pupil in seen.pupils} == set(seen.results) == EVERYBODY - {FIRST}
    [finding] = seen.findings
    assert (finding.file, finding.sheet, finding.row, finding.column) == (PROFILE, "Học sinh", 2, header)
    assert (finding.severity, finding.pupil, finding.field) == ("error", FIRST, field)
    assert finding.code.startswith("HB-IMP-4")
    assert finding.message_vi
    assert finding.action_vi


def test_a_pupil_with_several_problems_has_a_reason_for_each() -> None:
    seen = preview(with_cell(with_cell(TH, "Học sinh", 2, "Họ tên", None), "Học sinh", 2, "Giới tính", "X"))
    assert refused(seen) == {(FIRST, "Họ tên", "missing"), (FIRST, "Giới tính", "invalid")}


def test_a_pupil_without_a_code_is_refused_by_its_row() -> None:
    seen = preview(with_cell(TH, "Học sinh", 2, "Mã học sinh", None))
    assert refused(seen) == {("", "Mã học sinh", "missing"), (FIRST, "Mã học sinh", "unmatched")}
    assert only(seen, found.PUPIL_MISSING).row == 2


def test_real_dates_and_numbers_that_excel_made_of_codes_are_repaired() -> None:
    before = preview(TH)
    files = with_cell(TH, "Học sinh", 2, "Mã học sinh", float(FIRST))
    files = with_cell(files, "Học sinh", 3, "Mã học sinh", f"{SECOND}.0")
    files = with_cell(files, "Học sinh", 2, "Ngày sinh", dt.datetime.combine(before.pupils[0].born, dt.time()))
    files = with_cell(files, "Học sinh", 3, "Ngày sinh", f"{before.pupils[1].born:%Y-%m-%d}")
    seen = preview(files)
    assert seen.pupils == before.pupils
    assert seen.results == before.results


def test_a_personal_id_that_lost_its_leading_zero_to_excel_gets_it_back_with_a_warning() -> None:
    before = preview(TH)
    assert before.pupils[0].personal_id.startswith("0")
    seen = preview(with_cell(TH, "Học sinh", 2, "Số định danh cá nhân", int(before.pupils[0].personal_id)))
    assert seen.pupils == before.pupils
    assert only(seen, found.PERSONAL_ID_PADDED).severity == "warning"


def test_two_pupils_with_one_personal_id_are_both_refused() -> None:
    shared = preview(TH).pupils[0].personal_id
    seen = preview(with_cell(TH, "Học sinh", 10, "Số định danh cá nhân", shared))
    other = preview(TH).pupils[8].code
    assert refused(seen) == {(FIRST, "Số định danh cá nhân", "duplicate"), (other, "Số định danh cá nhân", "duplicate")}
    assert {finding.row for finding in seen.findings} == {2, 10}
    assert {pupil.code for pupil in seen.pupils} == EVERYBODY - {FIRST, other}


def test_a_pupil_listed_twice_is_refused_with_both_rows() -> None:
    def repeat(book: Workbook) -> None:
        sheet = book["Học sinh"]
        sheet.append([cell.value for cell in sheet[2]])

    seen = preview(edited(TH, PROFILE, repeat))
    assert refused(seen) == {(FIRST, "Mã học sinh", "duplicate")}
    assert [finding.row for finding in seen.findings] == [2, len(EVERYBODY) + 2]


def test_a_personal_id_that_disagrees_with_sex_or_birth_year_is_only_a_warning() -> None:
    pupil = preview(TH).pupils[0]
    other = "Nam" if pupil.sex == "Nữ" else "Nữ"
    seen = preview(with_cell(TH, "Học sinh", 2, "Giới tính", other))
    assert only(seen, found.PERSONAL_ID_DOUBT).severity == "warning"
    assert FIRST in {pupil.code for pupil in seen.pupils}
    born = pupil.born.replace(year=pupil.born.year - 1, day=1)
    assert only(preview(with_cell(TH, "Học sinh", 2, "Ngày sinh", f"{born:%d/%m/%Y}")), found.PERSONAL_ID_DOUBT).row == 2


def test_what_creation_will_ask_for_is_shown_as_a_warning_and_the_pupil_goes_on() -> None:
    seen = preview(with_cell(with_cell(TH, "Học sinh", 2, "Dân tộc", None), "Học sinh", 2, "Họ tên cha", None))
    assert only(seen, found.PROFILE_INCOMPLETE).column == "Dân tộc"
    assert only(seen, found.PARENT_BLANK).column == "Họ tên cha"
    assert len(seen.pupils) == len(EVERYBODY)


def test_formula_text_stays_text() -> None:
    formula = '=HYPERLINK("http://example.vn","Bấm vào đây")'
    seen = preview(with_cell(TH, "Học sinh", 2, "Họ tên", formula))
    assert seen.pupils[0].name == formula
    assert only(seen, found.NAME_DIFFERS).pupil == FIRST
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Điểm KTĐK"), "=5+4"))
    assert refused(seen) == {(FIRST, "Toán: Điểm KTĐK", "invalid")}


@pytest.mark.parametrize("mark", [8.5, "8,5", "8.5", -1, 11, 10.01, "NaN", "nan", "inf", "1e1", "chín", True])
def test_a_primary_mark_is_a_whole_number_from_0_to_10(mark: object) -> None:
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Điểm KTĐK"), mark))
    assert refused(seen) == {(FIRST, "Toán: Điểm KTĐK", "invalid")}
    finding = only(seen, found.RESULT_INVALID)
    assert (finding.file, finding.sheet, finding.row, finding.column) == ("1A.xlsx", "1A", 4, "Toán: Điểm KTĐK")
    assert {pupil.code for pupil in seen.pupils} == EVERYBODY - {FIRST}


def test_a_primary_mark_of_zero_is_a_warning() -> None:
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Điểm KTĐK"), 0))
    assert only(seen, found.MARK_ZERO).pupil == FIRST
    assert FIRST in seen.results


@pytest.mark.parametrize("mark", [-1, 10.01, 8.35, "10,1", "8,55", "NaN", "Đ", "−5"])
def test_a_secondary_mark_has_one_decimal_from_0_to_10(mark: object) -> None:
    seen = preview(with_result(THCS, "ket_qua/6A.xlsx", 3, ("Toán", "HKI"), mark))
    assert refused(seen) == {(FIRST_THCS, "Toán: HKI", "invalid")}


@pytest.mark.parametrize(
    ("mark", "read"), [("9,1", "9.1"), ("9.1", "9.1"), (9, "9.0"), (9.100000000000001, "9.1"), ("10", "10.0"), ("0", "0.0")]
)
def test_a_secondary_mark_may_have_a_comma_or_a_point(mark: object, read: str) -> None:
    result = preview(with_result(THCS, "ket_qua/6A.xlsx", 3, ("Toán", "HKI"), mark)).results[FIRST_THCS]
    assert result.kind == "secondary"
    assert next(subject.semester1 for subject in result.subjects if subject.name == "Toán") == read


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("Toán", "Mức đạt được"), "Tốt lắm", "Toán: Mức đạt được"),
        (("Toán", "Mức đạt được"), "Đ", "Toán: Mức đạt được"),
        (("Phẩm chất chủ yếu", "Nhân ái", "Mức"), "H", "Phẩm chất chủ yếu: Nhân ái"),
        (("Xếp loại",), "Giỏi", "Xếp loại"),
        (("Hoàn thành CTLH",), "?", "Hoàn thành CTLH"),
        (("Lên lớp",), "có lẽ", "Lên lớp"),
        (("Nghỉ có phép",), -1, "Nghỉ có phép"),
        (("Nghỉ không phép",), "vài buổi", "Nghỉ không phép"),
        (("Chiều cao (cm)",), 12, "Chiều cao (cm)"),
        (("Cân nặng (kg)",), "nặng", "Cân nặng (kg)"),
    ],
)
def test_a_bad_primary_result_cell_refuses_its_pupil_alone(path: tuple[str, ...], value: object, field: str) -> None:
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, path, value))
    assert refused(seen) == {(FIRST, field, "invalid")}
    assert only(seen, found.RESULT_INVALID).row == 4


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("Nghệ thuật", "HKI"), 8, "Nghệ thuật: HKI"),
        (("Kết quả học tập", "CN"), "Xuất sắc", "Kết quả học tập: CN"),
        (("Kết quả rèn luyện", "HKII"), "B", "Kết quả rèn luyện: HKII"),
        (("Danh hiệu",), "Học sinh Tiên tiến", "Danh hiệu"),
        (("Toán", "Sau đánh giá lại"), "đạt", "Toán: Sau đánh giá lại"),
    ],
)
def test_a_bad_secondary_result_cell_refuses_its_pupil_alone(path: tuple[str, ...], value: object, field: str) -> None:
    seen = preview(with_result(THCS, "ket_qua/6A.xlsx", 3, path, value))
    assert refused(seen) == {(FIRST_THCS, field, "invalid")}


def test_other_spellings_of_levels_are_read_as_the_circular_writes_them() -> None:
    seen = preview(with_result(THCS, "ket_qua/6A.xlsx", 3, ("Nghệ thuật", "HKI"), "đạt"))
    assert seen.results == preview(THCS).results
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Phẩm chất chủ yếu", "Nhân ái", "Mức"), "Ð"))  # Eth, which looks like Đ
    result = seen.results[FIRST]
    assert result.kind == "primary"
    assert next(trait.level for trait in result.traits if trait.name == "Nhân ái") == "Đ"


def test_a_result_that_is_not_there_is_a_gap_and_not_a_refusal() -> None:
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Điểm KTĐK"), None))
    assert refused(seen) == set()
    assert only(seen, found.RESULT_INCOMPLETE).column == "Toán: Điểm KTĐK"


def test_a_contradiction_is_shown_with_its_article_and_the_pupil_goes_on() -> None:
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Xếp loại",), "Chưa hoàn thành"))
    assert "TT 27/2020 Điều 9" in only(seen, found.CONTRADICTION).message_vi
    assert FIRST in seen.results


def test_a_pupil_without_a_result_row_is_refused() -> None:
    seen = preview(edited(TH, "ket_qua/1A.xlsx", lambda book: book.worksheets[0].delete_rows(4)))
    assert refused(seen) == {(FIRST, "Kết quả", "unmatched")}
    assert only(seen, found.PUPIL_WITHOUT_RESULT).row == 2


def test_a_pupil_who_left_needs_no_result_row() -> None:
    files = with_cell(TH, "Học sinh", 2, "Trạng thái", "Chuyển đi")
    seen = preview(edited(files, "ket_qua/1A.xlsx", lambda book: book.worksheets[0].delete_rows(4)))
    assert refused(seen) == set()
    assert FIRST in {pupil.code for pupil in seen.pupils}
    assert FIRST not in seen.results


def test_a_result_row_without_a_pupil_is_refused() -> None:
    seen = preview(edited(TH, PROFILE, lambda book: book["Học sinh"].delete_rows(2)))
    assert refused(seen) == {(FIRST, "Mã học sinh", "unmatched")}
    finding = only(seen, found.RESULT_WITHOUT_PUPIL)
    assert (finding.file, finding.row, finding.column) == ("1A.xlsx", 4, "Mã học sinh")


def test_a_pupil_with_two_result_rows_is_refused() -> None:
    def repeat(book: Workbook) -> None:
        sheet = book.worksheets[0]
        sheet.append([cell.value for cell in sheet[4]])

    seen = preview(edited(TH, "ket_qua/1A.xlsx", repeat))
    assert refused(seen) == {(FIRST, "Kết quả", "duplicate")}
    assert only(seen, found.RESULT_DUPLICATE).row == 10


def test_a_result_in_another_class_than_the_profile_is_refused() -> None:
    seen = preview(with_cell(TH, "Học sinh", 2, "Mã lớp", "2A"))
    assert refused(seen) == {(FIRST, "Mã lớp", "invalid")}
    assert only(seen, found.RESULT_CLASS).row == 4


def test_another_name_or_birth_date_in_the_results_is_a_warning() -> None:
    files = with_result(TH, "ket_qua/1A.xlsx", 4, ("Họ tên",), "Nguyễn Văn Khác")
    seen = preview(with_result(files, "ket_qua/1A.xlsx", 4, ("Ngày sinh",), "01/01/2001"))
    assert only(seen, found.NAME_DIFFERS).severity == only(seen, found.BORN_DIFFERS).severity == "warning"
    assert FIRST in seen.results
