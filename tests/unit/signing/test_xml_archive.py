import pickle
import re
from base64 import b64decode
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lxml import etree

from services.means.judging.archived import XADES141
from services.means.timestamps import TimestampRefused, imprint_of
from services.means.validation_data import ValidationData
from services.records.render.xml import transcript_xml, validate_transcript
from services.signing import xml, xml_archive
from services.signing.xml import DS, XADES, UnsuitableDocument
from tests.factories.transcripts import primary_content
from tests.interop.oracles import xmlsec1
from tests.unit.signing import pki
from tests.unit.signing.sealed import PLACES, Sandbox, der

NAMES = {"ds": DS, "xades": XADES, "xades141": XADES141}


def properties(document: bytes) -> list[str]:
    last = etree.fromstring(document)[1][-1]
    return [etree.QName(one).localname for one in last.iterfind(".//xades:UnsignedSignatureProperties/*", NAMES)]


def values(document: bytes, name: str) -> list[bytes]:
    return [b64decode(node.text or "") for node in etree.fromstring(document).iter(f"{{{XADES}}}Encapsulated{name}")]


def without_properties(document: bytes) -> bytes:
    return re.sub(rb"<xades:UnsignedProperties>.*</xades:UnsignedProperties>", b"", document)


def canonical(document: bytes, path: str) -> bytes:
    """By another canonicaliser than the product's, which knows the element only in its surroundings."""
    node = etree.fromstring(document)[1][-1].find(path, NAMES)
    assert node is not None
    text = etree.tostring(node)
    # C14N 2.0 differs from exclusive C14N 1.0 in nothing that these elements have
    return ElementTree.canonicalize(text.decode()).encode()


def with_root(sandbox: Sandbox) -> bytes:
    data = sandbox.data()
    return sandbox.sealed_xml(data=data.model_copy(update={"certificates": (*data.certificates, *sandbox.roots)}))


def test_the_properties_are_those_of_the_archive_level_in_their_order(sandbox: Sandbox, sealed_xml: bytes) -> None:
    assert properties(with_root(sandbox)) == ["SignatureTimeStamp", "CertificateValues", "RevocationValues", "ArchiveTimeStamp"]
    # all certificates stand in signatures and tokens already
    assert properties(sealed_xml) == ["SignatureTimeStamp", "RevocationValues", "ArchiveTimeStamp"]


def test_no_other_byte_of_the_document_changes(sandbox: Sandbox) -> None:
    signed = sandbox.signed_xml()

    assert without_properties(sandbox.sealed_xml(signed)) == signed


def test_xmlsec_accepts_every_signature_of_an_archived_document(sandbox: Sandbox, sealed_xml: bytes, tmp_path: Path) -> None:
    file = tmp_path / "archived.xml"
    file.write_bytes(sealed_xml)

    assert [one.valid for one in xmlsec1(file, sandbox.house.place.directory / "trust")] == [True] * 5


def test_the_signature_timestamp_is_of_the_canonical_signature_value(sealed_xml: bytes) -> None:
    token = values(sealed_xml, "TimeStamp")[0]

    assert imprint_of(token) == sha256(canonical(sealed_xml, "ds:SignatureValue")).digest()
    assert imprint_of(token) == xml_archive.value_digest(sealed_xml)


def test_the_archive_timestamp_is_of_everything_before_it_in_the_standards_order(sandbox: Sandbox) -> None:
    document = with_root(sandbox)
    root = etree.fromstring(document)
    own = root[1][-1]
    root[1].remove(own)
    unsigned = "ds:Object/xades:QualifyingProperties/xades:UnsignedProperties/xades:UnsignedSignatureProperties/"
    octets = ElementTree.canonicalize(etree.tostring(root).decode()).encode() + b"".join(
        canonical(document, path)
        for path in (
            "ds:Object/xades:QualifyingProperties/xades:SignedProperties",
            "ds:KeyInfo",
            "ds:SignedInfo",
            "ds:SignatureValue",
            "ds:KeyInfo",
            *(unsigned + name for name in ("xades:SignatureTimeStamp", "xades:CertificateValues", "xades:RevocationValues")),
        )
    )

    assert imprint_of(values(document, "TimeStamp")[1]) == sha256(octets).digest()


