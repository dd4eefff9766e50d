"""The text of a XAdES-BASELINE-B signature in its canonical form, from a template kept for each signer and each set of parts covered.

What varies from document to document are digests and the signing time, in alphabets that need no escaping. Everything else is put
together once, escaped as canonical XML demands, and held against what libxml2 makes of it before anything is signed with it.
Profile: ETSI EN 319 132-1 with exclusive canonicalisation throughout; KeyInfo with the chain, itself covered; the signer alone in
SigningCertificateV2; SignerRoleV2; DataObjectFormat of the first part covered.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import zip_longest
from typing import Final

from lxml import etree

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"

_HOLE: Final = "\0"
"""Stands where a value comes in later; no XML document can hold it."""
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DS_APEX: Final = f' xmlns:ds="{DS}"'
_XADES_APEX: Final = f' xmlns:xades="{XADES}"'
_SAMPLE: Final = b64encode(bytes(32))
_SAMPLE_TIME: Final = b"2026-05-30T02:00:00Z"


@dataclass(frozen=True)
class Filled:
    """`signature` is the canonical ds:Signature with an empty SignatureValue, `signed_info` what the signer signs."""

    signature: bytes
    signed_info: bytes


@dataclass(frozen=True)
class Template:
    """Canonical texts cut apart where values come in: digests of the parts, time, digest of the signed properties."""

    signature: tuple[bytes, ...]
    signed_info: tuple[bytes, ...]
    properties: tuple[bytes, ...]

    def fill(self, digests: Sequence[bytes], moment: bytes) -> Filled:
        """`digests` are the base64 of the parts' digests in the order of `covers`, `moment` is an xsd:dateTime."""
        of_properties = b64encode(sha256(_filled(self.properties, [moment])).digest())
        return Filled(
            signature=_filled(self.signature, [*digests, of_properties, moment]),
            signed_info=_filled(self.signed_info, [*digests, of_properties]),
        )


@lru_cache(maxsize=512)
def template(
    *, signature_id: str, covers: tuple[str, ...], certificate: bytes, chain: tuple[bytes, ...], method: str, role: str, about: str
) -> Template:
    """For a signature over the elements with the Ids `covers`, or over the whole document for `("",)`; certificates are DER.

    Raises ValueError when a text has characters that XML cannot hold.
    """
    info = _signed_info(signature_id, covers, method, _key_info(signature_id, certificate, chain, _DS_APEX))
    properties = _properties(signature_id, certificate, role, about)
    signature = (
        f'<ds:Signature{_DS_APEX} Id="{attribute(signature_id)}">{info("")}'
        f'<ds:SignatureValue Id="{attribute(signature_id)}-sv"></ds:SignatureValue>{_key_info(signature_id, certificate, chain, "")}'
        f'<ds:Object><xades:QualifyingProperties{_XADES_APEX} Target="#{attribute(signature_id)}">{properties("", "")}'
        "</xades:QualifyingProperties></ds:Object></ds:Signature>"
    )
    made = Template(signature=_cut(signature), signed_info=_cut(info(_DS_APEX)), properties=_cut(properties(_XADES_APEX, _DS_APEX)))
    _check(made, len(covers), _key_info(signature_id, certificate, chain, _DS_APEX).encode())
    return made


