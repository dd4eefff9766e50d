"""Facts of publishing: what went to the national gateway and what it answered."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from contracts import audit
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


class PublishingActsSealedV1(audit.ActsSealed):
    """What was recorded and chained in the audit trail of publishing."""

    topic: ClassVar[str] = "publishing.audit"
