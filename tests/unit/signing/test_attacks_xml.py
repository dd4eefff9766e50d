"""XML signature wrapping in the eight shapes known from SAML (Somorovsky et al. 2012), on transcripts and on foreign XML; bombs, XXE.

A signature over something that was moved aside stays intact. So what matters: a document in which anything is said outside of what
was signed is never passed.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from copy import deepcopy

import pytest
from cryptography import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import XMLSigner

from services.means.judging.examined import Examined, examine
from tests.unit.signing import pki
from tests.unit.signing.pki import Party
from tests.unit.signing.sealed import NOW, Sandbox

DS = "{http://www.w3.org/2000/09/xmldsig#}"
Shape = Callable[[etree._Element, etree._Element, etree._Element], etree._Element]
"""(root, the signed element that was taken out of it, the signature) → the root of the attack."""


def forged(signed: etree._Element, new_id: str | None) -> etree._Element:
    """A copy that says something else, without the signature inside."""
    copy = deepcopy(signed)
    for signature in list(copy.iter(f"{DS}Signature")):
        parent = signature.getparent()
        assert parent is not None
        parent.remove(signature)
    mark = next(node for node in copy.iter() if etree.QName(node).localname in ("Diem", "CaNam"))
    mark.text = "9.9"
    for name in ("Id", "ID"):
        if copy.get(name) is not None:
            if new_id is None:
                del copy.attrib[name]
            else:
                copy.set(name, new_id)
    return copy


def _aside(signature: etree._Element, signed: etree._Element) -> None:
    etree.SubElement(signature, f"{DS}Object").append(signed)


def shapes(new_id: str | None) -> dict[str, Callable[[etree._Element, etree._Element, etree._Element], None]]:
    """What happens to (parent, signed element with its signature taken out, signature)."""

    def xsw1(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        evil = forged(signed, new_id)
        parent.append(evil)
        evil.append(signature)
        _aside(signature, signed)

    def xsw2(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        parent.append(signature)
        parent.append(forged(signed, new_id))
        _aside(signature, signed)

    def xsw3(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        parent.append(forged(signed, new_id))
        parent.append(signed)
        signed.insert(0, signature)

    def xsw4(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        evil = forged(signed, new_id)
        parent.append(evil)
        evil.append(signed)
        signed.insert(0, signature)

    def xsw5(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        evil = forged(signed, new_id)
        evil.insert(0, signature)
        parent.append(evil)
        parent.append(signed)

    def xsw6(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        evil = forged(signed, new_id)
        evil.insert(0, signature)
        parent.append(evil)
        _aside(signature, signed)

    def xsw7(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        extension = etree.SubElement(parent, "Extensions")
        extension.append(forged(signed, new_id))
        parent.append(signed)
        signed.insert(0, signature)

    def xsw8(parent: etree._Element, signed: etree._Element, signature: etree._Element) -> None:
        evil = forged(signed, new_id)
        parent.append(evil)
        evil.insert(0, signature)
        box = etree.SubElement(signature, f"{DS}Object")
        etree.SubElement(box, "Extensions").append(signed)

    return {f.__name__: f for f in (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)}


SHAPES = list(shapes(None))
IDS = {"without an id": None, "with another id": "_evil", "with the same id": "_signed"}


@pytest.fixture(scope="module")
def somebody() -> Party:
    return pki.party("Nguyễn Thị Lạ", "CCCD:031180000077")


def judged(document: bytes, roots: list[bytes] | None = None) -> Examined:
    return examine(document, roots or [pki.root()], NOW)


def message() -> etree._Element:
    """A response with one assertion, as systems send each other."""
    return etree.fromstring(b'<Response><Assertion ID="_signed"><HoTen>A</HoTen><Diem>4</Diem></Assertion></Response>')


def signed_by(who: Party, node: etree._Element, uri: str | None) -> etree._Element:
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped, c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    )
    made: etree._Element = signer.sign(
        node, key=who.key, cert=[x509.load_der_x509_certificate(each) for each in (who.der, *who.chain)], reference_uri=uri
    )
    return made


def test_an_honest_signature_over_the_whole_of_a_strangers_xml_is_intact(somebody: Party) -> None:
    found = judged(etree.tostring(signed_by(somebody, message(), None)))

    assert (found.kind, found.integrity.state, found.signers[0].name) == ("foreign", "passed", "Nguyễn Thị Lạ")


def test_a_changed_byte_of_a_strangers_xml_is_called_changed(somebody: Party) -> None:
    document = etree.tostring(signed_by(somebody, message(), None)).replace(b"<Diem>4", b"<Diem>9")

    assert judged(document).integrity.state == "failed"


def test_a_signature_over_a_part_of_a_strangers_xml_never_passes_for_the_whole(somebody: Party) -> None:
    response = message()
    signed = signed_by(somebody, response[0], "_signed")
    response.replace(response[0], signed)

    found = judged(etree.tostring(response))

    assert found.integrity.state == "unchecked"
    assert "một phần" in found.integrity.text


@pytest.mark.parametrize("new_id", IDS.values(), ids=IDS.keys())
@pytest.mark.parametrize("shape", SHAPES)
def test_wrapping_in_a_strangers_xml_is_never_passed(shape: str, new_id: str | None, somebody: Party) -> None:
    response = message()
    signed = signed_by(somebody, response[0], "_signed")
    response.remove(response[0])
    signature = signed.find(f"{DS}Signature")
    assert signature is not None
    signed.remove(signature)
    shapes(new_id)[shape](response, signed, signature)

    found = judged(etree.tostring(response))

    assert found.integrity.state != "passed"
    assert found.state != "passed"
    if new_id == "_signed":
        assert "lặp lại" in found.integrity.text


@pytest.mark.parametrize("new_id", [None, "nd"], ids=["without an id", "with the same id"])
@pytest.mark.parametrize("shape", SHAPES)
def test_wrapping_in_a_transcript_is_refused_or_called_changed(shape: str, new_id: str | None, sandbox: Sandbox, sealed_xml: bytes) -> None:
    root = etree.fromstring(sealed_xml)
    content, signature = root[0], root[1][0]
    root.remove(content)
    root[0].remove(signature)
    shapes(new_id)[shape](root, content, signature)

    found = judged(etree.tostring(root), sandbox.roots)

    assert (found.kind, found.integrity.state) == ("transcript", "failed")


def test_a_whole_transcript_inside_somebodys_own_xml_is_no_transcript(somebody: Party, sandbox: Sandbox, sealed_xml: bytes) -> None:
    around = etree.fromstring(b"<HocBa><NoiDung><Diem>9.9</Diem></NoiDung></HocBa>")
    around.append(etree.fromstring(sealed_xml))

    found = judged(etree.tostring(around), sandbox.roots)

    assert found.kind == "foreign"
    assert found.integrity.state != "passed"
    assert found.document is None


BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><b>&j;</b>"
)
XXE = b'<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b>&x;</b>'
OUTER = b'<!DOCTYPE b SYSTEM "http://localhost:1/b.dtd"><b/>'


@pytest.mark.parametrize("document", [BOMB, XXE, OUTER], ids=["bomb", "xxe", "dtd from elsewhere"])
def test_entities_and_document_types_are_refused_and_never_followed(document: bytes) -> None:
    found = judged(document)

    # libxml2 gives up on the bomb before it has an element
    why = "không phải là tệp XML hợp lệ" if document is BOMB else "khai báo DTD"
    assert (found.integrity.state, why in found.integrity.text) == ("failed", True)
    assert "root:" not in repr(found)


def test_nesting_without_end_is_no_xml_to_us() -> None:
    assert judged(b"<a>" * 100_000 + b"</a>" * 100_000).integrity.state == "failed"


def test_a_signature_over_something_outside_of_the_file_is_unchecked(somebody: Party) -> None:
    document = etree.tostring(signed_by(somebody, message(), None)).replace(
        b'<ds:Reference URI=""', b'<ds:Reference URI="http://localhost:1/x"'
    )

    found = judged(document)

    assert found.integrity.state == "unchecked"
    assert "ngoài tệp" in found.integrity.text


def test_a_certificate_that_is_none_makes_the_signature_unreadable(somebody: Party) -> None:
    document = etree.tostring(signed_by(somebody, message(), None))
    root = etree.fromstring(document)
    certificate = next(root.iter(f"{DS}X509Certificate"))
    assert b64decode(certificate.text or "")
    certificate.text = "AAAA"

    assert judged(etree.tostring(root)).integrity.state == "failed"
