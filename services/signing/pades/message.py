"""CMS SignedData of a PAdES signature, spliced together from bytes that are made once a certificate.

pyHanko makes the template, with a digest and a value that stand for the real ones; what changes from signature to signature has a
fixed length (or, for ECDSA, one of a few), so that nothing has to be encoded anew.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Final

from asn1crypto import algos, cms
from pyhanko.sign.general import as_signing_certificate_v2
from pyhanko.sign.signers.pdf_cms import ExternalSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.means.x509 import Scheme, complete, load_asn1, value_size

AT_HAND: Final = 1024
"""Certificates whose templates stay in memory: a few kilobytes each."""
_DIGEST: Final = sha256(b"the digest of a document").digest()
_VALUE_PATTERN: Final = b"\xa5"


@lru_cache(maxsize=AT_HAND)
def _attributes(certificate: bytes) -> tuple[bytes, bytes]:
    # EN 319 142-1: no signing-time here, it stands in the signature dictionary
    encoded: bytes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": (cms.ContentType("data"),)}),
            cms.CMSAttribute({"type": "message_digest", "values": (_DIGEST,)}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": (as_signing_certificate_v2(load_asn1(certificate)),)}),
        ]
    ).dump()
    before, _, after = encoded.partition(_DIGEST)
    return before, after


def signed_attributes(certificate: bytes, document_digest: bytes) -> bytes:
    """DER of the SET that is signed: content type, message digest, signing certificate."""
    before, after = _attributes(certificate)
    return b"%s%s%s" % (before, document_digest, after)


def signed_data(attributes: bytes, value: bytes, certificate: bytes, chain: tuple[bytes, ...], scheme: Scheme) -> bytes:
    """DER of the ContentInfo; `attributes` as `signed_attributes` gives them for that certificate, an ECDSA value in DER."""
    before, between = _template(certificate, chain, scheme, len(value))
    # inside SignerInfo the SET has the tag [0] instead of its own
    return b"%s\xa0%s%s%s" % (before, attributes[1:], between, value)


@lru_cache(maxsize=AT_HAND)
def room(certificate: bytes, chain: tuple[bytes, ...], scheme: Scheme) -> int:
    """Bytes of the longest message that this certificate can need: for RSA every one has just that length."""
    longest = value_size(certificate)
    return len(signed_data(signed_attributes(certificate, _DIGEST), bytes(longest), certificate, chain, scheme))


@lru_cache(maxsize=4 * AT_HAND)
def _template(certificate: bytes, chain: tuple[bytes, ...], scheme: Scheme, value_length: int) -> tuple[bytes, bytes]:
    attributes, value = signed_attributes(certificate, _DIGEST), _VALUE_PATTERN * value_length
    store: SimpleCertificateStore = SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
        [load_asn1(each) for each in chain]
    )
    signer = _ValueAtHand(
        signing_cert=load_asn1(certificate),
        cert_registry=store,
        signature_value=value,
        signature_mechanism=_mechanism(scheme),
        embed_roots=False,
    )
    encoded: bytes = complete(signer.async_sign_prescribed_attributes("sha256", cms.CMSAttributes.load(attributes))).dump()
    before, found, rest = encoded.partition(b"\xa0" + attributes[1:])
    if not found or not rest.endswith(value):
        raise RuntimeError("the template of a signature is not laid out as expected")
    return before, rest[:-value_length]


def _mechanism(scheme: Scheme) -> algos.SignedDigestAlgorithm:
    if scheme != "rsa-pss":
        return algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa" if scheme == "rsa-pkcs1" else "sha256_ecdsa"})
    digest = {"algorithm": "sha256"}
    parameters = {
        "hash_algorithm": digest,
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
        "salt_length": 32,
    }
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})


class _ValueAtHand(ExternalSigner):
    """Without timestamps there are no unsigned attributes, and so nothing for which pyHanko needs an event loop."""

    async def unsigned_attrs(self, *_args: object, **_kwargs: object) -> None:
        return None
