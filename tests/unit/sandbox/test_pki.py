"""The PKI's answers, judged by OpenSSL."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.sandbox.conftest import Server, issue
from tests.unit.sandbox.documents import Signer


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def files(tmp_path: Path, directory: Path, teacher: Signer) -> dict[str, str]:
    (tmp_path / "leaf.pem").write_text(teacher.certificate)
    (tmp_path / "issuer.pem").write_text(teacher.chain[0])
    return {
        "leaf": str(tmp_path / "leaf.pem"),
        "issuer": str(tmp_path / "issuer.pem"),
        "root": str(directory / "trust" / "national-root.pem"),
    }


def loaded(signer: Signer) -> x509.Certificate:
    return x509.load_pem_x509_certificate(signer.certificate.encode())


def test_a_personal_certificate_leads_to_the_public_root(files: dict[str, str]) -> None:
    assert openssl("verify", "-CAfile", files["root"], "-untrusted", files["issuer"], files["leaf"]).endswith(": OK\n")


def test_subjects_follow_the_vietnamese_conventions(teacher: Signer, school: Signer) -> None:
    person, organisation = loaded(teacher).subject.rfc4514_string(), loaded(school).subject.rfc4514_string()
    assert "UID=CCCD:031185000001" in person
    assert "CN=Nguyễn Thị Hồng" in person
    assert "UID=MST:0200123456" in organisation
    assert "O=Trường THCS thử nghiệm" in organisation


def test_signing_certificates_are_for_signatures_and_non_repudiation(teacher: Signer) -> None:
    usage = loaded(teacher).extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_encipherment) == (True, True, False)


def test_ocsp_tells_good_from_revoked_and_the_crl_agrees(pki: Server, directory: Path, files: dict[str, str]) -> None:
    signer = issue(pki, kind="personal", name="Người Bị Thu Hồi", identifier="031185000009")
    Path(files["leaf"]).write_text(signer.certificate)
    ask = ("ocsp", "-issuer", files["issuer"], "-cert", files["leaf"], "-CAfile", files["root"])
    url = f"http://127.0.0.1:{pki.port}/ocsp/national-ca"
    assert f"{files['leaf']}: good" in openssl(*ask, "-url", url)
    serial = loaded(signer).serial_number
    with pki.client as client:
        client.post("/control/revoke", json={"serial": f"{serial:x}", "reason": "cessationOfOperation"}).raise_for_status()
    answer = openssl(*ask, "-url", url)
    assert "Response verify OK" in answer
    assert f"{files['leaf']}: revoked" in answer
    crl = x509.load_der_x509_crl((directory / "crl" / "national-ca.crl").read_bytes())
    assert crl.get_revoked_certificate_by_serial_number(serial) is not None


def test_ocsp_does_not_vouch_for_serials_it_never_issued(pki: Server, files: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{pki.port}/ocsp/national-ca"
    answer = openssl("ocsp", "-issuer", files["issuer"], "-serial", "12345", "-CAfile", files["root"], "-url", url)
    assert "12345: unknown" in answer


def test_crls_of_both_roots_and_both_intermediates_are_fresh(directory: Path, pki: Server) -> None:
    names = {"national-root", "national-ca", "government-root", "government-ca"}
    crls = {file.stem: x509.load_der_x509_crl(file.read_bytes()) for file in (directory / "crl").glob("*.crl")}
    assert set(crls) == names
    for crl in crls.values():
        assert crl.next_update_utc is not None
        assert crl.last_update_utc <= datetime.now(UTC) < crl.next_update_utc


def test_a_timestamp_is_accepted_by_openssl(pki: Server, files: dict[str, str], tmp_path: Path) -> None:
    query, reply = tmp_path / "query", tmp_path / "reply"
    openssl("ts", "-query", "-data", files["leaf"], "-sha256", "-cert", "-out", str(query))
    with pki.client as client:
        reply.write_bytes(client.post("/tsa", content=query.read_bytes()).content)
    verify = ("ts", "-verify", "-queryfile", str(query), "-in", str(reply), "-CAfile", files["root"], "-untrusted", files["issuer"])
    assert "Verification: OK" in openssl(*verify)


def test_a_damaged_timestamp_on_request_is_refused_by_openssl(pki: Server, files: dict[str, str], tmp_path: Path) -> None:
    query, reply = tmp_path / "query", tmp_path / "reply"
    openssl("ts", "-query", "-data", files["leaf"], "-sha256", "-cert", "-out", str(query))
    with pki.client as client:
        client.post("/control/faults", json={"endpoint": "tsa", "wrong_signature_next": 1}).raise_for_status()
        reply.write_bytes(client.post("/tsa", content=query.read_bytes()).content)
    verify = ("ts", "-verify", "-queryfile", str(query), "-in", str(reply), "-CAfile", files["root"], "-untrusted", files["issuer"])
    assert "Verification: FAILED" in openssl(*verify)


def test_a_timestamp_refused_on_request_is_read_by_openssl_as_a_rejection(pki: Server, files: dict[str, str], tmp_path: Path) -> None:
    query, reply = tmp_path / "query", tmp_path / "reply"
    openssl("ts", "-query", "-data", files["leaf"], "-sha256", "-cert", "-out", str(query))
    with pki.client as client:
        client.post("/control/faults", json={"endpoint": "tsa", "refuse_next": 1}).raise_for_status()
        reply.write_bytes(client.post("/tsa", content=query.read_bytes()).content)
    told = openssl("ts", "-reply", "-in", str(reply), "-text")
    assert "Status: Rejected." in told
    assert "refused on request" in told


@pytest.mark.parametrize("defect", ["sha1", "expired", "not_yet_valid", "self_signed", "unknown_issuer"])
def test_defective_certificates_are_refused_by_openssl(pki: Server, files: dict[str, str], defect: str) -> None:
    signer = issue(pki, kind="organisation", name="Trường", identifier="0200123457", defects=[defect])
    Path(files["leaf"]).write_text(signer.certificate)
    answer = openssl("verify", "-auth_level", "2", "-CAfile", files["root"], "-untrusted", files["issuer"], files["leaf"])
    assert "OK" not in answer


def test_weak_keys_and_wrong_usages_are_made_on_request(pki: Server) -> None:
    weak = loaded(issue(pki, kind="personal", name="Khoá Yếu", identifier="031185000010", defects=["weak_key"])).public_key()
    assert isinstance(weak, rsa.RSAPublicKey)
    assert weak.key_size == 1024
    wrong = loaded(issue(pki, kind="personal", name="Sai Mục Đích", identifier="031185000011", defects=["wrong_usage"]))
    assert not wrong.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


def test_dates_can_be_chosen(pki: Server) -> None:
    since, until = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    signer = issue(pki, kind="personal", name="Có Hạn", identifier="031185000012", valid_from=since.isoformat(), valid_to=until.isoformat())
    assert (loaded(signer).not_valid_before_utc, loaded(signer).not_valid_after_utc) == (since, until)


def test_a_key_made_elsewhere_is_certified_and_never_returned(pki: Server) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signer = issue(pki, kind="personal", name="Khoá Ngoài", identifier="031185000013", public_key=public.decode())
    assert signer.key is None
    assert loaded(signer).public_key() == key.public_key()


def test_identifiers_that_break_the_convention_need_the_defect_to_be_named(pki: Server) -> None:
    order = {"kind": "personal", "name": "Sai Số", "identifier": "12345"}
    with pki.client as client:
        assert client.post("/control/certificates", json=order).status_code == 422
        assert client.post("/control/certificates", json={**order, "defects": ["malformed_identifier"]}).status_code == 200


def test_authorities_and_revocations_survive_a_restart(directory: Path, pki: Server, files: dict[str, str]) -> None:
    signer = issue(pki, kind="personal", name="Còn Mãi", identifier="031185000014")
    gone = issue(pki, kind="personal", name="Đã Thu Hồi", identifier="031185000015", defects=["revoked"])
    roots = {file.name: file.read_bytes() for file in (directory / "trust").glob("*.pem")}
    pki.kill()
    pki.start()
    assert {file.name: file.read_bytes() for file in (directory / "trust").glob("*.pem")} == roots
    ask = ("ocsp", "-issuer", files["issuer"], "-CAfile", files["root"], "-url", f"http://127.0.0.1:{pki.port}/ocsp/national-ca")
    for each, status in ((signer, "good"), (gone, "revoked")):
        Path(files["leaf"]).write_text(each.certificate)
        assert f": {status}" in openssl(*ask, "-cert", files["leaf"])


def test_the_publishing_service_has_a_p256_key_and_its_chain(directory: Path, pki: Server) -> None:
    chain = x509.load_pem_x509_certificates((directory / "publishing-service.pem").read_bytes())
    assert len(chain) == 2
    assert isinstance(chain[0].public_key(), ec.EllipticCurvePublicKey)
    chain[0].verify_directly_issued_by(chain[1])
    assert (directory / "publishing-service.key").stat().st_mode & 0o077 == 0
    assert chain[0].not_valid_after_utc - datetime.now(UTC) > timedelta(days=365)
