"""Spare codes for whoever lost the phone or key: ten, each good once, seen once by their owner and kept as digests."""

from __future__ import annotations

import hashlib
import re
import secrets

NUMBER = 10
# without the letters and digits that look alike on paper
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_SHAPE = re.compile(rf"[{ALPHABET}]{{15}}")


def make() -> list[str]:
    """74 bits each: a plain digest of that many cannot be searched through, unlike one of a password."""
    return ["-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3)) for _ in range(NUMBER)]


def digest_of(typed: str) -> str | None:
    """However it is spaced and cased; None for what cannot be one."""
    plain = re.sub(r"[\s-]", "", typed).casefold()
    return hashlib.sha256(plain.encode()).hexdigest() if _SHAPE.fullmatch(plain) else None


def digests_of(codes: list[str]) -> list[str]:
    return [digest for code in codes if (digest := digest_of(code)) is not None]
