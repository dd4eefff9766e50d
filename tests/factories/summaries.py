"""Invented class summaries of every layout."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.records.schoolyear import PrimarySubject, SchoolClass, SummaryContent, SummaryRow, Trait
from tests.factories.transcripts import GRADE_5_SUBJECTS, TRAITS, VIETNAM, school

FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi")
MIDDLE = ("Thị Ngọc", "Gia", "Thuỳ", "Quốc", "Minh", "Hữu", "Diệu")
GIVEN = ("Anh", "Bình", "Châu", "Dũng", "Hạnh", "Khánh", "Linh", "Mỹ", "Nghĩa", "Oanh", "Phương")

GRADE_1_SUBJECTS: tuple[tuple[str, int | None], ...] = (
    ("Tiếng Việt", 9),
    ("Toán", 10),
    ("Đạo đức", None),
    ("Tự nhiên và Xã hội", None),
    ("Giáo dục thể chất", None),
    ("Âm nhạc", None),
    ("Mĩ thuật", None),
    ("Hoạt động trải nghiệm", None),
)
GRADE_3_SUBJECTS: tuple[tuple[str, int | None], ...] = (
    *GRADE_1_SUBJECTS[:2],
    ("Ngoại ngữ 1", 9),
    *GRADE_1_SUBJECTS[2:4],
    ("Tin học", 8),
    ("Công nghệ", 9),
    *GRADE_1_SUBJECTS[4:],
)


def subjects_of(grade: int) -> tuple[tuple[str, int | None], ...]:
    return GRADE_1_SUBJECTS if grade <= 2 else GRADE_3_SUBJECTS if grade == 3 else GRADE_5_SUBJECTS


def summary_line(number: int, grade: int, **changes: Any) -> SummaryRow:
    """Every fifth pupil has the best rating, every seventh the lowest."""
    best, low = number % 5 == 0, number % 7 == 6
    level = "T" if best else "C" if low else "H"
    rating = "Hoàn thành xuất sắc" if best else "Chưa hoàn thành" if low else "Hoàn thành"
    values: dict[str, Any] = {
        "code": f"3125001990{number:02d}",
        "name": f"{FAMILY[number % 8]} {MIDDLE[number % 7]} {GIVEN[number % 11]}",
        "born": dt.date(2026 - 5 - grade, 1 + number % 12, 1 + number % 28),
        "personal_id": f"0313150025{number:02d}",
        "subjects": tuple(
            PrimarySubject(name=name, level=level, mark=None if mark is None else mark if best else 4 if low else 7)
            for name, mark in subjects_of(grade)
        ),
        "traits": tuple(
            Trait(group=group, name=name, level="T" if best else "Đ")
            for group, names in TRAITS
            for name in names
            if grade >= 3 or name not in {"Công nghệ", "Tin học"}
        ),
        "rating": rating,
        "award": "Học sinh Xuất sắc" if best else "",
        "completed": not low,
    }
    return SummaryRow(**(values | changes))


def summary_content(grade: int = 5, pupils: int = 35, **changes: Any) -> SummaryContent:
    """Class A of the grade at the end of the year."""
    values: dict[str, Any] = {
        "id": "0197f3a2-7d2c-7a55-8b1f-3c9d0e6f7a81",
        "version": 1,
        "created_at": dt.datetime(2026, 5, 27, 9, 30, 15, tzinfo=VIETNAM),
        "school": school(),
        "school_class": SchoolClass(
            code=f"{grade}A", name=f"{grade}A", grade=grade, homeroom="31300099006", leader="31300099001", finalised=True
        ),
        "rows": tuple(summary_line(number, grade) for number in range(pupils)),
        "homeroom_name": "Lê Thị Thuỳ Dương",
        "homeroom_personal_id": "031185002506",
        "leader": "31300099001",
        "leader_name": "Ngô Diệu Tâm",
        "leader_position": "Hiệu trưởng",
        "leader_personal_id": "031176002501",
        "verify_url": "https://hocba.example.vn/tra-cuu/0197f3a2-7d2c-7a55-8b1f-3c9d0e6f7a81",
    }
    return SummaryContent(**(values | changes))
