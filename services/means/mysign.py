"""Remote signing in the MySign style (Viettel, versions 1.8 and 1.9): hashes go out as one request, the person confirms it on the phone.

The service provider signs in for one person at a time; the person's identity number names the account, and nothing but the phone
vouches for the person. Names are shown in plain letters. The protocol numbers requests itself and takes no id of ours: a request whose
answer was lost cannot be found again, so it is not made again either, and the person decides. Values come in the order of the hashes;
the handle of a request therefore carries their marks.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import ValidationError

from services.chassis import clock
from services.means import mysign_messages as messages
from services.means.one_step import MARK_BYTES, Finished, in_order, mark
from services.means.provider_http import TIMEOUT, ProviderHttp, body_of, decoded, encoded, one_line, plain_name, read
from services.means.remote import (
    Authorisation,
    Authorized,
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
from services.means.x509 import default_scheme

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

PROFILE: Final = "adss:ras:profile:001"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
RSA: Final = "1.2.840.113549.1.1.1"
WITH_POLLING: Final = 1
"""`async`: the request is answered at once and asked about; a callback, if one is agreed on with the provider, comes besides."""
LONGEST_NAME: Final = 72
"""Base64 of a name stays below 100 characters."""
VALUES_SECONDS: Final = 3600
MOST: Final = 10_000
DONE, UNCONFIRMED, SIGNING, TIMED_OUT, REJECTED = "1", "4000", "6000", "4001", "4002"
_REFUSALS: Final = {
    "4004": Refusal.OTHER,
    "4005": Refusal.OUT_OF_QUOTA,
    "13004": Refusal.CERTIFICATE_EXPIRED,
    "invalid_client": Refusal.SERVICE_REFUSED,
    "user_not_found": Refusal.WRONG_LOGIN,
    "invalid_token": Refusal.SESSION_EXPIRED,
    "credential_not_found": Refusal.UNKNOWN_CREDENTIAL,
    "transaction_not_found": Refusal.UNKNOWN_TRANSACTION,
}


NOBODY = "000000000000"


class MySign:
    asks_password = False
    may_ask_again = False
    """Each request that is confirmed is signed, whether or not anybody knows of it."""

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: str,
        profile: str = PROFILE,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout = TIMEOUT,
        check_seconds: float = 2.0,
    ) -> None:
        """`base_url` is the configured address with the protocol's prefix, such as https://provider/vtss/service."""
        self.check_seconds = check_seconds
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._profile = profile
        self._http = ProviderHttp(base_url, verify=verify, timeout=timeout)
        self._finished = Finished()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def answers(self) -> None:
        """The protocol has no question of its own for it: what is said of an account that nobody has is an answer."""
        with suppress(ProviderRefused):
            await self.login(NOBODY, "")

    async def login(self, user: str, password: str) -> Session:
        """A token for one account, for an hour and not to be renewed. A password is not asked for, and one given goes nowhere."""
        del password
        asked = {**self._client, "profile_id": self._profile, "user_id": user}
        answer = read(messages.Login, await self._call("ras/v1/login", asked, None))
        return Session(answer.access_token, clock.now() + timedelta(seconds=answer.expires_in), user)

    async def list_credentials(self, session: Session) -> list[Credential]:
        """Those with an RSA key: a request names its algorithm, and the protocol's integrators know no other."""
        asked = {
            **self._client,
            "profile_id": self._profile,
            "user_id": session.user,
            "certificates": "chain",
            "certInfo": True,
            "authInfo": True,
        }
        response = await self._call("certificates/info", asked, session)
        held: list[messages.Held] | None = None
        try:
            held = messages.HELD.validate_json(response.content)
        except ValidationError as wrong:
            problem = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['type']}" for one in wrong.errors())
        if held is None:
            raise ProviderBroken(f"credentials: {problem}")
        found = [_credential(each) for each in held if each.key.status == "enabled" and each.cert.status == "valid"]
        return [each for each in found if default_scheme(each.certificate) == "rsa-pkcs1"]

    async def authorize(
        self,
        session: Session,
        credential_id: str,
        hashes: Sequence[bytes],
        description: str,
        *,
        transaction: str = "",
        labels: Sequence[Label] = (),
    ) -> Authorisation:
        """Ask once. When it is unknown whether the question arrived, the person is told so instead of being asked twice."""
        del transaction
        distinct = list(dict.fromkeys(hashes))
        names = _names(hashes, labels)
        asked = {
            **self._client,
            "credentialID": credential_id,
            "numSignatures": len(distinct),
            "description": _shown(description),
            "documents": [{"document_id": mark(each), "document_name": _shown(names[each])} for each in distinct],
            "hash": encoded(distinct),
            "hashAlgo": SHA256,
            "signAlgo": RSA,
            "async": WITH_POLLING,
        }
        try:
            response = await self._call("signHash", asked, session)
        except ProviderUnavailable as away:
            if not away.sent:
                raise
            raise ProviderRefused(Refusal.UNKNOWN_TRANSACTION, "the request's answer was lost") from None
        return Waiting(f"{read(messages.Signing, response).transaction}.{_marks(distinct)}")

    async def check(self, session: Session, handle: str) -> Outcome:
        answer = await self._status(session, handle)
        if answer.status == DONE:
            self._keep(handle, answer)
            return Authorized(handle, VALUES_SECONDS)
        if answer.status == REJECTED:
            return Rejected()
        if answer.status == TIMED_OUT:
            return Expired()
        return Waiting(handle)

    async def sign(self, session: Session, credential: Credential, sad: str, hashes: Sequence[bytes], *, client_data: str) -> list[bytes]:
        """The values of the finished request; `sad` is its handle. Nothing is asked of the person, so it may be repeated."""
        del credential, client_data
        encoded(hashes)
        values = self._finished.of(sad)
        if values is None:
            answer = await self._status(session, sad)
            if answer.status != DONE:
                raise ProviderRefused(Refusal.UNKNOWN_TRANSACTION, f"status {one_line(answer.status)}")
            self._keep(sad, answer)
            values = self._finished.of(sad) or {}
        return in_order(values, hashes)

    def _keep(self, handle: str, answer: messages.Status) -> None:
        marks = _marks_of(handle)
        if answer.signatures is None or len(answer.signatures) != len(marks):
            given = 0 if answer.signatures is None else len(answer.signatures)
            raise ProviderBroken(f"{given} signatures for {len(marks)} hashes: which is whose cannot be told")
        self._finished.keep(handle, {m: _value(each) for m, each in zip(marks, answer.signatures, strict=True) if each})

    async def _status(self, session: Session, handle: str) -> messages.Status:
        response = await self._call("requests/status", {"transactionId": handle.partition(".")[0]}, session)
        answer = read(messages.Status, response)
        if answer.status in {DONE, UNCONFIRMED, SIGNING, TIMED_OUT, REJECTED}:
            return answer
        if answer.status.startswith("500"):
            raise ProviderUnavailable(f"requests/status: status {one_line(answer.status)}", sent=True)
        raise ProviderRefused(_REFUSALS.get(answer.status, Refusal.OTHER), f"status {one_line(answer.status)}")

    async def _call(self, method: str, asked: dict[str, Any], session: Session | None) -> httpx.Response:
        if session is not None and session.expires_at <= clock.now():
            raise ProviderRefused(Refusal.SESSION_EXPIRED, "the access token is over")
        response = await self._http.post(method, asked, token=session.access_token if session else None)
        if response.is_success:
            return response
        body = body_of(response)
        error = str(body.get("error") or body.get("status") or "")
        if response.status_code == httpx.codes.UNAUTHORIZED and session is not None:
            raise ProviderRefused(Refusal.SESSION_EXPIRED, "status 401")
        raise ProviderRefused(_REFUSALS.get(error, Refusal.OTHER), one_line(str(body.get("error_description") or error)))


