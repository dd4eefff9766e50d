"""What the templates print: every word ready, so that Typst only lays out. Blocks follow the official form's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from services.records.render.compose import composed, number, panels, qr
from services.records.render.fields import A4
from services.records.render.text import (
    GENERAL_COMPETENCES,
    QUALITIES,
    SPECIFIC_COMPETENCES,
    chosen_subjects,
    date_text,
    date_words,
    moment_text,
    refuse_unknown_groups,
    semester_note,
    teachers_of,
    traits_of,
)
from services.records.schoolyear import (
    Corrections,
    Digitised,
    PrimaryResult,
    Pupil,
    SecondaryResult,
    SecondarySubject,
    SubjectSignature,
    Trait,
    TranscriptContent,
)

_LEVEL_NAMES: Final = {"TH": "Tiểu học", "THCS": "Trung học cơ sở", "THPT": "Trung học phổ thông"}
_HOMEROOM_SIGNS: Final = "Ký với tư cách giáo viên chủ nhiệm"
_DIGITISED: Final = {"profile": "Hồ sơ học sinh", "homeroom": "Phần của giáo viên chủ nhiệm"}
_NOT_SIGNED: Final = "Chưa ký"


def form(
    content: TranscriptContent,
    signatures: Sequence[SubjectSignature],
    *,
    preview: bool,
    pictures: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """JSON-able; all text cleaned. `pictures`: what the signatures of subject teachers look like, by staff code, as
    `pictures.printable` makes them.

    Raises ValueError for traits of a group that the form does not have, NoRuleSetError for a grade of upper secondary without a circular.
    """
    school = content.school
    level = _LEVEL_NAMES[school.level]
    data: dict[str, Any] = {
        "preview": preview,
        "title": f"Học bạ {level.lower()} - {content.pupil.name} - Năm học {school.year}",
        "level": level.upper(),
        "id_label": "Mã định danh học bạ",
        "id": content.id,
        "version": content.version,
        "replaces": content.replaces or "",
        "school": {"name": school.name, "commune": school.commune, "province": school.province, "year": school.year},
        "class": {"name": content.school_class.name, "grade": content.school_class.grade},
        "place_date": f"{school.print_place}, {date_words(school.print_date)}",
        "pupil": content.pupil.name,
        "profile": _profile(content.pupil),
        "history": _history(content),
        "digitised": _digitised(content.digitised),
        "homeroom": _homeroom(content),
        "panels": panels(A4, homeroom=content.homeroom_name, leader=content.leader_name, leader_position=content.leader_position),
        "result": _primary(content, content.result)
        if isinstance(content.result, PrimaryResult)
        else _secondary(content, content.result, signatures, preview=preview),
        "teachers": _teachers(content, signatures, preview=preview) if isinstance(content.result, PrimaryResult) else [],
    }
    # a picture stands for a signature that was given, never for one that is still to come
    drawn = {s.staff: list(pictures[s.staff]) for s in signatures if pictures and s.staff in pictures}
    whole = {"previous": _previous(content), "verify_url": content.verify_url}
    return {**composed(data), **whole, "qr": qr(content.verify_url), "pictures": drawn}


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


def _history(content: TranscriptContent) -> list[list[str]]:
    """Earlier years first, then the transcript's own."""
    pupil = content.pupil
    earlier = [
        [each.year, each.class_name, each.school_name, each.register_number, date_text(each.joined_on)]
        for each in sorted(content.history, key=lambda each: each.year)
    ]
    own = [content.school.year, content.school_class.name, content.school.name, pupil.register_number, date_text(pupil.enrolled_on)]
    return [*earlier, own]


def _homeroom(content: TranscriptContent) -> str:
    """Who had the class: on paper somebody else than who signs for them now."""
    parts = content.digitised.parts if content.digitised else ()
    return next((", ".join(p.written_by) for p in parts if p.kind == "homeroom" and p.written_by), content.homeroom_name)


def _digitised(digitised: Digitised | None) -> dict[str, Any]:
    """Empty for a transcript that was born digital."""
    if digitised is None:
        return {}
    checked = f"đối chiếu theo {digitised.circular}" if digitised.circular else "ghi như trên học bạ giấy, không đối chiếu theo quy định"
    return {
        "paper_school": digitised.paper_school,
        "scan": f"Bản quét học bạ giấy: {digitised.scan_pages} trang, lưu tại trường. SHA-256: {digitised.scan_sha256}.",
        "checked": f"Dữ liệu {checked}.",
        "parts": [
            [
                _DIGITISED[part.kind] if part.kind != "subjects" else ", ".join(part.subjects),
                ", ".join(part.written_by),
                f"{part.reviewed_name}, {moment_text(part.reviewed_at)}",
                part.signed_name,
            ]
            for part in digitised.parts
        ],
    }


def _previous(content: TranscriptContent) -> str:
    previous = content.previous
    if previous is None:
        return ""
    return f"Học bạ năm học {previous.year}: mã định danh {previous.transcript}; giá trị băm SHA-256 của tệp PDF {previous.pdf_sha256}."


def _measure(value: Decimal | None, unit: str) -> str:
    return f"{number(value)} {unit}" if value is not None else ""


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
        "subjects": [[item.name, item.level, number(item.mark), item.comment] for item in result.subjects],
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
                [
                    signature.name,
                    ", ".join(signature.subjects),
                    moment_text(signature.signed_at),
                    signature.certificate_serial,
                    signature.staff,
                ],
            )
        else:
            unsigned = _HOMEROOM_SIGNS if teacher.staff == content.school_class.homeroom else _NOT_SIGNED
            rows.append([teacher.name, ", ".join(teacher.subjects), unsigned, "", ""])
    return rows


def _secondary(
    content: TranscriptContent, result: SecondaryResult, signatures: Sequence[SubjectSignature], *, preview: bool
) -> dict[str, Any]:
    grade = content.school_class.grade
    return {
        "kind": "secondary",
        "subjects": [_subject(item, content, signatures, preview=preview) for item in result.subjects],
        "chosen": ", ".join(chosen_subjects(result, grade, content.school.year)),
        "topics": "; ".join(result.topics),
        "upper": grade >= 10,
        "study": [*result.study, result.study_reassessed],
        "conduct": [*result.conduct, result.conduct_reassessed],
        "corrections": _corrections(content.corrections),
        "absent": str(result.absent_excused + result.absent_unexcused),
        "promotion": "Được lên lớp" if result.promoted else "Không được lên lớp",
        "certificate": result.certificate,
        "contests": result.contests,
        "award": result.award,
        "programme": _programme(grade, promoted=result.promoted) if grade in {9, 12} else "",
        "homeroom_comment": result.homeroom_comment,
    }


def _corrections(corrections: Corrections) -> str:
    subjects = ", ".join(corrections.subjects) or "không"
    return f"Trong bảng này có sửa chữa ở: {corrections.marks} điểm, {corrections.levels} mức đánh giá, thuộc các môn: {subjects}."


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
            signers.append([signature.name, note, moment_text(signature.signed_at), signature.certificate_serial, signature.staff])
        elif signatures or preview:
            signers.append([teacher.name, note, _NOT_SIGNED, "", ""])
    marks = [subject.semester1, subject.semester2, subject.year, subject.reassessed]
    return {"name": subject.name, "marks": [mark.replace(".", ",") for mark in marks], "comment": subject.comment, "signers": signers}
