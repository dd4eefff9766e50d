"""Remote signing by the Cloud Signature Consortium's API v2 (2.0.0): the person confirms on a phone, the provider signs hashes.

One `Csc` is one provider with one pool of connections. Every call may raise `ProviderUnavailable`, `ProviderRefused` or
`ProviderBroken` (see `services.means.remote`); none repeats a request by itself. Passwords, PINs, tokens and SADs appear in no
exception and no log.
"""

from __future__ import annotations

import asyncio
import logging
import math
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
from asn1crypto import algos

from services.chassis import clock
from services.means import csc_messages as messages
from services.means.csc_oauth import OAuth
from services.means.csc_refusals import refusal
from services.means.provider_http import TIMEOUT, ProviderHttp, body_of, decoded, encoded, one_line, read, sha256_only
from services.means.remote import (
    Authorisation,
    Authorized,
    Begun,
    Credential,
    Expired,
    Label,
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

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping, Sequence

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
CHECK_SECONDS = 0.5
PATIENCE_SECONDS = 120.0
RENEW_SECONDS = 60.0
"""An authorisation that ends sooner than this, or within half of its life if that is less, is extended before it is used."""
KEPT_SADS = 1000
KEPT_VALUES = 10_000
FETCHED_SECONDS = 600.0
"""How much longer than our patience the provider keeps what it signed asynchronously: somebody may come for it later."""
SHOWN_TITLES = 20
LONGEST_DESCRIPTION = 2000
LONGEST_ON_PAGE = 500
"""The protocol's own limit there."""

Mode = Literal["S", "A"]
Login = Literal["basic", "oauth2code", "oauth2client"]
log = logging.getLogger(__name__)


@dataclass
class _Sad:
    """What has become of an authorisation: its newest SAD, good until `until` (by the event loop's clock).

    `values` were signed but not handed on because a later request failed; `running` are asynchronous requests, by their hashes, whose
    values were not fetched. Asked again, both are taken instead of having anything signed twice.
    """

    newest: str
    until: float = math.inf
    margin: float = 0.0
    values: dict[bytes, bytes] = field(default_factory=dict)
    running: dict[tuple[str, ...], str] = field(default_factory=dict)


class Csc:
    may_ask_again = True
    """Nothing is signed for an authorisation whose handle nobody has; the person confirms the second question."""

    def __init__(
        self,
        base_url: str,
        *,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout = TIMEOUT,
        chunk: int = CHUNK,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        login: Login = "basic",
        client_id: str = "",
        client_secret: str = "",
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        """`base_url` is the configured service address with its version, such as https://provider/csc/v2.

        `chunk` is the most hashes in one request; asynchronous signing is asked about every `poll_seconds` for at most
        `patience_seconds`. `login` is how people sign in: with name and password, on the provider's own page (`oauth`), or not at all
        because the provider knows us (client credentials) and the phone vouches for the person. Raises ValueError as `ProviderHttp`.
        """
        self.check_seconds = check_seconds
        self._mode: Mode = "S"
        self._chunk = chunk
        self._poll = poll_seconds
        self._patience = patience_seconds
        self._login = login
        self._sads: OrderedDict[str, _Sad] = OrderedDict()
        self._left_over: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()
        self._http = ProviderHttp(base_url, verify=verify, timeout=timeout)
        self.oauth = OAuth(self._http, client_id, client_secret)
        self.asks_password = login == "basic"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def info(self) -> messages.Info:
        """What the provider says of itself."""
        return read(messages.Info, await self._post("info", {}))

    async def answers(self) -> None:
        await self.info()

    async def login(self, user: str, password: str) -> Session:
        """An access token for the account; a wrong name or password is `Refusal.WRONG_LOGIN`. The password is not kept.

        Where people sign in on the provider's page this is refused: see `oauth`.
        """
        if self._login == "oauth2client":
            return await self.oauth.own_session(user)
        if self._login == "oauth2code":
            raise ProviderRefused(Refusal.WRONG_LOGIN, "this provider takes sign-ins on its own page alone")
        if ":" in user:
            raise ProviderRefused(Refusal.WRONG_LOGIN, "a user name has no colon")
        response = await self._http.log_in("auth/login", {"rememberMe": False}, user, password)
        if response.status_code != httpx.codes.OK:
            code = refusal(response).code
            wrong = code in {Refusal.WRONG_SECRET, Refusal.SESSION_EXPIRED, Refusal.REJECTED}
            # the provider's text may repeat what was typed, so it goes no further
            raise ProviderRefused(Refusal.WRONG_LOGIN if wrong else code, "login refused")
        answer = read(messages.Login, response)
        return Session(answer.access_token, clock.now() + timedelta(seconds=answer.expires_in))

    async def list_credentials(self, session: Session) -> list[Credential]:
        """The account's credentials with certificates and chains; those whose key is disabled are left out."""
        wanted = {"certificates": "chain", "certInfo": True, "authInfo": True}
        asked = {"credentialInfo": True, "onlyValid": False, **wanted, **({"userID": session.user} if session.user else {})}
        listed = read(messages.Credentials, await self._post("credentials/list", asked, session))
        described = {one.id: one for one in listed.infos if one.id is not None}
        found = []
        for identity in listed.ids:
            one = described.get(identity)
            if one is None:
                one = read(messages.CredentialInfo, await self._post("credentials/info", {"credentialID": identity, **wanted}, session))
            if one.key.status == "enabled":
                found.append(_credential(identity, one))
        return found

    async def authorize(
        self,
        session: Session,
        credential_id: str,
        hashes: Sequence[bytes],
        description: str,
        *,
        transaction: str = "",
        labels: Sequence[Label] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> Authorisation:
        """Ask the person to agree to SHA-256 `hashes`, one question for all; the phone shows `description` and the first titles.

        `secrets` are what an explicit authorisation asks for, by id (`Credential.secrets`); they are sent on and kept nowhere. The
        protocol has no key by which a question that was asked before could be found again: `transaction` is for its records alone.
        """
        asked = {
            "credentialID": credential_id,
            "numSignatures": len(hashes),
            "hashes": encoded(hashes),
            "hashAlgorithmOID": SHA256,
            "description": _described(description, labels),
        }
        if transaction:
            asked["clientData"] = transaction
        if secrets:
            asked["authData"] = [{"id": identity, "value": value} for identity, value in secrets.items()]
        return self._authorisation(await self._post("credentials/authorize", asked, session), None)

    async def send_code(self, session: Session, credential_id: str, secret_id: str) -> str:
        """Have the provider send a one-time password (`Secret.sent`); its question to the person, or "" when there is none."""
        asked = {"credentialID": credential_id, "authObjectID": secret_id}
        response = await self._post("credentials/getChallenge", asked, session)
        return one_line(read(messages.Challenge, response).challenge) if response.content else ""

    async def begin_on_page(
        self,
        credential_id: str,
        hashes: Sequence[bytes],
        description: str,
        *,
        redirect_uri: str,
        transaction: str = "",
        labels: Sequence[Label] = (),
    ) -> Begun:
        """For `Credential.on_page`: where the person agrees to SHA-256 `hashes`. Too many for an address are `Refusal.TOO_MANY`."""
        asked = {
            "credentialID": credential_id,
            "numSignatures": str(len(hashes)),
            "hashes": ",".join(urlsafe_b64encode(one).decode().rstrip("=") for one in sha256_only(hashes)),
            "hashAlgorithmOID": SHA256,
            "description": _described(description, labels, LONGEST_ON_PAGE),
        }
        return await self.oauth.begin(redirect_uri, scope="credential", asked=asked | ({"clientData": transaction} if transaction else {}))

    async def finish_on_page(self, code: str, verifier: str, redirect_uri: str) -> Authorized:
        """The token that the code gives is the SAD."""
        session = await self.oauth.finish(code, verifier, redirect_uri)
        return self._remembered(Authorized(session.access_token, int((session.expires_at - clock.now()).total_seconds())))

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
        return self._authorisation(response, handle)

    async def extend(self, session: Session, credential_id: str, sad: str, hashes: Sequence[bytes]) -> Authorized:
        """Let the same authorisation cover further hashes, without asking again, up to the number first agreed to.

        Made for nested signatures, whose hashes are not known beforehand. The SAD in the answer replaces the one given.
        """
        asked = {"credentialID": credential_id, "hashes": encoded(hashes), "hashAlgorithmOID": SHA256, "SAD": sad}
        answer = read(messages.Agreed, await self._post("credentials/extendTransaction", asked, session))
        return self._remembered(Authorized(answer.sad, answer.expires_in))

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
        if len(sha256_only(hashes)) > credential.multisign:
            raise ProviderRefused(Refusal.TOO_MANY, f"{len(hashes)} hashes, at most {credential.multisign} under one authorisation")
        scheme = scheme_of(credential)
        common = {
            "credentialID": credential.id,
            "hashAlgorithmOID": SHA256,
            "signAlgo": ALGORITHMS[scheme],
            "clientData": client_data,
        }
        if scheme == "rsa-pss":
            common["signAlgoParams"] = PSS_PARAMETERS
        for start in range(0, len(hashes), self._chunk):
            part = hashes[start : start + self._chunk]
            known = await self._good(session, credential.id, sad, part)
            known.values |= {digest: value for digest in part if (value := self._left_over.pop((credential.id, digest), b""))}
            missing = [digest for digest in dict.fromkeys(part) if digest not in known.values]
            if missing:
                try:
                    await self._sign_part(session, known, common, missing)
                except ProviderRefused:
                    self._leave_over(credential.id, known, part)
                    raise
            yield [known.values[digest] for digest in part]
            for digest in part:
                known.values.pop(digest, None)

    def _leave_over(self, credential_id: str, known: _Sad, part: Sequence[bytes]) -> None:
        """What was signed of `part` under an authorisation that signs no more is not signed again under the next one."""
        for digest in part:
            if value := known.values.pop(digest, b""):
                self._left_over[credential_id, digest] = value
        while len(self._left_over) > KEPT_VALUES:
            self._left_over.popitem(last=False)

    async def _sign_part(self, session: Session, known: _Sad, common: dict[str, Any], part: Sequence[bytes]) -> None:
        """Into `known.values`. A provider that will not sign one of the hashes refuses all: halves are asked apart to find out which.

        Those not signed are empty; raises ProviderRefused when none was. Nothing is signed twice: what is refused was not signed.
        """
        try:
            answer = await self._sign_once(session, known, {**common, "SAD": known.newest, "hashes": encoded(part)})
        except ProviderRefused as refused:
            if refused.code is not Refusal.HASH_NOT_AUTHORISED or len(part) == 1:
                raise
            half = len(part) // 2
            for some in (part[:half], part[half:]):
                try:
                    await self._sign_part(session, known, common, some)
                except ProviderRefused as again:
                    if again.code is not Refusal.HASH_NOT_AUTHORISED:
                        raise
                    known.values |= dict.fromkeys(some, b"")
            if not any(known.values[digest] for digest in part):
                for digest in part:
                    del known.values[digest]
                raise
            return
        if len(answer) != len(part):
            raise ProviderBroken(f"{len(answer)} signatures for {len(part)} hashes")
        known.values |= {digest: decoded(value, "signature") for digest, value in zip(part, answer, strict=True)}

    async def _sign_once(self, session: Session, known: _Sad, asked: dict[str, Any]) -> list[str]:
        """Synchronously; a provider that refuses that mode is asked asynchronously from then on (nothing was signed)."""
        hashes = tuple(asked["hashes"])
        if hashes in known.running:
            return await self._fetched(session, known, hashes)
        mode = self._mode
        try:
            response = await self._post("signatures/signHash", self._in_mode(mode, asked), session)
        except ProviderRefused as refused:
            if mode == "A" or "operationmode" not in refused.description.lower():
                raise
            self._mode = "A"
            response = await self._post("signatures/signHash", self._in_mode("A", asked), session)
        answer = read(messages.Signed, response)
        if answer.signatures is not None:
            return answer.signatures
        if answer.response_id is None:
            raise ProviderBroken("neither signatures nor a responseID")
        known.running[hashes] = answer.response_id
        return await self._fetched(session, known, hashes)

    async def _fetched(self, session: Session, known: _Sad, hashes: tuple[str, ...]) -> list[str]:
        try:
            values = await self._collect(session, known.running[hashes])
        except ProviderRefused:
            del known.running[hashes]
            raise
        del known.running[hashes]
        return values

    async def _good(self, session: Session, credential_id: str, sad: str, hashes: Sequence[bytes]) -> _Sad:
        """A SAD that lasts: of a long batch the authorisation is extended before it ends, without asking the person again."""
        known = self._sads.setdefault(sad, _Sad(sad))
        if known.until - asyncio.get_running_loop().time() < known.margin:
            try:
                further = await self.extend(session, credential_id, known.newest, hashes)
            except ProviderRefused:
                log.info("an authorisation is not extended: it is used while it lasts")
                known.margin = 0.0
            else:
                known.newest, known.until = further.sad, self._sads.pop(further.sad).until
        return known

    def _authorisation(self, response: httpx.Response, handle: str | None) -> Authorisation:
        if response.status_code == httpx.codes.OK:
            answer = read(messages.Agreed, response)
            return self._remembered(Authorized(answer.sad, answer.expires_in))
        return Waiting(handle if handle is not None else read(messages.Asked, response).handle)

    def _remembered(self, agreed: Authorized) -> Authorized:
        """Only this process knows how long it lasts; after a restart it is used until the provider says that it is over."""
        until = asyncio.get_running_loop().time() + agreed.expires_in
        self._sads[agreed.sad] = _Sad(agreed.sad, until, min(RENEW_SECONDS, agreed.expires_in / 2))
        while len(self._sads) > KEPT_SADS:
            self._sads.popitem(last=False)
        return agreed

    def _in_mode(self, mode: Mode, asked: dict[str, Any]) -> dict[str, Any]:
        lasting = {"validity_period": int((self._patience + FETCHED_SECONDS) * 1000)} if mode == "A" else {}
        return {**asked, "operationMode": mode, **lasting}

    async def _collect(self, session: Session, response_id: str) -> list[str]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while True:
            response = await self._post("signatures/signPolling", {"requestID": response_id}, session)
            if response.status_code == httpx.codes.OK:
                answer = read(messages.Signed, response)
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
        response = await self._http.post(method, body, token=session.access_token if session else None)
        if response.status_code in {httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.NO_CONTENT}:
            return response
        if body_of(response).get("error") == "accepted_request":
            return httpx.Response(httpx.codes.ACCEPTED, content=response.content)
        raise refusal(response)


def scheme_of(credential: Credential) -> Scheme:
    """The scheme that `sign` asks for: PKCS#1 v1.5 for RSA unless the credential allows PSS only; ECDSA with SHA-256.

    Raises ValueError when the certificate's key is neither RSA nor elliptic.
    """
    scheme = default_scheme(credential.certificate)
    if scheme == "rsa-pkcs1" and PSS in credential.key_algorithms and not {RSA, RSA_SHA256} & set(credential.key_algorithms):
        return "rsa-pss"
    return scheme


def _described(description: str, labels: Sequence[Label], longest: int = LONGEST_DESCRIPTION) -> str:
    """The protocol has one text for the phone: the first titles go below it."""
    titles = list(dict.fromkeys(label.title for label in labels))
    more = [f"… và {len(titles) - SHOWN_TITLES} tài liệu khác"] if len(titles) > SHOWN_TITLES else []
    return "\n".join([description, *titles[:SHOWN_TITLES], *more])[:longest]


def _credential(identity: str, one: messages.CredentialInfo) -> Credential:
    certificates = [decoded(each, "certificate") for each in one.cert.certificates]
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
        secrets=one.auth.secrets,
        on_page=one.auth.on_page,
    )
