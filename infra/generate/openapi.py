"""The OpenAPI descriptions of the five services, taken from their applications without starting anything."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import json
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc.jwk import KeySet, OKPKey

from infra.generate import SERVICES
from infra.generate.schemas import as_json
from services.chassis.mongo import connect
from services.chassis.objects import Objects
from services.chassis.process import Parts, Service
from services.chassis.settings import Settings
from services.chassis.work import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI


def service_named(name: str) -> Service:
    service: Service = importlib.import_module(f"services.{name}.app").service
    return service


@asynccontextmanager
async def parts_without_servers(name: str) -> AsyncIterator[Parts]:
    """Parts of a service with throw-away keys and addresses where nobody listens: no client connects before it is used."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder), name)
        pool = Pool(1)
        try:
            async with connect(settings, name) as db:
                yield Parts(settings, db, Objects(settings, name), pool)
        finally:
            pool.close()


def _settings(folder: Path, name: str) -> Settings:
    def kept(file: str, text: str) -> Path:
        path = folder / file
        path.write_text(text, encoding="utf-8")
        return path

    key = OKPKey.generate_key("Ed25519", {"kid": "throw-away"}, auto_kid=False)
    return Settings.model_validate(
        {
            "port": 9,
            "admin_port": 9,
            "mongo_url": "mongodb://127.0.0.1:9/",
            "mongo_user": name,
            "mongo_password_file": kept("mongo-password", "unused"),
            "kafka": "127.0.0.1:9",
            "objects": "127.0.0.1:9",
            "objects_user": name,
            "objects_password_file": kept("objects-password", "unused"),
            "public_url": "https://localhost:9",
            "token_keys_file": kept("token-keys.jwks", json.dumps(KeySet([key]).as_dict(private=False))),
            "token_signing_key_file": kept("token-signing.jwk", json.dumps(key.as_dict(private=True))),
            "trust_dir": kept("root.pem", _root()).parent,
            "providers_file": kept("providers.json", "[]"),
            "sealing_key_file": kept("sealing-key", Fernet.generate_key().decode()),
            "agent_key_file": kept("agent-jobs.jwk", json.dumps(key.as_dict(private=True))),
            "factor_key_file": kept("factor-key", Fernet.generate_key().decode()),
            "gateway_url": "http://127.0.0.1:9",
            "gateway_callback_secret_file": kept("callback-secret", "unused"),
        }
    )


def _root() -> str:
    """A certificate, since identity does not start without a root; nothing is ever checked against it."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away")])
    first_day = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(first_day).not_valid_after(first_day + dt.timedelta(days=1)).sign(key, None)
    return certificate.public_bytes(Encoding.PEM).decode()


async def _app(name: str) -> FastAPI:
    async with parts_without_servers(name) as parts:
        return service_named(name).web(parts)


def app_of(name: str) -> FastAPI:
    """The HTTP side of a service, good for being looked at."""
    return asyncio.run(_app(name))


def files() -> dict[str, str]:
    return {f"contracts/openapi/{name}.json": as_json(app_of(name).openapi()) for name in SERVICES}
