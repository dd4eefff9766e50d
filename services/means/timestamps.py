"""RFC 3161 timestamps over SHA-2 digests, checked before anybody relies on them.

pyHanko speaks the protocol. One `TimestampAuthority` is one configured service; its address never comes from a document.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from asn1crypto import cms, parser, tsp
from cryptography.hazmat.primitives.hashes import Hash
from pyhanko.sign.general import SignedDataCerts, extract_certificate_info, extract_signer_info
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from services.chassis import clock
from services.means import x509

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

TIMEOUT_SECONDS: Final = 10.0
MAX_CONNECTIONS: Final = 20
KEPT_OPEN_SECONDS: Final = 4.0
"""An idle connection, a little less than servers commonly keep theirs: a request on one that they just close would be lost."""
MAX_SKEW: Final = dt.timedelta(minutes=5)
SLACK: Final = 64
"""Bytes by which tokens of one unit differ: serial numbers, fractions of seconds and ECDSA values vary in length."""

_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_BUSY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_SAMPLE: Final = bytes(32)


class TimestampsUnavailable(OSError):
    """The authority is away, too slow or in trouble; the same request may succeed later."""


class TimestampRefused(ValueError):
    """The authority said no, or its answer cannot be relied on. Waiting alone does not help."""


@dataclass(frozen=True)
class Unit:
    """The timestamping unit at work: its certificate and issuers (DER) and the most bytes that a token of it takes."""

    certificate: bytes
    chain: tuple[bytes, ...]
    room: int


@asynccontextmanager
async def outgoing(verify: ssl.SSLContext | bool = True) -> AsyncIterator[aiohttp.ClientSession]:  # noqa: FBT001, FBT002  as httpx says it
    """The one pool of connections to timestamping authorities, OCSP responders and revocation lists. No redirect is followed."""

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("a redirect is not followed")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=verify, keepalive_timeout=KEPT_OPEN_SECONDS)
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace], cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


class TimestampAuthority:
    def __init__(
        self, url: str, roots: Sequence[bytes], session: aiohttp.ClientSession, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """`roots` (DER) are those that the unit's certificate must lead to, through the certificates in its tokens."""
        self._roots = tuple(roots)
        self._client = HTTPTimeStamper(url, timeout=timeout_seconds, session=session)
        self._unit: Unit | None = None
        self._asking = asyncio.Lock()

    async def unit(self) -> Unit:
        """Who makes the tokens, learnt from a first token and kept until another unit answers. Raises as `token` does."""
        async with self._asking:
            if self._unit is None:
                token = await self._request(_SAMPLE)
                self._unit = _unit_of(token, self._roots)
            return self._unit

    async def token(self, digest: bytes, algorithm: str = "sha256") -> bytes:
        """DER of the TimeStampToken (CMS) over a digest in that algorithm, with the unit's certificate inside.

        Nonce, imprint, time and signature are checked. Raises TimestampsUnavailable, also when another unit than the one known has
        answered, so that nobody uses a token without the proof of its signer; TimestampRefused.
        """
        unit = await self.unit()
        token = await self._request(digest, algorithm)
        # a token over a longer digest than that of the first one is longer by as much
        if len(token) > unit.room + len(digest) - len(_SAMPLE) or signer_of(token)[0] != unit.certificate:
            self._unit = None
            raise TimestampsUnavailable("another timestamping unit answers than before")
        return token

    async def _request(self, digest: bytes, algorithm: str = "sha256") -> bytes:
        nonce, request = self._client.request_cms(digest, algorithm)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
        try:
            return _checked(await self._client.async_request_tsa_response(request), nonce, digest, algorithm)
        except TimestampRequestError as problem:
            raise _explained(problem) from problem
        except TimestampRefused:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as malformed:
            # asn1crypto and pyHanko look into an answer piece by piece, and stumble where it is not what it should be
            raise TimestampRefused(f"the answer is no sound timestamp: {malformed}") from malformed


