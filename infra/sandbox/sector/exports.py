"""An exported school (ho_so_truong.xlsx, ket_qua/*.xlsx) as the rows that the sector database would answer with."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from infra.sandbox.sector.state import LISTS, Loaded, RowIn

SHEETS = {"Trường": "school", "Cán bộ": "staff", "Lớp": "classes", "Phân công": "assignments", "Học sinh": "pupils"}
KEYS = {
    "school": ("Mã trường",),
    "staff": ("Mã cán bộ",),
    "classes": ("Mã lớp",),
    "assignments": ("Mã lớp", "Mã môn học", "Học kỳ", "Mã cán bộ"),
    "pupils": ("Mã học sinh",),
    "results": ("Mã học sinh",),
}
SEPARATOR = " / "


def rows_of(folder: Path) -> Loaded:
    """Every list of one school and year; the words of a results header are joined from top to bottom."""
    lists: dict[str, list[RowIn]] = {name: [] for name in LISTS}
    book = load_workbook(folder / "ho_so_truong.xlsx")
    for title, name in SHEETS.items():
        lists[name] = _identified(name, _table(book[title], 1))
    results: list[dict[str, Any]] = []
    for path in sorted((folder / "ket_qua").glob("*.xlsx")):
        sheet = load_workbook(path).worksheets[0]
        depth = 3 if any(cell.value == "Mức đạt được" for cell in sheet[3]) else 2
        results += _table(sheet, depth)
    lists["results"] = _identified("results", results)
    school = lists["school"][0].data
    return Loaded(school=str(school["Mã trường"]), year=str(school["Năm học"]), lists=lists)


def _identified(name: str, rows: list[dict[str, Any]]) -> list[RowIn]:
    """Rows under an id of their own, also those that repeat another one's codes."""
    given: dict[str, int] = {}
    found = []
    for row in rows:
        code = "|".join(str(row.get(key, "")) for key in KEYS[name])
        given[code] = given.get(code, 0) + 1
        found.append(RowIn(id=code if given[code] == 1 else f"{code}#{given[code]}", data=row))
    return found


def _table(sheet: Worksheet, depth: int) -> list[dict[str, Any]]:
    headers = [SEPARATOR.join(dict.fromkeys(word for word in words if word)) for words in zip(*_filled(sheet, depth), strict=True)]
    return list(_rows(sheet, depth, headers))


def _rows(sheet: Worksheet, depth: int, headers: list[str]) -> Iterator[dict[str, Any]]:
    for values in sheet.iter_rows(min_row=depth + 1, values_only=True):
        if any(value not in (None, "") for value in values):
            yield {header: _plain(value) for header, value in zip(headers, values, strict=False) if header}


def _plain(value: object) -> str | int | float | bool:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.strftime("%d/%m/%Y")
    return value if isinstance(value, int | float | bool) else str(value)


def _filled(sheet: Worksheet, depth: int) -> list[list[str]]:
    grid = [[str(cell.value or "") for cell in sheet[row]] for row in range(1, depth + 1)]
    for merged in sheet.merged_cells.ranges:
        for row in range(merged.min_row, min(merged.max_row, depth) + 1):
            for column in range(merged.min_col, merged.max_col + 1):
                grid[row - 1][column - 1] = grid[merged.min_row - 1][merged.min_col - 1]
    return grid
