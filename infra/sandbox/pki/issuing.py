"""Certificates for arbitrary people and organisations, sound by default and defective on request."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from asn1crypto import algos
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.sandbox.pki.authority import (
    ISSUING,
    Authority,
    PrivateKey,
    PublicKey,
    builder,
    key_usage,
    now,
    service_name,
    with_addresses,
)

KeyKind = Literal["rsa2048", "rsa3072", "rsa4096", "rsa1024", "p256", "p384"]
Defect = Literal[
    "expired", "not_yet_valid", "weak_key", "sha1", "wrong_usage", "self_signed", "unknown_issuer", "revoked", "malformed_identifier"
]  # fmt: skip

PREFIX = {"personal": "CCCD", "organisation": "MST", "service": "SERVICE"}
# a citizen has 12 digits; an organisation a tax code (10 digits, branch -NNN) or a budget code (7 digits)
IDENTIFIER = {"personal": r"\d{12}", "organisation": r"\d{10}(-?\d{3})?|\d{7}|\d{12}", "service": r"[a-z][a-z0-9-]*"}


class CertificateOrder(BaseModel):
    """What POST /control/certificates takes."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["personal", "organisation", "service"]
    name: str = Field(min_length=1, max_length=64)
    identifier: str = Field(description="citizen number, tax code or service name, without the prefix of the UID")
    organisation: str | None = Field(default=None, max_length=64, description="O of a personal certificate: the workplace")
    province: str = Field(default="Hà Nội", max_length=64)
    locality: str = Field(default="Hà Nội", max_length=64)
    key: KeyKind = "rsa2048"
    public_key: str | None = Field(default=None, description="PEM; when given, no key is made and none is returned")
    with_key: bool = True
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    root: Literal["public", "government"] = "public"
    defects: frozenset[Defect] = frozenset()

    @model_validator(mode="after")
    def _consistent(self) -> "CertificateOrder":
        if "malformed_identifier" not in self.defects and not re.fullmatch(IDENTIFIER[self.kind], self.identifier):
            raise ValueError(f"identifier does not fit kind {self.kind}")
        if self.public_key is not None and self.defects & {"self_signed", "weak_key"}:
            raise ValueError("self_signed and weak_key need a key made here")
        return self


class Issued(BaseModel):
    """The certificate with its chain, root last; `key` only if it was made here and asked for."""

    serial: str
    issuer: str
    subject: str
    certificate: str
    chain: list[str]
    key: str | None


def subject_of(order: CertificateOrder) -> x509.Name:
    """Vietnamese conventions: personal UID=CCCD:…, organisation UID=MST:… with the name in both O and CN."""
    organisation = order.name if order.kind == "organisation" else order.organisation
    attributes = [
        (NameOID.COUNTRY_NAME, "VN"),
        (NameOID.STATE_OR_PROVINCE_NAME, order.province),
        (NameOID.LOCALITY_NAME, order.locality),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.COMMON_NAME, order.name),
        (NameOID.USER_ID, f"{PREFIX[order.kind]}:{order.identifier}"),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes if value])


def make_key(kind: KeyKind) -> PrivateKey:
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))


def dates_of(order: CertificateOrder) -> tuple[datetime, datetime]:
    """Default validity: from an hour ago, so that CRLs already out cover it, for three years."""
    since, until = now() - timedelta(hours=1), now() + timedelta(days=3 * 365)
    if "expired" in order.defects:
        since, until = now() - timedelta(days=800), now() - timedelta(days=30)
    if "not_yet_valid" in order.defects:
        since, until = now() + timedelta(days=30), now() + timedelta(days=800)
    return _aware(order.valid_from) or since, _aware(order.valid_to) or until


@dataclass(frozen=True)
class Made:
    """A certificate with its chain, root last; the key only if it was made here; the issuer's name, empty if self-signed."""

    certificate: x509.Certificate
    chain: list[x509.Certificate]
    key: PrivateKey | None
    issuer: str


def issue(order: CertificateOrder, authorities: dict[str, Authority], url: str) -> Made:
    """Make the certificate with addresses under `url`.

    Raises ValueError for a public key of another kind than RSA or EC, or dates in the wrong order.
    """
    key = None if order.public_key else make_key("rsa1024" if "weak_key" in order.defects else order.key)
    public_key = key.public_key() if key is not None else _load_public(order.public_key or "")
    subject, (since, until) = subject_of(order), dates_of(order)
    issuer = ISSUING[order.root]
    issuer_subject, issuer_key = authorities[issuer].certificate.subject, authorities[issuer].key
    chain = [authorities[issuer].certificate, authorities[authorities[issuer].issuer].certificate]
    if "self_signed" in order.defects and key is not None:
        issuer, issuer_subject, issuer_key, chain = "", subject, key, []
    elif "unknown_issuer" in order.defects:
        issuer, issuer_key, stranger = _stranger()
        issuer_subject, chain = stranger.subject, [stranger]

    if "wrong_usage" in order.defects:
        usage = key_usage(encipherment=True)
    else:
        usage = key_usage(signature=True, commitment=order.kind != "service")
    certificate = (
        builder(subject, public_key, issuer=issuer_subject, issuer_key=issuer_key.public_key(), since=since, until=until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    if order.kind == "service":
        certificate = certificate.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    if issuer:
        certificate = with_addresses(certificate, url, issuer)
    made = certificate.sign(issuer_key, hashes.SHA256())
    if "sha1" in order.defects:
        made = _resigned_with_sha1(made, issuer_key)
    return Made(made, chain, key, issuer)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _load_public(text: str) -> PublicKey:
    key = load_pem_public_key(text.encode())
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("only RSA and EC public keys are certified")  # noqa: TRY004  the caller answers 422 for a value
    return key


def _stranger() -> tuple[str, PrivateKey, x509.Certificate]:
    """An authority that nobody trusts, made for one certificate."""
    key = rsa.generate_private_key(65537, 2048)
    name = service_name("Unknown CA")
    since, until = now() - timedelta(days=365), now() + timedelta(days=3650)
    certificate = (
        builder(name, key.public_key(), issuer=name, issuer_key=key.public_key(), since=since, until=until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return "unknown-ca", key, certificate


def _resigned_with_sha1(certificate: x509.Certificate, issuer_key: PrivateKey) -> x509.Certificate:
    # the certificate builder refuses SHA-1, so the to-be-signed part is signed again by hand
    if not isinstance(issuer_key, rsa.RSAPrivateKey):
        raise ValueError("SHA-1 certificates come from RSA issuers")  # noqa: TRY004  the caller answers 422 for a value
    parsed = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    algorithm = algos.SignedDigestAlgorithm({"algorithm": "sha1_rsa"})
    to_sign = parsed["tbs_certificate"]
    to_sign["signature"] = algorithm
    content = to_sign.dump(force=True)
    parsed["signature_algorithm"] = algorithm
    parsed["signature_value"] = issuer_key.sign(content, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  the defect asked for
    return x509.load_der_x509_certificate(parsed.dump(force=True))
