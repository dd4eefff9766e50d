"""The report of an import to download: every difference and every finding. Text stays text, whatever it starts with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

KIND_WORDS = {"school": "Trường", "staff": "Cán bộ", "class": "Lớp", "assignment": "Phân công", "pupil": "Học sinh"}
STATE_WORDS = {"new": "Mới", "changed": "Thay đổi", "gone": "Không còn", "unchanged": "Không đổi", "left_out": "Để lại, không nhập"}
_SEVERITIES = {"error": "Lỗi", "warning": "Cảnh báo"}
_BOLD = Font(bold=True)
Line = Sequence[str | int]


def report(rows: Sequence[Mapping[str, Any]], preview: Mapping[str, Any], lacking: Sequence[Mapping[str, Any]]) -> bytes:
    """An .xlsx file. `rows` and `preview` as they are kept, `lacking`: what forbids a transcript, by pupil."""
    book = Workbook(write_only=True)
    difference = ["Loại", "Mã", "Tên", "Lớp", "Khác biệt", "Thông tin", "Trước", "Sau", "Ghi chú"]
    _sheet(book, "Khác biệt", difference, (line for row in rows for line in _lines(row)))
    findings = ["Mã", "Mức độ", "Tệp", "Trang tính", "Dòng", "Cột", "Lớp", "Mã học sinh", "Nội dung", "Cách xử lý"]
    _sheet(book, "Điểm cần xem", findings, map(_finding, preview["findings"]))
    _sheet(book, "Chưa đủ điều kiện", ["Mã học sinh", "Thông tin", "Lý do"], ([r["pupil"], r["field"], r["message"]] for r in lacking))
    columns = ["Trang tính", "Cột trong tệp", "Hiểu là"]
    matched = ([c["sheet"], c["column"], c["meaning"]] for c in preview["columns"])
    ignored = ([c["sheet"], c["column"], "(không dùng)"] for c in preview["ignored_columns"])
    _sheet(book, "Cột", columns, [*matched, *ignored])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _lines(row: Mapping[str, Any]) -> Iterable[Line]:
    state, note = row["state"], row.get("reason", "")
    if state == "unchanged":
        return
    head = [KIND_WORDS[row["kind"]], row["key"], row.get("name", ""), row.get("class_code", "")]
    for change in row.get("changes", ()):
        yield [*head, STATE_WORDS[state], change["field"], change["before"], change["after"], note]
    for change in row.get("left", ()):
        yield [*head, STATE_WORDS["left_out"], change["field"], change["before"], change["after"], note]
    if not row.get("changes") and not row.get("left"):
        yield [*head, STATE_WORDS[state], "", "", "", note]


def _finding(f: Mapping[str, Any]) -> Line:
    place = [f["file"], f["sheet"], f["row"] if f["row"] is not None else "", f["column"] or ""]
    about = [f["class_code"] or "", f["pupil"] or "", f["message_vi"], f["action_vi"]]
    return [f["code"], _SEVERITIES[f["severity"]], *place, *about]


def _sheet(book: Workbook, title: str, headers: Sequence[str], lines: Iterable[Line]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for column, header in enumerate(headers, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = 40 if header in _WIDE else max(14, len(header) + 2)

    def cell(value: str | int, font: Font | None = None) -> Cell:
        if isinstance(value, int):
            return WriteOnlyCell(sheet, value)
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        made.data_type = "s"
        made.number_format = "@"
        if font:
            made.font = font
        return made

    sheet.append([cell(header, _BOLD) for header in headers])
    for line in lines:
        sheet.append([cell(value) for value in line])


_WIDE = {"Thông tin", "Trước", "Sau", "Ghi chú", "Nội dung", "Cách xử lý", "Lý do", "Cột trong tệp", "Hiểu là"}
