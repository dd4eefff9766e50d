"""The minutes of a correction as PDF/A-3b: plain data in, bytes out; for a process of the pool.

Typst gets nothing but JSON, so no text of a person can become markup. Same input, same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from services.records import render
from services.records.render.pdf import RenderError

_HERE: Final = Path(__file__).parent / "layout"
_FONTS: Final = Path(render.__path__[0]) / "fonts"


def minutes_pdf(words: dict[str, Any]) -> bytes:
    """`words` as `minutes_words.words_of` makes them. Raises RenderError for text that the font cannot show."""
    try:
        rendered = _compiler().compile(
            format="pdf",
            sys_inputs={"data": json.dumps(words, ensure_ascii=False)},
            pdf_standards=["a-3b", "ua-1"],
            timestamp=dt.datetime.fromisoformat(words["moment"]).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise RenderError(error.message) from error
    if not isinstance(rendered, bytes):
        raise RenderError("Typst returned no document")
    return rendered


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])
    return typst.Compiler(str(_HERE / "minutes.typ"), root=str(_HERE), font_paths=fonts, ignore_system_fonts=True)
