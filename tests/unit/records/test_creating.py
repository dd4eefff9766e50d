"""Who can get a transcript, which version it is and what it follows; plain data alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.records.imports.preview import Preview, preview
from services.records.locks.locking import Locks
from services.records.printing.settings import Printing, PrintSettings
from services.records.schoolyear import PreviousTranscript, PrimaryResult
from services.records.transcripts.creation import Before, content_of, reasons
from services.records.transcripts.jobs import Options, waiting_for_summer
from services.records.transcripts.versions import Earlier, Replaced
from services.records.transcripts.year_data import YearData

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "an-hong"
NOTHING = Before(frozenset(), {}, Earlier({}, {}), {}, Locks())


@pytest.fixture(scope="module")
def seen() -> Preview:
    files = {str(f.relative_to(SAMPLE)): f.read_bytes() for f in (SAMPLE / "ho_so_truong.xlsx", SAMPLE / "ket_qua" / "5A.xlsx")}
    return preview(files, school_code="31300001")


def year_of(seen: Preview, settings: PrintSettings | None = None, **of_class: Any) -> YearData:
    assert seen.school is not None
    classes = [c.model_copy(update=of_class) for c in seen.classes]
    return YearData.printed(seen.school, classes, settings or PrintSettings(), seen.assignments, {s.code: s for s in seen.staff})


def pupil_of(seen: Preview, **result: Any) -> dict[str, Any]:
    pupil = next(p for p in seen.pupils if p.class_code == "5A")
    told = seen.results[pupil.code].model_copy(update=result)
    return {
        "code": pupil.code,
        "class_code": "5A",
        "number": 1,
        "name": pupil.name,
        "data": pupil.model_dump(mode="json"),
        "result": told.model_dump(mode="json"),
        "missing": [],
    }


def test_a_complete_pupil_of_a_finalised_class_can_get_one(seen: Preview) -> None:
    assert reasons(pupil_of(seen), year_of(seen), NOTHING) == []


def test_who_has_one_already_is_told_so_and_nothing_else(seen: Preview) -> None:
    pupil = pupil_of(seen)
    before = replace(NOTHING, live=frozenset({pupil["code"]}), locks=Locks(final=True))
    assert [r["code"] for r in reasons(pupil, year_of(seen), before)] == ["HB-REC-007"]


def test_the_final_lock_and_an_approved_correction_refuse_with_their_reason(seen: Preview) -> None:
    pupil = pupil_of(seen)
    locked = replace(NOTHING, locks=Locks(final=True))
    corrected = replace(NOTHING, locks=Locks(corrections={pupil["code"]: "UNLOCKED"}))
    assert [r["code"] for r in reasons(pupil, year_of(seen), locked)] == ["HB-REC-110"]
    assert [r["code"] for r in reasons(pupil, year_of(seen), corrected)] == ["HB-REC-113"]


def test_a_class_that_is_not_finalised_refuses_everybody_of_it(seen: Preview) -> None:
    [reason] = reasons(pupil_of(seen), year_of(seen, finalised=False), NOTHING)
    assert (reason["code"], reason["field"]) == ("HB-REC-006", "Hoàn thành tổng kết")


def test_of_an_earlier_year_nobody_is_asked_for_a_signature_who_has_left_the_school(seen: Preview) -> None:
    everybody = frozenset(s.code for s in seen.staff)
    school_class = next(c for c in seen.classes if c.code == "5A")
    assert reasons(pupil_of(seen), year_of(seen), replace(NOTHING, here=everybody)) == []
    [reason] = reasons(pupil_of(seen), year_of(seen), replace(NOTHING, here=everybody - {school_class.homeroom, school_class.leader}))
    names = [next(s.name for s in seen.staff if s.code == code) for code in (school_class.homeroom, school_class.leader)]
    assert (reason["code"], all(name in reason["reason"] for name in names)) == ("HB-REC-211", True)
    idle = next(s.code for s in seen.staff if s.position == "Nhân viên học vụ")
    assert reasons(pupil_of(seen), year_of(seen), replace(NOTHING, here=everybody - {idle})) == []


def test_a_missing_leader_refuses_until_one_is_configured(seen: Preview) -> None:
    [reason] = reasons(pupil_of(seen), year_of(seen, leader=""), NOTHING)
    assert reason["field"] == "Lãnh đạo ký"
    leader = next(s.code for s in seen.staff if s.position == "Hiệu trưởng")
    configured = PrintSettings(school=Printing(leader=leader))
    assert reasons(pupil_of(seen), year_of(seen, configured, leader=""), NOTHING) == []


def test_a_class_that_is_no_longer_there_is_told(seen: Preview) -> None:
    [reason] = reasons({**pupil_of(seen), "class_code": "9Z"}, year_of(seen), NOTHING)
    assert reason["code"] == "HB-REC-046"


def test_a_refused_row_gives_what_the_import_found_beside_what_the_class_lacks_now(seen: Preview) -> None:
    found = [
        {"field": "Họ tên", "kind": "missing", "message": "Thiếu “Họ tên”."},
        {"field": "Hoàn thành tổng kết", "kind": "unfinished", "message": "Lớp 5A chưa hoàn thành tổng kết."},
    ]
    pupil = {**pupil_of(seen), "data": None, "missing": found}
    assert [r["reason"] for r in reasons(pupil, year_of(seen), NOTHING)] == ["Thiếu “Họ tên”."]


def test_the_first_transcript_is_version_one_and_replaces_none(seen: Preview) -> None:
    content = content_of(pupil_of(seen), year_of(seen), NOTHING, Options(), "https://localhost")
    assert (content.version, content.replaces, content.previous) == (1, None, None)


def test_after_a_cancelled_one_the_next_version_names_what_it_replaces(seen: Preview) -> None:
    pupil = pupil_of(seen)
    before = replace(NOTHING, replaced={pupil["code"]: Replaced("old", 2)})
    content = content_of(pupil, year_of(seen), before, Options(), "https://localhost")
    assert (content.version, content.replaces) == (3, "old")


def test_the_sealed_document_of_the_year_before_is_found_by_the_personal_id(seen: Preview) -> None:
    pupil = pupil_of(seen)
    earlier = PreviousTranscript(transcript="t", year="2024-2025", pdf_sha256="a" * 64, xml_sha256="b" * 64)
    before = replace(NOTHING, earlier=Earlier({pupil["data"]["personal_id"]: earlier, "other": earlier}, {}))
    assert content_of(pupil, year_of(seen), before, Options(), "https://localhost").previous == earlier


def test_place_date_and_leader_are_those_of_the_print_configuration(seen: Preview) -> None:
    leader = next(s for s in seen.staff if s.position == "Phó hiệu trưởng")
    settings = PrintSettings(school=Printing(place="An Hải"), classes={"5A": Printing(leader=leader.code)})
    content = content_of(pupil_of(seen), year_of(seen, settings), NOTHING, Options(), "https://localhost")
    assert (content.school.print_place, content.school_class.leader, content.leader_name) == ("An Hải", leader.code, leader.name)


def test_comments_on_subjects_are_left_out_when_that_was_chosen(seen: Preview) -> None:
    pupil = pupil_of(seen)
    assert any(s["comment"] for s in pupil["result"]["subjects"])
    chosen = content_of(pupil, year_of(seen), NOTHING, Options(comments="none"), "https://localhost")
    kept = content_of(pupil, year_of(seen), NOTHING, Options(), "https://localhost")
    assert {s.comment for s in chosen.result.subjects} == {""}
    assert chosen.result.model_dump(exclude={"subjects"}) == kept.result.model_dump(exclude={"subjects"})
    assert any(s.comment for s in kept.result.subjects)


def test_who_must_be_assessed_again_in_summer_is_found_among_the_selected(seen: Preview) -> None:
    again = pupil_of(seen, rating="Chưa hoàn thành", completed=False, promoted=False)
    assert isinstance(seen.results[again["code"]], PrimaryResult)
    fine = {**pupil_of(seen), "code": "fine"}
    unknown = {**again, "code": "unknown", "result": None}
    assert waiting_for_summer([again, fine, unknown], {"5A": 5}, "2025-2026") == {again["code"]}
    assert waiting_for_summer([again], {}, "2025-2026") == frozenset()
