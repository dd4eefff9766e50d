"""What a certificate says, whether it is fit to sign with, and whether a value was really made with its key.

Plain data in, plain data out: certificates, CRLs and roots are DER bytes, moments are aware datetimes.
Rules: TT 15/2025/TT-BKHCN (RSA >= 2048 with PKCS#1 v1.5 or PSS, ECDSA >= 256 bits, SHA-256 and up, the whole
path up to a trusted root). Path validation is pyhanko-certvalidator's, without any network access.
"""

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Literal, TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict
from pyhanko_certvalidator import ValidationContext, find_valid_path
from pyhanko_certvalidator.errors import ExpiredError, NotYetValidError, PathBuildingError, ValidationError
from pyhanko_certvalidator.path import ValidationPath

Kind = Literal["personal", "organisation", "unknown"]
Owner = Literal["personal", "organisation"]
Scheme = Literal["rsa-pkcs1", "rsa-pss", "ecdsa"]
TrustState = Literal["trusted", "expired", "not_yet_valid", "incomplete_chain", "untrusted", "revoked"]
RevocationState = Literal["good", "revoked", "unknown"]

_VIETNAM = timezone(timedelta(hours=7))
_PERSONAL_PREFIXES = ("CCCD", "CMND")
_ORGANISATION_PREFIXES = ("MST", "MNS")
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)

_SHA256 = Prehashed(hashes.SHA256())
_RSA_PADDINGS: tuple[tuple[Scheme, padding.AsymmetricPadding], ...] = (
    ("rsa-pkcs1", padding.PKCS1v15()),
    ("rsa-pss", padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)),
)

T = TypeVar("T")


class WrongSignature(ValueError):
    """A returned value was not made with the certificate's key over the digest, or not in the scheme asked for."""


class CertificateFacts(BaseModel):
    """`serial` is upper-case hexadecimal, `personal_id` and `tax_code` stand without their prefix."""

    model_config = ConfigDict(frozen=True)

    subject: str
    subject_full: str
    personal_id: str | None
    tax_code: str | None
    kind: Kind
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    key_algorithm: str
    key_bits: int
    signature_hash: str | None
    usages: tuple[str, ...]
    is_authority: bool


class Problem(BaseModel):
    """One thing that is wrong, with the words for the person and what the person can do about it."""

    model_config = ConfigDict(frozen=True)

    code: str
    message_vi: str
    action_vi: str


class Revocation(BaseModel):
    """`since` is set when `state` is "revoked"; "unknown" means that no given list speaks for the moment asked about."""

    model_config = ConfigDict(frozen=True)

    state: RevocationState
    since: datetime | None = None


class Trust(BaseModel):
    """`revocation` is the weakest state along the path."""

    model_config = ConfigDict(frozen=True)

    state: TrustState
    revocation: RevocationState = "unknown"


@lru_cache(maxsize=2048)
def load(der: bytes) -> x509.Certificate:
    """Raises ValueError when the bytes are no certificate."""
    return x509.load_der_x509_certificate(der)


