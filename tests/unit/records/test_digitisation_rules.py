"""What may be digitised from paper, who reviews and signs which part, and what a review holds for; plain data alone."""

from __future__ import annotations

import datetime as dt

import pytest

from contracts.events.records import Signer
from services.chassis.errors import Refused
from services.records.digitisation import form, rules
from services.records.digitisation.rules import Assigned, Part, Progress, Seen, Taught
from services.records.rules.completeness import result_missing
from services.records.schoolyear import PrimaryResult, SecondaryResult, Staff
from services.signing.policies import plan, policy_for
from tests.factories.transcripts import primary_result

TODAY = dt.date(2026, 7, 10)
NEWEST = "2025-2026"
CLERK, HEAD, HERE, ALSO_HERE, GONE = "s5", "s1", "s6", "s7", "s99"
WHO = Assigned(CLERK, HEAD)
SUBJECTS = ("Tiếng Việt", "Toán", "Âm nhạc", "Tin học")
PRESENT = frozenset({CLERK, HEAD, HERE, ALSO_HERE})
TAUGHT = (
    Taught("Tiếng Việt", HERE, "Lê Thị Có Mặt"),
    Taught("Toán", HERE, "Lê Thị Có Mặt"),
    Taught("Âm nhạc", GONE, "Phạm Đã Nghỉ"),
    Taught("Tin học", GONE, "Phạm Đã Nghỉ", (1,)),
    Taught("Tin học", ALSO_HERE, "Đỗ Còn Dạy", (2,)),
)


def staff(code: str, position: str = "Giáo viên") -> Staff:
    return Staff(code=code, name=code, personal_id="031176002501", position=position)


def parts(who: Assigned = WHO, homeroom: str = HERE) -> dict[str, Part]:
    return {p.key: p for p in rules.parts_of(who, TAUGHT, (homeroom, "Người chủ nhiệm"), PRESENT, SUBJECTS)}


@pytest.mark.parametrize("words", ["2024-2025", " 2000-2001 "])
def test_a_year_that_is_over_and_before_the_newest_one_can_be_digitised(words: str) -> None:
    assert rules.year_to_digitise(words, NEWEST, TODAY) == words.strip()


