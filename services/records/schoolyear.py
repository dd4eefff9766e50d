"""A school's year as the sector database exports it: plain data, no behaviour.

`imports.py` fills these from workbooks, `rules/` judges them, `render/` turns one pupil's part into documents.
Codes are opaque strings: leading zeros count.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["TH", "THCS", "THPT"]
Semester = Literal[1, 2]
SchoolYear = Annotated[str, Field(pattern=r"^20\d\d-20\d\d$")]


class Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class School(Plain):
    """Sheet "Trường"."""

    code: str
    name: str
    level: Level
    kind: str = ""
    commune: str
    province: str
    tax_code: str
    unit_code: str
    unit_name: str
    year: SchoolYear
    print_place: str
    print_date: dt.date


class Staff(Plain):
    """One row of sheet "Cán bộ"."""

    code: str
    name: str
    personal_id: str
    born: dt.date | None = None
    sex: str = ""
    position: str
    email: str = ""
    phone: str = ""
    administrator: bool = False
    issuer: bool = False


class SchoolClass(Plain):
    """One row of sheet "Lớp"; homeroom and leader are staff codes."""

    code: str
    name: str
    grade: int
    homeroom: str
    leader: str
    finalised: bool


class Assignment(Plain):
    """One row of sheet "Phân công": who teaches a subject of a class in a semester."""

    class_code: str
    subject: str
    subject_name: str
    semester: Semester
    staff: str


class Pupil(Plain):
    """One row of sheet "Học sinh"."""

    code: str
    class_code: str
    name: str
    born: dt.date
    sex: Literal["Nam", "Nữ"]
    ethnicity: str = ""
    nationality: str = ""
    birth_place: str
    home_town: str = ""
    address: str = ""
    personal_id: str
    father: str = ""
    father_job: str = ""
    mother: str = ""
    mother_job: str = ""
    guardian: str = ""
    register_number: str = ""
    enrolled_on: dt.date | None = None
    status: str = "Đang học"


class PrimarySubject(Plain):
    """TT 27/2020: level T/H/C; mark 0..10 whole, only where the subject has one."""

    name: str
    level: str
    mark: int | None = None
    comment: str = ""


class Trait(Plain):
    """A phẩm chất or năng lực with its level T/Đ/C; `group` as in the export's first header row."""

    group: str
    name: str
    level: str


class PrimaryResult(Plain):
    """One row of a primary results sheet (ket_qua/<class>.xlsx)."""

    kind: Literal["primary"] = "primary"
    pupil: str
    subjects: tuple[PrimarySubject, ...]
    traits: tuple[Trait, ...]
    competence_comment: str = ""
    quality_comment: str = ""
    height_cm: Decimal | None = None
    weight_kg: Decimal | None = None
    health: str = ""
    absent_excused: int = 0
    absent_unexcused: int = 0
    homeroom_comment: str = ""
    rating: str
    award: str = ""
    completed: bool
    promoted: bool


class SecondarySubject(Plain):
    """TT 22/2021: marks as decimals with one digit, or "Đ"/"CĐ" for a comment subject; kept as exported text."""

    name: str
    semester1: str
    semester2: str
    year: str
    reassessed: str = ""
    comment: str = ""


class SecondaryResult(Plain):
    """One row of a secondary results sheet; study and conduct are (HKI, HKII, CN).

    `topics`: the chosen "chuyên đề học tập" (grades 10 to 12). `*_reassessed`: the level after the summer, where the school keeps it apart.
    """

    kind: Literal["secondary"] = "secondary"
    pupil: str
    subjects: tuple[SecondarySubject, ...]
    study: tuple[str, str, str]
    conduct: tuple[str, str, str]
    absent_excused: int = 0
    absent_unexcused: int = 0
    award: str = ""
    promoted: bool
    certificate: str = ""
    contests: str = ""
    homeroom_comment: str = ""
    topics: tuple[str, ...] = ()
    study_reassessed: str = ""
    conduct_reassessed: str = ""


