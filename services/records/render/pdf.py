"""A transcript as PDF/A-3b in the layout of the official form, with its XML inside.

Typst gets nothing but JSON, so no text of a person can become markup. Same input, same bytes: the fonts are vendored and the
only time in the file is the transcript's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import typst

from services.records.render.fields import add_signature_fields
from services.records.render.form import form
from services.records.render.text import local_time
from services.records.schoolyear import SubjectSignature, TranscriptContent

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = _HERE / "templates"
_FONTS: Final = _HERE / "fonts"


class RenderError(ValueError):
    """A document that cannot be printed, with Typst's own words: above all a character that the font does not have."""


def transcript_pdf(
    content: TranscriptContent,
    subject_signatures: Sequence[SubjectSignature],
    xml: bytes,
    *,
    preview: bool = False,
) -> bytes:
    """The PDF with three empty signature fields; a preview has a watermark and no fields.

    Pure and picklable, for a process pool: the compiler stays warm in each process (about 120 MB). `xml` comes back byte for byte
    as the associated file `hoc-ba.xml`. Raises RenderError for text that cannot be printed, ValueError for traits of an unknown
    group or a time without zone.
    """
    data = json.dumps(form(content, subject_signatures, preview=preview), ensure_ascii=False)
    moment = local_time(content.created_at)
    try:
        rendered = _compiler().compile(
            format="pdf",
            sys_inputs={"data": data, "xml": xml.decode("utf-8")},
            pdf_standards=["a-3b"],
            timestamp=moment,
        )
    except typst.TypstError as error:
        raise RenderError(error.message) from error
    if not isinstance(rendered, bytes):
        raise RenderError("Typst returned no document")
    return rendered + b"\n" if preview else add_signature_fields(rendered)


def unusual(text: str) -> bool:
    """Whether the text has a character beyond those that the fonts are known to have (`check_fonts`): then only a trial tells."""
    return not set(text) <= set(_alphabet())


def check_fonts() -> None:
    """For start-up: raises RenderError when a vendored font lacks a letter of Vietnamese."""
    try:
        typst.compile(
            str(_TEMPLATES / "glyphs.typ"),
            root=str(_TEMPLATES),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"text": _alphabet()},
            pdf_standards=["a-3b"],
            timestamp=0,
        )
    except typst.TypstError as error:
        raise RenderError(error.message) from error


def _alphabet() -> str:
    """Every Vietnamese letter in both cases, digits and the punctuation of the form."""
    vowels = (
        "a à á ả ã ạ ă ằ ắ ẳ ẵ ặ â ầ ấ ẩ ẫ ậ e è é ẻ ẽ ẹ ê ề ế ể ễ ệ i ì í ỉ ĩ ị "
        "o ò ó ỏ õ ọ ô ồ ố ổ ỗ ộ ơ ờ ớ ở ỡ ợ u ù ú ủ ũ ụ ư ừ ứ ử ữ ự y ỳ ý ỷ ỹ ỵ"
    )
    letters = f"{vowels} b c d đ f g h j k l m n p q r s t v w x z"
    return f"{letters} {letters.upper()} 0123456789 .,:;!?()[]{{}}_<>|\\~`^$+-–—…/%&'\"“”‘’@#*="


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(str(_TEMPLATES / "transcript.typ"), root=str(_TEMPLATES), font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> typst.Fonts:
    """The vendored ones and no others: neither the machine's nor those inside Typst."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])
