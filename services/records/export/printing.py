"""\"In cả lớp\": the transcripts of a class as one PDF for the printer, each beginning on the front of a sheet.

A copy for paper: no signature survives being put together, so the pages say where the signed document is. Pure and picklable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import typst
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter

NOTE = "Bản in, chữ ký số ở bản điện tử"
_TEMPLATE = Path(__file__).with_name("print.typ")
# pyHanko leaves the making of objects and writers untyped
_Dictionary: Any = generic.DictionaryObject
_Float: Any = generic.FloatObject
_Writer: Any = PdfFileWriter
_Reader: Any = PdfFileReader
_FONTS = Path(__file__).parents[1] / "render" / "fonts"
_HIDDEN = 0b10
"""Of an annotation's flags (ISO 32000-1, table 165)."""


class UnreadablePdf(ValueError):
    """`transcript` is the one whose PDF cannot be read."""

    def __init__(self, transcript: str, problem: str) -> None:
        super().__init__(transcript, problem)
        self.transcript = transcript
        self.problem = problem


@dataclass(frozen=True)
class Sheet:
    """What the first sheet says; `rows` are (name, pupil code, remark) in the order of the class list."""

    school: str
    title: str
    printed: str
    rows: tuple[tuple[str, str, str], ...]


def bound(sheet: Sheet, documents: Sequence[tuple[str, bytes]]) -> bytes:
    """One PDF of the sheet and the (transcript, PDF)s, with blank pages so that each begins on an odd page. Raises UnreadablePdf."""
    added = _Reader(BytesIO(_typeset(sheet)))
    writer = _Writer(stream_xrefs=True)
    note = writer.import_page_as_xobject(added, 0)
    count = _append(writer, added, first=1)
    for transcript, content in documents:
        if count % 2:
            writer.insert_page(_blank())
            count += 1
        try:
            count += _append(writer, _Reader(BytesIO(content)), note=note)
        except (PdfError, KeyError, ValueError) as problem:
            raise UnreadablePdf(transcript, str(problem)) from problem
    about = {"/Title": sheet.title, "/Subject": NOTE}
    writer.set_info(_Dictionary({pdf_name(key): generic.pdf_string(text) for key, text in about.items()}))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _typeset(sheet: Sheet) -> bytes:
    rows = [[str(number), *row] for number, row in enumerate(sheet.rows, start=1)]
    data = json.dumps({"school": sheet.school, "title": sheet.title, "printed": sheet.printed, "note": NOTE, "rows": rows})
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])
    made = typst.compile(
        str(_TEMPLATE), root=str(_TEMPLATE.parent), font_paths=fonts, ignore_system_fonts=True, format="pdf", sys_inputs={"data": data}
    )
    assert isinstance(made, bytes)
    return made


def _blank() -> Any:
    box = generic.ArrayObject([_Float(number) for number in (0, 0, 595.2756, 841.8898)])
    return _Dictionary({pdf_name("/Type"): pdf_name("/Page"), pdf_name("/MediaBox"): box, pdf_name("/Resources"): _Dictionary()})


def _append(writer: Any, source: Any, *, first: int = 0, note: Any = None) -> int:
    """Copies the pages from `first` on, with what they share copied once; returns how many."""
    total = int(source.root["/Pages"]["/Count"])
    pages = [_flat(*source.find_page_for_modification(number)) for number in range(first, total)]
    together = generic.ArrayObject(page for page, _ in pages)
    together.container_ref = source.root_ref
    for number, page in enumerate(writer.import_object(together)):
        drawn = pages[number][1]
        if note is not None and number == 0:
            page["/Resources"]["/XObject"][pdf_name("/HbNote")] = note
            drawn += b"q /HbNote Do Q\n"
        body = page.raw_get("/Contents")
        parts = list(body) if isinstance(body, generic.ArrayObject) else [body]
        before, after = (writer.add_object(generic.StreamObject(stream_data=data)) for data in (b"q\n", b"\nQ\n" + drawn))
        page[pdf_name("/Contents")] = generic.ArrayObject([before, *parts, after])
        writer.insert_page(page)
    return len(pages)


def _flat(reference: Any, resources: Any) -> tuple[Any, bytes]:
    """What is seen of a page: no structure, no actions, no fields; and what draws the looks of its annotations on it."""
    page, resources = _resolved(reference), _resolved(resources)
    looks = _Dictionary(dict(resources["/XObject"].items()) if "/XObject" in resources else {})
    drawn = b""
    for number, annotation in enumerate(page.get("/Annots", ())):
        look = _look_of(_resolved(annotation))
        if look is not None:
            looks[pdf_name(f"/HbLook{number}")] = look[0]
            drawn += b"q %s cm /HbLook%d Do Q\n" % (look[1], number)
    kept = _Dictionary({pdf_name("/Type"): pdf_name("/Page")})
    for key in ("/Contents", "/MediaBox"):
        kept[pdf_name(key)] = page.raw_get(key)
    kept[pdf_name("/Resources")] = _Dictionary({**dict(resources.items()), pdf_name("/XObject"): looks})
    return kept, drawn


def _resolved(held: Any) -> Any:
    return held.get_object() if isinstance(held, generic.IndirectObject) else held  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped


def _look_of(annotation: Any) -> tuple[Any, bytes] | None:
    """An annotation's normal appearance and the matrix that puts it into its rectangle (ISO 32000-1, 12.5.5); None without one."""
    if "/AP" not in annotation or int(annotation.get("/F", 0)) & _HIDDEN:
        return None
    look = annotation["/AP"]["/N"]
    if not isinstance(look, generic.StreamObject):
        return None
    left, bottom, right, top = _box([float(n) for n in look["/BBox"]], [float(n) for n in look.get("/Matrix", (1, 0, 0, 1, 0, 0))])
    x0, y0, x1, y1 = (float(n) for n in annotation["/Rect"])
    if right - left <= 0 or top - bottom <= 0:
        return None
    across, up = (x1 - x0) / (right - left), (y1 - y0) / (top - bottom)
    matrix = (across, 0, 0, up, x0 - left * across, y0 - bottom * up)
    return annotation["/AP"].raw_get("/N"), b" ".join(b"%.4f" % number for number in matrix)


def _box(bounds: Sequence[float], matrix: Sequence[float]) -> tuple[float, float, float, float]:
    """The upright box around `bounds` after `matrix`."""
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (bounds[0], bounds[2]) for y in (bounds[1], bounds[3])]
    across, up = [a * x + c * y + e for x, y in corners], [b * x + d * y + f for x, y in corners]
    return min(across), min(up), max(across), max(up)
