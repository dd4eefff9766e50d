import pickle
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from services.means import x509
from services.signing import xml
from services.signing.xml import DS, XADES, UnsuitableDocument
from tests.unit.signing import chain, pki
from tests.unit.signing.chain import LITERATURE, MATHS


def judged_by_xmlsec(document: bytes, index: int, folder: Path) -> bool:
    file, root = folder / "transcript.xml", folder / "root.pem"
    file.write_bytes(document)
    root.write_bytes(x509.load(pki.root()).public_bytes(Encoding.PEM))
    ids = [part for name in ("NoiDung", "SignedProperties", "KeyInfo", "SignatureValue") for part in ("--id-attr:Id", name)]
    signature = f"(//*[local-name()='Signature'])[{index}]"
    moment = f"{pki.AT:%Y-%m-%d %H:%M:%S}"
    command = ["xmlsec1", "--verify", "--verification-time", moment, "--trusted-pem", str(root), *ids, "--node-xpath", signature, str(file)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("order", [(MATHS, LITERATURE), (LITERATURE, MATHS)])
def test_xmlsec_accepts_every_signature_whatever_order_the_subject_teachers_finish_in(order: tuple[str, ...], tmp_path: Path) -> None:
    document = chain.signed_xml(order)

    assert [judged_by_xmlsec(document, index, tmp_path) for index in range(1, 6)] == [True] * 5


def test_xmlsec_refuses_every_signature_over_a_changed_mark(tmp_path: Path) -> None:
    document = chain.signed_xml().replace(b"<Diem>3</Diem>", b"<Diem>9</Diem>", 1)

    assert [judged_by_xmlsec(document, index, tmp_path) for index in range(1, 6)] == [False] * 5


def test_xmlsec_refuses_the_later_signatures_when_one_subject_signature_is_taken_out(tmp_path: Path) -> None:
    document = chain.signed_xml().replace(chain.subject_signatures()[LITERATURE], b"")

    assert [judged_by_xmlsec(document, index, tmp_path) for index in range(1, 5)] == [True, False, False, False]


def test_assembling_changes_no_other_byte() -> None:
    base = pki.transcript_xml()
    signatures = list(chain.subject_signatures().values())

    assembled = xml.assemble(base, signatures)

    head, tail = base.split(b'<ChuKy Id="ck"/>')
    assert assembled == head + b'<ChuKy Id="ck">' + b"".join(signatures) + b"</ChuKy>" + tail
    assert xml.assemble(xml.assemble(base, signatures[:1]), signatures[1:]) == assembled
    assert xml.assemble(base, []) == base


def test_the_same_input_gives_the_same_signature() -> None:
    first, second = (chain.prepare_xml(pki.transcript_xml(), MATHS, ["nd"]) for _ in range(2))

    assert first == second


def test_the_signature_states_signer_time_and_role() -> None:
    signature = etree.fromstring(chain.subject_signatures()[MATHS])
    who = chain.people()[MATHS]

    assert signature.get("Id") == MATHS
    assert signature.find(f"{{{DS}}}SignatureValue").get("Id") == xml.signature_value_id(MATHS)  # type: ignore[union-attr] # fails the test if absent
    assert signature.findtext(f".//{{{XADES}}}SigningTime") == "2026-05-30T02:00:00Z"
    assert signature.findtext(f".//{{{XADES}}}SignerRoleV2//{{{XADES}}}ClaimedRole") == "Giáo viên bộ môn: Toán, Tiếng Anh"
    assert len(signature.findall(f".//{{{DS}}}X509Certificate")) == 1 + len(who.chain)
    assert len(signature.findall(f".//{{{XADES}}}SigningCertificateV2/{{{XADES}}}Cert")) == 1


@pytest.mark.parametrize(
    ("kind", "scheme", "returned"),
    [
        ("rsa2048", "rsa-pkcs1", ""),
        ("rsa2048", "rsa-pss", "rsa-pss"),
        ("p256", "ecdsa", "der"),
        ("p256", "ecdsa", "raw"),
        ("p384", "ecdsa", "raw"),
    ],
)
def test_a_value_is_taken_in_every_scheme_and_encoding(kind: str, scheme: x509.Scheme, returned: str) -> None:
    who = pki.party(f"Người ký {kind}", kind=kind)
    prepared = xml.prepare(
        pki.transcript_xml(),
        signature_id="GVCN",
        covers=["nd"],
        certificate=who.der,
        chain=who.chain,
        signed_at=pki.AT,
        role="Giáo viên chủ nhiệm",
        scheme=scheme,
    )

    signature = etree.fromstring(xml.finish(prepared, who.sign(prepared.digest, returned), who.der))

    method = signature.find(f".//{{{DS}}}SignatureMethod")
    assert method is not None
    assert method.get("Algorithm") == xml.METHODS[scheme].value


def test_a_wrong_value_is_refused() -> None:
    prepared = chain.prepare_xml(pki.transcript_xml(), MATHS, ["nd"])
    who, other = chain.people()[MATHS], chain.people()["GVCN"]
    good = who.sign(prepared.digest)

    for value in (other.sign(prepared.digest), who.sign(bytes(32)), good[:-1], good[:-1] + bytes([good[-1] ^ 1]), b"", good + b"\0"):
        with pytest.raises(x509.WrongSignature):
            xml.finish(prepared, value, who.der)
    with pytest.raises(x509.WrongSignature, match="scheme"):
        xml.finish(prepared, who.sign(prepared.digest, "rsa-pss"), who.der)


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("not_xml", b"</HocBa>", b""),
        ("dtd", b"<HocBa", b'<!DOCTYPE HocBa [<!ENTITY a "b">]><HocBa'),
        ("comments", b"<HoTen>", b"<HoTen><!-- -->"),
        ("comments", b"<HocBa", b'<?xml-stylesheet href="a.xsl"?><HocBa'),
        ("layout", b"<ChuKy", b"<NoiDung/><ChuKy"),
        ("layout", b'Id="nd"', b'Id="khac"'),
        ("layout", b"urn:hocba:transcript:1", b"urn:khac"),
        ("duplicate_id", b"<HoTen>", b'<HoTen Id="nd">'),
        ("duplicate_id", b"<HoTen>", b'<HoTen id="ck">'),
    ],
)
def test_a_document_of_another_frame_is_not_signed(code: str, old: bytes, new: bytes) -> None:
    document = pki.transcript_xml().replace(old, new, 1)

    with pytest.raises(UnsuitableDocument) as refusal:
        chain.prepare_xml(document, MATHS, ["nd"])

    assert refusal.value.problem.code == code
    assert pickle.loads(pickle.dumps(refusal.value)).problem == refusal.value.problem


