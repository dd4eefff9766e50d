"""Everything that keeps a transcript from being created is named by its column, with the article where a rule is broken."""

from __future__ import annotations

from typing import Any

import pytest

from services.records.imports.preview import Preview, preview
from services.records.rules.completeness import Missing, missing
from services.records.schoolyear import PrimaryResult, Pupil, SecondaryResult
from tests.unit.records.import_files import made

TH = preview(made("TH")[0])
THCS = preview(made("THCS")[0])
THPT = preview(made("THPT")[0])


def needed(seen: Preview, **changed: Any) -> list[Missing]:
    """What the first pupil lacks, with some of the inputs changed."""
    assert seen.school
    pupil = seen.pupils[0]
    given: dict[str, Any] = {
        "pupil": pupil,
        "result": seen.results[pupil.code],
        "school_class": next(school_class for school_class in seen.classes if school_class.code == pupil.class_code),
        "assignments": seen.assignments,
        "staff": {person.code: person for person in seen.staff},
        "school": seen.school,
    }
    return missing(**(given | changed))


def fields(lacking: list[Missing]) -> list[tuple[str, str]]:
    return [(gap.field, gap.kind) for gap in lacking]


@pytest.mark.parametrize("seen", [TH, THCS, THPT])
def test_a_complete_pupil_lacks_nothing(seen: Preview) -> None:
    assert needed(seen) == []


@pytest.mark.parametrize(
    ("field", "header"),
    [
        ("name", "Họ tên"),
        ("birth_place", "Nơi sinh"),
        ("personal_id", "Số định danh cá nhân"),
        ("ethnicity", "Dân tộc"),
        ("nationality", "Quốc tịch"),
        ("home_town", "Quê quán"),
        ("address", "Chỗ ở hiện nay"),
    ],
)
def test_a_blank_profile_field_of_the_form_is_named_by_its_column(field: str, header: str) -> None:
    assert fields(needed(TH, pupil=TH.pupils[0].model_copy(update={field: ""}))) == [(header, "missing")]


@pytest.mark.parametrize("field", ["father", "mother", "father_job", "mother_job", "guardian", "register_number", "enrolled_on"])
def test_an_optional_profile_field_may_be_blank(field: str) -> None:
    blank = None if field == "enrolled_on" else ""
    assert needed(TH, pupil=TH.pupils[0].model_copy(update={field: blank})) == []


def test_a_pupil_without_parents_needs_a_guardian() -> None:
    orphan = TH.pupils[0].model_copy(update={"father": "", "mother": ""})
    assert fields(needed(TH, pupil=orphan)) == [("Người giám hộ", "missing")]
    assert needed(TH, pupil=orphan.model_copy(update={"guardian": "Trung tâm Bảo trợ"})) == []


def test_a_short_personal_id_and_a_pupil_who_left_are_invalid() -> None:
    changed = TH.pupils[0].model_copy(update={"personal_id": "12345", "status": "Chuyển đi"})
    assert fields(needed(TH, pupil=changed)) == [("Số định danh cá nhân", "invalid"), ("Trạng thái", "invalid")]


def test_an_unfinished_class_blocks() -> None:
    unfinished = TH.classes[0].model_copy(update={"finalised": False})
    assert fields(needed(TH, school_class=unfinished)) == [("Hoàn thành tổng kết", "unfinished")]


def test_a_print_configuration_without_a_place_blocks() -> None:
    assert TH.school
    assert fields(needed(TH, school=TH.school.model_copy(update={"print_place": ""}))) == [("Địa danh in học bạ", "missing")]


@pytest.mark.parametrize(("field", "header"), [("homeroom", "Giáo viên chủ nhiệm"), ("leader", "Lãnh đạo ký")])
def test_an_absent_homeroom_teacher_or_leader_blocks(field: str, header: str) -> None:
    for code in ("", "999"):
        assert fields(needed(TH, school_class=TH.classes[0].model_copy(update={field: code}))) == [(header, "unassigned")]
    code = getattr(TH.classes[0], field)
    staff = {person.code: person.model_copy(update={"personal_id": ""}) if person.code == code else person for person in TH.staff}
    assert fields(needed(TH, staff=staff)) == [(header, "missing")]


