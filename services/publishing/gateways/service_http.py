"""Asking an outside system as this service: mutual TLS, a detached JWS over what is sent, and what its answers mean."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import json
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.chassis import clock
from services.chassis.settings import needed

if TYPE_CHECKING:
    from services.chassis.settings import Settings

TRY_LATER = (408, 425, 429)
"""Statuses below 500 that say nothing of what was sent."""
M = TypeVar("M", bound=BaseModel)


class GatewayAway(Exception):
    """No answer, "try again later", or an answer that is not of the contract: what was sent may have arrived.

    The same is sent again under the same id, not before `retry_after` seconds where the other side named them.
    """

    def __init__(self, problem: str = "no answer", retry_after: float | None = None) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class PackageRefused(Exception):
    """The other side refuses what was sent as a whole; sending it again gets the same answer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class Refusal(BaseModel):
    """The other side's own "no"; a 4xx without it comes from something in between."""

    model_config = ConfigDict(extra="ignore")

    code: str = Field(pattern=r"^(NG|TS)-[0-9]{3}$")
    reason: str = Field(min_length=1, max_length=2000)


class SignedHttp:
    """A client of one address that presents the service's certificate wherever it is asked for one, and signs with the same key."""

    def __init__(self, settings: Settings, address: str) -> None:
        key_file = needed(settings.service_key_file, "service_key_file")
        certificate_file = needed(settings.service_cert_file, "service_cert_file")
        trust = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        trust.load_cert_chain(certificate_file, key_file)
        self._http = httpx.AsyncClient(base_url=address, timeout=httpx.Timeout(30, connect=5), verify=trust)
        key = load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SystemExit("HOCBA_SERVICE_KEY_FILE holds no EC key")
        self._key = key
        chain = x509.load_pem_x509_certificates(certificate_file.read_bytes())
        self._x5c = [base64.b64encode(c.public_bytes(Encoding.DER)).decode() for c in chain]

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Raises GatewayAway."""
        try:
            answer = await self._http.request(method, path, **request)
        except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as problem:
            raise GatewayAway(type(problem).__name__) from problem
        if answer.status_code in TRY_LATER or answer.status_code >= 500:
            raise GatewayAway(f"HTTP {answer.status_code}", retry_after(answer.headers.get("Retry-After", ""), clock.now()))
        return answer

    def detached_jws(self, body: bytes) -> str:
        """RFC 7797: an unencoded, detached payload."""
        header = {"alg": "ES256", "b64": False, "crit": ["b64"], "x5c": self._x5c}
        protected = _base64url(json.dumps(header, separators=(",", ":")).encode())
        r, s = utils.decode_dss_signature(self._key.sign(protected + b"." + body, ec.ECDSA(hashes.SHA256())))
        return f"{protected.decode()}..{_base64url(r.to_bytes(32) + s.to_bytes(32)).decode()}"


def read(model: type[M], answer: httpx.Response) -> M:
    """Raises GatewayAway for what the other side of the contract would not say: a proxy's page, half an answer."""
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as problem:
        raise GatewayAway(f"HTTP {answer.status_code} with an answer that is not of the contract") from problem


def refusal_in(answer: httpx.Response) -> PackageRefused:
    """Raises GatewayAway when there is none."""
    said = read(Refusal, answer)
    return PackageRefused(said.code, said.reason)


def retry_after(header: str, at: dt.datetime) -> float | None:
    """Seconds from `at` (RFC 9110, 10.2.3: a number or a date); None when it says nothing."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - at).total_seconds())


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