@pytest.mark.parametrize(
    ("signature_id", "covers", "scheme", "reason"),
    [
        ("GVCN", ["nd", "GVBM-GV99-sv"], None, "Ids that are in it"),
        ("GVCN", ["khac"], None, "Ids that are in it"),
        ("GVCN", [], None, "Ids that are in it"),
        ("GVCN", ["nd", ""], None, "Ids that are in it"),
        ("1 GVCN", ["nd"], None, "XML name"),
        (MATHS, ["nd"], None, "signed already"),
        ("GVCN", ["nd"], "ecdsa", "cannot sign"),
    ],
)
def test_what_cannot_be_signed_is_said_before_anybody_is_asked(
    signature_id: str, covers: list[str], scheme: x509.Scheme | None, reason: str
) -> None:
    document = xml.assemble(pki.transcript_xml(), [chain.subject_signatures()[MATHS]])
    who = chain.people()["GVCN"]

    with pytest.raises(ValueError, match=reason):
        xml.prepare(
            document,
            signature_id=signature_id,
            covers=covers,
            certificate=who.der,
            chain=who.chain,
            signed_at=pki.AT,
            role="Giáo viên chủ nhiệm",
            scheme=scheme,
        )


def test_preparing_and_finishing_run_in_a_process_pool() -> None:
    who = chain.people()[MATHS]
    with ProcessPoolExecutor(1) as pool:
        prepared = pool.submit(
            xml.prepare,
            pki.transcript_xml(),
            signature_id=MATHS,
            covers=["nd"],
            certificate=who.der,
            chain=who.chain,
            signed_at=pki.AT,
            role=chain.ROLES[MATHS],
        ).result()
        finished = pool.submit(xml.finish, prepared, who.sign(prepared.digest), who.der).result()

    assert finished == chain.subject_signatures()[MATHS]
