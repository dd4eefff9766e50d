"""What may happen to a finished transcript: bytes in, bytes out, with nothing of the product in it.

A function takes the document and another one of the same kind, from which foreign parts are taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

from asn1crypto import cms
from pyhanko.pdf_utils import generic as untyped_generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper

Change = Callable[[bytes, bytes], bytes]

# pyHanko leaves its objects' constructors and much of its writer untyped
generic: Any = untyped_generic

_SIGNATURE = rb"<ds:Signature\b[^>]*>.*?</ds:Signature>"


# XML


def changed_mark(document: bytes, _other: bytes) -> bytes:
    """Another mark in the content, which all have signed."""
    return _once(rb"<(DiemKTDK|CaNam)>(\d)", lambda found: b"<" + found[1] + b">" + (b"8" if found[2] != b"8" else b"7"), document)


def changed_signing_time(document: bytes, _other: bytes) -> bytes:
    """The homeroom teacher signed a year earlier, as it now says."""
    return _in_signature(b"GVCN", rb"(SigningTime>)(\d{4})", lambda found: found[1] + b"%04d" % (int(found[2]) - 1), document)


def changed_value(document: bytes, other: bytes) -> bytes:
    """The homeroom teacher's value is the one that another document got from the same key."""
    foreign = _value(other, b"GVCN")
    assert foreign != _value(document, b"GVCN")
    return document.replace(_value(document, b"GVCN"), foreign)


def element_beside_content(document: bytes, _other: bytes) -> bytes:
    return _once(rb"<ChuKy ", lambda found: b"<GhiChu>9.9</GhiChu>" + found[0], document)


def element_among_signatures(document: bytes, _other: bytes) -> bytes:
    return _once(rb"</ChuKy>", lambda found: b"<GhiChu>9.9</GhiChu>" + found[0], document)


def element_inside_content(document: bytes, _other: bytes) -> bytes:
    return _once(rb"</NoiDung>", lambda found: b"<GhiChu>9.9</GhiChu>" + found[0], document)


def comment_inside_mark(document: bytes, _other: bytes) -> bytes:
    """Canonicalisation leaves comments out, so every digest stays; a careless reader of the text sees another mark."""
    return _once(rb"<(DiemKTDK|CaNam)>(\d)", lambda found: b"<" + found[1] + b"><!---->" + found[2], document)


def without_first_signature(document: bytes, _other: bytes) -> bytes:
    """A subject teacher's."""
    return _once(_SIGNATURE, lambda _found: b"", document)


def without_last_signature(document: bytes, _other: bytes) -> bytes:
    """The school's, with all that makes the document last."""
    start = document.rindex(b"<ds:Signature ")
    end = document.rindex(b"</ChuKy>")
    return document[:start] + document[end:]


def foreign_signature_timestamp(document: bytes, other: bytes) -> bytes:
    return _foreign_xml_token(b"SignatureTimeStamp", document, other)


def foreign_archive_timestamp(document: bytes, other: bytes) -> bytes:
    return _foreign_xml_token(b"ArchiveTimeStamp", document, other)


def _foreign_xml_token(element: bytes, document: bytes, other: bytes) -> bytes:
    pattern = rb"<([a-z0-9]+:)?" + element + rb"\b.*?EncapsulatedTimeStamp[^>]*>([^<]+)<"
    own, foreign = (re.search(pattern, text, re.DOTALL) for text in (document, other))
    assert own is not None
    assert foreign is not None
    return document[: own.start(2)] + foreign[2] + document[own.end(2) :]


def _value(document: bytes, signature_id: bytes) -> bytes:
    found = re.search(rb'Id="%s-sv"[^>]*>([^<]+)<' % signature_id, document)
    assert found is not None
    return found[1]


def _in_signature(signature_id: bytes, pattern: bytes, by: Callable[[re.Match[bytes]], bytes], document: bytes) -> bytes:
    start = re.search(rb'<ds:Signature [^>]*Id="%s"' % signature_id, document)
    assert start is not None
    return document[: start.start()] + _once(pattern, by, document[start.start() :])


def _once(pattern: bytes, by: Callable[[re.Match[bytes]], bytes], document: bytes) -> bytes:
    changed, number = re.subn(pattern, by, document, count=1, flags=re.DOTALL)
    assert number == 1
    assert changed != document
    return changed


