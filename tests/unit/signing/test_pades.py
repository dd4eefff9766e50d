"""The lean path by itself: what it reads of a PDF, what it appends, and what it refuses; pyHanko reads everything that it writes."""

from __future__ import annotations

import zlib
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from services.means.pdf import base, syntax
from services.means.pdf.syntax import ForeignPdf
from services.means.x509 import Scheme, WrongSignature
from services.signing import pdf
from services.signing.pades import message
from services.signing.pades.stamp import SEAL_MM, SIGNATURE_MM, stamp
from services.signing.xml import UnsuitableDocument
from tests.factories.pictures import seal_picture, signature_picture
from tests.unit.signing import chain, pki

LARGEST_SIGNATURE = 6 * 1024
SCHEMES: list[tuple[str, Scheme]] = [("rsa2048", "rsa-pkcs1"), ("rsa2048", "rsa-pss"), ("p256", "ecdsa"), ("p384", "ecdsa")]


@cache
def with_streams() -> bytes:
    """The transcript as another program writes it, with a cross-reference stream."""
    writer: Any = copy_into_new_writer(PdfFileReader(BytesIO(pki.transcript_pdf(visible=True))), {"stream_xrefs": True})
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def built(kind: str, pads: list[int], *, first: int = 1) -> bytes:
    """A minimal PDF with one empty field, written here by hand: objects in a table, in a stream, or packed into an object stream.

    `pads` are blanks before each object, `first` the number of the catalog.
    """
    root, page, pages, widget = first, first + 1, first + 2, first + 3
    bodies = {
        root: b"<</Type/Catalog/Pages %d 0 R/AcroForm<</Fields[%d 0 R]/SigFlags 3>>>>" % (pages, widget),
        page: b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 99 99]/Annots[%d 0 R]>>" % (pages, widget),
        pages: b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % page,
        widget: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(GVCN)/Rect[0 0 9 9]/F 4/P %d 0 R>>" % page,
    }
    written, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
    container = first + 4
    if kind == "packed":
        offsets = b" ".join(b"%d %d" % (number, sum(len(bodies[n]) + 1 for n in bodies if n < number)) for number in bodies)
        content = zlib.compress(offsets + b"\n" + b"\n".join(bodies.values()))
        plain = {
            container: b"<</Type/ObjStm/N 4/First %d/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream"
            % (len(offsets) + 1, len(content), content)
        }
    else:
        plain = bodies
    for (number, body), pad in zip(plain.items(), pads, strict=False):
        written += b" " * pad + b"\n"
        places[number] = len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(written), container + 2
    if kind == "table":
        rows = b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
        written += b"xref\n0 1\n0000000000 65535 f \n%d %d\n%strailer\n<</Size %d/Root %d 0 R>>\n" % (root, 4, rows, size, root)
    else:
        entries = {number: (1, place, 0) for number, place in places.items()}
        if kind == "packed":
            entries |= {number: (2, container, index) for index, number in enumerate(bodies)}
        entries[container + 1] = (1, start, 0)
        rows = b"".join(bytes([sort]) + second.to_bytes(3, "big") + bytes([third]) for _, (sort, second, third) in sorted(entries.items()))
        index = b" ".join(b"%d 1" % number for number in sorted(entries))
        up = b"".join(
            b"\x02" + bytes((rows[at] - (rows[at - 5] if at >= 5 else 0)) & 255 for at in range(row, row + 5))
            for row in range(0, len(rows), 5)
        )
        content = zlib.compress(up)
        written += (
            b"%d 0 obj\n<</Type/XRef/W[1 3 1]/Index[%s]/Size %d/Root %d 0 R/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 5>>"
            b"/Length %d>>\nstream\n%s\nendstream\nendobj\n" % (container + 1, index, size, root, len(content), content)
        )
    return bytes(written + b"startxref\n%d\n%%%%EOF\n" % start)


def sign(document: bytes, field: str = "GVCN", kind: str = "p256", scheme: Scheme = "ecdsa", **more: Any) -> bytes:
    who = pki.party(f"Người ký {kind}", kind=kind)
    prepared = prepare(document, field, kind, scheme, **more)
    return pdf.finish(document, prepared, who.sign(prepared.digest, scheme), who.der, who.chain)


def prepare(document: bytes, field: str = "GVCN", kind: str = "p256", scheme: Scheme = "ecdsa", **more: Any) -> pdf.PreparedPdf:
    who = pki.party(f"Người ký {kind}", kind=kind)
    return pdf.prepare(
        document, field=field, certificate=who.der, chain=who.chain, signed_at=pki.AT, name="Tên", reason="Vai", scheme=scheme, **more
    )


def intact(document: bytes) -> list[bool]:
    """By pyHanko: the range covers all but Contents, and digest and value are right."""
    found = []
    for one in PdfFileReader(BytesIO(document)).embedded_signatures:
        digest = one.compute_digest()
        start, length, after, rest = (int(each) for each in one.sig_object["/ByteRange"])
        whole, valid = validate_sig_integrity(one.signer_info, one.signer_cert, expected_content_type="data", actual_digest=digest)
        gap = document[length:after]
        found.append(whole and valid and start == 0 and after + rest <= len(document) and gap[:1] + gap[-1:] == b"<>")
    return found


