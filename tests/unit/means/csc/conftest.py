"""A provider on loopback and a client for it."""

import dataclasses
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.chassis import clock
from services.means.csc import Csc
from services.means.remote import (
    Session,
)
from tests.unit.means.csc.provider import (
    ECDSA,
    PKCS1,
    PSS,
    TOKEN,
    Held,
    Provider,
    make_held,
    running,
)

# reading the machine's certificates takes longer than a test
TRUST = ssl.create_default_context()


@pytest.fixture(scope="session")
def rsa_held() -> Held:
    return make_held("rsa", rsa.generate_private_key(65537, 2048), [PKCS1, PSS])


@pytest.fixture(scope="session")
def ec_held() -> Held:
    return make_held("ec", ec.generate_private_key(ec.SECP256R1()), ["1.2.840.10045.2.1", ECDSA])


@pytest.fixture(scope="session")
def server() -> Iterator[Provider]:
    with running(Provider()) as provider:
        yield provider


@pytest.fixture
def provider(server: Provider, rsa_held: Held, ec_held: Held) -> Provider:
    server.forget()
    server.held = {"rsa": dataclasses.replace(rsa_held), "ec": dataclasses.replace(ec_held)}
    return server


@pytest.fixture
async def csc(provider: Provider) -> AsyncIterator[Csc]:
    async with Csc(provider.url, verify=TRUST, timeout=httpx.Timeout(5), chunk=3, poll_seconds=0.01, patience_seconds=5) as client:
        yield client


@pytest.fixture
def session() -> Session:
    return Session(TOKEN, clock.now() + timedelta(hours=1))
