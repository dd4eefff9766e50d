"""The provider as a whole: vault, phones, sessions, results of asynchronous signing, and counts."""

import asyncio
import base64
import binascii
import secrets
import ssl
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from infra.sandbox.faults import Faults
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.modes import Modes, falls_on
from infra.sandbox.provider.phone import Authorisation, Phones
from infra.sandbox.provider.signing import HASHES, algorithms_of, another_digest, hash_of, pss_salt_length, sign_all
from infra.sandbox.provider.vault import Credential, Vault

TOKEN_SECONDS = 3600
METHODS = (
    "info", "auth/login", "auth/revoke", "credentials/list", "credentials/info", "credentials/authorize",
    "credentials/authorizeCheck", "credentials/getChallenge", "credentials/extendTransaction",
    "signatures/signHash", "signatures/signPolling",
    "oauth2/authorize", "oauth2/pushed_authorize", "oauth2/token", "oauth2/revoke",
)  # fmt: skip


@dataclass
class Result:
    """What an asynchronous call to signHash is going to give."""

    user: str
    task: asyncio.Task[list[str]]
    until: float


@dataclass
class Webhook:
    """Whom to tell when a transaction is over, nobody for an empty `url`; `answers` are the statuses got, 0 for none."""

    url: str
    ca_file: Path | None
    answers: list[int] = field(default_factory=list)

    @property
    def trust(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else True


@dataclass
class Desk:
    directory: Path
    vault: Vault
    name: str = "Nhà cung cấp ký số thử nghiệm"
    clients: dict[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=lambda: Faults(frozenset(METHODS)))
    modes: Modes = field(default_factory=Modes)
    webhook: Webhook = field(default_factory=lambda: Webhook("", None))
    phones: Phones = field(default_factory=Phones)
    sad_seconds: float = 3600.0
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    codes: dict[str, Any] = field(default_factory=dict)
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    signed: dict[str, Counter[str]] = field(default_factory=dict)
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "signing"))

    def log_in(self, user: str, password: str) -> str:
        """An access token for an hour. Raises CscError for a wrong user or password."""
        if not self.vault.password_is_right(user, password):
            raise CscError("An error occurred during authentication process", error="authentication_error", status=401)
        return self.token_for(user)

    def token_for(self, user: str) -> str:
        token = secrets.token_urlsafe(32)
        self.tokens[token] = (user, time.monotonic() + TOKEN_SECONDS)
        return token

    def knows_client(self, client: str, secret: str) -> bool:
        return client in self.clients and secrets.compare_digest(self.clients[client].encode(), secret.encode())

    def refuses(self, hash_base64: str) -> bool:
        """Is this one of the documents that the person refuses, or the provider will not sign?"""
        return falls_on("refuse", hash_base64, self.faults.value("signatures/signHash", "refuse_percent"))

    def spoils(self, hash_base64: str) -> bool:
        return falls_on("wrong", hash_base64, self.faults.value("signatures/signHash", "wrong_percent"))

    def user_of(self, authorization: str | None) -> str:
        """Who a Bearer header stands for. Raises CscError when it is missing, unknown or expired."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens:
            raise CscError("Invalid access_token", error="invalid_token", status=401)
        user, until = self.tokens[token]
        if time.monotonic() >= until:
            raise CscError("The access or refresh token is expired or has been revoked", error="expired_token", status=401)
        return user

    def credential(self, user: str, identity: str) -> Credential:
        """Of this account; of any for a service's own token (an empty `user`). Raises CscError."""
        found = self.vault.credential(identity)
        if found is None or (user and found.user != user):
            raise CscError("Invalid parameter credentialID")
        return found

    def authorise(
        self,
        credential: Credential,
        hashes: list[str],
        hash_algorithm: str,
        count: int,
        description: str,
        *,
        titles: tuple[str, ...] = (),
    ) -> Authorisation:
        """Push a request to the owner's phone. Raises CscError for what a provider refuses at once."""
        check_certificate(credential)
        if count < len(hashes):
            raise CscError("Numbers of signatures is too low for the hashes")
        decode_hashes(hashes, hash_algorithm)
        authorisation = Authorisation(
            handle=secrets.token_urlsafe(24),
            credential=credential,
            hashes=frozenset(hashes),
            hash_algorithm=hash_algorithm,
            signatures_allowed=count,
            description=description,
            habit=self.phones.habit_of(credential.user),
            sad_life=self.sad_seconds,
            provider=self.name,
            titles=titles,
        )
        self.phones.add(authorisation)
        if self.faults.take("credentials/authorize", "refuse_next"):
            authorisation.answer("rejected")
        elif self.faults.take("credentials/authorize", "expire_next"):
            authorisation.answer("expired")
        return authorisation

    def extend(self, authorisation: Authorisation, hashes: list[str]) -> None:
        """Let the same authorisation cover further hashes under a new SAD; the number that the person confirmed stays the limit."""
        if authorisation.signatures_used + len(hashes) > authorisation.signatures_allowed:
            raise CscError("Numbers of signatures is too high")
        decode_hashes(hashes, authorisation.hash_algorithm)
        authorisation.hashes |= frozenset(hashes)
        authorisation.answer("confirmed")

    def sign(
        self, authorisation: Authorisation, hashes: list[str], sign_algorithm: str, hash_algorithm: str | None, parameters: bytes | None
    ) -> asyncio.Task[list[str]]:
        """Check everything, count, and start signing; the task gives the signatures in the order of the hashes."""
        credential = authorisation.credential
        check_certificate(credential)
        if sign_algorithm not in algorithms_of(credential.key):
            raise CscError("Invalid parameter signAlgo")
        chosen = hash_of(sign_algorithm, hash_algorithm or authorisation.hash_algorithm)
        digests = decode_hashes(hashes, chosen)
        if not authorisation.hashes.issuperset(hashes):
            raise CscError("Hash is not authorized by the SAD")
        if authorisation.signatures_used + len(hashes) > authorisation.signatures_allowed:
            raise CscError("Numbers of signatures is too high")
        if any(self.refuses(each) for each in hashes):
            raise CscError("A hash will not be signed", error="invalid_hash", status=403)
        salt_length = pss_salt_length(parameters, chosen)
        authorisation.signatures_used += len(hashes)
        self.signed.setdefault(credential.user, Counter()).update(hashes)
        digests = [
            another_digest(digest) if self.faults.take("signatures/signHash", "wrong_signature_next") or self.spoils(each) else digest
            for each, digest in zip(hashes, digests, strict=True)
        ]

        async def work() -> list[str]:
            await asyncio.sleep(self.modes.of(credential.user).asynchronous_ms / 1000)
            loop = asyncio.get_running_loop()
            signatures = await loop.run_in_executor(self.workers, sign_all, credential.key, digests, sign_algorithm, chosen, salt_length)
            if self.faults.take("signatures/signHash", "partial_next"):
                signatures = signatures[:-1]
            if self.faults.take("signatures/signHash", "swap_next"):
                signatures = signatures[::-1]
            return signatures

        return asyncio.create_task(work())

    def stats(self) -> dict[str, object]:
        """Signatures made: `signatures` counts every one, `duplicates` those over a hash that the same user had signed before."""
        users = {
            user: {"signatures": counts.total(), "duplicates": counts.total() - len(counts)} for user, counts in sorted(self.signed.items())
        }
        return {
            "signatures": sum(each["signatures"] for each in users.values()),
            "duplicates": sum(each["duplicates"] for each in users.values()),
            "users": users,
            "authorisations": self.phones.counts(),
        }


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]


def check_certificate(credential: Credential) -> None:
    moment = datetime.now(UTC)
    if moment > credential.certificate.not_valid_after_utc:
        raise CscError("Signing certificate is expired")
    if moment < credential.certificate.not_valid_before_utc:
        raise CscError("Signing certificate is not yet valid")


def decode_hashes(hashes: list[str], hash_algorithm: str) -> list[bytes]:
    """Digests from base64. Raises CscError for what is not base64, of the wrong length, or absent."""
    if hash_algorithm not in HASHES:
        raise CscError("Invalid parameter hashAlgorithmOID")
    if not hashes:
        raise CscError("Empty hashes array")
    try:
        digests = [base64.b64decode(each, validate=True) for each in hashes]
    except (binascii.Error, ValueError) as wrong:
        raise CscError("Invalid Base64 hashes string parameter") from wrong
    if any(len(digest) != HASHES[hash_algorithm].digest_size for digest in digests):
        raise CscError("Invalid digest value length")
    return digests
