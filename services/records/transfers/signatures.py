"""What the signatures in documents of another school are worth, judged when they arrive. Bytes in, plain data out; runs in the pool.

The school's signature and the document timestamp of the PDF protect everything before them, the XML's school signature covers the
whole XML. So in the PDF every signature is judged, in the XML the school's. Certificates are judged for the moment that the timestamp
proves, with the validation data that the document carries; nothing is fetched.
"""

from __future__ import annotations

import datetime as dt
import logging
from base64 import b64decode
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from lxml import etree
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from signxml.algorithms import DigestAlgorithm
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from services.means.x509 import complete, describe, load, load_asn1, trust

State = Literal["VALID", "INVALID", "UNCHECKED"]
FIELDS: Final = ("GVCN", "CBQL", "KY_PHAT_HANH")
SCHOOL: Final = FIELDS[-1]
TRANSCRIPT: Final = "urn:hocba:transcript:1"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_BROKEN = (PdfError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, UnsupportedAlgorithm)
# pyHanko would write whatever it finds into the log, with the holders' names and personal ids; here it is returned
for _name in ("pyhanko.sign.validation", "pyhanko.sign.diff_analysis"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
_USAGES = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_TRUST_WORDS = {
    "expired": "chứng thư số đã hết hạn và không có dấu thời gian chứng minh thời điểm ký",
    "not_yet_valid": "chứng thư số chưa có hiệu lực ở thời điểm ký",
    "incomplete_chain": "thiếu chứng thư số của đơn vị cấp",
    "untrusted": "chứng thư số không do tổ chức được tin cậy cấp",
    "revoked": "chứng thư số đã bị thu hồi",
}


class Judged(BaseModel):
    """One signature, or a document as a whole (`place` empty). `reason` says in Vietnamese what is wrong, "" when it is valid."""

    model_config = ConfigDict(frozen=True)

    place: str
    state: State
    signer: str = ""
    tax_code: str | None = None
    reason: str = ""


def judge_pdf(document: bytes, roots: Sequence[bytes], at: dt.datetime) -> tuple[list[Judged], dt.datetime]:
    """Every signature of a sealed transcript's PDF in order, and the moment that its timestamps prove (`at` without one)."""
    try:
        reader = PdfFileReader(BytesIO(document))
        every: list[EmbeddedPdfSignature] = sorted(reader.embedded_signatures, key=lambda one: int(one.signed_revision))
        proved = _proved_at(reader, every, roots, at)
        personal = [one for one in every if one.sig_object_type != "/DocTimeStamp"]
        judged = [_pdf_signature(one, reader, roots, proved or at) for one in personal]
        if not every or every[-1].evaluate_signature_coverage() < SignatureCoverageLevel.ENTIRE_FILE:
            judged.append(Judged(place="", state="INVALID", reason="tài liệu có nội dung không được chữ ký nào bảo vệ"))
    except _BROKEN:
        return [Judged(place="", state="INVALID", reason="không đọc được tệp PDF hoặc chữ ký trong tệp")], at
    places = [one.place for one in judged if one.place]
    if places[-1:] != [SCHOOL] or not set(FIELDS) <= set(places):
        judged.append(Judged(place="", state="INVALID", reason="thiếu chữ ký của giáo viên chủ nhiệm, lãnh đạo hoặc nhà trường"))
    if proved is None:
        judged.append(Judged(place="", state="UNCHECKED", reason="không có dấu thời gian được tin cậy"))
    return judged, proved or at


def _context(reader: PdfFileReader, roots: Sequence[bytes], at: dt.datetime, *, stored: bool) -> ValidationContext:
    """With the document's own certificates; `stored`: also with the lists and OCSP answers that it keeps, made when it was sealed."""
    settings: dict[str, Any] = {
        "trust_roots": [load_asn1(root) for root in roots],
        "moment": at.astimezone(dt.UTC),
        "allow_fetching": False,
        "revocation_mode": "soft-fail",
        "retroactive_revinfo": True,
    }
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return ValidationContext(**settings)
    if stored:
        return store.as_validation_context(settings)
    return ValidationContext(**settings, other_certs=list(store.load_certs()))


def _proved_at(reader: PdfFileReader, every: Sequence[EmbeddedPdfSignature], roots: Sequence[bytes], at: dt.datetime) -> dt.datetime | None:
    """Of the earliest sound document timestamp; each is judged for the moment at which the next one took over."""
    proved = None
    for one in reversed([each for each in every if each.sig_object_type == "/DocTimeStamp"]):
        try:
            status = complete(async_validate_pdf_timestamp(one, _context(reader, roots, proved or at, stored=proved is not None)))
        except (SignatureValidationError, CMSExtractionError):
            return None
        if not (status.intact and status.valid and status.trusted):
            return None
        proved = status.timestamp
    return proved


def _pdf_signature(one: EmbeddedPdfSignature, reader: PdfFileReader, roots: Sequence[bytes], moment: dt.datetime) -> Judged:
    place = str(one.field_name)
    try:
        status = complete(async_validate_pdf_signature(one, _context(reader, roots, moment, stored=True), key_usage_settings=_USAGES))
        certificate: bytes = one.signer_cert.dump()
        facts = describe(certificate)
    except (SignatureValidationError, CMSExtractionError):
        return Judged(place=place, state="INVALID", reason="không đọc được chữ ký")

    def said(state: State, reason: str = "") -> Judged:
        return Judged(place=place, state=state, signer=facts.subject, tax_code=facts.tax_code, reason=reason)

    if not (status.intact and status.valid):
        return said("INVALID", "nội dung đã bị thay đổi sau khi ký")
    if status.coverage < SignatureCoverageLevel.ENTIRE_REVISION or not status.docmdp_ok:
        return said("INVALID", "tài liệu bị thêm nội dung không được phép sau khi ký")
    if status.revoked:
        return said("INVALID", _TRUST_WORDS["revoked"])
    if status.trusted:
        return said("VALID")
    chain = [each.dump() for each in one.other_embedded_certs]
    return said(*_of_trust(certificate, chain, roots, moment))


def _of_trust(certificate: bytes, chain: Sequence[bytes], roots: Sequence[bytes], moment: dt.datetime) -> tuple[State, str]:
    found = trust(certificate, [*chain, *roots], roots, at=moment)
    if found.state == "trusted":
        return "VALID", ""
    return "INVALID" if found.state in ("untrusted", "revoked") else "UNCHECKED", _TRUST_WORDS[found.state]


def attached_xml(document: bytes) -> bytes | None:
    """The XML inside the PDF, which its signatures protect; None when there is none to be read."""
    try:
        root = PdfFileReader(BytesIO(document)).root
        data: bytes = root["/AF"][0]["/EF"]["/F"].data
    except _BROKEN:
        return None
    return data


def same_content(one: etree._Element, other: bytes) -> bool:
    """Whether both say the same: their signed content in canonical form."""
    try:
        return etree.tostring(one[0], method="c14n", exclusive=True) == etree.tostring(parsed(other)[0], method="c14n", exclusive=True)
    except ValueError:
        return False


class _TheSchools(XAdESVerifier):
    """signxml looks at the first signature that it meets; this one at the last, which is the school's."""

    def _get_signature(self, root: etree._Element) -> etree._Element:
        return root[1][-1]


def parsed(document: bytes) -> etree._Element:
    """The root of a transcript's XML: /HocBa/NoiDung, /HocBa/ChuKy, no DTD. Raises ValueError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as problem:
        raise ValueError("not XML") from problem
    info = root.getroottree().docinfo
    children = [child.tag for child in root]
    if info.internalDTD is not None or info.externalDTD is not None or root.tag != f"{{{TRANSCRIPT}}}HocBa":
        raise ValueError("not a transcript")
    if children != [f"{{{TRANSCRIPT}}}NoiDung", f"{{{TRANSCRIPT}}}ChuKy"]:
        raise ValueError("not a transcript")
    return root


def judge_xml(root: etree._Element, roots: Sequence[bytes], moment: dt.datetime) -> Judged:
    """The school's signature, which covers the whole document with all signatures before it."""
    try:
        signature = root[1][-1]
        if signature.tag != f"{{{DS}}}Signature" or signature.get("Id") != SCHOOL:
            return Judged(place=SCHOOL, state="INVALID", reason="thiếu chữ ký phát hành của nhà trường")
        certificates = [
            b64decode(node.text or "") for node in signature.iterfind(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
        ]
        certificate, *chain = certificates
        facts = describe(certificate)
        expected = XAdESSignatureConfiguration(
            expect_references=True, digest_algorithms=_DIGESTS, verification_time=load(certificate).not_valid_before_utc
        )
        results = _TheSchools().verify(root, x509_cert=load(certificate), id_attribute="Id", expect_config=expected)
    except (SignXMLException, etree.LxmlError):
        return Judged(place=SCHOOL, state="INVALID", reason="nội dung đã bị thay đổi sau khi ký")
    except (IndexError, *_BROKEN):
        return Judged(place=SCHOOL, state="INVALID", reason="không đọc được chữ ký")
    if not any(result.signed_xml is not None and result.signed_xml.tag == f"{{{TRANSCRIPT}}}HocBa" for result in results):
        return Judged(place=SCHOOL, state="INVALID", reason="chữ ký của nhà trường không bảo vệ toàn bộ học bạ")
    state, reason = _of_trust(certificate, chain, roots, moment)
    return Judged(place=SCHOOL, state=state, signer=facts.subject, tax_code=facts.tax_code, reason=reason)
