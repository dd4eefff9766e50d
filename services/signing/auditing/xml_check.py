"""The XML of a document, examined with nothing of what built it: canonical form by lxml, digests and values by `cryptography`.

Only what is signed here is understood (exclusive canonicalisation, SHA-2, RSA and ECDSA, XAdES with an archive timestamp on the last
signature); whatever else stands in a file is a finding. Timestamps and certificates are judged by pyHanko (`evidence.py`).
"""

from __future__ import annotations

from base64 import b64decode
from copy import deepcopy
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from services.means.judging.evidence import MALFORMED, Means, check_readable, joined, judge_stamp, only_readable
from services.means.validation_data import ValidationData
from services.means.x509 import load
from services.signing.auditing.findings import Finding
from services.signing.auditing.proof import Judged, judge_signer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from services.signing.auditing.expected import Expected

DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
XADES: Final = "{http://uri.etsi.org/01903/v1.3.2#}"
XADES141: Final = "{http://uri.etsi.org/01903/v1.4.1#}"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
DIGESTS: Final = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_SHA: Final[dict[str, hashes.HashAlgorithm]] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
METHODS: Final[dict[str, tuple[str, hashes.HashAlgorithm]]] = {
    **{f"http://www.w3.org/2001/04/xmldsig-more#rsa-sha{bits}": ("rsa", sha) for bits, sha in _SHA.items()},
    **{f"http://www.w3.org/2007/05/xmldsig-more#sha{bits}-rsa-MGF1": ("pss", sha) for bits, sha in _SHA.items()},
    **{f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha{bits}": ("ecdsa", sha) for bits, sha in _SHA.items()},
}
STAMPS: Final = (f"{XADES}SignatureTimeStamp", f"{XADES141}ArchiveTimeStamp")
ID_NAMES: Final = ("MaHocBa", "MaBangTongHop", "MaYeuCau")


@dataclass(frozen=True)
class _One:
    element: etree._Element
    place: str
    certificate: bytes
    others: tuple[bytes, ...]


def check_xml(document: bytes, content: bytes | None, expected: Expected, roots: Sequence[bytes], at: dt.datetime) -> list[Finding]:
    """Everything that is wrong with it. `content` is the XML that was made to be signed, None where it is lost; `at` the present."""
    root = _parsed(document)
    if root is None:
        return [Finding(code="unreadable", file="xml")]
    found = _frame(root, content, expected)
    signatures = root.findall(f"*/{DS}Signature")
    found += _who(signatures, expected)
    read = [_read(one) for one in signatures]
    found += [_of("signature_unreadable", str(e.get("Id", ""))) for e, one in zip(signatures, read, strict=True) if one is None]
    known = [one for one in read if one is not None]
    for one in known:
        found += _integrity(one, root)
    found += _covered(known, expected)
    return found + _trust(known, expected, roots, at)


def content_of(document: bytes) -> bytes | None:
    """The canonical form of what everybody signs; None where there is no such part."""
    root = _parsed(document)
    return None if root is None or not len(root) else _canonical(root[0])


def _parsed(document: bytes) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return None
    about = root.getroottree().docinfo
    return None if about.internalDTD is not None or about.externalDTD is not None else root


def _canonical(node: etree._Element) -> bytes:
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)


def _of(code: str, place: str = "") -> Finding:
    return Finding(code=code, file="xml", place=place)


def _frame(root: etree._Element, content: bytes | None, expected: Expected) -> list[Finding]:
    """Whose document it is, whether its content is what was made, and whether anything stands beside it."""
    found = []
    named = [str(node.text) for node in root.iter() if isinstance(node.tag, str) and etree.QName(node).localname in ID_NAMES]
    if not len(root) or named[:1] != [expected.document]:
        found.append(_of("other_document"))
    elif content is not None and _canonical(root[0]) != content_of(content):
        found.append(_of("content"))
    ids = [str(node.get("Id")) for node in root.iter() if isinstance(node.tag, str) and node.get("Id") is not None]
    strange = [node for node in root.getroottree().iter() if not isinstance(node.tag, str)]
    around = [root.getprevious(), root.getnext()]
    beside = [node for node in root[1] if node.tag != f"{DS}Signature"] if len(root) == 2 else [root]
    if strange or beside or len(ids) != len(set(ids)) or any(node is not None for node in around):
        found.append(_of("added"))
    return found


def _who(signatures: Sequence[etree._Element], expected: Expected) -> list[Finding]:
    places = [str(each.get("Id", "")) for each in signatures]
    wanted = [one.place for one in expected.signatures]
    found = [_of("signature_missing", place) for place in wanted if place not in places]
    found += [_of("signature_unknown", place) for place in places if place not in wanted]
    in_both = [place for place in places if place in wanted]
    if in_both != [place for place in wanted if place in places] or not expected.in_order:
        found.append(_of("order"))
    if expected.skipped:
        found.append(_of("step_skipped"))
    return found


