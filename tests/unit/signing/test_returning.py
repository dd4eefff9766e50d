"""Sending a transcript back, and what becomes of its task. Plain data, no stores."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.events.records import CancellationRefusedV1
from contracts.events.signing import TranscriptReturnedV1
from services.chassis.errors import Refused
from services.signing.returning import reason_of
from services.signing.tasks import (
    CANCELLED,
    DONE,
    RETURNED,
    SEALING,
    Task,
    at_step,
    dropped,
    given_back,
    new_task,
    reopened,
    signed,
    why_not,
)
from tests.unit.signing.test_policies_and_tasks import HOMEROOM, LEADER, MUSIC, SPORT, created, fact_of

AT = dt.datetime(2026, 5, 28, 8, 0, tzinfo=dt.UTC)
SCHOOL = "31300001"
REASON = "Điểm môn Toán chưa đúng với sổ điểm."
REFUSED = CancellationRefusedV1(school=SCHOOL, class_code="1A", reason="Đã đối chiếu, không có sai sót.", refused_at=AT)
SIGNER = {"subjects": MUSIC, "homeroom": HOMEROOM, "leader": LEADER, "issue": "31300001004"}


def task(step: str = "subjects") -> Task:
    return at_step(new_task(created()), step)


def returned(at: Task, step: str, person: str, **more: Any) -> Task:
    values: dict[str, Any] = {"school": SCHOOL, "name": "N", "reason": REASON, "at": AT, **more}
    return given_back(at, step=step, person=person, **values).document


@pytest.mark.parametrize("step", sorted(SIGNER))
def test_whoever_it_waits_for_sends_it_back_at_every_step_and_nobody_can_sign_it_then(step: str) -> None:
    change = given_back(task(step), school=SCHOOL, step=step, person=SIGNER[step], name="N", reason=REASON, at=AT)
    (fact,) = change.facts
    assert isinstance(fact, TranscriptReturnedV1)
    assert (fact.step, fact.by, fact.reason) == (step, SIGNER[step], REASON)
    assert (change.document["step"], change.document["waiting"]) == (RETURNED, [])
    for again in sorted(SIGNER):
        assert why_not(change.document, school=SCHOOL, step=again, person=SIGNER[again]) is not None


@pytest.mark.parametrize("step", sorted(SIGNER))
def test_after_a_refused_cancellation_signing_goes_on_where_it_was(step: str) -> None:
    before = task(step)
    after = reopened(returned(before, step, SIGNER[step]), REFUSED)
    assert (after["step"], after["waiting"], after["answer"]) == (step, before["waiting"], REFUSED.reason)
    assert why_not(after, school=SCHOOL, step=step, person=SIGNER[step]) is None


def test_signatures_of_others_in_the_parallel_step_stand_when_it_is_reopened() -> None:
    half = signed(task(), MUSIC, "subjects", fact_of(MUSIC, "subjects"), "s-1")
    after = reopened(returned(half, "subjects", SPORT), REFUSED)
    assert after["waiting"] == [SPORT]
    assert [s["person"] for s in after["signatures"]] == [MUSIC]
    done = signed(after, SPORT, "subjects", fact_of(SPORT, "subjects"), "s-2")
    assert done["step"] == "assembling"


@pytest.mark.parametrize("claimed_by", [MUSIC, SPORT, "school"])
def test_while_any_signature_of_it_is_on_its_way_it_is_not_sent_back(claimed_by: str) -> None:
    with pytest.raises(Refused, match="HB-SIG-007"):
        returned({**task(), "claims": {claimed_by: "b-1"}}, "subjects", MUSIC)


def test_whoever_has_signed_or_has_no_part_in_it_cannot_send_it_back() -> None:
    half = signed(task(), MUSIC, "subjects", fact_of(MUSIC, "subjects"), "s-1")
    for person, step in ((MUSIC, "subjects"), (LEADER, "subjects"), (LEADER, "leader"), (SPORT, "homeroom")):
        with pytest.raises(Refused, match="HB-SIG-006"):
            returned(half, step, person)
    with pytest.raises(Refused, match="HB-SIG-006"):
        returned(half, "subjects", SPORT, school="31300002")


def test_signers_learn_why_it_is_closed_and_others_learn_nothing() -> None:
    back = returned(task("leader"), "leader", LEADER)
    assert getattr(why_not(back, school=SCHOOL, step="leader", person=LEADER), "code", "") == "HB-SIG-018"
    assert getattr(why_not(dropped(back), school=SCHOOL, step="leader", person=LEADER), "code", "") == "HB-SIG-019"
    assert getattr(why_not(back, school=SCHOOL, step="leader", person=MUSIC), "code", "") == "HB-SIG-006"
    assert getattr(why_not(back, school="31300002", step="leader", person=LEADER), "code", "") == "HB-SIG-006"


def test_a_second_return_of_the_same_transcript_is_refused_with_its_state() -> None:
    with pytest.raises(Refused, match="HB-SIG-018"):
        returned(returned(task("leader"), "leader", LEADER), "leader", LEADER)


def test_what_stood_still_is_tried_again_at_its_step() -> None:
    still = {**task(SEALING), "stopped": {"code": "HB-SIG-016", "reason": "r", "action": "a"}}
    after = reopened(still, REFUSED)
    assert (after["step"], after["stopped"]) == (SEALING, None)


@pytest.mark.parametrize("step", [RETURNED, SEALING, DONE])
def test_a_cancelled_task_keeps_its_signatures_and_is_not_reopened(step: str) -> None:
    before = {**task(step), "signatures": [{"id": "s-1"}], "signed_by": ["leader:x"]}
    after = dropped(before)
    assert (after["step"], after["waiting"], after["claims"]) == (CANCELLED, [], {})
    assert after["signatures"] == before["signatures"]
    assert reopened(after, REFUSED)["step"] == CANCELLED


@pytest.mark.parametrize("text", ["", "chín ký", "\u200b" * 30, "a" * 501])
def test_a_return_without_a_readable_reason_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="HB-SIG-020"):
        reason_of(text)
