"""The certification authorities: two roots, an intermediate under each, their OCSP responders and the TSA.

All of it is made at the first start under DIR/pki and read again afterwards.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from infra.sandbox.common import write_atomically

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

# CAs reach far back so that certificates that have expired already can be issued for tests
CA_SINCE = timedelta(days=3650)
ROOT_YEARS = 30
INTERMEDIATE_YEARS = 20
SERVICE_YEARS = 10


@dataclass(frozen=True)
class Issuer:
    """What it takes to issue."""

    name: str
    key: PrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class Authority(Issuer):
    """A CA with what it needs to answer for its certificates."""

    issuer: str
    ocsp_key: ec.EllipticCurvePrivateKey
    ocsp_certificate: x509.Certificate


@dataclass(frozen=True)
class Stamper:
    """The timestamping unit: its key, its certificate and the issuer's, which goes into every token."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    issuer: x509.Certificate


# name -> (common name, issuer); an authority that issues itself is a root
AUTHORITIES = {
    "national-root": ("Sandbox National Root CA", "national-root"),
    "government-root": ("Sandbox Government Root CA", "government-root"),
    "national-ca": ("Sandbox Public CA", "national-root"),
    "government-ca": ("Sandbox Government CA", "government-root"),
}
ROOTS = ("national-root", "government-root")
ISSUING = {"public": "national-ca", "government": "government-ca"}


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_private(file: Path) -> PrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file} holds neither an RSA nor an EC key")
    return key


def builder(
    subject: x509.Name, public_key: PublicKey, *, issuer: x509.Name, issuer_key: PublicKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    """What every certificate has: names, dates, a random serial and the key identifiers."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def with_addresses(certificate: x509.CertificateBuilder, url: str, issuer: str) -> x509.CertificateBuilder:
    """Say where the issuer's certificate, its OCSP responder and its CRL are."""
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{url}/ocsp/{issuer}")),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(f"{url}/ca/{issuer}.cer")),
    ]
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/crl/{issuer}.crl")], None, None, None)
    return certificate.add_extension(x509.AuthorityInformationAccess(access), critical=False).add_extension(
        x509.CRLDistributionPoints([point]), critical=False
    )


def key_usage(
    *, signature: bool = False, commitment: bool = False, encipherment: bool = False, certificates: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signature,
        content_commitment=commitment,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def service_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def load_or_create(directory: Path, url: str) -> tuple[dict[str, Authority], Stamper]:
    """The authorities by name and the TSA; whatever is not on disk yet is made and written."""
    directory.mkdir(parents=True, exist_ok=True)
    authorities: dict[str, Authority] = {}
    for name, (common_name, issuer_name) in AUTHORITIES.items():
        key, certificate = _authority(directory, url, name, common_name, authorities.get(issuer_name))
        issuer = Issuer(name, key, certificate)
        ocsp_key, ocsp_certificate = _service(
            directory, url, f"{name}-ocsp", f"{common_name} OCSP", issuer=issuer, usage=ExtendedKeyUsageOID.OCSP_SIGNING
        )
        authorities[name] = Authority(name, key, certificate, issuer_name, ocsp_key, ocsp_certificate)
    parent = authorities["national-ca"]
    stamp_key, stamp_certificate = _service(directory, url, "tsa", "Sandbox TSA", issuer=parent, usage=ExtendedKeyUsageOID.TIME_STAMPING)
    return authorities, Stamper(stamp_key, stamp_certificate, parent.certificate)


def timestamping_unit(directory: Path, url: str, name: str, issuer: Authority, until: datetime) -> Stamper:
    """A further unit beside the TSA's own; one of that name is read again as it was made."""
    usage = ExtendedKeyUsageOID.TIME_STAMPING
    key, certificate = _service(directory, url, f"unit-{name}", f"Sandbox TSA {name}", issuer=issuer, usage=usage, until=until)
    return Stamper(key, certificate, issuer.certificate)


def _read(directory: Path, name: str) -> tuple[PrivateKey, x509.Certificate] | None:
    # the certificate is written last, so its presence means that the pair is complete
    if not (directory / f"{name}.pem").exists():
        return None
    return load_private(directory / f"{name}.key"), x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())


def _write(directory: Path, name: str, key: PrivateKey, certificate: x509.Certificate) -> None:
    write_atomically(directory / f"{name}.key", private_pem(key), 0o600)
    write_atomically(directory / f"{name}.pem", pem(certificate))


def _authority(directory: Path, url: str, name: str, common_name: str, parent: Authority | None) -> tuple[PrivateKey, x509.Certificate]:
    if (known := _read(directory, name)) is not None:
        return known
    key = rsa.generate_private_key(65537, 3072)
    subject = service_name(common_name)
    until = now() + timedelta(days=365 * (ROOT_YEARS if parent is None else INTERMEDIATE_YEARS))
    issuer, issuer_key = (subject, key) if parent is None else (parent.certificate.subject, parent.key)
    certificate = (
        builder(subject, key.public_key(), issuer=issuer, issuer_key=issuer_key.public_key(), since=now() - CA_SINCE, until=until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1 if parent is None else 0), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
    )
    if parent is not None:
        certificate = with_addresses(certificate, url, parent.name)
    made = certificate.sign(issuer_key, hashes.SHA256())
    _write(directory, name, key, made)
    return key, made


def _service(
    directory: Path,
    url: str,
    name: str,
    common_name: str,
    *,
    issuer: Issuer,
    usage: x509.ObjectIdentifier,
    until: datetime | None = None,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A responder's or the TSA's key pair. P-256, because these sign once a request."""
    if (known := _read(directory, name)) is not None:
        known_key, known_certificate = known
        if not isinstance(known_key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{directory / name}.key is not an EC key")
        return known_key, known_certificate
    key = ec.generate_private_key(ec.SECP256R1())
    since, until = now() - timedelta(days=1), until or now() + timedelta(days=365 * SERVICE_YEARS)
    certificate = (
        builder(
            service_name(common_name),
            key.public_key(),
            issuer=issuer.certificate.subject,
            issuer_key=issuer.key.public_key(),
            since=since,
            until=until,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signature=True, commitment=usage == ExtendedKeyUsageOID.TIME_STAMPING), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    )
    if usage == ExtendedKeyUsageOID.OCSP_SIGNING:
        # nobody can ask a responder about itself
        certificate = certificate.add_extension(x509.OCSPNoCheck(), critical=False)
    made = with_addresses(certificate, url, issuer.name).sign(issuer.key, hashes.SHA256())
    _write(directory, name, key, made)
    return key, made
