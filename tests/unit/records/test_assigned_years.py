"""Rights to a class of an earlier year: by the assignments of that year."""

from __future__ import annotations

from contracts.access import Action, Principal, Role, allowed
from services.records.schoolyear import Assignment
from services.records.transcripts.assigned import assigned

SCHOOL = "31300001"
TEACHER = Principal(
    person="31300001006", name="Giáo viên", school=SCHOOL, level="TH", roles=frozenset({Role.HOMEROOM_TEACHER}), homeroom_of=("5A",)
)
THEN = [("4A", TEACHER.person), ("5A", "31300001009")]


def music(person: str) -> Assignment:
    return Assignment(class_code="5A", subject="AN", subject_name="Âm nhạc", semester=1, staff=person)


def test_a_homeroom_teacher_has_the_class_of_that_year_and_not_the_one_of_today() -> None:
    then = assigned(TEACHER, THEN, [])
    assert then.homeroom_of == ("4A",)
    assert allowed(then, Action.CREATE, school=SCHOOL, own="4A" in then.homeroom_of)
    assert not allowed(then, Action.CREATE, school=SCHOOL, own="5A" in then.homeroom_of)


def test_who_has_no_class_today_still_has_the_one_of_that_year() -> None:
    today = TEACHER.model_copy(update={"homeroom_of": (), "roles": frozenset({Role.SUBJECT_TEACHER})})
    then = assigned(today, THEN, [])
    assert then.homeroom_of == ("4A",)
    assert then.roles == {Role.SUBJECT_TEACHER, Role.HOMEROOM_TEACHER}


def test_who_taught_nothing_then_gets_no_role_and_no_class_by_it() -> None:
    clerk = TEACHER.model_copy(update={"person": "31300001005", "homeroom_of": (), "roles": frozenset({Role.CLERK})})
    assert assigned(clerk, THEN, [music("31300001011")]) == clerk


def test_who_taught_a_subject_then_may_look_at_that_class_again() -> None:
    clerk = TEACHER.model_copy(update={"homeroom_of": (), "roles": frozenset({Role.CLERK})})
    assert assigned(clerk, [], [music(clerk.person)]).roles == {Role.CLERK, Role.SUBJECT_TEACHER}