@pytest.mark.parametrize("semester", [1, 2])
def test_a_subject_without_a_teacher_in_a_semester_blocks_and_names_both(semester: int) -> None:
    left = [given for given in TH.assignments if not (given.subject_name == "Toán" and given.semester == semester)]
    [gap] = needed(TH, assignments=left)
    assert (gap.field, gap.kind) == ("Phân công", "unassigned")
    assert "Toán" in gap.message_vi
    assert f"học kỳ {semester}" in gap.message_vi


def test_a_subject_teacher_without_a_personal_id_blocks() -> None:
    teacher = next(given.staff for given in THCS.assignments if given.class_code == "6A" and given.subject_name == "Tin học")
    staff = {person.code: person.model_copy(update={"personal_id": ""}) if person.code == teacher else person for person in THCS.staff}
    assert ("Phân công", "missing") in fields(needed(THCS, staff=staff))


def test_assignments_of_another_class_do_not_count() -> None:
    others = [given for given in TH.assignments if given.class_code != "1A"]
    assert {gap.kind for gap in needed(TH, assignments=others)} == {"unassigned"}


def test_a_pupil_without_a_result_lacks_it() -> None:
    assert fields(needed(TH, result=None)) == [("Kết quả", "missing")]


def test_gaps_in_a_primary_result_are_named() -> None:
    result = TH.results[TH.pupils[0].code]
    assert isinstance(result, PrimaryResult)
    subjects = tuple(
        subject.model_copy(update={"mark": None}) if subject.name == "Toán" else subject.model_copy(update={"level": ""})
        for subject in result.subjects
        if subject.name in {"Toán", "Âm nhạc"}
    )
    gaps = fields(needed(TH, result=result.model_copy(update={"subjects": subjects, "traits": result.traits[1:], "rating": ""})))
    assert ("Toán: Điểm KTĐK", "missing") in gaps
    assert ("Âm nhạc: Mức đạt được", "missing") in gaps
    assert ("Tiếng Việt: Mức đạt được", "missing") in gaps
    assert ("Năng lực chung: Tự chủ và tự học", "missing") in gaps
    assert ("Xếp loại", "missing") in gaps
    assert not any(kind == "contradiction" for _, kind in gaps)


def test_gaps_in_a_secondary_result_are_named() -> None:
    result = THCS.results[THCS.pupils[0].code]
    assert isinstance(result, SecondaryResult)
    gap = result.subjects[1].model_copy(update={"semester1": ""})
    changed = result.model_copy(
        update={"subjects": (gap, *result.subjects[2:]), "study": ("Tốt", "", "Tốt"), "conduct": ("", "Tốt", "Tốt")}
    )
    gaps = fields(needed(THCS, result=changed))
    for field in ("Ngữ văn: HKI", "Ngữ văn: CN", "Toán: HKI", "Kết quả học tập: HKII", "Kết quả rèn luyện: HKI"):
        assert (field, "missing") in gaps


def test_upper_secondary_needs_four_chosen_subjects() -> None:
    result = THPT.results[THPT.pupils[0].code]
    assert isinstance(result, SecondaryResult)
    fewer = tuple(subject for subject in result.subjects if subject.name != "Hoá học")
    assert ("Môn học lựa chọn", "missing") in fields(needed(THPT, result=result.model_copy(update={"subjects": fewer})))


def test_a_contradiction_blocks_with_its_article() -> None:
    result = TH.results[TH.pupils[0].code]
    assert isinstance(result, PrimaryResult)
    wrong = needed(TH, result=result.model_copy(update={"rating": "Chưa hoàn thành"}))
    assert [(gap.field, gap.kind, gap.article) for gap in wrong] == [("Xếp loại", "contradiction", "TT 27/2020 Điều 9")]


def test_a_school_year_without_rules_blocks() -> None:
    assert TH.school
    assert fields(needed(TH, school=TH.school.model_copy(update={"year": "2019-2020"}))) == [("Khối", "invalid")]


def test_everything_that_lacks_is_named_at_once() -> None:
    pupil: Pupil = TH.pupils[0].model_copy(update={"birth_place": "", "address": ""})
    unfinished = TH.classes[0].model_copy(update={"finalised": False})
    assert {field for field, _ in fields(needed(TH, pupil=pupil, school_class=unfinished, result=None))} == {
        "Hoàn thành tổng kết",
        "Nơi sinh",
        "Chỗ ở hiện nay",
        "Kết quả",
    }