# what is appended


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(["table", "stream", "packed"]),
    pads=st.lists(st.integers(0, 3000), min_size=4, max_size=4),
    first=st.integers(1, 60),
    end=st.sampled_from([b"", b"\n", b"\r\n"]),
    stamped=st.booleans(),
)
def test_wherever_objects_lie_a_signature_is_read_back_intact_and_the_references_stay_of_their_kind(
    kind: str, pads: list[int], first: int, end: bytes, stamped: bool
) -> None:
    document = built(kind, pads, first=first).rstrip(b"\n") + end
    signed = sign(document, stamp=stamp(signature_picture(), SIGNATURE_MM) if stamped else None)

    assert signed.startswith(document)
    assert intact(signed) == [True]
    assert base.read(signed).is_table == (kind == "table")
    reader = PdfFileReader(BytesIO(signed))
    assert reader.root["/Perms"]["/DocMDP"]["/Type"] == "/Sig"
    assert reader.root["/AcroForm"]["/Fields"][0]["/T"] == "GVCN"
    assert ("/AP" in reader.root["/AcroForm"]["/Fields"][0]) is stamped


def test_three_signatures_in_a_file_of_another_program_with_streams_are_intact() -> None:
    document = with_streams()
    for field in pdf.FIELDS:
        document = sign(document, field)
    assert intact(document) == [True] * 3


def test_only_widget_and_signature_are_written_once_the_document_is_certified() -> None:
    first = sign(pki.transcript_pdf(visible=True))
    second = sign(first, "CBQL")
    bodies = [line for line in second[len(first) :].split(b"\n") if line.endswith(b" obj")]
    assert len(bodies) == 2
    assert b"/Catalog" not in second[len(first) :]


@pytest.mark.parametrize(("kind", "scheme"), SCHEMES)
def test_a_signature_has_at_most_six_kilobytes(kind: str, scheme: Scheme) -> None:
    document = pki.transcript_pdf(visible=True)
    assert len(sign(document, kind=kind, scheme=scheme)) - len(document) <= LARGEST_SIGNATURE


def test_a_picture_adds_little_and_has_neither_mask_nor_font() -> None:
    document = pki.transcript_pdf(visible=True)
    plain = len(sign(document))
    for picture, size in ((signature_picture(), SIGNATURE_MM), (seal_picture(), SEAL_MM)):
        signed = sign(document, stamp=stamp(picture, size))
        assert len(signed) - plain < 4096
        drawn = PdfFileReader(BytesIO(signed)).root["/AcroForm"]["/Fields"][0]["/AP"]["/N"]
        image = drawn["/Resources"]["/XObject"]["/P"]
        assert "/Font" not in drawn["/Resources"]
        assert "/SMask" not in image
        assert len(image.data) == image["/Height"] * ((image["/Width"] + 1) // 2)


def test_what_is_no_picture_makes_no_stamp() -> None:
    with pytest.raises(ValueError, match="PNG"):
        stamp(b"no picture", SEAL_MM)


# the message


@pytest.mark.parametrize(("kind", "scheme"), SCHEMES)
def test_the_spliced_message_is_the_der_that_an_encoder_would_write(kind: str, scheme: Scheme) -> None:
    who = pki.party(f"Người ký {kind}", kind=kind)
    attributes = message.signed_attributes(who.der, b"d" * 32)
    value = who.sign(sha256(attributes).digest(), scheme)
    encoded = message.signed_data(attributes, value, who.der, who.chain, scheme)

    info = cms.ContentInfo.load(encoded, strict=True)
    signer = info["content"]["signer_infos"][0]
    assert info.dump(force=True) == encoded
    assert signer["signed_attrs"].untag().dump() == attributes
    assert signer["signature"].native == value
    assert [each.chosen.dump() for each in info["content"]["certificates"]].count(who.der) == 1
    if scheme == "rsa-pss":
        parameters = signer["signature_algorithm"]["parameters"].native
        assert (parameters["salt_length"], parameters["hash_algorithm"]["algorithm"]) == (32, "sha256")


@pytest.mark.parametrize(("kind", "scheme"), SCHEMES)
def test_ten_of_ten_wrong_values_are_refused(kind: str, scheme: Scheme) -> None:
    document = pki.transcript_pdf()
    prepared = prepare(document, kind=kind, scheme=scheme)
    who, other = pki.party(f"Người ký {kind}", kind=kind), pki.party("Người khác", kind=kind)
    good = who.sign(prepared.digest, scheme)
    wrong = [
        b"",
        bytes(len(good)),
        good[:-1],
        good + b"\x00",
        good[:-1] + bytes([good[-1] ^ 1]),
        bytes([good[0] ^ 1]) + good[1:],
        good[::-1],
        who.sign(bytes(32), scheme),
        other.sign(prepared.digest, scheme),
        who.sign(prepare(document, "CBQL", kind, scheme).digest, scheme),
    ]
    for value in wrong:
        with pytest.raises(WrongSignature):
            pdf.finish(document, prepared, value, who.der, who.chain)


def test_a_value_for_another_certificate_or_chain_is_not_embedded() -> None:
    document = pki.transcript_pdf()
    prepared, who, other = prepare(document), pki.party("Người ký p256", kind="p256"), pki.party("Người khác", kind="p256")
    for certificate, chain_ in ((other.der, other.chain), (who.der, (*who.chain, pki.stranger_root(), other.der))):
        with pytest.raises(pdf.StaleDocument):
            pdf.finish(document, prepared, who.sign(prepared.digest), certificate, chain_)


# what is refused


def test_every_single_changed_byte_of_a_signed_revision_is_noticed() -> None:
    document = built("table", [0] * 4)
    signed = sign(document)
    prepared = prepare(document)
    for at in (
        *range(20, len(document), 97),
        *range(len(document), prepared.reserved_start, 13),
        *range(prepared.reserved_end, len(signed), 7),
    ):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        assert sha256(changed[: prepared.reserved_start] + changed[prepared.reserved_end :]).digest() != prepared.document_digest


@settings(deadline=None, max_examples=300)
@given(data=st.data(), kind=st.sampled_from(["table", "stream", "packed"]))
def test_a_damaged_file_is_signed_soundly_or_refused_in_plain_words(data: st.DataObject, kind: str) -> None:
    document = bytearray(built(kind, [0] * 4))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(document) - 1))
        document[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    try:
        prepared = prepare(bytes(document))
    except UnsuitableDocument:
        return
    assert prepared.reserved_start > len(document)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/T(GVCN)", b"/T(GVCN)/Lock 1 0 R"),
        (b"/T(GVCN)", b"/T(GVCN)/SV 1 0 R"),
        (b"/T(GVCN)", b"/T(GVCN)/T(GVCN)"),
        (b"/Size 7", b"/Size 7/Encrypt 1 0 R"),
        (b"/Size 7", b"/Size 7/XRefStm 9"),
        (b"/Size 7", b"/Size -"),
        (b"/Fields[", b"/Fields[null "),
        (b"startxref", b"startxerf"),
    ],
)
def test_what_our_rendering_never_writes_is_refused(old: bytes, new: bytes) -> None:
    document = built("table", [0] * 4)
    assert old in document
    changed = document.replace(old, new, 1)
    # what was inserted moved the table
    table = changed.rindex(b"xref\n0 1") if b"xref\n0 1" in changed else 0
    tail = changed.rfind(b"startxref\n")
    if tail > 0:
        changed = changed[:tail] + b"startxref\n%d\n%%%%EOF\n" % table
    with pytest.raises(UnsuitableDocument):
        prepare(changed)


