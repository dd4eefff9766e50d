"""What the signatures of a document are worth: who, in which role, when, intact, trusted, covering what.

Used by the pages that show a transcript with its signatures and by the auditor. Functions are pure: certificates, CRLs
and roots are DER bytes, `at` is the moment for which trust is judged (an aware datetime). Nothing is fetched.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from lxml import etree
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.verifier import VerifyResult
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier, XAdESVerifyResult

from services.means.x509 import (
    Problem,
    RevocationState,
    Scheme,
    Trust,
    TrustState,
    WrongSignature,
    check_value,
    complete,
    describe,
    load,
    load_asn1,
    trust,
    weaknesses,
)
from services.signing import xml
from services.signing.xml import CONTENT_ID, DS, EXCLUSIVE, NAMESPACE, XADES, UnsuitableDocument

__all__ = ["Coverage", "Verdict", "WrongSignature", "check_value", "verify_pdf", "verify_xml"]

Coverage = Literal["whole", "revision", "content", "unclear"]


class Verdict(BaseModel):
    """One signature judged.

    `place` is the PDF field or the XML signature's Id. `coverage`: "whole" the document as it is now; "revision" (PDF)
    all that was there when it was made, later additions being permitted ones; "content" (XML) the content and what
    `covers` lists. `role` and `signed_at` are claims of the signer, protected by the signature.
    """

    model_config = ConfigDict(frozen=True)

    place: str
    signer: str
    personal_id: str | None = None
    tax_code: str | None = None
    role: str | None = None
    signed_at: datetime | None = None
    serial: str = ""
    issuer: str = ""
    certificate: bytes = b""
    scheme: Scheme | None = None
    intact: bool
    trust: TrustState
    revocation: RevocationState
    coverage: Coverage
    covers: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        return self.intact and self.trust == "trusted" and self.coverage != "unclear" and not self.problems


def verify_xml(document: bytes, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> list[Verdict]:
    """Judge every signature of a transcript's XML, in document order; raises xml.UnsuitableDocument for anything else."""
    root = xml.parse(document)
    verdicts = []
    for signature in root[1]:
        try:
            verdicts.append(_judge_xml(root, signature, roots, crls, at))
        except _MALFORMED:
            verdicts.append(_unreadable(signature.get("Id", "")))
    return verdicts


