"""Sending transcripts of final grades to the admissions portal. Plain data in, decision out; no I/O.

An admission is what became of one transcript there. REQUESTED → SENT (the portal has it) → RECEIPTED | REFUSED; a refused one may be sent
again. A transcript that is withdrawn or cancelled afterwards: REVOKING (the portal is being told) → REVOKED, from wherever it stood.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from contracts.lock_dates import FINAL_GRADES
from services.chassis.aggregates import Change
from services.chassis.errors import Refusal, Refused
from services.publishing.admissions.errors import ALREADY_PUSHED, BAD_RECEIPT, BEING_WITHDRAWN, DAMAGED, NOT_ACCEPTED, NOT_FINAL
from services.publishing.windows import refuse_if_closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.publishing.admissions.receipts import Receipt
    from services.publishing.windows import Windows

Admission = dict[str, Any]
REQUESTED, SENT, RECEIPTED, REFUSED, REVOKING, REVOKED = "REQUESTED", "SENT", "RECEIPTED", "REFUSED", "REVOKING", "REVOKED"
UNDER_WAY: Final = (REQUESTED, SENT)
NOT_ACCEPTED_YET, NOT_SENT, RESEND = "NOT_ACCEPTED", "NOT_SENT", "RESEND"
WORDS: Final = {
    NOT_ACCEPTED_YET: "Chưa được Cổng tiếp nhận chấp nhận",
    NOT_SENT: "Chưa gửi tuyển sinh",
    RESEND: "Cần gửi lại",
    REQUESTED: "Chờ biên nhận",
    SENT: "Chờ biên nhận",
    RECEIPTED: "Đã có biên nhận",
    REFUSED: "Bị từ chối",
    REVOKING: "Đang báo thu hồi",
    REVOKED: "Đã báo thu hồi",
}
COPIED: Final = ("school", "year", "class_code", "grade", "version", "pupil_code", "pupil_name")
WITHDRAWN, CANCELLED = "WITHDRAWN", "CANCELLED"
"""Why a transcript that the portal has is no longer in force."""


def unfit(submission: Mapping[str, Any] | None, admission: Mapping[str, Any] | None, *, withdrawing: bool) -> Refusal | None:
    """Why a transcript cannot be sent to the portal now, its deadline apart; None when it can."""
    if submission is None or submission["grade"] not in FINAL_GRADES or submission.get("kind", "transcript") != "transcript":
        return NOT_FINAL
    if submission["state"] != "ACCEPTED":
        return NOT_ACCEPTED
    if admission is not None and admission["state"] != REFUSED:
        return ALREADY_PUSHED
    return BEING_WITHDRAWN if withdrawing else None


def standing(submission: Mapping[str, Any], admission: Mapping[str, Any] | None, *, replaces: bool) -> str:
    """What the list says. `replaces`: the portal was sent an earlier version of the same pupil's transcript of that year."""
    if admission is not None:
        return str(admission["state"])
    if submission["state"] != "ACCEPTED":
        return NOT_ACCEPTED_YET
    return RESEND if replaces else NOT_SENT


def pupil_of(either: Mapping[str, Any]) -> tuple[str, str]:
    """By which versions of one transcript are known to belong together."""
    return either["year"], either["pupil_code"]


