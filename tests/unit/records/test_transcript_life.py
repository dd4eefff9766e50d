"""The life of a transcript: every move from every state, and every way through them (domain.md, "Life of a transcript")."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from contracts.access import Principal, Role
from contracts.events.records import CancellationRefusedV1, TranscriptCancelledV1
from contracts.events.signing import TranscriptReturnedV1, TranscriptStoppedV1
from services.chassis.errors import Refused
from services.records.cancellation.cancelling import cancel, reason_of, refuse, return_stopped, returned, stopped, why
from services.records.transcripts.confirmation import confirm, undo
from services.records.transcripts.states import AWAITED, MOVES, WORDS, State, moved

REFERENCE = {"bucket": "signing", "key": "transcripts/x/y.pdf", "sha256": "0" * 64, "size": 1}
WAY = ["rendered", "homeroom", "leader", "sealed", "confirm", "submit", "accepted", "request withdrawal", "withdrawn", "cancel"]
AT = dt.datetime(2026, 5, 28, 8, 0, tzinfo=dt.UTC)
ADMINISTRATOR = Principal(person="31300001003", name="Ngô Công Hoàng", roles=frozenset({Role.ADMINISTRATOR}), school="31300001")
REASON = "Điểm môn Toán chưa đúng với sổ điểm."
LEADS_TO = {
    "rendered": {"AWAITING_SUBJECT_TEACHERS": "AWAITING_HOMEROOM"},
    "homeroom": {"AWAITING_HOMEROOM": "AWAITING_LEADER"},
    "leader": {"AWAITING_LEADER": "AWAITING_ISSUE"},
    "sealed": {"AWAITING_ISSUE": "SIGNED"},
    "confirm": {"SIGNED": "CONFIRMED"},
    "undo confirm": {"CONFIRMED": "SIGNED", "REJECTED": "SIGNED"},
    "submit": {"CONFIRMED": "SUBMITTED", "REJECTED": "SUBMITTED"},
    "accepted": {"SUBMITTED": "ACCEPTED"},
    "refused": {"SUBMITTED": "REJECTED"},
    "return": {
        "AWAITING_SUBJECT_TEACHERS": "RETURNED",
        "AWAITING_HOMEROOM": "RETURNED",
        "AWAITING_LEADER": "RETURNED",
        "AWAITING_ISSUE": "RETURNED",
    },
    "refuse cancel": {"RETURNED": "AWAITING_LEADER"},
    "approve cancel": {"RETURNED": "CANCELLED"},
    "cancel": {"SIGNED": "CANCELLED", "CONFIRMED": "CANCELLED", "REJECTED": "CANCELLED", "WITHDRAWN": "CANCELLED"},
    "request withdrawal": {"ACCEPTED": "WITHDRAWAL_PENDING"},
    "withdrawn": {"WITHDRAWAL_PENDING": "WITHDRAWN"},
    "refuse withdrawal": {"WITHDRAWAL_PENDING": "ACCEPTED"},
}
"""The drawing of domain.md, written down once more; what was returned here waited for the leader."""


def transcript(state: State, **more: Any) -> dict[str, Any]:
    return {
        "_id": "t-1",
        "sequence": 1,
        "state": state.value,
        "live": state is not State.CANCELLED,
        "school": "31300001",
        "year": "2025-2026",
        "class_code": "1A",
        "grade": 1,
        "version": 1,
        "pupil_code": "312500100001",
        "pupil_name": "Nguyễn Văn An",
        "pdf": REFERENCE,
        "xml": {**REFERENCE, "key": "transcripts/x/y.xml"},
        "returned_from": State.AWAITING_LEADER.value,
        "returned": {"step": "leader", "by": "31300001001", "name": "Ngô Diệu Tâm", "reason": REASON, "at": AT},
        **more,
    }


def sent_back(step: str = "leader") -> TranscriptReturnedV1:
    return TranscriptReturnedV1(step=step, by="31300001001", name="Ngô Diệu Tâm", reason=REASON, returned_at=AT)


def test_the_way_leads_from_creation_to_withdrawal_and_cancellation() -> None:
    state = transcript(State.AWAITING_SUBJECT_TEACHERS)
    for move in WAY:
        state = moved(state, move)
    assert state["state"] == "CANCELLED"
    assert state["live"] is False


@pytest.mark.parametrize("move", sorted(MOVES))
@pytest.mark.parametrize("state", sorted(State))
def test_a_move_is_possible_from_its_own_states_and_from_no_other(move: str, state: State) -> None:
    if state in LEADS_TO[move]:
        assert moved(transcript(state), move)["state"] == LEADS_TO[move][state]
    else:
        with pytest.raises(Refused) as refusal:
            moved(transcript(state), move)
        assert refusal.value.code == "HB-REC-008"
        assert WORDS[state] in refusal.value.cause


def test_the_table_has_the_moves_of_the_drawing_and_no_others() -> None:
    assert set(MOVES) == set(LEADS_TO)
    assert not any(State.CANCELLED in sources for sources, _ in MOVES.values())


@pytest.mark.parametrize("state", sorted(AWAITED))
def test_a_refused_cancellation_leads_back_to_where_it_was_returned_from(state: State) -> None:
    back = returned(transcript(state), sent_back()).document
    assert back["state"] == "RETURNED"
    assert back["returned"]["reason"] == REASON
    change = refuse(back, by=ADMINISTRATOR, reason="Đã đối chiếu, không có sai sót.", at=AT)
    assert change.document["state"] == state
    assert change.document["returned"]["refused"]["by"] == ADMINISTRATOR.person
    (fact,) = change.facts
    assert isinstance(fact, CancellationRefusedV1)
    assert fact.reason == "Đã đối chiếu, không có sai sót."


def test_what_was_returned_is_cancelled_for_the_signers_reason_and_the_administrator_needs_none() -> None:
    back = returned(transcript(State.AWAITING_HOMEROOM), sent_back("homeroom")).document
    change = cancel(back, by=ADMINISTRATOR, reason="", at=AT)
    assert change.document["cancelled"]["reason"] == REASON
    assert change.document["cancelled"]["from"] == "RETURNED"
    assert change.document["pdf"] == REFERENCE
    (fact,) = change.facts
    assert isinstance(fact, TranscriptCancelledV1)


@pytest.mark.parametrize("state", [State.SIGNED, State.CONFIRMED, State.REJECTED, State.WITHDRAWN])
def test_a_signed_one_is_cancelled_with_the_administrators_reason_alone(state: State) -> None:
    with pytest.raises(Refused, match="HB-REC-022"):
        cancel(transcript(state), by=ADMINISTRATOR, reason="", at=AT)
    after = cancel(transcript(state), by=ADMINISTRATOR, reason=REASON, at=AT).document
    assert (after["state"], after["live"], why(after)) == ("CANCELLED", False, REASON)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        *((s, "HB-REC-020") for s in (State.SUBMITTED, State.ACCEPTED, State.WITHDRAWAL_PENDING)),
        *((s, "HB-REC-021") for s in AWAITED),
        (State.CANCELLED, "HB-REC-024"),
    ],
)
def test_what_cannot_be_cancelled_is_refused_with_the_way(state: State, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        cancel(transcript(state), by=ADMINISTRATOR, reason=REASON, at=AT)
    assert refusal.value.code == code
    assert refusal.value.action


@pytest.mark.parametrize("state", sorted(AWAITED))
def test_the_administrator_returns_only_what_stands_still(state: State) -> None:
    with pytest.raises(Refused, match="HB-REC-023"):
        return_stopped(transcript(state), by=ADMINISTRATOR, reason=REASON, at=AT)
    still = stopped(transcript(state), TranscriptStoppedV1(code="HB-SIG-016", reason="Chứng thư số đã bị thu hồi.")).document
    assert why(still) == "HB-SIG-016: Chứng thư số đã bị thu hồi."
    back = return_stopped(still, by=ADMINISTRATOR, reason=REASON, at=AT).document
    assert (back["state"], back["returned_from"], back["stopped"]) == ("RETURNED", state.value, None)
    again = refuse(back, by=ADMINISTRATOR, reason=REASON, at=AT).document
    assert (again["state"], again["stopped"]) == (state.value, None)


def test_what_does_not_wait_for_a_signature_is_not_returned_by_the_administrator_either() -> None:
    with pytest.raises(Refused, match="HB-REC-008"):
        return_stopped(transcript(State.SIGNED, stopped={"code": "x", "reason": "y"}), by=ADMINISTRATOR, reason=REASON, at=AT)


@pytest.mark.parametrize("text", ["", "ngắn quá", "  \u200b\u202e  abc \u200b ", "x" * 501, "\u200b" * 40])
def test_a_reason_that_says_too_little_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="HB-REC-022"):
        reason_of(text)


def test_a_reason_is_one_line_without_what_nobody_sees() -> None:
    assert reason_of("Sai điểm\r\n môn\tToán\u202e\u200b \u0007 ") == "Sai điểm môn Toán"


def test_a_submitted_or_accepted_transcript_cannot_be_taken_back_by_undoing_the_confirmation() -> None:
    for state in (State.SUBMITTED, State.ACCEPTED):
        with pytest.raises(Refused):
            undo(transcript(state))


def test_confirming_tells_publishing_which_files_to_send() -> None:
    change = confirm(transcript(State.SIGNED))
    (fact,) = change.facts
    assert fact.model_dump()["pdf"]["key"].endswith(".pdf")
    assert fact.model_dump()["xml"]["key"].endswith(".xml")
    assert change.document["state"] == "CONFIRMED"


def test_every_state_has_words_for_people() -> None:
    assert set(WORDS) == set(State)


STEP_OF = {
    State.AWAITING_SUBJECT_TEACHERS: "subjects",
    State.AWAITING_HOMEROOM: "homeroom",
    State.AWAITING_LEADER: "leader",
    State.AWAITING_ISSUE: "issue",
}


class Life(RuleBasedStateMachine):
    """Everybody tries everything at any time; beside it stands what the drawing allows, kept as a state and where it was returned from."""

    def __init__(self) -> None:
        super().__init__()
        self.it = transcript(State.AWAITING_SUBJECT_TEACHERS, returned=None, returned_from=None)
        self.expected = "AWAITING_SUBJECT_TEACHERS"
        self.before = ""

    def _try(self, *, allowed: bool, leads_to: str, act: Callable[[], dict[str, Any]]) -> None:
        if allowed:
            self.it, self.expected = act(), leads_to
            return
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.cause
        assert refusal.value.action

    @rule(move=st.sampled_from(sorted(set(MOVES) - {"return", "refuse cancel", "approve cancel", "cancel"})))
    def somebody_moves_it(self, move: str) -> None:
        self._try(allowed=self.expected in LEADS_TO[move], leads_to=LEADS_TO[move].get(self.expected, ""), act=lambda: moved(self.it, move))

    @rule()
    def a_signer_returns_it(self) -> None:
        step = STEP_OF.get(State(self.expected), "leader")
        before = self.expected
        self._try(allowed=self.expected in AWAITED, leads_to="RETURNED", act=lambda: returned(self.it, sent_back(step)).document)
        if before in AWAITED:
            self.before = before

    @rule()
    def the_administrator_refuses_to_cancel(self) -> None:
        self._try(
            allowed=self.expected == "RETURNED",
            leads_to=self.before,
            act=lambda: refuse(self.it, by=ADMINISTRATOR, reason=REASON, at=AT).document,
        )

    @rule(reason=st.sampled_from(["", REASON]))
    def the_administrator_cancels_it(self, reason: str) -> None:
        possible = self.expected == "RETURNED" or (self.expected in LEADS_TO["cancel"] and bool(reason))
        self._try(allowed=possible, leads_to="CANCELLED", act=lambda: cancel(self.it, by=ADMINISTRATOR, reason=reason, at=AT).document)

    @precondition(lambda self: self.expected in AWAITED)
    @rule()
    def it_stands_still_and_the_administrator_returns_it(self) -> None:
        self.before = self.expected
        self.it = stopped(self.it, TranscriptStoppedV1(code="HB-SIG-016", reason="Không chứng minh được.")).document
        self._try(allowed=True, leads_to="RETURNED", act=lambda: return_stopped(self.it, by=ADMINISTRATOR, reason=REASON, at=AT).document)

    @invariant()
    def it_is_where_the_drawing_says(self) -> None:
        assert self.it["state"] == self.expected
        assert self.it["live"] is (self.expected != "CANCELLED")
        assert self.it["pdf"] == REFERENCE


def test_everybody_trying_everything_stays_within_the_drawing() -> None:
    run_state_machine_as_test(Life, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
