"""Signing in to a CSC provider by OAuth 2: on the provider's own page (authorization code), or as the service that we are.

The person's password then never passes through us. PKCE (S256) is used where the provider announces it (RFC 8414). State and verifier
are the caller's to keep, bound to the person's browser.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from services.chassis import clock
from services.means import csc_messages as messages
from services.means.csc_refusals import refusal
from services.means.provider_http import read
from services.means.remote import Begun, ProviderRefused, Refusal, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.means.provider_http import ProviderHttp

METADATA = "oauth2/.well-known/oauth-authorization-server"
LONGEST_URL = 8000
"""What servers and browsers agree to."""


class OAuth:
    def __init__(self, http: ProviderHttp, client_id: str, client_secret: str) -> None:
        self._http = http
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._announced: messages.Announced | None = None

    async def begin(self, redirect_uri: str, *, scope: str = "service", asked: Mapping[str, str] | None = None) -> Begun:
        """The address of the provider's page for one sign-in, or with scope "credential" for one authorisation of what is `asked`.

        Raises as every call to a provider. What is asked goes to the provider directly where it takes that (RFC 9126).
        """
        state, verifier = secrets.token_urlsafe(32), ""
        query = {
            "response_type": "code",
            "client_id": self._client["client_id"],
            "redirect_uri": redirect_uri,
            "scope": scope,
            "lang": "vi-VN",
            "state": state,
            **(asked or {}),
        }
        announced = await self._announcement()
        if "S256" in announced.pkce:
            verifier = secrets.token_urlsafe(48)
            challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        if asked and announced.pushed:
            response = await self._http.form("oauth2/pushed_authorize", {**query, **self._client})
            if response.status_code != httpx.codes.CREATED:
                raise refusal(response)
            query = {"client_id": query["client_id"], "request_uri": read(messages.Pushed, response).request_uri}
        url = f"{self._http.base_url}oauth2/authorize?{urlencode(query)}"
        if len(url) > LONGEST_URL:
            raise ProviderRefused(Refusal.TOO_MANY, "more hashes than an address can hold")
        return Begun(url, state, verifier)

    async def finish(self, code: str, verifier: str, redirect_uri: str) -> Session:
        """The session behind the code that the person's browser brought; a wrong or used one is `Refusal.WRONG_LOGIN`."""
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._token(given | ({"code_verifier": verifier} if verifier else {}), "")

    async def own_session(self, user: str) -> Session:
        """Client credentials: the token is the service's, and names no account."""
        return await self._token({"grant_type": "client_credentials", "scope": "service"}, user)

    async def _token(self, given: dict[str, str], user: str) -> Session:
        response = await self._http.form("oauth2/token", {**given, **self._client})
        if response.status_code != httpx.codes.OK:
            raise refusal(response)
        answer = read(messages.Token, response)
        return Session(answer.access_token, clock.now() + timedelta(seconds=answer.expires_in), user)

    async def _announcement(self) -> messages.Announced:
        if self._announced is None:
            response = await self._http.get(METADATA)
            known = response.status_code == httpx.codes.OK
            self._announced = read(messages.Announced, response) if known else messages.Announced()
        return self._announced
