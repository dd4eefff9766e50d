"""The certificate of a signature, held against what signing knows of the signer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from services.means.judging.evidence import judge_certificate
from services.means.x509 import describe

if TYPE_CHECKING:
    from services.means.judging.evidence import Means
    from services.signing.auditing.expected import ExpectedSignature


@dataclass(frozen=True)
class Judged:
    """A signature's certificate with those that came with it (DER), and the moment for which it is judged."""

    certificate: bytes
    others: tuple[bytes, ...]
    at: dt.datetime


def judge_signer(signature: Judged, expected: ExpectedSignature, means: Means) -> list[str]:
    """Codes of findings: another one's certificate, one that was not approved then, one that leads to no root, a revoked one."""
    codes = []
    if describe(signature.certificate).serial != expected.serial:
        codes.append("wrong_signer")
    elif sha256(signature.certificate).hexdigest() not in expected.approved:
        codes.append("not_approved")
    trusted = judge_certificate(signature.certificate, signature.others, means, signature.at)
    if trusted.state == "revoked":
        codes.append("revoked")
    elif trusted.state != "trusted":
        codes.append("untrusted")
    return codes
