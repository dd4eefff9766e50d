"""Signatures over digests: RSA PKCS#1 v1.5 and PSS, and ECDSA (DER)."""

import hashlib
from base64 import b64decode, b64encode

from asn1crypto import algos, cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding

from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.vault import Credential, PrivateKey

HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
RSA, PSS, EC = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1"
# algorithms that name their hash themselves
RSA_WITH = {
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
}
ECDSA_WITH = {
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}


def algorithms_of(key: PrivateKey) -> list[str]:
    """Object identifiers for `key.algo` and for `signAlgo`."""
    return [RSA, *RSA_WITH, PSS] if isinstance(key, rsa.RSAPrivateKey) else [EC, *ECDSA_WITH]


def hash_of(sign_algorithm: str, hash_algorithm: str | None) -> str:
    """The hash that a signature algorithm works with. Raises CscError when both say different things or neither says it."""
    named = RSA_WITH.get(sign_algorithm) or ECDSA_WITH.get(sign_algorithm)
    if named and hash_algorithm and named != hash_algorithm:
        raise CscError("Invalid parameter hashAlgorithmOID")
    chosen = named or hash_algorithm
    if chosen is None:
        raise CscError("Missing (or invalid type) string parameter hashAlgorithmOID")
    if chosen not in HASHES:
        raise CscError("Invalid parameter hashAlgorithmOID")
    return chosen


def pss_salt_length(parameters: bytes | None, hash_algorithm: str) -> int:
    """Salt length in bytes from DER RSASSA-PSS-params; without parameters the digest's length. Raises CscError for a mismatch."""
    if parameters is None:
        return HASHES[hash_algorithm].digest_size
    try:
        parsed = algos.RSASSAPSSParams.load(parameters, strict=True)
        named, mask = parsed["hash_algorithm"]["algorithm"].dotted, parsed["mask_gen_algorithm"]["parameters"]["algorithm"].dotted
        length = int(parsed["salt_length"].native)
    except (ValueError, TypeError, KeyError) as wrong:
        raise CscError("Invalid parameter signAlgoParams") from wrong
    if named != hash_algorithm or mask != hash_algorithm:
        raise CscError("Invalid parameter signAlgoParams")
    return length


def sign_all(key: PrivateKey, digests: list[bytes], sign_algorithm: str, hash_algorithm: str, salt_length: int) -> list[str]:
    """Base64 signatures in the order of the digests; meant for a thread."""
    prehashed = utils.Prehashed(HASHES[hash_algorithm])
    if isinstance(key, rsa.RSAPrivateKey):
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if sign_algorithm == PSS:
            scheme = padding.PSS(padding.MGF1(HASHES[hash_algorithm]), salt_length)
        return [b64encode(key.sign(digest, scheme, prehashed)).decode() for digest in digests]
    return [b64encode(key.sign(digest, ec.ECDSA(prehashed))).decode() for digest in digests]


def another_digest(digest: bytes) -> bytes:
    """A digest of the same length that nobody asked for: its signature is well formed and wrong."""
    return hashlib.shake_256(b"wrong" + digest).digest(len(digest))


def wrapped(credential: Credential, value: str, *, attributes: bool) -> str:
    """The value in a detached CMS envelope (PKCS#7). With signed attributes it is one that nobody can use: it should have signed those."""
    certificate = asn1_x509.Certificate.load(credential.certificate.public_bytes(Encoding.DER))
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}),
        ),
        "digest_algorithm": {"algorithm": "sha256"},
        "signature_algorithm": {"algorithm": "rsassa_pkcs1v15" if credential.is_rsa else "sha256_ecdsa"},
        "signature": b64decode(value),
    }
    if attributes:
        signer["signed_attrs"] = [{"type": "content_type", "values": ["data"]}]
    content = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return b64encode(cms.ContentInfo({"content_type": "signed_data", "content": content}).dump()).decode()
