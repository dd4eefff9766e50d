"""Verification of the signatures in a transcript's PDF."""

import asyncio
import io

from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    PdfSignatureStatus,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.errors import SignatureValidationError

from infra.sandbox.gateway.changes import ChangesPolicy
from infra.sandbox.gateway.errors import TranscriptRefused, Untrusted
from infra.sandbox.gateway.trust import Trust, check_strength, subject_identifier


def verify_all(content: bytes, trust: Trust) -> tuple[str, str]:
    """Check every signature; returns kind and value of the last signer's UID. Raises TranscriptRefused (NG-401 to NG-404).

    The last signature or document timestamp must cover the whole file; what was added after earlier ones must be permitted.
    """
    try:
        reader = PdfFileReader(io.BytesIO(content))
        signatures = list(reader.embedded_regular_signatures)
        timestamps = list(reader.embedded_timestamp_signatures)
        if not signatures:
            raise TranscriptRefused("NG-401", "Tệp PDF chưa có chữ ký số")
        asyncio.run(_check(signatures, timestamps, trust, ChangesPolicy(content)))
        last = signatures[-1].signer_cert
    except (PdfError, SignatureValidationError, CMSExtractionError, ValueError, KeyError, TypeError) as wrong:
        raise TranscriptRefused("NG-401", "Tệp PDF hoặc chữ ký trong đó không đọc được") from wrong
    signer = subject_identifier(last)
    if signer[0] != "MST":
        raise TranscriptRefused("NG-404", "Chữ ký PDF cuối cùng không phải của nhà trường")
    return signer


async def _check(
    signatures: list[EmbeddedPdfSignature], timestamps: list[EmbeddedPdfSignature], trust: Trust, policy: ChangesPolicy
) -> None:
    context = trust.context()
    for position, signature in enumerate(signatures, start=1):
        try:
            check_strength(signature.signer_cert)
        except Untrusted as wrong:
            raise TranscriptRefused("NG-403", f"Chữ ký PDF thứ {position}: {wrong}") from wrong
        _judge(await async_validate_pdf_signature(signature, context, context, diff_policy=policy), position)
    for stamp in timestamps:
        status = await async_validate_pdf_timestamp(stamp, context, diff_policy=policy)
        if not (status.valid and status.intact and status.trusted):
            raise TranscriptRefused("NG-402", "Dấu thời gian của tệp PDF không đúng")
    covering = max((*signatures, *timestamps), key=lambda each: each.signed_revision)
    if covering.evaluate_signature_coverage() != SignatureCoverageLevel.ENTIRE_FILE:
        raise TranscriptRefused("NG-402", "Tệp PDF có phần thêm vào sau chữ ký cuối cùng")


def _judge(status: PdfSignatureStatus, position: int) -> None:
    if not (status.intact and status.valid):
        raise TranscriptRefused("NG-402", f"Chữ ký PDF thứ {position} không đúng hoặc tệp đã bị thay đổi")
    if not status.trusted:
        reason = "chứng thư số đã bị thu hồi" if status.revoked else "chứng thư số không được tin cậy"
        raise TranscriptRefused("NG-403", f"Chữ ký PDF thứ {position}: {reason}")
    if not status.bottom_line:
        raise TranscriptRefused("NG-402", f"Tệp PDF bị thay đổi không được phép sau chữ ký thứ {position}")
