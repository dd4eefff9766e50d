"""How the documents write text, dates and groups: shared by the XML and the PDF, so both say the same."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from typing import Final

from services.records.rules.ruleset import secondary_rules
from services.records.schoolyear import SecondaryResult, Semester, SubjectTeacher, Trait

VIETNAM_TIME: Final = dt.timezone(dt.timedelta(hours=7))

QUALITIES: Final = "Phẩm chất chủ yếu"
GENERAL_COMPETENCES: Final = "Năng lực chung"
SPECIFIC_COMPETENCES: Final = "Năng lực đặc thù"
SEMESTER_NUMERALS: Final[dict[Semester, str]] = {1: "I", 2: "II"}


def clean(text: str) -> str:
    """Text as a document holds it: NFC, single spaces, and without the invisible characters (control, bidirectional, zero-width)
    that could make it look different from what it is. XML refuses most control characters anyway."""
    if text.isprintable():
        # nothing of the kind is printable
        return " ".join(unicodedata.normalize("NFC", text).split())
    visible = (" " if _is_break(char) else char for char in text if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split())


def _is_break(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Zl", "Zp"}


def local_time(moment: dt.datetime) -> dt.datetime:
    """The moment in Vietnam's time, to the second. Raises ValueError for a moment without a zone: it would depend on the machine."""
    if moment.tzinfo is None:
        raise ValueError("a document's time needs a time zone")
    return moment.astimezone(VIETNAM_TIME).replace(microsecond=0)


def date_text(day: dt.date | None) -> str:
    return day.strftime("%d/%m/%Y") if day else ""


def date_words(day: dt.date) -> str:
    """Day below 10 and month below 3 get a zero in front (Nghị định 30/2020/NĐ-CP, Phụ lục I)."""
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def moment_text(moment: dt.datetime) -> str:
    return local_time(moment).strftime("%d/%m/%Y %H:%M +07:00")


def teachers_of(teachers: Iterable[SubjectTeacher], subject: str) -> list[tuple[SubjectTeacher, tuple[Semester, ...]]]:
    """Who taught the subject, each with the semesters: who taught in semester I stands before who came for semester II."""
    both: tuple[Semester, ...] = (1, 2)
    found = []
    for teacher in teachers:
        if clean(subject) in {clean(taught) for taught in teacher.subjects}:
            only: tuple[Semester, ...] = tuple(semester for name, semester in teacher.one_semester if clean(name) == clean(subject))
            found.append((teacher, only or both))
    return sorted(found, key=lambda each: each[1])


def semester_note(semesters: Iterable[Semester]) -> str:
    """Which semester somebody taught in; nothing for the whole year."""
    taught = list(semesters)
    return f"học kì {SEMESTER_NUMERALS[taught[0]]}" if len(taught) == 1 else ""


def traits_of(traits: Iterable[Trait], group: str) -> list[Trait]:
    return [trait for trait in traits if clean(trait.group) == group]


def refuse_unknown_groups(traits: Iterable[Trait]) -> None:
    """Raises ValueError for a group that no form has, which would otherwise vanish from the document."""
    known = {QUALITIES, GENERAL_COMPETENCES, SPECIFIC_COMPETENCES}
    unknown = sorted({clean(trait.group) for trait in traits} - known)
    if unknown:
        raise ValueError(f"unknown group of traits: {', '.join(unknown)}")


def chosen_subjects(result: SecondaryResult, grade: int, year: str) -> list[str]:
    """Which of the pupil's subjects are chosen ones by the circular: none below grade 10. Raises NoRuleSetError."""
    if grade < 10:
        return []
    rules = secondary_rules(grade, year)
    known = ((subject.name, rules.subject(subject.name, grade)) for subject in result.subjects)
    return [name for name, subject in known if subject is not None and grade in subject.elective]
