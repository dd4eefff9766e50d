"""A certified copy as PDF/A-3b: the certification sheet, and the sealed original's own pages or (PDF/UA-1 too) the chosen parts.

Typst writes the sheet and, for a whole copy, one stamped page for each page of the original; the original's page and what its
signature fields show are then laid under it as they are, so nothing is typeset anew.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typst
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from services.records.render.pdf import RenderError
from services.records.render.text import local_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

_RECORDS: Final = Path(__file__).resolve().parents[1]
_TEMPLATE: Final = _RECORDS / "copies" / "templates" / "copy.typ"
_FONTS: Final = _RECORDS / "render" / "fonts"


def copy_pdf(sheet: str, original: bytes, *, whole: bool, attach: bool, at: dt.datetime) -> bytes:
    """Pure and picklable, for a process pool. `sheet` is what `sheet.sheet` made, as JSON; `original` is the sealed PDF.

    `whole`: its pages follow the sheet; `attach`: it goes with the copy byte for byte. Raises RenderError for text that cannot be
    printed and for an original that cannot be read.
    """
    try:
        source = PdfFileReader(io.BytesIO(original))
        pages = int(source.root["/Pages"]["/Count"]) if whole else 0
        inputs = {"data": sheet, "pages": str(pages), "original": original.decode("latin-1") if attach else ""}
        # what stands on the original's pages cannot be read aloud, so a whole copy does not say of itself that it can
        rendered = _compiler().compile(
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=["a-3b"] if whole else ["a-3b", "ua-1"],
            timestamp=local_time(at),
        )
        if not isinstance(rendered, bytes):
            raise RenderError("Typst returned no document")
        return _with_original(rendered, source, pages) if pages else rendered
    except typst.TypstError as error:
        raise RenderError(error.message) from error
    except (PdfError, KeyError) as error:
        raise RenderError(f"the original cannot be read: {error}") from error


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])
    return typst.Compiler(str(_TEMPLATE), root=str(_RECORDS), font_paths=fonts, ignore_system_fonts=True)


def _with_original(rendered: bytes, source: PdfFileReader, pages: int) -> bytes:
    """The last `pages` pages of `rendered` get those of `source` under what stands on them."""
    # PDF/A wants a line end before each object, and the first new one follows what Typst wrote
    writer = IncrementalPdfFileWriter(io.BytesIO(rendered + b"\n"))
    first = int(writer.root["/Pages"]["/Count"]) - pages
    for at in range(pages):
        drawn = [("/HbPage", writer.import_page_as_xobject(source, at), "1 0 0 1 0 0")]
        drawn += [(f"/HbField{n}", shown, where) for n, (shown, where) in enumerate(_appearances(writer, source, at))]
        commands = " ".join(f"q {where} cm {name} Do Q" for name, _, where in drawn)
        names = _dictionary({name: reference for name, reference, _ in drawn})
        resources = _dictionary({"/XObject": names})
        # an artifact for those who listen: the attached or sealed original is what can be read aloud
        marked = f"/Artifact BMC {commands} EMC"
        stream = writer.add_object(generic.StreamObject(stream_data=marked.encode("ascii")))
        writer.add_stream_to_page(first + at, stream, resources, prepend=True)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    return out.getvalue()


def _dictionary(entries: Mapping[str, generic.PdfObject]) -> generic.DictionaryObject:
    named = {generic.NameObject(name): value for name, value in entries.items()}
    return generic.DictionaryObject(named)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped


def _appearances(writer: IncrementalPdfFileWriter, source: PdfFileReader, at: int) -> Iterator[tuple[generic.IndirectObject, str]]:
    """What the fields of a page show, each with the matrix that brings it to its place (ISO 32000-1, 12.5.5)."""
    page_reference, _ = source.find_page_for_modification(at)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    page = page_reference.get_object()
    for annotation in page.get("/Annots", generic.ArrayObject()).get_object():
        field = annotation.get_object()
        appearance = field.get("/AP")
        shown = appearance.get_object().get("/N") if appearance is not None else None
        stream = shown.get_object() if shown is not None else None
        if not isinstance(stream, generic.StreamObject) or field.get("/Subtype") != "/Widget":
            continue
        left, bottom, right, top = (float(each) for each in field["/Rect"])
        x1, y1, x2, y2 = (float(each) for each in stream["/BBox"])
        if x2 == x1 or y2 == y1 or right == left or top == bottom:
            continue
        across, up = (right - left) / (x2 - x1), (top - bottom) / (y2 - y1)
        reference = writer.add_object(writer.import_object(stream))
        yield reference, f"{across:.5f} 0 0 {up:.5f} {left - x1 * across:.3f} {bottom - y1 * up:.3f}"
