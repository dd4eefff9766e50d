"""How an account of the provider behaves, as POST /control/modes sets it, and which documents the bulk faults are for."""

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Confirmation = Literal["push", "pin", "otp", "pin_otp", "page", "none"]
Signing = Literal["both", "synchronous", "asynchronous"]
Wrapped = Literal["bare", "cms", "cms with attributes"]

PIN, OTP = "24681357", "135790"
MOST_WRONG = 5
"""Wrong secrets one after the other; then the account's credentials are locked."""


@dataclass
class Mode:
    """`confirmation`: on the phone, by what the person types (`pin_otp`: a one-time password that is sent), on the provider's own page, or
    by nobody. `signing`: what signHash can be asked for.
    """

    confirmation: Confirmation = "push"
    signing: Signing = "both"
    asynchronous_ms: int = 0
    wrapped: Wrapped = "bare"


@dataclass
class Modes:
    default: Mode = field(default_factory=Mode)
    own: dict[str, Mode] = field(default_factory=dict)
    announces_pkce: bool = True
    takes_pushed: bool = True
    sent: dict[str, str] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)

    def of(self, user: str) -> Mode:
        return self.own.get(user, self.default)

    def secrets_of(self, user: str) -> dict[str, str]:
        """What the person has to type, by id; a one-time password that was not sent yet is nothing that could be typed."""
        sent = self.sent.get(user, "")
        known = {"pin": {"PIN": PIN}, "otp": {"OTP": OTP}, "pin_otp": {"PIN": PIN, "SMS": sent}}
        return known.get(self.of(user).confirmation, {})

    def send(self, user: str) -> None:
        """A new one-time password; the one before is good no more."""
        self.sent[user] = f"{secrets.randbelow(1_000_000):06}"


def falls_on(fault: str, hash_base64: str, percent: int) -> bool:
    """Is this hash among the percentage that the fault is for? The same every time, so that a test knows beforehand."""
    drawn = int.from_bytes(hashlib.sha256(f"{fault} {hash_base64}".encode()).digest()[:4])
    return drawn % 10_000 < percent * 100
