"""How long a certificate is still valid, in days as people in Viet Nam count them, and when they are warned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.chassis.clock import in_vietnam

if TYPE_CHECKING:
    from datetime import datetime

WARNED_AT: Final = (30, 15, 7)
"""Days before the end."""


def days_left(valid_to: datetime, at: datetime) -> int:
    """Whole days: 0 on the last day itself, negative once it has passed."""
    return (in_vietnam(valid_to).date() - in_vietnam(at).date()).days


def expiry_warning(valid_to: datetime, at: datetime) -> int | None:
    """The smallest of WARNED_AT that the days left have come down to; None while there is no need, and once it has expired."""
    if valid_to <= at:
        return None
    left = days_left(valid_to, at)
    return min((days for days in WARNED_AT if left <= days), default=None)
