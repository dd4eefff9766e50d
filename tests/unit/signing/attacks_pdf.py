"""Known attacks on signed PDF files, made of a file that a stranger's library signed: bytes in, bytes out.

Shadow attacks (Mainka, Mladenov, Rohlmann 2021): hide, replace, hide-and-replace. Incremental saving, universal signature forgery and
signature wrapping (Mladenov, Mainka, Meyer zu Selhausen, Grothe, Schwenk 2019). Nothing of the product is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from asn1crypto import keys, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils import generic as untyped_generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.unit.signing.pki import Party

# pyHanko leaves its objects' constructors and much of its writer untyped
generic: Any = untyped_generic
name = generic.pdf_name

GENUINE, FORGED = b"Diem: 4", b"Diem: 9"


def text(content: bytes) -> bytes:
    return b"BT /F1 24 Tf 72 700 Td (" + content + b") Tj ET"


@cache
def plain() -> bytes:
    """One page, six objects, a classic table."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>/XObject<</X1 6 0 R>>>>>>",
        _stream(text(GENUINE) + b" /X1 Do"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        _stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"),
    ]
    return _file(objects)


def _stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(content), more, content)


def _file(objects: list[bytes]) -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))


def signed(document: bytes, who: Party, timestamper: TimeStamper | None = None) -> bytes:
    """By pyHanko alone, in a field of its own making."""
    key = who.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    store.register_multiple([x509.Certificate.load(each) for each in who.chain])
    signer = SimpleSigner(x509.Certificate.load(who.der), keys.PrivateKeyInfo.load(key), store)
    output = BytesIO()
    meta = PdfSignatureMetadata(field_name="Signature1", md_algorithm="sha256")
    sign_pdf(IncrementalPdfFileWriter(BytesIO(document)), meta, signer, timestamper=timestamper, output=output)
    return output.getvalue()


def _appended(document: bytes, change: Callable[[Any], None]) -> bytes:
    writer: Any = IncrementalPdfFileWriter(BytesIO(document))
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _replaced(document: bytes, number: int, content: bytes) -> bytes:
    """An update that defines one object anew, written by hand with a table of its own."""
    start = int(re.findall(rb"startxref\s+(\d+)", document)[-1])
    body = document + b"%d 0 obj\n%b\nendobj\n" % (number, content)
    place = len(document)
    size = int(re.findall(rb"/Size (\d+)", document)[-1])
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<</Size %d/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return body + table % (number, place, size, start, len(body))


# shadow attacks: the file is prepared before it is signed


