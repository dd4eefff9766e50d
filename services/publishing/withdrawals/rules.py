"""A school's request to take an accepted document back (menu 2.10), one a document. Plain data in, decision out.

States: DRAFT → SEALING (an issuer signs it with the school certificate) → SEALED (what came back is examined) → CLAIMING (records is
asked) → PENDING (the oversight unit decides) → APPROVED (the gateway is told) → WITHDRAWN. Or REFUSED, by the unit or the gateway;
RECALLED, by the school before the decision; DELETED, a draft. While SEALING, recalling leads back to DRAFT; so does whatever is wrong
before PENDING, with what was wrong in `note`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.events.publishing import (
    SealRecalledV1,
    SealRequestedV1,
    TranscriptWithdrawnV1,
    WithdrawalPendingV1,
    WithdrawalRecalledV1,
    WithdrawalRefusedV1,
    WithdrawalRequestedV1,
)
from services.chassis.aggregates import Change
from services.chassis.errors import CONFLICT, NOT_FOUND, Refused
from services.chassis.vietnamese import readable
from services.publishing.windows import refuse_if_closed
from services.publishing.withdrawals.errors import (
    ASKED_ALREADY,
    NO_DRAFT,
    NOT_ACCEPTED,
    REASON_NEEDED,
    RECORDS_SAID_NO,
    TAMPERED,
    TOO_LATE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from contracts.documents import DocumentRef
    from contracts.events.district import WithdrawalDecidedV1
    from contracts.events.signing import RequestSealedV1, SealRefusedV1
    from services.publishing.windows import Windows

Withdrawal = dict[str, Any]
DRAFT, SEALING, SEALED, CLAIMING, PENDING = "DRAFT", "SEALING", "SEALED", "CLAIMING", "PENDING"
APPROVED, WITHDRAWN, REFUSED, RECALLED, DELETED = "APPROVED", "WITHDRAWN", "REFUSED", "RECALLED", "DELETED"
WORDS = {
    DRAFT: "Nháp",
    SEALING: "Chờ ký",
    SEALED: "Đang gửi",
    CLAIMING: "Đang gửi",
    PENDING: "Chờ xử lý",
    APPROVED: "Đã duyệt",
    WITHDRAWN: "Đã thu hồi",
    REFUSED: "Từ chối",
    RECALLED: "Đã rút yêu cầu",
    DELETED: "Đã xóa",
}
OPEN = (DRAFT, SEALING, SEALED, CLAIMING, PENDING, APPROVED)
RECALLABLE = (SEALING, PENDING)
SHORTEST, LONGEST = 10, 500
"""Characters of a reason, as everywhere."""


def reason_of(text: str) -> str:
    """The reason as one clean line. Raises Refused(REASON_NEEDED)."""
    reason = readable(text)
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Refused(REASON_NEEDED, least=SHORTEST, most=LONGEST)
    return reason


def withdrawable(submission: Mapping[str, Any] | None, windows: Windows, at: dt.datetime) -> Mapping[str, Any]:
    """What may be taken back at this moment: asked when a request is drafted and again when it is sent.

    Raises Refused(NOT_FOUND, NOT_ACCEPTED, WITHDRAWAL_CLOSED): of another school, not accepted, or past the lock date (menu 6.2).
    """
    if submission is None or submission["school"] != windows.school:
        raise Refused(NOT_FOUND)
    if submission["state"] != "ACCEPTED":
        raise Refused(NOT_ACCEPTED)
    refuse_if_closed(windows, "withdrawal", year=submission["year"], grade=submission["grade"], at=at)
    return submission


def name_of(submission: Mapping[str, Any]) -> str:
    """The pupil's; a class summary goes by its class."""
    summary = submission.get("kind") == "class_summary"
    return f"Bảng tổng hợp lớp {submission['class_code']}" if summary else str(submission["pupil_name"])


