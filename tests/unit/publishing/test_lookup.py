"""Menu 2.9: how what the gateway holds differs from what this system knows. And how far a sending has come."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.publishing import lookup, progress
from services.publishing.lookup import Criteria, Held, compared, missing

AT = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def held(uuid: str = "t-1", **more: Any) -> Held:
    told: dict[str, Any] = {"uuid": uuid, "version": 1, "status": "ACCEPTED", "schoolYear": "2025-2026", "className": "5A", "grade": 5}
    told |= {"pupilCode": "p-1", "pupilName": "Đỗ Thị Đào", "personalId": None, "sender": "hocba", "acceptedAt": AT}
    return Held.model_validate({**told, **more})


def own(uuid: str = "t-1", **more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"_id": uuid, "version": 1, "state": "ACCEPTED", "submission": "s", "history": [{}], "year": "2025-2026"}
    known |= {"class_code": "5A", "grade": 5, "pupil_code": "p-1", "pupil_name": "Đỗ Thị Đào", "decided_at": AT}
    return {**known, **more}


@pytest.mark.parametrize(
    ("known", "difference"),
    [
        (own(), lookup.SAME),
        (None, lookup.ELSEWHERE),
        (own(state="NOT_SENT", submission=None, history=[]), lookup.ELSEWHERE),
        (own(version=2), lookup.OTHER_VERSION),
        (own(state="REJECTED"), lookup.OTHER_STATE),
        (own(state="SENT"), lookup.OTHER_STATE),
    ],
)
def test_each_found_transcript_is_compared_with_the_own_record(known: dict[str, Any] | None, difference: str) -> None:
    (row,) = compared([held()], {"t-1": known} if known else {})
    assert (row["difference"], row["state_name"]) == (difference, "Đã tiếp nhận")


def test_what_is_accepted_here_and_not_held_there_is_named_within_the_same_search() -> None:
    records = [own("t-1"), own("t-2"), own("t-3", state="REJECTED"), own("t-4", class_code="4A", grade=4)]

    def lost(**asked: Any) -> list[str]:
        return [row["uuid"] for row in missing(Criteria(**asked), [held("t-1")], records)]

    assert lost() == ["t-2", "t-4"]
    assert lost(class_code="5A") == lost(grade=5) == ["t-2"]
    assert lost(name="dao") == ["t-2", "t-4"]
    assert lost(name="an") == lost(personal_id="031215001234") == lost(year="2024-2025") == []


def sent(state: str, *, sending: str = "new", at: dt.datetime = AT) -> dict[str, Any]:
    return {"state": state, "sending": sending, "requested_at": at}


def test_the_panel_tells_how_many_of_the_latest_sending_are_packed_passed_on_and_answered() -> None:
    older = sent("ACCEPTED", sending="old", at=AT - dt.timedelta(days=1))
    rows = [older, sent("REQUESTED"), sent("PACKED"), sent("SENT"), sent("ACCEPTED"), sent("REJECTED")]
    panel = progress.of_latest(rows, "/x", "học bạ", AT)
    assert panel is not None
    assert panel.message == "Đã đóng gói 4, đã chuyển đến Cổng tiếp nhận 3, đã có kết quả 2 trong 5 học bạ."
    assert (panel.total, panel.done, panel.failed, panel.waiting, panel.running) == (5, 1, 1, 3, True)


def test_the_panel_goes_an_hour_after_a_sending_that_has_ended_and_stays_with_one_that_has_not() -> None:
    later = AT + dt.timedelta(hours=2)
    assert progress.of_latest([], "/x", "học bạ", AT) is None
    assert progress.of_latest([sent("ACCEPTED")], "/x", "học bạ", later) is None
    assert progress.of_latest([sent("SENT")], "/x", "học bạ", later) is not None
    ended = progress.of_latest([sent("REJECTED")], "/x", "học bạ", AT)
    assert ended is not None
    assert (ended.running, ended.outcome) == (False, "danger")
