"""Remote signing by the Cloud Signature Consortium's API v2 (2.0.0): the person confirms on a phone, the provider signs hashes.

One `Csc` is one provider with one pool of connections. Its address comes from the operator's configuration alone: nothing that a
person types, and no redirect, decides where a request goes. Every call may raise `ProviderUnavailable`, `ProviderRefused` or
`ProviderBroken` (see `services.means.remote`); none repeats a request by itself. Passwords, tokens and SADs appear in no
exception and no log.
"""

import asyncio
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from asn1crypto import algos
from pydantic import BaseModel, ValidationError

from services.chassis import clock
from services.means import csc_messages as messages
from services.means.csc_refusals import body_of, refusal
from services.means.remote import (
    Authorisation,
    Authorized,
    Credential,
    Expired,
    Outcome,
    ProviderBroken,
    ProviderRefused,
    ProviderUnavailable,
    Refusal,
    Rejected,
    Session,
    Waiting,
)
from services.means.x509 import Scheme, default_scheme

SHA256 = "2.16.840.1.101.3.4.2.1"
RSA = "1.2.840.113549.1.1.1"
RSA_SHA256 = "1.2.840.113549.1.1.11"
PSS = "1.2.840.113549.1.1.10"
ALGORITHMS: dict[Scheme, str] = {"rsa-pkcs1": RSA, "rsa-pss": PSS, "ecdsa": "1.2.840.10045.4.3.2"}
PSS_PARAMETERS = b64encode(
    algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": "sha256"},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
            "salt_length": 32,
        }
    ).dump()
).decode()

CHUNK = 500
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 120.0
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Mode = Literal["S", "A"]
Message = TypeVar("Message", bound=BaseModel)


