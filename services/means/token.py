"""The token agent's channel, as every service uses it: what a job says, how it is signed for one agent, what may come back.

The agent is the program on the person's computer (`agent/`); it shares no code with the services. It takes nothing but jobs that are
signed with a key published when it was paired: a compact JWS (Ed25519, typ `hocba-agent-job+jwt`) whose `aud` is the agent's id,
`jti` the job's id, `exp` the moment after which nobody waits for it; `kind` and `content` say what to do.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.chassis import clock
from services.means.challenge import is_challenge
from services.means.x509 import Scheme

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

JOB_TYPE: Final = "hocba-agent-job+jwt"
ALGORITHM: Final = "Ed25519"

Kind = Literal["certificates", "prove", "sign"]
"""Identity asks the first two, signing the third; each hosts the jobs that it asks."""

FAILURES: Final[dict[str, tuple[str, str]]] = {
    "pin_wrong": ("Mã PIN của thiết bị ký không đúng.", "Kiểm tra lại mã PIN rồi thực hiện lại; nhập sai nhiều lần thì thiết bị bị khoá."),
    "pin_locked": ("Thiết bị ký đã bị khoá mã PIN.", "Liên hệ nhà cung cấp chữ ký số để mở khoá."),
    "no_token": ("Không tìm thấy thiết bị ký trên máy tính.", "Cắm thiết bị ký vào máy tính rồi thực hiện lại."),
    "no_certificate": ("Không tìm thấy chứng thư số trên thiết bị ký.", "Kiểm tra lại thiết bị ký đang cắm."),
    "certificate_out_of_date": (
        "Chứng thư số trên thiết bị ký đã hết hạn hoặc chưa có hiệu lực.",
        "Liên hệ nhà cung cấp để gia hạn chứng thư số.",
    ),
    "no_driver": (
        "Máy tính chưa có phần mềm điều khiển thiết bị ký.",
        "Cài phần mềm của nhà cung cấp chữ ký số, sau đó mở lại chương trình ký số.",
    ),
    "cancelled": ("Đã bỏ qua yêu cầu trên chương trình ký số.", "Thực hiện lại và nhập mã PIN khi chương trình hỏi."),
    "token_failed": ("Thiết bị ký không thực hiện được yêu cầu.", "Rút thiết bị ký, cắm lại rồi thực hiện lại."),
    "refused": ("Chương trình ký số không chấp nhận yêu cầu.", "Cập nhật chương trình ký số rồi ghép nối lại."),
}
"""What an agent may answer instead of a result: the cause and what to do, for the person."""

FailureCode = Literal[
    "pin_wrong",
    "pin_locked",
    "no_token",
    "no_certificate",
    "certificate_out_of_date",
    "no_driver",
    "cancelled",
    "token_failed",
    "refused",
]


def _base64(value: str) -> str:
    b64decode(value, validate=True)
    return value


def _challenge(text: str) -> str:
    if not is_challenge(text):
        raise ValueError("the text is no challenge")
    return text


Encoded = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_base64)]
"""Bytes in base64."""
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a certificate's DER."""
Shown = Annotated[str, StringConstraints(max_length=200)]


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListCertificates(Message):
    """Content of a job `certificates`: what is on the tokens of the computer?"""


class Prove(Message):
    """Content of a job `prove`: sign the challenge with the key of this certificate, in this scheme."""

    text: Annotated[str, AfterValidator(_challenge)]
    certificate: Fingerprint
    scheme: Scheme


class SignBatch(Message):
    """Content of a job `sign`: what the person is told, and what binds the documents to this order.

    `batch` is the job's id; `items` is the SHA-256 of the list of items, which the agent fetches: an array of
    [number, title, XML digest, PDF digest or null], digests being SHA-256 in hexadecimal of what is signed (the canonical SignedInfo,
    the DER of the signed attributes). The agent recomputes both from the documents and signs nothing that differs.
    """

    batch: str
    title: Shown
    count: Annotated[int, Field(ge=1)]
    items: Fingerprint
    certificate: Fingerprint
    scheme: Scheme


class TokenCertificate(Message):
    """One certificate with a key beside it on a token; `chain` holds the issuers found there, the nearest first."""

    token: Shown
    label: Shown
    certificate: Encoded
    chain: tuple[Encoded, ...] = Field(default=(), max_length=10)

    @property
    def der(self) -> bytes:
        return b64decode(self.certificate)

    @property
    def issuers(self) -> tuple[bytes, ...]:
        return tuple(b64decode(one) for one in self.chain)


class Certificates(Message):
    """Result of a job `certificates`."""

    certificates: tuple[TokenCertificate, ...] = Field(max_length=50)


class Proof(Message):
    """Result of a job `prove`; an ECDSA value is DER. Whether it is right only `challenge.verify` says."""

    signature: Encoded

    @property
    def value(self) -> bytes:
        return b64decode(self.signature)


class Failure(Message):
    """Instead of a result; the words for it stand in FAILURES."""

    code: FailureCode


CONTENT: Final[dict[Kind, type[Message]]] = {"certificates": ListCertificates, "prove": Prove}
RESULT: Final[dict[Kind, type[Message]]] = {"certificates": Certificates, "prove": Proof}


class JobSigner:
    def __init__(self, key_file: Path) -> None:
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))

    def public_keys(self) -> dict[str, Any]:
        """The JWKS that agents keep when they are paired."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def sign(self, *, agent: str, job: str, kind: Kind, content: dict[str, Any], expires_at: datetime) -> str:
        """The job as the agent takes it; made anew for each delivery."""
        claims = {
            "aud": agent,
            "jti": job,
            "iat": int(clock.now().timestamp()),
            "exp": int(expires_at.timestamp()),
            "kind": kind,
            "content": content,
        }
        return jwt.encode({"alg": ALGORITHM, "typ": JOB_TYPE, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])
