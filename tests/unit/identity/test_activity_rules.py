"""What is unusual in the activity of a school: each rule by its sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from services.identity.activity.rules import Act, Count, Finding, Known, unusual

DAY = dt.date(2026, 5, 20)
VIETNAM = dt.timezone(dt.timedelta(hours=7))
PRINCIPAL, TEACHER = "31300001001", "31300001006"


def at(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    """Vietnamese time."""
    return dt.datetime.combine(day, dt.time(hour, minute), VIETNAM)


def act(name: str, moment: dt.datetime, *, actor: str = TEACHER, subject: str | None = None, device: str = "", **details: Any) -> Act:
    key = f"identity:{moment.timestamp():.0f}{actor}"
    return Act(key, moment, actor, name, subject or actor, device, details)


def rules_of(acts: Sequence[Act], known: Known | None = None) -> list[str]:
    return [finding.rule for finding in unusual(acts, known or Known())]


def only(acts: Sequence[Act], known: Known | None = None) -> Finding:
    (finding,) = unusual(acts, known or Known())
    return finding


def failures(number: int, day: dt.date = DAY) -> list[Act]:
    return [act("password refused", at(9, n, day), actor="anonymous", subject=TEACHER) for n in range(number)]


def test_five_wrong_passwords_for_one_account_in_a_day_are_unusual() -> None:
    finding = only(failures(5))
    assert (finding.rule, finding.person) == ("failures", TEACHER)
    assert "5 lần" in finding.reason


def test_four_wrong_passwords_are_a_bad_morning() -> None:
    assert rules_of(failures(4)) == []


def test_wrong_passwords_are_counted_by_the_day_in_vietnam() -> None:
    night = [act("password refused", at(23, 56 + n), actor="anonymous", subject=TEACHER) for n in range(3)]
    next_day = failures(3, DAY + dt.timedelta(days=1))
    assert rules_of([*night, *next_day]) == []


@pytest.mark.parametrize(("hour", "unusual_hour"), [(0, True), (4, True), (5, False), (23, False), (12, False)])
def test_a_sign_in_between_midnight_and_five_is_unusual(hour: int, *, unusual_hour: bool) -> None:
    assert rules_of([act("signed in", at(hour))]) == (["night"] if unusual_hour else [])


def test_the_night_is_that_of_vietnam_and_not_of_greenwich() -> None:
    assert rules_of([act("signed in", dt.datetime(2026, 5, 20, 1, 0, tzinfo=dt.UTC))]) == []
    assert rules_of([act("signed in", dt.datetime(2026, 5, 20, 18, 0, tzinfo=dt.UTC))]) == ["night"]


def test_a_privileged_account_on_a_new_device_is_unusual_once() -> None:
    known = Known(devices={PRINCIPAL: {"Chrome trên Windows"}}, privileged=frozenset({PRINCIPAL}))
    acts = [act("signed in", at(hour), actor=PRINCIPAL, device="Safari trên iPhone") for hour in (8, 9)]
    finding = only(acts, known)
    assert (finding.rule, finding.person, finding.at) == ("device", PRINCIPAL, at(8))


def test_the_first_device_of_all_is_no_new_one() -> None:
    known = Known(privileged=frozenset({PRINCIPAL}))
    assert rules_of([act("signed in", at(8), actor=PRINCIPAL, device="Safari trên iPhone")], known) == []


def test_a_teacher_may_change_the_device() -> None:
    known = Known(devices={TEACHER: {"Chrome trên Windows"}}, privileged=frozenset({PRINCIPAL}))
    assert rules_of([act("signed in", at(8), device="Safari trên iPhone")], known) == []


def test_a_lock_out_is_unusual() -> None:
    assert only([act("sign-in locked", at(8), actor="anonymous", subject=TEACHER)]).person == TEACHER


def counts(*numbers: int, actor: str = PRINCIPAL) -> list[Count]:
    """One a day, the last on DAY."""
    days = [DAY - dt.timedelta(days=n) for n in range(len(numbers))][::-1]
    return [Count(day.isoformat(), "confirm", actor, number, at(15, 0, day)) for day, number in zip(days, numbers, strict=True)]


def test_a_bulk_act_far_above_the_usual_is_unusual() -> None:
    finding = only([], Known(counts=counts(20, 30, 25, 400), since=at(0)))
    assert (finding.rule, finding.person) == ("bulk", PRINCIPAL)
    assert "400 lần" in finding.reason
    assert "khoảng 25 lần" in finding.reason


@pytest.mark.parametrize("numbers", [(20, 30, 25, 120), (1, 1, 1, 49), (20, 400)])
def test_a_busy_day_a_small_number_and_an_unknown_usual_are_not(numbers: tuple[int, ...]) -> None:
    assert unusual([], Known(counts=counts(*numbers), since=at(0))) == []


def test_days_before_the_period_only_tell_what_is_usual() -> None:
    assert unusual([], Known(counts=counts(20, 400, 25, 30), since=at(0))) == []


def test_many_refusals_of_a_kind_in_a_day_are_unusual() -> None:
    answer = act("package answered", at(10), actor="national-gateway", rejected=["a", "b", "c"], accepted=["d"])
    assert rules_of([answer]) == []
    more = act("package answered", at(11), actor="national-gateway", rejected=["e", "f"], accepted=[])
    finding = only([answer, more])
    assert (finding.rule, finding.at) == ("refusals", at(11))
    assert "5 mục" in finding.reason


def test_refused_registrations_count_one_each() -> None:
    acts = [act("signing account decided", at(9, n), actor=PRINCIPAL, before="PENDING", after="REFUSED") for n in range(5)]
    assert rules_of(acts) == ["refusals"]
    assert rules_of([act("signing account decided", at(9, n), before="PENDING", after="APPROVED") for n in range(5)]) == []


def test_a_right_to_issue_is_shown_when_it_is_given_and_not_when_it_is_taken() -> None:
    finding = only([act("issue right set", at(9), actor=PRINCIPAL, subject=TEACHER, before=False, after=True)])
    assert (finding.rule, finding.person) == ("issue", TEACHER)
    assert rules_of([act("issue right set", at(9), before=True, after=False)]) == []


@pytest.mark.parametrize("name", ["one-time password issued", "recovery link made", "password reset"])
def test_a_new_password_for_a_privileged_account_is_unusual(name: str) -> None:
    known = Known(privileged=frozenset({PRINCIPAL}))
    assert only([act(name, at(9), actor=TEACHER, subject=PRINCIPAL)], known).person == PRINCIPAL
    assert rules_of([act(name, at(9), actor=PRINCIPAL, subject=TEACHER)], known) == []


def test_a_certificate_that_ended_is_unusual() -> None:
    watched = {"actor": "identity", "subject": TEACHER, "before": "APPROVED"}
    assert rules_of([act("signing account watched", at(9), **watched, after="REVOKED")]) == ["certificate"]
    assert rules_of([act("signing account watched", at(9), **watched, after="APPROVED")]) == []


def test_acts_after_leaving_are_unusual_once_a_day_and_those_before_are_not() -> None:
    known = Known(left={TEACHER: at(12)})
    finding = only([act("sign", at(9)), act("sign", at(13)), act("sign", at(14))], known)
    assert (finding.rule, finding.at, len(finding.acts)) == ("left", at(14), 2)


def test_the_newest_comes_first_and_asking_again_gives_the_same_ids() -> None:
    acts = [act("sign-in locked", at(8), subject=TEACHER), *failures(5), act("signed in", at(3))]
    found = unusual(acts, Known())
    assert [finding.rule for finding in found] == ["failures", "locked", "night"]
    assert [f.id for f in unusual(acts[::-1], Known())] == [f.id for f in found]
    assert len({f.id for f in found}) == 3
