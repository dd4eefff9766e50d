"""CSC API v2 under /csc/v2, as in the public transcription of version 2.0.0."""

import base64
import binascii
import secrets
import time
from typing import Annotated, Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from infra.sandbox.provider.desk import METHODS, TOKEN_SECONDS, Result, TheDesk, check_certificate
from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.modes import MOST_WRONG, Confirmation, Mode, Modes
from infra.sandbox.provider.phone import Authorisation
from infra.sandbox.provider.signing import EC, ECDSA_WITH, PSS, RSA, RSA_WITH, algorithms_of
from infra.sandbox.provider.vault import Credential

router = APIRouter(prefix="/csc/v2")

MAX_SIGNATURES = 5000
SHA256 = "2.16.840.1.101.3.4.2.1"
RESULT_MILLISECONDS = 3_600_000


AUTHENTICATION: dict[Confirmation, dict[str, Any]] = {
    "push": {
        "mode": "explicit",
        "expression": "PUSH",
        "objects": [{"type": "Push", "id": "PUSH", "format": "N", "generator": "phone", "label": "Xác nhận trên điện thoại"}],
    },
    "pin": {"mode": "explicit", "expression": "PIN", "objects": [{"type": "PIN", "id": "PIN", "format": "N", "label": "Mã PIN"}]},
    "otp": {
        "mode": "explicit",
        "expression": "OTP",
        "objects": [{"type": "OTP", "id": "OTP", "format": "N", "generator": "totp", "label": "Mã dùng một lần"}],
    },
    "pin_otp": {
        "mode": "explicit",
        "expression": "PIN AND SMS",
        "objects": [
            {"type": "Password", "id": "PIN", "format": "N", "label": "Mã PIN"},
            {"type": "ChallengeResponse", "id": "SMS", "format": "N", "label": "Mã OTP gửi qua tin nhắn"},
        ],
    },
    "page": {"mode": "oauth2code"},
    "none": {"mode": "implicit"},
}


class Body(BaseModel):
    """CSC bodies: unknown members are ignored, as the specification lets servers do."""

    model_config = ConfigDict(extra="ignore")


class ListRequest(Body):
    userID: str | None = None  # noqa: N815  the protocol's spelling
    credentialInfo: bool = False  # noqa: N815  the protocol's spelling
    certificates: Literal["none", "single", "chain"] = "single"
    certInfo: bool = False  # noqa: N815  the protocol's spelling
    authInfo: bool = False  # noqa: N815  the protocol's spelling
    onlyValid: bool = False  # noqa: N815  the protocol's spelling


class InfoRequest(Body):
    credentialID: str  # noqa: N815  the protocol's spelling
    certificates: Literal["none", "single", "chain"] = "single"
    certInfo: bool = False  # noqa: N815  the protocol's spelling
    authInfo: bool = False  # noqa: N815  the protocol's spelling


class AuthorizeRequest(Body):
    credentialID: str  # noqa: N815  the protocol's spelling
    numSignatures: int = Field(ge=1)  # noqa: N815  the protocol's spelling
    hashes: list[str] = Field(min_length=1)
    hashAlgorithmOID: str = SHA256  # noqa: N815  the protocol's spelling
    authData: list[dict[str, str]] | None = None  # noqa: N815  the protocol's spelling
    description: str = ""
    clientData: str | None = None  # noqa: N815  the protocol's spelling


class CheckRequest(Body):
    handle: str


class ChallengeRequest(Body):
    credentialID: str  # noqa: N815  the protocol's spelling
    authObjectID: str  # noqa: N815  the protocol's spelling


class ExtendRequest(Body):
    credentialID: str  # noqa: N815  the protocol's spelling
    hashes: list[str] = Field(min_length=1)
    hashAlgorithmOID: str = SHA256  # noqa: N815  the protocol's spelling
    SAD: str


class SignRequest(Body):
    credentialID: str  # noqa: N815  the protocol's spelling
    SAD: str
    hashes: list[str] = Field(min_length=1)
    hashAlgorithmOID: str | None = None  # noqa: N815  the protocol's spelling
    signAlgo: str  # noqa: N815  the protocol's spelling
    signAlgoParams: str | None = None  # noqa: N815  the protocol's spelling
    operationMode: Literal["S", "A"] = "S"  # noqa: N815  the protocol's spelling
    validity_period: int = Field(default=RESULT_MILLISECONDS, ge=1)
    response_uri: str | None = None
    clientData: str | None = None  # noqa: N815  the protocol's spelling


class PollingRequest(Body):
    requestID: str  # noqa: N815  the protocol's spelling


def _user(desk: TheDesk, authorization: Annotated[str | None, Header()] = None) -> str:
    return desk.user_of(authorization)


User = Annotated[str, Depends(_user)]


