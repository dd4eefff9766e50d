"""Reading uploaded .xlsx files safely: guards first, then one grid of cells a sheet.

An archive is unpacked here within limits and handed on uncompressed, so that what the guards saw is what the parser reads.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook

from services.records.cells import Cell, text
from services.records.imports import findings as found
from services.records.imports.findings import Code, Place, Report

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNZIPPED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 200
MAX_ENTRIES = 1_000
MAX_SHEETS = 100
MAX_GRID_CELLS = 4_000_000
MAX_FILES = 300
MAX_UPLOAD_BYTES = 200 * 1024 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MAIN = re.compile(r"xl/workbook\d*\.xml")
_OPEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?\br\s*=\s*[\"'](\d+)[\"'][^>]*(?<!/)>")
_FULL_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br\s*=\s*[\"']([A-Za-z]+)(\d+)[\"'][^>]*(?<!/)>")
_NAMELESS_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>])(?![^>]*?\br\s*=)")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


class WorkbookRefused(Exception):
    """A file (or the whole upload) that cannot be read at all: code "HB-IMP-1xx" and a Vietnamese message."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code.code
        self.message = message
        self.kind = code


@dataclass(frozen=True)
class Sheet:
    """One sheet as a grid from A1 on; `rows[0]` is Excel's row 1. `merged` holds zero-based (row, column) corners, both included."""

    file: str
    name: str
    rows: list[list[Cell]]
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()

    def place(self, row: int | None = None, column: str | None = None) -> Place:
        return Place(self.file, self.name, row, column)


def read_workbooks(files: Mapping[str, bytes], report: Report) -> list[Sheet]:
    """All sheets of all readable workbooks, in the order of the file names; files that cannot be read become findings.

    Keys are names such as `ho_so_truong.xlsx` or `ket_qua/1A.xlsx`; only the last part of a path is shown.
    Raises WorkbookRefused when the upload as a whole is empty or too large.
    """
    if not files:
        raise WorkbookRefused(found.UPLOAD_REFUSED, "Chưa có tệp nào được tải lên.")
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_UPLOAD_BYTES:
        raise WorkbookRefused(found.UPLOAD_REFUSED, f"Bộ dữ liệu quá lớn (tối đa {MAX_FILES} tệp, {MAX_UPLOAD_BYTES // 2**20} MB).")
    sheets: list[Sheet] = []
    for path, data in sorted(files.items()):
        name = shown_name(path)
        if not name.lower().endswith((".xlsx", ".xlsm", ".xls")) or name.startswith("~$"):
            report.add(found.FILE_IGNORED, Place(name), f"Tệp “{name}” không phải là bảng tính nên được bỏ qua.")
            continue
        try:
            sheets += read_workbook(name, data, MAX_GRID_CELLS - sum(map(_area, sheets)))
        except WorkbookRefused as refused:
            report.add(refused.kind, Place(name), refused.message)
    return sheets


def shown_name(path: str) -> str:
    return text(path.replace("\\", "/").rsplit("/", 1)[-1]) or "tệp"


def read_workbook(name: str, data: bytes, room: int = MAX_GRID_CELLS) -> list[Sheet]:
    """The sheets of one .xlsx file, together at most `room` cells. Raises WorkbookRefused and nothing else."""
    parts = _unpack(name, data)
    formulas_without_value: dict[str, dict[tuple[int, int], str]] = {}
    for part, body in parts.items():
        if b"<!DOCTYPE" in body or b"\x00" in body[:4]:
            raise WorkbookRefused(found.CORRUPT, f"Tệp “{name}” có nội dung XML không được chấp nhận.")
        if b"sheetData" in body:
            _guard_grid(name, body, room)
            if _FORMULA.search(body):
                formulas_without_value[part] = _uncalculated(name, body)
    repacked = io.BytesIO()
    with zipfile.ZipFile(repacked, "w", zipfile.ZIP_STORED) as archive:
        for part, body in parts.items():
            archive.writestr(part, body)
    repacked.seek(0)
    sheets = _parse(name, repacked, room)
    if any(formulas_without_value.values()):
        _put_formula_text(sheets, _sheet_parts(name, parts), formulas_without_value)
    return sheets


def _unpack(name: str, data: bytes) -> dict[str, bytes]:
    if len(data) > MAX_FILE_BYTES:
        raise WorkbookRefused(found.FILE_TOO_LARGE, f"Tệp “{name}” lớn hơn {MAX_FILE_BYTES // 2**20} MB.")
    if data.startswith(_OLE):
        if _ENCRYPTED_STREAM in data:
            raise WorkbookRefused(found.ENCRYPTED, f"Tệp “{name}” được đặt mật khẩu nên không đọc được.")
        raise WorkbookRefused(found.NOT_XLSX, f"Tệp “{name}” là định dạng Excel cũ (.xls).")
    if not data.startswith(b"PK"):
        raise WorkbookRefused(found.NOT_XLSX, f"Tệp “{name}” không phải là tệp .xlsx.")
    too_large = WorkbookRefused(found.UNZIPS_TOO_LARGE, f"Tệp “{name}” giải nén ra quá lớn.")
    limit = min(MAX_UNZIPPED_BYTES, MAX_RATIO * len(data))
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > limit:
                raise too_large
            if any(entry.flag_bits & 0x1 for entry in entries):
                raise WorkbookRefused(found.ENCRYPTED, f"Tệp “{name}” được đặt mật khẩu nên không đọc được.")
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(entry) as stream:
                        body = stream.read(limit + 1)
                    limit -= len(body)
                    if limit < 0:
                        raise too_large
                    parts[entry.filename] = body
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise WorkbookRefused(found.CORRUPT, f"Tệp “{name}” bị hỏng, không giải nén được.") from error
    if not any(_MAIN.fullmatch(part) for part in parts):
        raise WorkbookRefused(found.NOT_XLSX, f"Tệp “{name}” không phải là tệp .xlsx.")
    return parts


