"""What a XAdES signature carries beside itself, and the octets that its timestamps are made of.

Message imprints by ETSI EN 319 132-1, 5.3 (signature timestamp) and 5.5.2 (archive timestamp).
"""

from copy import deepcopy
from typing import Final

from lxml import etree

from services.means.judging.frame import DS, XADES, UnsuitableDocument

XADES141: Final = "http://uri.etsi.org/01903/v1.4.1#"
SIGNATURE_TIMESTAMP: Final = f"{{{XADES}}}SignatureTimeStamp"
ARCHIVE_TIMESTAMP: Final = f"{{{XADES141}}}ArchiveTimeStamp"
ENCAPSULATED_TIMESTAMP: Final = f"{{{XADES}}}EncapsulatedTimeStamp"

_QUALIFYING: Final = f"{{{XADES}}}QualifyingProperties"
_UNSIGNED: Final = f"{{{DS}}}Object/{_QUALIFYING}/{{{XADES}}}UnsignedProperties/{{{XADES}}}UnsignedSignatureProperties"


def unsigned_properties(signature: etree._Element) -> list[etree._Element]:
    """In the order in which they were added, which the archive timestamps depend on."""
    return list(signature.iterfind(f"{_UNSIGNED}/*"))


def value_octets(signature: etree._Element) -> bytes:
    """What a signature timestamp is made of."""
    return canonical(signature.find(f"{{{DS}}}SignatureValue"))


def archived_octets(signature: etree._Element, timestamp: etree._Element | None = None) -> bytes:
    """What an archive timestamp is made of: all that the signature covers, the signature, and the properties before `timestamp`.

    For references with exclusive canonicalisation, which is all that is signed here. None: a timestamp that comes last.
    """
    parts = [_referenced(signature, reference.get("URI", "")) for reference in signature.iterfind(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")]
    parts += [canonical(signature.find(f"{{{DS}}}{name}")) for name in ("SignedInfo", "SignatureValue", "KeyInfo")]
    for each in unsigned_properties(signature):
        if each is timestamp:
            break
        parts.append(canonical(each))
    parts += [canonical(each) for each in signature.iterfind(f"{{{DS}}}Object") if each.find(_QUALIFYING) is None]
    return b"".join(parts)


def canonical(node: etree._Element | None) -> bytes:
    if node is None:
        raise UnsuitableDocument("layout", "Chữ ký trong tệp XML thiếu thành phần bắt buộc.")
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)


def without(signature: etree._Element) -> etree._Element:
    """A copy of the document without the signature: what the enveloped-signature transform makes of it."""
    root = signature.getroottree().getroot()
    copy = deepcopy(root)
    take_out(copy[1][root[1].index(signature)])
    return copy


def take_out(node: etree._Element) -> None:
    """Remove an element alone; lxml would remove the text behind it as well."""
    parent, before = node.getparent(), node.getprevious()
    assert parent is not None
    if node.tail and before is not None:
        before.tail = (before.tail or "") + node.tail
    elif node.tail:
        parent.text = (parent.text or "") + node.tail
    parent.remove(node)


def _referenced(signature: etree._Element, uri: str) -> bytes:
    if uri == "":
        return canonical(without(signature))
    root = signature.getroottree().getroot()
    return canonical(next((node for node in root.iter() if node.get("Id") == uri[1:]), None))
