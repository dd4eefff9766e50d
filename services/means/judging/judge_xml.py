"""What the signatures and timestamps of a transcript's or a class summary's XML are worth."""

from base64 import b64decode
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import new as new_hash

from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.verifier import VerifyResult
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier, XAdESVerifyResult

from services.means.judging import verdict
from services.means.judging.archived import (
    ARCHIVE_TIMESTAMP,
    ENCAPSULATED_TIMESTAMP,
    SIGNATURE_TIMESTAMP,
    XADES141,
    archived_octets,
    canonical,
    take_out,
    unsigned_properties,
    value_octets,
    without,
)
from services.means.judging.evidence import MALFORMED, Means, check_readable, joined, judge_certificate, judge_stamp, only_readable
from services.means.judging.frame import CONTENT_ID, DS, EXCLUSIVE, XADES, UnsuitableDocument, is_root, namespace_of, parse
from services.means.judging.verdict import FIELDS, NO_PROOF, PROBLEMS, Coverage, Proof, Verdict, level_of, unreadable
from services.means.validation_data import ValidationData
from services.means.x509 import Scheme, describe, load, weaknesses


def _ds(tag: str) -> str:
    return f"{{{DS}}}{tag}"


_KEY_INFO = _ds("KeyInfo")
_CERTIFICATES = f"{_KEY_INFO}/{_ds('X509Data')}/{_ds('X509Certificate')}"
_REFERENCES = f"{_ds('SignedInfo')}/{_ds('Reference')}"
_QUALIFYING = f"{{{XADES}}}QualifyingProperties"
_OWN_PARTS = (_KEY_INFO, f"{{{XADES}}}SignedProperties")
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_TRANSFORMS = {EXCLUSIVE.value, SignatureConstructionMethod.enveloped.value}
_DIGEST_NAMES = {digest.value: digest.name.lower() for digest in _DIGESTS}
_TIMESTAMPS = (SIGNATURE_TIMESTAMP, ARCHIVE_TIMESTAMP)
_PROPERTIES = {
    *_TIMESTAMPS,
    f"{{{XADES}}}CertificateValues",
    f"{{{XADES}}}RevocationValues",
    f"{{{XADES141}}}TimeStampValidationData",
}
_XML_SCHEMES: dict[str, Scheme] = {
    **{SignatureMethod[f"RSA_SHA{bits}"].value: "rsa-pkcs1" for bits in (256, 384, 512)},
    **{SignatureMethod[f"SHA{bits}_RSA_MGF1"].value: "rsa-pss" for bits in (256, 384, 512)},
    **{SignatureMethod[f"ECDSA_SHA{bits}"].value: "ecdsa" for bits in (256, 384, 512)},
}


