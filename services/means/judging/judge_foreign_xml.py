"""What the signatures of an XML document that is not of this system are worth.

Nobody knows how its readers look for what is signed, so a signature is only ever good for the whole document: one over a part of it,
wherever that part was moved to, says so in its problems.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from services.means.judging import verdict
from services.means.judging.archived import ENCAPSULATED_TIMESTAMP, SIGNATURE_TIMESTAMP, unsigned_properties
from services.means.judging.evidence import MALFORMED, Means, check_readable, joined, judge_certificate, judge_stamp, only_readable
from services.means.judging.frame import DS, XADES, UnsuitableDocument
from services.means.judging.verdict import PROBLEMS, Proof, Verdict, level_of, unreadable
from services.means.validation_data import ValidationData
from services.means.x509 import Problem, describe, load, weaknesses

MOST_SIGNATURES: Final = 50
_ASK_ISSUER: Final = "Chỉ dựa vào phần được chữ ký bảo vệ; hỏi lại đơn vị phát hành về phần còn lại."
PART_ONLY: Final = Problem(code="part_only", message_vi="Chữ ký chỉ bảo vệ một phần của tệp.", action_vi=_ASK_ISSUER)
OUTSIDE: Final = Problem(code="outside", message_vi="Chữ ký bảo vệ nội dung nằm ngoài tệp này.", action_vi=_ASK_ISSUER)

_EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value
_TRANSFORMS: Final = {SignatureConstructionMethod.enveloped.value, *(method.value for method in CanonicalizationMethod)}
_DIGESTS: Final = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512, DigestAlgorithm.SHA3_256, DigestAlgorithm.SHA3_512}
)
_METHODS: Final = frozenset(method for method in SignatureMethod if not {"SHA1", "HMAC", "DSA"} & set(method.name.split("_")))
_ID: Final = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


def _ds(path: str) -> str:
    return "/".join(f"{{{DS}}}{name}" for name in path.split("/"))


def verify_foreign_xml(document: bytes, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> list[Verdict]:
    """Judge every ds:Signature, in document order. Raises UnsuitableDocument for what is no XML, has a DTD, an Id twice, or too many."""
    root = _parsed(document)
    signatures = list(root.iter(_ds("Signature")))
    if len(signatures) > MOST_SIGNATURES:
        raise UnsuitableDocument("too_many", f"Tệp có hơn {MOST_SIGNATURES} chữ ký.")
    from_elsewhere = ValidationData(crls=tuple(crls))
    judged = []
    for number, signature in enumerate(signatures):
        data = _data(unsigned_properties(signature))
        means = Means(roots=tuple(roots), data=joined(data, from_elsewhere))
        judged.append(_judged(signature, number, data, means, at))
    return judged


def _parsed(document: bytes) -> etree._Element:
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise UnsuitableDocument("not_xml", "Tệp không phải là tệp XML hợp lệ.") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise UnsuitableDocument("dtd", "Tệp XML có khai báo DTD, không được chấp nhận.")
    ids = [value for node in root.iter(etree.Element) for name in _ID if (value := node.get(name)) is not None]
    if len(ids) != len(set(ids)):
        raise UnsuitableDocument("duplicate_id", "Tệp XML có mã thành phần (Id) bị lặp lại.")
    return root


class _Nth(XMLVerifier):
    """signxml looks at the first signature that it meets; this one at the one with the given number, in a copy of the document."""

    def __init__(self, number: int) -> None:
        self._number = number

    def _get_signature(self, root: etree._Element) -> etree._Element:
        return list(root.iter(_ds("Signature")))[self._number]


def _judged(signature: etree._Element, number: int, data: ValidationData, means: Means, at: datetime) -> Verdict:
    place = signature.get("Id") or f"#{number + 1}"
    try:
        certificates = [b64decode(node.text or "") for node in signature.iterfind(_ds("KeyInfo/X509Data/X509Certificate"))]
        for each in certificates:
            check_readable(each)
        certificate, *others = certificates
        failure = _failure(signature, number, certificate)
        proof = _proof(signature, data, means, at)
    except MALFORMED:
        return unreadable(place)
    intact = failure is None or failure in (PART_ONLY, OUTSIDE)
    problems = [*([failure] if failure else []), *weaknesses(describe(certificate))]
    if intact and proof.bad:
        problems.append(PROBLEMS[proof.bad])
    time = signature.findtext(f".//{{{XADES}}}SigningTime")
    return verdict.make(
        place,
        certificate,
        judge_certificate(certificate, others, means, (intact and proof.time) or at),
        role=signature.findtext(f".//{{{XADES}}}ClaimedRole") if intact else None,
        signed_at=_moment(time) if intact and time else None,
        intact=intact,
        coverage="whole" if failure is None else "unclear",
        problems=problems,
        proved_at=proof.time if intact else None,
        level=level_of(certificate, others, proof, means) if intact else "B",
    )


def _failure(signature: etree._Element, number: int, certificate: bytes) -> Problem | None:
    """What is wrong with the references or the value; None when the signature is over the whole document and right."""
    root = signature.getroottree().getroot()
    references = signature.findall(_ds("SignedInfo/Reference"))
    uris = [reference.get("URI") for reference in references]
    if any(uri is None or (uri and not uri.startswith("#")) for uri in uris):
        return OUTSIDE
    if {node.get("Algorithm") for node in signature.iterfind(f"{_ds('SignedInfo')}//{_ds('Transform')}")} - _TRANSFORMS:
        return PROBLEMS["weak_algorithm"]
    expected = SignatureConfiguration(
        expect_references=True,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=load(certificate).not_valid_before_utc,
    )
    try:
        found = _Nth(number).verify(root, x509_cert=load(certificate), expect_config=expected)
    except InvalidDigest:
        return PROBLEMS["changed"]
    except (SignXMLException, etree.LxmlError):
        return PROBLEMS["wrong_value"]
    results: list[VerifyResult] = found if isinstance(found, list) else [found]
    names = {root.get(name) for name in _ID} - {None}
    whole = any(
        (uri == "" or (uri or "#")[1:] in names) and one.signed_xml is not None and one.signed_xml.tag == root.tag
        for uri, one in zip(uris, results, strict=True)
    )
    return None if whole else PART_ONLY


def _proof(signature: etree._Element, data: ValidationData, means: Means, at: datetime) -> Proof:
    """By the signature timestamps alone; an archive timestamp of somebody else's profile is not looked into."""
    times, bad = [], False
    for one in unsigned_properties(signature):
        if one.tag != SIGNATURE_TIMESTAMP:
            continue
        method = one.find(_ds("CanonicalizationMethod"))
        exclusive = method is not None and method.get("Algorithm") == _EXCLUSIVE
        value = signature.find(_ds("SignatureValue"))
        assert value is not None
        octets = etree.tostring(value, method="c14n", exclusive=exclusive, with_comments=False)
        stamp = judge_stamp(b64decode(one.findtext(ENCAPSULATED_TIMESTAMP) or ""), octets, means, at)
        bad = bad or stamp.state == "bad"
        if stamp.state == "good" and stamp.time is not None:
            times.append(stamp.time)
    return Proof(min(times, default=None), None, data, "timestamp" if bad else None)


def _data(properties: Sequence[etree._Element]) -> ValidationData:
    def values(name: str) -> tuple[bytes, ...]:
        return tuple(_decoded(node.text) for one in properties for node in one.iter(f"{{{XADES}}}Encapsulated{name}"))

    return only_readable(ValidationData(certificates=values("X509Certificate"), ocsps=values("OCSPValue"), crls=values("CRLValue")))


def _decoded(text: str | None) -> bytes:
    """Nothing for what is no base64: it proves nothing."""
    try:
        return b64decode(text or "")
    except ValueError:
        return b""


def _moment(text: str) -> datetime | None:
    """What the signer says; nothing when it is no moment with a time zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else None
