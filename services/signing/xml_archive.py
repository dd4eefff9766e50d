"""XAdES-BASELINE-LTA for the last signature of a transcript's XML, the school's, which covers the whole document.

`value_digest` is what the signature timestamp is asked for, `prepare` adds that timestamp with the validation data of all signers
and gives the digest for the archive timestamp, `finish` adds that one. Before the TSA's certificate ends, `prepare_renewal` and
`finish` add a further archive timestamp. Properties are only ever inserted: no other byte of the document changes.
Message imprints by ETSI EN 319 132-1, 5.3 (signature timestamp) and 5.5.2 (archive timestamp).
All functions are pure and safe to run in a process pool.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from lxml import etree
from pydantic import BaseModel, ConfigDict

from services.means.judging.archived import (
    ARCHIVE_TIMESTAMP,
    ENCAPSULATED_TIMESTAMP,
    XADES141,
    archived_octets,
    unsigned_properties,
    value_octets,
)
from services.means.judging.frame import DS, EXCLUSIVE, XADES, UnsuitableDocument, parse
from services.means.timestamps import TimestampRefused, imprint_of, signer_of
from services.means.validation_data import ValidationData

_END: Final = b"</xades:QualifyingProperties></ds:Object></ds:Signature></ChuKy>"
_OPENING: Final = b"<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
_CLOSING: Final = b"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"


class PreparedArchive(BaseModel):
    """`document` still without the archive timestamp that is to be made of `digest` (SHA-256)."""

    model_config = ConfigDict(frozen=True)

    document: bytes
    digest: bytes


def value_digest(document: bytes) -> bytes:
    """SHA-256 for the signature timestamp of the last signature. Raises UnsuitableDocument."""
    return sha256(value_octets(_last(parse(document)))).digest()


def prepare(document: bytes, signature_token: bytes, data: ValidationData) -> PreparedArchive:
    """Give the last signature its timestamp and the validation data, without what is in the document already.

    `signature_token` is the DER TimeStampToken of `value_digest`. Raises UnsuitableDocument, ValueError when the signature has
    unsigned properties already, TimestampRefused when the token is over another digest.
    """
    root = parse(document)
    signature = _last(root)
    if unsigned_properties(signature):
        raise ValueError("the last signature has a timestamp already")
    _check(signature_token, sha256(value_octets(signature)).digest())
    name = signature.get("Id", "").encode()
    known = {*_certificates(root), *_token_certificates(signature_token)}
    timestamp = _timestamp(b"xades:SignatureTimeStamp", name + b"-ts", signature_token)
    return _prepared(document, timestamp + b"".join(_values(data, known)))


def prepare_renewal(document: bytes, data: ValidationData) -> PreparedArchive:
    """For a further archive timestamp: keep what proves the last one's authority, given in `data`, as TimeStampValidationData.

    Raises UnsuitableDocument, ValueError when the last signature has no archive timestamp yet.
    """
    root = parse(document)
    properties = unsigned_properties(_last(root))
    if not properties or properties[-1].tag != ARCHIVE_TIMESTAMP:
        raise ValueError("the last signature does not end with an archive timestamp")
    tokens = [b64decode(node.text or "") for node in root.iter(ENCAPSULATED_TIMESTAMP)]
    known = {*_certificates(root), *(each for token in tokens for each in _token_certificates(token))}
    values = b"".join(_values(data, known))
    opening, closing = b'<xades141:TimeStampValidationData xmlns:xades141="%b">' % XADES141.encode(), b"</xades141:TimeStampValidationData>"
    return _prepared(document, opening + values + closing if values else b"")


def finish(prepared: PreparedArchive, token: bytes) -> bytes:
    """The document with its archive timestamp; raises TimestampRefused when the token is over another digest."""
    _check(token, prepared.digest)
    signature = _last(parse(prepared.document))
    number = 1 + sum(1 for each in unsigned_properties(signature) if each.tag == ARCHIVE_TIMESTAMP)
    name = b"%b-ats-%d" % (signature.get("Id", "").encode(), number)
    return _inserted(prepared.document, _timestamp(b"xades141:ArchiveTimeStamp", name, token))


def _last(root: etree._Element) -> etree._Element:
    if not len(root[1]):
        raise UnsuitableDocument("unsigned", "Tệp XML chưa có chữ ký nào.")
    return root[1][-1]


def _prepared(document: bytes, properties: bytes) -> PreparedArchive:
    document = _inserted(document, properties)
    return PreparedArchive(document=document, digest=sha256(archived_octets(_last(parse(document)))).digest())


def _inserted(document: bytes, properties: bytes) -> bytes:
    head, end, tail = document.rpartition(_END)
    if not end:
        raise UnsuitableDocument("layout", "Tệp XML không có cấu trúc của học bạ số.")
    return head.removesuffix(_CLOSING) + (b"" if head.endswith(_CLOSING) else _OPENING) + properties + _CLOSING + end + tail


def _timestamp(tag: bytes, name: bytes, token: bytes) -> bytes:
    namespace = b' xmlns:xades141="%b"' % XADES141.encode() if tag.startswith(b"xades141:") else b""
    method = b'<ds:CanonicalizationMethod Algorithm="%b"></ds:CanonicalizationMethod>' % EXCLUSIVE.value.encode()
    return b'<%b%b Id="%b">%b%b</%b>' % (tag, namespace, name, method, _encapsulated(b"TimeStamp", [token]), tag)


def _values(data: ValidationData, known: set[bytes]) -> Iterator[bytes]:
    certificates = [each for each in dict.fromkeys(data.certificates) if each not in known]
    if certificates:
        yield b"<xades:CertificateValues>" + _encapsulated(b"X509Certificate", certificates) + b"</xades:CertificateValues>"
    revocation = b""
    for kind, values in ((b"CRL", data.crls), (b"OCSP", data.ocsps)):
        if values:
            revocation += b"<xades:%bValues>%b</xades:%bValues>" % (kind, _encapsulated(kind + b"Value", dict.fromkeys(values)), kind)
    if revocation:
        yield b"<xades:RevocationValues>" + revocation + b"</xades:RevocationValues>"


def _encapsulated(kind: bytes, values: Iterable[bytes]) -> bytes:
    return b"".join(b"<xades:Encapsulated%b>%b</xades:Encapsulated%b>" % (kind, b64encode(value), kind) for value in values)


def _certificates(root: etree._Element) -> set[bytes]:
    return {b64decode(node.text or "") for node in root.iter(f"{{{DS}}}X509Certificate", f"{{{XADES}}}EncapsulatedX509Certificate")}


def _token_certificates(token: bytes) -> set[bytes]:
    certificate, others = signer_of(token)
    return {certificate, *others}


def _check(token: bytes, digest: bytes) -> None:
    if imprint_of(token) != digest:
        raise TimestampRefused("the token is over another digest")
