"""The remote signing providers that the operator has configured: signing in to one on a person's behalf to see its credentials."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

from services.chassis.errors import Refused
from services.identity.errors import PROVIDER_UNAVAILABLE, UNKNOWN_PROVIDER, WRONG_PROVIDER_LOGIN
from services.means.providers import adapters, listed
from services.means.remote import ProviderBroken, ProviderRefused, ProviderUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from services.means.remote import Credential, Remote, Session

log = logging.getLogger(__name__)


class Providers:
    def __init__(self, providers_file: Path, ca_file: Path | None) -> None:
        """As `services.means.providers` reads them."""
        self.listed = listed(providers_file)
        self._clients = adapters(self.listed, ca_file)

    def name(self, provider: str) -> str:
        return next((each.name for each in self.listed if each.id == provider), provider)

    def client(self, provider: str) -> Remote:
        """Raises Refused(UNKNOWN_PROVIDER)."""
        client = self._clients.get(provider)
        if client is None:
            raise Refused(UNKNOWN_PROVIDER, provider=provider)
        return client

    def asks_password(self, provider: str) -> bool:
        """Raises Refused(UNKNOWN_PROVIDER)."""
        return self.client(provider).asks_password

    async def open(self, provider: str, username: str, password: str) -> tuple[Session, list[Credential]]:
        """A session of the account, and its credentials; name and password are forgotten at once.

        Raises Refused: UNKNOWN_PROVIDER, WRONG_PROVIDER_LOGIN, PROVIDER_UNAVAILABLE.
        """
        client = self.client(provider)
        try:
            session = await client.login(username, password)
            return session, await client.list_credentials(session)
        except ProviderRefused as problem:
            log.info("a provider refused", extra={"provider": provider, "reason": problem.code.value})
            raise Refused(WRONG_PROVIDER_LOGIN) from problem
        except (ProviderUnavailable, ProviderBroken) as problem:
            log.warning("a provider cannot be used", extra={"provider": provider}, exc_info=True)
            raise Refused(PROVIDER_UNAVAILABLE) from problem

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


def read_roots(trust_dir: Path) -> list[bytes]:
    """The DER of every *.pem in the directory. Raises SystemExit when there is none: nothing could be registered."""
    roots = [ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii")) for path in sorted(trust_dir.glob("*.pem"))]
    if not roots:
        raise SystemExit(f"no root certificates in {trust_dir}")
    return roots