@pytest.mark.parametrize("words", ["2025-2026", "2026-2027", "2030-2031", "2024-2026", "1999-2000", "24-25", "", "²⁰²⁴-2025"])
def test_a_year_to_come_or_at_hand_or_no_year_at_all_is_refused(words: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.year_to_digitise(words, NEWEST, TODAY)
    assert refused.value.code == "HB-REC-170"


def test_a_year_that_has_not_ended_is_refused_even_where_a_later_one_was_imported() -> None:
    with pytest.raises(Refused, match="HB-REC-170"):
        rules.year_to_digitise("2025-2026", "2026-2027", TODAY)
    assert rules.year_to_digitise("2025-2026", "2026-2027", dt.date(2026, 8, 1)) == "2025-2026"


def test_only_a_leader_may_be_named_to_answer_and_only_staff_of_today_to_review() -> None:
    people = {CLERK: staff(CLERK), HEAD: staff(HEAD, "Hiệu trưởng")}
    assert rules.assigned(CLERK, HEAD, people) == WHO
    for reviewer, leader in ((GONE, HEAD), (CLERK, CLERK), (CLERK, GONE), ("", "")):
        with pytest.raises(Refused) as refused:
            rules.assigned(reviewer, leader, people)
        assert refused.value.code == "HB-REC-172"


def test_who_is_still_here_reviews_and_signs_the_own_part() -> None:
    own = parts()[f"subjects:{HERE}"]
    assert (own.subjects, own.reviewer, own.signer, own.written_by) == (("Tiếng Việt", "Toán"), HERE, HERE, ())
    assert (parts()["homeroom"].reviewer, parts()["homeroom"].signer) == (HERE, HERE)


def test_what_those_who_left_wrote_is_reviewed_by_the_clerk_and_answered_for_by_the_head() -> None:
    left = parts(homeroom=GONE)
    assert (left["subjects"].subjects, left["subjects"].reviewer, left["subjects"].signer) == (("Âm nhạc", "Tin học"), CLERK, HEAD)
    assert left["subjects"].written_by == ("Phạm Đã Nghỉ",)
    assert (left["homeroom"].reviewer, left["homeroom"].signer, left["homeroom"].written_by) == (CLERK, HEAD, ("Người chủ nhiệm",))


def test_a_subject_of_two_teachers_of_whom_one_left_has_both_parts_with_their_semesters() -> None:
    found = parts()
    assert found[f"subjects:{ALSO_HERE}"].one_semester == (("Tin học", 2),)
    assert found["subjects"].one_semester == (("Tin học", 1),)


def test_a_paper_that_was_brought_along_is_the_clerks_and_the_heads_alone() -> None:
    found = parts(Assigned(CLERK, HEAD, brought=True)).values()
    assert {(p.reviewer, p.signer) for p in found} == {(CLERK, HEAD)}
    assert {p.key for p in found} == {"profile", "subjects", "homeroom"}


def test_a_subject_without_any_known_teacher_falls_to_the_head() -> None:
    found = {p.key: p for p in rules.parts_of(WHO, (), ("", ""), PRESENT, ("Toán",))}
    assert (found["subjects"].subjects, found["subjects"].written_by) == (("Toán",), ())


def test_a_review_holds_for_what_was_seen_and_for_nothing_else() -> None:
    part, result = parts()[f"subjects:{HERE}"], primary_result()
    seen = rules.digest_of(part, None, result, "scan")
    check = {"digest": seen, "ok": True}
    assert rules.seen(None, seen) is Seen.WAITING
    assert rules.seen(check, seen) is Seen.CHECKED
    assert rules.seen({**check, "ok": False}, seen) is Seen.SENT_BACK
    other = result.model_copy(update={"subjects": tuple(s.model_copy(update={"mark": 5}) for s in result.subjects)})
    assert rules.seen(check, rules.digest_of(part, None, other, "scan")) is Seen.STALE
    assert rules.seen(check, rules.digest_of(part, None, result, "another scan")) is Seen.STALE
    # what another part covers changes nothing of this one
    elsewhere = result.model_copy(update={"homeroom_comment": "Khác"})
    assert rules.seen(check, rules.digest_of(part, None, elsewhere, "scan")) is Seen.CHECKED


@pytest.mark.parametrize(
    ("scan", "data", "seen", "expected"),
    [
        (False, True, [], Progress.NO_SCAN),
        (True, False, [], Progress.NO_DATA),
        (True, True, [Seen.CHECKED, Seen.WAITING], Progress.REVIEWING),
        (True, True, [Seen.CHECKED, Seen.STALE], Progress.REVIEWING),
        (True, True, [Seen.SENT_BACK, Seen.WAITING], Progress.SENT_BACK),
        (True, True, [Seen.CHECKED, Seen.CHECKED], Progress.REVIEWED),
    ],
)
def test_how_far_a_paper_is_follows_from_scan_data_and_reviews(*, scan: bool, data: bool, seen: list[Seen], expected: Progress) -> None:
    assert rules.progress_of(scan=scan, data=data, created=False, parts=seen) is expected
    assert rules.progress_of(scan=scan, data=data, created=True, parts=seen) is Progress.CREATED


@pytest.mark.parametrize("grade", ["6", "0", "x", "", "5", "1"])
def test_a_grade_of_another_level_or_one_that_the_pupil_cannot_have_had_is_refused(grade: str) -> None:
    with pytest.raises(Refused, match="HB-REC-174"):
        rules.paper_grade(grade, "TH", now=4, years=2)


def test_a_grade_as_many_years_back_or_one_that_was_repeated_is_taken() -> None:
    assert [rules.paper_grade(g, "TH", now=4, years=2) for g in ("2", "3", "4")] == [2, 3, 4]


def test_classes_known_from_paper_alone_have_codes_apart_from_those_of_other_schools() -> None:
    own, other = rules.class_code_of("3 A", ""), rules.class_code_of("3 A", "Trường Tiểu học Khác")
    assert own == "SH-3-A"
    assert other.startswith("SH-3-A-")
    assert other != rules.class_code_of("3 A", "Trường Tiểu học Khác Nữa")
    assert not any(c.isspace() for c in own + other)


# --- typing


def typed_of(result: PrimaryResult | SecondaryResult) -> dict[str, str]:
    return form.values_of(result)


def test_what_stands_on_paper_is_read_as_the_import_would_read_it() -> None:
    result = primary_result()
    read = form.read(typed_of(result), result.pupil, 5, "2024-2025")
    assert read.wrong == {}
    assert read.result == result


def test_a_value_that_the_circular_does_not_know_is_named_at_its_field() -> None:
    values = typed_of(primary_result()) | {"Toán: Điểm KTĐK": "11", "Toán: Mức đạt được": "Giỏi"}
    assert set(form.read(values, "p", 5, "2024-2025").wrong) == {"Toán: Điểm KTĐK", "Toán: Mức đạt được"}


def test_what_contradicts_the_circular_is_named_by_the_circulars_own_rule() -> None:
    values = typed_of(primary_result()) | {"Xếp loại": "Chưa hoàn thành"}
    read = form.read(values, "p", 5, "2024-2025")
    assert read.wrong
    assert set(read.wrong) == {m.field for m in result_missing(read.result, 5, "2024-2025")}


def test_a_year_before_the_circular_is_taken_as_found_without_comparing() -> None:
    assert form.circular_of(5, "2019-2020") == ""
    values = typed_of(primary_result()) | {"Xếp loại": "Chưa hoàn thành", "Tin học: Mức đạt được": "", "Tin học: Điểm KTĐK": ""}
    values["Tin học: Nhận xét"] = ""
    read = form.read(values, "p", 5, "2019-2020")
    assert read.wrong == {}
    assert "Tin học" not in {s.name for s in read.result.subjects}


def test_a_year_before_the_circular_still_needs_what_a_document_cannot_lack() -> None:
    assert {"Môn học", "Xếp loại"} <= set(form.read({}, "p", 5, "2019-2020").wrong)
    assert {"Kết quả học tập: CN", "Kết quả rèn luyện: CN"} <= set(form.read({}, "p", 9, "2019-2020").wrong)


def test_nothing_is_typed_into_a_field_that_the_grade_does_not_have() -> None:
    read = form.read(typed_of(primary_result()) | {"Vật lí: CN": "9"}, primary_result().pupil, 5, "2024-2025")
    assert read.result == primary_result()


# --- signing


@pytest.mark.parametrize("level", ["TH", "THCS", "THPT"])
def test_the_head_signs_as_teacher_homeroom_and_leader_where_all_have_left(level: str) -> None:
    required = [
        Signer(role="subject_teacher", person=HEAD, name="H", subjects=("Toán", "Âm nhạc")),
        Signer(role="homeroom", person=HEAD, name="H"),
        Signer(role="leader", person=HEAD, name="H"),
    ]
    steps = {s.name: [(x.person, x.subjects) for x in s.signers] for s in plan(policy_for(level, "2021-2022"), required)}
    # in primary the one signature as homeroom teacher covers the own subjects
    first = [] if level == "TH" else [(HEAD, ("Toán", "Âm nhạc"))]
    covered = ("Toán", "Âm nhạc") if level == "TH" else ()
    assert steps == {"subjects": first, "homeroom": [(HEAD, covered)], "leader": [(HEAD, ())], "issue": []}
