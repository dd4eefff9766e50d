"""Workbooks to download: one sheet, a header, rows. Text stays text, whatever it starts with."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 60
"""Characters of the widest column."""


def workbook(title: str, headers: Sequence[str], rows: Sequence[Sequence[str | int]]) -> bytes:
    """The bytes of an .xlsx file. No text is ever taken for a formula, so a name that starts with "=" cannot run."""
    book = Workbook()
    sheet: Worksheet = book.worksheets[0]
    sheet.title = title[:31]
    for number, row in enumerate([headers, *rows], start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, int):
                cell.value = value
                continue
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
            cell.data_type = "s"
            cell.number_format = "@"
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if number == 1:
                cell.font = Font(bold=True)
    for column in range(1, len(headers) + 1):
        longest = max(len(str(row[column - 1])) for row in [headers, *rows])
        sheet.column_dimensions[get_column_letter(column)].width = min(WIDEST, longest + 2)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