class Csc:
    def __init__(
        self,
        base_url: str,
        *,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout = TIMEOUT,
        chunk: int = CHUNK,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`base_url` is the configured service address with its version, such as https://provider/csc/v2.

        `verify` says whom to trust for https; `chunk` is the most hashes in one request; asynchronous signing is asked about
        every `poll_seconds` for at most `patience_seconds`. Raises ValueError for an address that is not https (plain http is for
        loopback only) or carries credentials, a query or a fragment.
        """
        self._mode: Mode = "S"
        self._chunk = chunk
        self._poll = poll_seconds
        self._patience = patience_seconds
        self._http = httpx.AsyncClient(
            base_url=_checked(base_url),
            headers={"User-Agent": "hocba"},
            verify=verify,
            timeout=timeout,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def info(self) -> messages.Info:
        """What the provider says of itself."""
        return _read(messages.Info, await self._post("info", {}))

    async def login(self, user: str, password: str) -> Session:
        """An access token for the account; a wrong name or password is `Refusal.WRONG_LOGIN`. The password is not kept."""
        if ":" in user:
            raise ProviderRefused(Refusal.WRONG_LOGIN, "a user name has no colon")
        proof = b64encode(f"{user}:{password}".encode()).decode()
        response = await self._send("auth/login", {"rememberMe": False}, f"Basic {proof}")
        if response.status_code != httpx.codes.OK:
            code = refusal(response).code
            wrong = code in {Refusal.WRONG_SECRET, Refusal.SESSION_EXPIRED, Refusal.REJECTED}
            # the provider's text may repeat what was typed, so it goes no further
            raise ProviderRefused(Refusal.WRONG_LOGIN if wrong else code, "login refused")
        answer = _read(messages.Login, response)
        return Session(answer.access_token, clock.now() + timedelta(seconds=answer.expires_in))

    async def list_credentials(self, session: Session) -> list[Credential]:
        """The account's credentials with certificates and chains; those whose key is disabled are left out."""
        wanted = {"certificates": "chain", "certInfo": True, "authInfo": True}
        asked = {"credentialInfo": True, "onlyValid": False, **wanted}
        listed = _read(messages.Credentials, await self._post("credentials/list", asked, session))
        described = {one.id: one for one in listed.infos if one.id is not None}
        found = []
        for identity in listed.ids:
            one = described.get(identity)
            if one is None:
                one = _read(messages.CredentialInfo, await self._post("credentials/info", {"credentialID": identity, **wanted}, session))
            if one.key.status == "enabled":
                found.append(_credential(identity, one))
        return found

    async def authorize(self, session: Session, credential_id: str, hashes: Sequence[bytes], description: str) -> Authorisation:
        """Ask the person to agree to SHA-256 `hashes`, one question for all; `description` is what the phone shows."""
        asked = {
            "credentialID": credential_id,
            "numSignatures": len(hashes),
            "hashes": _encoded(hashes),
            "hashAlgorithmOID": SHA256,
            "description": description,
        }
        return _authorisation(await self._post("credentials/authorize", asked, session), None)

    async def check(self, session: Session, handle: str) -> Outcome:
        """What became of the question: agreed, still waiting, rejected or expired."""
        try:
            response = await self._post("credentials/authorizeCheck", {"handle": handle}, session)
        except ProviderRefused as refused:
            if refused.code is Refusal.REJECTED:
                return Rejected()
            if refused.code is Refusal.AUTHORISATION_EXPIRED:
                return Expired()
            raise
        return _authorisation(response, handle)

    async def extend(self, session: Session, credential_id: str, sad: str, hashes: Sequence[bytes]) -> Authorized:
        """Let the same authorisation cover further hashes, without asking again, up to the number first agreed to.

        Made for nested signatures, whose hashes are not known beforehand. The SAD in the answer replaces the one given.
        """
        asked = {"credentialID": credential_id, "hashes": _encoded(hashes), "hashAlgorithmOID": SHA256, "SAD": sad}
        answer = _read(messages.Agreed, await self._post("credentials/extendTransaction", asked, session))
        return Authorized(answer.sad, answer.expires_in)

    async def sign(self, session: Session, credential: Credential, sad: str, hashes: Sequence[bytes], *, client_data: str) -> list[bytes]:
        """One signature value a hash, in the order of `hashes`, in the scheme `scheme_of(credential)`.

        Values are as the provider gave them: verify each before use. Use `sign_chunks` to store as they come.
        """
        return [value async for chunk in self.sign_chunks(session, credential, sad, hashes, client_data=client_data) for value in chunk]

    async def sign_chunks(
        self, session: Session, credential: Credential, sad: str, hashes: Sequence[bytes], *, client_data: str
    ) -> AsyncIterator[list[bytes]]:
        """The same as `sign`, chunk by chunk: what was signed before a failure is not lost.

        `client_data` is our own transaction id, for the provider's records. More hashes than the credential's `multisign` are
        refused here (`Refusal.TOO_MANY`), since one authorisation cannot cover them.
        """
        encoded = _encoded(hashes)
        if len(encoded) > credential.multisign:
            raise ProviderRefused(Refusal.TOO_MANY, f"{len(encoded)} hashes, at most {credential.multisign} under one authorisation")
        scheme = scheme_of(credential)
        common = {
            "credentialID": credential.id,
            "SAD": sad,
            "hashAlgorithmOID": SHA256,
            "signAlgo": ALGORITHMS[scheme],
            "clientData": client_data,
        }
        if scheme == "rsa-pss":
            common["signAlgoParams"] = PSS_PARAMETERS
        for start in range(0, len(encoded), self._chunk):
            part = encoded[start : start + self._chunk]
            answer = await self._sign_part(session, {**common, "hashes": part})
            if len(answer) != len(part):
                raise ProviderBroken(f"{len(answer)} signatures for {len(part)} hashes")
            yield [_decoded(value, "signature") for value in answer]

    async def _sign_part(self, session: Session, asked: dict[str, Any]) -> list[str]:
        """Synchronously; a provider that refuses that mode is asked asynchronously from then on (nothing was signed)."""
        mode = self._mode
        try:
            response = await self._post("signatures/signHash", self._in_mode(mode, asked), session)
        except ProviderRefused as refused:
            if mode == "A" or "operationmode" not in refused.description.lower():
                raise
            self._mode = "A"
            response = await self._post("signatures/signHash", self._in_mode("A", asked), session)
        answer = _read(messages.Signed, response)
        if answer.signatures is not None:
            return answer.signatures
        if answer.response_id is None:
            raise ProviderBroken("neither signatures nor a responseID")
        return await self._collect(session, answer.response_id)

    def _in_mode(self, mode: Mode, asked: dict[str, Any]) -> dict[str, Any]:
        lasting = {"validity_period": int(self._patience * 1000)} if mode == "A" else {}
        return {**asked, "operationMode": mode, **lasting}

    async def _collect(self, session: Session, response_id: str) -> list[str]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while True:
            response = await self._post("signatures/signPolling", {"requestID": response_id}, session)
            if response.status_code == httpx.codes.OK:
                answer = _read(messages.Signed, response)
                if answer.signatures is None:
                    raise ProviderBroken("signing is done but there are no signatures")
                return answer.signatures
            if loop.time() + self._poll > until:
                raise ProviderUnavailable(f"signing did not finish within {self._patience:g} s", sent=True)
            await asyncio.sleep(self._poll)

    async def _post(self, method: str, body: dict[str, Any], session: Session | None = None) -> httpx.Response:
        """An answer that says yes (200) or not yet (202, or 400 with `accepted_request`, made 202 here); raises for any other."""
        if session is not None and session.expires_at <= clock.now():
            raise ProviderRefused(Refusal.SESSION_EXPIRED, "the access token is over")
        response = await self._send(method, body, f"Bearer {session.access_token}" if session else None)
        if response.status_code in {httpx.codes.OK, httpx.codes.ACCEPTED}:
            return response
        if body_of(response).get("error") == "accepted_request":
            return httpx.Response(httpx.codes.ACCEPTED, content=response.content)
        raise refusal(response)

    async def _send(self, method: str, body: dict[str, Any], authorization: str | None) -> httpx.Response:
        """Raises ProviderUnavailable for network trouble and for 429 and 5xx, with nothing of the request in it."""
        headers = {"Authorization": authorization} if authorization else {}
        trouble: httpx.RequestError | None = None
        try:
            response = await self._http.post(method, json=body, headers=headers)
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


def scheme_of(credential: Credential) -> Scheme:
    """The scheme that `sign` asks for: PKCS#1 v1.5 for RSA unless the credential allows PSS only; ECDSA with SHA-256.

    Raises ValueError when the certificate's key is neither RSA nor elliptic.
    """
    scheme = default_scheme(credential.certificate)
    if scheme == "rsa-pkcs1" and PSS in credential.key_algorithms and not {RSA, RSA_SHA256} & set(credential.key_algorithms):
        return "rsa-pss"
    return scheme


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("a provider's address starts with https:// (http:// on loopback only)")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("a provider's address has a host and no credentials, query or fragment")
    return base_url.rstrip("/") + "/"


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    if not hashes or any(len(one) != 32 for one in hashes):
        raise ValueError("one or more SHA-256 hashes of 32 bytes each are needed")
    return [b64encode(one).decode() for one in hashes]


def _decoded(value: str, what: str) -> bytes:
    try:
        return b64decode("".join(value.split()), validate=True)
    except ValueError as wrong:
        raise ProviderBroken(f"a {what} is not base64") from wrong


def _read(message: type[Message], response: httpx.Response) -> Message:
    """The answer as a message; the provider's own values stay out of the error, since some are secrets."""
    problem = ""
    try:
        return message.model_validate_json(response.content)
    except ValidationError as wrong:
        problem = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['type']}" for one in wrong.errors())
    raise ProviderBroken(f"{message.__name__}: {problem}")


def _authorisation(response: httpx.Response, handle: str | None) -> Authorisation:
    if response.status_code == httpx.codes.OK:
        answer = _read(messages.Agreed, response)
        return Authorized(answer.sad, answer.expires_in)
    return Waiting(handle if handle is not None else _read(messages.Asked, response).handle)


def _credential(identity: str, one: messages.CredentialInfo) -> Credential:
    certificates = [_decoded(each, "certificate") for each in one.cert.certificates]
    if not certificates:
        raise ProviderBroken("a credential without a certificate")
    try:
        default_scheme(certificates[0])
    except ValueError as wrong:
        raise ProviderBroken("a credential whose certificate cannot be read or whose key is neither RSA nor elliptic") from wrong
    return Credential(
        id=identity,
        certificate=certificates[0],
        chain=tuple(certificates[1:]),
        key_algorithms=tuple(one.key.algo),
        scal=one.scal,
        multisign=one.multisign,
    )
