"""Menu 6.4 and 6.1: numbers that add up, decisions that are made once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Refused
from services.district.approvals import decided
from services.district.statistics import COLUMNS, WORDS, added_up, by_school, row, told_of, word_of

AWAITING = ["AWAITING_SUBJECT_TEACHERS", "AWAITING_HOMEROOM", "AWAITING_LEADER", "AWAITING_ISSUE"]
STATES = [*AWAITING, "RETURNED", "SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED", "WITHDRAWAL_PENDING", "WITHDRAWN"]


@given(st.dictionaries(st.sampled_from(STATES), st.integers(0, 500)), st.integers(0, 500))
def test_every_pupil_is_in_exactly_one_column(states: dict[str, int], not_created: int) -> None:
    pupils = sum(states.values()) + not_created
    counted = row(pupils, states)
    assert sum(counted[c] for c in COLUMNS if c != "pupils") == counted["pupils"] == pupils


def test_a_pupil_whose_transcript_was_cancelled_has_none_and_no_column_counts_it() -> None:
    counted = row(5, {"CANCELLED": 3, "SIGNED": 4, "RETURNED": 1})
    assert counted["not_created"] == 0
    assert (counted["signed"], counted["returned"]) == (4, 1)


@pytest.mark.parametrize("state", STATES)
def test_a_class_summary_has_the_word_of_its_column(state: str) -> None:
    assert word_of(state) in {WORDS[c] for c in COLUMNS[2:]}
    assert told_of({state: 3}) == f"{word_of(state)} 3"


def test_a_class_without_a_summary_or_with_a_cancelled_one_has_none_yet() -> None:
    assert {word_of(""), word_of("CANCELLED")} == {"Chưa tạo"}
    assert told_of({"CANCELLED": 2, "SIGNED": 0}) == told_of({}) == ""
    assert told_of({"AWAITING_LEADER": 1, "AWAITING_ISSUE": 2, "ACCEPTED": 4}) == "Chờ ký 3, Đã tiếp nhận 4"


def test_a_school_without_any_data_is_listed_with_zeros() -> None:
    schools: list[dict[str, Any]] = [{"_id": code, "name": f"Trường {code}", "path": ["u"], "levels": ["TH"]} for code in "12"]
    rows = by_school(schools, {("1", 5): {"pupils": 3}}, {("1", 5): {"ACCEPTED": 2}})
    assert [(r["school"], r["pupils"], r["accepted"], r["not_created"]) for r in rows] == [("1", 3, 2, 1), ("2", 0, 0, 0)]
    assert added_up(rows)["pupils"] == 3


def request(state: str = "pending") -> dict[str, Any]:
    return {"_id": "r-1", "sequence": 1, "state": state, "kind": "school", "person": "31300001004", "path": ["031", "03101"]}


def test_a_decision_is_made_once() -> None:
    change = decided(request(), approved=True, reason="", actor="03101-cb01")
    assert change.document["state"] == "approved"
    with pytest.raises(Refused, match="HB-DIS-001"):
        decided(change.document, approved=False, reason="nhầm", actor="03101-cb01")


def test_a_refusal_needs_a_reason() -> None:
    with pytest.raises(Refused, match="HB-DIS-002"):
        decided(request(), approved=False, reason="  ", actor="03101-cb01")
    assert decided(request(), approved=False, reason="Sai mã số thuế", actor="x").document["state"] == "refused"