def test_references_that_go_round_in_a_circle_end() -> None:
    document = built("table", [0] * 4)
    start = document.rindex(b"xref\n0 1")
    circle = document.replace(b"/Root 1 0 R", b"/Root 99 0 R /Prev %d" % start)
    with pytest.raises(UnsuitableDocument):
        prepare(circle)


# the syntax


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-16")))
def test_a_text_is_read_as_it_was_written(words: str) -> None:
    assert syntax.text(syntax.written_text(words)) == words


@pytest.mark.parametrize(
    ("raw", "said"),
    [(b"(GVCN)", "GVCN"), (rb"(a\(b\)\\\n\101)", "a(b)\\\nA"), (b"(a(b)c)", "a(b)c"), (b"<475643>", "GVC"), (b"<47 5>", "GP")],
)
def test_strings_are_read_in_all_their_spellings(raw: bytes, said: str) -> None:
    assert syntax.value(raw + b"/Next", 0) == (raw, len(raw))
    assert syntax.text(raw) == said


VALUES = st.recursive(
    st.sampled_from([b"12 0 R", b"-1.5", b"7", b"true", b"null", b"/Name", b"(a (b) \\) c)", b"<AB>", b"(%)"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda each: b"[" + b" ".join(each) + b"]")
        | st.dictionaries(st.sampled_from([b"/A", b"/B", b"/C"]), inner, max_size=3).map(syntax.written)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([b"/K", b"/L", b"/M", b"/N", b"/O"]), VALUES, max_size=5))
def test_a_dictionary_is_taken_apart_into_what_it_was_made_of(entries: dict[bytes, bytes]) -> None:
    raw = syntax.written(entries)
    assert syntax.dictionary(b"  " + raw + b">> rest", 2) == (entries, 2 + len(raw))


@pytest.mark.parametrize(
    "raw", [b"<<", b"<</A", b"<</A 1", b"<</A (x>>", b"<</A [1>>", b"<</A 1/A 2>>", b"<</#41 1>>", b"<<" * 500, b"[1]"]
)
def test_a_broken_dictionary_is_refused(raw: bytes) -> None:
    with pytest.raises(ForeignPdf):
        syntax.dictionary(raw)


def test_the_two_roads_from_one_document_stay_apart() -> None:
    """What was prepared for one base never finishes on another, whoever came first."""
    document = pki.transcript_pdf()
    with pytest.raises(pdf.StaleDocument):
        chain.finish_pdf(chain.sign_pdf(document, "GVCN"), chain.prepare_pdf(document, "CBQL"))
