"""The remote signing providers of this installation, the trusted roots, and the sealing of short-lived tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import Encoding

from services.chassis.settings import Settings, needed, secret
from services.means.providers import adapters, listed
from services.means.remote import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from services.means.remote import Remote


class Providers:
    def __init__(self, settings: Settings) -> None:
        configured = listed(needed(settings.providers_file, "providers_file"))
        self._by_id = adapters(configured, settings.ca_file)
        self._names = {each.id: each.name for each in configured}
        self.roots = read_roots(needed(settings.trust_dir, "trust_dir"))
        self._box = Fernet(secret(needed(settings.sealing_key_file, "sealing_key_file")))

    def by_id(self, provider: str) -> Remote:
        """Raises LookupError for a provider that is not configured."""
        return self._by_id[provider]

    def name(self, provider: str) -> str:
        """As people know it. Raises LookupError for a provider that is not configured."""
        return self._names[provider]

    def asks_password(self, provider: str) -> bool:
        """Raises LookupError for a provider that is not configured."""
        return self._by_id[provider].asks_password

    def session_of(self, batch: Mapping[str, Any]) -> Session:
        """The person's session at the provider, as long as the batch runs."""
        return Session(access_token=self.unseal(batch["token"]), expires_at=batch["token_until"])

    def seal(self, text: str) -> bytes:
        return self._box.encrypt(text.encode())

    def unseal(self, sealed: bytes) -> str:
        return self._box.decrypt(sealed).decode()


def read_roots(folder: Path) -> list[bytes]:
    """DER of every certificate in the *.pem files."""
    found = [c for pem in sorted(folder.glob("*.pem")) for c in x509.load_pem_x509_certificates(pem.read_bytes())]
    return [c.public_bytes(Encoding.DER) for c in found]
