"""What the templates print: every word ready, so that Typst only lays out. Blocks follow the official form's order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import segno

from services.records.render.fields import PANELS
from services.records.render.text import (
    GENERAL_COMPETENCES,
    QUALITIES,
    SPECIFIC_COMPETENCES,
    clean,
    date_text,
    date_words,
    moment_text,
    refuse_unknown_groups,
    semester_note,
    teachers_of,
    traits_of,
)
from services.records.schoolyear import (
    PrimaryResult,
    Pupil,
    SecondaryResult,
    SecondarySubject,
    SubjectSignature,
    Trait,
    TranscriptContent,
)

_LEVEL_NAMES: Final = {"TH": "Tiểu học", "THCS": "Trung học cơ sở", "THPT": "Trung học phổ thông"}
_LONG_WORD: Final = re.compile(r"\S{25,}")
_IDENTIFIER: Final = re.compile(r"[0-9A-Fa-f-]{1,40}")
_HOMEROOM_SIGNS: Final = "Ký với tư cách giáo viên chủ nhiệm"
_NOT_SIGNED: Final = "Chưa ký"


def form(content: TranscriptContent, signatures: Sequence[SubjectSignature], *, preview: bool) -> dict[str, Any]:
    """JSON-able; all text cleaned. Raises ValueError for traits of a group that the form does not have."""
    school = content.school
    level = _LEVEL_NAMES[school.level]
    data: dict[str, Any] = {
        "preview": preview,
        "title": f"Học bạ {level.lower()} - {content.pupil.name} - Năm học {school.year}",
        "level": level.upper(),
        "id": content.id,
        "version": content.version,
        "replaces": content.replaces or "",
        "qr": _qr(content.verify_url),
        "school": {"name": school.name, "commune": school.commune, "province": school.province, "year": school.year},
        "class": {"name": content.school_class.name, "grade": content.school_class.grade},
        "place_date": f"{school.print_place}, {date_words(school.print_date)}",
        "pupil": content.pupil.name,
        "profile": _profile(content.pupil),
        "history": [
            [school.year, content.school_class.name, school.name, content.pupil.register_number, date_text(content.pupil.enrolled_on)],
        ],
        "panels": _panels(content),
        "result": _primary(content, content.result)
        if isinstance(content.result, PrimaryResult)
        else _secondary(content, content.result, signatures, preview=preview),
        "teachers": _teachers(content, signatures, preview=preview) if isinstance(content.result, PrimaryResult) else [],
    }
    return {**_composed(data), "verify_url": content.verify_url}


def _composed(value: Any) -> Any:
    if isinstance(value, str):
        return _LONG_WORD.sub(_break_long_word, clean(value))
    if isinstance(value, dict):
        return {key: _composed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_composed(item) for item in value]
    return value


def _break_long_word(found: re.Match[str]) -> str:
    """Lets a word without spaces break inside its cell; identifiers and serials, which the templates place themselves, stay whole."""
    word = found[0]
    if _IDENTIFIER.fullmatch(word):
        return word
    return "\u200b".join(word[start : start + 24] for start in range(0, len(word), 24))


def _qr(url: str) -> dict[str, Any]:
    """Dark modules as runs (column, row, length), for the template to draw as one vector path."""
    rows = [bytes(row) for row in segno.make(url, error="m", micro=False).matrix]
    runs = [[run.start(), number, run.end() - run.start()] for number, row in enumerate(rows) for run in re.finditer(b"\x01+", row)]
    return {"size": len(rows), "runs": runs}


def _profile(pupil: Pupil) -> list[list[str]]:
    return [
        ["Họ và tên", pupil.name.upper()],
        ["Giới tính", pupil.sex],
        ["Ngày, tháng, năm sinh", date_text(pupil.born)],
        ["Dân tộc", pupil.ethnicity],
        ["Quốc tịch", pupil.nationality],
        ["Nơi sinh", pupil.birth_place],
        ["Quê quán", pupil.home_town],
        ["Nơi ở hiện nay", pupil.address],
        ["Số định danh cá nhân", pupil.personal_id],
        ["Họ và tên cha", pupil.father],
        ["Họ và tên mẹ", pupil.mother],
        ["Người giám hộ (nếu có)", pupil.guardian],
    ]


def _panels(content: TranscriptContent) -> dict[str, Any]:
    """Where the signatures go; a deputy signs on behalf of the principal (Nghị định 30/2020/NĐ-CP, Phụ lục I)."""
    position = clean(content.leader_position)
    deputy = position.casefold() not in {"hiệu trưởng", ""}
    return {
        "fields": {panel.name: [panel.left, panel.top, panel.width, panel.height] for panel in PANELS},
        "homeroom": content.homeroom_name,
        "leader": content.leader_name,
        "leader_titles": ["KT. HIỆU TRƯỞNG", position.upper()] if deputy else ["HIỆU TRƯỞNG"],
    }


def _number(value: Decimal | int | None) -> str:
    """As Vietnam writes numbers: decimal comma, no needless zeros."""
    if value is None:
        return ""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def _measure(value: Decimal | None, unit: str) -> str:
    return f"{_number(value)} {unit}" if value is not None else ""


def _primary(content: TranscriptContent, result: PrimaryResult) -> dict[str, Any]:
    refuse_unknown_groups(result.traits)
    return {
        "kind": "primary",
        "height": _measure(result.height_cm, "cm"),
        "weight": _measure(result.weight_kg, "kg"),
        "health": result.health,
        "absent": str(result.absent_excused + result.absent_unexcused),
        "excused": str(result.absent_excused),
        "unexcused": str(result.absent_unexcused),
        "subjects": [[item.name, item.level, _number(item.mark), item.comment] for item in result.subjects],
        "qualities": _levels(traits_of(result.traits, QUALITIES)),
        "quality_comment": result.quality_comment,
        "general": _levels(traits_of(result.traits, GENERAL_COMPETENCES)),
        "specific": _levels(traits_of(result.traits, SPECIFIC_COMPETENCES)),
        "competence_comment": result.competence_comment,
        "rating": result.rating,
        "homeroom_comment": result.homeroom_comment,
        "award": result.award,
        "completion": _completion(content.school_class.grade, completed=result.completed, promoted=result.promoted),
    }


def _levels(traits: Sequence[Trait]) -> list[list[str]]:
    return [[trait.name, trait.level] for trait in traits]


def _completion(grade: int, *, completed: bool, promoted: bool) -> str:
    if grade == 5:
        return "Hoàn thành chương trình tiểu học." if completed else "Chưa hoàn thành chương trình tiểu học."
    programme = f"Hoàn thành chương trình lớp {grade}" if completed else f"Chưa hoàn thành chương trình lớp {grade}"
    return f"{programme}. {f'Được lên lớp {grade + 1}' if promoted else 'Chưa được lên lớp'}."


def _teachers(content: TranscriptContent, signatures: Sequence[SubjectSignature], *, preview: bool) -> list[list[str]]:
    """One row a subject teacher; none at all in a school whose policy lets only homeroom, leader and issuer sign."""
    if not signatures and not preview:
        return []
    by_staff = {signature.staff: signature for signature in signatures}
    rows = []
    for teacher in content.subject_teachers:
        signature = by_staff.get(teacher.staff)
        if signature:
            rows.append(
                [signature.name, ", ".join(signature.subjects), moment_text(signature.signed_at), signature.certificate_serial],
            )
        else:
            unsigned = _HOMEROOM_SIGNS if teacher.staff == content.school_class.homeroom else _NOT_SIGNED
            rows.append([teacher.name, ", ".join(teacher.subjects), unsigned, ""])
    return rows


def _secondary(
    content: TranscriptContent, result: SecondaryResult, signatures: Sequence[SubjectSignature], *, preview: bool
) -> dict[str, Any]:
    grade = content.school_class.grade
    return {
        "kind": "secondary",
        "subjects": [_subject(item, content, signatures, preview=preview) for item in result.subjects],
        "study": list(result.study),
        "conduct": list(result.conduct),
        "absent": str(result.absent_excused + result.absent_unexcused),
        "promotion": "Được lên lớp" if result.promoted else "Không được lên lớp",
        "certificate": result.certificate,
        "contests": result.contests,
        "award": result.award,
        "programme": _programme(grade, promoted=result.promoted) if grade in {9, 12} else "",
        "homeroom_comment": result.homeroom_comment,
    }


def _programme(grade: int, *, promoted: bool) -> str:
    level = "trung học cơ sở" if grade == 9 else "trung học phổ thông"
    return f"{'Hoàn thành' if promoted else 'Chưa hoàn thành'} chương trình {level}"


def _subject(
    subject: SecondarySubject, content: TranscriptContent, signatures: Sequence[SubjectSignature], *, preview: bool
) -> dict[str, Any]:
    by_staff = {signature.staff: signature for signature in signatures}
    signers = []
    for teacher, semesters in teachers_of(content.subject_teachers, subject.name):
        note = semester_note(semesters)
        signature = by_staff.get(teacher.staff)
        if signature:
            signers.append([signature.name, note, moment_text(signature.signed_at), signature.certificate_serial])
        elif signatures or preview:
            signers.append([teacher.name, note, _NOT_SIGNED, ""])
    marks = [subject.semester1, subject.semester2, subject.year, subject.reassessed]
    return {"name": subject.name, "marks": [mark.replace(".", ",") for mark in marks], "comment": subject.comment, "signers": signers}
