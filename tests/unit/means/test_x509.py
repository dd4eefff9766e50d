from datetime import timedelta

import pytest

from services.means import x509
from tests.unit.signing import pki
from tests.unit.signing.pki import AT, Party

OWNER = "CCCD:001180000001"


def codes(
    party: Party, *, kind: str = "personal", expected: str | None = "001180000001", roots: tuple[bytes, ...] | None = None
) -> list[str]:
    wanted: x509.Owner = "organisation" if kind == "organisation" else "personal"
    found = x509.unfit(party.der, party.chain, roots or (pki.root(),), at=AT, kind=wanted, expected=expected)
    assert all(problem.message_vi and problem.action_vi for problem in found)
    return [problem.code for problem in found]


def test_a_certificate_is_described_in_plain_facts() -> None:
    facts = x509.describe(pki.party("Nguyễn Thị Ánh", OWNER).der)

    assert (facts.subject, facts.issuer) == ("Nguyễn Thị Ánh", "Thử nghiệm: CA công cộng")
    assert (facts.kind, facts.personal_id, facts.tax_code) == ("personal", "001180000001", None)
    assert (facts.key_algorithm, facts.key_bits, facts.signature_hash) == ("rsa", 2048, "sha256")
    assert facts.usages == ("digital_signature", "content_commitment")
    assert facts.not_before == AT - timedelta(days=30)
    assert int(facts.serial, 16) == x509.load(pki.party("Nguyễn Thị Ánh", OWNER).der).serial_number


@pytest.mark.parametrize(
    ("uid", "kind", "personal_id", "tax_code"),
    [
        ("CCCD:001180000001", "personal", "001180000001", None),
        ("CMND:111222333", "personal", "111222333", None),
        ("MST:0200000001", "organisation", None, "0200000001"),
        ("MNS:1012345", "organisation", None, "1012345"),
        ("khac", "unknown", None, None),
        (None, "unknown", None, None),
    ],
)
def test_the_owner_is_read_from_the_subject_uid(uid: str | None, kind: str, personal_id: str | None, tax_code: str | None) -> None:
    facts = x509.describe(pki.party(f"Chủ {uid}", uid, "p256").der)

    assert (facts.kind, facts.personal_id, facts.tax_code) == (kind, personal_id, tax_code)


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="parsing"):
        x509.describe(b"no certificate")


@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072", "p256", "p384"])
def test_a_sound_certificate_of_the_right_owner_is_fit(kind: str) -> None:
    assert codes(pki.party(f"Đạt {kind}", OWNER, kind)) == []
    assert codes(pki.party(f"Trường {kind}", "MST:0200000001", kind), kind="organisation", expected="0200000001") == []


def test_an_expired_certificate_is_called_expired_with_its_date() -> None:
    party = pki.party("Hết hạn", OWNER, "p256", end=AT - timedelta(days=1))

    (problem,) = x509.unfit(party.der, party.chain, [pki.root()], at=AT, kind="personal", expected=None)

    assert problem.code == "expired"
    assert "29/05/2026" in problem.message_vi


def test_a_certificate_that_begins_later_is_called_so() -> None:
    assert codes(pki.party("Chưa đến", OWNER, "p256", start=AT + timedelta(days=1))) == ["not_yet_valid"]


def test_certificates_of_the_wrong_kind_are_called_so() -> None:
    assert codes(pki.party("Cá nhân", OWNER, "p256"), kind="organisation", expected="0200000001") == ["personal_for_organisation"]
    assert codes(pki.party("Tổ chức", "MST:0200000001", "p256")) == ["organisation_for_personal"]


def test_the_certificate_of_somebody_else_is_called_so() -> None:
    assert codes(pki.party("Người khác", "CCCD:999", "p256")) == ["other_person"]
    assert codes(pki.party("Trường khác", "MST:999", "p256"), kind="organisation", expected="0200000001") == ["other_organisation"]


def test_a_certificate_without_an_owner_number_is_called_so() -> None:
    assert codes(pki.party("Không số", None, "p256")) == ["no_personal_id"]
    assert codes(pki.party("Không số", None, "p256"), kind="organisation") == ["no_tax_code"]


@pytest.mark.parametrize("kind", ["rsa1024", "p192"])
def test_a_weak_key_is_called_weak(kind: str) -> None:
    assert "weak_key" in codes(pki.party(f"Yếu {kind}", OWNER, kind))


def test_a_certificate_not_made_for_signing_is_called_so() -> None:
    assert codes(pki.party("Mã hoá", OWNER, "p256", digital_signature=False)) == ["wrong_usage"]
    authority = Party(pki.key("rsa2048#ca"), pki.intermediate(), ())
    assert "wrong_usage" in codes(authority, expected=None)


def test_a_certificate_signed_with_sha1_is_called_weak() -> None:
    assert x509.describe(pki.sha1_certificate()).signature_hash == "sha1"
    assert "weak_hash" in codes(Party(pki.key("rsa2048#sha1"), pki.sha1_certificate(), (pki.intermediate(),)), expected=None)


