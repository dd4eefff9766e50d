"""Invented pupils, schools and results, complete enough to become documents."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from services.records.schoolyear import (
    Corrections,
    PreviousTranscript,
    PrimaryResult,
    PrimarySubject,
    Pupil,
    School,
    SchoolClass,
    SecondaryResult,
    SecondarySubject,
    Semester,
    StudyYear,
    SubjectSignature,
    SubjectTeacher,
    Trait,
    TranscriptContent,
)

VIETNAM = dt.timezone(dt.timedelta(hours=7))

GRADE_5_SUBJECTS: tuple[tuple[str, int | None], ...] = (
    ("Tiếng Việt", 9),
    ("Toán", 10),
    ("Ngoại ngữ 1", 9),
    ("Đạo đức", None),
    ("Lịch sử và Địa lí", 9),
    ("Khoa học", 10),
    ("Tin học", 9),
    ("Công nghệ", 9),
    ("Giáo dục thể chất", None),
    ("Âm nhạc", None),
    ("Mĩ thuật", None),
    ("Hoạt động trải nghiệm", None),
)
TRAITS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Năng lực chung", ("Tự chủ và tự học", "Giao tiếp và hợp tác", "Giải quyết vấn đề và sáng tạo")),
    ("Năng lực đặc thù", ("Ngôn ngữ", "Tính toán", "Khoa học", "Công nghệ", "Tin học", "Thẩm mĩ", "Thể chất")),
    ("Phẩm chất chủ yếu", ("Yêu nước", "Nhân ái", "Chăm chỉ", "Trung thực", "Trách nhiệm")),
)
SECONDARY_SUBJECTS: tuple[tuple[str, str, str, str], ...] = (
    ("Ngữ văn", "7.9", "7.5", "7.6"),
    ("Toán", "6.6", "6.7", "6.7"),
    ("Ngoại ngữ 1", "8.0", "8.2", "8.1"),
    ("Giáo dục công dân", "9.0", "8.8", "8.9"),
    ("Lịch sử và Địa lí", "7.0", "7.4", "7.3"),
    ("Khoa học tự nhiên", "6.8", "6.2", "6.4"),
    ("Công nghệ", "8.4", "8.1", "8.2"),
    ("Tin học", "10.0", "9.6", "9.7"),
    ("Giáo dục thể chất", "Đ", "Đ", "Đ"),
    ("Nghệ thuật", "Đ", "Đ", "Đ"),
    ("Hoạt động trải nghiệm, hướng nghiệp", "Đ", "Đ", "Đ"),
    ("Nội dung giáo dục của địa phương", "Đ", "Đ", "Đ"),
)

UPPER_SECONDARY_SUBJECTS: tuple[tuple[str, str, str, str], ...] = (
    ("Ngữ văn", "7.9", "7.5", "7.6"),
    ("Toán", "6.6", "6.7", "6.7"),
    ("Ngoại ngữ 1", "8.0", "8.2", "8.1"),
    ("Lịch sử", "7.4", "7.8", "7.7"),
    ("Giáo dục quốc phòng và an ninh", "9.0", "8.8", "8.9"),
    ("Vật lí", "7.0", "7.4", "7.3"),
    ("Hoá học", "6.8", "6.2", "6.4"),
    ("Sinh học", "8.4", "8.1", "8.2"),
    ("Tin học", "10.0", "9.6", "9.7"),
    ("Giáo dục thể chất", "Đ", "Đ", "Đ"),
    ("Hoạt động trải nghiệm, hướng nghiệp", "Đ", "Đ", "Đ"),
    ("Nội dung giáo dục của địa phương", "Đ", "Đ", "Đ"),
)


def school(**changes: Any) -> School:
    values: dict[str, Any] = {
        "code": "31300099",
        "name": "Trường Tiểu học Hoa Phượng",
        "level": "TH",
        "kind": "Công lập",
        "commune": "An Hải",
        "province": "Hải Phòng",
        "tax_code": "0231300099",
        "unit_code": "03101",
        "unit_name": "Phòng Văn hoá - Xã hội phường An Hải",
        "year": "2025-2026",
        "print_place": "Hải Phòng",
        "print_date": dt.date(2026, 5, 28),
    }
    return School(**(values | changes))


def pupil(**changes: Any) -> Pupil:
    values: dict[str, Any] = {
        "code": "312500199001",
        "class_code": "5A",
        "name": "Nguyễn Thị Quỳnh Hương",
        "born": dt.date(2015, 8, 16),
        "sex": "Nữ",
        "ethnicity": "Kinh",
        "nationality": "Việt Nam",
        "birth_place": "Hải Phòng",
        "home_town": "An Hồng, Hải Phòng",
        "address": "Số 91, An Hồng, Hải Phòng",
        "personal_id": "031315002519",
        "father": "Nguyễn Gia Thành",
        "father_job": "Kinh doanh",
        "mother": "Trịnh Phương Hạnh",
        "mother_job": "Giáo viên",
        "register_number": "2021/0001",
        "enrolled_on": dt.date(2021, 9, 5),
    }
    return Pupil(**(values | changes))


def primary_result(**changes: Any) -> PrimaryResult:
    values: dict[str, Any] = {
        "pupil": "312500199001",
        "subjects": tuple(
            PrimarySubject(name=name, level="T", mark=mark, comment="Em nắm chắc kiến thức, vận dụng tốt.")
            for name, mark in GRADE_5_SUBJECTS
        ),
        "traits": tuple(Trait(group=group, name=name, level="T") for group, names in TRAITS for name in names),
        "competence_comment": "Em tự tin, biết hợp tác với bạn.",
        "quality_comment": "Em chăm chỉ, trung thực.",
        "height_cm": Decimal("142.5"),
        "weight_kg": Decimal(36),
        "health": "Tốt",
        "absent_excused": 2,
        "absent_unexcused": 1,
        "homeroom_comment": "Em ngoan, lễ phép, có ý thức học tập.",
        "rating": "Hoàn thành xuất sắc",
        "award": "Học sinh Xuất sắc",
        "completed": True,
        "promoted": True,
    }
    return PrimaryResult(**(values | changes))


def primary_content(**changes: Any) -> TranscriptContent:
    """A grade 5 pupil with the best rating; three subject teachers, one of them the homeroom teacher."""
    teachers = (
        SubjectTeacher(
            staff="31300099006",
            name="Lê Thị Thuỳ Dương",
            personal_id="031185002506",
            subjects=("Tiếng Việt", "Toán", "Đạo đức", "Lịch sử và Địa lí", "Khoa học", "Công nghệ", "Mĩ thuật", "Hoạt động trải nghiệm"),
        ),
        SubjectTeacher(staff="31300099011", name="Phạm Quốc Khánh", personal_id="031090002511", subjects=("Ngoại ngữ 1", "Tin học")),
        SubjectTeacher(staff="31300099012", name="Đỗ Hữu Nghĩa", personal_id="031088002512", subjects=("Giáo dục thể chất", "Âm nhạc")),
    )
    values: dict[str, Any] = {
        "id": "0197f3a2-6c1b-7d44-9e0a-5b2f8c7d1e60",
        "version": 1,
        "created_at": dt.datetime(2026, 5, 27, 9, 30, 15, tzinfo=VIETNAM),
        "school": school(),
        "school_class": SchoolClass(code="5A", name="5A", grade=5, homeroom="31300099006", leader="31300099001", finalised=True),
        "pupil": pupil(),
        "result": primary_result(),
        "subject_teachers": teachers,
        "homeroom_name": "Lê Thị Thuỳ Dương",
        "homeroom_personal_id": "031185002506",
        "leader_name": "Ngô Diệu Tâm",
        "leader_position": "Hiệu trưởng",
        "leader_personal_id": "031176002501",
        "verify_url": "https://hocba.example.vn/tra-cuu/0197f3a2-6c1b-7d44-9e0a-5b2f8c7d1e60",
    }
    return TranscriptContent(**(values | changes))


def secondary_result(**changes: Any) -> SecondaryResult:
    values: dict[str, Any] = {
        "pupil": "312510199001",
        "subjects": tuple(
            SecondarySubject(name=name, semester1=first, semester2=second, year=year, comment="Em hiểu bài, cần cẩn thận khi làm bài.")
            for name, first, second, year in SECONDARY_SUBJECTS
        ),
        "study": ("Khá", "Khá", "Khá"),
        "conduct": ("Tốt", "Tốt", "Tốt"),
        "absent_excused": 3,
        "absent_unexcused": 0,
        "award": "",
        "promoted": True,
        "certificate": "Tin học ứng dụng cơ bản",
        "contests": "Giải Ba hội thi Tin học trẻ cấp thành phố",
        "homeroom_comment": "Chăm ngoan, có ý thức học tập.",
    }
    return SecondaryResult(**(values | changes))


def secondary_content(**changes: Any) -> TranscriptContent:
    """A grade 9 pupil; every subject has its own teacher."""
    teachers = tuple(
        SubjectTeacher(staff=f"313100980{number:02d}", name=name, personal_id=f"0311850030{number:02d}", subjects=(subject[0],))
        for number, (subject, name) in enumerate(
            zip(
                SECONDARY_SUBJECTS,
                (
                    "Bùi Thị Ngọc Ánh",
                    "Vũ Đình Trọng",
                    "Hoàng Mỹ Linh",
                    "Đặng Văn Thưởng",
                    "Trần Thị Thu Uyên",
                    "Lý Quang Vỹ",
                    "Mai Xuân Bằng",
                    "Phan Khắc Hiếu",
                    "Dương Tuấn Kiệt",
                    "Tạ Bích Phượng",
                    "Hồ Thị Yến",
                    "Cao Sỹ Đông",
                ),
                strict=True,
            ),
            start=10,
        )
    )
    values: dict[str, Any] = {
        "school": school(code="31310098", name="Trường Trung học cơ sở Hoa Phượng", level="THCS", tax_code="0231310098"),
        "school_class": SchoolClass(code="9A", name="9A", grade=9, homeroom="31310098010", leader="31310098001", finalised=True),
        "pupil": pupil(code="312510199001", class_code="9A", born=dt.date(2011, 9, 22), personal_id="031311002519"),
        "result": secondary_result(),
        "subject_teachers": teachers,
        "homeroom_name": "Bùi Thị Ngọc Ánh",
        "homeroom_personal_id": "031185003010",
    }
    return primary_content(**(values | changes))


def upper_secondary_content(**changes: Any) -> TranscriptContent:
    """A grade 12 pupil with four chosen subjects; every subject has its own teacher."""
    subjects = tuple(
        SecondarySubject(name=name, semester1=first, semester2=second, year=year, comment="Em hiểu bài, vận dụng được.")
        for name, first, second, year in UPPER_SECONDARY_SUBJECTS
    )
    teachers = tuple(
        teacher.model_copy(update={"subjects": (subject.name,)})
        for teacher, subject in zip(secondary_content().subject_teachers, subjects, strict=True)
    )
    values: dict[str, Any] = {
        "school": school(code="31310097", name="Trường Trung học phổ thông Hoa Phượng", level="THPT", tax_code="0231310097"),
        "school_class": SchoolClass(code="12A", name="12A", grade=12, homeroom="31310098010", leader="31310098001", finalised=True),
        "result": secondary_result(subjects=subjects),
        "subject_teachers": teachers,
    }
    return secondary_content(**(values | changes))


def filled_upper_secondary_content(**changes: Any) -> TranscriptContent:
    """Everything optional is there: earlier years, the previous document, topics, re-assessment, corrections, a guardian."""
    plain = upper_secondary_content()
    assert isinstance(plain.result, SecondaryResult)
    first, *others = plain.result.subjects
    values: dict[str, Any] = {
        "version": 2,
        "replaces": "0197f3a2-6c1b-7d44-9e0a-000000000001",
        "pupil": plain.pupil.model_copy(update={"guardian": "Trịnh Văn Hậu"}),
        "result": plain.result.model_copy(
            update={
                "subjects": (first.model_copy(update={"year": "4.9", "reassessed": "6.0"}), *others),
                "topics": ("Chuyên đề Toán 12", "Chuyên đề Vật lí 12", "Chuyên đề Tin học 12"),
                "study": ("Khá", "Đạt", "Chưa đạt"),
                "study_reassessed": "Đạt",
                "conduct_reassessed": "Khá",
                "award": "Giấy khen của hiệu trưởng",
            }
        ),
        "history": (
            StudyYear(year="2024-2025", class_name="11A", school_name="Trường Trung học phổ thông Hoa Phượng", register_number="2023/0107"),
            StudyYear(
                year="2023-2024",
                class_name="10C",
                school_name="Trường Trung học phổ thông Hải Đăng",
                register_number="2023/0455",
                joined_on=dt.date(2023, 9, 4),
            ),
        ),
        "previous": PreviousTranscript(
            transcript="0196a1b2-6c1b-7d44-9e0a-00000000aa11", year="2024-2025", pdf_sha256="ab" * 32, xml_sha256="cd" * 32
        ),
        "corrections": Corrections(marks=2, levels=1, subjects=("Toán", "Giáo dục thể chất")),
    }
    return upper_secondary_content(**(values | changes))


def shared_subjects_content(**changes: Any) -> TranscriptContent:
    """Sixteen teachers: natural science has three, literature another one in each semester, the homeroom teacher two subjects."""

    def more(number: int, name: str, *subjects: str, one_semester: tuple[tuple[str, Semester], ...] = ()) -> SubjectTeacher:
        staff, personal_id = f"313100980{number}", f"0311850030{number}"
        return SubjectTeacher(staff=staff, name=name, personal_id=personal_id, subjects=subjects, one_semester=one_semester)

    literature, *others = secondary_content().subject_teachers
    activities = "Hoạt động trải nghiệm, hướng nghiệp"
    teachers = (
        more(30, "Nguyễn Thị Hồng Nhung", "Ngữ văn", one_semester=(("Ngữ văn", 2),)),
        literature.model_copy(update={"subjects": ("Ngữ văn", activities), "one_semester": (("Ngữ văn", 1), (activities, 2))}),
        *others,
        more(31, "Nguyễn Phước Bảo Ngọc Quỳnh Trang", "Khoa học tự nhiên"),
        more(32, "Đinh Hoàng Khánh Vân", "Khoa học tự nhiên", "Công nghệ"),
        more(33, "Lương Gia Huy", "Nghệ thuật"),
    )
    return secondary_content(**({"subject_teachers": teachers} | changes))


def subject_signatures(content: TranscriptContent) -> tuple[SubjectSignature, ...]:
    """What the PDF is told when all subject teachers have signed."""
    return tuple(
        SubjectSignature(
            staff=teacher.staff,
            name=teacher.name,
            subjects=teacher.subjects,
            signed_at=dt.datetime(2026, 5, 28, 7, 5 + number, tzinfo=dt.UTC),
            certificate_serial=f"5404A1B2C3D4E5F60718293A4B5C6D7E8F90{number:04X}",
        )
        for number, teacher in enumerate(content.subject_teachers)
    )
