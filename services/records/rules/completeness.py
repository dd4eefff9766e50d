"""What a pupil's transcript still needs before it can be created (columns "Ghi chú" and "Thông tin cần bổ sung").

Required of the profile: code, name, birth date, sex, birth place, ethnicity, nationality, home town, address, personal id; and one of
father, mother, guardian. Optional: the parents' jobs, each single parent, register number, enrolment date, comments, heights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.records.cells import key
from services.records.rules.primary import check_primary
from services.records.rules.ruleset import Contradiction, NoRuleSetError, primary_rules, secondary_rules
from services.records.rules.secondary import COLUMNS, check_secondary
from services.records.schoolyear import Assignment, PrimaryResult, Pupil, Result, School, SchoolClass, SecondaryResult, Staff

MissingKind = Literal["missing", "invalid", "unfinished", "unassigned", "contradiction"]

# field of Pupil -> header of the export; the first part is refused at import already, since no pupil can be stored without it
IDENTITY_FIELDS = {
    "class_code": "Mã lớp",
    "code": "Mã học sinh",
    "name": "Họ tên",
    "born": "Ngày sinh",
    "sex": "Giới tính",
    "birth_place": "Nơi sinh",
    "personal_id": "Số định danh cá nhân",
}
FORM_FIELDS = {"ethnicity": "Dân tộc", "nationality": "Quốc tịch", "home_town": "Quê quán", "address": "Chỗ ở hiện nay"}
PARENT_FIELDS = {"father": "Họ tên cha", "mother": "Họ tên mẹ"}
GUARDIAN = "Người giám hộ"
STUDYING = "dang hoc"
_PERSONAL_ID = re.compile(r"[0-9]{12}")


class Missing(BaseModel):
    """One thing that blocks creation. `field` is a header of the export (a path such as "Toán: CN" for results), or its sheet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    kind: MissingKind
    message_vi: str
    article: str | None = None


def _lack(field: str, message_vi: str, kind: MissingKind = "missing") -> Missing:
    return Missing(field=field, kind=kind, message_vi=message_vi)


def missing(  # noqa: PLR0917 - the parts of one transcript, in their natural order
    pupil: Pupil,
    result: Result | None,
    school_class: SchoolClass,
    assignments: Sequence[Assignment],
    staff: Mapping[str, Staff],
    school: School,
) -> list[Missing]:
    """Everything that keeps this pupil's transcript from being created; empty when nothing does. `staff` is by code."""
    return [
        *class_missing(school_class, staff, school),
        *profile_missing(pupil),
        *result_missing(result, school_class.grade, school.year),
        *assignment_missing(result, school_class, assignments, staff),
    ]


def class_missing(school_class: SchoolClass, staff: Mapping[str, Staff], school: School) -> list[Missing]:
    """What the class and the print configuration lack: the same for all its pupils."""
    lacking: list[Missing] = []
    if not school_class.finalised:
        lacking.append(_lack("Hoàn thành tổng kết", f"Lớp {school_class.name} chưa hoàn thành tổng kết.", "unfinished"))
    if not school.print_place:
        lacking.append(_lack("Địa danh in học bạ", "Chưa cấu hình địa danh in học bạ."))
    lacking += _signer(school_class.homeroom, "Giáo viên chủ nhiệm", staff)
    lacking += _signer(school_class.leader, "Lãnh đạo ký", staff)
    return lacking


def _signer(code: str, field: str, staff: Mapping[str, Staff]) -> list[Missing]:
    person = staff.get(code)
    if person is None:
        said = f"“{code}” không có trong danh sách cán bộ" if code else "chưa được phân công"
        return [_lack(field, f"{field} {said}.", "unassigned")]
    return [] if person.personal_id else [_lack(field, f"{field} {person.name} chưa có số định danh cá nhân hợp lệ.")]


def profile_missing(pupil: Pupil) -> list[Missing]:
    """Fields of the profile page that are blank or impossible."""
    fields = IDENTITY_FIELDS | FORM_FIELDS
    lacking = [_lack(header, f"Thiếu “{header}”.") for field, header in fields.items() if not getattr(pupil, field)]
    if pupil.personal_id and not _PERSONAL_ID.fullmatch(pupil.personal_id):
        lacking.append(_lack(IDENTITY_FIELDS["personal_id"], "Số định danh cá nhân không đủ 12 chữ số.", "invalid"))
    if not (pupil.father or pupil.mother or pupil.guardian):
        lacking.append(_lack(GUARDIAN, "Thiếu họ tên cha, mẹ hoặc người giám hộ."))
    if key(pupil.status) != STUDYING:
        lacking.append(_lack("Trạng thái", f"Học sinh ở trạng thái “{pupil.status}”, không phải “Đang học”.", "invalid"))
    return lacking


