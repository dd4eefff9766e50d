"""What the signatures and document timestamps of a PDF are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash
from io import BytesIO
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel

from services.means.judging import verdict
from services.means.judging.additions import Addition, additions
from services.means.judging.evidence import HASHES, Means, Stamp, joined, judge_certificate, judge_signed_stamp, only_readable
from services.means.judging.frame import UnsuitableDocument
from services.means.judging.pdf_changes import Changes
from services.means.judging.verdict import PROBLEMS, Coverage, Proof, Verdict, level_of, unreadable
from services.means.validation_data import ValidationData
from services.means.x509 import Scheme, complete, describe, weaknesses

# what pyHanko lets through when a file holds a number where a dictionary belongs
BROKEN_PDF = (PdfError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, UnsupportedAlgorithm)
_USAGES = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})


def verify_pdf(document: bytes, roots: Sequence[bytes], crls: Sequence[bytes], at: datetime) -> list[Verdict]:
    """Judge every signature of a PDF, in the order of signing; document timestamps are not signatures of persons.

    Raises UnsuitableDocument when the file cannot be read as a PDF.
    """
    try:
        reader = PdfFileReader(BytesIO(document))
        readable: list[EmbeddedPdfSignature] = reader.embedded_signatures
        means = Means(roots=tuple(roots), data=joined(_pdf_data(reader), ValidationData(crls=tuple(crls))))
        stamps = _pdf_stamps(reader, [one for one in readable if one.sig_object_type == "/DocTimeStamp"], means, at)
        added = None if _has_loose_end(reader, readable) else additions(document)
        verdicts = [_judge_pdf(one, stamps, means, at, added) for one in readable if one.sig_object_type != "/DocTimeStamp"]
        filled = {str(name) for name, _, _ in enumerate_sig_fields(reader, filled_status=True)}
        return verdicts + [unreadable(name) for name in sorted(filled - {str(one.field_name) for one in readable})]
    except BROKEN_PDF as error:
        raise UnsuitableDocument("not_pdf", "Tệp PDF không đọc được hoặc đã hỏng.") from error


def _has_loose_end(reader: PdfFileReader, found: Sequence[EmbeddedPdfSignature]) -> bool:
    """Whether something hangs at the end that belongs to no revision: more bytes than the last signature or timestamp covers."""
    last = max(found, key=lambda one: one.signed_revision, default=None)
    if last is None or last.signed_revision < reader.total_revisions - 1:
        return False
    return bool(last.evaluate_signature_coverage() < SignatureCoverageLevel.ENTIRE_FILE)


def _judge_pdf(
    signature: EmbeddedPdfSignature, stamps: Sequence["_PdfStamp"], means: Means, at: datetime, added: Sequence[Addition] | None
) -> Verdict:
    """`added`: all additions with which the document ends; None when something hangs loose there."""
    place = str(signature.field_name)
    try:
        proof = _pdf_proof(signature, stamps, means, at)
        certificate: bytes = signature.signer_cert.dump()
        others = [other.dump() for other in signature.other_embedded_certs]
        context = means.context(proof.time or at)
        policy = Changes(added or (), _signed_end(signature))
        status: PdfSignatureStatus = complete(
            async_validate_pdf_signature(signature, context, diff_policy=policy, key_usage_settings=_USAGES)
        )
    except (SignatureValidationError, CMSExtractionError):
        return unreadable(place)
    intact = status.intact and status.valid
    problems = []
    coverage: Coverage = "unclear"
    if not status.intact:
        problems.append(PROBLEMS["changed"])
    elif not status.valid:
        problems.append(PROBLEMS["wrong_value"])
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        coverage = "whole"
    elif (
        status.coverage == SignatureCoverageLevel.ENTIRE_REVISION
        and status.docmdp_ok
        and added is not None
        # a further revision without a change
        and status.modification_level != ModificationLevel.NONE
    ):
        coverage = "revision"
    else:
        problems.append(PROBLEMS["added_afterwards"])
    if intact and proof.bad:
        problems.append(PROBLEMS[proof.bad])
    trusted = judge_certificate(certificate, others, means, proof.time or at)
    problems += weaknesses(describe(certificate))
    if status.md_algorithm not in HASHES:
        problems.append(PROBLEMS["weak_algorithm"])
    if intact and trusted.state == "trusted" and not status.trusted and not problems:
        problems.append(PROBLEMS["unaccepted"])
    reason = signature.sig_object.get("/Reason")
    return verdict.make(
        place,
        certificate,
        trusted,
        role=str(reason) if intact and reason is not None else None,
        signed_at=signature.self_reported_timestamp if intact else None,
        scheme=_pdf_scheme(status.pkcs7_signature_mechanism),
        intact=intact,
        coverage=coverage,
        problems=problems,
        proved_at=proof.time if intact else None,
        level=level_of(certificate, others, proof, means) if intact else "B",
    )


def _signed_end(signature: EmbeddedPdfSignature) -> int:
    """Where that ends which the signature covers; before anything else when its range is not of the usual kind."""
    numbers = [int(each) for each in signature.byte_range]
    return numbers[2] + numbers[3] if len(numbers) == 4 else -1


@dataclass(frozen=True)
class _PdfStamp:
    """`stored` is the validation data of the revision that the timestamp closes."""

    revision: int
    stamp: Stamp
    stored: ValidationData


def _pdf_stamps(reader: PdfFileReader, found: Sequence[EmbeddedPdfSignature], means: Means, at: datetime) -> list[_PdfStamp]:
    """Each document timestamp judged for the moment at which the next one took over, the last one for `at`."""
    stamps = []
    for one in sorted(found, key=lambda each: each.signed_revision, reverse=True):
        one.compute_integrity_info(skip_diff=True)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
        stamp = judge_signed_stamp(one.signed_data, one.compute_digest, means, at)
        if one.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
            stamp = Stamp(state="bad")
        if stamp.state == "good" and stamp.time is not None:
            at = min(at, stamp.time)
        stamps.append(_PdfStamp(one.signed_revision, stamp, _pdf_data(reader.get_historical_resolver(one.signed_revision))))
    return stamps


def _pdf_proof(signature: EmbeddedPdfSignature, stamps: Sequence[_PdfStamp], means: Means, at: datetime) -> Proof:
    later = [one for one in stamps if one.revision > signature.signed_revision]
    good = [one for one in later if one.stamp.state == "good"]
    times = [one.stamp.time for one in good if one.stamp.time is not None]
    own = _own_stamps(signature, means, min(times, default=at))
    times += [one.time for one in own if one.state == "good" and one.time is not None]
    stored = good[0].stored if good else None
    bad = any(one.state == "bad" for one in (*own, *(each.stamp for each in later)))
    return Proof(min(times, default=None), stored, stored or ValidationData(), "timestamp" if bad else None)


def _own_stamps(signature: EmbeddedPdfSignature, means: Means, at: datetime) -> list[Stamp]:
    """Those inside the signature itself, as other programs make them: over the signature's value."""
    info = signature.signer_info
    value: bytes = info["signature"].native
    attributes = [one for one in info["unsigned_attrs"] or () if one["type"].native == "signature_time_stamp_token"]
    tokens = [each["content"] for one in attributes for each in one["values"]]
    return [judge_signed_stamp(token, lambda name: new_hash(name, value).digest(), means, at) for token in tokens]


def _pdf_data(handler: PdfHandler) -> ValidationData:
    """The document security store; nothing when it cannot be read, which its timestamp will tell."""
    try:
        store = _entry(handler.root, "/DSS", {})
        certificates, ocsps, crls = (
            tuple(one.get_object().data for one in _entry(store, name, ())) for name in ("/Certs", "/OCSPs", "/CRLs")
        )
        return only_readable(ValidationData(certificates=certificates, ocsps=ocsps, crls=crls))
    except BROKEN_PDF:
        return ValidationData()


def _entry(container: Any, name: str, default: Any) -> Any:
    # pyHanko's get() gives the reference, not what it refers to
    return container[name] if name in container.keys() else default  # noqa: SIM118 - for that reason


def _pdf_scheme(mechanism: str) -> Scheme | None:
    if mechanism == "rsassa_pss":
        return "rsa-pss"
    if "ecdsa" in mechanism:
        return "ecdsa"
    return "rsa-pkcs1" if "rsa" in mechanism else None
