"""The same documents signed through each means: the providers' protocols against their sandbox servers, and a USB token by the program.

What a means gives is embedded as it comes: bare values, values in an envelope, ECDSA in either encoding, a token's own.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import httpx

from hocba_agent import documents as agent_documents
from hocba_agent import tokens as agent_tokens
from services.means.csc import PSS
from services.means.providers import PROTOCOLS, Provider
from services.means.remote import Authorized, Credential, Remote, Session, Waiting
from services.means.x509 import Scheme, default_scheme
from services.signing.steps.kind import Prepared
from tests.interop.transcripts import KINDS, Case, Holder, Signers, Transcript, make_summary, make_transcript
from tests.unit.agent.softhsm import MODULE, PIN, Kind, Tokens, new_key, public_pem
from tests.unit.sandbox.conftest import Server, free_port

Means = Literal["csc", "sp769", "mysign", "token"]
ALGORITHMS: dict[Means, tuple[Scheme, ...]] = {
    "csc": ("rsa-pkcs1", "rsa-pss", "ecdsa"),
    "sp769": ("rsa-pkcs1", "ecdsa"),
    "mysign": ("rsa-pkcs1",),
    "token": ("rsa-pkcs1", "rsa-pss", "ecdsa"),
}
"""What each can do: sp769 names no algorithm, so PSS cannot be asked for; MySign has RSA with PKCS#1 v1.5 alone."""
SUMMARY = "BTH"
"""Class summaries beside the kinds of transcript."""
NUMBERS: dict[str, tuple[int, ...]] = {**dict.fromkeys(KINDS, (3, 14)), SUMMARY: (3,)}
"""Signers of a whole document; that of one signer is the first state of the same."""
PATHS = {"csc": "/csc/v2", "sp769": "/sca/sp769", "mysign": "/vtss/service"}
SECRET, PASSWORD = "dịch vụ bí mật", "mật khẩu"
TITLE = "Ký duyệt: 1 tài liệu"


@dataclass(frozen=True)
class MeansCase:
    means: Means
    scheme: Scheme
    kind: str
    signers: int

    def __str__(self) -> str:
        return f"{self.means}-{self.scheme}-{self.kind}-{self.signers}"

    def make(self, people: Signers, at: dt.datetime) -> Transcript:
        """At level B, with its first states."""
        case = OneScheme(self.kind, self.signers - 3, self.scheme)
        return make_summary(case.schemes, people, at) if self.kind == SUMMARY else make_transcript(case, people, at)


@dataclass(frozen=True)
class OneScheme(Case):
    """Everybody signs in the same algorithm."""

    scheme: Scheme

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        return (self.scheme,) * (self.teachers + 3)


CASES = tuple(
    MeansCase(means, scheme, kind, signers)
    for means, schemes in ALGORITHMS.items()
    for scheme in schemes
    for kind, numbers in NUMBERS.items()
    for signers in numbers
)


# remote signing


@dataclass(frozen=True)
class Account:
    """Somebody's account at a provider."""

    user: str
    credential: Credential

    @property
    def der(self) -> bytes:
        return self.credential.certificate

    @property
    def chain(self) -> tuple[bytes, ...]:
        return tuple(self.credential.chain[:1])


@dataclass
class RemoteSigners:
    """Everybody has an account at one provider, made on first need; the phone says yes by itself."""

    control: httpx.Client
    remote: Remote
    loop: asyncio.Runner
    known: dict[tuple[str, str], Account] = field(default_factory=dict)

    def party(self, name: str, identifier: str, scheme: Scheme, kind: str = "personal") -> Account:
        key = "p256" if scheme == "ecdsa" else "rsa2048"
        if (identifier, key) not in self.known:
            new = {"user": identifier, "password": PASSWORD, "kind": kind, "name": name, "identifier": identifier, "key": key, "label": key}
            self.control.post("/control/users", json={"users": [new]}).raise_for_status()
            wanted: Scheme = "ecdsa" if scheme == "ecdsa" else "rsa-pkcs1"
            held = self.loop.run(self._credentials(identifier))
            self.known[identifier, key] = Account(identifier, next(c for c in held if default_scheme(c.certificate) == wanted))
        return self.known[identifier, key]

    def values(self, party: Account, prepared: Prepared, scheme: Scheme, _xml: bytes, _pdf: bytes | None) -> list[bytes]:
        credential = replace(party.credential, key_algorithms=(PSS,)) if scheme == "rsa-pss" else party.credential
        return self.loop.run(self._signed(party.user, credential, prepared.hashes))

    async def _login(self, user: str) -> Session:
        return await self.remote.login(user, PASSWORD)

    async def _credentials(self, user: str) -> Sequence[Credential]:
        return await self.remote.list_credentials(await self._login(user))

    async def _signed(self, user: str, credential: Credential, hashes: Sequence[bytes]) -> list[bytes]:
        session = await self._login(user)
        transaction = hashlib.sha256(user.encode() + b"".join(hashes)).hexdigest()[:32]
        outcome = await self.remote.authorize(session, credential.id, hashes, TITLE, transaction=transaction)
        while isinstance(outcome, Waiting):
            await asyncio.sleep(0.02)
            told = await self.remote.check(session, outcome.handle)
            assert isinstance(told, Authorized | Waiting), told
            outcome = told
        return await self.remote.sign(session, credential, outcome.sad, hashes, client_data=transaction)


