"""The server, as the agent talks to it: always from here to there, over HTTPS, so that no port is open on the person's computer."""

from __future__ import annotations

import platform
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self

import httpx

from hocba_agent import __version__, troubles
from hocba_agent.pairing import Pairing
from hocba_agent.signing import Over

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COOKIE = "__Host-hocba"
API = "/api/identity"
BATCHES = "/api/signing/agents/jobs"
GONE = {httpx.codes.NOT_FOUND, httpx.codes.CONFLICT}
WAIT_SECONDS = 25
TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=WAIT_SECONDS + 20.0)


class Server:
    """`ca` is a file of certificates to trust in place of the computer's own; `session` is the secret of a pairing."""

    def __init__(self, address: str, ca: str | None = None, session: str | None = None) -> None:
        try:
            trust = ssl.create_default_context(cafile=ca)
        except OSError as missing:
            raise troubles.wrong_server(f"không đọc được tệp chứng thư {ca}") from missing
        headers = {"User-Agent": f"hocba-agent/{__version__}"} | ({"Cookie": f"{COOKIE}={session}"} if session else {})
        self._http = httpx.Client(base_url=address, verify=trust, timeout=TIMEOUT, headers=headers, follow_redirects=False)
        self.address = address
        self._ca = ca

    @classmethod
    def of(cls, pairing: Pairing) -> Self:
        return cls(pairing.server, pairing.ca, pairing.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def keys(self) -> dict[str, Any]:
        """The public keys that the server signs jobs with."""
        keys = self._json("GET", f"{API}/agents/keys")
        if not isinstance(keys.get("keys"), list) or not keys["keys"]:
            raise troubles.wrong_server("máy chủ không phải hệ thống Học bạ số")
        return keys

    def ahead(self) -> timedelta | None:
        """How far this computer's clock is ahead of the server's, to a second or two; None when the server does not tell the time."""
        told = self._send("GET", f"{API}/agents/keys").headers.get("date", "")
        try:
            return datetime.now(UTC) - parsedate_to_datetime(told)
        except (ValueError, TypeError):
            return None

    def pair(self, code: str, modules: tuple[str, ...]) -> Pairing:
        """Raises Trouble with the server's own words for a wrong code."""
        keys = self.keys()
        told = {"code": code, "host": platform.node() or "?", "version": __version__}
        response = self._send("POST", f"{API}/sessions/agents", json=told)
        session = response.cookies.get(COOKIE)
        answer = self._read(response)
        if not session or not isinstance(answer.get("agent"), str):
            raise troubles.wrong_server("máy chủ không phải hệ thống Học bạ số")
        return Pairing(self.address, answer["agent"], str(answer.get("name", "")), session, keys, self._ca, modules)

    def me(self) -> dict[str, Any]:
        """Whose agent this is; raises Trouble `not_paired` when the pairing is over."""
        return self._json("GET", f"{API}/agents/me")

    def next_job(self, working: Iterable[str]) -> str | None:
        """The next signed job; None when none came while the server was willing to wait."""
        return self._next(f"{API}/agents/jobs", working)

    def next_batch(self, working: Iterable[str]) -> str | None:
        """As `next_job`, of the service that signs documents."""
        return self._next(BATCHES, working)

    def _next(self, path: str, working: Iterable[str]) -> str | None:
        response = self._send("GET", path, params={"wait": WAIT_SECONDS, "working": sorted(working)})
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        job = self._read(response).get("job")
        return job if isinstance(job, str) else None

    def answer(self, job: str, outcome: dict[str, Any]) -> None:
        """One the server no longer wants (404, 409) is as good as delivered."""
        response = self._send("POST", f"{API}/agents/jobs/{job}", json=outcome)
        if response.status_code not in GONE:
            self._read(response)

    def items(self, job: str) -> bytes:
        """The list that a job `sign` names by its digest. This and the next three raise Over when the batch is over."""
        return self._of_batch("GET", f"{BATCHES}/{job}/items").content

    def piece(self, job: str, number: int) -> dict[str, Any]:
        return self._read(self._of_batch("GET", f"{BATCHES}/{job}/items/{number}"))

    def give(self, job: str, answers: Sequence[dict[str, Any]]) -> None:
        self._read(self._of_batch("POST", f"{BATCHES}/{job}/items", json={"items": list(answers)}))

    def tell(self, job: str, told: dict[str, str]) -> None:
        self._read(self._of_batch("POST", f"{BATCHES}/{job}", json=told))

    def _of_batch(self, method: str, path: str, **more: Any) -> httpx.Response:
        response = self._send(method, path, **more)
        if response.status_code in GONE:
            raise Over
        return response

    def _json(self, method: str, path: str) -> dict[str, Any]:
        return self._read(self._send(method, path))

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Raises Trouble: unreachable, untrusted_server, not_paired."""
        try:
            response = self._http.request(method, path, **more)
        except httpx.ConnectError as failed:
            if "CERTIFICATE_VERIFY_FAILED" in str(failed):
                raise troubles.untrusted_server() from failed
            raise troubles.unreachable() from failed
        except httpx.HTTPError as failed:
            raise troubles.unreachable() from failed
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise troubles.unreachable()
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise troubles.not_paired()
        return response

    @staticmethod
    def _read(response: httpx.Response) -> dict[str, Any]:
        try:
            body = response.json() if response.content else {}
        except ValueError as wrong:
            raise troubles.wrong_server("máy chủ trả lời không đúng mẫu") from wrong
        if not isinstance(body, dict):
            raise troubles.wrong_server("máy chủ trả lời không đúng mẫu")
        if not response.is_success:
            raise troubles.Trouble(
                str(body.get("code", response.status_code)), str(body.get("cause", "Máy chủ từ chối.")), str(body.get("action", ""))
            )
        return body
