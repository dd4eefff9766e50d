"""Locks: what they forbid, the dates around them, and who may witness."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.events.records import SchoolYearLockedV1, SchoolYearUnlockedV1
from services.chassis.errors import Refusal, Refused
from services.records.corrections.states import APPROVED, UNLOCKED
from services.records.locks import rules
from services.records.locks.dates import dates_of
from services.records.locks.errors import (
    ALREADY_LOCKED,
    BEING_CORRECTED,
    CORRECTIONS_OPEN,
    DATA_LOCKED,
    REASON_NEEDED,
    TRANSCRIPT_STANDS,
    WRONG_DATE,
    WRONG_INSPECTOR,
    YEAR_LOCKED,
)
from services.records.locks.locking import Locks, What
from services.records.schoolyear import Staff

AT = dt.datetime(2026, 6, 1, 2, tzinfo=dt.UTC)
TODAY = dt.date(2026, 6, 1)
EVERY_ACT: tuple[What, ...] = ("results", "profile", "create", "sign", "cancel", "confirm")


def lock(**changes: Any) -> dict[str, Any]:
    blank = {"_id": "s:2025-2026:lock", "school": "s", "year": "2025-2026", "locked": False, "planned_on": None, "inspector": None}
    return {**blank, "history": [], "sequence": 0, **changes}


def staff(position: str = "Giáo viên", *, administrator: bool = False) -> Staff:
    return Staff(code="gv", name="Nguyễn Văn An", personal_id="001", position=position, administrator=administrator)


@pytest.mark.parametrize("what", EVERY_ACT)
def test_after_the_final_lock_nothing_of_the_year_is_changed(what: What) -> None:
    assert Locks(final=True).why_not("5A", "hs", what=what) is YEAR_LOCKED


@pytest.mark.parametrize(
    ("locks", "what", "refusal"),
    [
        (Locks(), "results", None),
        (Locks(finalised=frozenset({"5A"})), "results", DATA_LOCKED),
        (Locks(finalised=frozenset({"5B"})), "results", None),
        (Locks(finalised=frozenset({"5A"}), incomplete=frozenset({"hs"})), "results", None),
        (Locks(finalised=frozenset({"5A"}), corrections={"hs": APPROVED}), "results", DATA_LOCKED),
        (Locks(finalised=frozenset({"5A"}), corrections={"hs": UNLOCKED}), "results", None),
        (Locks(finalised=frozenset({"5A"}), corrections={"other": UNLOCKED}), "results", DATA_LOCKED),
        (Locks(finalised=frozenset({"5A"})), "profile", None),
        (Locks(transcripts=frozenset({"hs"})), "profile", TRANSCRIPT_STANDS),
        (Locks(finalised=frozenset({"5A"})), "create", None),
        (Locks(corrections={"hs": APPROVED}), "create", BEING_CORRECTED),
        (Locks(corrections={"hs": UNLOCKED}), "confirm", BEING_CORRECTED),
        (Locks(corrections={"hs": APPROVED}), "sign", BEING_CORRECTED),
        (Locks(corrections={"hs": APPROVED}), "cancel", None),
    ],
)
def test_each_lock_forbids_just_what_it_is_for(locks: Locks, what: What, refusal: Refusal | None) -> None:
    assert locks.why_not("5A", "hs", what=what) is refusal


def test_no_refusal_of_a_lock_needs_values_to_be_told() -> None:
    for refusal in (YEAR_LOCKED, DATA_LOCKED, TRANSCRIPT_STANDS, BEING_CORRECTED):
        assert "{" not in Refused(refusal).cause


def test_without_a_day_of_its_own_the_school_goes_by_the_national_deadline() -> None:
    dates = dates_of(lock())
    assert (dates.lock, dates.last_correction, dates.late) == (dt.date(2026, 8, 20), dt.date(2026, 8, 13), False)


def test_data_is_corrected_until_a_week_before_the_planned_lock() -> None:
    dates = dates_of(lock(planned_on="2026-07-08"))
    assert dates.last_correction == dt.date(2026, 7, 1)
    assert dates_of(lock(planned_on="2026-08-21")).late


@pytest.mark.parametrize(("words", "day"), [("15/07/2026", dt.date(2026, 7, 15)), ("2026-07-15", dt.date(2026, 7, 15)), ("", None)])
def test_a_day_is_read_as_people_write_it(words: str, day: dt.date | None) -> None:
    assert rules.day_in(words, TODAY) == day


@pytest.mark.parametrize("words", ["31/05/2026", "30/02/2027", "mai", "15/07"])
def test_a_day_that_is_past_or_impossible_is_refused(words: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.day_in(words, TODAY)
    assert refused.value.refusal is WRONG_DATE


@pytest.mark.parametrize("words", ["", "  \u200b ", "a" * 501])
def test_a_reason_has_to_say_something_and_end(words: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.reason_in(words)
    assert refused.value.refusal is REASON_NEEDED


def test_locking_and_unlocking_are_told_and_stand_in_the_history() -> None:
    change = rules.locked(lock(), "Hết năm học", unfinished=0, by="ht", at=AT)
    assert [type(f) for f in change.facts] == [SchoolYearLockedV1]
    back = rules.unlocked(change.document, "Sót một lớp", by="ht", at=AT)
    assert [type(f) for f in back.facts] == [SchoolYearUnlockedV1]
    assert [(h["act"], h["reason"]) for h in back.document["history"]] == [("lock", "Hết năm học"), ("unlock", "Sót một lớp")]


def test_a_year_is_not_locked_over_an_unlocked_pupil_nor_twice() -> None:
    with pytest.raises(Refused) as refused:
        rules.locked(lock(), "Hết năm học", unfinished=2, by="ht", at=AT)
    assert refused.value.refusal is CORRECTIONS_OPEN
    with pytest.raises(Refused) as twice:
        rules.locked(lock(locked=True), "Hết năm học", unfinished=0, by="ht", at=AT)
    with pytest.raises(Refused) as open_already:
        rules.unlocked(lock(), "Sót một lớp", by="ht", at=AT)
    assert twice.value.refusal is open_already.value.refusal is ALREADY_LOCKED


def test_dates_and_witnesses_of_a_locked_year_stay_as_they_are() -> None:
    with pytest.raises(Refused) as refused:
        rules.planned(lock(locked=True), TODAY, by="ht", at=AT)
    assert refused.value.refusal is YEAR_LOCKED
    with pytest.raises(Refused) as again:
        rules.appointed(lock(locked=True), staff(), by="ht", at=AT)
    assert again.value.refusal is YEAR_LOCKED


@pytest.mark.parametrize("person", [None, staff("Hiệu trưởng"), staff("Phó Hiệu trưởng"), staff(administrator=True)])
def test_management_and_board_do_not_witness_for_the_inspection_board(person: Staff | None) -> None:
    with pytest.raises(Refused) as refused:
        rules.appointed(lock(), person, by="ht", at=AT)
    assert refused.value.refusal is WRONG_INSPECTOR


def test_a_teacher_or_clerk_is_appointed_for_the_year() -> None:
    assert rules.appointed(lock(), staff("Nhân viên văn thư"), by="ht", at=AT)["inspector"] == "gv"