def drafted(submission: Mapping[str, Any], *, reason: str, by: Principal, at: dt.datetime, asked: bool) -> Change:
    """`asked`: there is an open request for it. Raises Refused."""
    if asked:
        raise Refused(ASKED_ALREADY)
    kept = {k: submission[k] for k in ("school", "year", "class_code", "grade", "version", "pupil_code")}
    document = {
        "_id": str(uuid4()),
        "transcript": submission["_id"],
        "kind": submission.get("kind", "transcript"),
        **kept,
        "pupil_name": name_of(submission),
        "xml_sha256": submission["xml"]["sha256"],
        "pdf_sha256": submission["pdf"]["sha256"],
        "reason": reason,
        "by": by.person,
        "by_name": by.name,
        "drafted_at": at,
        "attempt": None,
        "content": None,
        "signed": None,
        "sealed_by": None,
        "sealed_by_name": None,
        "sent_at": None,
        "decided_at": None,
        "unit": None,
        "note": None,
        "history": [],
    }
    return Change(_moved(document, DRAFT, "draft", (by.person, by.name), at, reason=reason))


def edited(request: Withdrawal, *, reason: str, by: Principal, at: dt.datetime) -> Change:
    """Raises Refused(NO_DRAFT)."""
    _needs_draft(request)
    return Change(_moved({**request, "reason": reason}, DRAFT, "edit", (by.person, by.name), at, reason=reason))


def deleted(request: Withdrawal, *, by: Principal, at: dt.datetime) -> Change:
    """Raises Refused(NO_DRAFT)."""
    _needs_draft(request)
    return Change(_moved(request, DELETED, "delete", (by.person, by.name), at))


def sent_to_be_sealed(request: Withdrawal, content: DocumentRef | None, *, by: Principal, at: dt.datetime) -> Change:
    """ "Gửi lên hệ thống": the school certificate signs `content`, and once it has, it goes on by itself.

    Raises Refused(NO_DRAFT), and CONFLICT when there is no content, as somebody changed the request meanwhile.
    """
    _needs_draft(request)
    if content is None:
        raise Refused(CONFLICT)
    attempt = str(uuid4())
    after = {**request, "attempt": attempt, "content": content.model_dump(mode="json"), "signed": None, "note": None}
    after |= {"by": by.person, "by_name": by.name}
    keys = ("school", "year", "class_code", "grade", "pupil_code", "pupil_name")
    fact = SealRequestedV1(attempt=attempt, document_kind=request["kind"], content=content, **{k: request[k] for k in keys})
    return Change(_moved(after, SEALING, "send", (by.person, by.name), at), fact)


def recalled(request: Withdrawal, *, by: Principal, at: dt.datetime) -> Change:
    """Back to the draft before it is signed; before the decision, the end of it. Raises Refused(TOO_LATE)."""
    if request["state"] == SEALING:
        return Change(_moved(request, DRAFT, "recall", (by.person, by.name), at), SealRecalledV1(attempt=request["attempt"]))
    if request["state"] == PENDING:
        fact = WithdrawalRecalledV1(transcript=request["transcript"], recalled_at=at)
        return Change(_moved(request, RECALLED, "recall", (by.person, by.name), at), fact)
    raise Refused(TOO_LATE, state=WORDS[request["state"]])


def _needs_draft(request: Withdrawal) -> None:
    if request["state"] != DRAFT:
        raise Refused(NO_DRAFT, state=WORDS[request["state"]])


# what others tell; None: it is known already, or about an attempt that is over


def sealed(request: Withdrawal, fact: RequestSealedV1) -> Change | None:
    if request["state"] != SEALING or request["attempt"] != fact.attempt:
        return None
    signature = fact.signature
    after = {**request, "signed": fact.xml.model_dump(mode="json"), "sealed_by": signature.person, "sealed_by_name": signature.name}
    return Change(_moved(after, SEALED, "sign", (signature.person, signature.name), signature.signed_at))


