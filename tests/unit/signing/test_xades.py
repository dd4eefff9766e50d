"""The template's text against signxml and libxml2, which make the same signature in their own ways."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.means.x509 import Scheme
from services.records.render.summary_xml import summary_xml
from services.signing import xades, xml
from services.signing.verify import verify_xml
from tests.factories.summaries import summary_content
from tests.unit.signing import by_signxml, chain, pki
from tests.unit.signing.chain import LITERATURE, MATHS, ROLES

# what XML 1.0 can hold (section 2.2)
XML_TEXT = st.text(
    st.one_of(
        st.sampled_from("\t\n\r<>&\"' ]%ỐờỬđ\u00a0\u2028\ufeff"),
        st.characters(min_codepoint=0x20, codec="utf-8", exclude_characters="\ufffe\uffff"),
    ),
    max_size=60,
)
EARLIER = ("nd", "GVBM-GV01-sv", "GVBM-GV02-sv", "GVCN-sv", "CBQL-sv")


def prepare_both(document: bytes, party: pki.Party, **more: object) -> tuple[xml.PreparedXml, tuple[bytes, bytes]]:
    options = {"signature_id": "KY", "certificate": party.der, "chain": party.chain, "signed_at": pki.AT, "role": "Hiệu trưởng", **more}
    ours = xml.prepare(document, **options)  # type: ignore[arg-type] # options are those of prepare()
    return ours, by_signxml.prepare(document, **options)  # type: ignore[arg-type] # and the same here


@pytest.mark.parametrize("covers", [("nd",), ("nd", "GVBM-GV02-sv"), EARLIER, xml.WHOLE])
@pytest.mark.parametrize(("kind", "scheme"), [("rsa2048", "rsa-pkcs1"), ("rsa2048", "rsa-pss"), ("p256", "ecdsa"), ("p384", "ecdsa")])
def test_the_template_gives_the_bytes_and_the_digest_that_signxml_gives(kind: str, scheme: Scheme, covers: tuple[str, ...]) -> None:
    ours, theirs = prepare_both(chain.signed_xml(), pki.party(f"Người ký {kind}", kind=kind), covers=covers, scheme=scheme)

    assert (ours.signature, ours.digest) == theirs


def test_a_class_summary_gets_the_bytes_that_signxml_gives() -> None:
    ours, theirs = prepare_both(summary_xml(summary_content(5, 12)), chain.people()["GVCN"], covers=("nd",))

    assert (ours.signature, ours.digest) == theirs


@given(role=XML_TEXT)
@settings(max_examples=60, deadline=None)
def test_any_role_stands_in_the_signature_as_it_was_and_is_hashed_as_libxml2_sees_it(role: str) -> None:
    ours, (signature, digest) = prepare_both(pki.transcript_xml(2), chain.people()[MATHS], covers=("nd",), role=role)

    assert (ours.signature, ours.digest) == (signature, digest)
    assert etree.fromstring(ours.signature).findtext(f".//{{{xades.XADES}}}ClaimedRole") == role


@given(name=XML_TEXT, inside=XML_TEXT)
@settings(max_examples=60, deadline=None)
def test_any_text_in_the_content_is_hashed_as_it_is_read_back(name: str, inside: str) -> None:
    root = etree.fromstring(pki.transcript_xml(1))
    root[0][0].text, root[0][0].tail = name, inside
    root[0][1].set("ma", inside)
    ours, theirs = prepare_both(etree.tostring(root, xml_declaration=True, encoding="UTF-8"), chain.people()[MATHS], covers=("nd",))

    assert (ours.signature, ours.digest) == theirs


@given(value=XML_TEXT)
@settings(max_examples=100, deadline=None)
def test_text_and_attributes_are_escaped_as_libxml2_escapes_them(value: str) -> None:
    element = etree.Element("a", b=value)
    element.text = value

    assert f'<a b="{xades.attribute(value)}">{xades.text(value)}</a>'.encode() == xades.canonical(element)


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_a_role_that_xml_cannot_hold_is_refused_before_anything_is_signed(character: str) -> None:
    who = chain.people()[MATHS]
    with pytest.raises(ValueError, match="XML cannot hold"):
        xml.prepare(
            pki.transcript_xml(),
            signature_id="GVCN",
            covers=["nd"],
            certificate=who.der,
            chain=who.chain,
            signed_at=pki.AT,
            role=f"Giáo viên{character}",
        )


def test_a_template_with_too_few_values_is_not_filled() -> None:
    made = xades.template(signature_id="GVCN", covers=("nd", "a-sv"), certificate=b"c", chain=(), method="urn:x", role="", about="")

    with pytest.raises(ValueError, match="values for"):
        made.fill([b"AA=="], b"2026-05-30T02:00:00Z")


def test_a_template_that_libxml2_would_canonicalise_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xades, "text", lambda value: value.replace("&", "&amp;"))

    with pytest.raises(ValueError, match="canonical form"):
        xades.template(signature_id="GVCN", covers=("nd",), certificate=b"c", chain=(), method="urn:x", role="a > b", about="")


def test_what_is_signed_is_the_digest_of_the_signed_info_in_the_finished_document() -> None:
    document = chain.signed_xml()
    root = etree.fromstring(document)
    for place in (MATHS, LITERATURE):
        signed_info = root.find(f".//{{{xades.DS}}}Signature[@Id='{place}']/{{{xades.DS}}}SignedInfo")
        assert signed_info is not None
        prepared = chain.prepare_xml(pki.transcript_xml(), place, ["nd"])
        assert sha256(xades.canonical(signed_info)).digest() == prepared.digest


@pytest.mark.parametrize("teachers", [1, 3, 14])
def test_any_number_of_subject_teachers_sign_side_by_side(teachers: int) -> None:
    base, who = pki.transcript_xml(), chain.people()
    places = [f"GVBM-{number}" for number in range(teachers)]
    elements = []
    for number, place in enumerate(places):
        party = who[(MATHS, LITERATURE)[number % 2]]
        prepared = xml.prepare(
            base, signature_id=place, covers=["nd"], certificate=party.der, chain=party.chain, signed_at=pki.AT, role=f"Giáo viên {number}"
        )
        elements.append(xml.finish(prepared, party.sign(prepared.digest), party.der))
    document = xml.assemble(base, elements)
    covers = ["nd", *(xml.signature_value_id(place) for place in places)]
    for place, parts in (("GVCN", covers), ("KY_PHAT_HANH", xml.WHOLE)):
        party = who[place]
        prepared = xml.prepare(
            document,
            signature_id=place,
            covers=parts,
            certificate=party.der,
            chain=party.chain,
            signed_at=pki.AT,
            role=ROLES[place],
        )
        document = xml.assemble(document, [xml.finish(prepared, party.sign(prepared.digest), party.der)])

    verdicts = verify_xml(document, [pki.root()], [], pki.AT)

    assert [one.place for one in verdicts] == [*places, "GVCN", "KY_PHAT_HANH"]
    assert all(one.valid for one in verdicts)
    assert verdicts[-2].covers == tuple(covers)
    assert verdicts[-1].coverage == "whole"
