"""What is to be signed in a document, computed here from the document itself: the program never takes a hash from anybody.

XML: every reference of the prepared XAdES signature is canonicalised and hashed again, then its SignedInfo is canonicalised; that is
what is signed. PDF: the bytes that the signature's ByteRange covers are hashed again and compared with the signed attributes; these
are what is signed. All raise Trouble `refused` at the first thing that is not as it must be.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, Final

from asn1crypto import cms, tsp
from lxml import etree

from hocba_agent import troubles

if TYPE_CHECKING:
    from hocba_agent.jobs import Scheme

ROOTS: Final = {"{urn:hocba:transcript:1}HocBa", "{urn:hocba:summary:1}BangTongHop", "{urn:hocba:withdrawal:1}YeuCauThuHoi"}
CONTENT_ID: Final = "nd"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
XADES: Final = "{http://uri.etsi.org/01903/v1.3.2#}"
PROPERTIES_TYPE: Final = "http://uri.etsi.org/01903#SignedProperties"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
METHODS: Final[dict[Scheme, str]] = {
    "rsa-pkcs1": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "rsa-pss": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "ecdsa": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
}
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


def xml_to_sign(document: bytes, signature: bytes, certificate: bytes, scheme: Scheme) -> bytes:
    """The canonical SignedInfo of `signature`, which must cover the content of `document` and name `certificate` (DER)."""
    root, made = _parsed(document), _parsed(signature)
    if root.tag not in ROOTS or [child.get("Id") for child in root] != [CONTENT_ID, "ck"]:
        raise troubles.refused("tệp XML không phải học bạ, bảng tổng hợp hoặc yêu cầu thu hồi")
    info, value = made.find(f"{DS}SignedInfo"), made.find(f"{DS}SignatureValue")
    if made.tag != f"{DS}Signature" or info is None or value is None or (value.text or "").strip():
        raise troubles.refused("chữ ký XML chuẩn bị không đúng mẫu")
    if _algorithm(info, "CanonicalizationMethod") != EXCLUSIVE or _algorithm(info, "SignatureMethod") != METHODS[scheme]:
        raise troubles.refused("thuật toán ký XML không được chấp nhận")
    parts = _parts(root, made)
    covered = {_checked_reference(reference, root, parts) for reference in info.findall(f"{DS}Reference")}
    if not covered & {"", CONTENT_ID}:
        raise troubles.refused("chữ ký XML không bao gồm nội dung học bạ")
    _check_properties(info, made, covered, certificate)
    return _canonical(info)


def _parsed(text: bytes) -> etree._Element:
    try:
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
    except etree.XMLSyntaxError as wrong:
        raise troubles.refused("tệp XML không đọc được") from wrong
    if root.getroottree().docinfo.internalDTD is not None or next(root.iter(etree.Comment, etree.PI, etree.Entity), None) is not None:
        raise troubles.refused("tệp XML có phần không nhìn thấy được")
    return root


def _parts(root: etree._Element, made: etree._Element) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for node in (*root.iter(), *made.iter()):
        name = node.get("Id")
        if name is not None and found.setdefault(name, node) is not node:
            raise troubles.refused("tệp XML có hai phần cùng mã")
    return found


def _algorithm(parent: etree._Element, tag: str) -> str:
    node = parent.find(f"{DS}{tag}")
    return node.get("Algorithm", "") if node is not None and not len(node) else ""


def _checked_reference(reference: etree._Element, root: etree._Element, parts: dict[str, etree._Element]) -> str:
    """The Id that it covers, "" for the whole document; its digest fits what is there."""
    uri = reference.get("URI")
    transforms = [node.get("Algorithm") for node in reference.iterfind(f"{DS}Transforms/{DS}Transform") if not len(node)]
    if len(transforms) != len(reference.findall(f"{DS}Transforms/*")) or _algorithm(reference, "DigestMethod") != SHA256:
        raise troubles.refused("thuật toán ký XML không được chấp nhận")
    if uri == "":
        # the signature is not in the document yet, so there is nothing to take out
        target, expected = root, [ENVELOPED, EXCLUSIVE]
    else:
        named = parts.get((uri or "").removeprefix("#")) if (uri or "").startswith("#") else None
        if named is None:
            raise troubles.refused("chữ ký XML trỏ đến phần không có trong tệp")
        target, expected = named, [EXCLUSIVE]
    if transforms != expected:
        raise troubles.refused("thuật toán ký XML không được chấp nhận")
    if hashlib.sha256(_canonical(target)).digest() != _decoded(reference.findtext(f"{DS}DigestValue")):
        raise troubles.refused("nội dung tệp XML không khớp với mã băm cần ký")
    return (uri or "").removeprefix("#")


def _check_properties(info: etree._Element, made: etree._Element, covered: set[str], certificate: bytes) -> None:
    """They are covered and say that it is this certificate's signature; the certificate beside it is the very one."""
    properties = made.find(f"{DS}Object/{XADES}QualifyingProperties/{XADES}SignedProperties")
    typed = [r.get("URI", "").removeprefix("#") for r in info.findall(f"{DS}Reference") if r.get("Type") == PROPERTIES_TYPE]
    if properties is None or typed != [properties.get("Id")] or not set(typed) <= covered:
        raise troubles.refused("chữ ký XML không bao gồm thông tin người ký")
    named = properties.find(f".//{XADES}SigningCertificateV2/{XADES}Cert/{XADES}CertDigest")
    if named is None or _algorithm(named, "DigestMethod") != SHA256:
        raise troubles.refused("chữ ký XML không ghi chứng thư số")
    beside = [_decoded(node.text) for node in made.iterfind(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")]
    if _decoded(named.findtext(f"{DS}DigestValue")) != hashlib.sha256(certificate).digest() or beside[:1] != [certificate]:
        raise troubles.refused("chữ ký XML ghi chứng thư số khác")


def _canonical(node: etree._Element) -> bytes:
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)


def _decoded(text: str | None) -> bytes:
    try:
        return b64decode("".join((text or "").split()), validate=True)
    except NotBase64 as wrong:
        raise troubles.refused("chữ ký XML chuẩn bị không đúng mẫu") from wrong


def pdf_to_sign(document: bytes, revision: bytes, attributes: bytes, certificate: bytes) -> bytes:
    """`attributes` (DER), once the whole file but its empty signature has the digest that they name, and they name `certificate`."""
    if not document.startswith(b"%PDF-"):
        raise troubles.refused("tệp không phải PDF")
    whole = document + revision
    ranges = _BYTE_RANGE.findall(revision)
    if len(ranges) != 1:
        raise troubles.refused("tệp PDF không có đúng một chữ ký mới")
    start, before, after, rest = (int(number) for number in ranges[0])
    gap = whole[before:after]
    if start != 0 or not len(document) <= before < after or after + rest != len(whole) or gap[:1] != b"<" or gap[-1:] != b">":
        raise troubles.refused("chữ ký PDF không bao gồm cả tệp")
    if gap[1:-1].strip(b"0"):
        raise troubles.refused("chữ ký PDF chuẩn bị không đúng mẫu")
    covered = hashlib.sha256(whole[:before])
    covered.update(whole[after:])
    _check_attributes(attributes, covered.digest(), certificate)
    return attributes


def _check_attributes(attributes: bytes, digest: bytes, certificate: bytes) -> None:
    try:
        read = cms.CMSAttributes.load(attributes, strict=True)
        found = {attribute["type"].native: list(attribute["values"]) for attribute in read}
        content = [one.native for one in found.get("content_type", [])]
        digests = [one.native for one in found.get("message_digest", [])]
        named = [tsp.SigningCertificateV2.load(one.dump()) for one in found.get("signing_certificate_v2", [])]
        certificates = [each["cert_hash"].native for one in named for each in one["certs"]]
        algorithms = {each["hash_algorithm"]["algorithm"].native for one in named for each in one["certs"]}
    except (ValueError, TypeError, KeyError) as wrong:
        raise troubles.refused("thông tin chữ ký PDF không đọc được") from wrong
    if len(found) != len(read) or content != ["data"]:
        raise troubles.refused("thông tin chữ ký PDF không đúng mẫu")
    if digests != [digest]:
        raise troubles.refused("nội dung tệp PDF không khớp với mã băm cần ký")
    if certificates[:1] != [hashlib.sha256(certificate).digest()] or algorithms != {"sha256"}:
        raise troubles.refused("chữ ký PDF ghi chứng thư số khác")
