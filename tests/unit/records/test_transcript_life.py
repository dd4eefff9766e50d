"""The life of a transcript: every move from every state (domain.md, "Life of a transcript")."""

from __future__ import annotations

import pytest

from services.chassis.errors import Refused
from services.records.transcripts.confirmation import confirm, undo
from services.records.transcripts.states import MOVES, WORDS, State, moved

REFERENCE = {"bucket": "signing", "key": "transcripts/x/y.pdf", "sha256": "0" * 64, "size": 1}
WAY = ["rendered", "homeroom", "leader", "sealed", "confirm", "submit", "accepted"]


def transcript(state: State) -> dict[str, object]:
    return {
        "_id": "t-1",
        "sequence": 1,
        "state": state.value,
        "school": "31300001",
        "year": "2025-2026",
        "class_code": "1A",
        "grade": 1,
        "version": 1,
        "pupil_code": "312500100001",
        "pupil_name": "Nguyễn Văn An",
        "pdf": REFERENCE,
        "xml": {**REFERENCE, "key": "transcripts/x/y.xml"},
    }


def test_the_way_leads_from_creation_to_acceptance() -> None:
    state = transcript(State.AWAITING_SUBJECT_TEACHERS)
    for move in WAY:
        state = moved(state, move)
    assert state["state"] == "ACCEPTED"


@pytest.mark.parametrize("move", sorted(MOVES))
@pytest.mark.parametrize("state", sorted(State))
def test_a_move_is_possible_from_its_own_states_and_from_no_other(move: str, state: State) -> None:
    sources, target = MOVES[move]
    if state in sources:
        assert moved(transcript(state), move)["state"] == target
    else:
        with pytest.raises(Refused) as refusal:
            moved(transcript(state), move)
        assert refusal.value.code == "HB-REC-008"
        assert WORDS[state] in refusal.value.cause


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
