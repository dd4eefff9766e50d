"""Upload sets for the tests of import and rules: the samples, schools from the data tool, and ways to spoil them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from services.records.imports.findings import Code, Finding
from services.records.imports.preview import Preview

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
PROFILE = "ho_so_truong.xlsx"
Files = dict[str, bytes]


def load(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.xlsx"))}


def expected(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return read


@cache
def made(
    level: str, seed: int = 1, *, pupils: int = 6, classes: int = 1, contradictions: int = 0, defects: int = 0
) -> tuple[Files, dict[str, Any]]:
    """A school from the data tool: its files and what a correct import concludes."""
    with tempfile.TemporaryDirectory() as folder:
        options = {"seed": seed, "pupils": pupils, "classes-per-grade": classes, "contradictions": contradictions, "defects": defects}
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        tool = [sys.executable, str(SAMPLES / "make_school.py"), "--level", level, "--out", folder, *arguments]
        subprocess.run(tool, check=True, capture_output=True)
        return load(Path(folder)), expected(Path(folder))


def edited(files: Files, name: str, change: Callable[[Workbook], None]) -> Files:
    """The same upload with one workbook changed."""
    book = load_workbook(io.BytesIO(files[name]))
    change(book)
    return {**files, name: saved(book)}


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def column(sheet: Worksheet, header: str, header_rows: int = 1) -> int:
    for row in sheet.iter_rows(min_row=1, max_row=header_rows):
        for cell in row:
            if cell.value == header:
                return int(cell.column or 0)
    raise KeyError(header)


def put(sheet: Worksheet, row: int, header: str, value: object, header_rows: int = 1) -> None:
    sheet.cell(row, column(sheet, header, header_rows)).value = value  # type: ignore[assignment] # openpyxl's stubs want its own union


def with_cell(files: Files, sheet: str, row: int, header: str, value: object) -> Files:
    """One cell of the school workbook changed."""
    return edited(files, PROFILE, lambda book: put(book[sheet], row, header, value))


def with_result(files: Files, name: str, row: int, path: tuple[str, ...], value: object) -> Files:
    """One cell of a results workbook changed; `path` is the header's words from top to bottom, without the first group."""
    return edited(files, name, lambda book: _put_result(book, row, path, value))


def _put_result(book: Workbook, row: int, path: tuple[str, ...], value: object) -> None:
    sheet = book.worksheets[0]
    at = next(at for at, words in enumerate(header_paths(sheet), start=1) if words[-len(path) :] == path)
    sheet.cell(row, at).value = value  # type: ignore[assignment] # openpyxl's stubs want its own union


def header_rows(sheet: Worksheet) -> int:
    return 3 if any(cell.value == "Mức đạt được" for cell in sheet[3]) else 2


def header_paths(sheet: Worksheet) -> list[tuple[str, ...]]:
    """Each column's header words, with merged cells filled in."""
    return [tuple(word for word in path if word) for path in zip(*filled_headers(sheet), strict=True)]


def filled_headers(sheet: Worksheet) -> list[list[str]]:
    rows = [[str(cell.value or "") for cell in sheet[at]] for at in range(1, header_rows(sheet) + 1)]
    for merged in sheet.merged_cells.ranges:
        value = rows[merged.min_row - 1][merged.min_col - 1]
        for at in range(merged.min_col - 1, merged.max_col):
            rows[merged.min_row - 1][at] = value
    return rows


def data_rows(sheet: Worksheet) -> list[list[object]]:
    return [list(row) for row in sheet.iter_rows(min_row=header_rows(sheet) + 1, values_only=True)]


def only(seen: Preview, code: Code) -> Finding:
    [finding] = [finding for finding in seen.findings if finding.code == code.code]
    return finding


def refused(seen: Preview) -> set[tuple[str, str, str]]:
    return {(refusal.pupil, refusal.field, refusal.kind) for refusal in seen.refused_pupils}
