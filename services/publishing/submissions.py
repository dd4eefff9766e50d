"""Submitting confirmed transcripts: which may be sent, and what an answer of the gateway means. Plain data in, decision out.

States: NOT_SENT → REQUESTED (records is asked) → CLEARED → PACKED → SENT → ACCEPTED | REJECTED; REJECTED may be sent again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.events.publishing import SubmissionRequestedV1, TranscriptAcceptedV1, TranscriptRefusedV1
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.publishing.errors import ALREADY_SENT, DAMAGED, NOT_CONFIRMED, RECORDS_SAID_NO

if TYPE_CHECKING:
    from contracts.event import Event
    from contracts.events.records import TranscriptConfirmedV1

Submission = dict[str, Any]
SENDABLE = ("NOT_SENT", "REJECTED")
ON_THE_WAY = ("PACKED", "SENT")
CANCELLED = "CANCELLED"
NOT_LISTED = ("NOT_CONFIRMED", CANCELLED)
"""No business of publishing at present; kept for what happened before."""


def confirmed(event: Event[TranscriptConfirmedV1], before: Submission | None) -> Change:
    """A transcript was confirmed (again): it can be sent; what happened to it before stays in its history."""
    fact = event.data.model_dump(mode="json")
    return Change(
        {
            "_id": event.subject,
            "sequence": (before or {}).get("sequence", 0),
            **fact,
            "confirmed_at": event.data.confirmed_at,
            "state": "NOT_SENT",
            "submission": None,
            "package": None,
            "sent_at": None,
            "decided_at": None,
            "refusal": None,
            "history": (before or {}).get("history", []),
        }
    )


def unconfirmed(submission: Submission) -> Change:
    return Change({**submission, "state": "NOT_CONFIRMED"})


def cancelled(submission: Submission) -> Change:
    """For good. What was asked of records meanwhile is denied by it; what the gateway may still say of an earlier package is not heard."""
    return Change({**submission, "state": CANCELLED})


def requested(submission: Submission | None, *, sending: str | None = None, by: str = "", at: dt.datetime | None = None) -> Change:
    """Raises Refused when it may not be sent now. Records must claim the transcript before anything goes out.

    `sending`: what one press of the button asked for together.
    """
    if submission is None or submission["state"] in NOT_LISTED:
        raise Refused(NOT_CONFIRMED)
    if submission["state"] not in SENDABLE:
        raise Refused(ALREADY_SENT)
    attempt = str(uuid4())
    after = {
        **submission,
        "state": "REQUESTED",
        "submission": attempt,
        "sending": sending,
        "requested_at": at,
        "requested_by": by,
        "package": None,
        "sent_at": None,
        "decided_at": None,
        "refusal": None,
    }
    fact = SubmissionRequestedV1(submission=attempt, school=submission["school"], confirmed_at=submission["confirmed_at"])
    return Change(after, fact)


def cleared(submission: Submission, attempt: str) -> Change | None:
    if submission["submission"] != attempt or submission["state"] != "REQUESTED":
        return None
    return Change({**submission, "state": "CLEARED"})


def denied(submission: Submission, attempt: str, state: str) -> Change | None:
    if submission["submission"] != attempt or submission["state"] != "REQUESTED":
        return None
    refusal = Refused(RECORDS_SAID_NO, state=state)
    lines = told(submission, accepted=False, code=refusal.code, reason=refusal.cause, at=clock.now())
    return Change({**submission, "state": "NOT_SENT", "refusal": {"code": refusal.code, "reason": refusal.cause}, "history": lines})


def told(submission: Submission, *, accepted: bool, code: str, reason: str, at: dt.datetime) -> list[dict[str, Any]]:
    """The history with the end of this attempt: what was asked for, sent and answered when."""
    attempt = {key: submission.get(key) for key in ("package", "submission", "requested_at", "requested_by", "sent_at")}
    return [*submission["history"], {**attempt, "accepted": accepted, "code": code, "reason": reason, "at": at}]


def stopped(submission: Submission, at: dt.datetime) -> Change:
    """The stored files are not what was signed: nothing goes out, and the school is told."""
    refusal = Refused(DAMAGED)
    after = {**submission, "state": "REJECTED", "decided_at": at, "refusal": {"code": refusal.code, "reason": refusal.cause}}
    after["history"] = told(submission, accepted=False, code=refusal.code, reason=refusal.cause, at=at)
    fact = TranscriptRefusedV1(submission=submission["submission"], code=refusal.code, reason=refusal.cause, refused_at=at)
    return Change(after, fact)


def unpacked(submission: Submission, package: str) -> Change | None:
    """The package is lost and nobody has got it: the transcript waits for another one."""
    if submission["package"] != package or submission["state"] != "PACKED":
        return None
    return Change({**submission, "state": "CLEARED", "package": None})


def answered(submission: Submission, package: str, *, accepted: bool, code: str, reason: str, at: dt.datetime) -> Change | None:
    """The gateway's word on one transcript; None when it is known already, or is about an earlier package."""
    if submission["package"] != package or submission["state"] not in ON_THE_WAY:
        return None
    after = {
        **submission,
        "state": "ACCEPTED" if accepted else "REJECTED",
        "decided_at": at,
        "refusal": None if accepted else {"code": code, "reason": reason},
        "history": told(submission, accepted=accepted, code=code, reason=reason, at=at),
    }
    fact: TranscriptAcceptedV1 | TranscriptRefusedV1
    if accepted:
        fact = TranscriptAcceptedV1(submission=submission["submission"], accepted_at=at)
    else:
        fact = TranscriptRefusedV1(submission=submission["submission"], code=code, reason=reason, refused_at=at)
    return Change(after, fact)
