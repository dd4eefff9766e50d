"""Menu 2.6 "Quản lý hủy học bạ": what becomes of a transcript that was returned, and cancelling one that is signed. Plain data in.

A transcript keeps who returned it and why (`returned`), and who cancelled it and why (`cancelled`); neither is ever taken away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.events.records import CancellationRefusedV1, TranscriptCancelledV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.vietnamese import readable
from services.records.cancellation.errors import CANCELLED_BEFORE, NOT_STOPPED, REASON_NEEDED, RETURN_FIRST, WITHDRAW_FIRST
from services.records.transcripts.states import AWAITED, WORDS, State, moved

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from contracts.access import Principal
    from contracts.events.signing import TranscriptReturnedV1, TranscriptStoppedV1
    from services.chassis.mongo import Document

SHORTEST, LONGEST = 10, 500
"""Characters of a reason, as in signing."""
SENT = (State.SUBMITTED, State.ACCEPTED, State.WITHDRAWAL_PENDING)
"""Still with the gateway: to be withdrawn first (guide 001, II.3.2)."""
CANCELLABLE = (State.SIGNED, State.CONFIRMED, State.REJECTED, State.WITHDRAWN)
STEPS = {"subjects": "Giáo viên bộ môn", "homeroom": "Giáo viên chủ nhiệm", "leader": "Lãnh đạo", "issue": "Nhà trường ký phát hành"}


def reason_of(text: str) -> str:
    """The reason as one clean line. Raises Refused(REASON_NEEDED)."""
    reason = readable(text)
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Refused(REASON_NEEDED, least=SHORTEST, most=LONGEST)
    return reason


def stands_still(transcript: Mapping[str, Any]) -> bool:
    """Nobody can sign it and it goes on by itself no more: the PDF cannot be made, or signing has set it aside."""
    return bool(transcript.get("stopped")) and State(transcript["state"]) in AWAITED


# --- what signing tells


def returned(transcript: Document, fact: TranscriptReturnedV1) -> Change:
    """A signer sent it back. Signing alone orders signatures and returns; what was told before this is in the transcript already."""
    said = {"step": fact.step, "by": fact.by, "name": fact.name, "reason": fact.reason, "at": fact.returned_at}
    return Change(moved(transcript, "return", returned=said))


def stopped(transcript: Document, fact: TranscriptStoppedV1) -> Change:
    return Change({**transcript, "stopped": {"code": fact.code, "reason": fact.reason}})


# --- what the administrator decides


def return_stopped(transcript: Document, *, by: Principal, reason: str, at: dt.datetime) -> Change:
    """The administrator's own return, for what no signer can send back because it waits for none. Raises Refused."""
    if not stands_still(transcript):
        # another state is said as such, an awaiting one needs its signer
        moved(transcript, "return")
        raise Refused(NOT_STOPPED)
    said = {"step": None, "by": by.person, "name": by.name, "reason": reason, "at": at, "stopped": transcript["stopped"]}
    return Change(moved(transcript, "return", returned=said))


def refuse(transcript: Document, *, by: Principal, reason: str, at: dt.datetime) -> Change:
    """ "Từ chối hủy": back to the state that it was returned from, so that the signer can sign. Raises Refused."""
    after = moved(transcript, "refuse cancel")
    after["returned"] = {**transcript["returned"], "refused": {"by": by.person, "name": by.name, "reason": reason, "at": at}}
    fact = CancellationRefusedV1(school=transcript["school"], class_code=transcript["class_code"], reason=reason, refused_at=at)
    return Change(after, fact)


def cancel(transcript: Document, *, by: Principal, reason: str, at: dt.datetime) -> Change:
    """ "Hủy học bạ", for ever. Of one that was returned the signer's reason stands; any other needs the administrator's. Raises Refused."""
    state = State(transcript["state"])
    if state in SENT:
        raise Refused(WITHDRAW_FIRST, state=WORDS[state])
    if state in AWAITED:
        raise Refused(RETURN_FIRST)
    if state is State.CANCELLED:
        raise Refused(CANCELLED_BEFORE)
    why = reason_of(reason or transcript["returned"]["reason"]) if state is State.RETURNED else reason_of(reason)
    said = {"by": by.person, "name": by.name, "reason": why, "at": at, "from": state.value}
    fact = TranscriptCancelledV1(
        school=transcript["school"], class_code=transcript["class_code"], version=transcript["version"], cancelled_at=at
    )
    return Change(moved(transcript, "approve cancel" if state is State.RETURNED else "cancel", cancelled=said), fact)


def why(transcript: Mapping[str, Any]) -> str:
    """The reason of the state that it is in, for whoever looks at it; "" where there is none to tell."""
    state = State(transcript["state"])
    if state is State.RETURNED:
        return str(transcript["returned"]["reason"])
    if state is State.CANCELLED:
        return str(transcript["cancelled"]["reason"])
    if stands_still(transcript):
        return f"{transcript['stopped']['code']}: {transcript['stopped']['reason']}"
    asked = transcript.get("withdrawal") if state is State.ACCEPTED else None
    if asked and asked["refused"]:
        return f"Yêu cầu thu hồi bị từ chối: {asked['refused']['reason']}"
    refusal = transcript.get("refusal") if state is State.REJECTED else None
    return f"{refusal['code']}: {refusal['reason']}" if refusal else ""
