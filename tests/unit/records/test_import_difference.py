"""What an import would change: every row once, with before and after, and what is left out with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.records.imports.difference import HAS_TRANSCRIPT, PEOPLE, Difference, Row, Stored, base_of, difference_of
from services.records.imports.preview import Preview, preview
from services.records.locks.locking import Locks
from services.records.schoolyear import SecondaryResult
from tests.unit.records.import_files import Files, made, with_cell, with_result

TH, _ = made("TH", pupils=3)
THCS, _ = made("THCS", pupils=3)
FIRST = "312500100001"


def stored_by(difference: Difference, locks: Locks | None = None) -> Stored:
    """The state after everything that the plan says was written onto nothing."""
    plan = difference.plan
    assert plan.people
    writes = [write for part in plan.pupils.values() for write in part]
    return Stored(
        school=plan.people.school.model_dump(mode="json"),
        assignments=[each.model_dump(mode="json") for each in plan.people.assignments],
        staff={each.code: each.model_dump(mode="json") for each in plan.people.staff},
        classes={code: {"code": code, "data": c.data, "pupils": c.pupils, "refused": c.refused} for code, c in plan.classes.items()},
        pupils={write.code: write.after for write in writes if write.after},
        locks=locks or Locks(),
    )


def seen(files: Files) -> Preview:
    found = preview(files)
    assert not found.blocked
    return found


def stored(files: Files, **locks: Any) -> Stored:
    return stored_by(difference_of(seen(files), Stored()), Locks(**locks))


def rows(files: Files, before: Stored, *states: str) -> list[Row]:
    return [row for row in difference_of(seen(files), before).rows if not states or row.state in states]


def different(files: Files, before: Stored) -> list[Row]:
    return [row for row in difference_of(seen(files), before).rows if row.state != "unchanged"]


@pytest.mark.parametrize("files", [TH, THCS])
def test_the_first_import_is_all_new_and_the_second_has_nothing_to_write(files: Files) -> None:
    first = difference_of(seen(files), Stored())
    assert {row.state for row in first.rows} == {"new"}
    assert first.plan.parts[0] == PEOPLE
    again = difference_of(seen(files), stored_by(first))
    assert {row.state for row in again.rows} == {"unchanged"}
    assert again.plan.parts == []
    assert len(again.rows) == len(first.rows)


def test_a_changed_profile_writes_its_pupil_and_class_alone() -> None:
    after = with_cell(TH, "Học sinh", 2, "Họ tên", "Lê Văn Mới")
    found = difference_of(seen(after), stored(TH))
    [row] = [row for row in found.rows if row.state == "changed"]
    assert (row.key, [(c.field, c.after) for c in row.changes]) == (FIRST, [("Họ tên", "Lê Văn Mới")])
    assert (found.plan.people, found.plan.parts) == (None, [row.class_code])
    assert [write.code for write in found.plan.pupils[row.class_code]] == [FIRST]


def test_a_changed_mark_is_named_by_its_subject_and_column() -> None:
    after = with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Nhận xét"), "Khác trước.")
    [row] = different(after, stored(TH))
    assert [(c.field, c.after) for c in row.changes] == [("Toán: Nhận xét", "Khác trước.")]


def test_a_changed_teacher_changes_staff_and_no_pupil() -> None:
    after = with_cell(TH, "Cán bộ", 5, "Điện thoại", "0911222333")
    found = difference_of(seen(after), stored(TH))
    [row] = [row for row in found.rows if row.state != "unchanged"]
    assert (row.kind, row.changes[0].field) == ("staff", "Điện thoại")
    assert found.plan.parts == [PEOPLE]


def test_another_homeroom_teacher_is_told_to_those_who_know_the_staff() -> None:
    other = seen(TH).classes[1].homeroom
    found = difference_of(seen(with_cell(TH, "Lớp", 2, "Giáo viên chủ nhiệm", other)), stored(TH))
    assert found.plan.people is not None
    assert set(found.plan.people.homerooms[other]) == {"1A", "2A"}


def test_results_of_a_finalised_class_are_left_out_while_the_profile_changes() -> None:
    after = with_cell(TH, "Học sinh", 2, "Quê quán", "Nam Định")
    after = with_result(after, "ket_qua/1A.xlsx", 4, ("Toán", "Nhận xét"), "Khác trước.")
    [row] = different(after, stored(TH, finalised=frozenset({"1A"})))
    assert (row.state, [c.field for c in row.changes], [c.field for c in row.left]) == ("changed", ["Quê quán"], ["Toán: Nhận xét"])
    assert "khóa dữ liệu" in row.reason
    found = difference_of(seen(after), stored(TH, finalised=frozenset({"1A"})))
    [write] = found.plan.pupils["1A"]
    assert write.after is not None
    assert write.after["result"] == stored(TH).pupils[FIRST]["result"]
    assert write.after["data"]["home_town"] == "Nam Định"


@pytest.mark.parametrize("allowed", [{"incomplete": frozenset({FIRST})}, {"corrections": {FIRST: "UNLOCKED"}}])
def test_what_is_incomplete_or_unlocked_for_a_correction_may_change(allowed: dict[str, Any]) -> None:
    after = with_result(TH, "ket_qua/1A.xlsx", 4, ("Toán", "Nhận xét"), "Khác trước.")
    [row] = different(after, stored(TH, finalised=frozenset({"1A"}), **allowed))
    assert (row.state, row.reason) == ("changed", "")


def test_the_profile_of_a_pupil_with_a_live_transcript_stays() -> None:
    [row] = different(with_cell(TH, "Học sinh", 2, "Quê quán", "Nam Định"), stored(TH, transcripts=frozenset({FIRST})))
    assert (row.state, row.live, [c.field for c in row.left]) == ("left_out", True, ["Quê quán"])


def reassessed() -> tuple[Files, Files, str]:
    """A school with a pupil who has to be assessed again, in June and in August; and the pupil."""
    june, july = THCS, THCS
    for subject in ("Toán", "Ngữ văn", "Tin học"):
        for leaf in ("HKI", "HKII", "CN"):
            june = with_result(june, "ket_qua/6A.xlsx", 3, (subject, leaf), 3)
    for path in (("Kết quả học tập", leaf) for leaf in ("HKI", "HKII", "CN")):
        june = with_result(june, "ket_qua/6A.xlsx", 3, path, "Chưa đạt")
    june = with_result(with_result(june, "ket_qua/6A.xlsx", 3, ("Lên lớp",), ""), "ket_qua/6A.xlsx", 3, ("Danh hiệu",), "")
    july = june
    for subject in ("Toán", "Ngữ văn", "Tin học"):
        july = with_result(july, "ket_qua/6A.xlsx", 3, (subject, "Sau đánh giá lại"), "5,5")
    return june, with_result(july, "ket_qua/6A.xlsx", 3, ("Lên lớp",), "x"), seen(june).pupils[0].code


def test_values_after_the_summer_go_into_a_locked_result_and_only_into_the_next_version_of_a_transcript() -> None:
    june, august, code = reassessed()
    locks = {"finalised": frozenset({"6A"}), "transcripts": frozenset({code})}
    found = difference_of(seen(august), stored(june, **locks))
    [row] = [row for row in found.rows if row.state != "unchanged"]
    assert (row.state, row.live, row.left) == ("changed", True, ())
    assert {c.field for c in row.changes} >= {"Toán: Sau đánh giá lại", "Lên lớp"}
    assert HAS_TRANSCRIPT in row.reason
    [write] = found.plan.pupils["6A"]
    assert write.after is not None
    result = SecondaryResult.model_validate(write.after["result"])
    assert next(s for s in result.subjects if s.name == "Toán").reassessed == "5.5"


def test_another_mark_beside_the_values_after_the_summer_leaves_the_whole_result_out() -> None:
    june, august, _ = reassessed()
    august = with_result(august, "ket_qua/6A.xlsx", 3, ("Giáo dục công dân", "CN"), 1)
    [row] = different(august, stored(june, finalised=frozenset({"6A"})))
    assert (row.state, row.changes) == ("left_out", ())


def test_a_summers_result_that_contradicts_itself_does_not_open_the_data_lock() -> None:
    june, _, _ = reassessed()
    moved_up = with_result(june, "ket_qua/6A.xlsx", 3, ("Lên lớp",), "x")
    [row] = different(moved_up, stored(june, finalised=frozenset({"6A"})))
    assert (row.state, [c.field for c in row.left]) == ("left_out", ["Lên lớp"])


def test_after_the_final_lock_nothing_changes_and_every_row_says_why() -> None:
    after = with_cell(with_cell(TH, "Học sinh", 2, "Quê quán", "Một"), "Cán bộ", 5, "Điện thoại", "0911222333")
    found = difference_of(seen(after), stored(TH, final=True))
    left = [row for row in found.rows if row.state != "unchanged"]
    assert {(row.kind, row.state) for row in left} == {("pupil", "left_out"), ("staff", "left_out")}
    assert all(row.reason for row in left)
    assert found.plan.people is None


def test_a_finalised_class_is_not_opened_again_by_an_import() -> None:
    [row] = different(with_cell(TH, "Lớp", 2, "Hoàn thành tổng kết", ""), stored(TH, finalised=frozenset({"1A"})))
    assert (row.kind, row.state, [c.field for c in row.left]) == ("class", "left_out", ["Hoàn thành tổng kết"])


def test_a_pupil_whose_row_cannot_be_used_keeps_what_is_stored() -> None:
    found = difference_of(seen(with_cell(TH, "Học sinh", 2, "Ngày sinh", "31/02/2019")), stored(TH))
    [row] = [row for row in found.rows if row.state != "unchanged"]
    assert (row.key, row.state) == (FIRST, "left_out")
    assert "31/02/2019" in row.reason
    assert found.plan.parts == []


def test_a_pupil_who_is_not_stored_and_cannot_be_used_is_listed_with_the_reason() -> None:
    found = difference_of(seen(with_cell(TH, "Học sinh", 2, "Ngày sinh", "31/02/2019")), Stored())
    [write] = [write for write in found.plan.pupils["1A"] if write.code == FIRST]
    assert write.after is not None
    assert (write.after["data"], write.after["missing"][0]["field"]) == (None, "Ngày sinh")


def test_the_base_changes_with_the_shown_rows_and_with_what_is_finalised() -> None:
    before = stored(TH)
    found = rows(TH, before)
    assert base_of(found, before) == base_of(rows(TH, before), before)
    finalised = replace(before, locks=Locks(finalised=frozenset({"1A"})))
    assert len({base_of(found, before), base_of(found, finalised), base_of(found[1:], before)}) == 3
