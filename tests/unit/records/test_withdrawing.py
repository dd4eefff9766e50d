"""What records does with a document that the school wants back from the gateway."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.access import Principal, Role
from contracts.event import Event, Fact
from contracts.events.publishing import TranscriptWithdrawnV1, WithdrawalRecalledV1, WithdrawalRefusedV1, WithdrawalRequestedV1
from contracts.events.records import WithdrawalClearedV1, WithdrawalDeniedV1
from services.records.cancellation.cancelling import cancel, why
from services.records.transcripts import withdrawing
from services.records.transcripts.states import State

NOW = dt.datetime(2026, 6, 12, 3, 0, tzinfo=dt.UTC)
ADMIN = Principal(person="31300001003", name="Trần Quản Trị", roles=frozenset({Role.ADMINISTRATOR}), school="31300001")


def event(fact: Fact) -> Event[Any]:
    return Event[Any](type=type(fact).__name__, subject="r-1", sequence=4, occurred_at=NOW, actor="a", data=fact)


def document(state: State = State.ACCEPTED, **more: Any) -> dict[str, Any]:
    about = {"_id": "t-1", "school": "31300001", "class_code": "1A", "version": 1, "live": True}
    return {**about, "state": state.value, "returned": None, **more}


ASKED = event(WithdrawalRequestedV1(transcript="t-1", school="31300001", attempt="a-1"))


def pending() -> dict[str, Any]:
    return withdrawing.claimed(document(), ASKED).document


def test_an_accepted_document_is_claimed_for_the_request() -> None:
    change = withdrawing.claimed(document(), ASKED)
    assert change.document["state"] == State.WITHDRAWAL_PENDING
    assert change.facts == (WithdrawalClearedV1(request="r-1", attempt="a-1"),)


@pytest.mark.parametrize("state", [s for s in State if s not in (State.ACCEPTED, State.NOT_CREATED)])
def test_in_any_other_state_the_claim_is_denied_and_nothing_changes(state: State) -> None:
    change = withdrawing.claimed(document(state), ASKED)
    assert change.document["state"] == state
    assert change.facts == (WithdrawalDeniedV1(request="r-1", attempt="a-1", state=state.value),)


def test_a_claim_in_the_name_of_another_school_is_denied() -> None:
    change = withdrawing.claimed(document(school="31300002"), ASKED)
    assert change.document["state"] == State.ACCEPTED
    assert isinstance(change.facts[0], WithdrawalDeniedV1)


def test_a_refused_request_leaves_the_document_accepted_and_says_why() -> None:
    fact = WithdrawalRefusedV1(transcript="t-1", reason="Thông tin trên học bạ đã đúng", refused_at=NOW)
    after = withdrawing.refused(pending(), event(fact)).document
    assert after["state"] == State.ACCEPTED
    assert why(after) == "Yêu cầu thu hồi bị từ chối: Thông tin trên học bạ đã đúng"
    assert why(withdrawing.claimed(after, ASKED).document) == ""


def test_a_recalled_request_leaves_the_document_accepted_and_nothing_to_explain() -> None:
    after = withdrawing.recalled(pending(), event(WithdrawalRecalledV1(transcript="t-1", recalled_at=NOW))).document
    assert (after["state"], why(after)) == (State.ACCEPTED, "")


def test_a_withdrawn_document_can_be_cancelled_so_that_the_next_version_is_made() -> None:
    gone = withdrawing.withdrawn(pending(), event(TranscriptWithdrawnV1(transcript="t-1", withdrawn_at=NOW))).document
    assert gone["state"] == State.WITHDRAWN
    after = cancel(gone, by=ADMIN, reason="Sai điểm môn Toán học kỳ II", at=NOW).document
    assert (after["state"], after["live"]) == (State.CANCELLED, False)
