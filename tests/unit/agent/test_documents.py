"""The program computes what it signs from the documents, with canonicalisation of its own; signing's own preparing is the oracle."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import pytest
from asn1crypto import cms

from hocba_agent import documents
from hocba_agent.jobs import SCHEMES
from hocba_agent.troubles import Trouble
from services.signing import pdf, xml
from tests.unit.signing import chain, pki

PLACES = [(chain.MATHS, ("nd",)), (chain.LITERATURE, ("nd",)), ("GVCN", ("nd",)), ("CBQL", ("nd",)), ("KY_PHAT_HANH", xml.WHOLE)]


def prepared_xml(place: str = "GVCN", covers: tuple[str, ...] = ("nd",)) -> tuple[bytes, xml.PreparedXml, bytes]:
    document = pki.transcript_xml()
    return document, chain.prepare_xml(document, place, covers), chain.people()[place].der


def prepared_pdf(place: str = "GVCN") -> tuple[bytes, pdf.PreparedPdf, bytes]:
    document = pki.transcript_pdf()
    return document, chain.prepare_pdf(document, place), chain.people()[place].der


def refusal(act: Callable[[], bytes]) -> str:
    with pytest.raises(Trouble) as raised:
        act()
    assert raised.value.code == "refused"
    return raised.value.cause


@pytest.mark.parametrize(("place", "covers"), PLACES)
def test_what_is_signed_in_the_xml_is_what_the_server_prepared(place: str, covers: tuple[str, ...]) -> None:
    document, made, certificate = prepared_xml(place, covers)
    found = documents.xml_to_sign(document, made.signature, certificate, SCHEMES[made.scheme])
    assert hashlib.sha256(found).digest() == made.digest


def test_a_later_signature_that_covers_the_values_before_it_is_computed_anew() -> None:
    document = xml.assemble(pki.transcript_xml(), list(chain.subject_signatures().values()))
    covers = ["nd", *(xml.signature_value_id(place) for place in chain.subject_signatures())]
    made = chain.prepare_xml(document, "GVCN", covers)
    found = documents.xml_to_sign(document, made.signature, chain.people()["GVCN"].der, SCHEMES[made.scheme])
    assert hashlib.sha256(found).digest() == made.digest


@pytest.mark.parametrize("place", pdf.FIELDS)
def test_what_is_signed_in_the_pdf_is_what_the_server_prepared(place: str) -> None:
    document, made, certificate = prepared_pdf(place)
    found = documents.pdf_to_sign(document, made.revision, made.signed_attributes, certificate)
    assert hashlib.sha256(found).digest() == made.digest


def test_a_second_signature_of_a_pdf_is_computed_over_the_first() -> None:
    document = chain.sign_pdf(pki.transcript_pdf(), "GVCN")
    made = chain.prepare_pdf(document, "CBQL")
    found = documents.pdf_to_sign(document, made.revision, made.signed_attributes, chain.people()["CBQL"].der)
    assert hashlib.sha256(found).digest() == made.digest


def test_a_changed_mark_in_the_xml_is_refused() -> None:
    document, made, certificate = prepared_xml()
    changed = re.sub(rb"(<NoiDung[^>]*>.*?>)([^<>\s])", rb"\1X\2", document, count=1, flags=re.DOTALL)
    assert changed != document
    assert "không khớp" in refusal(lambda: documents.xml_to_sign(changed, made.signature, certificate, "rsa-pkcs1"))


def test_a_signature_that_covers_something_else_than_the_content_is_refused() -> None:
    document, made, certificate = prepared_xml()
    reference = re.search(rb'<ds:Reference[^>]*URI="#nd".*?</ds:Reference>', made.signature, re.DOTALL)
    assert reference is not None
    without = made.signature.replace(reference[0], b"")
    assert "không bao gồm nội dung" in refusal(lambda: documents.xml_to_sign(document, without, certificate, "rsa-pkcs1"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"xml-exc-c14n#", b"xml-exc-c14n#WithComments"),
        (b"xmlenc#sha256", b"xmldsig#sha1"),
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-sha512"),
        (b'URI="#nd"', b'URI="#khac"'),
        (b'URI="#nd"', b'URI="http://example.org/nd"'),
        (b"</ds:SignatureValue>", b"AAAA</ds:SignatureValue>"),
        (b"01903#SignedProperties", b"01903#OtherProperties"),
    ],
)
def test_a_signature_made_otherwise_than_agreed_is_refused(before: bytes, after: bytes) -> None:
    document, made, certificate = prepared_xml()
    assert before in made.signature
    refusal(lambda: documents.xml_to_sign(document, made.signature.replace(before, after), certificate, "rsa-pkcs1"))


def test_a_signature_that_names_another_certificate_is_refused() -> None:
    document, made, _ = prepared_xml()
    other = chain.people()[chain.MATHS].der
    assert "chứng thư số khác" in refusal(lambda: documents.xml_to_sign(document, made.signature, other, "rsa-pkcs1"))
    base, ready, _ = prepared_pdf()
    assert "chứng thư số khác" in refusal(lambda: documents.pdf_to_sign(base, ready.revision, ready.signed_attributes, other))


@pytest.mark.parametrize(
    "document",
    [
        b"<khac/>",
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY e "x">]><HocBa xmlns="urn:hocba:transcript:1"><NoiDung Id="nd">&e;</NoiDung><ChuKy Id="ck"/></HocBa>',
        b'<HocBa xmlns="urn:hocba:transcript:1"><NoiDung Id="nd"><!-- an --></NoiDung><ChuKy Id="ck"/></HocBa>',
        b'<HocBa xmlns="urn:hocba:transcript:1"><NoiDung Id="nd"><a Id="x"/><b Id="x"/></NoiDung><ChuKy Id="ck"/></HocBa>',
    ],
)
def test_a_file_that_is_no_transcript_or_hides_something_is_refused(document: bytes) -> None:
    _, made, certificate = prepared_xml()
    refusal(lambda: documents.xml_to_sign(document, made.signature, certificate, "rsa-pkcs1"))


def test_a_changed_byte_of_the_pdf_is_refused() -> None:
    document, made, certificate = prepared_pdf()
    changed = document[:2000] + bytes([document[2000] ^ 1]) + document[2001:]
    assert "không khớp" in refusal(lambda: documents.pdf_to_sign(changed, made.revision, made.signed_attributes, certificate))


def test_a_signature_that_leaves_out_a_part_of_the_pdf_is_refused() -> None:
    document, made, certificate = prepared_pdf()
    longer = made.revision + b"% added\n"
    assert "không bao gồm cả tệp" in refusal(lambda: documents.pdf_to_sign(document, longer, made.signed_attributes, certificate))
    twice = made.revision + made.revision
    assert "đúng một chữ ký" in refusal(lambda: documents.pdf_to_sign(document, twice, made.signed_attributes, certificate))


def test_something_hidden_in_the_place_of_the_signature_is_refused() -> None:
    document, made, certificate = prepared_pdf()
    at = made.reserved_start + 1 - len(document)
    filled = made.revision[:at] + b"AB" + made.revision[at + 2 :]
    refusal(lambda: documents.pdf_to_sign(document, filled, made.signed_attributes, certificate))


def test_attributes_with_a_hash_of_something_else_are_refused() -> None:
    document, made, certificate = prepared_pdf()
    other = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "message_digest", "values": (bytes(32),)}) if each["type"].native == "message_digest" else each
            for each in cms.CMSAttributes.load(made.signed_attributes)
        ]
    ).dump()
    assert "không khớp" in refusal(lambda: documents.pdf_to_sign(document, made.revision, other, certificate))
    refusal(lambda: documents.pdf_to_sign(document, made.revision, hashlib.sha256(b"a hash").digest(), certificate))
    refusal(lambda: documents.pdf_to_sign(document, made.revision, made.signed_attributes + b"\0", certificate))


def test_a_file_that_is_no_pdf_is_refused() -> None:
    _, made, certificate = prepared_pdf()
    refusal(lambda: documents.pdf_to_sign(b"a contract", made.revision, made.signed_attributes, certificate))
