"""Facts of publishing: what went to the national gateway and what it answered."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from contracts import audit
from contracts.documents import DocumentKind, DocumentRef
from contracts.event import Fact


class SubmissionRequestedV1(Fact):
    """The school wants this transcript sent; records must claim it first.

    `confirmed_at` names the confirmation that the request rests on: once that was undone the request is void, also when another one
    followed. Null in what was told before requests named it.
    """

    topic: ClassVar[str] = "publishing.submissions"
    submission: str
    school: str
    confirmed_at: dt.datetime | None = None


class TranscriptAcceptedV1(Fact):
    topic: ClassVar[str] = "publishing.submissions"
    submission: str
    accepted_at: dt.datetime


class TranscriptRefusedV1(Fact):
    """The gateway refused; it may be corrected or sent again."""

    topic: ClassVar[str] = "publishing.submissions"
    submission: str
    code: str
    reason: str
    refused_at: dt.datetime


class SealRequestedV1(Fact):
    """The school wants this request to take an accepted document back signed with its certificate. Subject: the request.

    `content` is the XML (contracts/xml/yeu-cau-thu-hoi-1.0.xsd); `attempt` names this wish among those for the same request.
    `pupil_name` is what people know it by: the pupil's, or the class summary's.
    """

    topic: ClassVar[str] = "publishing.withdrawals"
    attempt: str
    school: str
    year: str
    class_code: str
    grade: int
    pupil_code: str
    pupil_name: str
    document_kind: DocumentKind
    content: DocumentRef


class SealRecalledV1(Fact):
    """The school took the request back before it was sent: nobody signs it any more. Subject: the request."""

    topic: ClassVar[str] = "publishing.withdrawals"
    attempt: str


class WithdrawalRequestedV1(Fact):
    """The signed request is there; records must claim the document before anybody decides. Subject: the request."""

    topic: ClassVar[str] = "publishing.withdrawals"
    transcript: str
    school: str
    attempt: str


class WithdrawalPendingV1(Fact):
    """The document is claimed; the oversight unit decides (menu 6.5). Subject: the request.

    `by` (staff code) asked for it, `sealed_by` signed with the school certificate; `reason` has 10 to 500 characters; `signed` is the
    signed request.
    """

    topic: ClassVar[str] = "publishing.withdrawals"
    transcript: str
    school: str
    year: str
    class_code: str
    grade: int
    version: int
    pupil_code: str
    pupil_name: str
    kind: DocumentKind
    reason: str
    by: str
    by_name: str
    sealed_by: str
    sealed_by_name: str
    sent_at: dt.datetime
    signed: DocumentRef


class WithdrawalRecalledV1(Fact):
    """The school took the request back before it was decided: the document stays accepted. Subject: the request."""

    topic: ClassVar[str] = "publishing.withdrawals"
    transcript: str
    recalled_at: dt.datetime


class WithdrawalRefusedV1(Fact):
    """The oversight unit said no, or the gateway did (`code`): the document stays accepted. Subject: the request."""

    topic: ClassVar[str] = "publishing.withdrawals"
    transcript: str
    reason: str
    refused_at: dt.datetime
    code: str | None = None


class TranscriptWithdrawnV1(Fact):
    """The gateway holds the document no more; it can be cancelled and made anew. Subject: the request."""

    topic: ClassVar[str] = "publishing.withdrawals"
    transcript: str
    withdrawn_at: dt.datetime


class PublishingActsSealedV1(audit.ActsSealed):
    """What was recorded and chained in the audit trail of publishing."""

    topic: ClassVar[str] = "publishing.audit"
