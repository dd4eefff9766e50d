"""Who holds up what: rows from what waits. The aggregation itself is tried on a real database."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.records.progress.rules import class_rows, people_rows, pupil_rows, waited_days
from services.records.transcripts.states import State

SUBJECTS, LEADER, ISSUE = State.AWAITING_SUBJECT_TEACHERS.value, State.AWAITING_LEADER.value, State.AWAITING_ISSUE.value
NAMES = {"gv1": "Trần Ước", "gv2": "Lê Ánh", "ht": "Ngô Tâm"}
DAYS = [dt.datetime(2026, 5, day, tzinfo=dt.UTC) for day in range(1, 30)]


def waits(code: str, state: str, person: str, count: int, since: int) -> dict[str, Any]:
    return {"class": code, "state": state, "person": person, "count": count, "since": DAYS[since]}


def a_class(code: str, **states: int) -> dict[str, Any]:
    return {"code": code, "name": code, "grade": 5, "pupils": 32, "states": {"NOT_CREATED": 1, **states}}


def test_a_class_counts_every_transcript_once_and_every_person_it_waits_for() -> None:
    classes = [a_class("5A", AWAITING_SUBJECT_TEACHERS=10, AWAITING_LEADER=2, RETURNED=1, SIGNED=3, ACCEPTED=4)]
    waiting = [waits("5A", SUBJECTS, "gv1", 10, 5), waits("5A", SUBJECTS, "gv2", 4, 3), waits("5A", LEADER, "ht", 2, 7)]
    [row] = class_rows(classes, waiting, [{"_id": "t1", "class_code": "5A"}], NAMES)
    assert row["steps"] == {SUBJECTS: 10, State.AWAITING_HOMEROOM.value: 0, LEADER: 2, ISSUE: 0}
    assert (row["not_created"], row["returned"], row["stuck"], row["done"]) == (1, 1, 1, 7)
    assert row["since"] == DAYS[3]
    assert [(p["name"], p["count"]) for p in row["people"]] == [("Trần Ước", 10), ("Lê Ánh", 4), ("Ngô Tâm", 2)]


def test_a_person_with_several_classes_stands_once_with_the_longest_wait_first() -> None:
    waiting = [waits("5A", SUBJECTS, "gv1", 3, 9), waits("5B", SUBJECTS, "gv1", 4, 8), waits("5B", LEADER, "ht", 1, 2)]
    people = people_rows(class_rows([a_class("5A"), a_class("5B")], waiting, [], NAMES))
    assert [(p["name"], p["count"], p["classes"], p["since"]) for p in people] == [
        ("Ngô Tâm", 1, ["5B"], DAYS[2]),
        ("Trần Ước", 7, ["5A", "5B"], DAYS[8]),
    ]


def test_the_issue_step_waits_for_nobody_by_name_and_an_unknown_code_stays_a_code() -> None:
    waiting = [waits("5A", ISSUE, "", 2, 1), waits("5A", SUBJECTS, "gone", 1, 1), waits("5A", SUBJECTS, "*", 1, 1)]
    [row] = class_rows([a_class("5A")], waiting, [], NAMES)
    assert {p["person"]: p["name"] for p in row["people"]} == {"": "Nhân sự ký phát hành", "gone": "gone", "*": "đang xử lý"}


def test_a_pupil_tells_what_it_waits_for_why_it_was_returned_or_why_it_stands_still() -> None:
    common = {"pupil_code": "1", "pupil_name": "An", "since": DAYS[1]}
    transcripts = [
        {"_id": "a", **common, "state": SUBJECTS, "person": ["gv1", "gv2"]},
        {"_id": "b", **common, "state": State.RETURNED.value, "person": [], "returned": {"at": DAYS[4], "reason": "Sai điểm."}},
        {"_id": "c", **common, "state": ISSUE, "person": [""]},
        {"_id": "d", **common, "state": SUBJECTS, "person": []},
    ]
    stuck = [{"_id": "c", "code": "HB-SIG-016", "reason": "Thu hồi."}, {"_id": "d", "code": "", "reason": "chữ lạ"}]
    rows = pupil_rows(transcripts, stuck, NAMES)
    assert [r["waits_for"] for r in rows] == [["Trần Ước", "Lê Ánh"], [], ["Nhân sự ký phát hành"], ["đang xử lý"]]
    assert [r["since"] for r in rows] == [DAYS[1], DAYS[4], DAYS[1], DAYS[1]]
    assert [r["problem"] for r in rows] == ["", "Sai điểm.", "HB-SIG-016: Thu hồi.", "Không tạo được bản PDF: chữ lạ"]


def test_days_of_waiting_are_whole_and_never_below_zero() -> None:
    assert waited_days(DAYS[0], DAYS[12] + dt.timedelta(hours=23)) == 12
    assert waited_days(DAYS[5], DAYS[0]) == 0
    assert waited_days(None, DAYS[0]) == 0
