"""A small certificate authority for proving the validators: a root, an intermediate, one person, fresh lists of both issuers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class Pki:
    """`roots` holds the root as PEM and `crls` the lists of root and intermediate as DER, for validators to read."""

    root: Issued
    intermediate: Issued
    person: Issued
    roots: Path
    crls: Path


def make_pki(directory: Path, name: str) -> Pki:
    root = _issue(f"{name} Root", None)
    intermediate = _issue(f"{name} CA", root)
    person = _issue("Nguyễn Thị Hạnh", intermediate, authority=False)
    roots, crls = directory / "roots", directory / "crls"
    roots.mkdir(parents=True)
    crls.mkdir()
    (roots / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    write_list(crls / "root.crl", root)
    write_list(crls / "intermediate.crl", intermediate)
    return Pki(root, intermediate, person, roots, crls)


def write_list(place: Path, issuer: Issued, revoked: tuple[int, ...] = ()) -> None:
    """A revocation list issued now; `revoked` are serial numbers, revoked an hour ago."""
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, now, now + DAY)
    builder = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(_authority_key(issuer), critical=False)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder(serial, now - timedelta(hours=1)).build()
        builder = builder.add_revoked_certificate(entry)
    place.write_bytes(builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER))


def _issue(common_name: str, issuer: Issued | None, *, authority: bool = True) -> Issued:
    key = rsa.generate_private_key(65537, 2048)
    names = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if not authority:
        names.append(x509.NameAttribute(NameOID.USER_ID, "CCCD:001099000001"))
    subject = x509.Name(names)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 365 * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        place = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example.invalid/ca.crl")], None, None, None)
        builder = builder.add_extension(_authority_key(issuer), critical=False)
        builder = builder.add_extension(x509.CRLDistributionPoints([place]), critical=False)
    return Issued(key, builder.sign((issuer.key if issuer else key), SHA256()))


def _authority_key(issuer: Issued) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
