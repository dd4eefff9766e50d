"""The frame of the XML documents that are signed here, asserted before anything in them is believed."""

from typing import Final, cast

from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from services.means.x509 import Problem

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
ROOTS: Final = {"urn:hocba:transcript:1": "HocBa", "urn:hocba:summary:1": "BangTongHop", "urn:hocba:withdrawal:1": "YeuCauThuHoi"}
"""Namespace → root of what is signed here; within it everything is called alike."""
CONTENT_ID: Final = "nd"
_FRAMES: Final = {f"{{{namespace}}}{name}" for namespace, name in ROOTS.items()}
_LIKE_ID: Final = etree.XPath(
    # the length first: it spares most attributes the comparison
    "descendant-or-self::*/@*[string-length(local-name()) = 2][translate(local-name(), 'ID', 'id') = 'id']",
    smart_strings=False,
)
_SIGNATURE: Final = f"{{{DS}}}Signature"


class UnsuitableDocument(ValueError):
    """The document is not of the layout that is signed here; `problem` says what is wrong in the person's words."""

    def __init__(self, code: str, message_vi: str) -> None:
        super().__init__(code)
        self.problem = Problem(code=code, message_vi=message_vi, action_vi="Dùng tệp học bạ gốc do hệ thống tạo ra.")

    def __reduce__(self) -> tuple[type["UnsuitableDocument"], tuple[str, str]]:
        return type(self), (self.problem.code, self.problem.message_vi)


def namespace_of(node: etree._Element) -> str:
    return etree.QName(node).namespace or ""


def is_root(node: etree._Element) -> bool:
    """Whether it is a whole document of a kind that is signed here."""
    return node.tag in _FRAMES


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