def _read(element: etree._Element) -> _One | None:
    try:
        certificate, *others = [b64decode(node.text or "") for node in element.iterfind(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")]
        for each in (certificate, *others):
            check_readable(each)
    except MALFORMED:
        return None
    return _One(element, str(element.get("Id", "")), certificate, tuple(others))


def _integrity(one: _One, root: etree._Element) -> list[Finding]:
    """Digests of all references, the value over them, and that the signature names its own certificate."""
    info = one.element.find(f"{DS}SignedInfo")
    value = one.element.findtext(f"{DS}SignatureValue")
    method = None if info is None else info.find(f"{DS}SignatureMethod")
    way = METHODS.get(str(method.get("Algorithm"))) if method is not None else None
    canonicalised = None if info is None else info.find(f"{DS}CanonicalizationMethod")
    if info is None or value is None or canonicalised is None:
        return [_of("signature_unreadable", one.place)]
    if way is None or canonicalised.get("Algorithm") != EXCLUSIVE or len(canonicalised):
        return [_of("weak_algorithm", one.place)]
    codes = []
    if not all(_fits(reference, one, root) for reference in info.iterfind(f"{DS}Reference")):
        codes.append("changed")
    if not _verifies(load(one.certificate).public_key(), b64decode(value), _canonical(info), *way):
        codes.append("wrong_value")
    if not _names_itself(one):
        codes.append("wrong_signer")
    return [_of(code, one.place) for code in codes]


def _fits(reference: etree._Element, one: _One, root: etree._Element) -> bool:
    octets = _octets(reference, one, root)
    method, given = reference.find(f"{DS}DigestMethod"), reference.findtext(f"{DS}DigestValue")
    name = DIGESTS.get(str(method.get("Algorithm"))) if method is not None else None
    return octets is not None and name is not None and given is not None and new_hash(name, octets).digest() == b64decode(given)


def _octets(reference: etree._Element, one: _One, root: etree._Element) -> bytes | None:
    """What a reference speaks of after its transforms; None for one that is not made here."""
    uri = reference.get("URI")
    transforms = [node.get("Algorithm") for node in reference.iterfind(f"{DS}Transforms/{DS}Transform")]
    if any(len(node) for node in reference.iterfind(f"{DS}Transforms/{DS}Transform")):
        return None
    if uri == "" and transforms == [ENVELOPED, EXCLUSIVE]:
        copy = deepcopy(root)
        twin = next(node for node in copy.iter(f"{DS}Signature") if node.get("Id") == one.place)
        _cut(twin)
        return _canonical(copy)
    target = _by_id(root, (uri or "").removeprefix("#"))
    return _canonical(target) if target is not None and transforms == [EXCLUSIVE] else None


def _by_id(root: etree._Element, name: str) -> etree._Element | None:
    found = [node for node in root.iter() if isinstance(node.tag, str) and node.get("Id") == name]
    return found[0] if len(found) == 1 else None


def _cut(node: etree._Element) -> None:
    """Take an element out and leave the text behind it where it was."""
    parent, tail, before = node.getparent(), node.tail, node.getprevious()
    if parent is None:
        raise ValueError("the root is no signature")
    parent.remove(node)
    if tail and before is not None:
        before.tail = (before.tail or "") + tail
    elif tail:
        parent.text = (parent.text or "") + tail


def _verifies(key: object, value: bytes, octets: bytes, kind: str, sha: hashes.HashAlgorithm) -> bool:
    try:
        if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey) and len(value) == 2 * ((key.key_size + 7) // 8):
            half = len(value) // 2
            numbers = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
            key.verify(encode_dss_signature(*numbers), octets, ec.ECDSA(sha))
        elif kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(value, octets, padding.PKCS1v15(), sha)
        elif kind == "pss" and isinstance(key, rsa.RSAPublicKey):
            key.verify(value, octets, padding.PSS(mgf=padding.MGF1(sha), salt_length=sha.digest_size), sha)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _names_itself(one: _One) -> bool:
    """The signed properties hold the digest of the certificate, so that nobody can exchange it for another one with the same key."""
    path = f"{DS}Object/{XADES}QualifyingProperties/{XADES}SignedProperties"
    properties = one.element.find(path)
    digest = None if properties is None else properties.find(f".//{XADES}SigningCertificateV2/{XADES}Cert/{XADES}CertDigest")
    if properties is None or digest is None:
        return False
    method, given = digest.find(f"{DS}DigestMethod"), digest.findtext(f"{DS}DigestValue")
    name = DIGESTS.get(str(method.get("Algorithm"))) if method is not None else None
    signed = {reference.get("URI") for reference in one.element.iterfind(f"{DS}SignedInfo/{DS}Reference")}
    fits = name is not None and given is not None and new_hash(name, one.certificate).digest() == b64decode(given)
    return fits and f"#{properties.get('Id')}" in signed


def _covered(signatures: Sequence[_One], expected: Expected) -> list[Finding]:
    """Everybody signs the content; from the homeroom teacher on also every signature before, the school the whole document."""
    steps = {one.place: one.step for one in expected.signatures}
    found, before = [], list[str]()
    for one in signatures:
        uris = {reference.get("URI") for reference in one.element.iterfind(f"{DS}SignedInfo/{DS}Reference")}
        value = one.element.find(f"{DS}SignatureValue")
        wanted = {"#nd"} if steps.get(one.place) == "subjects" else {"#nd", *before}
        whole = "" in uris
        if not (whole or wanted <= uris) or (steps.get(one.place) == "issue" and not whole):
            found.append(_of("not_covered", one.place))
        before.append(f"#{None if value is None else value.get('Id')}")
    return found


def _trust(signatures: Sequence[_One], expected: Expected, roots: Sequence[bytes], at: dt.datetime) -> list[Finding]:
    properties = [_properties(one.element) for one in signatures]
    means = Means(roots=tuple(roots), data=joined(*(_data(each) for each in properties)))
    found: list[Finding] = []
    proved = None
    if expected.sealed and signatures:
        code, proved = _stamped(signatures[-1], properties[-1], means, at)
        found += [_of(code, signatures[-1].place)] if code else []
    known = {one.place: one for one in expected.signatures}
    for one in signatures:
        if one.place in known:
            judged = Judged(one.certificate, one.others, proved or known[one.place].signed_at)
            found += [_of(code, one.place) for code in judge_signer(judged, known[one.place], means)]
    return found


def _properties(signature: etree._Element) -> list[etree._Element]:
    path = f"{DS}Object/{XADES}QualifyingProperties/{XADES}UnsignedProperties/{XADES}UnsignedSignatureProperties/*"
    return list(signature.iterfind(path))


def _data(properties: Sequence[etree._Element]) -> ValidationData:
    def values(name: str) -> tuple[bytes, ...]:
        return tuple(_base64(node) for one in properties for node in one.iter(f"{XADES}Encapsulated{name}"))

    return only_readable(ValidationData(certificates=values("X509Certificate"), ocsps=values("OCSPValue"), crls=values("CRLValue")))


def _base64(node: etree._Element) -> bytes:
    try:
        return b64decode(node.text or "", validate=True)
    except ValueError:
        return b""


def _stamped(one: _One, properties: Sequence[etree._Element], means: Means, at: dt.datetime) -> tuple[str, dt.datetime | None]:
    """("" or what is wrong with its timestamps, the time of the earliest); the last one is judged for the present."""
    stamps = [each for each in properties if each.tag in STAMPS]
    if not stamps or stamps[0].tag != STAMPS[0] or stamps[-1].tag != STAMPS[1]:
        return "timestamp_missing", None
    time: dt.datetime | None = None
    for each in reversed(stamps):
        octets = _archived(one, properties, each) if each.tag == STAMPS[1] else _value_octets(one)
        token = each.find(f"{XADES}EncapsulatedTimeStamp")
        stamp = judge_stamp(b"" if token is None else _base64(token), octets, means, time or at)
        if stamp.state == "outlived":
            return "timestamp_outlived", None
        if stamp.state != "good" or stamp.time is None:
            return "timestamp_bad", None
        time = stamp.time if time is None else min(time, stamp.time)
    return "", time


def _value_octets(one: _One) -> bytes:
    value = one.element.find(f"{DS}SignatureValue")
    return b"" if value is None else _canonical(value)


def _archived(one: _One, properties: Sequence[etree._Element], stamp: etree._Element) -> bytes:
    """EN 319 132-1, 5.5.2.2: what is referred to, the signature without its objects, the properties before, the other objects."""
    root = one.element.getroottree().getroot()
    parts = [_octets(reference, one, root) or b"" for reference in one.element.iterfind(f"{DS}SignedInfo/{DS}Reference")]
    parts += [_canonical(node) for name in ("SignedInfo", "SignatureValue", "KeyInfo") for node in one.element.iterfind(f"{DS}{name}")]
    for each in properties:
        if each is stamp:
            break
        parts.append(_canonical(each))
    objects = [node for node in one.element.iterfind(f"{DS}Object") if node.find(f"{XADES}QualifyingProperties") is None]
    return b"".join([*parts, *map(_canonical, objects)])
