"""The sp769 style (VNPT SmartCA 4.1) under /sca/sp769: no session, one transaction a request, its id chosen by the service provider."""

import binascii
import secrets
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from infra.sandbox.provider.desk import Desk, TheDesk
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.transactions import Document, Transaction, Transactions, in_envelope
from infra.sandbox.provider.vault import Credential

PREFIX = "/sca/sp769/"
NAME = "Nhà cung cấp thử nghiệm kiểu SmartCA"
router = APIRouter(prefix=PREFIX.rstrip("/"))


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sp_id: str
    sp_password: str
    user_id: str
    serial_number: str = ""
    transaction_id: str = Field(min_length=1, max_length=100)


class SignFile(BaseModel):
    data_to_be_signed: str = Field(pattern=r"^[0-9a-f]{64}$")
    doc_id: str = Field(min_length=1, max_length=120)
    file_type: str
    sign_type: str = Field(pattern="^hash$")


class SignBody(Body):
    transaction_desc: str = ""
    time_stamp: str = Field(default="", pattern=r"^(\d{14}Z)?$")
    sign_files: list[SignFile] = Field(min_length=1)


class Sp769Error(Exception):
    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code or status


def endpoint_of(path: str) -> str | None:
    """The names of faults are those of the CSC provider where they mean the same."""
    if not path.startswith(PREFIX):
        return None
    return {"get_certificate": "credentials/list", "sign": "credentials/authorize", "status": "credentials/authorizeCheck"}.get(
        path.rpartition("/")[2]
    )


async def on_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Sp769Error)
    return JSONResponse({"status_code": error.code, "message": error.message, "data": None}, error.status)


async def on_refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CscError)
    return JSONResponse({"status_code": 400, "message": error.description, "data": None}, 400)


def notice(transaction: Transaction, values: list[str | None]) -> dict[str, Any]:
    """What the webhook says; it is signed by nobody."""
    signed = [
        {"doc_id": each.id, "signature_value": value, "timestamp_signature": None}
        for each, value in zip(transaction.documents, values, strict=False)
        if value is not None
    ]
    return {"sp_id": "hocba", "status_code": 200, "message": "SUCCESS", "transaction_id": transaction.id, "signed_files": signed}


@router.post("/v1/credentials/get_certificate")
async def certificates(desk: TheDesk, body: Body) -> dict[str, Any]:
    _service(desk, body)
    owned = [each for each in desk.vault.of_user(body.user_id) if body.serial_number in ("", _serial(each))]
    if not owned:
        raise Sp769Error(400, "USER_NOT_FOUND")
    return _good("Success", {"user_certificates": [{**_described(each), "transaction_id": body.transaction_id} for each in owned]})


@router.post("/v1/signatures/sign")
async def sign(desk: TheDesk, request: Request, body: SignBody) -> dict[str, Any]:
    _service(desk, body)
    transactions: Transactions = request.app.state.transactions
    if body.transaction_id in transactions.known:
        raise Sp769Error(400, "Transaction id is not unique")
    credential = next((each for each in desk.vault.of_user(body.user_id) if body.serial_number in ("", _serial(each))), None)
    if credential is None:
        raise Sp769Error(400, "CREDENTIAL_NOT_FOUND")
    if datetime.now(UTC) > credential.certificate.not_valid_after_utc:
        raise Sp769Error(403, "CREDENTIAL_STATUS_INVALID")
    if len({each.doc_id for each in body.sign_files}) < len(body.sign_files):
        raise Sp769Error(400, "BAD_REQUEST: doc_id is not unique")
    documents = [Document(each.doc_id, each.doc_id, _base64(each.data_to_be_signed)) for each in body.sign_files]
    transactions.start(body.transaction_id, credential, documents, body.transaction_desc)
    data = {"transaction_id": body.transaction_id, "tran_code": secrets.token_hex(16)}
    return _good("sig_wait_for_user_confirm", data)


@router.post("/v1/signatures/sign/{transaction_id}/status")
async def status(desk: TheDesk, request: Request, transaction_id: str) -> dict[str, Any]:
    transactions: Transactions = request.app.state.transactions
    transaction = transactions.known.get(transaction_id)
    if transaction is None:
        raise Sp769Error(400, "Transaction not found", 62000)
    match transactions.state(transaction):
        case "waiting":
            return _good("sig_wait_for_user_confirm", None)
        case "rejected":
            raise Sp769Error(400, "User rejected", 1)
        case "expired":
            raise Sp769Error(400, "Transaction expired", 62002)
    values = await transactions.values(transaction)
    signatures = [
        {"doc_id": each.id, "signature_value": in_envelope(desk, transaction, value), "timestamp_signature": None}
        for each, value in zip(transaction.documents, values, strict=True)
        if value is not None
    ]
    return _good("SUCCESS", {"transaction_id": transaction_id, "signatures": signatures})


def _service(desk: Desk, body: Body) -> None:
    if not desk.knows_client(body.sp_id, body.sp_password):
        raise Sp769Error(401, "SP_CREDENTIAL_INVALID")


def _good(message: str, data: dict[str, Any] | None) -> dict[str, Any]:
    return {"status_code": 200, "message": message, "data": data}


def _serial(credential: Credential) -> str:
    return f"{credential.certificate.serial_number:x}"


def _described(credential: Credential) -> dict[str, Any]:
    chain = credential.chain_base64()
    return {
        "service_type": "ESEAL" if credential.kind == "organisation" else "SMARTCA",
        "service_name": credential.label,
        "cert_id": credential.id,
        "cert_status": "Đang hoạt động",
        "serial_number": _serial(credential),
        "cert_subject": credential.certificate.subject.rfc4514_string(),
        "cert_valid_from": credential.certificate.not_valid_before_utc.isoformat(),
        "cert_valid_to": credential.certificate.not_valid_after_utc.isoformat(),
        "cert_data": chain[0],
        "chain_data": {"ca_cert": chain[1] if len(chain) > 1 else None, "root_cert": chain[2] if len(chain) > 2 else None},
    }


def _base64(hexadecimal: str) -> str:
    return b64encode(binascii.unhexlify(hexadecimal)).decode()
