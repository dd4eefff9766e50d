"""The read model: whatever order events, snapshots and rebuildings come in, rows and counters say what the owner says."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.district.model.counting import Tally, settled, shares_of_class, shares_of_summary, shares_of_transcript

STATES = ("AWAITING_HOMEROOM", "SIGNED", "CONFIRMED", "SUBMITTED", "REJECTED", "ACCEPTED", "CANCELLED")
MOMENT = dt.datetime(2026, 5, 28, 20, 30, tzinfo=dt.UTC)
"""The 29th, half past three in the morning, in Vietnam."""
DATES = ("created_at", "signed_at", "confirmed_at", "submitted_at", "decided_at")


def transcript(state: str, **more: Any) -> dict[str, Any]:
    return {"school": "1", "year": "2025-2026", "grade": 5, "state": state, **dict.fromkeys(DATES, MOMENT), **more}


def counted(row: dict[str, Any]) -> dict[str, int]:
    return {f"{s.collection}.{s.field}": s.number for s in shares_of_transcript(row)}


def increments(tally: Tally) -> dict[str, dict[str, int]]:
    """By counter document, what is added to it."""
    found: dict[str, dict[str, int]] = {}
    for _, writes in tally.writes():
        for write in writes:
            change: Any = write._doc
            found[write._filter["_id"]] = change["$inc"]
    return found


class Model:
    """Rows and counters as the database would keep them."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.counters: Counter[str] = Counter()

    def take(self, subject: str, state: str, sequence: int, run: str) -> None:
        before = self.rows.get(subject)
        after = settled(before, {"_id": subject, **transcript(state)}, sequence, run)
        if after is None:
            return
        tally = Tally(shares_of_transcript)
        tally.replace(before, after)
        self.rows[subject] = after
        for counter, changed in increments(tally).items():
            for field, number in changed.items():
                self.counters[f"{counter}:{field}"] += number

    def of_state(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for key, number in self.counters.items():
            if ":states." in key:
                found[key.rpartition(".")[2]] += number
        return {state: number for state, number in found.items() if number}


told = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 8), st.sampled_from(["", "one", "two"])), max_size=40)


@given(told)
def test_counters_say_what_the_rows_say_whatever_comes_in_which_order(events: list[tuple[str, int, str]]) -> None:
    model = Model()
    for subject, sequence, run in events:
        model.take(subject, STATES[sequence % len(STATES)], sequence, run)
    assert model.of_state() == dict(Counter(row["state"] for row in model.rows.values()))
    newest = {subject: max(n for s, n, _ in events if s == subject) for subject, _, _ in events}
    assert {subject: row["seq"] for subject, row in model.rows.items()} == newest


@given(told)
def test_a_model_rebuilt_from_snapshots_equals_the_one_that_followed_events(events: list[tuple[str, int, str]]) -> None:
    followed = Model()
    for subject, sequence, _ in events:
        followed.take(subject, STATES[sequence % len(STATES)], sequence, "")
    rebuilt = Model()
    for row in followed.rows.values():
        rebuilt.take(row["_id"], row["state"], row["seq"], "again")
    assert {k: {**r, "run": ""} for k, r in rebuilt.rows.items()} == followed.rows
    assert rebuilt.of_state() == followed.of_state()


def test_an_event_told_twice_counts_once() -> None:
    model = Model()
    for _ in range(2):
        model.take("a", "SIGNED", 3, "")
    assert model.of_state() == {"SIGNED": 1}


def test_what_is_older_than_the_row_keeps_it_but_carries_it_into_the_new_building() -> None:
    before = {"_id": "a", "state": "ACCEPTED", "seq": 9, "run": "one"}
    after = settled(before, {"_id": "a", "state": "SIGNED"}, 7, "two")
    assert after == {**before, "run": "two"}
    assert settled(before, {"_id": "a", "state": "SIGNED"}, 7, "one") is None


def test_a_snapshot_of_the_same_sequence_replaces_a_row_of_an_earlier_building_alone() -> None:
    damaged = {"_id": "a", "state": "NONSENSE", "seq": 9, "run": "one"}
    assert settled(damaged, {"_id": "a", "state": "ACCEPTED"}, 9, "one") is None
    mended = settled(damaged, {"_id": "a", "state": "ACCEPTED"}, 9, "two")
    assert mended is not None
    assert mended["state"] == "ACCEPTED"


def test_milestones_are_counted_by_day_and_hour_of_vietnam() -> None:
    days = [s for s in shares_of_transcript(transcript("ACCEPTED")) if s.collection == "days"]
    assert {dict(s.of)["day"] for s in days} == {"2026-05-29"}
    assert {s.field for s in days} == {
        f"{m}.{f}" for m in ("created", "signed", "confirmed", "submitted", "accepted") for f in ("all", "h03")
    }


def test_a_milestone_counts_only_while_the_transcript_stands_there() -> None:
    assert set(counted(transcript("SIGNED"))) == {
        "counts.states.SIGNED",
        *(f"days.{m}.{f}" for m in ("created", "signed") for f in ("all", "h03")),
    }
    assert "days.accepted.all" not in counted(transcript("REJECTED"))
    assert "days.submitted.all" in counted(transcript("REJECTED"))
    assert set(counted(transcript("CANCELLED"))) == {"counts.states.CANCELLED"}
    assert "days.confirmed.all" not in counted(transcript("CONFIRMED", confirmed_at=None))


def test_a_class_that_grows_adds_the_difference_alone() -> None:
    tally = Tally(shares_of_class)
    row = {"school": "1", "year": "2025-2026", "grade": 5, "run": "", "refused": 1}
    tally.replace({**row, "pupils": 30}, {**row, "pupils": 32})
    assert increments(tally) == {"|1|2025-2026|5": {"pupils": 2}}


def test_rows_from_before_counters_were_kept_are_not_taken_off_them() -> None:
    tally = Tally(shares_of_transcript)
    tally.replace(transcript("SIGNED"), {**transcript("CONFIRMED"), "run": ""})
    assert increments(tally)["|1|2025-2026|5"] == {"states.CONFIRMED": 1}


def test_a_move_that_changes_no_number_writes_no_counter() -> None:
    tally = Tally(shares_of_transcript)
    row = {**transcript("SIGNED"), "run": ""}
    tally.replace(row, dict(row))
    assert list(tally.writes()) == []


def test_a_class_summary_counts_beside_the_transcripts_and_moves_from_state_to_state() -> None:
    before, after = ({"school": "1", "year": "2025-2026", "grade": 5, "state": s, "run": ""} for s in ("SIGNED", "CONFIRMED"))
    tally = Tally(shares_of_summary)
    tally.replace(before, after)
    assert increments(tally) == {"|1|2025-2026|5": {"summaries.SIGNED": -1, "summaries.CONFIRMED": 1}}
