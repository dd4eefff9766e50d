"""Lists as files to take along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Response

from services.chassis import clock, xlsx

if TYPE_CHECKING:
    from collections.abc import Sequence


def workbook(file: str, title: str, headers: Sequence[str], rows: Sequence[Sequence[str | int]]) -> Response:
    """An .xlsx of one sheet, for the person who asked alone; `file` is its name without ending, of ASCII letters, digits and hyphens."""
    about = {"Content-Disposition": f'attachment; filename="{file}.xlsx"', "Cache-Control": "private, no-store"}
    return Response(xlsx.workbook(title, headers, rows), media_type=xlsx.MEDIA_TYPE, headers=about)


def dated(file: str) -> str:
    """With the day in Vietnam, so that yesterday's download is not overwritten."""
    return f"{file}-{clock.in_vietnam(clock.now()):%Y%m%d}"
