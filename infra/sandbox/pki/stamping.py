"""RFC 3161 timestamps with a key that stays loaded."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from infra.sandbox.pki.authority import Stamper

# under the enterprise number reserved for examples (RFC 5612)
POLICY = "1.3.6.1.4.1.32473.1.1"
DIGEST_LENGTHS = {"sha256": 32, "sha384": 48, "sha512": 64, "sha3_256": 32, "sha3_384": 48, "sha3_512": 64}

INTEGER, OCTETS, SEQUENCE, SET, CONTEXT_0 = 0x02, 0x04, 0x30, 0x31, 0xA0
SIGNED_DATA = cms.ContentType("signed_data").dump()
TST_INFO = cms.ContentType("tst_info").dump()
GRANTED = tsp.PKIStatusInfo({"status": "granted"}).dump()


def refusal(failure: str, text: str) -> bytes:
    """A TimeStampResp that refuses; `failure` is a PKIFailureInfo name such as bad_alg."""
    status = tsp.PKIStatusInfo({"status": "rejection", "status_string": [text], "fail_info": {failure}})
    # asn1crypto wants a token in every TimeStampResp, RFC 3161 forbids one in a refusal
    return _der(SEQUENCE, status.dump())


def stamp(content: bytes, stamper: Stamper, *, damaged: bool = False) -> bytes:
    """Answer a DER TimeStampReq with a DER TimeStampResp; `damaged` gives a token whose signature is wrong."""
    try:
        request = tsp.TimeStampReq.load(content, strict=True)
        imprint = request["message_imprint"]
        algorithm, digest = imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
        policy, nonce, wants_certificates = request["req_policy"].native, request["nonce"].native, request["cert_req"].native
    except (ValueError, TypeError):
        return refusal("bad_data_format", "the request is not a TimeStampReq")
    if algorithm not in DIGEST_LENGTHS:
        return refusal("bad_alg", "hash algorithm not accepted")
    if len(digest) != DIGEST_LENGTHS[algorithm]:
        return refusal("bad_data_format", "digest length does not fit the hash algorithm")
    if policy not in (None, POLICY):
        return refusal("unaccepted_policy", "policy not accepted")
    info = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": imprint,
        "serial_number": secrets.randbits(127) + 1,
        "gen_time": datetime.now(UTC).replace(microsecond=0),
        "accuracy": {"seconds": 1},
    }
    if nonce is not None:
        info["nonce"] = nonce
    token = _signed(tsp.TSTInfo(info).dump(), stamper, wants_certificates=bool(wants_certificates), damaged=damaged)
    return _der(SEQUENCE, GRANTED, token)


@dataclass(frozen=True)
class _Fixed:
    """The DER of what is the same in every token: asn1crypto would encode all of it again each time, at ten times the cost."""

    content_type: bytes
    signing_certificate: bytes
    sid: bytes
    certificates: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes


@cache
def _fixed(stamper: Stamper) -> _Fixed:
    certificate = asn1_x509.Certificate.load(stamper.certificate.public_bytes(Encoding.DER))
    serial = certificate.serial_number
    issuer_serial = {"issuer": [asn1_x509.GeneralName({"directory_name": certificate.issuer})], "serial_number": serial}
    identified = tsp.SigningCertificateV2(
        {"certs": [{"cert_hash": hashlib.sha256(certificate.dump()).digest(), "issuer_serial": issuer_serial}]}
    )
    return _Fixed(
        content_type=cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}).dump(),
        signing_certificate=cms.CMSAttribute({"type": "signing_certificate_v2", "values": [identified]}).dump(),
        sid=cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": serial}).dump(),
        certificates=b"".join(each.public_bytes(Encoding.DER) for each in (stamper.certificate, stamper.issuer)),
        digest_algorithm=algos.DigestAlgorithm({"algorithm": "sha256"}).dump(),
        signature_algorithm=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}).dump(),
    )


def _signed(info: bytes, stamper: Stamper, *, wants_certificates: bool, damaged: bool) -> bytes:
    """The CMS SignedData (RFC 5652) over a TSTInfo, put together from its parts."""
    fixed = _fixed(stamper)
    digest = cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(info).digest()]}).dump()
    attributes = b"".join(sorted([fixed.content_type, digest, fixed.signing_certificate]))
    signed_part = _der(SET, attributes) + (b"damaged" if damaged else b"")
    signature = stamper.key.sign(signed_part, ec.ECDSA(hashes.SHA256()))
    signer = _der(
        SEQUENCE,
        _der(INTEGER, b"\x01"), fixed.sid, fixed.digest_algorithm, _der(CONTEXT_0, attributes), fixed.signature_algorithm,
        _der(OCTETS, signature),
    )  # fmt: skip
    signed = _der(
        SEQUENCE,
        _der(INTEGER, b"\x03"),
        _der(SET, fixed.digest_algorithm),
        _der(SEQUENCE, TST_INFO, _der(CONTEXT_0, _der(OCTETS, info))),
        _der(CONTEXT_0, fixed.certificates) if wants_certificates else b"",
        _der(SET, signer),
    )
    return _der(SEQUENCE, SIGNED_DATA, _der(CONTEXT_0, signed))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
