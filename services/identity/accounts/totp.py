"""Codes of an authenticator app (RFC 6238: six digits, SHA-1, 30 seconds, as every app knows them)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError

from contracts.menu import PRODUCT

if TYPE_CHECKING:
    from datetime import datetime

DIGITS = 6
WINDOW = 1
"""Steps before and after the present one that are good too: clocks of phones are seconds off, and typing takes some."""


def new_secret() -> str:
    """160 bits in base 32."""
    return pyotp.random_base32()


def uri_of(secret: str, username: str) -> str:
    """What an app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=PRODUCT)


def picture_of(uri: str) -> str:
    """The QR code as an SVG element without styles, which the pages' security policy forbids."""
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False, svgns=False, nl=False)
    return drawn.getvalue().decode()


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The number of the step that `code` belongs to, None when it is not one of now. A step is good once: see `factors.match`."""
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=at, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def in_groups(secret: str) -> str:
    """To be typed where no camera is at hand."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
