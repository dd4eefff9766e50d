"""The secret of a link: 130 random bits that can be read aloud, typed and scanned. Only its digest is ever stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: none of its characters is taken for another."""
LENGTH: Final = 26
_WHOLE: Final = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
_ALIKE: Final = str.maketrans("OIL", "011")


def new() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def grouped(secret: str) -> str:
    """For the eye: "7Q2M-X…", in groups of four."""
    return "-".join(secret[i : i + 4] for i in range(0, LENGTH, 4))


def typed(text: str) -> str | None:
    """The secret in what a person typed or pasted: the link as a whole, or the part behind "#". None where there is none."""
    plain = re.sub(r"[\s-]", "", text[-500:].rpartition("#")[2]).upper().translate(_ALIKE)
    return plain if _WHOLE.fullmatch(plain) else None


def digest_of(secret: str) -> str:
    """SHA-256 alone: what is guessed against has 130 bits, so there is nothing to slow down."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
