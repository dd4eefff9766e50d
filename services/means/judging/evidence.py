"""What a document carries to stay provable, judged: timestamps, certificates, OCSP responses and revocation lists.

Data is believed only for its own signatures, so it does not matter where it came from. Certificates, responses, lists and tokens
are DER, moments are aware datetimes; nothing is fetched.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import new as new_hash
from typing import Literal

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import BaseModel, ConfigDict
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from services.means.validation_data import ValidationData
from services.means.x509 import RevocationState, Trust, complete, describe, load, load_asn1, revoked, trust

HASHES = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})
StampState = Literal["good", "outlived", "bad"]
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, UnsupportedAlgorithm)
"""What the libraries raise on bytes that are no certificate, no token, no number."""

_MOST_ISSUERS = 10
# pyHanko would write whatever it finds into the log, with the holders' names and personal ids; here it is returned
for _name in ("pyhanko.sign.validation", "pyhanko.sign.diff_analysis"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
_SIGNATURE_WRONG = (InvalidSignature, UnsupportedAlgorithm)


class Stamp(BaseModel):
    """A timestamp judged for a moment. "outlived": sound, but its unit's certificate has ended; "bad": damaged, or of no trusted unit."""

    model_config = ConfigDict(frozen=True)

    state: StampState
    time: datetime | None = None


class Means(BaseModel):
    """What trust is judged with: the roots, and all validation data at hand, from the document and from elsewhere."""

    model_config = ConfigDict(frozen=True)

    roots: tuple[bytes, ...]
    data: ValidationData

    def context(self, at: datetime) -> ValidationContext:
        return ValidationContext(
            trust_roots=[load_asn1(root) for root in self.roots],
            other_certs=[load_asn1(each) for each in self.data.certificates],
            moment=at.astimezone(UTC),
            allow_fetching=False,
            revocation_mode="soft-fail",
        )


def only_readable(data: ValidationData) -> ValidationData:
    """Without what is no certificate, response or list at all."""
    return ValidationData(
        certificates=tuple(each for each in data.certificates if _loads(check_readable, each)),
        ocsps=tuple(each for each in data.ocsps if _response(each) is not None),
        crls=tuple(each for each in data.crls if _loads(_made, each)),
    )


@lru_cache(maxsize=2048)
def check_readable(certificate: bytes) -> None:
    """Raises one of MALFORMED for what is no certificate, down to its names and key, which libraries notice only when they use them."""
    describe(certificate)
    load(certificate).public_key()
    _ = load_asn1(certificate).public_key.sha1


def joined(*parts: ValidationData) -> ValidationData:
    return ValidationData(
        certificates=tuple(dict.fromkeys(each for part in parts for each in part.certificates)),
        ocsps=tuple(dict.fromkeys(each for part in parts for each in part.ocsps)),
        crls=tuple(dict.fromkeys(each for part in parts for each in part.crls)),
    )


def judge_stamp(token: bytes, octets: bytes, means: Means, at: datetime) -> Stamp:
    """Whether the token is over these octets, soundly signed, by a timestamping unit that is trusted at the moment `at`."""
    try:
        content = cms.ContentInfo.load(token, strict=True)
        if content["content_type"].native != "signed_data":
            return Stamp(state="bad")
        signed = content["content"]
    except (ValueError, TypeError, KeyError):
        return Stamp(state="bad")
    return judge_signed_stamp(signed, lambda name: new_hash(name, octets).digest(), means, at)


def judge_signed_stamp(signed: cms.SignedData, imprint: Callable[[str], bytes], means: Means, at: datetime) -> Stamp:
    """The same for the content of a token; `imprint` gives the digest by the name of its algorithm."""
    try:
        others = [each.chosen.dump() for each in signed["certificates"]]
        for each in others:
            check_readable(each)
        found = complete(validate_tst_signed_data(signed, means.context(at), lambda name: imprint(name) if name in HASHES else b""))
    except (SignatureValidationError, CMSExtractionError, *MALFORMED):
        return Stamp(state="bad")
    unit = found["signing_cert"].dump()
    if not (found["intact"] and found["valid"] and found["md_algorithm"] in HASHES and _stamps_only(unit)):
        return Stamp(state="bad")
    time: datetime = found["timestamp"]
    if not load(unit).not_valid_before_utc <= time <= load(unit).not_valid_after_utc:
        return Stamp(state="bad")
    trusted = judge_certificate(unit, others, means, at)
    if trusted.state == "expired":
        return Stamp(state="outlived", time=time)
    if trusted.state != "trusted" or found["trust_problem_indic"] is not None:
        return Stamp(state="bad")
    return Stamp(state="good", time=time)


def judge_certificate(certificate: bytes, others: Sequence[bytes], means: Means, at: datetime) -> Trust:
    """Path validation for the moment `at`, and what OCSP responses and lists say of every certificate on the way."""
    pool = tuple(dict.fromkeys((*others, *means.data.certificates, *means.roots)))
    # almost always the issuers that are found first are the right ones; only among few certificates is the search quick
    found = trust(certificate, [issuer for _, issuer in _way_up(certificate, pool)], means.roots, at=at)
    if found.state != "trusted":
        found = trust(certificate, pool, means.roots, at=at)
    if found.state != "trusted":
        return found
    state = revocation(certificate, pool, means.data, at)
    return Trust(state="revoked" if state == "revoked" else "trusted", revocation=state)


