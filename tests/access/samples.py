"""What the sample schools' books say of people, read on its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import openpyxl

TELLING = ("Mã cán bộ", "Mã học sinh", "Họ tên", "Số định danh cá nhân")
"""Columns that say who somebody is."""


@dataclass(frozen=True)
class Book:
    """Rows by the words of their header."""

    staff: list[dict[str, str]]
    pupils: list[dict[str, str]]


def read(sample: Path) -> Book:
    book = openpyxl.load_workbook(sample / "ho_so_truong.xlsx", read_only=True)

    def rows(sheet: str) -> list[dict[str, str]]:
        header, *found = ([str(cell) for cell in row] for row in book[sheet].iter_rows(values_only=True))
        return [dict(zip(header, row, strict=True)) for row in found]

    return Book(rows("Cán bộ"), rows("Học sinh"))


def books(sample: Path) -> list[tuple[str, bytes]]:
    """What is uploaded of a sample: (name, content)."""
    return [(str(book.relative_to(sample)), book.read_bytes()) for book in sorted(sample.rglob("*.xlsx"))]


def told_by(people: Iterable[Mapping[str, str]]) -> set[str]:
    """Codes, names and personal ids."""
    return {person[column] for person in people for column in TELLING if column in person}
