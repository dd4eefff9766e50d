"""An OpenID provider as a department of education may run one: authorization code with PKCE, one confidential client, Ed25519 tokens.

Nobody has a password here: whoever comes says who they are. Users, codes and keys live as long as the process.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from joserfc import jws, jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from infra.sandbox.common import Place, announce
from infra.sandbox.faults import FaultOrder, Faults, install

CLIENT = "hocba"
CODE_SECONDS = 60
TOKEN_SECONDS = 300
ENDPOINTS = frozenset({"openid-configuration", "authorize", "token", "jwks"})
pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


class IdpFaults(FaultOrder):
    """Each field: this many ID tokens are wrong in this way."""

    wrong_nonce_next: int | None = Field(default=None, ge=0)
    wrong_audience_next: int | None = Field(default=None, ge=0)
    wrong_issuer_next: int | None = Field(default=None, ge=0)
    expired_next: int | None = Field(default=None, ge=0)
    other_key_next: int | None = Field(default=None, ge=0, description="signed with a key that is not published, under the same kid")
    unsigned_next: int | None = Field(default=None, ge=0, description="algorithm none")
    no_personal_id_next: int | None = Field(default=None, ge=0)


class User(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sub: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=200)
    personal_id: str = Field(pattern=r"^[0-9]{12}$")


class Users(BaseModel):
    model_config = ConfigDict(extra="forbid")

    users: list[User] = Field(min_length=1)


class Asked(BaseModel):
    """What a client asks of /authorize."""

    model_config = ConfigDict(extra="ignore")

    client_id: Literal["hocba"]
    redirect_uri: str = Field(pattern=r"^https://[^/?#]+/ui/identity/sign-in/oidc/[a-z0-9-]+/callback$")
    response_type: Literal["code"]
    scope: str = Field(pattern=r"(^| )openid( |$)")
    state: str = Field(min_length=20)
    nonce: str = Field(min_length=20)
    code_challenge: str = Field(min_length=43, max_length=43)
    code_challenge_method: Literal["S256"]


@dataclass(frozen=True)
class Code:
    user: User
    asked: Asked
    given_at: float


@dataclass
class Desk:
    issuer: str
    secret: str
    key: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519", {"kid": "idp-1"}))
    faults: Faults = field(default_factory=lambda: Faults(ENDPOINTS))
    users: dict[str, User] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    def id_token(self, code: Code) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": code.user.sub,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "nonce": code.asked.nonce,
            "name": code.user.name,
            "personal_id": code.user.personal_id,
        }

        def take(fault: str) -> bool:
            return self.faults.take("token", fault)

        if take("wrong_nonce_next"):
            claims["nonce"] = secrets.token_urlsafe(24)
        if take("wrong_audience_next"):
            claims["aud"] = "another-client"
        if take("wrong_issuer_next"):
            claims["iss"] = "https://elsewhere.invalid"
        if take("expired_next"):
            claims |= {"iat": now - 7200, "exp": now - 3600}
        if take("no_personal_id_next"):
            del claims["personal_id"]
        if take("unsigned_next"):
            return jwt.encode({"alg": "none"}, claims, self.key, registry=jws.JWSRegistry(algorithms=["none"]))
        key = OKPKey.generate_key("Ed25519", {"kid": "idp-1"}) if take("other_key_next") else self.key
        return jwt.encode({"alg": "Ed25519", "kid": "idp-1", "typ": "JWT"}, claims, key, algorithms=["Ed25519"])


def create_app(place: Place, client_secret: str) -> FastAPI:
    desk = Desk(place.url, client_secret)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        announce(place.directory, "idp", place.url)
        yield

    app = FastAPI(title="Sandbox OpenID provider", version="1.0", lifespan=lifespan)
    app.state.desk = desk
    install(app, desk.faults, _endpoint_of)
    _protocol(app, desk)
    _control(app, desk)
    return app


def _protocol(app: FastAPI, desk: Desk) -> None:
    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, Any]:
        return {
            "issuer": desk.issuer,
            "authorization_endpoint": f"{desk.issuer}/authorize",
            "token_endpoint": f"{desk.issuer}/token",
            "jwks_uri": f"{desk.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["Ed25519"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile"],
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        return {"keys": [{**desk.key.as_dict(private=False), "use": "sig", "alg": "Ed25519"}]}

    @app.get("/authorize", response_class=HTMLResponse)
    async def who_is_there(asked: Annotated[Asked, Query()]) -> str:
        return pages.get_template("authorize.html").render(asked=asked.model_dump(), users=desk.users.values())

    @app.post("/authorize")
    async def let_in(asked: Annotated[Asked, Depends(_asked_in_form)], sub: Annotated[str, Form()] = "") -> RedirectResponse:
        """Without `sub` the person turned back."""
        user = desk.users.get(sub)
        if user is None:
            answer = {"error": "access_denied", "state": asked.state}
        else:
            code = secrets.token_urlsafe(24)
            desk.codes[code] = Code(user, asked, time.monotonic())
            answer = {"code": code, "state": asked.state, "iss": desk.issuer}
        return RedirectResponse(f"{asked.redirect_uri}?{urlencode(answer)}", 303)

    @app.post("/token")
    async def token(
        request: Request,
        grant_type: Annotated[str, Form()],
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
    ) -> JSONResponse:
        if not _is_client(request.headers.get("Authorization", ""), desk.secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        given = desk.codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        good = (
            grant_type == "authorization_code"
            and given is not None
            and time.monotonic() - given.given_at < CODE_SECONDS
            and given.asked.redirect_uri == redirect_uri
            and hmac.compare_digest(given.asked.code_challenge, challenge)
        )
        if given is None or not good:
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return JSONResponse({**answer, "id_token": desk.id_token(given)}, headers={"Cache-Control": "no-store"})


def _control(app: FastAPI, desk: Desk) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/control/users")
    async def users(order: Users) -> dict[str, int]:
        desk.users.update({user.sub: user for user in order.users})
        return {"users": len(desk.users)}

    @app.post("/control/faults")
    async def misbehave(order: IdpFaults) -> dict[str, Any]:
        desk.faults.apply(order)
        return {"faults": desk.faults.in_force()}


async def _asked_in_form(request: Request) -> Asked:
    try:
        return Asked.model_validate(dict(await request.form()))
    except ValueError as problem:
        raise HTTPException(422, str(problem)) from problem


def _is_client(authorization: str, secret: str) -> bool:
    expected = base64.b64encode(f"{CLIENT}:{secret}".encode()).decode()
    return hmac.compare_digest(authorization.encode(), f"Basic {expected}".encode())


def _endpoint_of(path: str) -> str | None:
    name = path.rpartition("/")[2]
    return name if name in ENDPOINTS and not path.startswith("/control/") else None