def revocation(certificate: bytes, pool: Sequence[bytes], data: ValidationData, at: datetime) -> RevocationState:
    """The weakest state on the way up to a self-issued certificate in `pool`, from `data` alone."""
    way = _way_up(certificate, pool)
    top = load(way[-1][1] if way else certificate)
    weakest: RevocationState = "good" if top.issuer == top.subject else "unknown"
    for each, issuer in way:
        state = _revocation(each, issuer, data, at)
        if state == "revoked":
            return state
        weakest = state if state == "unknown" else weakest
    return weakest


def _revocation(certificate: bytes, issuer: bytes, data: ValidationData, at: datetime) -> RevocationState:
    """As for lists (`x509.revoked`): a revocation counts from its date on, "good" while it is current or when it was said later."""
    until = load(certificate).not_valid_after_utc
    by_list = revoked(certificate, data.crls, [issuer], at=at).state
    if by_list == "good":
        # authorities drop ended certificates from their lists, so the silence of a list made afterwards says nothing
        by_list = revoked(certificate, [each for each in data.crls if _made(each) <= until], [issuer], at=at).state
    states = {by_list}
    for single in _answers(certificate, issuer, data.ocsps):
        if single.certificate_status == ocsp.OCSPCertStatus.REVOKED:
            since = single.revocation_time_utc
            states.add("revoked" if since is None or since <= at else "good")
        elif single.certificate_status == ocsp.OCSPCertStatus.GOOD and single.this_update_utc <= until:
            current = single.next_update_utc is not None and single.next_update_utc >= at
            states.add("good" if current or single.this_update_utc >= at else "unknown")
    return "revoked" if "revoked" in states else "good" if "good" in states else "unknown"


def _way_up(certificate: bytes, pool: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """Each certificate with its issuer's; ends where no issuer is known."""
    way: list[tuple[bytes, bytes]] = []
    while load(certificate).issuer != load(certificate).subject and len(way) < _MOST_ISSUERS:
        issuer = next((each for each in pool if _issued(certificate, each)), None)
        if issuer is None:
            break
        way.append((certificate, issuer))
        certificate = issuer
    return way


@lru_cache(maxsize=8192)
def _issued(certificate: bytes, issuer: bytes) -> bool:
    try:
        load(certificate).verify_directly_issued_by(load(issuer))
    except (ValueError, TypeError, *_SIGNATURE_WRONG):
        return False
    return True


def _stamps_only(certificate: bytes) -> bool:
    usage = load_asn1(certificate).extended_key_usage_value
    return usage is not None and usage.native == ["time_stamping"]


@lru_cache(maxsize=256)
def _made(crl: bytes) -> datetime:
    found = x509.load_der_x509_crl(crl)
    _ = found.issuer
    return found.last_update_utc


def _answers(certificate: bytes, issuer: bytes, responses: Iterable[bytes]) -> list[ocsp.OCSPSingleResponse]:
    found = []
    for der in responses:
        response = _response(der)
        singles = [each for each in response.responses if _is_about(each, certificate, issuer)] if response else []
        if singles and _may_answer(der, issuer):
            found += singles
    return found


@lru_cache(maxsize=2048)
def _response(der: bytes) -> ocsp.OCSPResponse | None:
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        for each in response.certificates:
            check_readable(each.public_bytes(Encoding.DER))
        _ = [(one.serial_number, one.hash_algorithm, one.this_update_utc) for one in response.responses]
    except MALFORMED:
        return None
    return response


def _is_about(single: ocsp.OCSPSingleResponse, certificate: bytes, issuer: bytes) -> bool:
    if single.serial_number != load(certificate).serial_number:
        return False
    asked = ocsp.OCSPRequestBuilder().add_certificate(load(certificate), load(issuer), single.hash_algorithm).build()
    return (asked.issuer_name_hash, asked.issuer_key_hash) == (single.issuer_name_hash, single.issuer_key_hash)


@lru_cache(maxsize=2048)
def _may_answer(der: bytes, issuer: bytes) -> bool:
    """Signed by the issuer, or by a responder to which the issuer gave that right (RFC 6960, 4.2.2.2)."""
    response = _response(der)
    if response is None:
        return False
    signers = [load(issuer)]
    for each in response.certificates:
        valid = each.not_valid_before_utc <= response.produced_at_utc <= each.not_valid_after_utc
        if valid and _issued(each.public_bytes(Encoding.DER), issuer) and _is_responder(each):
            signers.append(each)
    return any(_verifies(response, each.public_key()) for each in signers)


def _is_responder(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _verifies(response: ocsp.OCSPResponse, key: object) -> bool:
    try:
        algorithm = response.signature_hash_algorithm
        if algorithm is None or algorithm.name not in ("sha256", "sha384", "sha512"):
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except _SIGNATURE_WRONG:
        return False
    return True


def _loads(loader: Callable[[bytes], object], der: bytes) -> bool:
    try:
        loader(der)
    except MALFORMED:
        return False
    return True
