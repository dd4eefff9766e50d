"""How an account of the provider behaves, as POST /control/modes sets it, and which documents the bulk faults are for."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

Confirmation = Literal["push", "pin", "otp", "none"]
Signing = Literal["both", "synchronous", "asynchronous"]
Wrapped = Literal["bare", "cms", "cms with attributes"]

PIN, OTP = "24681357", "135790"


@dataclass
class Mode:
    """`confirmation`: on the phone, by what the person types, or by nobody. `signing`: what signHash can be asked for."""

    confirmation: Confirmation = "push"
    signing: Signing = "both"
    asynchronous_ms: int = 0
    wrapped: Wrapped = "bare"

    @property
    def secret(self) -> str | None:
        return {"pin": PIN, "otp": OTP}.get(self.confirmation)


@dataclass
class Modes:
    default: Mode = field(default_factory=Mode)
    own: dict[str, Mode] = field(default_factory=dict)
    announces_pkce: bool = True

    def of(self, user: str) -> Mode:
        return self.own.get(user, self.default)


def falls_on(fault: str, hash_base64: str, percent: int) -> bool:
    """Is this hash among the percentage that the fault is for? The same every time, so that a test knows beforehand."""
    drawn = int.from_bytes(hashlib.sha256(f"{fault} {hash_base64}".encode()).digest()[:4])
    return drawn % 10_000 < percent * 100