@lru_cache(maxsize=2048)
def load_asn1(der: bytes) -> asn1_x509.Certificate:
    """The same certificate for pyHanko."""
    return asn1_x509.Certificate.load(der, strict=True)


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that has nothing to wait for, also where an event loop is running.

    pyHanko's interfaces are asynchronous because of network fetchers; with everything handed over none of them ever waits.
    """
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    work.close()
    raise RuntimeError("validation tried to wait although everything was handed over")


@lru_cache(maxsize=2048)
def describe(der: bytes) -> CertificateFacts:
    """Read the facts of a certificate; raises ValueError when the bytes are no certificate."""
    certificate = load(der)
    identifiers = _subject_identifiers(certificate)
    personal_id = _first(identifiers, _PERSONAL_PREFIXES)
    tax_code = _first(identifiers, _ORGANISATION_PREFIXES)
    kind: Kind = "personal" if personal_id else "organisation" if tax_code else "unknown"
    algorithm, bits = _key(certificate)
    return CertificateFacts(
        subject=_common_name(certificate.subject),
        subject_full=certificate.subject.rfc4514_string(),
        personal_id=personal_id,
        tax_code=tax_code,
        kind=kind,
        issuer=_common_name(certificate.issuer),
        serial=f"{certificate.serial_number:X}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_algorithm=algorithm,
        key_bits=bits,
        signature_hash=_signature_hash(certificate),
        usages=_usages(certificate),
        is_authority=_is_authority(certificate),
    )


def unfit(
    der: bytes,
    chain: Sequence[bytes],
    roots: Sequence[bytes],
    *,
    at: datetime,
    kind: Owner,
    expected: str | None,
) -> list[Problem]:
    """Everything that forbids signing with this certificate at that moment; an empty list means fit.

    `expected` is the personal id (kind "personal") or the tax or budget code (kind "organisation") of the owner that must
    stand in the certificate; None leaves the owner unchecked. Revocation is asked separately (`revoked`).
    """
    facts = describe(der)
    problems = _validity_problems(facts, at)
    problems += weaknesses(facts)
    problems += _owner_problems(facts, kind, expected)
    # judged inside the certificate's own validity, so that an expired one is called expired and not untrusted as well
    moment = min(max(at, facts.not_before), facts.not_after)
    state = trust(der, chain, roots, at=moment).state
    if state in ("expired", "not_yet_valid"):
        problems.append(_PROBLEMS["expired_chain"])
    elif state != "trusted":
        problems.append(_PROBLEMS[state])
    return problems


def weaknesses(facts: CertificateFacts) -> list[Problem]:
    """What makes the certificate unsuitable for signing, whoever owns it and whenever it is valid."""
    problems = []
    least = {"rsa": 2048, "ecdsa": 256}.get(facts.key_algorithm)
    if least is None or facts.key_bits < least:
        problems.append(_PROBLEMS["weak_key"])
    if facts.signature_hash is None or facts.signature_hash in ("md5", "sha1"):
        problems.append(_PROBLEMS["weak_hash"])
    if facts.is_authority or not {"digital_signature", "content_commitment"} & set(facts.usages):
        problems.append(_PROBLEMS["wrong_usage"])
    return problems


def trust(der: bytes, chain: Sequence[bytes], roots: Sequence[bytes], *, at: datetime, crls: Sequence[bytes] = ()) -> Trust:
    """Validate the path to one of the roots for the moment `at`, and look for revocations in the given CRLs."""
    facts = describe(der)
    if not facts.not_before <= at <= facts.not_after:
        return Trust(state="expired" if at > facts.not_after else "not_yet_valid")
    try:
        path = complete(_valid_path(der, chain, roots, at))
    except ExpiredError:
        return Trust(state="expired")
    except NotYetValidError:
        return Trust(state="not_yet_valid")
    except (PathBuildingError, ValidationError):
        return Trust(state="untrusted" if _reaches_self_signed(der, chain, roots) else "incomplete_chain")
    certificates = [certificate.dump() for certificate in path]
    states = {revoked(certificate, crls, certificates, at=at).state for certificate in certificates[1:]}
    if "revoked" in states:
        return Trust(state="revoked", revocation="revoked")
    return Trust(state="trusted", revocation="unknown" if "unknown" in states else "good")


def revoked(der: bytes, crls: Sequence[bytes], issuers: Sequence[bytes], *, at: datetime) -> Revocation:
    """What the lists say about the certificate at that moment.

    A list counts only if one of `issuers` bears the certificate's issuer name and signed the list. An entry counts from
    its revocation date on, whatever the age of the list; silence counts only while the list is current.
    """
    certificate = load(der)
    keys = [load(issuer).public_key() for issuer in issuers if load(issuer).subject == certificate.issuer]
    state: RevocationState = "unknown"
    for crl in map(_load_crl, crls):
        if crl.issuer != certificate.issuer or not any(_signed_by(crl, key) for key in keys):
            continue
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None and entry.revocation_date_utc <= at:
            return Revocation(state="revoked", since=entry.revocation_date_utc)
        if crl.last_update_utc >= at or (crl.next_update_utc is not None and crl.next_update_utc >= at):
            state = "good"
    return Revocation(state=state)


def default_scheme(certificate: bytes) -> Scheme:
    """The scheme asked of a key unless told otherwise; raises ValueError for a key that is neither RSA nor elliptic."""
    algorithm, _ = _key(load(certificate))
    if algorithm == "rsa":
        return "rsa-pkcs1"
    if algorithm == "ecdsa":
        return "ecdsa"
    raise ValueError("the certificate's key is neither RSA nor elliptic")


def check_value(certificate: bytes, digest: bytes, value: bytes) -> Scheme:
    """Which scheme the value was made in with the certificate's key over a SHA-256 digest.

    PSS counts with MGF1-SHA-256 and a salt of 32 bytes; ECDSA values may be DER or r‖s.
    Raises WrongSignature when the value fits in no way.
    """
    key = load(certificate).public_key()
    if len(digest) != 32:
        raise WrongSignature("the digest is not a SHA-256 digest")
    if isinstance(key, rsa.RSAPublicKey):
        for scheme, rsa_padding in _RSA_PADDINGS:
            try:
                key.verify(value, digest, rsa_padding, _SHA256)
            except InvalidSignature:
                continue
            return scheme
    elif isinstance(key, ec.EllipticCurvePublicKey) and _ecdsa_numbers(key, digest, value) is not None:
        return "ecdsa"
    raise WrongSignature("the value does not verify with the certificate's key")


def ecdsa_encodings(certificate: bytes, digest: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A verified ECDSA value as (DER for CMS, r‖s for XML), whichever of the two was returned; raises WrongSignature."""
    key = load(certificate).public_key()
    numbers = _ecdsa_numbers(key, digest, value) if isinstance(key, ec.EllipticCurvePublicKey) else None
    if numbers is None:
        raise WrongSignature("the value does not verify with the certificate's key")
    width = _ecdsa_width(key)
    return encode_dss_signature(*numbers), b"".join(number.to_bytes(width, "big") for number in numbers)


