"""What a provider of the sp769 style answers, with the protocol's spelling. Members that we do not use are ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Every answer, whatever its HTTP status; some providers put a code of the app in place of the HTTP status' number."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status_code: int
    message: str = ""


class Chain(BaseModel):
    ca_cert: str | None = None
    root_cert: str | None = None


class Certificate(BaseModel):
    serial_number: str = Field(min_length=1)
    cert_status: str = ""
    cert_status_code: str = ""
    cert_data: str
    chain_data: Chain = Chain()


class Certificates(BaseModel):
    user_certificates: list[Certificate] = []


class CertificatesAnswer(Answer):
    data: Certificates = Certificates()


class Signature(BaseModel):
    doc_id: str
    signature_value: str | None = None


class Signatures(BaseModel):
    signatures: list[Signature] | None = None


class StatusAnswer(Answer):
    data: Signatures | None = None
