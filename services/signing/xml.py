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
from typing import Final, cast

from lxml import etree
from pydantic import BaseModel, ConfigDict
from signxml.algorithms import CanonicalizationMethod, SignatureMethod

from services.means.x509 import Problem, Scheme, WrongSignature, check_value, default_scheme, ecdsa_encodings
from services.signing.xades import DS, XADES, canonical, template

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

ROOTS: Final = {"urn:hocba:transcript:1": "HocBa", "urn:hocba:summary:1": "BangTongHop", "urn:hocba:withdrawal:1": "YeuCauThuHoi"}
"""Namespace → root of what is signed here; within it everything is called alike."""
DESCRIPTIONS: Final = {
    "HocBa": "Học bạ số",
    "BangTongHop": "Bảng tổng hợp kết quả đánh giá giáo dục",
    "YeuCauThuHoi": "Yêu cầu thu hồi học bạ số",
}
CONTENT_ID: Final = "nd"
WHOLE: Final = ("",)
"""Cover the whole document but this signature itself: for the last signer, the school."""

EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
METHODS: Final[dict[Scheme, SignatureMethod]] = {
    "rsa-pkcs1": SignatureMethod.RSA_SHA256,
    "rsa-pss": SignatureMethod.SHA256_RSA_MGF1,
    "ecdsa": SignatureMethod.ECDSA_SHA256,
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_TAIL = re.compile(rb"(?:(<ChuKy Id=\"ck\")\s*/>|</ChuKy>)(\s*</(?:HocBa|BangTongHop|YeuCauThuHoi)>\s*)\Z")
_EMPTY_VALUE: Final = b"></ds:SignatureValue>"
_FRAMES: Final = {f"{{{namespace}}}{name}" for namespace, name in ROOTS.items()}
_LIKE_ID: Final = etree.XPath(
    # the length first: it spares most attributes the comparison
    "descendant-or-self::*/@*[string-length(local-name()) = 2][translate(local-name(), 'ID', 'id') = 'id']",
    smart_strings=False,
)
_SIGNATURE: Final = f"{{{DS}}}Signature"
_VALUE: Final = f"{{{DS}}}SignatureValue"


class UnsuitableDocument(ValueError):
    """The document is not of the layout that is signed here; `problem` says what is wrong in the person's words."""

    def __init__(self, code: str, message_vi: str) -> None:
        super().__init__(code)
        self.problem = Problem(code=code, message_vi=message_vi, action_vi="Dùng tệp học bạ gốc do hệ thống tạo ra.")

    def __reduce__(self) -> tuple[type["UnsuitableDocument"], tuple[str, str]]:
        return type(self), (self.problem.code, self.problem.message_vi)


class PreparedXml(BaseModel):
    """`signature` is the ds:Signature with an empty SignatureValue; the signer signs `digest`, SHA-256 of the canonical SignedInfo."""

    model_config = ConfigDict(frozen=True)

    signature_id: str
    signature: bytes
    digest: bytes
    scheme: Scheme


def namespace_of(node: etree._Element) -> str:
    return etree.QName(node).namespace or ""


def is_root(node: etree._Element) -> bool:
    """Whether it is a whole document of a kind that is signed here."""
    return node.tag in _FRAMES


def signature_value_id(signature_id: str) -> str:
    """The Id of a signature's value, by which later signatures cover it."""
    return f"{signature_id}-sv"


def parse(document: bytes) -> etree._Element:
    """Parse a document and assert its frame: below a root of `ROOTS`, `NoiDung[@Id="nd"]`, then `ChuKy` with signatures only.

    Ids are unique, and there are neither a DTD nor comments nor processing instructions, which canonicalisation
    leaves out: so what was signed can be nothing but what is read. Raises UnsuitableDocument.
    """
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise UnsuitableDocument("not_xml", "Tệp không phải là tệp XML hợp lệ.") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise UnsuitableDocument("dtd", "Tệp XML có khai báo DTD, không được chấp nhận.")
    strange = next(root.getroottree().getroot().iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None)
    if strange is not None or root.getprevious() is not None or root.getnext() is not None:
        raise UnsuitableDocument("comments", "Tệp XML có chú thích hoặc chỉ thị xử lý nằm ngoài nội dung được ký.")
    children = [(child.tag, child.get("Id")) for child in root]
    namespace = namespace_of(root)
    if not is_root(root) or children != [(f"{{{namespace}}}NoiDung", CONTENT_ID), (f"{{{namespace}}}ChuKy", "ck")]:
        raise UnsuitableDocument("layout", "Tệp XML không có cấu trúc của học bạ số, bảng tổng hợp.")
    if any(child.tag != _SIGNATURE or not child.get("Id") for child in root[1]):
        raise UnsuitableDocument("layout", "Phần chữ ký của tệp XML có thành phần lạ.")
    ids = cast("list[str]", _LIKE_ID(root))
    if len(ids) != len(set(ids)):
        raise UnsuitableDocument("duplicate_id", "Tệp XML có mã thành phần (Id) bị lặp lại.")
    return root


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