def hide(who: Party) -> bytes:
    """A white sheet hides the forged mark from whoever signs; an update takes the sheet away."""
    look = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>"
    sheet = _stream(b"1 g 60 690 300 40 re f 0 g " + text(GENUINE), look)
    prepared = _with(4, _stream(text(FORGED) + b" /X1 Do"))
    prepared = _rebuilt(prepared, 6, sheet)
    return _replaced(signed(prepared, who), 6, _stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"))


def replace(who: Party) -> bytes:
    """An update defines the font anew, so that the signed characters look different."""
    return _replaced(signed(plain(), who), 5, b"<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>")


def hide_and_replace(who: Party) -> bytes:
    """A second page tree lies unseen in the signed file; an update makes the catalogue point to it."""
    objects = _objects(plain())
    objects += [
        b"<</Type/Pages/Kids[8 0 R]/Count 1>>",
        b"<</Type/Page/Parent 7 0 R/MediaBox[0 0 595 842]/Contents 9 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        _stream(text(FORGED)),
    ]

    def switch(writer: Any) -> None:
        writer.root[name("/Pages")] = generic.IndirectObject(7, 0, writer)
        writer.update_root()

    return _appended(signed(_file(objects), who), switch)


def _objects(document: bytes) -> list[bytes]:
    return [found[1] for found in re.finditer(rb"\d+ 0 obj\n(.*?)\nendobj", document, re.DOTALL)]


def _with(number: int, content: bytes) -> bytes:
    return _rebuilt(plain(), number, content)


def _rebuilt(document: bytes, number: int, content: bytes) -> bytes:
    objects = _objects(document)
    objects[number - 1] = content
    return _file(objects)


# incremental saving attacks


def saved_again(who: Party) -> bytes:
    """A proper update with other content."""
    return _replaced(signed(plain(), who), 4, _stream(text(FORGED)))


def saved_without_table(who: Party) -> bytes:
    """The new object alone: readers that mend broken files take the last one they find."""
    return signed(plain(), who) + b"4 0 obj\n" + _stream(text(FORGED)) + b"\nendobj\n"


def saved_with_copied_signature(who: Party) -> bytes:
    """Other content, and the signature once more behind it, so that the last object of the file is a signature."""
    document = signed(plain(), who)
    found = re.search(rb"(\d+) 0 obj\s*(<<(?:(?!endobj).)*?/ByteRange.*?)\s*endobj", document, re.DOTALL)
    assert found is not None
    return _replaced(_replaced(document, 4, _stream(text(FORGED))), int(found[1]), found[2])


# universal signature forgery: the signature's own entries


def _in_signature(document: bytes, pattern: bytes, by: bytes) -> bytes:
    changed, number = re.subn(pattern, lambda found: by.ljust(len(found[0])), document, count=1)
    assert number == 1
    return changed


def forged_by(pattern: bytes, by: bytes) -> Callable[[Party], bytes]:
    return lambda who: _in_signature(_changed_content(signed(plain(), who)), pattern, by)


def _changed_content(document: bytes) -> bytes:
    return document.replace(GENUINE, FORGED, 1)


_BYTE_RANGE, _CONTENTS = rb"/ByteRange\s*\[[^\]]*\]", rb"/Contents\s*<[0-9A-Fa-f]+>"
FORGERIES = {
    "no_contents": forged_by(_CONTENTS, b""),
    "null_contents": forged_by(_CONTENTS, b"/Contents null"),
    "empty_contents": forged_by(_CONTENTS, b"/Contents <>"),
    "zero_contents": forged_by(_CONTENTS, b"/Contents <00>"),
    "no_byte_range": forged_by(_BYTE_RANGE, b""),
    "null_byte_range": forged_by(_BYTE_RANGE, b"/ByteRange null"),
    "zero_byte_range": forged_by(_BYTE_RANGE, b"/ByteRange [0 0 0 0]"),
    "negative_byte_range": forged_by(_BYTE_RANGE, b"/ByteRange [0 -1 -1 9]"),
    "short_byte_range": forged_by(_BYTE_RANGE, b"/ByteRange [0 9]"),
}


# signature wrapping


def wrapped(who: Party) -> bytes:
    """The second signed part moved behind, and between both parts a table with other content and a signature over what was signed.

    The table stands exactly where the moved part's `startxref` points.
    """
    document = signed(plain(), who)
    _, before, after, length = (int(number) for number in PdfFileReader(BytesIO(document)).embedded_signatures[0].sig_object["/ByteRange"])
    head, hole, tail = document[:before], document[before:after], document[after : after + length]
    start = int(re.findall(rb"startxref\s+(\d+)", tail)[-1])
    signature = re.search(rb"(\d+) 0 obj\s*<<(?:(?!endobj).)*?/ByteRange\s*\[[^\]]*\]", document, re.DOTALL)
    assert signature is not None
    entries = {int(n): int(place) for n, place in _table(document)}
    room = b" " * (start - after)
    forged = _stream(text(FORGED))
    moved = 0
    for _ in range(3):  # the numbers' own lengths settle
        made = re.sub(rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange [0 %d %d %d]" % (before, after + moved, length), head[signature.start() :])
        objects = {int(signature[1]): made + hole + b">>\nendobj\n", 4: b"4 0 obj\n" + forged + b"\nendobj\n"}
        table = _wrapping_table(entries, objects, start, after, moved)
        moved = len(room) + len(table)
    return head + hole + room + table + tail


def _wrapping_table(entries: dict[int, int], objects: dict[int, bytes], start: int, after: int, moved: int) -> bytes:
    size = max(entries) + 1
    frame = len(b"xref\n0 %d\n" % size) + 20 * size
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    at, places = start + frame + len(trailer), {}
    for number, content in objects.items():
        places[number] = at
        at += len(content)
    shifted = {number: place + moved if place >= after else place for number, place in entries.items()} | places
    rows = b"".join(b"%010d 00000 n \n" % shifted[n] if n in shifted else b"0000000000 65535 f \n" for n in range(size))
    return b"xref\n0 %d\n" % size + rows + trailer + b"".join(objects.values())


def _table(document: bytes) -> list[tuple[int, int]]:
    """Where each object stands as the newest update has it."""
    newest = {int(found[1]): found.start(1) for found in re.finditer(rb"(?m)^(\d+) 0 obj", document)}
    return sorted(newest.items())


ATTACKS: dict[str, Callable[[Party], bytes]] = {
    "shadow_hide": hide,
    "shadow_replace": replace,
    "shadow_hide_and_replace": hide_and_replace,
    "incremental_saving": saved_again,
    "incremental_saving_without_table": saved_without_table,
    "incremental_saving_with_copied_signature": saved_with_copied_signature,
    **{f"forgery_{key}": made for key, made in FORGERIES.items()},
    "wrapping": wrapped,
}
