"""What came back signed, examined before it is believed: it must be the school's request, unchanged, under a sound signature of a
certificate of an organisation. Bytes in, words out; runs in the pool."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Final

from lxml import etree
from signxml.algorithms import DigestAlgorithm
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from services.means.x509 import describe, load, trust
from services.publishing.withdrawals.document import NAMESPACE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
ROOT, CONTENT, SIGNATURES = (f"{{{NAMESPACE}}}{name}" for name in ("YeuCauThuHoi", "NoiDung", "ChuKy"))
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


def problem_of(signed: bytes, content: bytes, roots: Sequence[bytes], at: dt.datetime) -> str | None:
    """What is wrong in Vietnamese, None when nothing is. `content`: what was to be signed; `roots` are DER."""
    try:
        root, expected = _parsed(signed), _parsed(content)
    except ValueError:
        return "tệp không đúng mẫu"
    if _canonical(root[0]) != _canonical(expected[0]):
        return "nội dung khác với yêu cầu đã lập"
    if [child.tag for child in root[1]] != [f"{{{DS}}}Signature"]:
        return "không có đúng một chữ ký"
    return _problem_of_signature(root, roots, at)


def _problem_of_signature(root: etree._Element, roots: Sequence[bytes], at: dt.datetime) -> str | None:
    try:
        texts = root[1].iterfind(f"{{{DS}}}Signature/{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
        certificate, *chain = [b64decode(node.text or "") for node in texts]
        facts = describe(certificate)
        expected = XAdESSignatureConfiguration(
            expect_references=True, digest_algorithms=_DIGESTS, verification_time=load(certificate).not_valid_before_utc
        )
        results = XAdESVerifier().verify(root, x509_cert=load(certificate), id_attribute="Id", expect_config=expected)
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, LookupError):
        return "chữ ký không đúng"
    if not any(result.signed_xml is not None and result.signed_xml.tag == ROOT for result in results):
        return "chữ ký không bảo vệ toàn bộ yêu cầu"
    if facts.tax_code is None:
        return "không phải chứng thư số của tổ chức"
    sound = trust(certificate, [*chain, *roots], roots, at=at).state == "trusted"
    return None if sound else "chứng thư số không được tin cậy"


def _parsed(document: bytes) -> etree._Element:
    """Raises ValueError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as problem:
        raise ValueError("not XML") from problem
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None or root.tag != ROOT or [c.tag for c in root] != [CONTENT, SIGNATURES]:
        raise ValueError("no request to withdraw")
    return root


def _canonical(node: etree._Element) -> bytes:
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)