@router.post("/info")
async def info(desk: TheDesk, request: Request) -> dict[str, Any]:
    return {
        "specs": "2.0.0.2",
        "name": desk.name,
        "logo": "",
        "region": "VN",
        "lang": "vi-VN",
        "description": "Sandbox remote signing provider",
        "authType": ["basic", *(["oauth2code", "oauth2client"] if desk.clients else [])],
        **({"oauth2": str(request.url_for("oauth_authorize")).removesuffix("/oauth2/authorize")} if desk.clients else {}),
        "asynchronousOperationMode": True,
        "methods": list(METHODS),
        "signAlgorithms": {"algos": [RSA, *RSA_WITH, PSS, EC, *ECDSA_WITH]},
    }


@router.post("/auth/login")
async def log_in(desk: TheDesk, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    scheme, _, content = (authorization or "").partition(" ")
    try:
        user, separator, password = base64.b64decode(content, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, separator, password = "", "", ""
    if scheme.lower() != "basic" or not separator:
        raise CscError("Missing or malformed authorization header")
    return {"access_token": desk.log_in(user, password), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}


@router.post("/auth/revoke", status_code=204)
async def revoke(desk: TheDesk, user: User, request: Request) -> Response:
    body = await request.json()
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise CscError("Missing (or invalid type) string parameter token")
    # a token of somebody else is as good as unknown, and unknown tokens are no error
    if desk.tokens.get(token, ("", 0.0))[0] == user:
        del desk.tokens[token]
    return Response(status_code=204)


@router.post("/credentials/list")
async def credentials(desk: TheDesk, user: User, body: ListRequest) -> dict[str, Any]:
    if body.userID not in (None, "", user) and user:
        raise CscError("Invalid parameter userID")
    # a service's own token stands for no account, so the request names one
    owned = [each for each in desk.vault.of_user(user or body.userID or "") if not body.onlyValid or _status(each) == "valid"]
    answer: dict[str, Any] = {"credentialIDs": [each.id for each in owned]}
    if body.credentialInfo:
        answer["credentialInfos"] = [{"credentialID": each.id, **_description(each, body, desk.modes.of(each.user))} for each in owned]
    if body.onlyValid:
        answer["onlyValid"] = True
    return answer


@router.post("/credentials/info")
async def credential_info(desk: TheDesk, user: User, body: InfoRequest) -> dict[str, Any]:
    credential = desk.credential(user, body.credentialID)
    return _description(credential, body, desk.modes.of(credential.user))


@router.post("/credentials/authorize")
async def authorize(desk: TheDesk, user: User, body: AuthorizeRequest) -> JSONResponse:
    credential = desk.credential(user, body.credentialID)
    if body.numSignatures > MAX_SIGNATURES:
        raise CscError("Numbers of signatures is too high")
    mode = desk.modes.of(credential.user)
    if mode.confirmation == "page":
        raise CscError("The credential is authorized on the page of oauth2/authorize")
    _check_secrets(desk.modes, credential.user, body.authData)
    authorisation = desk.authorise(credential, body.hashes, body.hashAlgorithmOID, body.numSignatures, body.description)
    if mode.confirmation == "push":
        return JSONResponse({"handle": authorisation.handle}, 202)
    authorisation.answer("confirmed")
    return JSONResponse({"SAD": authorisation.sad, "expiresIn": authorisation.expires_in()})


@router.post("/credentials/authorizeCheck")
async def authorize_check(desk: TheDesk, user: User, body: CheckRequest) -> JSONResponse:
    authorisation = _own(desk.phones.by_handle(body.handle), user)
    match authorisation.settle():
        case "waiting":
            return JSONResponse({"handle": authorisation.handle}, 202)
        case "rejected":
            raise CscError("The user denied the request", error="access_denied")
        case "expired":
            raise CscError("Authorization request expired")
        case "confirmed":
            return JSONResponse({"SAD": authorisation.sad, "expiresIn": authorisation.expires_in()})


@router.post("/credentials/getChallenge", status_code=204)
async def get_challenge(desk: TheDesk, user: User, body: ChallengeRequest) -> Response:
    """The one-time password goes to the person's phone."""
    owner = desk.credential(user, body.credentialID).user
    if desk.modes.of(owner).confirmation != "pin_otp" or body.authObjectID != "SMS":
        raise CscError("Invalid parameter authObjectID")
    desk.modes.send(owner)
    return Response(status_code=204)


@router.post("/credentials/extendTransaction")
async def extend(desk: TheDesk, user: User, body: ExtendRequest) -> dict[str, Any]:
    """A fresh SAD for further hashes of the same transaction; the number of signatures stays what the person confirmed."""
    authorisation = _own(desk.phones.by_sad(body.SAD), user)
    if authorisation.credential.id != body.credentialID:
        raise CscError("Invalid parameter credentialID")
    if body.hashAlgorithmOID != authorisation.hash_algorithm:
        raise CscError("Invalid parameter hashAlgorithmOID")
    desk.extend(authorisation, body.hashes)
    return {"SAD": authorisation.sad, "expiresIn": authorisation.expires_in()}


@router.post("/signatures/signHash")
async def sign_hash(desk: TheDesk, user: User, body: SignRequest) -> dict[str, Any]:
    authorisation = _own(desk.phones.by_sad(body.SAD), user)
    if authorisation.credential.id != desk.credential(user, body.credentialID).id:
        raise CscError("Invalid parameter credentialID")
    if body.response_uri is not None:
        raise CscError("Parameter response_uri is not supported: use signatures/signPolling")
    try:
        parameters = None if body.signAlgoParams is None else base64.b64decode(body.signAlgoParams, validate=True)
    except binascii.Error as wrong:
        raise CscError("Invalid Base64 signAlgoParams string parameter") from wrong
    if {"S": "asynchronous", "A": "synchronous"}[body.operationMode] == desk.modes.of(authorisation.credential.user).signing:
        raise CscError("Invalid parameter operationMode")
    task = desk.sign(authorisation, body.hashes, body.signAlgo, body.hashAlgorithmOID, parameters)
    if body.operationMode == "S":
        return {"signatures": await task}
    response_id = secrets.token_urlsafe(24)
    desk.results[response_id] = Result(user, task, time.monotonic() + body.validity_period / 1000)
    return {"responseID": response_id}


@router.post("/signatures/signPolling")
async def sign_polling(desk: TheDesk, user: User, body: PollingRequest) -> JSONResponse:
    result = desk.results.get(body.requestID)
    if result is None or result.user != user:
        raise CscError("Invalid parameter requestID")
    if time.monotonic() >= result.until:
        raise CscError("The signature request has expired")
    if not result.task.done():
        return JSONResponse({"error": "accepted_request", "error_description": "The request is being processed"}, 202)
    return JSONResponse({"signatures": result.task.result()})


def _check_secrets(modes: Modes, user: str, given: list[dict[str, str]] | None) -> None:
    """Raises CscError unless every PIN and one-time password that is wanted came along and is right; the latter is good once."""
    typed = {each.get("id"): each.get("value") for each in given or []}
    wanted = modes.secrets_of(user)
    if any(typed.get(identity) is None for identity in wanted):
        raise CscError("Missing (or invalid type) array parameter authData")
    if modes.wrong[user] >= MOST_WRONG:
        raise CscError("Credential locked")
    for identity, right in wanted.items():
        if not right or typed[identity] != right:
            modes.wrong[user] += 1
            raise CscError("The PIN or OTP is not right", error="invalid_authentication_data" if identity == "PIN" else "invalid_otp")
    modes.wrong[user] = 0
    modes.sent.pop(user, None)


def _own(authorisation: Authorisation, user: str) -> Authorisation:
    if user and authorisation.credential.user != user:
        raise CscError("Invalid parameter handle or SAD")
    return authorisation


def _status(credential: Credential) -> str:
    try:
        check_certificate(credential)
    except CscError:
        return "expired"
    return "valid"


def _description(credential: Credential, wanted: InfoRequest | ListRequest, mode: Mode) -> dict[str, Any]:
    certificate: dict[str, Any] = {"status": _status(credential)}
    if wanted.certificates != "none":
        chain = credential.chain_base64()
        certificate["certificates"] = chain if wanted.certificates == "chain" else chain[:1]
    if wanted.certInfo:
        certificate |= _certificate_info(credential.certificate)
    answer: dict[str, Any] = {
        "description": credential.label,
        "signatureQualifier": "vn_digital_signature",
        "key": _key_info(credential),
        "cert": certificate,
        "SCAL": "2",
        "multisign": MAX_SIGNATURES,
    }
    if wanted.authInfo:
        answer["auth"] = AUTHENTICATION[mode.confirmation]
    return answer


def _key_info(credential: Credential) -> dict[str, Any]:
    key = credential.key
    answer: dict[str, Any] = {"status": "enabled", "algo": algorithms_of(key), "len": key.key_size}
    if not isinstance(key, rsa.RSAPrivateKey):
        answer["curve"] = {"secp256r1": "1.2.840.10045.3.1.7", "secp384r1": "1.3.132.0.34"}[key.curve.name]
    return answer


def _certificate_info(certificate: x509.Certificate) -> dict[str, str]:
    return {
        "issuerDN": certificate.issuer.rfc4514_string(),
        "serialNumber": f"{certificate.serial_number:X}",
        "subjectDN": certificate.subject.rfc4514_string(),
        "validFrom": certificate.not_valid_before_utc.strftime("%Y%m%d%H%M%SZ"),
        "validTo": certificate.not_valid_after_utc.strftime("%Y%m%d%H%M%SZ"),
    }
