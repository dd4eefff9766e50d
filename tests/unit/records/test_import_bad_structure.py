"""Missing sheets, columns, classes and teachers: what blocks the import, what blocks a class, what only blocks creation."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

from services.records.imports import findings as found
from services.records.imports.findings import Code
from services.records.imports.preview import preview
from tests.unit.records.import_files import PROFILE, Files, edited, made, only, put, refused, with_cell

TH, _ = made("TH")
THCS, _ = made("THCS")
EVERYBODY = {pupil.code for pupil in preview(TH).pupils}


def test_a_class_without_a_results_workbook_is_left_out_and_the_others_go_on() -> None:
    files = {name: data for name, data in TH.items() if name != "ket_qua/1A.xlsx"}
    seen = preview(files)
    of_class = {pupil.code for pupil in preview(TH).pupils if pupil.class_code == "1A"}
    assert refused(seen) == {(pupil, "Kết quả", "blocked") for pupil in of_class}
    assert only(seen, found.RESULTS_MISSING).class_code == "1A"
    assert {pupil.code for pupil in seen.pupils} == EVERYBODY - of_class
    assert not seen.blocked


def _without_subject(book: Workbook) -> None:
    sheet = book.worksheets[0]
    for cell in sheet[1]:
        if cell.value == "Toán":
            cell.value = "Toán học vui"


def test_a_class_whose_sheet_lacks_a_subject_is_left_out_and_the_column_is_named() -> None:
    seen = preview(edited(THCS, "ket_qua/6A.xlsx", _without_subject))
    finding = only(seen, found.SUBJECT_MISSING)
    assert (finding.class_code, finding.column, finding.row) == ("6A", "Toán", 2)
    assert {refusal.class_code for refusal in seen.refused_pupils} == {"6A"}
    assert "Toán học vui" in {ignored.column for ignored in seen.ignored_columns}


def test_a_results_sheet_without_a_needed_column_is_named_and_its_class_left_out() -> None:
    seen = preview(edited(TH, "ket_qua/1A.xlsx", lambda book: put(book.worksheets[0], 2, "Xếp loại", "Cột lạ", 3)))
    finding = only(seen, found.COLUMN_MISSING)
    assert (finding.file, finding.sheet, finding.row, finding.column) == ("1A.xlsx", "1A", 3, "Xếp loại")
    assert {refusal.class_code for refusal in seen.refused_pupils} == {"1A"}


def test_a_chosen_subject_counts_only_for_the_pupils_who_take_it() -> None:
    files, _ = made("THPT")

    def one_more(book: Workbook) -> None:
        sheet = book.worksheets[0]
        for leaf, mark in (("HKI", 8.0), ("HKII", 8.0), ("CN", 8.0)):
            at = sheet.max_column + 1
            for row, value in ((1, "Địa lí"), (2, leaf), (3, mark)):
                sheet.cell(row, at).value = value

    seen = preview(edited(files, "ket_qua/10A.xlsx", one_more))
    first, second = [seen.results[pupil.code] for pupil in seen.pupils][:2]
    assert "Địa lí" in {subject.name for subject in first.subjects}
    assert second == preview(files).results[second.pupil]
    assert seen.refused_pupils == ()


def test_results_of_another_level_are_refused() -> None:
    files: Files = {**TH, "ket_qua/1A.xlsx": THCS["ket_qua/6A.xlsx"]}
    seen = preview(files)
    assert only(seen, found.WRONG_LEVEL).file == "1A.xlsx"
    assert {refusal.class_code for refusal in seen.refused_pupils} == {"1A"}


@pytest.mark.parametrize("title", ["Trường", "Cán bộ", "Lớp", "Phân công", "Học sinh"])
def test_a_missing_sheet_blocks_the_import(title: str) -> None:
    seen = preview(edited(TH, PROFILE, lambda book: book.remove(book[title])))
    assert seen.blocked
    assert (only(seen, found.SHEET_MISSING).file, only(seen, found.SHEET_MISSING).sheet) == (PROFILE, title)


def test_a_second_sheet_of_the_same_title_blocks_the_import() -> None:
    seen = preview({**TH, "ban_sao.xlsx": TH[PROFILE]})
    assert seen.blocked
    assert {finding.code for finding in seen.findings} == {found.SHEET_DOUBLED.code}


@pytest.mark.parametrize(
    ("title", "header"),
    [("Trường", "Mã số thuế"), ("Cán bộ", "Số định danh cá nhân"), ("Lớp", "Khối"), ("Phân công", "Học kỳ"), ("Học sinh", "Nơi sinh")],
)
def test_a_missing_column_blocks_the_import_and_is_named(title: str, header: str) -> None:
    seen = preview(edited(TH, PROFILE, lambda book: put(book[title], 1, header, "Cột lạ")))
    assert seen.blocked
    finding = only(seen, found.COLUMN_MISSING)
    assert (finding.sheet, finding.row, finding.column) == (title, 1, header)


def test_an_optional_column_may_be_missing_with_a_warning() -> None:
    seen = preview(edited(TH, PROFILE, lambda book: put(book["Học sinh"], 1, "Người giám hộ", "Cột lạ")))
    assert only(seen, found.OPTIONAL_COLUMN_MISSING).severity == "warning"
    assert len(seen.pupils) == len(EVERYBODY)


@pytest.mark.parametrize("title", ["Trường", "Cán bộ", "Lớp", "Phân công", "Học sinh"])
def test_an_empty_sheet_blocks_the_import(title: str) -> None:
    seen = preview(edited(TH, PROFILE, lambda book: book[title].delete_rows(2, 1000)))
    assert seen.blocked
    assert only(seen, found.SHEET_EMPTY).sheet == title


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Mã trường", None),
        ("Cấp học", "Đại học"),
        ("Năm học", "2025-2027"),
        ("Năm học", "2025"),
        ("Năm học", None),
        ("Ngày ký học bạ", "31/02/2026"),
        ("Ngày ký học bạ", None),
    ],
)
def test_a_bad_school_row_blocks_the_import(header: str, value: object) -> None:
    seen = preview(with_cell(TH, "Trường", 2, header, value))
    assert seen.blocked
    assert seen.school is None
    finding = only(seen, found.SCHOOL_FIELD)
    assert (finding.sheet, finding.row, finding.column) == ("Trường", 2, header)


def test_two_school_rows_block_the_import() -> None:
    seen = preview(edited(TH, PROFILE, lambda book: book["Trường"].append([cell.value for cell in book["Trường"][2]])))
    assert seen.blocked
    assert only(seen, found.SCHOOL_ROWS).row == 3


def test_a_school_year_without_rules_is_refused_per_class() -> None:
    seen = preview(with_cell(with_cell(TH, "Trường", 2, "Năm học", "2019-2020"), "Trường", 2, "Ngày ký học bạ", "28/05/2020"))
    assert [finding.column for finding in seen.findings if finding.code == found.NO_RULES.code] == ["Khối"] * 5


def test_data_of_another_school_level_or_year_is_blocked() -> None:
    school = preview(TH).school
    assert school
    assert not preview(TH, school_code=school.code, level="TH", year="2025-2026").blocked
    for expectations in ({"school_code": "79000001"}, {"level": "THCS"}, {"year": "2024-2025"}):
        seen = preview(TH, **expectations)  # type: ignore[arg-type] # one keyword at a time
        assert seen.blocked
        assert only(seen, found.SCHOOL_OTHER).sheet == "Trường"


def test_a_secondary_class_grade_in_a_primary_school_is_refused() -> None:
    seen = preview(with_cell(TH, "Lớp", 2, "Khối", 6))
    assert only(seen, found.CLASS_FIELD).row == 2
    assert {refusal.kind for refusal in seen.refused_pupils if refusal.class_code == "1A"} == {"unknown"}


def test_an_absent_homeroom_teacher_or_leader_is_named_and_the_pupils_go_on() -> None:
    files = with_cell(TH, "Lớp", 2, "Giáo viên chủ nhiệm", "999")
    seen = preview(with_cell(files, "Lớp", 3, "Lãnh đạo ký", None))
    rows = [(finding.row, finding.column) for finding in seen.findings if finding.code == found.CLASS_STAFF.code]
    assert rows == [(2, "Giáo viên chủ nhiệm"), (3, "Lãnh đạo ký")]
    assert len(seen.pupils) == len(EVERYBODY)


def test_a_class_listed_twice_is_used_once() -> None:
    seen = preview(edited(TH, PROFILE, lambda book: book["Lớp"].append([cell.value for cell in book["Lớp"][2]])))
    assert only(seen, found.CLASS_DUPLICATE).row == 7
    assert len(seen.pupils) == len(EVERYBODY)


def test_an_unfinished_class_is_imported_with_a_warning() -> None:
    seen = preview(with_cell(TH, "Lớp", 2, "Hoàn thành tổng kết", None))
    assert only(seen, found.CLASS_UNFINISHED).class_code == "1A"
    assert [school_class.finalised for school_class in seen.classes] == [False, True, True, True, True]
    assert len(seen.pupils) == len(EVERYBODY)


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Mã lớp", "9Z", found.ASSIGNMENT_CLASS),
        ("Học kỳ", 3, found.ASSIGNMENT_FIELD),
        ("Môn học", None, found.ASSIGNMENT_FIELD),
    ],
)
def test_a_bad_assignment_is_named_and_left_out(header: str, value: object, code: Code) -> None:
    seen = preview(with_cell(TH, "Phân công", 2, header, value))
    finding = only(seen, code)
    assert (finding.sheet, finding.row, finding.column) == ("Phân công", 2, header)
    assert len(seen.assignments) == len(preview(TH).assignments) - 1
    assert len(seen.pupils) == len(EVERYBODY)


def test_an_assignment_of_a_subject_that_the_grade_does_not_have_is_a_warning() -> None:
    seen = preview(with_cell(TH, "Phân công", 2, "Môn học", "Hoá học"))
    assert only(seen, found.ASSIGNMENT_SUBJECT).severity == "warning"


@pytest.mark.parametrize("value", [None, "12345"])
def test_a_teacher_without_a_personal_id_is_kept_but_cannot_sign(value: object) -> None:
    seen = preview(with_cell(TH, "Cán bộ", 7, "Số định danh cá nhân", value))
    assert only(seen, found.STAFF_ID).row == 7
    assert seen.staff[5].personal_id == ""


def test_two_teachers_with_one_personal_id_both_lose_it() -> None:
    seen = preview(with_cell(TH, "Cán bộ", 7, "Số định danh cá nhân", preview(TH).staff[0].personal_id))
    assert [seen.staff[0].personal_id, seen.staff[5].personal_id] == ["", ""]
    assert [finding.row for finding in seen.findings] == [2, 7]


def test_a_teacher_listed_twice_is_used_once() -> None:
    seen = preview(edited(TH, PROFILE, lambda book: book["Cán bộ"].append([cell.value for cell in book["Cán bộ"][2]])))
    assert only(seen, found.STAFF_DUPLICATE).severity == "error"
    assert seen.staff == preview(TH).staff


def test_a_school_without_an_issuer_is_warned() -> None:
    seen = preview(with_cell(TH, "Cán bộ", 5, "Ký phát hành", None))
    assert only(seen, found.NO_ISSUER).severity == "warning"


def test_a_column_that_comes_twice_is_a_warning_and_the_first_counts() -> None:
    def double(book: Workbook) -> None:
        sheet = book["Học sinh"]
        put_at = sheet.max_column + 1
        sheet.cell(1, put_at).value = "CCCD"
        sheet.cell(2, put_at).value = "1"

    seen = preview(edited(TH, PROFILE, double))
    assert only(seen, found.COLUMN_DOUBLED).column == "CCCD"
    assert seen.pupils == preview(TH).pupils


def test_a_sheet_that_is_not_part_of_the_export_is_ignored_with_a_warning() -> None:
    def more(book: Workbook) -> None:
        book.create_sheet("Hướng dẫn").append(["Nhập dữ liệu từ dòng 2"])
        book.create_sheet("Sheet trống")

    assert only(preview(edited(TH, PROFILE, more)), found.SHEET_IGNORED).sheet == "Hướng dẫn"
