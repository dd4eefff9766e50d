"""Transcripts and class summaries as PDF/A-3b and PDF/UA-1 in the layout of the official forms, with their XML inside.

Typst gets nothing but JSON, so no text of a person can become markup. Same input, same bytes: the fonts are vendored and the
only time in the file is the document's own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import typst

from services.records.render.fields import A4, Sheet, add_signature_fields
from services.records.render.form import form
from services.records.render.summary_form import sheet_of, summary_form
from services.records.render.text import local_time
from services.records.schoolyear import SubjectSignature, SummaryContent, TranscriptContent

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = _HERE / "templates"
_FONTS: Final = _HERE / "fonts"
Template = Literal["transcript", "summary"]


class RenderError(ValueError):
    """A document that cannot be printed, with Typst's own words: above all a character that the font does not have."""


def transcript_pdf(
    content: TranscriptContent,
    subject_signatures: Sequence[SubjectSignature],
    xml: bytes,
    *,
    preview: bool = False,
    pictures: Mapping[str, bytes] | None = None,
) -> bytes:
    """The PDF with three empty signature fields; a preview has a watermark and no fields.

    Pure and picklable, for a process pool: the compiler stays warm in each process (about 120 MB). `xml` comes back byte for byte
    as the associated file `hoc-ba.xml`. `pictures`: those of subject teachers' signatures by staff code (`pictures.printable`), drawn
    for those who have signed. Raises RenderError for text or a picture that cannot be printed, ValueError for traits of an unknown
    group or a time without zone.
    """
    return _printed(
        "transcript", form(content, subject_signatures, preview=preview, pictures=pictures), xml, content.created_at, A4, preview=preview
    )


def summary_pdf(content: SummaryContent, xml: bytes, *, preview: bool = False) -> bytes:
    """The class summary (A4 or A3 across) with three empty signature fields on its last page; a preview has a watermark and none.

    As `transcript_pdf`; the associated file is `bang-tong-hop.xml`.
    """
    return _printed("summary", summary_form(content, preview=preview), xml, content.created_at, sheet_of(content), preview=preview)


def _printed(template: Template, data: dict[str, Any], xml: bytes, created_at: dt.datetime, sheet: Sheet, *, preview: bool) -> bytes:
    try:
        rendered = _compiler(template).compile(
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False), "xml": xml.decode("utf-8")},
            pdf_standards=["a-3b", "ua-1"],
            timestamp=local_time(created_at),
        )
    except typst.TypstError as error:
        raise RenderError(error.message) from error
    if not isinstance(rendered, bytes):
        raise RenderError("Typst returned no document")
    return rendered + b"\n" if preview else add_signature_fields(rendered, sheet)


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
def _compiler(template: Template) -> typst.Compiler:
    return typst.Compiler(str(_TEMPLATES / f"{template}.typ"), root=str(_TEMPLATES), font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> typst.Fonts:
    """The vendored ones and no others: neither the machine's nor those inside Typst."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])
