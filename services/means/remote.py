"""What every remote signing provider's adapter speaks of: credentials, the person's answer, and what went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True)
class Secret:
    """What a person types to agree to signing: `id` and `label` are the provider's. `sent`: the provider sends it when asked to."""

    id: str
    kind: Literal["pin", "otp"]
    label: str
    sent: bool = False
    digits: bool = False


@dataclass(frozen=True)
class Credential:
    """A key that the provider keeps for a person or an organisation.

    `certificate` and `chain` are DER; `chain` holds the issuers above the certificate, nearest first. `key_algorithms` are object
    identifiers. `scal` "2" means that an authorisation is bound to its hashes. `multisign` is the most signatures under one
    authorisation. `secrets` are what the person has to type for one (PIN, one-time password); none where a phone is asked. `on_page`:
    the person agrees on the provider's own page.
    """

    id: str
    certificate: bytes
    chain: tuple[bytes, ...]
    key_algorithms: tuple[str, ...]
    scal: str
    multisign: int
    secrets: tuple[Secret, ...] = ()
    on_page: bool = False


@dataclass(frozen=True)
class Label:
    """What the phone shows of one hash: the document's title, as our own pages have it, and which of its files is meant."""

    title: str
    file: Literal["xml", "pdf"]


@dataclass(frozen=True)
class Session:
    """A signed-in account of a provider; the token is as good as the password until it expires, so it is never printed.

    `user` is set where the token is the service's own and the account must be named beside it.
    """

    access_token: str = field(repr=False)
    expires_at: datetime
    user: str = ""


@dataclass(frozen=True)
class Authorized:
    """The person (or the provider's policy) agreed: `sad` lets the hashes be signed within `expires_in` seconds."""

    sad: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True)
class Waiting:
    """The person has been asked and has not answered yet; `handle` asks for the answer."""

    handle: str


@dataclass(frozen=True)
class Rejected:
    """The person said no: never asked again without a new decision of theirs."""


@dataclass(frozen=True)
class Expired:
    """The person did not answer in time."""


Authorisation = Authorized | Waiting
Outcome = Authorisation | Rejected | Expired


class Remote(Protocol):
    """One provider, whatever its protocol. Every call may raise ProviderUnavailable, ProviderRefused, ProviderBroken.

    Where a protocol signs in one step, `authorize` starts the transaction, `check` is Authorized once it is done, and `sign` reads
    its values. No call repeats by itself what the person may have been asked for.
    """

    check_seconds: float
    """How long to leave the provider alone between two calls of `check`."""
    asks_password: bool
    """Whether signing in takes a password; else the phone alone vouches for the person."""
    may_ask_again: bool
    """Whether `authorize` may be repeated when nobody knows if it was heard: the same question is found, or the first leads to nothing."""

    async def aclose(self) -> None: ...

    async def answers(self) -> None:
        """Returns when the provider answers at all, whatever it says."""
        ...

    async def login(self, user: str, password: str) -> Session: ...

    async def list_credentials(self, session: Session) -> list[Credential]: ...

    async def authorize(
        self,
        session: Session,
        credential_id: str,
        hashes: Sequence[bytes],
        description: str,
        *,
        transaction: str = "",
        labels: Sequence[Label] = (),
    ) -> Authorisation:
        """Ask the person once about all SHA-256 `hashes`.

        `transaction` is our own id: asking again with it finds what was asked before, as far as the protocol can. `labels`: none, or
        one a hash.
        """
        ...

    async def check(self, session: Session, handle: str) -> Outcome: ...

    async def sign(self, session: Session, credential: Credential, sad: str, hashes: Sequence[bytes], *, client_data: str) -> list[bytes]:
        """One value a hash, in the order of `hashes`, which may be some of those agreed to; empty where the provider signed that one not.

        Values are as the provider gave them: verify each before use.
        """
        ...


@dataclass(frozen=True)
class Begun:
    """Where the person goes, and what proves afterwards that the answer is to this question. `verifier` is empty without PKCE."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


@runtime_checkable
class Explicit(Protocol):
    """A provider at which a person may have to type a PIN or one-time password, or to agree on the provider's own page."""

    async def authorize(
        self,
        session: Session,
        credential_id: str,
        hashes: Sequence[bytes],
        description: str,
        *,
        transaction: str = "",
        labels: Sequence[Label] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> Authorisation:
        """As `Remote.authorize`, with what was typed, by the id of each `Secret`; it is passed on and kept nowhere."""
        ...

    async def send_code(self, session: Session, credential_id: str, secret_id: str) -> str:
        """Have a one-time password sent to the person; a question to show beside the field, or ""."""
        ...

    async def begin_on_page(
        self,
        credential_id: str,
        hashes: Sequence[bytes],
        description: str,
        *,
        redirect_uri: str,
        transaction: str = "",
        labels: Sequence[Label] = (),
    ) -> Begun:
        """The provider's page for one authorisation of all `hashes`."""
        ...

    async def finish_on_page(self, code: str, verifier: str, redirect_uri: str) -> Authorized:
        """What the person's browser brought back; a wrong or used code is `Refusal.WRONG_LOGIN`."""
        ...


class Refusal(StrEnum):
    """Why a provider refuses, in our words."""

    WRONG_LOGIN = "wrong-login"
    WRONG_SECRET = "wrong-secret"  # noqa: S105  # a reason, not a secret: a PIN or one-time password was wrong
    SESSION_EXPIRED = "session-expired"
    CREDENTIAL_LOCKED = "credential-locked"
    UNKNOWN_CREDENTIAL = "unknown-credential"
    CERTIFICATE_EXPIRED = "certificate-expired"
    HASH_NOT_AUTHORISED = "hash-not-authorised"
    AUTHORISATION_EXPIRED = "authorisation-expired"
    UNKNOWN_TRANSACTION = "unknown-transaction"
    TOO_MANY = "too-many"
    OUT_OF_QUOTA = "out-of-quota"
    SECRET_NEEDED = "secret-needed"  # noqa: S105  # a reason, not a secret: the account wants a PIN or one-time password
    SERVICE_REFUSED = "service-refused"
    """It is us whom the provider does not let in: a matter for the operator."""
    REJECTED = "rejected"
    OTHER = "other"


class ProviderError(Exception):
    """A provider did not do what was asked. Never carries a password, a token or a SAD."""


class ProviderUnavailable(ProviderError):
    """Network or provider trouble; worth another try later.

    `sent` says that the request may have been carried out although no answer came: ask for the outcome instead of repeating it.
    `retry_after` is the provider's own wish in seconds, if it named one.
    """

    def __init__(self, reason: str, *, sent: bool, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.sent = sent
        self.retry_after = retry_after


class ProviderRefused(ProviderError):
    """The provider answered and said no; the same request again gets the same answer. `description` is the provider's text."""

    def __init__(self, code: Refusal, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class ProviderBroken(ProviderError):
    """The provider's answer does not follow its protocol: a defect to look into, never to be tried again by itself."""
