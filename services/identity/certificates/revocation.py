"""Whether certificates are revoked, asked at their issuers: the OCSP responder, and the list where it does not answer."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from services.chassis.errors import Refused
from services.identity.errors import REVOCATION_UNKNOWN, REVOKED_CERTIFICATE, UNPROVABLE_CERTIFICATE
from services.means.timestamps import outgoing
from services.means.validation_data import Prover, Unprovable, ValidationDataUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TIMEOUT_SECONDS: Final = 5.0
"""For each answer: somebody waits for it at a page."""
AT_ONCE: Final = 10
"""Certificates asked about at a time. Of hundreds, those that wait for their turn must not use up the time for their answer."""
log = logging.getLogger(__name__)


async def ask(certificates: Iterable[tuple[bytes, Sequence[bytes]]], roots: Sequence[bytes]) -> list[Refused | None]:
    """For each certificate with its issuers (DER), in order: None when all are good now, or why it must not be used.

    REVOKED_CERTIFICATE, UNPROVABLE_CERTIFICATE; REVOCATION_UNKNOWN when trying later may help. Reaches outside: not for a transaction.
    """
    places = asyncio.Semaphore(AT_ONCE)
    async with outgoing() as session:
        prover = Prover(roots, session, timeout_seconds=TIMEOUT_SECONDS)

        async def in_turn(certificate: bytes, chain: Sequence[bytes]) -> Refused | None:
            async with places:
                return await _one(prover, certificate, chain)

        return await asyncio.gather(*(in_turn(certificate, chain) for certificate, chain in certificates))


async def _one(prover: Prover, certificate: bytes, chain: Sequence[bytes]) -> Refused | None:
    try:
        await prover.prove(certificate, chain)
    except Unprovable as problem:
        if problem.code == "revoked":
            return Refused(REVOKED_CERTIFICATE, message=problem.message_vi)
        return Refused(UNPROVABLE_CERTIFICATE, message=problem.message_vi, problem=problem.code)
    except ValidationDataUnavailable as problem:
        log.warning("neither responder nor revocation list can be had", extra={"reason": str(problem)})
        return Refused(REVOCATION_UNKNOWN)
    return None