def pupils_sent(admissions: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Whose transcript the portal has had in some version."""
    return {pupil_of(a) for a in admissions if a["state"] in (RECEIPTED, REVOKING, REVOKED)}


def requested(
    submission: Mapping[str, Any] | None,
    admission: Admission | None,
    windows: Windows,
    *,
    withdrawing: bool,
    sending: str,
    by: str,
    at: dt.datetime,
) -> Change:
    """Raises Refused. What is asked for before the deadline goes out also after it; every attempt is a push with an id of its own."""
    problem = unfit(submission, admission, withdrawing=withdrawing)
    if submission is None or problem is not None:
        raise Refused(problem or NOT_FINAL)
    refuse_if_closed(windows, "admissions", year=submission["year"], grade=submission["grade"], at=at)
    before = admission or {"_id": submission["_id"], "history": []}
    after = {
        **before,
        **{key: submission[key] for key in COPIED},
        "state": REQUESTED,
        "push": str(uuid4()),
        "sending": sending,
        "requested_at": at,
        "requested_by": by,
        "sent_at": None,
        "decided_at": None,
        "refusal": None,
        "receipt": None,
    }
    return Change(after)


def _answers(admission: Admission, push: str) -> bool:
    return admission["push"] == push and admission["state"] in UNDER_WAY


def passed_on(admission: Admission, push: str, at: dt.datetime) -> Change | None:
    """The portal has it and examines it."""
    if admission["push"] != push or admission["state"] != REQUESTED:
        return None
    return Change({**admission, "state": SENT, "sent_at": at})


def receipted(admission: Admission, push: str, receipt: Receipt, jws: str, at: dt.datetime) -> Change | None:
    """`jws` is the receipt as the portal signed it; it has been verified. None when the answer is about what is over."""
    if not _answers(admission, push):
        return None
    kept = {**receipt.model_dump(mode="json"), "jws": jws}
    after = {**admission, "state": RECEIPTED, "sent_at": admission["sent_at"] or at, "decided_at": at, "refusal": None, "receipt": kept}
    return Change({**after, "history": _told(after, RECEIPTED, at, number=receipt.number)})


def refused(admission: Admission, push: str, code: str, reason: str, at: dt.datetime) -> Change | None:
    if not _answers(admission, push):
        return None
    after = {**admission, "state": REFUSED, "sent_at": admission["sent_at"], "decided_at": at, "refusal": {"code": code, "reason": reason}}
    return Change({**after, "history": _told(after, REFUSED, at, code=code, reason=reason)})


def stopped(admission: Admission, push: str, at: dt.datetime) -> Change | None:
    """The stored files are not what was signed: nothing goes out, and the school is told."""
    refusal = Refused(DAMAGED)
    return refused(admission, push, refusal.code, refusal.cause, at)


def doubted(admission: Admission, push: str, problem: str) -> Change | None:
    """A receipt that does not stand is none: the portal is asked again, and the school sees why it waits."""
    refusal = Refused(BAD_RECEIPT, problem=problem)
    note = {"code": refusal.code, "reason": refusal.cause}
    if not _answers(admission, push) or admission["refusal"] == note:
        return None
    return Change({**admission, "state": SENT, "refusal": note})


def fallen(admission: Admission, why: str, at: dt.datetime) -> Change | None:
    """The transcript is in force no more (`why`: WITHDRAWN, CANCELLED). What the portal may have, it is told to strike out."""
    if admission["state"] not in (*UNDER_WAY, RECEIPTED):
        return None
    return Change({**admission, "state": REVOKING, "fallen": why, "fallen_at": at, "refusal": None})


def revoked(admission: Admission, push: str, at: dt.datetime) -> Change | None:
    if admission["push"] != push or admission["state"] != REVOKING:
        return None
    after = {**admission, "state": REVOKED, "decided_at": at}
    return Change({**after, "history": _told(after, REVOKED, at, reason=FALLEN_WORDS[admission["fallen"]])})


FALLEN_WORDS: Final = {WITHDRAWN: "Học bạ đã được thu hồi.", CANCELLED: "Học bạ đã bị hủy."}


def _told(admission: Admission, outcome: str, at: dt.datetime, *, code: str = "", reason: str = "", number: str = "") -> list[Admission]:
    """The history with the end of this attempt."""
    attempt = {key: admission[key] for key in ("push", "requested_at", "requested_by", "sent_at")}
    return [*admission["history"], {**attempt, "outcome": outcome, "at": at, "code": code, "reason": reason, "number": number}]
