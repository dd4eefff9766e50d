"""Remote signing in the sp769 style (VNPT SmartCA, version 4.1): hashes go out as one transaction, the person confirms it on the phone.

There is no session: the service provider's name and password go with every request, the account is named by the person's or the
organisation's identity number, and nothing but the phone vouches for the person. The transaction's id is ours, so that what was asked
before is found again. A `doc_id` is what the phone shows of a document: its title in plain letters, which file, and the hash's mark.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from services.chassis import clock
from services.means import sp769_messages as messages
from services.means.one_step import Finished, in_order, mark
from services.means.provider_http import TIMEOUT, ProviderHttp, decoded, one_line, plain_name, read, sha256_only
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
    from collections.abc import Mapping, Sequence

    import httpx

MULTISIGN: Final = 10_000
"""The protocol names no limit; a batch has at most half as many documents."""
SESSION: Final = timedelta(hours=1)
LONGEST_NAME: Final = 60
LONGEST_DESCRIPTION: Final = 200
VALUES_SECONDS: Final = 3600
USABLE: Final = frozenset({"", "VALID", "ACTIVE", "ĐANG HOẠT ĐỘNG"})
_REFUSALS: Final = {
    "SP_CREDENTIAL_INVALID": Refusal.SERVICE_REFUSED,
    "CREDENTIAL_STATUS_INVALID": Refusal.CREDENTIAL_LOCKED,
    "CREDENTIAL_NOT_FOUND": Refusal.UNKNOWN_CREDENTIAL,
    "USER_NOT_FOUND": Refusal.WRONG_LOGIN,
    "CERTIFICATE_EXPIRED": Refusal.CERTIFICATE_EXPIRED,
    "OUT_OF_QUOTA": Refusal.OUT_OF_QUOTA,
}
_BY_STATUS: Final = {401: Refusal.SERVICE_REFUSED, 403: Refusal.CREDENTIAL_LOCKED}
REJECTED, UNKNOWN, EXPIRED, NOT_WAITING = 1, 62000, 62002, 62003
log = logging.getLogger(__name__)


NOBODY = "000000000000"


class Sp769:
    asks_password = False
    may_ask_again = True

    def __init__(
        self,
        base_url: str,
        *,
        service_id: str,
        service_password: str,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout = TIMEOUT,
        check_seconds: float = 5.0,
    ) -> None:
        """`base_url` is the configured address with the protocol's name, such as https://provider/sca/sp769."""
        self.check_seconds = check_seconds
        self._service = {"sp_id": service_id, "sp_password": service_password}
        self._http = ProviderHttp(base_url, verify=verify, timeout=timeout)
        self._finished = Finished()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def answers(self) -> None:
        """The protocol has no question of its own for it: what is said of an account that nobody has is an answer."""
        with suppress(ProviderRefused):
            await self._certificates(NOBODY)

    async def login(self, user: str, password: str) -> Session:
        """The account is known to the provider (else `Refusal.WRONG_LOGIN`). A password is not asked for, and one given goes nowhere."""
        del password
        await self._certificates(user)
        return Session(user, clock.now() + SESSION)

    async def list_credentials(self, session: Session) -> list[Credential]:
        return [_credential(each) for each in await self._certificates(session.access_token) if _usable(each)]

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
        """Start the transaction, or find the one that was started before under the same id."""
        ours = transaction or str(uuid4())
        asked = {
            **self._service,
            "user_id": session.access_token,
            "transaction_id": ours,
            "transaction_desc": description[:LONGEST_DESCRIPTION],
            "serial_number": credential_id,
            "time_stamp": clock.now().strftime("%Y%m%d%H%M%SZ"),
            "sign_files": _files(hashes, labels),
        }
        try:
            await self._call("v1/signatures/sign", asked)
        except ProviderRefused as refused:
            if not transaction or refused.code is not Refusal.OTHER or not await self._known(session, ours):
                raise
            log.info("a transaction was asked for before and is taken up again", extra={"transaction": ours})
        return Waiting(ours)

    async def check(self, session: Session, handle: str) -> Outcome:
        self._alive(session)
        answer = await self._status(handle)
        said = answer.message.upper()
        if answer.status_code == REJECTED or "REJECT" in said or "DENIED" in said:
            return Rejected()
        if answer.status_code == EXPIRED or "EXPIRED" in said:
            return Expired()
        if answer.status_code == UNKNOWN:
            raise ProviderRefused(Refusal.UNKNOWN_TRANSACTION, one_line(answer.message))
        if answer.status_code == NOT_WAITING:
            raise ProviderRefused(Refusal.OTHER, one_line(answer.message))
        if said == "SUCCESS":
            self._keep(handle, answer)
            return Authorized(handle, VALUES_SECONDS)
        return Waiting(handle)

    async def sign(self, session: Session, credential: Credential, sad: str, hashes: Sequence[bytes], *, client_data: str) -> list[bytes]:
        """The values of the finished transaction; `sad` is its id. Nothing is asked of the person, so it may be repeated."""
        del credential, client_data
        self._alive(session)
        values = self._finished.of(sad)
        if values is None:
            answer = await self._status(sad)
            if answer.message.upper() != "SUCCESS":
                raise ProviderRefused(Refusal.UNKNOWN_TRANSACTION, one_line(answer.message))
            self._keep(sad, answer)
            values = self._finished.of(sad) or {}
        return in_order(values, sha256_only(hashes))

    def _keep(self, transaction: str, answer: messages.StatusAnswer) -> None:
        if answer.data is None or answer.data.signatures is None:
            raise ProviderBroken("a finished transaction without signatures")
        signed = [each for each in answer.data.signatures if each.signature_value]
        # a value that cannot even be read is as wrong as one that does not verify, and must not cost the others
        self._finished.keep(transaction, {each.doc_id.rpartition("-")[2]: _value(each.signature_value or "") for each in signed})

    async def _certificates(self, user: str) -> list[messages.Certificate]:
        asked = {**self._service, "user_id": user, "serial_number": "", "transaction_id": str(uuid4())}
        answer = read(messages.CertificatesAnswer, await self._call("v1/credentials/get_certificate", asked))
        if not answer.data.user_certificates:
            raise ProviderRefused(Refusal.WRONG_LOGIN, "the provider knows no such account")
        return answer.data.user_certificates

    async def _known(self, session: Session, transaction: str) -> bool:
        self._alive(session)
        return (await self._status(transaction)).status_code != UNKNOWN

    async def _status(self, transaction: str) -> messages.StatusAnswer:
        """Of a transaction, whatever it is: codes of the phone come with any HTTP status below 500."""
        response = await self._http.post(f"v1/signatures/sign/{transaction}/status", {})
        answer = read(messages.StatusAnswer, response)
        if response.is_success or answer.status_code in {REJECTED, UNKNOWN, EXPIRED, NOT_WAITING}:
            return answer
        raise _refusal(answer)

    async def _call(self, method: str, asked: Mapping[str, object]) -> httpx.Response:
        response = await self._http.post(method, asked)
        answer = read(messages.Answer, response)
        if answer.status_code >= 500 and answer.status_code < 600:
            raise ProviderUnavailable(f"{method}: status {answer.status_code}", sent=True)
        if not response.is_success or answer.status_code != 200:
            raise _refusal(answer)
        return response

    @staticmethod
    def _alive(session: Session) -> None:
        if session.expires_at <= clock.now():
            raise ProviderRefused(Refusal.SESSION_EXPIRED, "the sign-in is over")


