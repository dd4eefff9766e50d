"""The three sandbox servers within the test's process, over real HTTP, with accounts put straight into their vaults."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from infra.sandbox.common import Place
from infra.sandbox.provider.app import PROTOCOLS, create_app
from infra.sandbox.provider.desk import Webhook
from infra.sandbox.provider.vault import Credential, Vault
from services.means.providers import PROTOCOLS as ADAPTERS
from services.means.providers import Provider
from services.means.remote import Label, Remote

USER, PASSWORD, SECRET = "031185000001", "mật khẩu", "dịch vụ bí mật"
PATHS = {"csc": "/csc/v2", "sp769": "/sca/sp769", "mysign": "/vtss/service"}
HASHES = [hashlib.sha256(bytes([number])).digest() for number in range(7)]
LABELS = [Label(f"Nguyễn Thị Đào {number} 5A", "xml" if number % 2 else "pdf") for number in range(7)]
KEY = rsa.generate_private_key(65537, 2048)
TRUST = ssl.create_default_context()


@dataclass
class Sandbox:
    protocol: str
    url: str
    control: httpx.Client = field(repr=False)

    def adapter(self, secret_file: Path, **more: Any) -> Remote:
        """As the services make it from the operator's list."""
        listed = {"id": "it", "name": "Nó", "url": self.url + PATHS[self.protocol], "protocol": self.protocol, **more}
        if self.protocol != "csc" or "login" in more:
            listed |= {"client_id": "hocba", "secret_file": secret_file}
        provider = Provider.model_validate(listed)
        return ADAPTERS[provider.protocol](provider, TRUST)

    def order(self, what: str, **order: object) -> None:
        self.control.post(f"/control/{what}", json=order).raise_for_status()

    def phone(self, mode: str) -> None:
        self.order("phone", mode=mode, delay_ms=0)

    def pending(self) -> list[dict[str, Any]]:
        waiting: list[dict[str, Any]] = self.control.get("/control/phone/pending").json()["pending"]
        return waiting

    def answer(self, handle: str, answer: str) -> None:
        assert self.control.post(f"/phone/{handle}/{answer}").status_code == 303

    def asked(self) -> int:
        """How often anybody's phone was asked."""
        return int(self.control.get("/control/stats").json()["authorisations"]["requested"])

    def signatures(self) -> int:
        return int(self.control.get("/control/stats").json()["signatures"])

    def usual(self) -> None:
        self.control.delete("/control/faults").raise_for_status()
        self.control.delete("/control/modes").raise_for_status()
        self.order("faults", sad_seconds=3600)
        self.order("webhook", url="")
        self.phone("auto")
        for each in self.pending():
            self.answer(each["handle"], "reject")


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(protocol: str, directory: Path) -> Iterator[Sandbox]:
    port = free_port()
    vault = Vault(directory / PROTOCOLS[protocol].part / "provider.sqlite")
    vault.add_user(USER, PASSWORD)
    vault.add_credential(Credential("cred-1", USER, "1", "personal", "Nguyễn Thị Đào", USER, KEY, [certificate_of(KEY)]))
    vault.close()
    place = Place(directory, "127.0.0.1", port, f"http://127.0.0.1:{port}")
    served: list[uvicorn.Server] = []

    def serve() -> None:
        # the vault's database belongs to the thread that opened it
        app = create_app(place, protocol, {"hocba": SECRET}, Webhook("", None))
        served.append(uvicorn.Server(uvicorn.Config(app, host=place.host, port=port, log_level="error", access_log=False)))
        served[0].run()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while not (served and served[0].started):
        time.sleep(0.01)
    with httpx.Client(base_url=place.url, trust_env=False, timeout=30) as control:
        yield Sandbox(protocol, place.url, control)
    served[0].should_exit = True
    thread.join(10)


def certificate_of(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nguyễn Thị Đào"), x509.NameAttribute(NameOID.USER_ID, f"CCCD:{USER}")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
    return builder.not_valid_after(now + dt.timedelta(days=1)).sign(key, SHA256())


def verify(value: bytes, digest: bytes) -> None:
    """Raises InvalidSignature."""
    KEY.public_key().verify(value, digest, padding.PKCS1v15(), Prehashed(SHA256()))