def result_missing(result: Result | None, grade: int, year: str) -> list[Missing]:
    """Results that the grade needs and that are not there, and what contradicts the circular."""
    if result is None:
        return [_lack("Kết quả", "Chưa có kết quả cuối năm.")]
    try:
        lacking = _primary_missing(result, grade, year) if isinstance(result, PrimaryResult) else _secondary_missing(result, grade, year)
    except NoRuleSetError:
        return [_lack("Khối", f"Chưa có quy định đánh giá cho khối {grade} trong năm học {year}.", "invalid")]
    return lacking + [
        Missing(field=wrong.field, kind="contradiction", message_vi=wrong.message_vi, article=wrong.article)
        for wrong in contradictions(result, grade, year)
    ]


def contradictions(result: Result, grade: int, year: str) -> list[Contradiction]:
    """The circular's verdict on one result. Raises NoRuleSetError."""
    return check_primary(result, grade, year) if isinstance(result, PrimaryResult) else check_secondary(result, grade, year)


def _primary_missing(result: PrimaryResult, grade: int, year: str) -> list[Missing]:
    rules = primary_rules(grade, year)
    have = {subject.name: subject for subject in result.subjects}
    blank: list[str] = []
    for subject in rules.required(grade):
        read = have.get(subject.name)
        if read is None or not read.level:
            blank.append(f"{subject.name}: Mức đạt được")
        if grade in subject.scored and (read is None or read.mark is None):
            blank.append(f"{subject.name}: Điểm KTĐK")
    levels = {(trait.group, trait.name) for trait in result.traits if trait.level}
    blank += [f"{trait.group}: {trait.name}" for trait in rules.traits_of(grade) if (trait.group, trait.name) not in levels]
    if not result.rating:
        blank.append("Xếp loại")
    return [_lack(field, f"Thiếu “{field}”.") for field in blank]


def _secondary_missing(result: SecondaryResult, grade: int, year: str) -> list[Missing]:
    rules = secondary_rules(grade, year)
    have = {subject.name: subject for subject in result.subjects}
    blank = [f"{subject.name}: {column}" for subject in rules.required(grade) if subject.name not in have for column in COLUMNS]
    for read in result.subjects:
        values = zip(COLUMNS, (read.semester1, read.semester2, read.year), strict=True)
        blank += [f"{read.name}: {column}" for column, value in values if not value]
    blank += [f"Kết quả học tập: {column}" for column, value in zip(COLUMNS, result.study, strict=True) if not value]
    blank += [f"Kết quả rèn luyện: {column}" for column, value in zip(COLUMNS, result.conduct, strict=True) if not value]
    lacking = [_lack(field, f"Thiếu “{field}”.") for field in blank]
    needed = rules.electives_needed.get(grade, 0)
    chosen = sum(1 for name in have if (subject := rules.subject(name, grade)) and grade in subject.elective)
    if chosen < needed:
        lacking.append(_lack("Môn học lựa chọn", f"Mới có {chosen} trên {needed} môn học lựa chọn."))
    return lacking


def assignment_missing(
    result: Result | None, school_class: SchoolClass, assignments: Sequence[Assignment], staff: Mapping[str, Staff]
) -> list[Missing]:
    """Every subject of the result needs a teacher in both semesters, and each of its teachers has to be able to sign.

    So nobody is dropped in silence: who has left the staff has to be replaced, even where colleagues taught the same subject.
    """
    if result is None:
        return []
    standing = {key(subject.name) for subject in result.subjects}
    theirs = [a for a in assignments if a.class_code == school_class.code and key(a.subject_name) in standing]
    taught = {(key(assignment.subject_name), assignment.semester) for assignment in theirs}
    lacking = [
        _lack("Phân công", f"Chưa phân công giáo viên môn {subject.name} học kỳ {semester}.", "unassigned")
        for subject in result.subjects
        for semester in (1, 2)
        if (key(subject.name), semester) not in taught
    ]
    for code in dict.fromkeys(assignment.staff for assignment in theirs):
        person = staff.get(code)
        if person is None:
            subjects = ", ".join(dict.fromkeys(assignment.subject_name for assignment in theirs if assignment.staff == code))
            message = f"Cán bộ “{code}” dạy {subjects} không có trong danh sách cán bộ; cần phân công người thay."
            lacking.append(_lack("Phân công", message, "unassigned"))
        elif not person.personal_id and code != school_class.homeroom:
            lacking.append(_lack("Phân công", f"Giáo viên {person.name} chưa có số định danh cá nhân hợp lệ."))
    return lacking
