"""Finalising a class: what forbids it, what is only told, and when it can be taken back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from services.chassis.errors import Refused
from services.records.finalisation.finalising import Standing, finalised, reopened, standings
from services.records.imports.preview import preview
from services.records.rules.completeness import class_missing
from services.records.schoolyear import PrimaryResult, Pupil, School, SchoolClass
from services.records.transcripts.needs import CLASS_FIELDS, of_pupil

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "an-hong"
YEAR = "2025-2026"
AT = dt.datetime(2026, 5, 28, 8, 0, tzinfo=dt.UTC)
CLASS = {"_id": "s:y:5A", "year": YEAR, "code": "5A", "data": {"name": "5A", "grade": 5, "finalised": False}}


@pytest.fixture(scope="module")
def whole() -> tuple[Pupil, PrimaryResult]:
    """A pupil of the fifth grade about whom nothing is missing."""
    files = {str(f.relative_to(SAMPLE)): f.read_bytes() for f in (SAMPLE / "ho_so_truong.xlsx", SAMPLE / "ket_qua" / "5A.xlsx")}
    seen = preview(files, school_code="31300001")
    pupil = next(p for p in seen.pupils if p.class_code == "5A")
    result = seen.results[pupil.code]
    assert isinstance(result, PrimaryResult)
    return pupil, result


def stored(pupil: Pupil | None, result: PrimaryResult | None, *missing: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": pupil.code if pupil else "p",
        "name": pupil.name if pupil else "",
        "data": pupil.model_dump(mode="json") if pupil else None,
        "result": result.model_dump(mode="json") if result else None,
        "missing": list(missing),
    }


def only(document: dict[str, Any]) -> Standing:
    [standing] = standings([document], 5, YEAR)
    return standing


def test_a_class_of_whole_results_is_finalised_by_a_person_at_a_moment(whole: tuple[Pupil, PrimaryResult]) -> None:
    after = finalised(CLASS, [stored(*whole)], by="t1", at=AT)
    assert (after["finalised_at"], after["finalised_by"]) == (AT, "t1")
    assert after["data"] == CLASS["data"]


def test_a_rating_that_contradicts_the_circular_forbids_it(whole: tuple[Pupil, PrimaryResult]) -> None:
    pupil, result = whole
    lower = next(r for r in ("Hoàn thành tốt", "Hoàn thành") if r != result.rating)
    wrong = stored(pupil, result.model_copy(update={"rating": lower}))
    assert len(only(wrong).blocking) == 1
    assert lower in only(wrong).blocking[0]
    with pytest.raises(Refused) as refused:
        finalised(CLASS, [stored(*whole), wrong], by="t1", at=AT)
    assert refused.value.code == "HB-REC-040"
    assert "1 học sinh" in refused.value.cause


def test_a_result_that_is_missing_forbids_it_and_says_why_the_import_had_none(whole: tuple[Pupil, PrimaryResult]) -> None:
    bad_row = {"field": "Toán: Điểm KTĐK", "kind": "invalid", "message": "Điểm “11” không phải số từ 0 đến 10."}
    unfinished = {"field": "Hoàn thành tổng kết", "kind": "unfinished", "message": "Lớp 5A chưa hoàn thành tổng kết."}
    standing = only(stored(whole[0], None, bad_row, unfinished))
    assert standing.blocking == ("Chưa có kết quả cuối năm.", "Điểm “11” không phải số từ 0 đến 10.")


def test_what_a_profile_lacks_is_told_and_forbids_nothing(whole: tuple[Pupil, PrimaryResult]) -> None:
    pupil, result = whole
    incomplete = stored(pupil.model_copy(update={"address": ""}), result)
    assert only(incomplete).blocking == ()
    assert only(incomplete).lacking == ("Thiếu “Chỗ ở hiện nay”.",)
    refused_row = stored(None, result, {"field": "Họ tên", "kind": "missing", "message": "Thiếu “Họ tên”."})
    assert only(refused_row).lacking == ("Thiếu “Họ tên”.",)
    assert finalised(CLASS, [incomplete, refused_row], by="t1", at=AT)["finalised_by"] == "t1"


def test_a_pupil_who_left_the_school_does_not_count(whole: tuple[Pupil, PrimaryResult]) -> None:
    gone = stored(whole[0].model_copy(update={"status": "Chuyển trường"}), None)
    assert standings([gone], 5, YEAR) == []
    with pytest.raises(Refused) as refused:
        finalised(CLASS, [gone], by="t1", at=AT)
    assert refused.value.code == "HB-REC-045"


def test_a_class_is_finalised_once_whether_here_or_in_the_sector_database(whole: tuple[Pupil, PrimaryResult]) -> None:
    here = finalised(CLASS, [stored(*whole)], by="t1", at=AT)
    there = {**CLASS, "data": {**CLASS["data"], "finalised": True}}  # type: ignore[dict-item]  # a document of mixed values
    for done in (here, there):
        with pytest.raises(Refused) as refused:
            finalised(done, [stored(*whole)], by="t2", at=AT)
        assert refused.value.code == "HB-REC-041"


def test_taking_it_back_opens_the_class_and_tells_each_time_who_did_it_and_why(whole: tuple[Pupil, PrimaryResult]) -> None:
    once = reopened(finalised(CLASS, [stored(*whole)], by="t1", at=AT), "Nhập nhầm điểm", by="p1", at=AT, live_transcripts=0)
    first = {"at": AT, "by": "p1", "reason": "Nhập nhầm điểm", "finalised_at": AT, "finalised_by": "t1"}
    assert once == {**CLASS, "reopenings": [first]}
    twice = reopened(finalised(once, [stored(*whole)], by="t2", at=AT), "Sót một học sinh", by="p2", at=AT, live_transcripts=0)
    assert twice["reopenings"] == [first, {"at": AT, "by": "p2", "reason": "Sót một học sinh", "finalised_at": AT, "finalised_by": "t2"}]
    assert "finalised_at" not in twice


@pytest.mark.parametrize(
    ("change", "live", "code"),
    [
        ({}, 0, "HB-REC-043"),
        ({"finalised_at": AT, "finalised_by": "t1"}, 3, "HB-REC-044"),
        ({"data": {"name": "5A", "grade": 5, "finalised": True}}, 0, "HB-REC-042"),
        ({"data": {"name": "5A", "grade": 5, "finalised": True}}, 1, "HB-REC-044"),
    ],
)
def test_it_cannot_be_taken_back_when_not_here_or_with_transcripts(change: dict[str, Any], live: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        reopened({**CLASS, **change}, "Nhập nhầm điểm", by="p1", at=AT, live_transcripts=live)
    assert refused.value.code == code


def test_what_concerns_the_class_alone_is_known_by_its_field(whole: tuple[Pupil, PrimaryResult]) -> None:
    """So that what was missing at the import can be told apart from what was done here since."""
    everything = dict.fromkeys(("code", "name", "commune", "province", "tax_code", "unit_code", "unit_name", "print_place"), "")
    school = School(**everything, level="TH", year=YEAR, print_date=AT.date())
    bare = SchoolClass(code="5A", name="5A", grade=5, homeroom="", leader="", finalised=False)
    lacking = class_missing(bare, {}, school)
    assert len(lacking) == 4
    assert {m.field for m in lacking} == CLASS_FIELDS
    assert of_pupil([{"field": m.field, "message": m.message_vi} for m in lacking]) == []
