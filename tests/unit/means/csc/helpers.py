"""What the tests of the CSC client share."""

import hashlib
import traceback
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from services.means.remote import (
    Credential,
)
from tests.unit.means.csc.provider import (
    Held,
)

HASHES = [hashlib.sha256(bytes([number])).digest() for number in range(7)]


HASHES = [hashlib.sha256(bytes([number])).digest() for number in range(7)]


def credential_of(held: Held, **changes: Any) -> Credential:
    der = [one.public_bytes(Encoding.DER) for one in held.certificates]
    facts = {"key_algorithms": tuple(held.algorithms), "scal": "2", "multisign": 100, **changes}
    return Credential(id=held.id, certificate=der[0], chain=tuple(der[1:]), **facts)


def verify(held: Held, value: bytes, digest: bytes) -> None:
    """Raises InvalidSignature unless the value is PKCS#1 v1.5 or ECDSA over the digest."""
    key = held.certificates[0].public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(value, digest, padding.PKCS1v15(), Prehashed(SHA256()))
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(value, digest, ec.ECDSA(Prehashed(SHA256())))


def everything_said(error: BaseException) -> str:
    """All that a careless log could print of an exception and of what it came from."""
    said, seen = [], error
    while True:
        said += [repr(seen), str(vars(seen)), *traceback.format_exception(seen)]
        following = seen.__cause__ or seen.__context__
        if following is None:
            return "\n".join(said)
        seen = following
