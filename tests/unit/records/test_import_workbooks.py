"""Files that are no workbooks, broken, locked or built to harm are refused by name; nothing but WorkbookRefused ever comes out."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from services.records.imports import findings as found
from services.records.imports import workbooks
from services.records.imports.findings import Code, Report
from services.records.imports.preview import preview
from services.records.imports.workbooks import WorkbookRefused, read_workbook, read_workbooks
from tests.unit.records.import_files import made, saved

TH, _ = made("TH")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def book(*rows: list[object]) -> bytes:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(row)
    return saved(workbook)


def repacked(data: bytes, change: dict[str, bytes]) -> bytes:
    """The archive with some parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            if entry not in change:
                new.writestr(entry, old.read(entry))
        for entry, body in change.items():
            new.writestr(entry, body)
    return out.getvalue()


def sheet_xml(cells: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'.encode()


def refusal(data: bytes) -> str:
    with pytest.raises(WorkbookRefused) as refused:
        read_workbook("x.xlsx", data)
    assert "x.xlsx" in refused.value.message
    return refused.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", found.NOT_XLSX),
        (b"STT,Ho ten\n1,An", found.NOT_XLSX),
        (b"%PDF-1.7", found.NOT_XLSX),
        (b"PK\x03\x04 not really an archive", found.CORRUPT),
        (OLE + bytes(2000), found.NOT_XLSX),
        (OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), found.ENCRYPTED),
        (book(["a"])[:-60], found.CORRUPT),
        (repacked(book(["a"]), {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row>"}), found.CORRUPT),
        (repacked(book(["a"]), {"xl/workbook.xml": b"not xml"}), found.CORRUPT),
        (repacked(book(["a"]), {"xl/styles.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}), found.CORRUPT),
    ],
)
def test_what_is_no_readable_workbook_is_refused_with_its_own_code(data: bytes, code: Code) -> None:
    assert refusal(data) == code.code


def test_an_archive_without_a_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", b"<w/>")
    assert refusal(out.getvalue()) == found.NOT_XLSX.code


def test_an_archive_with_locked_entries_is_refused() -> None:
    data = bytearray(book(["a"]))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag "encrypted" of the first entry in the central directory
    assert refusal(bytes(data)) == found.ENCRYPTED.code


def test_a_file_over_the_size_limit_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_FILE_BYTES", 100)
    assert refusal(book(["a"])) == found.FILE_TOO_LARGE.code


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused() -> None:
    assert refusal(repacked(book(["a"]), {"xl/media/image1.xml": bytes(50_000_000)})) == found.UNZIPS_TOO_LARGE.code


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    honest = repacked(book(["a"]), {"xl/big.xml": b" " * 30_000_000})
    lying = honest.replace(struct.pack("<I", 30_000_000), struct.pack("<I", 3_000)).replace(
        struct.pack("<I", zlib.crc32(b" " * 30_000_000)), struct.pack("<I", zlib.crc32(b" " * 3_000))
    )
    assert lying != honest
    [sheet] = read_workbook("x.xlsx", lying)  # only the declared bytes were ever unpacked
    assert sheet.rows == [["a"]]


def test_an_archive_with_too_many_entries_is_refused() -> None:
    assert refusal(repacked(book(["a"]), {f"xl/media/{number}.bin": b"" for number in range(1_100)})) == found.UNZIPS_TOO_LARGE.code


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1048576'><c r='XFD1048576' t='n'><v>1</v></c></row>",
        '<row r="1048576">' + "<c><v>1</v></c>" * 50 + "</row>",
        '<x:row xmlns:x="u" r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row><row r="1048576" ><c  r = "ZZ1048576"><v>1</v></c></row>',
    ],
)
def test_a_cell_far_out_cannot_ask_for_all_memory(cells: str) -> None:
    assert refusal(repacked(book(["a"]), {"xl/worksheets/sheet1.xml": sheet_xml(cells)})) == found.SHEET_TOO_LARGE.code


def test_styled_but_empty_cells_far_out_are_no_problem() -> None:
    cells = '<row r="1"><c r="A1"><v>7</v></c></row><row r="2" spans="1:16384"><c r="XFD2" s="1"/></row><row r="1048576" s="1"/>'
    [sheet] = read_workbook("x.xlsx", repacked(book(["a"]), {"xl/worksheets/sheet1.xml": sheet_xml(cells)}))
    assert sheet.rows[0][0] == 7


def test_many_sheets_over_one_part_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_GRID_CELLS", 10)
    files = {f"{number}.xlsx": book([1, 2, 3]) for number in range(5)}
    report = Report()
    assert len(read_workbooks(files, report)) == 3
    assert [finding.code for finding in report.findings] == [found.SHEET_TOO_LARGE.code] * 2


def test_a_formula_without_a_value_is_its_own_text_and_one_with_a_value_is_the_value() -> None:
    cells = (
        '<row r="1"><c r="A1"><f>1+1</f><v></v></c><c r="B1"><f>1+1</f><v>2</v></c></row><row r="3"><c r="C3"><f>A1&amp;"x"</f></c></row>'
    )
    [sheet] = read_workbook("x.xlsx", repacked(book(["a"]), {"xl/worksheets/sheet1.xml": sheet_xml(cells)}))
    assert sheet.rows[0][:2] == ["=1+1", 2.0]
    assert sheet.rows[2][2] == '=A1&"x"'


def test_one_bad_file_becomes_a_finding_and_the_others_are_read() -> None:
    seen = preview({**TH, "ket_qua/1A.xlsx": b"PK broken"})
    assert [(finding.code, finding.file) for finding in seen.findings if finding.file] == [(found.CORRUPT.code, "1A.xlsx")]
    assert {refusal.class_code for refusal in seen.refused_pupils} == {"1A"}
    assert not seen.blocked


def test_files_that_are_no_workbooks_by_name_are_ignored_with_a_warning() -> None:
    seen = preview({**TH, "expected.json": b"{}", "~$ho_so_truong.xlsx": b"lock", ".DS_Store": b""})
    assert {finding.code for finding in seen.findings} == {found.FILE_IGNORED.code}
    assert not seen.blocked


def test_an_empty_or_oversized_upload_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkbookRefused) as refused:
        preview({})
    assert refused.value.code == found.UPLOAD_REFUSED.code
    monkeypatch.setattr(workbooks, "MAX_FILES", 2)
    with pytest.raises(WorkbookRefused):
        preview(TH)


def test_an_upload_without_the_school_workbook_is_blocked_and_names_all_five_sheets() -> None:
    seen = preview({name: data for name, data in TH.items() if name.startswith("ket_qua")})
    assert seen.blocked
    assert {finding.sheet for finding in seen.findings if finding.code == found.SHEET_MISSING.code} == {
        "Trường",
        "Cán bộ",
        "Lớp",
        "Phân công",
        "Học sinh",
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(TH)))
def test_damaged_bytes_never_raise_anything_else(seed: int, name: str) -> None:
    chance = random.Random(seed)
    data = bytearray(TH[name])
    for _ in range(chance.randint(1, 30)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    seen = preview({name: bytes(data)})
    assert seen.findings


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_damaged_xml_never_raises_anything_else(seed: int) -> None:
    chance = random.Random(seed)
    name = "ket_qua/1A.xlsx"
    with zipfile.ZipFile(io.BytesIO(TH[name])) as archive:
        body = bytearray(archive.read("xl/worksheets/sheet1.xml"))
    for _ in range(chance.randint(1, 20)):
        body[chance.randrange(len(body))] = chance.choice(b'<>/"&0129AZ \x00\xff')
    preview({**TH, name: repacked(TH[name], {"xl/worksheets/sheet1.xml": bytes(body)})})