def verify_pdf(document: bytes, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> list[Verdict]:
    """Judge every signature of a PDF, in the order of signing; document timestamps are not signatures of persons.

    Raises UnsuitableDocument when the file cannot be read as a PDF.
    """
    try:
        reader = PdfFileReader(BytesIO(document))
        readable: list[EmbeddedPdfSignature] = reader.embedded_signatures
        verdicts = [_judge_pdf(one, roots, crls, at) for one in readable if one.sig_object_type != "/DocTimeStamp"]
        filled = {str(name) for name, _, _ in enumerate_sig_fields(reader, filled_status=True)}
        return verdicts + [_unreadable(name) for name in sorted(filled - {str(one.field_name) for one in readable})]
    except _BROKEN_PDF as error:
        raise UnsuitableDocument("not_pdf", "Tệp PDF không đọc được hoặc đã hỏng.") from error


def _judge_pdf(signature: EmbeddedPdfSignature, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> Verdict:
    place = str(signature.field_name)
    context = ValidationContext(
        trust_roots=[load_asn1(root) for root in roots], moment=at.astimezone(UTC), allow_fetching=False, revocation_mode="soft-fail"
    )
    try:
        certificate: bytes = signature.signer_cert.dump()
        others = [other.dump() for other in signature.other_embedded_certs]
        status: PdfSignatureStatus = complete(async_validate_pdf_signature(signature, context, key_usage_settings=_USAGES))
    except (SignatureValidationError, CMSExtractionError):
        return _unreadable(place)
    intact = status.intact and status.valid
    problems = []
    coverage: Coverage = "unclear"
    if not status.intact:
        problems.append(_PROBLEMS["changed"])
    elif not status.valid:
        problems.append(_PROBLEMS["wrong_value"])
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        coverage = "whole"
    elif (
        status.coverage == SignatureCoverageLevel.ENTIRE_REVISION
        and status.docmdp_ok
        # more bytes without a change: something hangs at the end that belongs to no revision
        and status.modification_level != ModificationLevel.NONE
    ):
        coverage = "revision"
    else:
        problems.append(_PROBLEMS["added_afterwards"])
    trusted = trust(certificate, others, roots, at=at, crls=crls)
    problems += weaknesses(describe(certificate))
    if status.md_algorithm not in _HASHES:
        problems.append(_PROBLEMS["weak_algorithm"])
    if intact and trusted.state == "trusted" and not status.trusted and not problems:
        problems.append(_PROBLEMS["unaccepted"])
    reason = signature.sig_object.get("/Reason")
    return _verdict(
        place,
        certificate,
        trusted,
        role=str(reason) if intact and reason is not None else None,
        signed_at=signature.self_reported_timestamp if intact else None,
        scheme=_pdf_scheme(status.pkcs7_signature_mechanism),
        intact=intact,
        coverage=coverage,
        problems=problems,
    )


def _pdf_scheme(mechanism: str) -> Scheme | None:
    if mechanism == "rsassa_pss":
        return "rsa-pss"
    if "ecdsa" in mechanism:
        return "ecdsa"
    return "rsa-pkcs1" if "rsa" in mechanism else None


class _OneSignature(XAdESVerifier):
    """signxml looks at the first signature that it meets; this one looks at the one with the given Id."""

    def __init__(self, signature_id: str) -> None:
        self._signature_id = signature_id

    def _get_signature(self, root: etree._Element) -> etree._Element:
        # `root` is always a copy of a document whose frame was asserted
        return next(child for child in root[1] if child.get("Id") == self._signature_id)


def _judge_xml(root: etree._Element, signature: etree._Element, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> Verdict:
    place = signature.get("Id", "")
    certificate, *others = [b64decode(node.text or "") for node in signature.iterfind(_CERTIFICATES)]
    qualifying = signature.find(f"{_ds('Object')}/{{{XADES}}}QualifyingProperties")
    trusted = trust(certificate, others, roots, at=at, crls=crls)
    problems = weaknesses(describe(certificate))
    references = signature.findall(f"{_ds('SignedInfo')}/{_ds('Reference')}")
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
                # the certificate's own validity is judged by `trust`, so signxml is given a moment that always fits
                root,
                x509_cert=load(certificate),
                id_attribute="Id",
                expect_config=XAdESSignatureConfiguration(
                    expect_references=True, digest_algorithms=_DIGESTS, verification_time=load(certificate).not_valid_before_utc
                ),
            )
        except InvalidDigest:
            failure = "changed"
        except (SignXMLException, etree.LxmlError):
            failure = "wrong_value"
        if qualifying is None or qualifying.get("Target") != f"#{place}":
            failure = "changed"
    if failure is not None:
        return _verdict(
            place, certificate, trusted, scheme=scheme, intact=False, coverage="unclear", problems=[_PROBLEMS[failure], *problems]
        )
    signed = {reference.get("URI", ""): result.signed_xml for reference, result in zip(references, results, strict=True)}
    coverage = _xml_coverage(signed)
    if coverage == "unclear":
        problems.append(_PROBLEMS["content_not_covered"])
    properties = next(result.signed_properties for result in results if isinstance(result, XAdESVerifyResult))
    time = properties.findtext(f"{{{XADES}}}SigningTime")
    return _verdict(
        place,
        certificate,
        trusted,
        role=properties.findtext(f".//{{{XADES}}}ClaimedRole"),
        signed_at=datetime.fromisoformat(time) if time else None,
        scheme=scheme,
        intact=True,
        coverage=coverage,
        covers=tuple(uri.removeprefix("#") for uri, node in signed.items() if node is not None and node.tag not in _OWN_PARTS),
        problems=problems,
    )


def _xml_coverage(signed: dict[str, etree._Element | None]) -> Coverage:
    whole, content = signed.get(""), signed.get(f"#{CONTENT_ID}")
    if whole is not None and whole.tag == f"{{{NAMESPACE}}}HocBa":
        return "whole"
    if content is not None and content.tag == f"{{{NAMESPACE}}}NoiDung" and content.get("Id") == CONTENT_ID:
        return "content"
    return "unclear"


def _verdict(
    place: str,
    certificate: bytes,
    trusted: Trust,
    *,
    intact: bool,
    coverage: Coverage,
    problems: Sequence[Problem],
    role: str | None = None,
    signed_at: datetime | None = None,
    scheme: Scheme | None = None,
    covers: tuple[str, ...] = (),
) -> Verdict:
    facts = describe(certificate)
    return Verdict(
        place=place,
        signer=facts.subject,
        personal_id=facts.personal_id,
        tax_code=facts.tax_code,
        role=role,
        signed_at=signed_at,
        serial=facts.serial,
        issuer=facts.issuer,
        certificate=certificate,
        scheme=scheme,
        intact=intact,
        trust=trusted.state,
        revocation=trusted.revocation,
        coverage=coverage,
        covers=covers,
        problems=tuple(problems),
    )


def _unreadable(place: str) -> Verdict:
    problems = (_PROBLEMS["unreadable"],)
    return Verdict(place=place, signer="", intact=False, trust="untrusted", revocation="unknown", coverage="unclear", problems=problems)


def _ds(tag: str) -> str:
    return f"{{{DS}}}{tag}"


_KEY_INFO = _ds("KeyInfo")
_CERTIFICATES = f"{_KEY_INFO}/{_ds('X509Data')}/{_ds('X509Certificate')}"
# what pyHanko lets through when a file holds a number where a dictionary belongs
_BROKEN_PDF = (PdfError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, UnsupportedAlgorithm)
# what the libraries raise on parts that are no certificate, no base64, no number
_MALFORMED = (ValueError, TypeError, KeyError, UnsupportedAlgorithm)
_OWN_PARTS = (_KEY_INFO, f"{{{XADES}}}SignedProperties")
_USAGES = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})
_HASHES = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_TRANSFORMS = {EXCLUSIVE.value, SignatureConstructionMethod.enveloped.value}
_XML_SCHEMES: dict[str, Scheme] = {
    **{SignatureMethod[f"RSA_SHA{bits}"].value: "rsa-pkcs1" for bits in (256, 384, 512)},
    **{SignatureMethod[f"SHA{bits}_RSA_MGF1"].value: "rsa-pss" for bits in (256, 384, 512)},
    **{SignatureMethod[f"ECDSA_SHA{bits}"].value: "ecdsa" for bits in (256, 384, 512)},
}
_ASK_AGAIN = "Đề nghị đơn vị phát hành cung cấp lại tệp học bạ gốc."
_PROBLEMS = {
    code: Problem(code=code, message_vi=message, action_vi=_ASK_AGAIN)
    for code, message in (
        ("changed", "Nội dung đã bị thay đổi sau khi ký."),
        ("wrong_value", "Giá trị chữ ký không đúng với chứng thư số của người ký."),
        ("missing_part", "Thiếu nội dung hoặc chữ ký mà chữ ký này bảo vệ."),
        ("added_afterwards", "Tài liệu bị thêm nội dung không được phép sau khi ký."),
        ("content_not_covered", "Chữ ký không bảo vệ nội dung học bạ."),
        ("weak_algorithm", "Chữ ký dùng thuật toán không được chấp nhận."),
        ("unaccepted", "Chữ ký không đạt yêu cầu kiểm tra của chứng thư số."),
        ("unreadable", "Không đọc được chữ ký hoặc thiếu chứng thư số của người ký."),
    )
}
