"""Jobs: taken only when the paired server signed them, for this agent, for now; and never as an oracle for hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hocba_agent import troubles

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB_TYPE: Final = "hocba-agent-job+jwt"
ALGORITHM: Final = "Ed25519"
FIRST_LINE: Final = "CHỨNG MINH ĐANG GIỮ KHOÁ KÝ SỐ - KHÔNG PHẢI KÝ TÀI LIỆU"
LONGEST: Final = 4000
"""Bytes of a challenge that a person can still read."""

Scheme = Literal["rsa-pkcs1", "rsa-pss", "ecdsa"]
SCHEMES: Final[dict[str, Scheme]] = {"rsa-pkcs1": "rsa-pkcs1", "rsa-pss": "rsa-pss", "ecdsa": "ecdsa"}
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Job:
    """`expires_at` in seconds since 1970."""

    id: str
    expires_at: int
    kind: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Challenge:
    """What a job `prove` asks for; the text is what the person sees and what is hashed here."""

    text: str
    certificate: str
    scheme: Scheme


@dataclass(frozen=True)
class Batch:
    """What a job `sign` asks for: `items` is the SHA-256 of the list of what is to be signed, `title` what the person reads first."""

    title: str
    count: int
    items: str
    certificate: str
    scheme: Scheme


def open_job(signed: str, keys: Mapping[str, Any], agent: str, now: float) -> Job:
    """`keys` is the JWKS kept at pairing. Raises Trouble `untrusted` for anything but a job of that server for this agent, now."""
    try:
        decoded = jwt.decode(signed, KeySet.import_key_set({"keys": list(keys["keys"])}), algorithms=[ALGORITHM])
    except (JoseError, ValueError, KeyError, TypeError) as wrong:
        raise troubles.untrusted("chữ ký không đúng") from wrong
    claims = decoded.claims
    if decoded.header.get("typ") != JOB_TYPE:
        raise troubles.untrusted("không phải yêu cầu ký")
    if claims.get("aud") != agent:
        raise troubles.untrusted("dành cho chương trình khác")
    job_id, until, kind, content = (claims.get(name) for name in ("jti", "exp", "kind", "content"))
    if not isinstance(job_id, str) or not isinstance(until, int) or not isinstance(kind, str) or not isinstance(content, dict):
        raise troubles.untrusted("thiếu thông tin")
    if now >= until:
        raise troubles.untrusted("đã hết hạn")
    return Job(job_id, until, kind, content)


def challenge_of(content: Mapping[str, Any]) -> Challenge:
    """Raises Trouble `refused` for a text that does not begin as challenges do, or one that cannot be shown as it is."""
    text, certificate, scheme = (content.get(name) for name in ("text", "certificate", "scheme"))
    if not isinstance(text, str) or not isinstance(certificate, str) or not _FINGERPRINT.fullmatch(certificate):
        raise troubles.refused("nội dung không đúng mẫu")
    if not text.startswith(FIRST_LINE + "\n") or len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise troubles.refused("đây không phải văn bản thử khoá ký")
    if not all(line.isprintable() for line in text.split("\n")):
        raise troubles.refused("văn bản có ký tự ẩn")
    if not isinstance(scheme, str) or scheme not in SCHEMES:
        raise troubles.refused("cách ký không được hỗ trợ")
    return Challenge(text, certificate, SCHEMES[scheme])


def batch_of(job: Job) -> Batch:
    """Raises Trouble `refused` for an order that does not say what it is about."""
    title, count, items, certificate, scheme = (job.content.get(name) for name in ("title", "count", "items", "certificate", "scheme"))
    if job.content.get("batch") != job.id or not isinstance(title, str) or not title or not title.isprintable():
        raise troubles.refused("nội dung không đúng mẫu")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise troubles.refused("nội dung không đúng mẫu")
    if not all(isinstance(digest, str) and _FINGERPRINT.fullmatch(digest) for digest in (items, certificate)):
        raise troubles.refused("nội dung không đúng mẫu")
    if not isinstance(scheme, str) or scheme not in SCHEMES:
        raise troubles.refused("cách ký không được hỗ trợ")
    return Batch(title, count, str(items), str(certificate), SCHEMES[scheme])
