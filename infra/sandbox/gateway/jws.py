"""The sender's signature over a package: a detached JWS with an unencoded payload (RFC 7515 appendix F, RFC 7797)."""

import base64
import binascii
import json
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from infra.sandbox.gateway.errors import PackageRefused, Untrusted
from infra.sandbox.gateway.trust import Trust, subject_identifier

COORDINATE_BYTES = 32


def verify(header: str | None, body: bytes, trust: Trust, peer: bytes | None) -> str:
    """The sender's service name. Raises PackageRefused (401) unless a trusted service certificate signed exactly these bytes.

    `peer` is the certificate (DER) that the connection was made with: the same must have signed.

    The header is `<protected>..<signature>` with {"alg": "ES256", "b64": false, "crit": ["b64"], "x5c": [leaf, intermediate]}.
    """
    if not header:
        raise _refused("Thiếu tiêu đề X-JWS-Signature")
    parts = header.split(".")
    if len(parts) != 3 or parts[1]:
        raise _refused("X-JWS-Signature không phải là JWS tách rời")
    try:
        protected = json.loads(_decode(parts[0]))
        signature = _decode(parts[2])
    except (binascii.Error, ValueError) as wrong:
        raise _refused("X-JWS-Signature không đọc được") from wrong
    chain = _chain(protected)
    if peer is not None and chain[0].dump() != peer:
        raise _refused("Chứng thư số ký nội dung khác với chứng thư số của kết nối")
    try:
        trust.check(chain, frozenset({"digital_signature"}))
    except Untrusted as wrong:
        raise _refused(f"Chứng thư số của bên gửi không được tin cậy: {wrong}") from wrong
    kind, name = subject_identifier(chain[0])
    usages = chain[0].extended_key_usage_value
    if kind != "SERVICE" or usages is None or "client_auth" not in usages.native:
        raise _refused("Chứng thư số không phải của dịch vụ được phép gửi gói")
    key = load_der_public_key(chain[0].public_key.dump())
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1) or len(signature) != 2 * COORDINATE_BYTES:
        raise _refused("Khoá hoặc chữ ký không đúng dạng ES256")
    r, s = (int.from_bytes(part, "big") for part in (signature[:COORDINATE_BYTES], signature[COORDINATE_BYTES:]))
    try:
        key.verify(utils.encode_dss_signature(r, s), parts[0].encode() + b"." + body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as wrong:
        raise _refused("Chữ ký của gói không đúng") from wrong
    return name


def _chain(protected: Any) -> list[asn1_x509.Certificate]:  # noqa: ANN401 RUF100  anything may come out of JSON
    if not isinstance(protected, dict) or (protected.get("alg"), protected.get("b64"), protected.get("crit")) != ("ES256", False, ["b64"]):
        raise _refused('Tiêu đề JWS phải có alg "ES256", b64 false và crit ["b64"]')
    certificates = protected.get("x5c")
    if not isinstance(certificates, list) or not certificates:
        raise _refused("Tiêu đề JWS thiếu x5c")
    try:
        chain = [asn1_x509.Certificate.load(base64.b64decode(each, validate=True), strict=True) for each in certificates]
        # asn1crypto parses lazily: touch what is used later
        for certificate in chain:
            certificate.subject.native, certificate.public_key.dump()
    except (binascii.Error, ValueError, TypeError) as wrong:
        raise _refused("x5c không đọc được") from wrong
    return chain


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _refused(reason: str) -> PackageRefused:
    return PackageRefused(401, "NG-003", reason)
