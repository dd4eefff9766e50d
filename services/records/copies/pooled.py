"""What a process of the pool does for a copy; it imports neither the stores nor the web."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.records.copies.pdf import copy_pdf

if TYPE_CHECKING:
    import datetime as dt


def make(sheet: str, original: bytes, medium: str, kind: str, at: dt.datetime) -> bytes:
    """Raises RenderError."""
    return copy_pdf(sheet, original, whole=kind == "WHOLE", attach=medium == "FILE", at=at)
