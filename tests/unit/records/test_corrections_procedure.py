"""The correction procedure: who may do what when, judged by a table of its own, and a machine that lets everybody try everything."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.chassis.errors import FORBIDDEN, Refused
from services.records.corrections import states
from services.records.corrections.errors import ALREADY_WITNESSED, OWN_REQUEST, WRONG_STEP
from services.records.corrections.states import Person

AT = dt.datetime(2026, 6, 1, 2, tzinfo=dt.UTC)
ASKER = Person("gv", "Giáo viên")
COLLEAGUE = Person("gv2", "Đồng nghiệp")
BOARD = Person("qt", "Quản trị", board=True)
MANAGER = Person("ht", "Hiệu trưởng", manager=True)
INSPECTOR = Person("tt", "Thanh tra", inspector=True)
BOTH = Person("ph", "Phó hiệu trưởng kiêm quản trị", board=True, manager=True)
EVERYBODY = (ASKER, COLLEAGUE, BOARD, MANAGER, INSPECTOR, BOTH)

MAY: dict[str, dict[str, set[str]]] = {
    "SUBMITTED": {"forward": {"qt", "ph"}, "turn down": {"qt", "ph"}, "withdraw": {"gv"}},
    "FORWARDED": {"approve": {"ht", "ph"}, "refuse": {"ht", "ph"}, "withdraw": {"gv"}},
    "APPROVED": {"witness": {"gv", "qt", "ht", "tt", "ph"}, "withdraw": {"gv"}, "relock": {"ht", "ph"}},
    "UNLOCKED": {"correct": {"gv"}, "relock": {"ht", "ph"}},
    "DONE": {},
    "REFUSED": {},
    "WITHDRAWN": {},
    "RELOCKED": {},
}
"""State → act → the codes of those who may; what does not stand here is refused."""


def request(state: str = "SUBMITTED", **changes: Any) -> dict[str, Any]:
    return {"state": state, "open": state in states.OPEN, "asked_by": "gv", "witnesses": {}, "history": [], **changes}


CASES = [(state, act, person) for state, act, person in itertools.product(MAY, states.MOVES, EVERYBODY)]


@pytest.mark.parametrize(("state", "act", "person"), CASES, ids=lambda value: getattr(value, "code", value))
def test_everybody_may_do_exactly_what_the_table_says(state: str, act: str, person: Person) -> None:
    allowed = person.code in MAY[state].get(act, set())
    assert (act in states.acts_open(request(state), person)) is allowed
    if allowed:
        assert states.moved(request(state), act, person, at=AT)["history"][-1]["by"] == person.code
    else:
        with pytest.raises(Refused) as refused:
            states.moved(request(state), act, person, at=AT)
        assert refused.value.refusal in {FORBIDDEN, WRONG_STEP, OWN_REQUEST, ALREADY_WITNESSED}


def test_nobody_approves_or_refuses_an_own_request_not_even_a_manager() -> None:
    teaching_manager = Person("gv", "Phó hiệu trưởng dạy Toán", manager=True)
    for act in (states.APPROVE, states.REFUSE):
        with pytest.raises(Refused) as refused:
            states.moved(request("FORWARDED"), act, teaching_manager, at=AT)
        assert refused.value.refusal is OWN_REQUEST


def test_the_unlock_needs_all_four_parties_in_any_order() -> None:
    for order in itertools.permutations((ASKER, BOARD, MANAGER, INSPECTOR)):
        at_hand = request("APPROVED")
        for number, person in enumerate(order, start=1):
            at_hand = states.moved(at_hand, states.WITNESS, person, at=AT)
            assert at_hand["state"] == ("UNLOCKED" if number == 4 else "APPROVED")
        assert {p: w["by"] for p, w in at_hand["witnesses"].items()} == {
            "management": "ht",
            "board": "qt",
            "inspection": "tt",
            "asker": "gv",
        }


def test_one_person_stands_for_one_party_only_even_with_two_roles() -> None:
    first = states.moved(request("APPROVED"), states.WITNESS, BOTH, at=AT, party="board")
    assert states.parties_open(first, BOTH) == []
    with pytest.raises(Refused) as refused:
        states.moved(first, states.WITNESS, BOTH, at=AT, party="management")
    assert refused.value.refusal is ALREADY_WITNESSED


def test_the_asker_witnesses_as_the_asker_alone_whatever_else_they_are() -> None:
    asking_board = Person("gv", "Giáo viên kiêm quản trị", board=True, manager=True, inspector=True)
    assert states.parties_open(request("APPROVED"), asking_board) == ["asker"]
    with pytest.raises(Refused):
        states.moved(request("APPROVED"), states.WITNESS, asking_board, at=AT, party="board")


def test_a_party_that_has_its_witness_takes_no_second_one() -> None:
    first = states.moved(request("APPROVED"), states.WITNESS, MANAGER, at=AT)
    second_manager = Person("ht2", "Phó hiệu trưởng", manager=True)
    with pytest.raises(Refused) as refused:
        states.moved(first, states.WITNESS, second_manager, at=AT)
    assert refused.value.refusal is ALREADY_WITNESSED


def test_taking_back_and_locking_again_are_never_what_a_request_waits_for() -> None:
    assert not states.awaits(request("SUBMITTED"), ASKER)
    assert not states.awaits(request("UNLOCKED"), MANAGER)
    assert states.awaits(request("SUBMITTED"), BOARD)
    assert states.awaits(request("UNLOCKED"), ASKER)


def test_every_state_and_act_and_party_has_vietnamese_words() -> None:
    assert set(states.WORDS) == set(MAY)
    assert set(states.MOVES) | {"ask"} == set(states.ACT_WORDS)


class Procedure(RuleBasedStateMachine):
    """Six people try every act on one request; an independent count of who did what says what must have happened."""

    def __init__(self) -> None:
        super().__init__()
        self.at_hand: dict[str, Any] = request()
        self.done: list[tuple[str, str]] = []

    @rule(person=st.sampled_from(EVERYBODY), act=st.sampled_from(sorted(states.MOVES)), party=st.sampled_from(["", *states.PARTIES]))
    def somebody_tries(self, person: Person, act: str, party: str) -> None:
        before = dict(self.at_hand)
        try:
            self.at_hand = states.moved(self.at_hand, act, person, at=AT, party=party)
        except Refused:
            assert self.at_hand == before
        else:
            self.done.append((act, person.code))

    @invariant()
    def what_was_done_is_all_in_the_history(self) -> None:
        assert [(h["act"], h["by"]) for h in self.at_hand["history"]] == self.done

    @invariant()
    def data_is_unlocked_only_after_board_principal_and_four_witnesses(self) -> None:
        if self.at_hand["state"] in {"UNLOCKED", "DONE"}:
            acts = [act for act, _ in self.done]
            assert acts.count("forward") == acts.count("approve") == 1
            assert acts.count("witness") == 4
            witnesses = [by for act, by in self.done if act == "witness"]
            assert len(set(witnesses)) == 4
            assert {"gv", "tt"} <= set(witnesses)
            assert ("approve", "gv") not in self.done

    @invariant()
    def an_ended_request_stays_ended(self) -> None:
        ends = [at for at, (act, _) in enumerate(self.done) if act in {"turn down", "refuse", "correct", "withdraw", "relock"}]
        assert ends in ([], [len(self.done) - 1])
        assert self.at_hand["open"] is (not ends)


TestProcedure = Procedure.TestCase
TestProcedure.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
