"""The signed challenge: a readable text whose signature shows that somebody holds a certificate's key, and is good for nothing else.

The text is UTF-8 (NFC) with one field a line. Its first line is fixed: a signer of such texts refuses any other, so that nobody can
pass the hash of a document off as a challenge. What is signed is the SHA-256 of the whole text, line ends included.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from services.chassis import clock
from services.means.x509 import Scheme, WrongSignature, check_value

if TYPE_CHECKING:
    from datetime import datetime

FIRST_LINE: Final = "CHỨNG MINH ĐANG GIỮ KHOÁ KÝ SỐ - KHÔNG PHẢI KÝ TÀI LIỆU"
"""Signers compare it byte for byte: it is part of the protocol, not of the interface's wording."""

LONGEST: Final = 4000
"""Bytes; a longer text is no challenge."""

_CERTIFICATE: Final = "SHA-256 của chứng thư số: "


def write(certificate: bytes, *, purpose: str, server: str, registrant: str, at: datetime, nonce: str | None = None) -> str:
    """The text to sign. `certificate` is DER, `registrant` a code, `server` the address that asks; every field is one line.

    Raises ValueError for a value that would break a line.
    """
    fields = (
        f"Mục đích: {purpose}",
        f"Máy chủ: {server}",
        f"Người đăng ký: {registrant}",
        f"{_CERTIFICATE}{hashlib.sha256(certificate).hexdigest()}",
        f"Số ngẫu nhiên: {nonce or secrets.token_hex(32)}",
        f"Thời điểm: {clock.in_vietnam(at).strftime('%d/%m/%Y %H:%M:%S +07:00')}",
    )
    if not all(field.isprintable() for field in fields):
        raise ValueError("a value of a challenge is not one printable line")
    return "\n".join((FIRST_LINE, *fields)) + "\n"


def is_challenge(text: str) -> bool:
    """What a signer asks before it signs: is it such a text, and short enough to be read?"""
    return text.startswith(FIRST_LINE + "\n") and len(text.encode()) <= LONGEST


def digest(text: str) -> bytes:
    """What is signed: 32 bytes. Raises ValueError for another text."""
    if not is_challenge(text):
        raise ValueError("the text is no challenge")
    return hashlib.sha256(text.encode()).digest()


def verify(certificate: bytes, text: str, signature: bytes, scheme: Scheme) -> None:
    """Was the text, which names this very certificate (DER), signed with its key in this very scheme?

    Schemes as in `x509.check_value`: RSA PKCS#1 v1.5, PSS with SHA-256 and a salt of 32 bytes, ECDSA as DER or r‖s.
    Raises WrongSignature.
    """
    if not is_challenge(text) or f"{_CERTIFICATE}{hashlib.sha256(certificate).hexdigest()}" not in text.splitlines():
        raise WrongSignature("the text is no challenge for this certificate")
    if check_value(certificate, digest(text), signature) != scheme:
        raise WrongSignature("the value was made in another scheme than asked for")
