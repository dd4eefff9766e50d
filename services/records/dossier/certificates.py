"""The signers' certificates, taken out of the signatures that stand in a transcript's XML.

Everybody who signs the PDF signs the XML too, so the XML has them all. Nothing is verified here: signing did that before it stored them.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lxml import etree

from services.means.x509 import CertificateFacts, describe

DS = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True)
class SignerCertificate:
    """`place` is the Id of the signature in the XML; `der` the signer's own certificate, not those above it."""

    place: str
    der: bytes

    @property
    def facts(self) -> CertificateFacts:
        return describe(self.der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return sha256(self.der).hexdigest()


def certificates_of(xml: bytes) -> list[SignerCertificate]:
    """In signing order. Raises ValueError (lxml's XMLSyntaxError among them) for what is no XML or holds no certificate."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as problem:
        raise ValueError(str(problem)) from problem
    found = []
    for signature in root.iterfind(f"./*/{{{DS}}}Signature"):
        held = signature.findtext(f"./{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
        if not held:
            raise ValueError("a signature without its certificate")
        found.append(SignerCertificate(str(signature.get("Id", "")), b64decode(held)))
    return found


def told(certificate: SignerCertificate) -> dict[str, Any]:
    """What the dossier says of a certificate."""
    facts = certificate.facts
    return {
        "subject": facts.subject,
        "issuer": facts.issuer,
        "serial": facts.serial,
        "valid_from": facts.not_before,
        "valid_to": facts.not_after,
        "sha256": certificate.fingerprint,
    }
