"""A small certificate authority and documents for the tests; keys are made once a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO

import typst
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

AT = datetime(2026, 5, 30, 2, 0, tzinfo=UTC)
PRIVATE_KEY = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Party:
    key: PRIVATE_KEY
    der: bytes
    chain: tuple[bytes, ...]

    def sign(self, digest: bytes, scheme: str = "") -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            value = self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
            if scheme != "raw":
                return value
            width = self.key.key_size // 8
            return b"".join(number.to_bytes(width, "big") for number in decode_dss_signature(value))
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        return self.key.sign(digest, pss if scheme == "rsa-pss" else padding.PKCS1v15(), Prehashed(hashes.SHA256()))


@cache
def key(kind: str) -> PRIVATE_KEY:
    algorithm, _, _name = kind.partition("#")
    if algorithm.startswith("rsa"):
        return rsa.generate_private_key(65537, int(algorithm[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p192": ec.SECP192R1()}[algorithm])


def name(common: str, uid: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if uid:
        attributes.append(x509.NameAttribute(NameOID.USER_ID, uid))
    return x509.Name(attributes)


def certificate(
    subject: x509.Name,
    public: PRIVATE_KEY,
    issuer: x509.Name,
    signer: PRIVATE_KEY,
    *,
    authority: bool = False,
    start: datetime = AT - timedelta(days=30),
    end: datetime = AT + timedelta(days=365),
    digital_signature: bool = True,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=digital_signature and not authority,
                content_commitment=digital_signature and not authority,
                key_encipherment=not digital_signature,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


ROOT_NAME = name("Thử nghiệm: chứng thư số gốc quốc gia")
CA_NAME = name("Thử nghiệm: CA công cộng")
LONG_AGO, FAR_OFF = AT - timedelta(days=3000), AT + timedelta(days=3000)


@cache
def root() -> bytes:
    return certificate(ROOT_NAME, key("rsa2048#root"), ROOT_NAME, key("rsa2048#root"), authority=True, start=LONG_AGO, end=FAR_OFF)


@cache
def stranger_root() -> bytes:
    other = name("Thử nghiệm: chứng thư số gốc khác")
    return certificate(other, key("rsa2048#other"), other, key("rsa2048#other"), authority=True, start=LONG_AGO, end=FAR_OFF)


@cache
def intermediate() -> bytes:
    return certificate(CA_NAME, key("rsa2048#ca"), ROOT_NAME, key("rsa2048#root"), authority=True, start=LONG_AGO, end=FAR_OFF)


@cache
def party(common: str, uid: str | None = "CCCD:001180000001", kind: str = "rsa2048", **options: object) -> Party:
    own = key(f"{kind}#{common}")
    der = certificate(name(common, uid), own, CA_NAME, key("rsa2048#ca"), **options)  # type: ignore[arg-type] # options are those of certificate()
    return Party(own, der, (intermediate(),))


@cache
def sha1_certificate() -> bytes:
    """An otherwise sound certificate, its signature made anew with SHA-1, which no builder does any more."""
    authority = key("rsa2048#ca")
    assert isinstance(authority, rsa.RSAPrivateKey)
    der = certificate(name("Băm yếu", "CCCD:001180000001"), key("rsa2048#sha1"), CA_NAME, authority)
    sha256_with_rsa, sha1_with_rsa = bytes.fromhex("2A864886F70D01010B"), bytes.fromhex("2A864886F70D010105")
    changed = der.replace(sha256_with_rsa, sha1_with_rsa)
    signed = x509.load_der_x509_certificate(changed).tbs_certificate_bytes
    return changed[:-256] + authority.sign(signed, padding.PKCS1v15(), hashes.SHA1())


def crl(revoked: Sequence[bytes], *, since: datetime, issued: datetime = AT, signer: str = "rsa2048#ca") -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(CA_NAME).last_update(issued).next_update(issued + timedelta(days=1))
    for der in revoked:
        serial = x509.load_der_x509_certificate(der).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key(signer), hashes.SHA256()).public_bytes(Encoding.DER)


def transcript_xml(rows: int = 14) -> bytes:
    marks = "".join(f'<Mon ma="M{i}"><Ten>Môn học số {i} &amp; thực hành</Ten><Diem>{i % 10}</Diem></Mon>' for i in range(rows))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<HocBa xmlns="urn:hocba:transcript:1" phienBan="1.0">'
        f'<NoiDung Id="nd"><HoTen>Nguyễn Thị Ánh</HoTen>{marks}</NoiDung><ChuKy Id="ck"/></HocBa>\n'
    ).encode()


@cache
def transcript_pdf(*, visible: bool = False) -> bytes:
    source = (
        '#set document(title: "Học bạ", date: datetime(year: 2026, month: 5, day: 30))\n'
        '#set text(lang: "vi")\nHọc bạ #pagebreak() Trang hai'
    )
    plain = typst.compile(source.encode(), pdf_standards=["a-3b"])
    assert isinstance(plain, bytes)
    writer = IncrementalPdfFileWriter(BytesIO(plain + b"\n"))
    for index, field in enumerate(("GVCN", "CBQL", "KY_PHAT_HANH")):
        box = (60 + 150 * index, 60, 190 + 150 * index, 110) if visible else None
        append_signature_field(writer, SigFieldSpec(field, on_page=-1, box=box))
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    return output.getvalue()


def pem_of(party: Party) -> bytes:
    """The private key, for code that reads it from a file."""
    return party.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