def _names(hashes: Sequence[bytes], labels: Sequence[Label]) -> dict[bytes, str]:
    """Raises ValueError for labels that are not one a hash."""
    named = list(labels) or [Label("", "xml")] * len(hashes)
    return {digest: f"{label.file.upper()} {label.title}" for digest, label in zip(hashes, named, strict=True)}


def _shown(text: str) -> str:
    return b64encode(plain_name(text, LONGEST_NAME).encode()).decode()


def _marks(hashes: Sequence[bytes]) -> str:
    return urlsafe_b64encode(b"".join(digest[:MARK_BYTES] for digest in hashes)).decode()


def _marks_of(handle: str) -> list[str]:
    content = urlsafe_b64decode(handle.partition(".")[2])
    return [content[start : start + MARK_BYTES].hex() for start in range(0, len(content), MARK_BYTES)]


def _value(text: str) -> bytes:
    """A value that cannot even be read is as wrong as one that does not verify, and must not cost the others."""
    try:
        return decoded(text, "signature")
    except ProviderBroken:
        return text.encode()


def _credential(one: messages.Held) -> Credential:
    certificates = [decoded(each, "certificate") for each in one.cert.certificates]
    try:
        default_scheme(certificates[0])
    except (IndexError, ValueError) as wrong:
        raise ProviderBroken("a credential whose certificate cannot be read or whose key is neither RSA nor elliptic") from wrong
    return Credential(
        id=one.credential_id,
        certificate=certificates[0],
        chain=tuple(certificates[1:]),
        key_algorithms=one.key.algo,
        scal=one.scal,
        multisign=min(one.multisign, MOST),
    )
