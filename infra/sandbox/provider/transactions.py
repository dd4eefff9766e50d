"""Signing in one step, for the protocols that have no authorisation of its own: asked, confirmed on the phone, signed, told by webhook."""

import asyncio
import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.sandbox.provider.desk import Desk
from infra.sandbox.provider.phone import Authorisation, State
from infra.sandbox.provider.signing import EC, RSA, wrapped
from infra.sandbox.provider.vault import Credential

SHA256 = "2.16.840.1.101.3.4.2.1"
WATCH_SECONDS = 0.1

Notice = Callable[["Transaction", list[str | None]], dict[str, Any]]
"""A transaction and its values as the protocol's webhook tells them."""


@dataclass
class Document:
    """`name` is what the phone shows; `hash` is base64."""

    id: str
    name: str
    hash: str


@dataclass
class Transaction:
    id: str
    authorisation: Authorisation
    documents: list[Document]
    values: asyncio.Task[list[str | None]] | None = None

    @property
    def user(self) -> str:
        return self.authorisation.credential.user


@dataclass
class Transactions:
    desk: Desk
    notice: Notice
    known: dict[str, Transaction] = field(default_factory=dict)
    _watching: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, identity: str, credential: Credential, documents: list[Document], description: str) -> Transaction:
        """Raises CscError for what a provider refuses at once."""
        hashes, names = [each.hash for each in documents], tuple(each.name for each in documents)
        authorisation = self.desk.authorise(credential, hashes, SHA256, len(hashes), description, titles=names)
        transaction = self.known[identity] = Transaction(identity, authorisation, documents)
        if self.desk.webhook.url:
            watching = asyncio.create_task(self._tell(transaction))
            self._watching.add(watching)
            watching.add_done_callback(self._watching.discard)
        return transaction

    def state(self, transaction: Transaction) -> State:
        return transaction.authorisation.settle()

    async def values(self, transaction: Transaction) -> list[str | None]:
        """Of a confirmed transaction, signed once: base64, in the order of its documents, None for those that the person refused."""
        if transaction.values is None:
            transaction.values = asyncio.create_task(self._sign(transaction))
        return await asyncio.shield(transaction.values)

    async def _sign(self, transaction: Transaction) -> list[str | None]:
        desk, credential = self.desk, transaction.authorisation.credential
        refused = {each.hash for each in transaction.documents if desk.refuses(each.hash)}
        wanted = [each.hash for each in transaction.documents if each.hash not in refused]
        signed: dict[str, str] = {}
        if wanted:
            algorithm = RSA if credential.is_rsa else EC
            made = await desk.sign(transaction.authorisation, wanted, algorithm, SHA256, None)
            signed = dict(zip(wanted, made, strict=False))
        return [signed.get(each.hash) for each in transaction.documents]

    async def _tell(self, transaction: Transaction) -> None:
        while self.state(transaction) == "waiting":  # noqa: ASYNC110 - a phone's habit is settled by the time that passed
            await asyncio.sleep(WATCH_SECONDS)
        values: list[str | None] = []
        if self.state(transaction) == "confirmed":
            values = await self.values(transaction)
        webhook = self.desk.webhook
        faults, notices = self.desk.faults, [self.notice(transaction, values)]
        if faults.take("webhook", "lose_webhook_next"):
            notices = []
        if faults.take("webhook", "repeat_webhook_next"):
            notices *= 3
        if faults.take("webhook", "forge_webhook_next"):
            stranger = Transaction(secrets.token_hex(16), transaction.authorisation, transaction.documents)
            lies: list[str | None] = [base64.b64encode(secrets.token_bytes(256)).decode() for _ in transaction.documents]
            notices = [self.notice(stranger, lies), self.notice(transaction, lies), *notices]
        async with httpx.AsyncClient(timeout=10, trust_env=False, verify=webhook.trust) as client:
            for notice in notices:
                try:
                    answer = await client.post(webhook.url, json=notice)
                    webhook.answers.append(answer.status_code)
                except httpx.TransportError:
                    webhook.answers.append(0)


def in_envelope(desk: Desk, transaction: Transaction, value: str | None) -> str | None:
    """The value as this account's provider wraps it."""
    credential = transaction.authorisation.credential
    how = desk.modes.of(credential.user).wrapped
    return value if value is None or how == "bare" else wrapped(credential, value, attributes=how == "cms with attributes")