# PDF


def changed_byte(document: bytes, _other: bytes) -> bytes:
    """One byte of the last page's content stream, as it was rendered."""
    page = _last_page(PdfFileReader(BytesIO(document)))
    contents = page.get_object().raw_get("/Contents")
    start = document.index(b"stream\n", document.index(b"\n%d 0 obj" % contents.idnum)) + len(b"stream\n")
    middle = (start + document.index(b"endstream", start)) // 2
    return document[:middle] + bytes([document[middle] ^ 1]) + document[middle + 1 :]


def added_content(document: bytes, _other: bytes) -> bytes:
    """A revision that draws something more on the last page."""
    writer: Any = _Revision(BytesIO(document))
    drawing = writer.add_object(generic.StreamObject(stream_data=b"q 0 0 0 rg 300 500 40 12 re f Q"))
    writer.add_stream_to_page(-1, drawing)
    return _written(writer)


def added_annotation(document: bytes, _other: bytes) -> bytes:
    """A revision with a box laid over the last page, which leaves the page's own content alone."""
    writer: Any = _Revision(BytesIO(document))
    page = _last_page(writer)
    look = generic.StreamObject(stream_data=b"0 0 0 rg 0 0 40 12 re f")
    look.update(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/XObject"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Form"),
            generic.pdf_name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 40, 12))),
        }
    )
    annotation = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Square"),
            generic.pdf_name("/F"): generic.NumberObject(4),
            generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (300, 500, 340, 512))),
            generic.pdf_name("/AP"): generic.DictionaryObject({generic.pdf_name("/N"): writer.add_object(look)}),
        }
    )
    writer.register_annotation(page, writer.add_object(annotation))
    return _written(writer)


def emptied_field(document: bytes, _other: bytes) -> bytes:
    """A revision in which the leader's field holds no signature."""
    writer: Any = _Revision(BytesIO(document))
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if field["/T"] == "CBQL":
            del field["/V"]
            writer.mark_update(reference)
    return _written(writer)


def appended_bytes(document: bytes, _other: bytes) -> bytes:
    """Bytes that belong to no revision."""
    return document + b"% 9.9\n"


def without_last_revision(document: bytes, _other: bytes) -> bytes:
    """Back to the school's signature: validation data and timestamp cut off."""
    return document[: _ends(document)[-2]]


def without_school(document: bytes, _other: bytes) -> bytes:
    """Back to the leader's signature."""
    return document[: _ends(document)[-3]]


def foreign_timestamp(document: bytes, other: bytes) -> bytes:
    """The document timestamp is another document's token."""
    start, end = _contents(document)
    from_start, from_end = _contents(other)
    token: bytes = cms.ContentInfo.load(bytes.fromhex(other[from_start:from_end].decode())).dump().hex().encode()
    assert len(token) <= end - start
    return document[:start] + token.ljust(end - start, b"0") + document[end:]


async def with_another_timestamp(document: bytes, timestamper: TimeStamper) -> bytes:
    """The permitted revision: a further document timestamp, as it is added before the last one's certificate ends."""
    output = BytesIO()
    stamper = PdfTimeStamper(timestamper)
    await stamper.async_timestamp_pdf(_Revision(BytesIO(document)), "sha256", output=output)
    return output.getvalue()


class _Revision(IncrementalPdfFileWriter):
    """Leaves /Info and XMP alone, so that a revision holds nothing but what its function puts in."""

    def _update_meta(self) -> None:
        return None


def _written(writer: Any) -> bytes:
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _last_page(handler: Any) -> Any:
    page, _resources = handler.find_page_for_modification(-1)
    return page.reference


def _ends(document: bytes) -> list[int]:
    """Where the revision of each signature ends, in the order of signing."""
    return [start + length for _, _, start, length in _covered(document)]


def _contents(document: bytes) -> tuple[int, int]:
    """Where the hexadecimal digits of the last signature's Contents are."""
    _, before, after, _ = _covered(document)[-1]
    return before + 1, after - 1


def _covered(document: bytes) -> list[list[int]]:
    return [[int(number) for number in one.sig_object["/ByteRange"]] for one in PdfFileReader(BytesIO(document)).embedded_signatures]
