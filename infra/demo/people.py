"""The people of the demo: each with an own cookie jar, so an own session at the gateway."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx

STALE = "HB-ACC-428"
"""An act that asks anew who is there."""
BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
TIMEOUT = httpx.Timeout(120, connect=10)


class Refusal(Exception):
    """An API of the system said no."""


@dataclass
class Person:
    username: str
    name: str
    version: str
    password: str
    http: httpx.AsyncClient = field(repr=False)

    @classmethod
    def make(cls, base: str, trust: ssl.SSLContext, *, username: str, name: str, version: str, one_time_password: str) -> Person:
        http = httpx.AsyncClient(base_url=base, verify=trust, timeout=TIMEOUT)
        return cls(username, name, version, one_time_password, http)

    async def first_sign_in(self) -> None:
        """Signs in with the one-time password and chooses an own one."""
        await self.sign_in()
        chosen = secrets.token_urlsafe(12)
        await self.post("/api/identity/password", {"old": self.password, "new": chosen})
        self.password = chosen

    async def sign_in(self) -> None:
        await self.post("/api/identity/sessions", {"version": self.version, "username": self.username, "password": self.password})

    async def get(self, path: str, **query: str) -> Any:
        return self._answer(await self._patiently("GET", path, params=query))

    async def post(self, path: str, body: object = None) -> Any:
        answer = await self._patiently("POST", path, json=body)
        if self.must_confirm(answer):
            self._answer(await self._patiently("POST", "/api/identity/confirmation", json={"password": self.password}))
            answer = await self._patiently("POST", path, json=body)
        return self._answer(answer)

    async def _patiently(self, method: str, path: str, **request: Any) -> httpx.Response:
        """As people do: told that the system is busy, they wait a little and press the button again."""
        for attempt in range(10):
            answer = await self.http.request(method, path, **request)
            if answer.status_code not in BUSY:
                break
            await asyncio.sleep(1 + attempt)
        return answer

    async def upload(self, path: str, files: dict[str, bytes]) -> Any:
        return self._answer(await self.http.post(path, files=[("files", (name, content)) for name, content in files.items()]))

    async def download(self, path: str) -> bytes:
        answer = await self.http.get(path)
        self._answer(answer)
        return answer.content

    @staticmethod
    def must_confirm(answer: httpx.Response) -> bool:
        """Was the act refused until the person confirms to be there?"""
        return answer.status_code == httpx.codes.FORBIDDEN and answer.json().get("code") == STALE

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else None
        raise Refusal(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}")