def _refusal(answer: messages.Answer) -> ProviderRefused:
    code = _REFUSALS.get(answer.message.strip().upper()) or _BY_STATUS.get(answer.status_code, Refusal.OTHER)
    return ProviderRefused(code, one_line(answer.message))


def _files(hashes: Sequence[bytes], labels: Sequence[Label]) -> list[dict[str, str]]:
    """Each hash once. Raises ValueError for labels that are not one a hash."""
    named = list(labels) or [Label("", "xml")] * len(hashes)
    files = {}
    for digest, label in zip(sha256_only(hashes), named, strict=True):
        name = plain_name(label.title, LONGEST_NAME).replace(" ", "_")
        doc_id = "-".join(part for part in (name, label.file.upper(), mark(digest)) if part)
        files[digest] = {"data_to_be_signed": digest.hex(), "doc_id": doc_id, "file_type": label.file, "sign_type": "hash"}
    return list(files.values())


def _usable(one: messages.Certificate) -> bool:
    return (one.cert_status_code or one.cert_status).strip().upper() in USABLE


def _value(text: str) -> bytes:
    try:
        return decoded(text, "signature")
    except ProviderBroken:
        return text.encode()


def _credential(one: messages.Certificate) -> Credential:
    certificate = decoded(one.cert_data, "certificate")
    try:
        default_scheme(certificate)
    except ValueError as wrong:
        raise ProviderBroken("a certificate cannot be read, or its key is neither RSA nor elliptic") from wrong
    chain = tuple(decoded(each, "certificate") for each in (one.chain_data.ca_cert, one.chain_data.root_cert) if each)
    return Credential(id=one.serial_number, certificate=certificate, chain=chain, key_algorithms=(), scal="2", multisign=MULTISIGN)
