"""What records tells of where a transcript is: whom it waits for, since when, and its dates."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.records.whereabouts import NEEDED, whereabouts

CREATED = dt.datetime(2026, 5, 26, 2, 0, tzinfo=dt.UTC)
SIGNED = "2026-05-27T04:00:00Z"


def transcript(state: str, level: str = "THCS", **more: Any) -> dict[str, Any]:
    content = {
        "school": {"level": level},
        "school_class": {"name": "9A", "homeroom": "h", "leader": "l"},
        "pupil": {"personal_id": "031217000001"},
        "subject_teachers": [{"staff": "t1", "name": "Lê Một"}, {"staff": "t2", "name": "Lê Hai"}, {"staff": "h", "name": "Trần Chủ"}],
        "homeroom_name": "Trần Chủ",
        "leader_name": "Ngô Trưởng",
    }
    about = {"school": "31300001", "year": "2025-2026", "class_code": "9A", "grade": 9, "state": state, "version": 1, "content": content}
    return {**about, "pupil_code": "p", "pupil_name": "Nguyễn Lan", "signatures": [], "created_at": CREATED, "sequence": 3, **more}


def signature(role: str, person: str) -> dict[str, Any]:
    return {"role": role, "person": person, "signed_at": SIGNED}


def people(document: dict[str, Any]) -> list[str]:
    return [a.person for a in whereabouts(document).awaited]


def test_each_step_names_whose_signature_is_missing() -> None:
    assert people(transcript("AWAITING_SUBJECT_TEACHERS", signatures=[signature("subjects", "t1")])) == ["t2", "h"]
    assert people(transcript("AWAITING_SUBJECT_TEACHERS", "TH")) == ["t1", "t2"]
    assert people(transcript("AWAITING_HOMEROOM")) == ["h"]
    assert people(transcript("AWAITING_LEADER")) == ["l"]
    assert people(transcript("AWAITING_ISSUE")) == [""]
    assert people(transcript("SIGNED")) == []


def test_a_step_waits_since_the_one_before_was_signed_and_a_return_since_it_came() -> None:
    later = dt.datetime(2026, 5, 27, 4, 0, tzinfo=dt.UTC)
    assert whereabouts(transcript("AWAITING_SUBJECT_TEACHERS", signatures=[signature("subjects", "t1")])).since == CREATED
    assert whereabouts(transcript("AWAITING_LEADER", signatures=[signature("homeroom", "h")])).since == later
    assert whereabouts(transcript("RETURNED", returned={"at": later})).since == later
    assert whereabouts(transcript("ACCEPTED")).since is None


def test_the_reason_of_a_refusal_is_told_only_while_it_stands() -> None:
    refused = {"code": "GW-1", "reason": "Sai ngày sinh"}
    assert whereabouts(transcript("REJECTED", refusal=refused)).refusal == "Sai ngày sinh"
    assert whereabouts(transcript("ACCEPTED", refusal=refused)).refusal == ""


def test_why_it_stands_still_is_told_while_it_waits() -> None:
    stopped = {"code": "HB-SIG-001", "reason": "Tệp hỏng"}
    assert whereabouts(transcript("AWAITING_LEADER", stopped=stopped)).problem == "HB-SIG-001: Tệp hỏng"
    assert whereabouts(transcript("AWAITING_LEADER", stopped=None)).problem == ""


def test_the_moment_of_issue_is_when_all_had_signed() -> None:
    assert whereabouts(transcript("SIGNED", signatures=[signature("issue", "s")])).signed_at == dt.datetime(
        2026, 5, 27, 4, 0, tzinfo=dt.UTC
    )


def test_of_a_class_summary_only_its_class_and_state_are_told() -> None:
    fact = whereabouts({"school": "1", "year": "2025-2026", "class_code": "5A", "grade": 5, "state": "SIGNED", "kind": "class_summary"})
    assert (fact.kind, fact.pupil_name, fact.awaited) == ("class_summary", "", ())


def test_nothing_is_read_that_a_republishing_does_not_fetch() -> None:
    fetched = {name.partition(".")[0] for name in NEEDED}
    known = {key: value for key, value in transcript("AWAITING_LEADER").items() if key in fetched}
    assert whereabouts(known) == whereabouts(transcript("AWAITING_LEADER"))
