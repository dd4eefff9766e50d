"""XAdES-BASELINE-B signatures over the XML of a transcript, a class summary or a request to withdraw one, with the key elsewhere.

`prepare` builds a ds:Signature and gives the digest to be signed, `finish` puts the returned value in, `assemble` places
finished signatures in the document. Nothing is ever rebuilt in between: the bytes of `prepare` are the bytes of the file.
All functions are pure and safe to run in a process pool.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from lxml import etree
from pydantic import BaseModel, ConfigDict
from signxml.algorithms import SignatureMethod

from services.means.judging.frame import CONTENT_ID, DS, EXCLUSIVE, XADES, UnsuitableDocument, is_root, namespace_of, parse
from services.means.x509 import Scheme, WrongSignature, check_value, default_scheme, ecdsa_encodings
from services.signing.xades import canonical, template

__all__ = [
    "CONTENT_ID",
    "DS",
    "EXCLUSIVE",
    "METHODS",
    "WHOLE",
    "XADES",
    "PreparedXml",
    "UnsuitableDocument",
    "assemble",
    "finish",
    "is_root",
    "namespace_of",
    "parse",
    "prepare",
    "signature_value_id",
]

DESCRIPTIONS: Final = {
    "HocBa": "Học bạ số",
    "BangTongHop": "Bảng tổng hợp kết quả đánh giá giáo dục",
    "YeuCauThuHoi": "Yêu cầu thu hồi học bạ số",
}
WHOLE: Final = ("",)
"""Cover the whole document but this signature itself: for the last signer, the school."""

METHODS: Final[dict[Scheme, SignatureMethod]] = {
    "rsa-pkcs1": SignatureMethod.RSA_SHA256,
    "rsa-pss": SignatureMethod.SHA256_RSA_MGF1,
    "ecdsa": SignatureMethod.ECDSA_SHA256,
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_TAIL = re.compile(rb"(?:(<ChuKy Id=\"ck\")\s*/>|</ChuKy>)(\s*</(?:HocBa|BangTongHop|YeuCauThuHoi)>\s*)\Z")
_EMPTY_VALUE: Final = b"></ds:SignatureValue>"
_VALUE: Final = f"{{{DS}}}SignatureValue"


class PreparedXml(BaseModel):
    """`signature` is the ds:Signature with an empty SignatureValue; the signer signs `digest`, SHA-256 of the canonical SignedInfo."""

    model_config = ConfigDict(frozen=True)

    signature_id: str
    signature: bytes
    digest: bytes
    scheme: Scheme


def signature_value_id(signature_id: str) -> str:
    """The Id of a signature's value, by which later signatures cover it."""
    return f"{signature_id}-sv"


def prepare(
    document: bytes,
    *,
    signature_id: str,
    covers: Sequence[str],
    certificate: bytes,
    chain: Sequence[bytes],
    signed_at: datetime,
    role: str,
    scheme: Scheme | None = None,
) -> PreparedXml:
    """Build the signature that covers the elements with the Ids `covers` ("nd", `signature_value_id` of others), or `WHOLE`.

    `certificate` and `chain` (intermediates, no root) are DER. Raises UnsuitableDocument, or ValueError when an Id of
    `covers` is not in the document, when `signature_id` is no XML name or taken, or when the scheme does not fit the key.
    """
    if not _NAME.match(signature_id):
        raise ValueError("a signature id is an XML name without colon")
    scheme = scheme or default_scheme(certificate)
    if scheme.partition("-")[0] != default_scheme(certificate).partition("-")[0]:
        raise ValueError(f"the certificate's key cannot sign {scheme}")
    root = parse(document)
    if any(child.get("Id") == signature_id for child in root[1]):
        raise ValueError(f"{signature_id} has signed already")
    covers = tuple(covers)
    # this signature is not in the document yet, so the document as it is is what the enveloped-signature transform will leave
    known = {"": root} if covers == WHOLE else {str(part.get("Id")): part for part in _coverable(root)}
    parts = [known[name] for name in covers if name in known]
    if not covers or len(parts) != len(covers):
        raise ValueError("a signature covers the whole document, or elements by Ids that are in it")
    about = DESCRIPTIONS[etree.QName(root).localname]
    made = template(
        signature_id=signature_id,
        covers=covers,
        certificate=certificate,
        chain=tuple(chain),
        method=METHODS[scheme].value,
        role=role,
        about=about,
    )
    digests = [b64encode(sha256(canonical(part)).digest()) for part in parts]
    filled = made.fill(digests, signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode())
    return PreparedXml(signature_id=signature_id, signature=filled.signature, digest=sha256(filled.signed_info).digest(), scheme=scheme)


def _coverable(root: etree._Element) -> Iterator[etree._Element]:
    """The content and the values of all signatures; `parse` has asserted the frame."""
    yield root[0]
    for signature in root[1]:
        yield from signature.iterchildren(_VALUE)


def finish(prepared: PreparedXml, value: bytes, certificate: bytes) -> bytes:
    """The finished ds:Signature; raises WrongSignature unless the value verifies in the scheme prepared for."""
    if prepared.scheme == "ecdsa":
        _, value = ecdsa_encodings(certificate, prepared.digest, value)
    elif check_value(certificate, prepared.digest, value) != prepared.scheme:
        raise WrongSignature(f"the value is not in the scheme {prepared.scheme}")
    before, marker, after = prepared.signature.partition(_EMPTY_VALUE)
    if not marker:
        raise ValueError("the prepared signature has no empty SignatureValue")
    return before + b">" + b64encode(value) + marker[1:] + after


def assemble(document: bytes, signatures: Sequence[bytes]) -> bytes:
    """The document with the signatures appended inside ChuKy in the given order; every other byte stays as it is.

    Raises UnsuitableDocument when the document does not end with ChuKy.
    """
    tail = _TAIL.search(document, max(document.rfind(b"<ChuKy"), document.rfind(b"</ChuKy"), 0))
    if tail is None:
        raise UnsuitableDocument("layout", "Tệp XML không có cấu trúc của học bạ số, bảng tổng hợp.")
    if not signatures:
        return document
    opening = tail[1] + b">" if tail[1] else b""
    return document[: tail.start()] + opening + b"".join(signatures) + b"</ChuKy>" + tail[2]
