"""What every remote provider's adapter does over HTTP: one pool of connections, and errors in which nothing of a request is left.

The address comes from the operator's configuration alone: nothing that a person types, and no redirect, decides where a request goes.
"""

from __future__ import annotations

import json
import ssl
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from asn1crypto import cms
from pydantic import BaseModel, ValidationError

from services.chassis.vietnamese import without_marks
from services.means.remote import ProviderBroken, ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
IDLE_SECONDS = 2.0
"""How long a connection is kept for the next request: servers close theirs after five seconds or more, and whoever asks over one that is
just being closed cannot know whether the question was heard."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_TEXT = 200
Message = TypeVar("Message", bound=BaseModel)


class ProviderHttp:
    def __init__(self, base_url: str, *, verify: ssl.SSLContext | bool = True, timeout: httpx.Timeout = TIMEOUT) -> None:
        """`verify` says whom to trust for https.

        Raises ValueError for an address that is not https (plain http is for loopback and names without a dot, which lead no further
        than the own network) or carries credentials, a query or a fragment.
        """
        self.base_url = checked(base_url)
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers={"User-Agent": "hocba"},
            verify=verify,
            timeout=timeout,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=IDLE_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def post(self, method: str, body: Mapping[str, Any], *, token: str | None = None) -> httpx.Response:
        """JSON, with a Bearer token. Raises ProviderUnavailable for network trouble and for 429 and 5xx."""
        return await self._send("POST", method, json=dict(body), headers={"Authorization": f"Bearer {token}"} if token else {})

    async def log_in(self, method: str, body: Mapping[str, Any], user: str, password: str) -> httpx.Response:
        """As `post`, with Basic authentication."""
        proof = b64encode(f"{user}:{password}".encode()).decode()
        return await self._send("POST", method, json=dict(body), headers={"Authorization": f"Basic {proof}"})

    async def form(self, method: str, fields: Mapping[str, str]) -> httpx.Response:
        """As `post`, with a form for a body."""
        return await self._send("POST", method, data=dict(fields))

    async def get(self, method: str) -> httpx.Response:
        return await self._send("GET", method)

    async def _send(self, verb: str, method: str, **request: Any) -> httpx.Response:
        trouble: httpx.RequestError | None = None
        try:
            response = await self._http.request(verb, method, **request)
        except httpx.RequestError as broken:
            trouble = broken
        # raised outside of the handler: httpx's exception holds the request with its credentials
        if trouble is not None:
            unsent = isinstance(trouble, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise ProviderUnavailable(f"{method}: {type(trouble).__name__}", sent=not unsent)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            wish = response.headers.get("Retry-After", "")
            unsent = response.status_code in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}
            raise ProviderUnavailable(
                f"{method}: status {response.status_code}",
                sent=not unsent,
                retry_after=int(wish) if wish.isascii() and wish.isdigit() else None,
            )
        return response


def checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _near(parts.hostname or "")):
        raise ValueError("a provider's address starts with https:// (http:// on loopback and for names without a dot only)")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("a provider's address has a host and no credentials, query or fragment")
    return base_url.rstrip("/") + "/"


def _near(host: str) -> bool:
    return host in LOOPBACK or (host != "" and not set(host) & set(".:"))


def body_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty when it holds none."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def read(message: type[Message], response: httpx.Response) -> Message:
    """The answer as a message; the provider's own values stay out of the error, since some are secrets."""
    problem = ""
    try:
        return message.model_validate_json(response.content)
    except ValidationError as wrong:
        problem = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['type']}" for one in wrong.errors())
    raise ProviderBroken(f"{message.__name__}: {problem}")


def encoded(hashes: Sequence[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in sha256_only(hashes)]


def sha256_only(hashes: Sequence[bytes]) -> Sequence[bytes]:
    """Raises ValueError for anything else, and for none at all."""
    if not hashes or any(len(one) != 32 for one in hashes):
        raise ValueError("one or more SHA-256 hashes of 32 bytes each are needed")
    return hashes


def decoded(value: str, what: str) -> bytes:
    try:
        return b64decode("".join(value.split()), validate=True)
    except ValueError as wrong:
        raise ProviderBroken(f"a {what} is not base64") from wrong


def one_line(text: str) -> str:
    """A provider's text, short: it goes into logs and pages."""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST_TEXT]


def plain_name(text: str, longest: int) -> str:
    """Latin letters without marks, digits, `_`, `-` and single spaces, at most `longest`: what every provider's phone can show."""
    allowed = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else " " for c in without_marks(text))
    return " ".join(allowed.split())[:longest].strip()


def bare_value(value: bytes) -> bytes:
    """The signature itself where a provider wraps it as CMS (PKCS#7); the value as it is otherwise.

    An envelope with signed attributes signs those instead of the hash: it is left as it is, and no verification accepts it.
    """
    try:
        wrapped = cms.ContentInfo.load(value, strict=True)
        if wrapped["content_type"].native != "signed_data":
            return value
        signers = wrapped["content"]["signer_infos"]
        if len(signers) != 1 or len(signers[0]["signed_attrs"]) > 0:
            return value
        signature: bytes = signers[0]["signature"].native
    except (ValueError, TypeError):
        return value
    return signature
