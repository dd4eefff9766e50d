"""Deciding on requests to withdraw (menu 6.5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.district import WithdrawalDecidedV1
from contracts.events.publishing import WithdrawalPendingV1
from services.chassis.errors import Refused
from services.district.withdrawals import rules

NOW = dt.datetime(2026, 6, 12, 3, 0, tzinfo=dt.UTC)
OFFICER = Principal(person="031-cb01", name="Cán bộ Phòng", roles=frozenset({Role.OFFICER}), unit="031")


def request(**changes: Any) -> dict[str, Any]:
    fact = WithdrawalPendingV1(
        transcript="t-1",
        school="31300001",
        year="2025-2026",
        class_code="1A",
        grade=1,
        version=1,
        pupil_code="312500100001",
        pupil_name="Nguyễn Văn An",
        kind="transcript",
        reason="Sai điểm môn Toán",
        by="31300001003",
        by_name="Trần Quản Trị",
        sealed_by="31300001004",
        sealed_by_name="Lê Thị Ký",
        sent_at=NOW,
        signed=DocumentRef(bucket="signing", key="k.xml", sha256="0" * 64, size=1),
    )
    event = Event[WithdrawalPendingV1](type="WithdrawalPendingV1", subject="r-1", sequence=3, occurred_at=NOW, actor="records", data=fact)
    return {**rules.pending(event, {"name": "Trường Tiểu học Mẫu", "path": ["01", "031"]}), **changes}


def test_a_request_belongs_to_the_branch_that_is_responsible_for_its_school() -> None:
    made = request()
    assert made["path"] == ["01", "031"]
    assert "nguyen van an" in made["search"]
    assert rules.wanted("031", {"grade": "1", "name": "Văn", "state": "pending"}) == {
        "path": "031",
        "state": "pending",
        "grade": 1,
        "search": {"$regex": "van"},
    }


@pytest.mark.parametrize("approved", [True, False])
def test_a_decision_is_told_with_unit_officer_and_reason(approved: bool) -> None:
    reason = "" if approved else "Thông tin trên học bạ đã đúng"
    change = rules.decided(request(), approved=approved, reason=reason, by=OFFICER, at=NOW)
    [fact] = change.facts
    assert isinstance(fact, WithdrawalDecidedV1)
    assert (fact.approved, fact.unit, fact.by_name, fact.reason) == (approved, "031", "Cán bộ Phòng", reason)
    assert change.document["state"] == (rules.APPROVED if approved else rules.REFUSED)


@pytest.mark.parametrize("state", [rules.APPROVED, rules.WITHDRAWN, rules.REFUSED, rules.RECALLED])
def test_what_does_not_wait_any_more_is_not_decided_again(state: str) -> None:
    with pytest.raises(Refused, match="HB-DIS-020"):
        rules.decided(request(state=state), approved=True, reason="", by=OFFICER, at=NOW)


@pytest.mark.parametrize("key", ["by", "sealed_by"])
def test_nobody_decides_on_a_request_that_they_made_or_signed(key: str) -> None:
    with pytest.raises(Refused, match="HB-DIS-022"):
        rules.decided(request(**{key: OFFICER.person}), approved=True, reason="", by=OFFICER, at=NOW)


@pytest.mark.parametrize("reason", ["", "không", "\u200b" * 30, "x" * 501])
def test_a_refusal_needs_a_reason_that_can_be_read(reason: str) -> None:
    with pytest.raises(Refused, match="HB-DIS-021"):
        rules.reason_of(reason)


def test_a_filter_that_nobody_offers_finds_the_whole_branch_and_no_more() -> None:
    assert rules.wanted("031", {"state": "everything", "grade": "x", "unit": "01"}) == {"path": "031"}


def test_what_waited_longest_comes_first_and_the_newest_of_what_is_decided() -> None:
    assert rules.ordering({"state": "pending"})[0] == ("sent_at", 1)
    assert rules.ordering({"state": "refused"})[0] == ("sent_at", -1)
    assert rules.ordering({"sort": "school", "order": "desc"})[0] == ("school_name", -1)
