"""The MySign style (Viettel 1.8) under /vtss/service: a token for one account, one request for many hashes, numbered by the provider."""

import uuid
from base64 import b64decode
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from infra.sandbox.provider.desk import TOKEN_SECONDS, Desk, TheDesk
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.signing import RSA
from infra.sandbox.provider.transactions import Document, Transaction, Transactions, in_envelope

PREFIX = "/vtss/service/"
NAME = "Nhà cung cấp thử nghiệm kiểu MySign"
SHA256 = "2.16.840.1.101.3.4.2.1"
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- ")
router = APIRouter(prefix=PREFIX.rstrip("/"))


class Client(BaseModel):
    model_config = ConfigDict(extra="ignore")

    client_id: str
    client_secret: str


class Account(Client):
    profile_id: str
    user_id: str


class Named(BaseModel):
    document_id: str = Field(min_length=1)
    document_name: str = Field(min_length=1, max_length=99)


class SignBody(Client):
    credentialID: str  # noqa: N815  the protocol's spelling
    numSignatures: int = Field(ge=1)  # noqa: N815  the protocol's spelling
    description: str = Field(default="", max_length=99)
    documents: list[Named]
    hash: list[str]
    hashAlgo: str  # noqa: N815  the protocol's spelling
    signAlgo: str  # noqa: N815  the protocol's spelling
    asynchronous: int = Field(alias="async", ge=1, le=3)


class StatusBody(BaseModel):
    transactionId: str  # noqa: N815  the protocol's spelling


class MySignError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status, self.error, self.description = status, error, description


def endpoint_of(path: str) -> str | None:
    """The names of faults are those of the CSC provider where they mean the same."""
    names = {
        "ras/v1/login": "auth/login",
        "certificates/info": "credentials/list",
        "signHash": "credentials/authorize",
        "requests/status": "credentials/authorizeCheck",
    }
    return names.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None


async def on_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MySignError)
    return JSONResponse({"error": error.error, "error_description": error.description}, error.status)


async def on_refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CscError)
    status = "13004" if "certificate" in error.description.lower() else "invalid_request"
    return JSONResponse({"error": status, "error_description": error.description}, 400)


def notice(transaction: Transaction, values: list[str | None]) -> dict[str, Any]:
    """What the webhook says."""
    results = [
        {"document_id": each.id, "signature": value}
        for each, value in zip(transaction.documents, values, strict=False)
        if value is not None
    ]
    meta = {"request_id": str(uuid.uuid4()), "transaction_id": transaction.id, "description": "Ký thành công", "status": "1"}
    return {"meta_data": meta, "data": {"results": results}}


@router.post("/ras/v1/login")
async def log_in(desk: TheDesk, body: Account) -> dict[str, Any]:
    _service(desk, body)
    if not desk.vault.of_user(body.user_id):
        raise MySignError(400, "user_not_found", "User not found")
    return {"access_token": desk.token_for(body.user_id), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}


@router.post("/certificates/info")
async def certificates(desk: TheDesk, body: Account, authorization: Annotated[str | None, Header()] = None) -> list[dict[str, Any]]:
    _service(desk, body)
    user = _user(desk, authorization)
    if user != body.user_id:
        raise MySignError(401, "invalid_token", "The token is not this user's")
    return [
        {
            "description": each.label,
            "key": {"status": "enabled", "algo": [RSA], "len": str(each.key.key_size), "curve": None},
            "cert": {
                "status": "valid",
                "certificates": each.chain_base64(),
                "subjectDN": each.certificate.subject.rfc4514_string(),
                "serialNumber": str(each.certificate.serial_number),
                "validFrom": each.certificate.not_valid_before_utc.strftime("%Y%m%d%H%M%S+0000"),
                "validTo": each.certificate.not_valid_after_utc.strftime("%Y%m%d%H%M%S+0000"),
            },
            "authMode": "implicit",
            "multisign": "2147483647",
            "credential_id": each.id,
            "scal": "2",
        }
        for each in desk.vault.of_user(user)
    ]


@router.post("/signHash")
async def sign(desk: TheDesk, request: Request, body: SignBody, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    _service(desk, body)
    credential = desk.vault.credential(body.credentialID)
    if credential is None or credential.user != _user(desk, authorization):
        raise MySignError(400, "credential_not_found", "Credential not found")
    if not body.numSignatures == len(body.hash) == len(body.documents):
        raise MySignError(400, "invalid_request", "numSignatures, hash and documents do not agree")
    if (body.hashAlgo, body.signAlgo, credential.is_rsa) != (SHA256, RSA, True):
        raise MySignError(400, "invalid_request", "hashAlgo or signAlgo")
    documents = [Document(d.document_id, _plain(d.document_name), h) for d, h in zip(body.documents, body.hash, strict=True)]
    transactions: Transactions = request.app.state.transactions
    identity = str(uuid.uuid4())
    transactions.start(identity, credential, documents, _plain(body.description))
    return {"transactionId": identity}


@router.post("/requests/status")
async def status(
    desk: TheDesk, request: Request, body: StatusBody, authorization: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    transactions: Transactions = request.app.state.transactions
    transaction = transactions.known.get(body.transactionId)
    if transaction is None or transaction.user != _user(desk, authorization):
        raise MySignError(400, "transaction_not_found", "Transaction not found")
    match transactions.state(transaction):
        case "waiting":
            return {"status": "4000"}
        case "rejected":
            return {"status": "4002"}
        case "expired":
            return {"status": "4001"}
    values = [in_envelope(desk, transaction, value) for value in await transactions.values(transaction)]
    if desk.faults.take("signatures/signHash", "one_short_next"):
        values = values[:-1]
    return {"status": "1", "signatures": values}


def _service(desk: Desk, body: Client) -> None:
    if not desk.knows_client(body.client_id, body.client_secret):
        raise MySignError(401, "invalid_client", "client_id or client_secret")


def _user(desk: Desk, authorization: str | None) -> str:
    try:
        return desk.user_of(authorization)
    except CscError as wrong:
        raise MySignError(401, "invalid_token", wrong.description) from wrong


def _plain(base64: str) -> str:
    """Raises MySignError for a name that the app cannot show."""
    try:
        text = b64decode(base64, validate=True).decode()
    except ValueError as wrong:
        raise MySignError(400, "invalid_request", "a name is not base64") from wrong
    if not set(text) <= PLAIN:
        raise MySignError(400, "invalid_request", "a name has other characters than letters, digits, _, - and spaces")
    return text