Result = Annotated[PrimaryResult | SecondaryResult, Field(discriminator="kind")]


class SubjectTeacher(Plain):
    """Somebody who taught the class in either semester, with all their subjects; primary homeroom teachers' own subjects included.

    `one_semester` lists those of the subjects that they taught in that semester only.
    """

    staff: str
    name: str
    personal_id: str
    subjects: tuple[str, ...]
    one_semester: tuple[tuple[str, Semester], ...] = ()


class PreviousTranscript(Plain):
    """The sealed document of the same pupil's year before at this school, by the SHA-256 digests of its files."""

    transcript: str
    year: SchoolYear
    pdf_sha256: str
    xml_sha256: str


class StudyYear(Plain):
    """An earlier row of "Quá trình học tập"."""

    year: SchoolYear
    class_name: str
    school_name: str
    register_number: str = ""
    joined_on: dt.date | None = None


class Corrections(Plain):
    """How many marks and levels of the subjects' table were corrected after the class was finalised, and in which subjects."""

    marks: int = Field(default=0, ge=0)
    levels: int = Field(default=0, ge=0)
    subjects: tuple[str, ...] = ()


class DigitisedPart(Plain):
    """A part of a paper transcript: who reviewed it, and who signs and answers for it (seed 004, V.2 to V.4).

    `written_by`: whom the paper names for it, where they do not sign themselves. `reviewed_by` and `signed_by` are staff codes.
    """

    kind: Literal["profile", "subjects", "homeroom"]
    subjects: tuple[str, ...] = ()
    written_by: tuple[str, ...] = ()
    reviewed_by: str
    reviewed_name: str
    reviewed_at: dt.datetime
    signed_by: str
    signed_name: str


class Digitised(Plain):
    """That the transcript was made from a paper one: its scan by digest, and who answers for which part.

    `paper_school`: the school that the paper names, where it is another. `circular`: what the values were checked by, "" when there
    is no rule set for that grade and year, so that they stand as they were found.
    """

    scan_sha256: str
    scan_bytes: int
    scan_pages: int
    paper_school: str = ""
    circular: str = ""
    parts: tuple[DigitisedPart, ...]


class TranscriptContent(Plain):
    """All that one transcript says, ready to be rendered: one pupil, one school year, one school."""

    id: str
    version: int
    replaces: str | None = None
    created_at: dt.datetime
    school: School
    school_class: SchoolClass
    pupil: Pupil
    result: Result
    subject_teachers: tuple[SubjectTeacher, ...]
    homeroom_name: str
    homeroom_personal_id: str
    leader_name: str
    leader_position: str
    leader_personal_id: str
    verify_url: str
    previous: PreviousTranscript | None = None
    history: tuple[StudyYear, ...] = ()
    corrections: Corrections = Corrections()
    digitised: Digitised | None = None


Period = Literal["GK1", "CK1", "GK2", "CN"]


class SummaryRow(Plain):
    """One pupil's line of a class summary, without the comments, which the form does not have."""

    code: str
    name: str
    born: dt.date
    personal_id: str
    subjects: tuple[PrimarySubject, ...]
    traits: tuple[Trait, ...]
    rating: str = ""
    award: str = ""
    completed: bool | None = None


class SummaryContent(Plain):
    """All that one "Bảng tổng hợp kết quả đánh giá giáo dục" says: one primary class, one school year, one time of assessment.

    `rows` in the order in which they are printed. Rating, award and completion stand at the end of the year (`CN`) only.
    """

    id: str
    version: int
    replaces: str | None = None
    created_at: dt.datetime
    period: Period = "CN"
    school: School
    school_class: SchoolClass
    rows: tuple[SummaryRow, ...]
    homeroom_name: str
    homeroom_personal_id: str
    leader: str
    leader_name: str
    leader_position: str
    leader_personal_id: str
    verify_url: str


class SubjectSignature(Plain):
    """What the PDF says of a subject teacher's signature in the XML."""

    staff: str
    name: str
    subjects: tuple[str, ...]
    signed_at: dt.datetime
    certificate_serial: str