def verify_xml(document: bytes, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> list[Verdict]:
    """Judge every signature of a transcript's XML, in document order; raises xml.UnsuitableDocument for anything else."""
    root, added = _opened(document)
    signatures = list(root[1])
    embedded = [_data(unsigned_properties(signature)) for signature in signatures]
    means = Means(roots=tuple(roots), data=joined(*embedded, ValidationData(crls=tuple(crls))))
    checked = [_checked(root, signature) for signature in signatures]
    # the timestamps of an intact signature over the whole document prove all others in it as well
    whole = next((one for one in checked if one is not None and one.failure is None and one.coverage == "whole"), None)
    seal = NO_PROOF if whole is None else _proof(whole.signature, means, at)
    verdicts = []
    for signature, one in zip(signatures, checked, strict=True):
        if one is None:
            verdicts.append(unreadable(signature.get("Id", "")))
        elif one is whole:
            judged = replace(one, failure="added_afterwards") if added else one
            verdicts.append(_verdict(judged, seal, means, at))
        else:
            own = NO_PROOF if one.failure is not None else _proof(signature, means, seal.time or at)
            verdicts.append(_verdict(one, seal.beside(own), means, at))
    return verdicts


class _OneSignature(XAdESVerifier):
    """signxml looks at the first signature that it meets; this one looks at the one with the given Id."""

    def __init__(self, signature_id: str) -> None:
        self._signature_id = signature_id

    def _get_signature(self, root: etree._Element) -> etree._Element:
        # `root` is always a copy of a document whose frame was asserted
        return next(child for child in root[1] if child.get("Id") == self._signature_id)


@dataclass(frozen=True)
class _Checked:
    """A signature's references and value checked; `failure` is what is wrong with them."""

    signature: etree._Element
    certificate: bytes
    others: tuple[bytes, ...]
    scheme: Scheme | None
    failure: str | None = None
    coverage: Coverage = "unclear"
    covers: tuple[str, ...] = ()
    role: str | None = None
    signed_at: datetime | None = None


def _opened(document: bytes) -> tuple[etree._Element, bool]:
    """The transcript, and whether elements beside the signed ones had to be left out of it, which only the school's signature forbids."""
    try:
        return parse(document), False
    except UnsuitableDocument as unsuitable:
        if unsuitable.problem.code != "layout":
            raise
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        namespace = namespace_of(root)
        signatures = root.find(f"{{{namespace}}}ChuKy")
        frame = {f"{{{namespace}}}NoiDung", f"{{{namespace}}}ChuKy", _ds("Signature")}
        strange = [node for node in (*root, *(signatures if signatures is not None else ())) if node.tag not in frame]
        for node in strange:
            take_out(node)
        root = parse(etree.tostring(root))
        if not strange or not any(_claims_whole(signature) for signature in root[1]):
            raise
        return root, True


def _claims_whole(signature: etree._Element) -> bool:
    return any(reference.get("URI") == "" for reference in signature.iterfind(_REFERENCES))


def _checked(root: etree._Element, signature: etree._Element) -> _Checked | None:
    """None when it cannot be read: parts that are no certificate, no base64, no number."""
    try:
        return _check(root, signature)
    except MALFORMED:
        return None


def _check(root: etree._Element, signature: etree._Element) -> _Checked:
    place = signature.get("Id", "")
    certificate, *others = [b64decode(node.text or "") for node in signature.iterfind(_CERTIFICATES)]
    for each in (certificate, *others):
        check_readable(each)
    qualifying = signature.find(f"{_ds('Object')}/{_QUALIFYING}")
    references = signature.findall(_REFERENCES)
    transforms = {node.get("Algorithm") for node in signature.iterfind(f"{_ds('SignedInfo')}//{_ds('Transform')}")}
    ids = {node.get("Id") for node in root.iter()}
    method = signature.find(f"{_ds('SignedInfo')}/{_ds('SignatureMethod')}")
    scheme = _XML_SCHEMES.get(method.get("Algorithm", "") if method is not None else "")
    failure: str | None = None
    results: list[VerifyResult] = []
    if any(reference.get("URI", "#")[1:] not in ids for reference in references if reference.get("URI") != ""):
        failure = "missing_part"
    elif scheme is None or not transforms <= _TRANSFORMS:
        failure = "weak_algorithm"
    else:
        try:
            results = _OneSignature(place).verify(
                # the certificate's own validity is judged apart, so signxml is given a moment that always fits
                root,
                x509_cert=load(certificate),
                id_attribute="Id",
                expect_config=XAdESSignatureConfiguration(
                    expect_references=True, digest_algorithms=_DIGESTS, verification_time=load(certificate).not_valid_before_utc
                ),
            )
        except InvalidDigest:
            failure = _change(root, signature)
        except (SignXMLException, etree.LxmlError):
            # signxml also holds a signature against the schemas, before it looks at the value
            failure = "wrong_value" if _as_made(signature) else "added_afterwards"
        if qualifying is None or qualifying.get("Target") != f"#{place}":
            failure = "changed"
    checked = _Checked(signature, certificate, tuple(others), scheme, failure)
    if failure is not None:
        return checked
    signed = {reference.get("URI", ""): result.signed_xml for reference, result in zip(references, results, strict=True)}
    properties = next(result.signed_properties for result in results if isinstance(result, XAdESVerifyResult))
    time = properties.findtext(f"{{{XADES}}}SigningTime")
    return replace(
        checked,
        coverage=_coverage(signed),
        covers=tuple(uri.removeprefix("#") for uri, node in signed.items() if node is not None and node.tag not in _OWN_PARTS),
        role=properties.findtext(f".//{{{XADES}}}ClaimedRole"),
        signed_at=datetime.fromisoformat(time) if time else None,
    )


def _change(root: etree._Element, signature: etree._Element) -> str:
    """What happened to the document under a signature whose digests do not fit."""
    if not _claims_whole(signature) or _fits(signature):
        return "changed"
    own = root[1].index(signature)
    others = [place for place in range(len(root[1])) if place != own]
    for added in ([place for place in others if place > own], *([place] for place in others)):
        if added and _fits(signature, added):
            return "added_afterwards"
    ids = {node.get("Id") for node in root.iter()}
    wanted = {reference.get("URI", "#")[1:] for place in others for reference in root[1][place].iterfind(_REFERENCES)}
    return "missing_part" if not {*FIELDS, *wanted} <= ids else "changed"


def _fits(signature: etree._Element, leaving_out: Sequence[int] = ()) -> bool:
    """Whether the digest over the whole document is right, perhaps without some of the other signatures."""
    reference = next(one for one in signature.iterfind(_REFERENCES) if one.get("URI") == "")
    root = signature.getroottree().getroot()
    copy = deepcopy(root)
    own = copy[1][root[1].index(signature)]
    for node in [copy[1][place] for place in leaving_out]:
        take_out(node)
    method = reference.find(_ds("DigestMethod"))
    name = _DIGEST_NAMES.get(method.get("Algorithm", "") if method is not None else "")
    given = reference.findtext(_ds("DigestValue"))
    return name is not None and given is not None and new_hash(name, canonical(without(own))).digest() == b64decode(given)


def _proof(signature: etree._Element, means: Means, at: datetime) -> Proof:
    """Judge an intact signature's timestamps: each for the moment at which the next one took over, the last one for `at`."""
    properties = unsigned_properties(signature)
    if not _as_made(signature):
        return Proof(bad="added_afterwards")
    time, archived, bad = None, None, False
    for number, one in reversed(list(enumerate(properties))):
        if one.tag not in _TIMESTAMPS:
            continue
        octets = archived_octets(signature, one) if one.tag == ARCHIVE_TIMESTAMP else value_octets(signature)
        stamp = judge_stamp(_decoded(one[1]), octets, means, time or at)
        bad = bad or stamp.state == "bad"
        if stamp.state != "good" or stamp.time is None:
            continue
        time = stamp.time if time is None else min(time, stamp.time)
        if one.tag == ARCHIVE_TIMESTAMP and archived is None:
            archived = _data(properties[:number])
    return Proof(time, archived, _data(properties), "timestamp" if bad else None)


def _as_made(signature: etree._Element) -> bool:
    """Nothing but what `xml` and `xml_archive` write stands in a signature: some of its parts are covered by no digest."""
    qualifying = signature.find(f"{_ds('Object')}/{_QUALIFYING}")
    unsigned = list(qualifying)[1:] if qualifying is not None else []
    properties = unsigned_properties(signature)
    frame = [signature, *signature.iterfind(_ds("Object")), *((qualifying,) if qualifying is not None else ()), *unsigned]
    frame += [node for one in unsigned for node in one]
    timestamps = [one for one in properties if one.tag in _TIMESTAMPS]
    return (
        [node.tag for node in signature] == [_ds(name) for name in ("SignedInfo", "SignatureValue", "KeyInfo", "Object")]
        and [node.tag for node in frame[1]] == [_QUALIFYING]
        and [node.tag for node in unsigned] in ([], [f"{{{XADES}}}UnsignedProperties"])
        and all([node.tag for node in one] == [f"{{{XADES}}}UnsignedSignatureProperties"] for one in unsigned)
        and {one.tag for one in properties} <= _PROPERTIES
        and all([node.tag for node in one] == [_ds("CanonicalizationMethod"), ENCAPSULATED_TIMESTAMP] for one in timestamps)
        and all(one[0].get("Algorithm") == EXCLUSIVE.value and not len(one[0]) for one in timestamps)
        and not any((one.text or "").strip() or any((node.tail or "").strip() for node in one) for one in (*frame, *timestamps))
    )


def _data(properties: Sequence[etree._Element]) -> ValidationData:
    def values(name: str) -> tuple[bytes, ...]:
        return tuple(_decoded(node) for one in properties for node in one.iter(f"{{{XADES}}}Encapsulated{name}"))

    found = ValidationData(certificates=values("X509Certificate"), ocsps=values("OCSPValue"), crls=values("CRLValue"))
    return only_readable(found)


def _decoded(node: etree._Element) -> bytes:
    """Nothing for what is no base64: it proves nothing, and the timestamp over it will tell."""
    try:
        return b64decode(node.text or "", validate=True)
    except ValueError:
        return b""


def _verdict(one: _Checked, proof: Proof, means: Means, at: datetime) -> Verdict:
    place = one.signature.get("Id", "")
    problems = weaknesses(describe(one.certificate))
    if one.failure is not None:
        trusted = judge_certificate(one.certificate, one.others, means, at)
        problems.insert(0, PROBLEMS[one.failure])
        return verdict.make(place, one.certificate, trusted, scheme=one.scheme, intact=False, coverage="unclear", problems=problems)
    if one.coverage == "unclear":
        problems.append(PROBLEMS["content_not_covered"])
    if proof.bad:
        problems.append(PROBLEMS[proof.bad])
    return verdict.make(
        place,
        one.certificate,
        judge_certificate(one.certificate, one.others, means, proof.time or at),
        role=one.role,
        signed_at=one.signed_at,
        scheme=one.scheme,
        intact=True,
        coverage=one.coverage,
        covers=one.covers,
        problems=problems,
        proved_at=proof.time,
        level=level_of(one.certificate, one.others, proof, means),
    )


def _coverage(signed: dict[str, etree._Element | None]) -> Coverage:
    whole, content = signed.get(""), signed.get(f"#{CONTENT_ID}")
    if whole is not None and is_root(whole):
        return "whole"
    if content is not None and content.tag == f"{{{namespace_of(content)}}}NoiDung" and content.get("Id") == CONTENT_ID:
        return "content"
    return "unclear"