def declined(request: Withdrawal, fact: SealRefusedV1) -> Change | None:
    if request["state"] != SEALING or request["attempt"] != fact.attempt:
        return None
    after = {**request, "note": {"code": "", "reason": f"{fact.name} không ký: {fact.reason}"}}
    return Change(_moved(after, DRAFT, "decline", (fact.by, fact.name), fact.refused_at, reason=fact.reason))


def examined(request: Withdrawal, problem: str | None, at: dt.datetime) -> Change | None:
    """`problem`: what is wrong with the signed request; it then never leaves."""
    if request["state"] != SEALED:
        return None
    if problem is not None:
        return Change(_noted(request, Refused(TAMPERED, problem=problem), at))
    fact = WithdrawalRequestedV1(transcript=request["transcript"], school=request["school"], attempt=request["attempt"])
    return Change({**request, "state": CLAIMING}, fact)


def cleared(request: Withdrawal, attempt: str, at: dt.datetime) -> Change | None:
    """Records has claimed the document: the oversight unit may decide."""
    if request["state"] != CLAIMING or request["attempt"] != attempt:
        return None
    fact = WithdrawalPendingV1.model_validate({**request, "sent_at": at})
    return Change(_moved({**request, "sent_at": at}, PENDING, "claim", ("records", ""), at), fact)


def denied(request: Withdrawal, attempt: str, state: str, at: dt.datetime) -> Change | None:
    if request["state"] != CLAIMING or request["attempt"] != attempt:
        return None
    return Change(_noted(request, Refused(RECORDS_SAID_NO, state=state), at))


def decided(request: Withdrawal, fact: WithdrawalDecidedV1, actor: str) -> Change | None:
    """What the school took back before is not decided any more."""
    if request["state"] != PENDING:
        return None
    after = {**request, "decided_at": fact.decided_at, "unit": fact.unit}
    if fact.approved:
        return Change(_moved(after, APPROVED, "approve", (actor, fact.by_name), fact.decided_at))
    after["note"] = {"code": "", "reason": fact.reason}
    told = WithdrawalRefusedV1(transcript=request["transcript"], reason=fact.reason, refused_at=fact.decided_at)
    return Change(_moved(after, REFUSED, "refuse", (actor, fact.by_name), fact.decided_at, reason=fact.reason), told)


def obeyed(request: Withdrawal, at: dt.datetime) -> Change | None:
    """The gateway holds the document no more."""
    if request["state"] != APPROVED:
        return None
    fact = TranscriptWithdrawnV1(transcript=request["transcript"], withdrawn_at=at)
    return Change(_moved(request, WITHDRAWN, "withdraw", ("national-gateway", ""), at), fact)


def disobeyed(request: Withdrawal, code: str, reason: str, at: dt.datetime, *, by: str = "national-gateway") -> Change | None:
    """The gateway will not, or it cannot be told: the document stays accepted, and the school and the unit learn why."""
    if request["state"] != APPROVED:
        return None
    after = {**request, "note": {"code": code, "reason": reason}}
    fact = WithdrawalRefusedV1(transcript=request["transcript"], code=code, reason=reason, refused_at=at)
    return Change(_moved(after, REFUSED, "refuse", (by, ""), at, reason=f"{code}: {reason}"), fact)


def _noted(request: Withdrawal, refused: Refused, at: dt.datetime) -> Withdrawal:
    """Back to the draft, with what was wrong."""
    after = {**request, "note": {"code": refused.code, "reason": f"{refused.cause} {refused.action}"}}
    return _moved(after, DRAFT, "stop", ("publishing", ""), at, reason=f"{refused.code}: {refused.cause}")


def _moved(request: Withdrawal, state: str, act: str, by: tuple[str, str], at: dt.datetime, *, reason: str = "") -> Withdrawal:
    """`by`: code and name of who did it; a service or the gateway has no name."""
    step = {"act": act, "state": state, "by": by[0], "name": by[1], "at": at, "reason": reason}
    return {**request, "state": state, "open": state in OPEN, "changed_at": at, "history": [*request["history"], step]}
