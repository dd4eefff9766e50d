"""OAuth 2 of the CSC provider: its own sign-in page (authorization code, PKCE) and client credentials."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from starlette.responses import Response

from infra.sandbox.provider.desk import TOKEN_SECONDS, TheDesk
from infra.sandbox.provider.errors import CscError

router = APIRouter(prefix="/csc/v2/oauth2")
pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
CODE_SECONDS = 60.0


@dataclass
class Code:
    user: str
    client: str
    redirect_uri: str
    challenge: str
    until: float = field(default_factory=lambda: time.monotonic() + CODE_SECONDS)


@router.get("/.well-known/oauth-authorization-server")
async def metadata(desk: TheDesk, request: Request) -> dict[str, Any]:
    here = str(request.url_for("oauth_authorize")).removesuffix("/authorize")
    answer: dict[str, Any] = {
        "issuer": here,
        "authorization_endpoint": f"{here}/authorize",
        "token_endpoint": f"{here}/token",
        "revocation_endpoint": f"{here}/revoke",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
    }
    if desk.modes.announces_pkce:
        answer["code_challenge_methods_supported"] = ["S256"]
    return answer


@router.get("/authorize", response_class=HTMLResponse)
async def oauth_authorize(
    desk: TheDesk, request: Request, client_id: Annotated[str, Query()], redirect_uri: Annotated[str, Query()]
) -> str:
    if client_id not in desk.clients or urlsplit(redirect_uri).scheme not in {"http", "https"}:
        raise CscError("Invalid parameter client_id or redirect_uri", error="unauthorized_client")
    return pages.get_template("signin.html").render(asked=dict(request.query_params), provider=desk.name, wrong=False)


@router.post("/authorize")
async def oauth_sign_in(
    desk: TheDesk,
    *,
    user: Annotated[str, Form()],
    password: Annotated[str, Form()],
    client_id: Annotated[str, Form()],
    redirect_uri: Annotated[str, Form()],
    state: Annotated[str, Form()] = "",
    code_challenge: Annotated[str, Form()] = "",
) -> Response:
    """The sign-in page, sent: back to the client with a code, or the page again."""
    asked = {"client_id": client_id, "redirect_uri": redirect_uri, "state": state, "code_challenge": code_challenge}
    if client_id not in desk.clients:
        raise CscError("Invalid parameter client_id", error="unauthorized_client")
    if not desk.vault.password_is_right(user, password):
        return HTMLResponse(pages.get_template("signin.html").render(asked=asked, provider=desk.name, wrong=True), 401)
    code = secrets.token_urlsafe(24)
    desk.codes[code] = Code(user, client_id, redirect_uri, code_challenge)
    return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", 303)


@router.post("/token")
async def oauth_token(
    desk: TheDesk,
    *,
    grant_type: Annotated[str, Form()],
    client_id: Annotated[str, Form()],
    client_secret: Annotated[str, Form()],
    code: Annotated[str, Form()] = "",
    redirect_uri: Annotated[str, Form()] = "",
    code_verifier: Annotated[str, Form()] = "",
) -> dict[str, Any]:
    if not desk.knows_client(client_id, client_secret):
        raise CscError("The client is not known", error="invalid_client", status=401)
    if grant_type == "client_credentials":
        user = ""
    elif grant_type == "authorization_code":
        user = _redeemed(desk, code, client_id, redirect_uri, code_verifier)
    else:
        raise CscError("Invalid parameter grant_type", error="unsupported_grant_type")
    return {"access_token": desk.token_for(user), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}


def _redeemed(desk: TheDesk, code: str, client: str, redirect_uri: str, verifier: str) -> str:
    """Whose code it is; good once. Raises CscError."""
    given: Code | None = desk.codes.pop(code, None)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode() if verifier else ""
    if given is None or given.until < time.monotonic() or (given.client, given.redirect_uri) != (client, redirect_uri):
        raise CscError("The authorization code is not valid", error="invalid_grant")
    if given.challenge != challenge:
        raise CscError("The code verifier does not fit", error="invalid_grant")
    return given.user
