"""The PDF of a document, examined by pyHanko's own validator alone."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel

from services.means.judging.evidence import Means, judge_certificate, only_readable
from services.means.validation_data import ValidationData
from services.means.x509 import complete
from services.signing.auditing.findings import Finding
from services.signing.auditing.proof import Judged, judge_signer
from services.signing.auditing.xml_check import content_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

    from services.signing.auditing.expected import Expected

# what pyHanko lets through when a file holds a number where a dictionary belongs
_BROKEN = (PdfError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, UnsupportedAlgorithm)
_UNJUDGED = (SignatureValidationError, CMSExtractionError)
_USAGES = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})
_STAMP = "/DocTimeStamp"


def check_pdf(document: bytes, content: bytes | None, expected: Expected, roots: Sequence[bytes], at: dt.datetime) -> list[Finding]:
    """Everything that is wrong with it. `content` is the XML that was made to be signed, None where it is lost; `at` the present."""
    try:
        return _checked(PdfFileReader(BytesIO(document)), content, expected, roots, at)
    except _BROKEN:
        return [_of("unreadable")]


def _of(code: str, place: str = "") -> Finding:
    return Finding(code=code, file="pdf", place=place)


def _checked(reader: PdfFileReader, content: bytes | None, expected: Expected, roots: Sequence[bytes], at: dt.datetime) -> list[Finding]:
    found = [] if content is None or content_of(content) in _attached(reader) else [_of("other_document")]
    every: list[EmbeddedPdfSignature] = sorted(reader.embedded_signatures, key=lambda one: one.signed_revision)
    signatures = [one for one in every if one.sig_object_type != _STAMP]
    stamps = [one for one in every if one.sig_object_type == _STAMP]
    found += _who([str(one.field_name) for one in signatures], expected)
    if every and (every[-1].evaluate_signature_coverage() < SignatureCoverageLevel.ENTIRE_FILE):
        found.append(_of("added"))
    means = Means(roots=tuple(roots), data=_data(reader))
    code, proved = _stamped(stamps, means, at)
    if expected.sealed and not stamps:
        code = "timestamp_missing"
    found += [_of(code)] if code else []
    known = {one.field: one for one in expected.in_pdf}
    for one in signatures:
        name = str(one.field_name)
        moment = proved or (known[name].signed_at if name in known else at)
        found += [_of(problem, name) for problem in _judged(one, means, moment)]
        if name in known:
            others = tuple(each.dump() for each in one.other_embedded_certs)
            signer = Judged(one.signer_cert.dump(), others, moment)
            found += [_of(problem, name) for problem in judge_signer(signer, known[name], means)]
    return found


def _who(places: list[str], expected: Expected) -> list[Finding]:
    wanted = [str(one.field) for one in expected.in_pdf]
    found = [_of("signature_missing", place) for place in wanted if place not in places]
    found += [_of("signature_unknown", place) for place in places if place not in wanted]
    if [place for place in places if place in wanted] != [place for place in wanted if place in places]:
        found.append(_of("order"))
    return found


def _judged(one: EmbeddedPdfSignature, means: Means, at: dt.datetime) -> list[str]:
    """Codes of findings about the signature itself and about what came after it."""
    try:
        status = complete(async_validate_pdf_signature(one, means.context(at), key_usage_settings=_USAGES))
    except _UNJUDGED:
        return ["signature_unreadable"]
    codes = []
    if not status.intact:
        codes.append("changed")
    elif not status.valid:
        codes.append("wrong_value")
    if status.coverage < SignatureCoverageLevel.ENTIRE_REVISION or not status.docmdp_ok:
        codes.append("added")
    return codes


def _stamped(stamps: Sequence[EmbeddedPdfSignature], means: Means, at: dt.datetime) -> tuple[str, dt.datetime | None]:
    """("" or what is wrong with its timestamps, the time of the earliest); each is judged for the time of the next one."""
    time: dt.datetime | None = None
    for one in reversed(stamps):
        moment = time or at
        try:
            status = complete(async_validate_pdf_timestamp(one, means.context(moment), skip_diff=True))
        except _UNJUDGED:
            return "timestamp_bad", None
        if not status.intact or not status.valid or one.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
            return "timestamp_bad", None
        unit = judge_certificate(one.signer_cert.dump(), [each.dump() for each in one.other_embedded_certs], means, moment)
        if unit.state == "expired":
            return "timestamp_outlived", None
        if unit.state != "trusted":
            return "timestamp_bad", None
        time = status.timestamp if time is None else min(time, status.timestamp)
    return "", time


def _data(reader: PdfFileReader) -> ValidationData:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return ValidationData()
    every = (store.certs.values(), store.ocsps, store.crls)
    certificates, ocsps, crls = (tuple(reference.get_object().data for reference in some) for some in every)
    return only_readable(ValidationData(certificates=certificates, ocsps=ocsps, crls=crls))


def _attached(reader: PdfFileReader) -> list[bytes | None]:
    """The content of every associated file that is an XML."""
    listed = reader.root["/AF"] if "/AF" in reader.root else ()  # noqa: SIM401 - pyHanko's get() gives the reference, not what it refers to
    return [content_of(each.get_object()["/EF"]["/F"].data) for each in listed]
