"""The portal's receipt: a JWS that must be its own, sound, and about exactly what was sent. Text in, facts out; runs in the pool."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64decode, urlsafe_b64decode
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.means.x509 import load, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

PORTAL: Final = "SERVICE:admissions"
"""The subject UID of the portal's certificate."""
COORDINATE: Final = 32
LONGEST: Final = 20_000
SHA256: Final = r"^[0-9a-f]{64}$"


class Receipt(BaseModel):
    """`sha256` is of the whole push as it arrived, the other two of the transcript's files in it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    number: str = Field(alias="receiptNumber", min_length=1, max_length=40)
    push: str = Field(alias="pushId")
    transcript: str = Field(alias="uuid")
    version: int
    school: str = Field(alias="schoolCode")
    sha256: str = Field(alias="packageSha256", pattern=SHA256)
    pdf_sha256: str = Field(alias="pdfSha256", pattern=SHA256)
    xml_sha256: str = Field(alias="xmlSha256", pattern=SHA256)
    received_at: AwareDatetime = Field(alias="receivedAt")
    issued_at: AwareDatetime = Field(alias="issuedAt")
    signer: str = ""


class Expected(BaseModel):
    """What the receipt has to say."""

    model_config = ConfigDict(frozen=True)

    push: str
    transcript: str
    version: int
    school: str
    sha256: str
    pdf_sha256: str
    xml_sha256: str


WRONG: Final = {
    "push": "mã lần gửi khác",
    "transcript": "mã học bạ khác",
    "version": "phiên bản học bạ khác",
    "school": "mã trường khác",
    "sha256": "mã băm của gói đã nhận khác với gói đã gửi",
    "pdf_sha256": "mã băm tệp PDF khác",
    "xml_sha256": "mã băm tệp XML khác",
}


class BadReceipt(ValueError):
    """In Vietnamese why it does not stand."""


def examined(jws: str, expected: Expected, roots: Sequence[bytes], at: dt.datetime) -> Receipt | str:
    """The receipt when it stands, else why it does not. `roots` are DER."""
    try:
        said, signer = _signed(jws, roots, at)
        for field, words in WRONG.items():
            _check(getattr(said, field) == getattr(expected, field), words)
    except BadReceipt as problem:
        return str(problem)
    return said.model_copy(update={"signer": signer})


def _signed(jws: str, roots: Sequence[bytes], at: dt.datetime) -> tuple[Receipt, str]:
    """What is said, and the subject of the certificate under it. Raises BadReceipt."""
    try:
        protected, payload, signature = jws[:LONGEST].split(".")
        header, value = json.loads(_decoded(protected)), _decoded(signature)
        leaf, *chain = [b64decode(each, validate=True) for each in header["x5c"]]
        key, subject, algorithm = load(leaf).public_key(), load(leaf).subject, header["alg"]
        said = Receipt.model_validate_json(_decoded(payload))
    except (ValueError, TypeError, KeyError) as problem:
        raise BadReceipt("không đọc được") from problem
    if algorithm != "ES256" or not isinstance(key, ec.EllipticCurvePublicKey) or len(value) != 2 * COORDINATE:
        raise BadReceipt("không đúng dạng chữ ký ES256")
    r, s = int.from_bytes(value[:COORDINATE]), int.from_bytes(value[COORDINATE:])
    try:
        key.verify(utils.encode_dss_signature(r, s), f"{protected}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as problem:
        raise BadReceipt("chữ ký không đúng") from problem
    named = [str(name.value) for name in subject.get_attributes_for_oid(NameOID.USER_ID)]
    _check(PORTAL in named, "không phải chứng thư số của Cổng Tuyển sinh")
    _check(trust(leaf, [*chain, *roots], roots, at=at).state == "trusted", "chứng thư số không được tin cậy")
    return said, subject.rfc4514_string()


def _check(right: bool, words: str) -> None:  # noqa: FBT001 - it is what is checked
    if not right:
        raise BadReceipt(words)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
