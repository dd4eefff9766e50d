"""Signing in with an account of somebody else's: OpenID Connect, authorization code with PKCE, state and nonce.

Only who somebody is comes from the provider; whether they may come in is decided here (`links.py`).
"""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.settings import secret
from services.identity.openid.errors import SIGN_IN_PROVIDER_REFUSED, SIGN_IN_PROVIDER_UNAVAILABLE, UNKNOWN_SIGN_IN_PROVIDER

ALGORITHMS = ["Ed25519", "ES256", "ES384", "PS256", "RS256"]
"""Only ever signatures with a public key: nothing that a client's secret or nobody could have made."""
TIMEOUT = httpx.Timeout(10, connect=5)
LEEWAY_SECONDS = 30


class SignInProvider(BaseModel):
    """`unit`: it speaks for people of this oversight unit's branch; for everybody without one.

    `personal_id_claim`: where the ID token has the personal id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    name: str = Field(min_length=1, max_length=100)
    issuer: str
    client_id: str
    client_secret_file: Path
    unit: str | None = None
    personal_id_claim: str = "personal_id"


class Discovered(BaseModel):
    """What of the provider's configuration is used."""

    model_config = ConfigDict(extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True)
class Begun:
    """What is kept until the person comes back; `state` is the browser's, the others are ours alone."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Known:
    """Who the provider says it is: its own name for the account, and the personal id."""

    subject: str
    personal_id: str


def read_providers(file: Path | None) -> dict[str, SignInProvider]:
    """By id; none without a file. Raises ValidationError for a file of another form."""
    if file is None:
        return {}
    found = TypeAdapter(list[SignInProvider]).validate_json(file.read_bytes())
    return {provider.id: provider for provider in found}


class OpenId:
    """The configured providers; `ca_file` says whom to trust besides the system's own roots."""

    def __init__(self, providers: dict[str, SignInProvider], ca_file: Path | None) -> None:
        self.providers = providers
        self._verify = ssl.create_default_context()
        if ca_file is not None:
            self._verify.load_verify_locations(ca_file)

    def provider(self, provider_id: str) -> SignInProvider:
        """Raises Refused(UNKNOWN_SIGN_IN_PROVIDER)."""
        if provider_id not in self.providers:
            raise Refused(UNKNOWN_SIGN_IN_PROVIDER)
        return self.providers[provider_id]

    async def begin(self, provider: SignInProvider, callback: str) -> Begun:
        """Where to send the browser. Raises Refused(SIGN_IN_PROVIDER_UNAVAILABLE)."""
        async with self._client(provider, callback) as client:
            known = await self._discover(client, provider)
            state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
            address, _ = client.create_authorization_url(known.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier)
        return Begun(address, state, nonce, verifier)

    async def identify(self, provider: SignInProvider, callback: str, *, code: str, nonce: str, verifier: str) -> Known:
        """Raises Refused: SIGN_IN_PROVIDER_UNAVAILABLE; SIGN_IN_PROVIDER_REFUSED for a code, an ID token or a claim that is not right."""
        async with self._client(provider, callback) as client:
            known = await self._discover(client, provider)
            try:
                answer = await client.fetch_token(known.token_endpoint, code=code, code_verifier=verifier, grant_type="authorization_code")
                keys = KeySet.import_key_set(await self._json(client, known.jwks_uri))
            except OAuthError as problem:
                raise Refused(SIGN_IN_PROVIDER_REFUSED, problem="the code was refused") from problem
            except (JoseError, KeyError, TypeError) as problem:
                raise Refused(SIGN_IN_PROVIDER_UNAVAILABLE) from problem
            except (httpx.HTTPError, ValueError) as problem:
                raise Refused(SIGN_IN_PROVIDER_UNAVAILABLE) from problem
        return _known(provider, answer, keys, nonce)

    def _client(self, provider: SignInProvider, callback: str) -> Any:
        return AsyncOAuth2Client(
            provider.client_id,
            secret(provider.client_secret_file),
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the method's name
            scope="openid profile",
            redirect_uri=callback,
            code_challenge_method="S256",
            verify=self._verify,
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def _discover(self, client: Any, provider: SignInProvider) -> Discovered:
        """Raises Refused(SIGN_IN_PROVIDER_UNAVAILABLE), also for a configuration of somebody else's or without https."""
        try:
            found = Discovered.model_validate(await self._json(client, f"{provider.issuer}/.well-known/openid-configuration"))
        except (httpx.HTTPError, ValidationError, ValueError) as problem:
            raise Refused(SIGN_IN_PROVIDER_UNAVAILABLE) from problem
        addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if found.issuer != provider.issuer or not all(_is_safe(address) for address in addresses):
            raise Refused(SIGN_IN_PROVIDER_UNAVAILABLE)
        return found

    async def _json(self, client: Any, address: str) -> Any:
        answer = await client.request("GET", address, withhold_token=True)
        answer.raise_for_status()
        return answer.json()


def _known(provider: SignInProvider, answer: dict[str, Any], keys: KeySet, nonce: str) -> Known:
    claims_wanted = jwt.JWTClaimsRegistry(
        now=lambda: int(clock.now().timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        decoded = jwt.decode(str(answer.get("id_token", "")), keys, algorithms=ALGORITHMS)
        claims_wanted.validate(decoded.claims)
    except (JoseError, ValueError, TypeError) as problem:
        raise Refused(SIGN_IN_PROVIDER_REFUSED, problem=f"the ID token is not right: {type(problem).__name__}") from problem
    personal_id = decoded.claims.get(provider.personal_id_claim)
    if not isinstance(personal_id, str) or not personal_id:
        raise Refused(SIGN_IN_PROVIDER_REFUSED, problem="no personal id")
    return Known(str(decoded.claims["sub"]), personal_id)


def _is_safe(address: str) -> bool:
    """https, or plain http on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