# USB token


@dataclass
class TokenSigners:
    """Everybody's key lies on a token of their own; the program computes what is signed from the documents, as on the person's computer."""

    authority: httpx.Client
    tokens: Tokens
    known: dict[tuple[str, str], agent_tokens.TokenCertificate] = field(default_factory=dict)
    issuers: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def party(self, name: str, identifier: str, scheme: Scheme, kind: str = "personal") -> Holder:
        sort: Kind = "p256" if scheme == "ecdsa" else "rsa2048"
        if (identifier, sort) not in self.known:
            key = new_key(sort)
            order = {"kind": kind, "name": name, "identifier": identifier, "public_key": public_pem(key)}
            made = self.authority.post("/control/certificates", json=order).raise_for_status().json()
            label = f"{sort}-{identifier}"[:32]
            der = ssl.PEM_cert_to_DER_cert(made["certificate"])
            self.tokens.add(label)
            self.tokens.put_key(label, key)
            self.tokens.put_certificate(label, der)
            found = agent_tokens.find(hashlib.sha256(der).hexdigest(), [MODULE])
            self.known[identifier, sort] = replace(found, chain=(ssl.PEM_cert_to_DER_cert(made["chain"][0]),))
        return self.known[identifier, sort]

    @staticmethod
    def values(
        party: agent_tokens.TokenCertificate, prepared: Prepared, scheme: Scheme, document_xml: bytes, document_pdf: bytes | None
    ) -> list[bytes]:
        texts = [agent_documents.xml_to_sign(document_xml, prepared.xml.signature, party.der, scheme)]
        if prepared.pdf is not None and document_pdf is not None:
            texts.append(agent_documents.pdf_to_sign(document_pdf, prepared.pdf.revision, prepared.pdf.signed_attributes, party.der))
        assert [hashlib.sha256(text).digest() for text in texts] == prepared.hashes
        unlocked = agent_tokens.unlock(party, PIN)
        try:
            return [unlocked.sign(party, text, scheme) for text in texts]
        finally:
            unlocked.close()


# what runs


@contextmanager
def signers(pki: Server, place: Path, wanted: set[Means]) -> Iterator[dict[Means, Signers]]:
    """Beside a running sandbox PKI: the providers' servers, and a folder of tokens that this process's module looks at."""
    secret = place / "client-secret"
    secret.write_text(SECRET + "\n", encoding="utf-8")
    found: dict[Means, Signers] = {}
    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner())
        for protocol in sorted(wanted - {"token"}):
            server = _provider(protocol, pki.directory, secret)
            stack.callback(server.stop)
            server.client.post("/control/phone", json={"mode": "auto", "delay_ms": 0}).raise_for_status()
            remote = _adapter(protocol, f"http://127.0.0.1:{server.port}", secret)
            stack.callback(_close, loop, remote)
            found[protocol] = RemoteSigners(server.client, remote, loop)
        if "token" in wanted:
            tokens = Tokens(place / "softhsm")
            stack.enter_context(_environment(tokens.environment))
            found["token"] = TokenSigners(pki.client, tokens)
        yield found


def _close(loop: asyncio.Runner, remote: Remote) -> None:
    loop.run(remote.aclose())


def _provider(protocol: str, directory: Path, secret: Path) -> Server:
    server = Server("provider", directory, free_port(), ["--protocol", protocol, "--client-secret-file", str(secret)])
    server.start()
    return server


def _adapter(protocol: str, url: str, secret: Path) -> Remote:
    listed = {"id": "it", "name": "Nó", "url": url + PATHS[protocol], "protocol": protocol}
    if protocol != "csc":
        listed |= {"client_id": "hocba", "secret_file": str(secret)}
    provider = Provider.model_validate(listed)
    return PROTOCOLS[provider.protocol](provider, ssl.create_default_context())


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
