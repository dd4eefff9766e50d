"""The sandbox PKI as a process of its own, and people certified by it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from services.means.timestamps import TimestampAuthority, outgoing
from services.means.validation_data import ValidationSource
from tests.unit.sandbox.conftest import Server, free_port
from tests.unit.signing.pki import Party

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True)
class Pki:
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def trust(self) -> Path:
        return self.server.directory / "trust"

    @property
    def crls(self) -> Path:
        return self.server.directory / "crl"

    @property
    def roots(self) -> list[bytes]:
        return [der(file.read_text()) for file in sorted(self.trust.glob("*.pem"))]

    def post(self, path: str, **order: Any) -> Any:
        with self.server.client as client:
            return client.post(path, json=order).raise_for_status().json()

    def fault(self, endpoint: str, **faults: Any) -> None:
        self.post("/control/faults", endpoint=endpoint, **faults)

    def person(self, name: str, identifier: str, **order: Any) -> Party:
        made = self.post("/control/certificates", **{"kind": "personal", "name": name, "identifier": identifier, **order})
        key = load_pem_private_key(made["key"].encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        return Party(key, der(made["certificate"]), tuple(der(each) for each in made["chain"][:-1]))

    def revoke(self, certificate: bytes) -> None:
        self.post("/control/revoke", serial=f"{x509.load_der_x509_certificate(certificate).serial_number:x}")

    def authority(self, session: aiohttp.ClientSession, **options: Any) -> TimestampAuthority:
        return TimestampAuthority(f"{self.url}/tsa", self.roots, session, **options)


def der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Pki]:
    server = Server("pki", directory, free_port(), [])
    server.start()
    try:
        yield Pki(server)
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def archive_means(pki: Pki) -> Any:
    """(TimestampAuthority, ValidationSource) with one pool of connections."""
    async with outgoing() as session:
        authority = pki.authority(session)
        yield authority, ValidationSource(pki.roots, authority, session)
