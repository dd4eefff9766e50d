"""OAuth 2 of the CSC provider: its own page (authorization code, PKCE), for signing in or for one authorisation, and client credentials."""

import base64
import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from starlette.responses import Response

from infra.sandbox.provider.desk import TOKEN_SECONDS, TheDesk
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.phone import Authorisation

router = APIRouter(prefix="/csc/v2/oauth2")
pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
CODE_SECONDS = 60.0


@dataclass
class Code:
    """`agreed`: what the person agreed to, for one that stands for a credential's authorisation."""

    user: str
    client: str
    redirect_uri: str
    challenge: str
    agreed: Authorisation | None = None
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
    if desk.modes.takes_pushed:
        answer["pushed_authorization_request_endpoint"] = f"{here}/pushed_authorize"
    return answer


@router.post("/pushed_authorize", status_code=201)
async def oauth_pushed(desk: TheDesk, request: Request) -> dict[str, Any]:
    """What a client would put into the address of the page, sent beforehand by the client itself (RFC 9126)."""
    form = await request.form()
    asked = {name: value for name, value in form.items() if isinstance(value, str)}
    if not desk.knows_client(asked.get("client_id", ""), asked.pop("client_secret", "")):
        raise CscError("The client is not known", error="invalid_client", status=401)
    identity = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(24)}"
    desk.pushed[identity] = asked
    return {"request_uri": identity, "expires_in": int(CODE_SECONDS)}


@router.get("/authorize", response_class=HTMLResponse)
async def oauth_authorize(desk: TheDesk, request: Request) -> str:
    return _page(desk, _asked(desk, dict(request.query_params)), wrong=False)


@router.post("/authorize")
async def oauth_sign_in(desk: TheDesk, request: Request) -> Response:
    """The page, sent: back to the client with a code or a refusal, or the page again."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    user, password, answer = (form.pop(name, "") for name in ("user", "password", "answer"))
    asked = _asked(desk, form)
    if answer == "refuse":
        desk.pushed.pop(form.get("request_uri", ""), None)
        return _back(asked, error="access_denied", error_description="The user denied the request")
    if not desk.vault.password_is_right(user, password):
        return HTMLResponse(_page(desk, asked, wrong=True), 401)
    desk.pushed.pop(form.get("request_uri", ""), None)
    agreed = _agreed(desk, user, asked) if asked.get("scope") == "credential" else None
    code = secrets.token_urlsafe(24)
    desk.codes[code] = Code(user, asked["client_id"], asked["redirect_uri"], asked.get("code_challenge", ""), agreed)
    return _back(asked, code=code)


def _asked(desk: TheDesk, given: dict[str, str]) -> dict[str, str]:
    """The request, also when it was pushed beforehand. Raises CscError for a client that is not known."""
    asked = given
    if "request_uri" in given:
        asked = {**desk.pushed.get(given["request_uri"], {}), "request_uri": given["request_uri"]}
    if asked.get("client_id") not in desk.clients or urlsplit(asked.get("redirect_uri", "")).scheme not in {"http", "https"}:
        raise CscError("Invalid parameter client_id or redirect_uri", error="unauthorized_client")
    return asked


def _page(desk: TheDesk, asked: dict[str, str], *, wrong: bool) -> str:
    sent = ("request_uri",) if "request_uri" in asked else tuple(asked)
    return pages.get_template("signin.html").render(asked=asked, sent=sent, provider=desk.name, wrong=wrong)


def _back(asked: dict[str, str], **told: str) -> RedirectResponse:
    return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({**told, 'state': asked.get('state', '')})}", 303)


def _agreed(desk: TheDesk, user: str, asked: dict[str, str]) -> Authorisation:
    """What this person agreed to by signing in on the page. Raises CscError."""
    credential = desk.credential(user, asked.get("credentialID", ""))
    hashes = [base64.b64encode(base64.urlsafe_b64decode(each + "==")).decode() for each in asked.get("hashes", "").split(",") if each]
    number = int(asked.get("numSignatures", "0"))
    authorisation = desk.authorise(credential, hashes, asked.get("hashAlgorithmOID", ""), number, asked.get("description", ""))
    authorisation.answer("confirmed")
    return authorisation


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
        redeemed = _redeemed(desk, code, client_id, redirect_uri, code_verifier)
        if redeemed.agreed is not None:
            return {"access_token": redeemed.agreed.sad, "token_type": "Bearer", "expires_in": redeemed.agreed.expires_in()}
        user = redeemed.user
    else:
        raise CscError("Invalid parameter grant_type", error="unsupported_grant_type")
    return {"access_token": desk.token_for(user), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}


def _redeemed(desk: TheDesk, code: str, client: str, redirect_uri: str, verifier: str) -> Code:
    """What the code stands for; good once. Raises CscError."""
    given: Code | None = desk.codes.pop(code, None)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode() if verifier else ""
    if given is None or given.until < time.monotonic() or (given.client, given.redirect_uri) != (client, redirect_uri):
        raise CscError("The authorization code is not valid", error="invalid_grant")
    if given.challenge != challenge:
        raise CscError("The code verifier does not fit", error="invalid_grant")
    return given