def _guard_grid(name: str, body: bytes, room: int) -> None:
    """The parser lays a sheet out as a full rectangle, so one cell far out would ask for all memory."""
    height = max((int(row) for row in _OPEN_ROW.findall(body)), default=0)
    width = 0
    for letters, row in set(_FULL_CELL.findall(body)):
        height, width = max(height, int(row)), max(width, _column_number(letters))
    if _NAMELESS_CELL.search(body):  # cells may be placed by order alone
        width = max(width, *(len(re.findall(rb"<(?:\w+:)?c[\s>/]", row)) for row in re.split(rb"<(?:\w+:)?row\b", body)))
        height = max(height, len(re.findall(rb"<(?:\w+:)?row\b", body)))
    if width * height > room:
        raise WorkbookRefused(found.SHEET_TOO_LARGE, f"Tệp “{name}” có sheet quá lớn ({height} dòng, {width} cột).")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _uncalculated(name: str, body: bytes) -> dict[tuple[int, int], str]:
    """Formula cells without a stored value, as their own text: a formula is never computed here, nor lost."""
    texts: dict[tuple[int, int], str] = {}
    try:
        for _, cell in etree.iterparse(io.BytesIO(body), tag="{*}c", resolve_entities=False, no_network=True):
            formula, value = cell.find("{*}f"), cell.find("{*}v")
            where = re.fullmatch(rb"([A-Za-z]+)(\d+)", cell.get("r", "").encode())
            if formula is not None and where and (value is None or not value.text) and cell.find("{*}is") is None:
                texts[int(where.group(2)) - 1, _column_number(where.group(1)) - 1] = "=" + (formula.text or "")
            cell.clear()
    except etree.XMLSyntaxError as error:
        raise WorkbookRefused(found.CORRUPT, f"Tệp “{name}” bị hỏng.") from error
    return texts


def _sheet_parts(name: str, parts: Mapping[str, bytes]) -> list[str]:
    """The part of each sheet, in workbook order, by the relations of the workbook."""
    relation_id = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    main = next(part for part in parts if _MAIN.fullmatch(part))
    try:
        relations = etree.fromstring(parts.get(f"xl/_rels/{main.removeprefix('xl/')}.rels", b"<none/>"))
        targets = {node.get("Id"): node.get("Target", "") for node in relations.iterfind("{*}Relationship")}
        sheets = etree.fromstring(parts[main]).iterfind("{*}sheets/{*}sheet")
        paths = [targets.get(node.get(relation_id), "") for node in sheets]
    except etree.XMLSyntaxError as error:
        raise WorkbookRefused(found.CORRUPT, f"Tệp “{name}” bị hỏng.") from error
    return [path.lstrip("/") if path.startswith("/") else f"xl/{path}" for path in paths]


def _put_formula_text(sheets: list[Sheet], order: list[str], texts: Mapping[str, Mapping[tuple[int, int], str]]) -> None:
    for sheet, part in zip(sheets, order, strict=False):
        for (row, column), formula in texts.get(part, {}).items():
            sheet.rows.extend([] for _ in range(row + 1 - len(sheet.rows)))
            cells = sheet.rows[row]
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = formula


def _parse(name: str, archive: io.BytesIO, room: int) -> list[Sheet]:
    try:
        with CalamineWorkbook.from_filelike(archive) as book:
            return _grids(name, book, room)
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise WorkbookRefused(found.CORRUPT, f"Tệp “{name}” bị hỏng, không đọc được bảng tính.") from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the parser's own crash is no Exception, and its class cannot be imported
            raise WorkbookRefused(found.CORRUPT, f"Tệp “{name}” bị hỏng, không đọc được bảng tính.") from error
        raise


def _grids(name: str, book: CalamineWorkbook, room: int) -> list[Sheet]:
    sheets: list[Sheet] = []
    if len(book.sheet_names) > MAX_SHEETS:
        raise WorkbookRefused(found.SHEET_TOO_LARGE, f"Tệp “{name}” có quá nhiều sheet.")
    for title in book.sheet_names:
        grid = book.get_sheet_by_name(title)
        rows: list[list[Cell]] = list(map(list, grid.to_python(skip_empty_area=False)))
        sheets.append(Sheet(name, text(title), rows, tuple(grid.merged_cell_ranges or ())))
        room -= _area(sheets[-1])
        if room < 0:
            raise WorkbookRefused(found.SHEET_TOO_LARGE, f"Tệp “{name}” có quá nhiều ô dữ liệu.")
    return sheets


def _area(sheet: Sheet) -> int:
    return sum(map(len, sheet.rows))