@lru_cache(maxsize=64)
def imprint_of(token: bytes, algorithm: str = "sha256") -> bytes:
    """The digest that a token speaks of. Raises ValueError when it is no timestamp over a digest in that algorithm."""
    imprint = _info(cms.ContentInfo.load(token))["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != algorithm:
        raise ValueError(f"the token is not over a digest in {algorithm}")
    digest: bytes = imprint["hashed_message"].native
    return digest


def time_of(token: bytes) -> dt.datetime:
    """The moment that a token proves. Raises ValueError when it is no timestamp."""
    moment: dt.datetime = _info(cms.ContentInfo.load(token))["gen_time"].native
    return moment


def room_for(token: bytes) -> int:
    """Bytes that a further token of the same unit takes at most."""
    return len(token) + SLACK


@lru_cache(maxsize=64)
def signer_of(token: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The unit's certificate and the others in a token, DER. Raises ValueError when it is no timestamp or has none inside."""
    found = _certificates(cms.ContentInfo.load(token))
    return found.signer_cert.dump(), tuple(other.dump() for other in found.other_certs)


def _explained(problem: TimestampRequestError) -> TimestampsUnavailable | TimestampRefused:
    cause = problem.__cause__
    if isinstance(cause, aiohttp.ClientResponseError) and cause.status < HTTPStatus.INTERNAL_SERVER_ERROR and cause.status not in _BUSY:
        return TimestampRefused(f"the timestamping authority answers {cause.status} {cause.message}")
    return TimestampsUnavailable(f"the timestamping authority does not answer: {type(cause).__name__}")


def _checked(response: tsp.TimeStampResp, nonce: int, digest: bytes, algorithm: str) -> bytes:
    # cut apart by hand: asn1crypto does not read a refusal, which has no token, and encodes anew what seems of indefinite length
    # to it, which any length ending in 0x80 does
    contents = response.contents
    end = parser.peek(contents)
    status, encoded = tsp.PKIStatusInfo.load(contents[:end]), bytes(contents[end:])
    if status["status"].native not in ("granted", "granted_with_mods"):
        reasons = status["fail_info"].native or set()
        said = f"{status['status'].native}: {', '.join(sorted(reasons))} {'; '.join(status['status_string'].native or ())}"
        if status["status"].native == "waiting" or "time_not_available" in reasons:
            raise TimestampsUnavailable(said)
        raise TimestampRefused(said)
    token = cms.ContentInfo.load(encoded, strict=True)
    info = _info(token)
    if info["nonce"].native != nonce:
        raise TimestampRefused("the token answers another request")
    if imprint_of(encoded, algorithm) != digest:
        raise TimestampRefused("the token is over another digest")
    certificate = _certificates(token).signer_cert
    moment = info["gen_time"].native
    if abs(moment - clock.now()) > MAX_SKEW:
        raise TimestampRefused(f"the token's time {moment} is not the time")
    if not certificate.not_valid_before <= moment <= certificate.not_valid_after:
        raise TimestampRefused("the unit's certificate is not valid at the token's time")
    _check_signature(token, certificate)
    return encoded


def _check_signature(token: cms.ContentInfo, certificate: Any) -> None:
    signed = token["content"]
    signer = extract_signer_info(signed)
    algorithm = signer["digest_algorithm"]["algorithm"].native
    if algorithm not in _HASHES:
        raise TimestampRefused(f"the token is signed with {algorithm}")
    if not signer["signed_attrs"]:
        raise TimestampRefused("the token does not say whose signature it bears")
    content = Hash(get_pyca_cryptography_hash(algorithm))
    content.update(bytes(signed["encap_content_info"]["content"]))
    intact, valid = validate_sig_integrity(signer, certificate, "tst_info", content.finalize())
    if not (intact and valid):
        raise TimestampRefused("the token's signature is wrong")


def _unit_of(token: bytes, roots: Sequence[bytes]) -> Unit:
    certificate, chain = signer_of(token)
    usage = x509.load_asn1(certificate).extended_key_usage_value
    if usage is None or usage.native != ["time_stamping"]:
        raise TimestampRefused("the unit's certificate is not for timestamps alone")
    state = x509.trust(certificate, chain, roots, at=clock.now()).state
    if state != "trusted":
        raise TimestampRefused(f"the unit's certificate is {state}")
    return Unit(certificate, chain, room_for(token))


def _info(token: cms.ContentInfo) -> Any:
    if token["content_type"].native != "signed_data":
        raise ValueError("not a timestamp")
    info = token["content"]["encap_content_info"]["content"].parsed
    if not isinstance(info, tsp.TSTInfo):
        raise ValueError("not a timestamp")  # noqa: TRY004  the bytes are wrong, not the caller's types
    return info


def _certificates(token: cms.ContentInfo) -> SignedDataCerts:
    return extract_certificate_info(token["content"])
