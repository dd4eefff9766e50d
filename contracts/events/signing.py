"""Facts of signing: the steps of a transcript's policy."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts import audit
from contracts.documents import DocumentRef
from contracts.event import Fact


class SignatureFact(BaseModel):
    """One signature that stands in the documents."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str
    person: str
    name: str
    subjects: tuple[str, ...] = ()
    signed_at: dt.datetime
    certificate_serial: str
    certificate_subject: str
    scheme: str


class SubjectSignedV1(Fact):
    """One subject teacher has signed; others may be missing still."""

    topic: ClassVar[str] = "signing.steps"
    signature: SignatureFact
    remaining: int


class SubjectsSignedV1(Fact):
    """Everybody of the first step has signed: the XML with all their signatures. The PDF can be rendered."""

    topic: ClassVar[str] = "signing.steps"
    xml: DocumentRef
    signatures: tuple[SignatureFact, ...]


class StepSignedV1(Fact):
    """The homeroom teacher or the leader has signed XML and PDF."""

    topic: ClassVar[str] = "signing.steps"
    step: str
    signature: SignatureFact
    xml: DocumentRef
    pdf: DocumentRef


class TranscriptSealedV1(Fact):
    """The school has signed and both documents are at the archive level: nothing is missing.

    `level` is the baseline level of EN 319 132-1 and EN 319 142-1, `timestamped_at` the document timestamp's time.
    """

    topic: ClassVar[str] = "signing.steps"
    signature: SignatureFact
    level: str | None = None
    timestamped_at: dt.datetime | None = None
    xml: DocumentRef
    pdf: DocumentRef


class EvidenceRecordedV1(Fact):
    """An evidence record (RFC 4998) over both sealed documents was made, or renewed in place of the one before.

    The subject is `<transcript>:evidence`, as its events have an order of their own. `proven_since` is the first timestamp's time,
    `timestamps` how many there are by now, `renew_before` when the certificate of the last one's unit ends.
    """

    topic: ClassVar[str] = "signing.steps"
    transcript: str
    file: DocumentRef
    pdf_sha256: str
    xml_sha256: str
    proven_since: dt.datetime
    timestamps: int
    renew_before: dt.datetime


class TranscriptReturnedV1(Fact):
    """Somebody whose signature it waits for sent it back with a reason ("Trả lại", "đề xuất hủy"); nobody can sign it now.

    Told in the order of the signatures, so records knows at which step it was. `by` is a staff code, `reason` 10 to 500 characters.
    """

    topic: ClassVar[str] = "signing.steps"
    step: str
    by: str
    name: str
    reason: str
    returned_at: dt.datetime


class TranscriptStoppedV1(Fact):
    """Signing cannot go on with it by itself: the stored file is damaged, or a signer's certificate cannot be proven any more.

    `code` and `reason` are of the error catalogue. It stands still until records cancels it or has it tried again.
    """

    topic: ClassVar[str] = "signing.steps"
    code: str
    reason: str


class RequestSealedV1(Fact):
    """The school's certificate has signed a request to take a document back: the signed XML (XAdES-BASELINE-B, enveloped).

    Subject: the request; `attempt` as in SealRequestedV1.
    """

    topic: ClassVar[str] = "signing.requests"
    attempt: str
    signature: SignatureFact
    xml: DocumentRef


class SealRefusedV1(Fact):
    """An issuer will not sign the request and says why (10 to 500 characters); `by` is a staff code. Subject: the request."""

    topic: ClassVar[str] = "signing.requests"
    attempt: str
    by: str
    name: str
    reason: str
    refused_at: dt.datetime


class SigningActsSealedV1(audit.ActsSealed):
    """What was recorded and chained in the audit trail of signing."""

    topic: ClassVar[str] = "signing.audit"