def test_validation_data_is_kept_once_and_without_what_the_document_has_already(sandbox: Sandbox) -> None:
    root = sandbox.roots[0]
    data = sandbox.data()
    twice = ValidationData(certificates=(*data.certificates, root, root), ocsps=data.ocsps * 2, crls=data.crls * 2)

    document = sandbox.sealed_xml(data=twice)

    assert values(document, "X509Certificate") == [root]
    assert values(document, "OCSPValue") == list(data.ocsps)
    assert values(document, "CRLValue") == list(data.crls)


def test_every_id_of_an_archived_document_is_unique_and_the_frame_is_accepted(sandbox: Sandbox, sealed_xml: bytes) -> None:
    renewed = renew(sandbox, renew(sandbox, sealed_xml))

    assert [one.get("Id") for one in xml.parse(renewed)[1]] == list(PLACES)


def test_the_contract_accepts_an_archived_transcript(sandbox: Sandbox) -> None:
    document = sandbox.sealed_xml(sandbox.sign_xml(transcript_xml(primary_content()), "KY_PHAT_HANH", xml.WHOLE))

    assert validate_transcript(document) == []


def test_a_prepared_archive_can_be_kept_and_finished_in_another_process(sandbox: Sandbox) -> None:
    document = sandbox.signed_xml()
    with ProcessPoolExecutor(1) as pool:
        digest = pool.submit(xml_archive.value_digest, document).result()
        prepared = pool.submit(xml_archive.prepare, document, sandbox.token(digest), sandbox.data()).result()
        sealed = pool.submit(xml_archive.finish, pickle.loads(pickle.dumps(prepared)), sandbox.token(prepared.digest)).result()

    assert properties(sealed)[-1] == "ArchiveTimeStamp"


def renew(sandbox: Sandbox, document: bytes, of_unit: ValidationData | None = None) -> bytes:
    of_unit = of_unit or ValidationData(ocsps=(sandbox.ocsp(sandbox.tsa),), crls=sandbox.crls)
    prepared = xml_archive.prepare_renewal(document, of_unit)
    return xml_archive.finish(prepared, sandbox.token(prepared.digest))


def test_a_renewal_keeps_the_proof_of_the_last_timestamp_and_adds_another(sandbox: Sandbox, sealed_xml: bytes) -> None:
    renewed = renew(sandbox, sealed_xml)

    assert properties(renewed)[3:] == ["TimeStampValidationData", "ArchiveTimeStamp"]
    assert renewed.startswith(sealed_xml[: sealed_xml.rindex(b"</xades:UnsignedSignatureProperties>")])
    assert len(values(renewed, "TimeStamp")) == 3


def test_a_renewal_without_new_data_adds_the_timestamp_alone(sandbox: Sandbox, sealed_xml: bytes) -> None:
    prepared = xml_archive.prepare_renewal(sealed_xml, ValidationData(certificates=(sandbox.tsa,)))

    assert properties(xml_archive.finish(prepared, sandbox.token(prepared.digest)))[3:] == ["ArchiveTimeStamp"]


def test_a_token_of_something_else_is_refused(sandbox: Sandbox) -> None:
    document = sandbox.signed_xml()
    token = sandbox.token(xml_archive.value_digest(document))
    prepared = xml_archive.prepare(document, token, sandbox.data())

    with pytest.raises(TimestampRefused):
        xml_archive.prepare(document, sandbox.token(bytes(32)), sandbox.data())
    with pytest.raises(TimestampRefused):
        xml_archive.finish(prepared, token)


def test_bytes_that_are_no_token_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="ContentInfo"):
        xml_archive.prepare(sandbox.signed_xml(), der(sandbox.house.stamper.certificate), sandbox.data())


def test_a_document_is_archived_once_and_renewed_only_afterwards(sandbox: Sandbox, sealed_xml: bytes) -> None:
    with pytest.raises(ValueError, match="already"):
        xml_archive.prepare(sealed_xml, sandbox.token(xml_archive.value_digest(sealed_xml)), sandbox.data())
    with pytest.raises(ValueError, match="archive timestamp"):
        xml_archive.prepare_renewal(sandbox.signed_xml(), sandbox.data())


def test_a_document_without_signatures_is_refused() -> None:
    with pytest.raises(UnsuitableDocument) as refusal:
        xml_archive.value_digest(pki.transcript_xml())

    assert refusal.value.problem.code == "unsigned"
