"""Bad input of names, numbers and files that is made to harm: it stays text, is refused, or does nothing."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pytest

from services.records.cells import BadCell, number
from services.records.imports import findings as found
from services.records.imports.preview import preview
from services.records.imports.report import report
from services.records.imports.sector import MOST_BYTES, SectorRefused, sheets_of
from services.records.imports.workbooks import WorkbookRefused, read_workbook
from tests.unit.records.import_files import PROFILE, Files, made, with_cell, with_result

TH, _ = made("TH", pupils=3)
THCS, _ = made("THCS", pupils=3)


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd",
        "+1+1",
        "-2+3",
        "<script>alert(1)</script>",
        "{{ 7*7 }}{% for x in y %}",
        '#eval("1")',
        "${jndi:ldap://x}",
        "&amp;&lt;b&gt;",
        "%s%n%x",
        "Robert'); DROP TABLE pupils;--",
    ],
)
def test_a_name_that_is_code_somewhere_else_stays_the_same_text(name: str) -> None:
    seen = preview(with_cell(TH, "Học sinh", 2, "Quê quán", name))
    assert seen.pupils[0].home_town == name


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (unicodedata.normalize("NFD", "Nguyễn Thị Ước"), "Nguyễn Thị Ước"),
        ("Nguyễn\u200b Thị\u200d Ước\ufeff", "Nguyễn Thị Ước"),
        ("\u202eNguyễn Thị Ước\u202c", "Nguyễn Thị Ước"),
        ("\u2066Nguyễn\u2069 Thị\u00a0 Ước\r\n", "Nguyễn Thị Ước"),
    ],
)
def test_a_name_has_one_spelling_whatever_invisible_marks_it_came_with(raw: str, read: str) -> None:
    files = with_cell(TH, "Học sinh", 2, "Họ tên", raw)
    assert preview(files).pupils[0].name == read


@pytest.mark.parametrize("value", ["NaN", "nan", "Infinity", "-Infinity", "1e3", "0x10", "1_0", "٥", "-", ".", "8,5,1", "1/2"])
def test_what_only_programs_take_for_a_number_is_refused(value: str) -> None:
    with pytest.raises(BadCell):
        number(value)


@pytest.mark.parametrize("value", ["8,5", -1, "−1", "NaN", 10.01, 11])
def test_a_primary_mark_that_is_no_whole_number_from_0_to_10_refuses_its_pupil(value: object) -> None:
    seen = preview(with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Điểm KTĐK"), value))
    assert [(r.field, r.kind) for r in seen.refused_pupils] == [("Toán: Điểm KTĐK", "invalid")]


@pytest.mark.parametrize(
    ("value", "accepted"), [("8,5", True), ("8.5", True), (-1, False), ("NaN", False), (10.01, False), ("8,55", False)]
)
def test_a_secondary_mark_may_have_one_decimal_with_comma_or_point(value: object, accepted: bool) -> None:
    seen = preview(with_result(THCS, "ket_qua/6A.xlsx", 3, ("Toán", "HKI"), value))
    assert (not seen.refused_pupils) is accepted


def packed(name: str, body: bytes, files: Files = TH) -> bytes:
    """The school workbook with one part put in its place, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(files[PROFILE])) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry))
        new.writestr(name, body)
    return out.getvalue()


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    ],
)
def test_a_workbook_with_entities_of_its_own_is_refused_unread(declaration: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(TH[PROFILE])) as archive:
        main = archive.read("xl/workbook.xml")
    body = main.replace(b"<workbook", declaration + b"<workbook", 1)
    assert body != main
    with pytest.raises(WorkbookRefused) as refused:
        read_workbook(PROFILE, packed("xl/workbook.xml", body))
    assert refused.value.code == found.CORRUPT.code


def test_entries_that_point_out_of_the_archive_are_never_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = read_workbook(PROFILE, TH[PROFILE])
    for name in ("../../evil.xml", "/evil.xml", "..\\evil.xml"):
        assert [sheet.rows for sheet in read_workbook(PROFILE, packed(name, b"<x/>"))] == [sheet.rows for sheet in before]
    assert list(tmp_path.rglob("*")) == []


def test_a_bomb_of_one_part_is_refused_by_what_it_unpacks_to() -> None:
    with pytest.raises(WorkbookRefused) as refused:
        read_workbook(PROFILE, packed("xl/bomb.xml", b" " * 60_000_000))
    assert refused.value.code == found.UNZIPS_TOO_LARGE.code


@pytest.mark.parametrize(
    ("expected", "said"), [({"level": "THPT"}, "cấp học"), ({"year": "2024-2025"}, "năm học"), ({"school_code": "1"}, "mã trường")]
)
def test_data_of_another_level_year_or_school_than_expected_is_blocked(expected: dict[str, str], said: str) -> None:
    seen = preview(TH, **expected)  # type: ignore[arg-type]  # one of three keyword arguments
    assert seen.blocked
    assert any(said in finding.message_vi for finding in seen.findings)


def test_results_of_the_wrong_level_leave_their_class_out_with_a_finding() -> None:
    seen = preview({**TH, "ket_qua/1A.xlsx": THCS["ket_qua/6A.xlsx"]})
    assert found.WRONG_LEVEL.code in {finding.code for finding in seen.findings}
    assert {pupil.class_code for pupil in seen.pupils} == {"2A", "3A", "4A", "5A"}


def test_the_report_has_no_formula_whatever_the_data_say() -> None:
    evil = ['=HYPERLINK("http://x","y")', "@x", "+1", "-1", "\t=1", "x\x00y"]
    row = {"kind": "pupil", "key": "=1", "name": "=2", "state": "changed", "reason": "=3"}
    changes = [{"field": "=4", "before": one, "after": one} for one in evil]
    finding = {"code": "HB-IMP-402", "severity": "error", "file": "=f", "sheet": "=s", "row": 3, "column": "=c"}
    finding |= {"class_code": "=k", "pupil": "=p", "message_vi": "=m", "action_vi": "=a"}
    kept = {"findings": [finding], "columns": [{"sheet": "=s", "column": "=c", "meaning": "=m"}], "ignored_columns": []}
    book = openpyxl.load_workbook(
        io.BytesIO(report([{**row, "changes": changes}], kept, [{"pupil": "=p", "field": "=f", "message": "=m"}]))
    )
    cells = [cell for sheet in book.worksheets for line in sheet.iter_rows() for cell in line]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert sum(str(cell.value).startswith("=HYPERLINK") for cell in cells) == 2


def test_rows_of_the_sector_database_that_would_fill_all_memory_are_refused() -> None:
    rows = {"pupils": {str(number): {f"c{number}": "x"} for number in range(2100)}}
    with pytest.raises(SectorRefused):
        sheets_of(rows)
    assert MOST_BYTES < 16 * 1024 * 1024
