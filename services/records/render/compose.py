"""What both kinds of form share on the way to the templates: words that may break, numbers, the code of the verification page."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import segno

from services.records.render.fields import Sheet
from services.records.render.text import clean

_LONG_WORD: Final = re.compile(r"\S{25,}")
_IDENTIFIER: Final = re.compile(r"[0-9A-Fa-f-]{1,40}")
QR_MASK: Final = 3
"""Every reader takes any of the eight masks. Choosing the one of least penalty costs more than laying out a page, and the addresses,
which differ in a random identifier, look alike under each."""


def composed(value: Any) -> Any:
    """The same structure with all text cleaned and long words breakable."""
    if isinstance(value, str):
        return _LONG_WORD.sub(_break_long_word, clean(value))
    if isinstance(value, dict):
        return {key: composed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [composed(item) for item in value]
    return value


def _break_long_word(found: re.Match[str]) -> str:
    """Lets a word without spaces break inside its cell; identifiers and serials, which the templates place themselves, stay whole."""
    word = found[0]
    if _IDENTIFIER.fullmatch(word):
        return word
    return "\u200b".join(word[start : start + 24] for start in range(0, len(word), 24))


def number(value: Decimal | int | None) -> str:
    """As Vietnam writes numbers: decimal comma, no needless zeros."""
    if value is None:
        return ""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def qr(url: str) -> str:
    """An SVG of one path: each run of dark modules is a stroke, a little thicker than a row, so that no hairline shows between them.

    As content of the template the same strokes cost a tenth of all its layout.
    """
    rows = [bytes(row) for row in segno.make(url, error="m", micro=False, mask=QR_MASK).matrix]
    runs = ((run.start(), line, run.end() - run.start()) for line, row in enumerate(rows) for run in re.finditer(b"\x01+", row))
    path = "".join(f"M{column} {line}.5h{length}" for column, line, length in runs)
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}">'
        f'<path d="{path}" fill="none" stroke="black" stroke-width="1.02"/></svg>'
    )


def panels(sheet: Sheet, *, homeroom: str, leader: str, leader_position: str) -> dict[str, Any]:
    """Where the signatures go; a deputy signs on behalf of the principal (Nghị định 30/2020/NĐ-CP, Phụ lục I)."""
    position = clean(leader_position)
    deputy = position.casefold() not in {"hiệu trưởng", ""}
    return {
        "top": sheet.block_top,
        "height": sheet.block_height,
        "margin_left": sheet.margin_left,
        "fields": {panel.name: [panel.left, panel.top, panel.width, panel.height] for panel in sheet.panels},
        "homeroom": homeroom,
        "leader": leader,
        "leader_titles": ["KT. HIỆU TRƯỞNG", position.upper()] if deputy else ["HIỆU TRƯỞNG"],
    }
