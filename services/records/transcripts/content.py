"""From imported data to what one transcript says, and who has to sign it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import Signer
from services.records.cells import key
from services.records.schoolyear import Corrections, PrimaryResult, SubjectTeacher, TranscriptContent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from services.records.schoolyear import Assignment, PreviousTranscript, Pupil, Result, School, SchoolClass, Semester, Staff, StudyYear


def subject_teachers(
    school_class: SchoolClass, result: Result, assignments: Sequence[Assignment], staff: Mapping[str, Staff]
) -> tuple[SubjectTeacher, ...]:
    """Everybody assigned in either semester to a subject of this pupil, once, with all of them, in the order of the assignment table."""
    standing = {key(subject.name): subject.name for subject in result.subjects}
    teachers: dict[str, dict[str, set[Semester]]] = {}
    for a in assignments:
        if a.class_code == school_class.code and key(a.subject_name) in standing:
            teachers.setdefault(a.staff, {}).setdefault(standing[key(a.subject_name)], set()).add(a.semester)
    return tuple(
        SubjectTeacher(
            staff=code,
            name=staff[code].name,
            personal_id=staff[code].personal_id,
            subjects=tuple(taught),
            one_semester=tuple((subject, *semesters) for subject, semesters in taught.items() if len(semesters) == 1),
        )
        for code, taught in teachers.items()
    )


def transcript_content(
    *,
    transcript_id: str,
    version: int,
    replaces: str | None,
    created_at: dt.datetime,
    school: School,
    school_class: SchoolClass,
    pupil: Pupil,
    result: Result,
    assignments: Sequence[Assignment],
    staff: Mapping[str, Staff],
    public_url: str,
    previous: PreviousTranscript | None = None,
    history: tuple[StudyYear, ...] = (),
    corrections: Corrections | None = None,
) -> TranscriptContent:
    homeroom, leader = staff[school_class.homeroom], staff[school_class.leader]
    return TranscriptContent(
        id=transcript_id,
        version=version,
        replaces=replaces,
        created_at=created_at,
        school=school,
        school_class=school_class,
        pupil=pupil,
        result=result,
        subject_teachers=subject_teachers(school_class, result, assignments, staff),
        homeroom_name=homeroom.name,
        homeroom_personal_id=homeroom.personal_id,
        leader_name=leader.name,
        leader_position=leader.position,
        leader_personal_id=leader.personal_id,
        verify_url=f"{public_url}/ui/publishing/verify/{transcript_id}",
        previous=previous,
        history=history,
        corrections=corrections or Corrections(),
    )


def without_comments(result: Result) -> Result:
    """The result without what the teachers wrote about the single subjects."""
    if isinstance(result, PrimaryResult):
        return result.model_copy(update={"subjects": tuple(s.model_copy(update={"comment": ""}) for s in result.subjects)})
    return result.model_copy(update={"subjects": tuple(s.model_copy(update={"comment": ""}) for s in result.subjects)})


def required_signers(content: TranscriptContent) -> tuple[Signer, ...]:
    """Who is assigned; signing makes steps of it by its policy."""
    subjects = [Signer(role="subject_teacher", person=t.staff, name=t.name, subjects=t.subjects) for t in content.subject_teachers]
    homeroom = Signer(role="homeroom", person=content.school_class.homeroom, name=content.homeroom_name)
    leader = Signer(role="leader", person=content.school_class.leader, name=content.leader_name)
    return (*subjects, homeroom, leader)
