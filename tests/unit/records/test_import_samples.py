"""The two sample schools, as exported and as people hand them in: other spelling, other order, more columns."""

from __future__ import annotations

import io
import random
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from services.records.imports.preview import Preview, preview
from services.records.rules.completeness import missing
from tests.unit.records.import_files import (
    PROFILE,
    SAMPLES,
    Files,
    data_rows,
    expected,
    filled_headers,
    header_rows,
    load,
    saved,
)

SCHOOLS = ["an-hong", "thcs-minh-hoa"]


def refusals(found: Preview) -> set[tuple[str, str, str, str]]:
    return {(refused.pupil, refused.class_code, refused.field, refused.kind) for refused in found.refused_pupils}


def planted(name: str) -> set[tuple[str, str, str, str]]:
    return {(defect["pupil"], defect["class"], defect["field"], defect["kind"]) for defect in expected(SAMPLES / name)["defects"]}


def outcome(found: Preview) -> tuple[object, ...]:
    return found.school, found.staff, found.classes, found.assignments, found.pupils, found.results, refusals(found), found.blocked


@cache
def opened(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def rewritten(files: Files, change: Callable[[Worksheet], list[list[object]]]) -> Files:
    """Every sheet written anew from what `change` makes of it, without merged cells."""
    result: Files = {}
    for name, data in files.items():
        book = Workbook()
        book.remove(book.worksheets[0])
        for sheet in opened(data).worksheets:
            copy = book.create_sheet(sheet.title)
            for row in change(sheet):
                copy.append(row)
        result[name] = saved(book)
    return result


def whole(sheet: Worksheet) -> list[list[object]]:
    """Header rows filled out, then the data."""
    if sheet["A1"].value != "STT" or sheet.title == "Học sinh":
        return [list(row) for row in sheet.iter_rows(values_only=True)]
    return [*(list[object](row) for row in filled_headers(sheet)), *data_rows(sheet)]


@pytest.mark.parametrize("name", SCHOOLS)
def test_exactly_the_planted_defects_of_a_sample_are_refused(name: str) -> None:
    found = preview(load(SAMPLES / name))
    assert refusals(found) == planted(name)
    assert not found.blocked
    assert {finding.severity for finding in found.findings} == {"error"}
    assert len(found.findings) == len(planted(name))
    everybody = expected(SAMPLES / name)["pupils"]
    assert {pupil.code for pupil in found.pupils} == set(everybody) - {pupil for pupil, *_ in planted(name)}
    assert set(found.results) == {pupil.code for pupil in found.pupils}


@pytest.mark.parametrize("name", SCHOOLS)
def test_every_accepted_pupil_of_a_sample_is_ready_for_a_transcript(name: str) -> None:
    found = preview(load(SAMPLES / name))
    assert found.school
    classes = {school_class.code: school_class for school_class in found.classes}
    staff = {person.code: person for person in found.staff}
    for pupil in found.pupils:
        needed = missing(pupil, found.results[pupil.code], classes[pupil.class_code], found.assignments, staff, found.school)
        assert needed == []


@pytest.mark.parametrize("name", SCHOOLS)
def test_a_finding_names_the_file_sheet_row_and_column(name: str) -> None:
    files = load(SAMPLES / name)
    sheet = opened(files[PROFILE])["Học sinh"]
    for finding in preview(files).findings:
        assert (finding.file, finding.sheet) == (PROFILE, "Học sinh")
        assert finding.row
        headers = [cell.value for cell in sheet[1]]
        assert sheet[finding.row][headers.index("Mã học sinh")].value == finding.pupil
        assert finding.column in headers
        assert finding.field == finding.column


@pytest.mark.parametrize("name", SCHOOLS)
def test_the_preview_survives_json(name: str) -> None:
    found = preview(load(SAMPLES / name))
    assert Preview.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("name", SCHOOLS)
def test_decomposed_letters_and_stray_marks_change_nothing(name: str) -> None:
    files = load(SAMPLES / name)

    def spoil(value: object) -> object:
        if not isinstance(value, str) or not value:
            return value
        return "\u00a0 \u200b" + unicodedata.normalize("NFD", value).replace(" ", " \u200f ") + "\u200e\ufeff "

    assert outcome(preview(rewritten(files, lambda sheet: [[spoil(value) for value in row] for row in whole(sheet)]))) == outcome(
        preview(files)
    )


@pytest.mark.parametrize("name", SCHOOLS)
def test_reordered_and_extra_columns_change_nothing(name: str) -> None:
    files, shuffle = load(SAMPLES / name), random.Random(7)

    def reorder(sheet: Worksheet) -> list[list[object]]:
        rows = whole(sheet)
        depth = 1 if sheet.title in {"Trường", "Cán bộ", "Lớp", "Phân công", "Học sinh"} else header_rows(sheet)
        columns = [list(column) for column in zip(*rows, strict=True)]
        columns += [[f"Ghi chú {number}", *[""] * (depth - 1), *["thêm"] * (len(rows) - depth)] for number in range(3)]
        shuffle.shuffle(columns)
        return [list(row) for row in zip(*columns, strict=True)]

    before, after = preview(files), preview(rewritten(files, reorder))
    assert refusals(after) == refusals(before)
    assert (after.school, after.staff, after.classes, after.assignments) == (
        before.school,
        before.staff,
        before.classes,
        before.assignments,
    )
    assert after.pupils == before.pupils
    for code, result in before.results.items():
        other = after.results[code]
        assert sorted(result.subjects, key=lambda subject: subject.name) == sorted(other.subjects, key=lambda subject: subject.name)
        assert result.model_copy(update={"subjects": ()}) == other.model_copy(update={"subjects": ()})
    assert {ignored.column for ignored in after.ignored_columns} == {"Ghi chú 0", "Ghi chú 1", "Ghi chú 2"}
    assert len({(ignored.file, ignored.sheet) for ignored in after.ignored_columns}) == 5 + len(files) - 1


@pytest.mark.parametrize("name", SCHOOLS)
def test_merged_header_groups_may_change_places(name: str) -> None:
    """Blocks of columns under one top header move as a whole, and stay merged."""
    files, shuffle = load(SAMPLES / name), random.Random(3)
    moved = dict(files)
    for path, data in files.items():
        if path == PROFILE:
            continue
        source = opened(data).worksheets[0]
        headers = filled_headers(source)
        blocks: list[list[int]] = []
        for at, top in enumerate(headers[0]):
            if blocks and top == headers[0][blocks[-1][0]]:
                blocks[-1].append(at)
            else:
                blocks.append([at])
        shuffle.shuffle(blocks)
        book = Workbook()
        target = book.worksheets[0]
        order = [at for block in blocks for at in block]
        rows: list[list[object]] = [*(list[object](row) for row in headers), *data_rows(source)]
        for row in rows:
            target.append([row[at] for at in order])
        start = 1
        for block in blocks:
            if len(block) > 1:
                target.merge_cells(start_row=1, end_row=1, start_column=start, end_column=start + len(block) - 1)
            start += len(block)
        moved[path] = saved(book)
    before, after = preview(files), preview(moved)
    assert refusals(after) == refusals(before)
    assert after.pupils == before.pupils
    assert after.ignored_columns == ()
    assert {code: result.model_copy(update={"subjects": ()}) for code, result in after.results.items()} == {
        code: result.model_copy(update={"subjects": ()}) for code, result in before.results.items()
    }


def test_other_spellings_of_headers_are_understood() -> None:
    files = load(SAMPLES / "an-hong")
    spellings = {
        "Họ tên": "HỌ VÀ TÊN (*)",
        "Số định danh cá nhân": "CCCD",
        "Mã học sinh": "mã  hs",
        "Chỗ ở hiện nay": "Nơi ở hiện nay",
        "Mĩ thuật": "Mỹ thuật",
        "Sức khoẻ": "Sức khỏe",
        "Học kỳ": "Học kì",
    }
    respelled = rewritten(files, lambda sheet: [[spellings.get(str(value), value) for value in row] for row in whole(sheet)])
    assert outcome(preview(respelled)) == outcome(preview(files))


def test_file_names_and_folders_do_not_matter() -> None:
    files = load(SAMPLES / "an-hong")
    renamed = {f"tai ve\\{number}.xlsx": data for number, data in enumerate(files.values())}
    assert outcome(preview(renamed)) == outcome(preview(files))


def test_a_title_above_the_headers_is_passed_over() -> None:
    files = load(SAMPLES / "thcs-minh-hoa")
    titled = rewritten(files, lambda sheet: [["SỞ GIÁO DỤC VÀ ĐÀO TẠO"], [], *whole(sheet)])
    assert outcome(preview(titled)) == outcome(preview(files))