def test_a_missing_issuer_is_told_from_an_unknown_root() -> None:
    party = pki.party("Chuỗi", OWNER, "p256")

    assert codes(Party(party.key, party.der, ())) == ["incomplete_chain"]
    assert codes(Party(party.key, party.der, (*party.chain, pki.root())), roots=(pki.stranger_root(),)) == ["untrusted"]


def test_a_certificate_that_only_bears_the_name_of_the_authority_is_untrusted() -> None:
    forged_key = pki.key("rsa2048#forger")
    der = pki.certificate(pki.name("Giả mạo", OWNER), pki.key("p256#forged"), pki.CA_NAME, forged_key)

    assert codes(Party(pki.key("p256#forged"), der, (pki.intermediate(),))) == ["untrusted"]


def test_an_expired_issuer_is_told_from_an_expired_certificate() -> None:
    old = pki.certificate(
        pki.name("CA cũ"), pki.key("rsa2048#old"), pki.ROOT_NAME, pki.key("rsa2048#root"), authority=True, end=AT - timedelta(days=1)
    )
    der = pki.certificate(pki.name("Người ký", OWNER), pki.key("p256#under old"), pki.name("CA cũ"), pki.key("rsa2048#old"))

    assert codes(Party(pki.key("p256#under old"), der, (old,))) == ["expired_chain"]


def test_revocation_is_read_from_the_issuers_list_alone() -> None:
    party = pki.party("Thu hồi", OWNER, "p256")
    day = timedelta(days=1)

    def state(*crls: bytes, issuers: tuple[bytes, ...] = (pki.intermediate(),)) -> str:
        return x509.revoked(party.der, crls, issuers, at=AT).state

    assert state(pki.crl([party.der], since=AT - day)) == "revoked"
    assert state(pki.crl([], since=AT)) == "good"
    assert state() == "unknown"
    assert state(pki.crl([party.der], since=AT - day, signer="rsa2048#forger")) == "unknown"
    assert state(pki.crl([party.der], since=AT - day, signer="p256#forger")) == "unknown"
    assert state(pki.crl([party.der], since=AT - day), issuers=(pki.root(),)) == "unknown"


def test_a_revocation_counts_from_its_date_and_silence_only_while_the_list_is_current() -> None:
    party = pki.party("Thu hồi sau", OWNER, "p256")
    day = timedelta(days=1)
    old = pki.crl([], since=AT, issued=AT - 10 * day)
    later = pki.crl([party.der], since=AT + day, issued=AT + 2 * day)

    assert x509.revoked(party.der, [old], [pki.intermediate()], at=AT).state == "unknown"
    assert x509.revoked(party.der, [later], [pki.intermediate()], at=AT).state == "good"
    assert x509.revoked(party.der, [old, later], [pki.intermediate()], at=AT + day).since == AT + day


def test_trust_names_the_weakest_revocation_state_of_the_path() -> None:
    party = pki.party("Đường dẫn", OWNER, "p256")

    found = x509.trust(party.der, party.chain, [pki.root()], at=AT, crls=[pki.crl([], since=AT)])

    assert (found.state, found.revocation) == ("trusted", "unknown")


@pytest.mark.parametrize(
    ("kind", "returned", "scheme"),
    [
        ("rsa2048", "", "rsa-pkcs1"),
        ("rsa2048", "rsa-pss", "rsa-pss"),
        ("p256", "", "ecdsa"),
        ("p256", "raw", "ecdsa"),
        ("p384", "raw", "ecdsa"),
    ],
)
def test_the_scheme_that_was_met_is_reported(kind: str, returned: str, scheme: str) -> None:
    party = pki.party(f"Giá trị {kind}", OWNER, kind)
    digest = bytes(range(32))

    assert x509.check_value(party.der, digest, party.sign(digest, returned)) == scheme


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_wrong_values_are_refused(kind: str) -> None:
    party = pki.party(f"Giá trị {kind}", OWNER, kind)
    digest = bytes(range(32))
    good = party.sign(digest)

    for tried, value in (
        (bytes(32), good),
        (digest, good[::-1]),
        (digest, b""),
        (digest, bytes(64)),
        (digest, bytes(256)),
        (b"short", good),
    ):
        with pytest.raises(x509.WrongSignature):
            x509.check_value(party.der, tried, value)


def test_both_encodings_of_an_elliptic_value_are_given() -> None:
    party = pki.party("Hai cách", OWNER, "p256")
    digest = bytes(range(32))
    value = party.sign(digest)

    der, raw = x509.ecdsa_encodings(party.der, digest, value)

    assert der == value
    assert len(raw) == 64
    assert x509.ecdsa_encodings(party.der, digest, raw) == (der, raw)
    assert len(der) <= x509.value_size(party.der)