def value_size(certificate: bytes) -> int:
    """The greatest length in bytes of a value in CMS: the modulus for RSA, the longest DER for ECDSA."""
    key = load(certificate).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return (key.key_size + 7) // 8
    top = (1 << (8 * _ecdsa_width(key))) - 1
    return len(encode_dss_signature(top, top))


def _ecdsa_width(key: object) -> int:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("the certificate's key is not elliptic")
    return (key.key_size + 7) // 8


def _ecdsa_numbers(key: ec.EllipticCurvePublicKey, digest: bytes, value: bytes) -> tuple[int, int] | None:
    # length and first byte cannot tell the two encodings apart for certain, so the one that verifies is meant
    readings: list[tuple[int, int]] = []
    width = _ecdsa_width(key)
    if len(value) == 2 * width:
        readings.append((int.from_bytes(value[:width], "big"), int.from_bytes(value[width:], "big")))
    try:
        readings.append(decode_dss_signature(value))
    except ValueError:
        if not readings:
            return None
    for numbers in readings:
        try:
            key.verify(encode_dss_signature(*numbers), digest, ec.ECDSA(_SHA256))
        except InvalidSignature:
            continue
        return numbers
    return None


async def _valid_path(der: bytes, chain: Sequence[bytes], roots: Sequence[bytes], at: datetime) -> ValidationPath:
    context = ValidationContext(
        trust_roots=[load_asn1(root) for root in roots],
        other_certs=[load_asn1(certificate) for certificate in chain],
        moment=at.astimezone(UTC),
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    certificate = load_asn1(der)
    path: ValidationPath = await find_valid_path(certificate, context.path_builder.async_build_paths_lazy(certificate), context)
    return path


def _reaches_self_signed(der: bytes, chain: Sequence[bytes], roots: Sequence[bytes]) -> bool:
    """Whether the issuers are all there by name, up to a root that is merely not ours."""
    by_name = {load(certificate).subject: load(certificate) for certificate in (*chain, *roots)}
    certificate, seen = load(der), 0
    while certificate.issuer != certificate.subject and seen <= len(by_name):
        if certificate.issuer not in by_name:
            return False
        certificate, seen = by_name[certificate.issuer], seen + 1
    return True


@lru_cache(maxsize=64)
def _load_crl(der: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(der)


def _signed_by(crl: x509.CertificateRevocationList, key: object) -> bool:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        return crl.is_signature_valid(key)
    except (InvalidSignature, TypeError, UnsupportedAlgorithm):
        # a key of another kind than the list was signed with
        return False


def _subject_identifiers(certificate: x509.Certificate) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.USER_ID):
        prefix, _, value = str(attribute.value).partition(":")
        found.setdefault(prefix.strip().upper(), value.strip())
    return found


def _first(identifiers: dict[str, str], prefixes: tuple[str, ...]) -> str | None:
    return next((identifiers[prefix] for prefix in prefixes if identifiers.get(prefix)), None)


def _common_name(name: x509.Name) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(oid):
            return str(attribute.value)
    return name.rfc4514_string()


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "other", 0
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ecdsa", key.key_size
    return "other", 0


def _signature_hash(certificate: x509.Certificate) -> str | None:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return algorithm.name if algorithm else None


def _usages(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name for name in _KEY_USAGES if getattr(usage, name))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _day(moment: datetime) -> str:
    return moment.astimezone(_VIETNAM).strftime("%d/%m/%Y")


def _validity_problems(facts: CertificateFacts, at: datetime) -> list[Problem]:
    if at > facts.not_after:
        message = f"Chứng thư số đã hết hạn từ ngày {_day(facts.not_after)}."
        return [Problem(code="expired", message_vi=message, action_vi="Gia hạn chứng thư số hoặc dùng chứng thư số khác rồi đăng ký lại.")]
    if at < facts.not_before:
        message = f"Chứng thư số chưa có hiệu lực, chỉ có hiệu lực từ ngày {_day(facts.not_before)}."
        return [Problem(code="not_yet_valid", message_vi=message, action_vi="Chờ đến ngày có hiệu lực hoặc dùng chứng thư số khác.")]
    return []


def _owner_problems(facts: CertificateFacts, kind: Owner, expected: str | None) -> list[Problem]:
    if facts.kind not in (kind, "unknown"):
        return [_PROBLEMS["organisation_for_personal" if kind == "personal" else "personal_for_organisation"]]
    stated = facts.personal_id if kind == "personal" else facts.tax_code
    if stated is None:
        return [_PROBLEMS["no_personal_id" if kind == "personal" else "no_tax_code"]]
    if expected is not None and stated != expected:
        return [_PROBLEMS["other_person" if kind == "personal" else "other_organisation"]]
    return []


_CONTACT_PROVIDER = "Liên hệ nhà cung cấp chứng thư số để được cấp chứng thư số khác."
_PROBLEMS = {
    code: Problem(code=code, message_vi=message, action_vi=action)
    for code, message, action in (
        (
            "untrusted",
            "Chứng thư số không do tổ chức cung cấp dịch vụ chứng thực được tin cậy cấp.",
            "Dùng chứng thư số do tổ chức chứng thực công cộng hoặc chuyên dùng Chính phủ cấp.",
        ),
        (
            "incomplete_chain",
            "Thiếu chứng thư số của đơn vị cấp, không kiểm tra được đến chứng thư số gốc.",
            "Cài đặt đầy đủ chứng thư số của nhà cung cấp rồi thử lại.",
        ),
        ("expired_chain", "Chứng thư số của đơn vị cấp không còn hoặc chưa có hiệu lực.", _CONTACT_PROVIDER),
        ("revoked", "Chứng thư số đã bị thu hồi.", _CONTACT_PROVIDER),
        (
            "personal_for_organisation",
            "Đây là chứng thư số cá nhân, không phải chứng thư số của nhà trường.",
            "Chọn chứng thư số tổ chức cấp cho nhà trường.",
        ),
        (
            "organisation_for_personal",
            "Đây là chứng thư số của tổ chức, không phải chứng thư số cá nhân.",
            "Chọn chứng thư số cá nhân của thầy/cô.",
        ),
        (
            "no_personal_id",
            "Chứng thư số không ghi số định danh cá nhân của chủ sở hữu.",
            "Dùng chứng thư số cá nhân có ghi số định danh cá nhân.",
        ),
        (
            "no_tax_code",
            "Chứng thư số không ghi mã số thuế hoặc mã ngân sách của tổ chức.",
            "Dùng chứng thư số tổ chức có ghi mã số thuế của nhà trường.",
        ),
        (
            "other_person",
            "Số định danh cá nhân trên chứng thư số khác với số định danh trong hồ sơ nhân sự.",
            "Chọn đúng chứng thư số của mình hoặc đề nghị quản trị trường kiểm tra hồ sơ nhân sự.",
        ),
        (
            "other_organisation",
            "Mã số thuế trên chứng thư số khác với mã số thuế của nhà trường.",
            "Chọn đúng chứng thư số của nhà trường hoặc kiểm tra lại mã số thuế đã khai báo.",
        ),
        ("weak_key", "Khoá của chứng thư số quá yếu (yêu cầu RSA từ 2048 bit hoặc ECDSA từ 256 bit).", _CONTACT_PROVIDER),
        ("weak_hash", "Chứng thư số dùng thuật toán băm không còn an toàn (yêu cầu SHA-256 trở lên).", _CONTACT_PROVIDER),
        ("wrong_usage", "Chứng thư số không được cấp để ký số.", "Chọn chứng thư số có mục đích ký số."),
    )
}
