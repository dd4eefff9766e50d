"""Sealing of what must be kept for minutes and never in clear, such as a session at a signing provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from services.chassis.settings import secret

if TYPE_CHECKING:
    from pathlib import Path


class Box:
    def __init__(self, key_file: Path) -> None:
        """`key_file` holds a Fernet key; every process of the service has the same."""
        self._key = Fernet(secret(key_file))

    def seal(self, text: str) -> bytes:
        return self._key.encrypt(text.encode())

    def unseal(self, sealed: bytes) -> str:
        """Raises cryptography.fernet.InvalidToken for what was sealed with another key."""
        return self._key.decrypt(sealed).decode()
