"""Whether a signer's certificate is revoked, asked at its issuer when a batch starts and again before the person is asked.

A certificate that its issuer calls revoked signs nothing. Where nobody can be asked, signing goes on and the person is told: no
document is complete before every signer is proven at the archive level (docs/decisions/0028).
"""

from __future__ import annotations

import logging
from base64 import b64decode
from typing import TYPE_CHECKING, Final, Literal

from services.chassis.errors import Refused
from services.means.timestamps import outgoing
from services.means.validation_data import Prover, Unprovable, ValidationDataUnavailable
from services.signing.errors import SIGNER_REVOKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Document

TIMEOUT_SECONDS: Final = 5.0
"""For each answer: somebody waits for it at a page."""
log = logging.getLogger(__name__)


async def asked(certificate: bytes, chain: Sequence[bytes], roots: Sequence[bytes]) -> Literal["good", "unknown"]:
    """The issuer's answer on a certificate (DER, issuers nearest first). Raises Refused(SIGNER_REVOKED) when it must not sign.

    "unknown": no responder and no list can be had now, or the issuer has neither.
    """
    async with outgoing() as session:
        try:
            await Prover(roots, session, timeout_seconds=TIMEOUT_SECONDS).prove(certificate, chain)
        except Unprovable as problem:
            if problem.code == "no_revocation_service":
                return "unknown"
            raise Refused(SIGNER_REVOKED, reason=problem.message_vi, problem=problem.code) from problem
        except ValidationDataUnavailable as problem:
            log.warning("nobody can be asked about a signer's certificate", extra={"reason": str(problem)})
            return "unknown"
    return "good"


async def refuse_revoked(account: Document, roots: Sequence[bytes]) -> Literal["good", "unknown"]:
    """The same of an approved account (base64). Raises Refused(SIGNER_REVOKED)."""
    return await asked(b64decode(account["certificate"]), [b64decode(c) for c in account["chain"]], roots)