def text(value: str) -> str:
    """Character data in canonical form. Raises ValueError for characters that XML cannot hold."""
    return _possible(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def attribute(value: str) -> str:
    """An attribute's value in canonical form. Raises ValueError for characters that XML cannot hold."""
    escaped = _possible(value).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def _possible(value: str) -> str:
    if _NO_XML.search(value):
        raise ValueError("the text has characters that XML cannot hold")
    return value


def _signed_info(signature_id: str, covers: tuple[str, ...], method: str, key_info: str) -> Callable[[str], str]:
    name = attribute(signature_id)
    parts = ""
    for place, part in enumerate(covers):
        own = f' Id="{name}-ref"' if place == 0 else ""
        uri = f"#{attribute(part)}" if part else ""
        parts += _reference(f'{own} URI="{uri}"', _HOLE, enveloped=not part)
    parts += _reference(f' Type="http://uri.etsi.org/01903#SignedProperties" URI="#{name}-SignedProperties"', _HOLE)
    parts += _reference(f' URI="#{name}-ki"', b64encode(sha256(key_info.encode()).digest()).decode())
    algorithms = (
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{attribute(method)}"></ds:SignatureMethod>'
    )
    return lambda apex: f"<ds:SignedInfo{apex}>{algorithms}{parts}</ds:SignedInfo>"


def _reference(attributes: str, digest: str, *, enveloped: bool = False) -> str:
    names = (ENVELOPED, EXCLUSIVE) if enveloped else (EXCLUSIVE,)
    transforms = "".join(f'<ds:Transform Algorithm="{each}"></ds:Transform>' for each in names)
    return (
        f"<ds:Reference{attributes}><ds:Transforms>{transforms}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    )


def _key_info(signature_id: str, certificate: bytes, chain: tuple[bytes, ...], apex: str) -> str:
    certificates = "".join(f"<ds:X509Certificate>{_lines(each)}</ds:X509Certificate>" for each in (certificate, *chain))
    return f'<ds:KeyInfo{apex} Id="{attribute(signature_id)}-ki"><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>'


def _lines(der: bytes) -> str:
    """As in PEM files, which some readers of KeyInfo expect."""
    encoded = b64encode(der).decode()
    return "".join(f"{encoded[start : start + 64]}\n" for start in range(0, len(encoded), 64))


def _properties(signature_id: str, certificate: bytes, role: str, about: str) -> Callable[[str, str], str]:
    """By what the apex declares, and what the first elements of the other namespace do."""
    name = attribute(signature_id)
    digest = b64encode(sha256(certificate).digest()).decode()
    return lambda apex, inner: (
        f'<xades:SignedProperties{apex} Id="{name}-SignedProperties"><xades:SignedSignatureProperties>'
        f"<xades:SigningTime>{_HOLE}</xades:SigningTime>"
        f'<xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod{inner} Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue{inner}>{digest}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
        f"<xades:SignerRoleV2><xades:ClaimedRoles><xades:ClaimedRole>{text(role)}</xades:ClaimedRole></xades:ClaimedRoles></xades:SignerRoleV2>"
        f'</xades:SignedSignatureProperties><xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#{name}-ref">'
        f"<xades:Description>{text(about)}</xades:Description><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>"
        "</xades:SignedDataObjectProperties></xades:SignedProperties>"
    )


def _cut(whole: str) -> tuple[bytes, ...]:
    return tuple(whole.encode().split(_HOLE.encode()))


def _filled(pieces: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    if len(pieces) != len(values) + 1:
        raise ValueError(f"{len(values)} values for {len(pieces) - 1} places")
    return b"".join(part for pair in zip_longest(pieces, values, fillvalue=b"") for part in pair)


def _check(made: Template, parts: int, key_info: bytes) -> None:
    """Whether libxml2 canonicalises what the template makes to exactly the bytes that are hashed; raises ValueError if not."""
    filled = made.fill([_SAMPLE] * parts, _SAMPLE_TIME)
    signature = etree.fromstring(filled.signature, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    by_path = {
        f"{{{DS}}}SignedInfo": filled.signed_info,
        f"{{{DS}}}KeyInfo": key_info,
        f".//{{{XADES}}}SignedProperties": _filled(made.properties, [_SAMPLE_TIME]),
    }
    found = {path: signature.find(path) for path in by_path}
    same = canonical(signature) == filled.signature
    if not same or any(node is None or canonical(node) != by_path[path] for path, node in found.items()):
        raise ValueError("the signature's text is not in canonical form")


def canonical(node: etree._Element) -> bytes:
    """Exclusive canonical form without comments, by libxml2."""
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)
