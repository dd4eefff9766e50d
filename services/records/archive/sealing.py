"""The seal of this installation over the packages that leave it, and whose seals are believed.

The key is the service's own (`HOCBA_SERVICE_KEY_FILE`): a school's certificate signs documents, one person confirming each time, and
the documents in a package carry those signatures. The seal says only that nothing of the package changed since it was made here.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from services.chassis.settings import Settings, needed

if TYPE_CHECKING:
    import datetime as dt


class Seal:
    """Raises SystemExit at start-up when the key or its certificate is missing or of another kind than P-256."""

    def __init__(self, settings: Settings) -> None:
        key = load_pem_private_key(needed(settings.service_key_file, "service_key_file").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise SystemExit("HOCBA_SERVICE_KEY_FILE holds no P-256 key")
        self._key = key
        chain = x509.load_pem_x509_certificates(needed(settings.service_cert_file, "service_cert_file").read_bytes())
        self._chain = [certificate.public_bytes(Encoding.DER) for certificate in chain]

    @property
    def certificate(self) -> bytes:
        """DER."""
        return self._chain[0]

    def over(self, manifest: bytes) -> bytes:
        """A detached JWS with an unencoded payload (RFC 7515, appendix F; RFC 7797)."""
        header = {"alg": "ES256", "b64": False, "crit": ["b64"], "x5c": [b64encode(each).decode() for each in self._chain]}
        protected = _base64url(json.dumps(header, separators=(",", ":")).encode())
        r, s = decode_dss_signature(self._key.sign(protected + b"." + manifest, ec.ECDSA(hashes.SHA256())))
        return protected + b".." + _base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def believed(settings: Settings) -> list[bytes]:
    """DER certificates of the installations whose packages are taken: those of the trust file, which names this one too."""
    if settings.package_trust_file is None:
        return []
    found = x509.load_pem_x509_certificates(settings.package_trust_file.read_bytes())
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def valid_at(certificate: bytes, moment: dt.datetime) -> bool:
    loaded = x509.load_der_x509_certificate(certificate)
    return loaded.not_valid_before_utc <= moment <= loaded.not_valid_after_utc


def _base64url(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
