"""Columns by their header text: in any order, with other spellings, with extra columns between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.records.cells import Cell, key, text
from services.records.imports import findings as found
from services.records.imports.findings import Place, Report
from services.records.imports.workbooks import Sheet

HEADER_SEARCH_ROWS = 15


@dataclass(frozen=True)
class Column:
    """A column of the export: our field, the header as exported, other spellings of it."""

    field: str
    header: str
    synonyms: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class IgnoredColumn:
    file: str
    sheet: str
    column: str


@dataclass(frozen=True)
class MatchedColumn:
    """What a column was taken for: `meaning` is the exported header, for results a path such as "Toán: HKI"."""

    sheet: str
    column: str
    meaning: str


@dataclass(frozen=True)
class Row:
    """One data row: cells by field. `number` is Excel's row number."""

    number: int
    cells: dict[str, Cell]

    def __getitem__(self, field: str) -> Cell:
        return self.cells.get(field, "")


@dataclass
class Table:
    sheet: Sheet
    header_row: int
    where: dict[str, int]
    headers: dict[str, str]
    ignored: list[IgnoredColumn] = field(default_factory=list)
    matched: list[MatchedColumn] = field(default_factory=list)

    def place(self, row: Row | None = None, field: str | None = None) -> Place:
        """The place of a cell; the column is named as the file itself names it."""
        return self.sheet.place(row.number if row else self.header_row, self.headers.get(field) if field else None)

    def rows(self) -> Iterator[Row]:
        """Data rows; blank ones, even if numbered, are passed over."""
        for at in range(self.header_row, len(self.sheet.rows)):
            cells = self.sheet.rows[at]
            picked = {field: cells[column] for field, column in self.where.items() if column < len(cells)}
            if any(text(value) for field, value in picked.items() if field != "ordinal"):
                yield Row(at + 1, picked)


def match(headers: Sequence[str], columns: Sequence[Column]) -> tuple[dict[str, int], list[int]]:
    """Positions by field, and the positions of columns that repeat a field. The exported header wins over another spelling."""
    where: dict[str, int] = {}
    doubled: list[int] = []
    keys = [key(header) for header in headers]
    for column in columns:
        exact = [at for at, name in enumerate(keys) if name == key(column.header)]
        others = [at for at, name in enumerate(keys) if name in {key(synonym) for synonym in column.synonyms} and at not in exact]
        candidates = exact + others
        if candidates:
            where[column.field] = candidates[0]
            doubled += candidates[1:]
    return where, doubled


def open_table(sheet: Sheet, columns: Sequence[Column], report: Report) -> Table | None:
    """The sheet as a table of these columns; None (and a finding that blocks) when a required column is missing."""
    best, header_row = -1, 0
    for at, cells in enumerate(sheet.rows[:HEADER_SEARCH_ROWS]):
        where, _ = match([text(cell) for cell in cells], columns)
        if len(where) > best:
            best, header_row = len(where), at
    titles = [text(cell) for cell in sheet.rows[header_row]] if sheet.rows else []
    where, doubled = match(titles, columns)
    table = Table(sheet, header_row + 1, where, {name: titles[at] for name, at in where.items()})
    known = set(where.values())
    canonical = {column.field: column.header for column in columns}
    table.matched = [MatchedColumn(sheet.name, titles[at], canonical[name]) for name, at in where.items()]
    table.ignored = [IgnoredColumn(sheet.file, sheet.name, title) for at, title in enumerate(titles) if title and at not in known]
    for at in doubled:
        message = f"Sheet “{sheet.name}” có hai cột cùng nghĩa; chỉ dùng cột đầu."
        report.add(found.COLUMN_DOUBLED, sheet.place(table.header_row, titles[at]), message)
    missing = [column for column in columns if column.field not in where]
    for column in missing:
        place = sheet.place(table.header_row, column.header)
        if column.required:
            report.block(found.COLUMN_MISSING, place, f"Sheet “{sheet.name}” thiếu cột “{column.header}”.")
        elif column.field != "ordinal":
            report.add(found.OPTIONAL_COLUMN_MISSING, place, f"Sheet “{sheet.name}” không có cột “{column.header}”.")
    return None if any(column.required for column in missing) else table
