"""Roles from what an import says and from what was granted here."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.events.records import StaffMember
from services.chassis.errors import Refused
from services.identity.organisations import people

SCHOOL = "31300001"


def member(code: str, position: str = "Giáo viên", **facts: Any) -> StaffMember:
    given = {"administrator": False, "issuer": False, "teaches": False, "homeroom_of": (), **facts}
    return StaffMember(code=code, name="Nguyễn Văn An", personal_id="031190000001", position=position, **given)


def merged(known: dict[str, dict[str, Any]], *staff: StaffMember) -> people.Merged:
    return people.merge(SCHOOL, known, staff)


def after(result: people.Merged) -> dict[str, list[str]]:
    return {p["_id"]: p["roles"] for p in (*result.new, *result.changed)}


@pytest.mark.parametrize(
    ("staff", "roles"),
    [
        (member("1", "Hiệu trưởng"), ["manager"]),
        (member("1", "Phó Hiệu trưởng chuyên môn"), ["manager"]),
        (member("1", "Nhân viên học vụ"), ["clerk"]),
        (member("1", "Nhân viên văn thư", issuer=True), ["issuer"]),
        (member("1", administrator=True), ["administrator"]),
        (member("1", teaches=True, homeroom_of=("1A",)), ["homeroom_teacher", "subject_teacher"]),
        (member("1", "Nhân viên bảo vệ"), []),
    ],
)
def test_roles_come_from_position_flags_and_assignments(staff: StaffMember, roles: list[str]) -> None:
    assert after(merged({}, staff)) == {"1": roles}


def test_who_is_absent_loses_the_roles_and_stays_on_record() -> None:
    first = merged({}, member("1", teaches=True), member("2", teaches=True))
    known = {p["_id"]: p for p in first.new}
    second = merged(known, member("2", teaches=True))
    assert [(p["_id"], p["roles"], p["name"]) for p in second.changed] == [("1", [], "Nguyễn Văn An")]


def test_the_administrator_whom_the_oversight_named_stays_one_whatever_the_import_says() -> None:
    named = people.as_administrator(None, code="3", name="An", personal_id="", school=SCHOOL)
    assert after(merged({"3": named}, member("3", "Nhân viên công nghệ thông tin"))) == {"3": ["administrator"]}
    assert merged({"3": named}).changed == []


def test_a_granted_right_to_issue_outlasts_the_next_import() -> None:
    person = {**merged({}, member("4")).new[0], "issuer_granted": True}
    assert people.may_issue(people.with_roles(person))
    result = merged({"4": people.with_roles(person)}, member("4", teaches=True))
    assert after(result) == {"4": ["issuer", "subject_teacher"]}
    assert result.issuers_changed == []


def test_the_same_import_twice_changes_nothing() -> None:
    staff = (member("1", teaches=True), member("2", "Hiệu trưởng"))
    known = {p["_id"]: p for p in merged({}, *staff).new}
    again = merged(known, *staff)
    assert (again.new, again.changed) == ([], [])


def test_a_code_of_another_school_is_left_alone() -> None:
    foreign = people.blank("9", "Lê Thị Bình", school="31300002")
    result = merged({"9": foreign}, member("9"))
    assert (result.foreign, after(result)) == (["9"], {})


def test_an_import_corrects_what_was_typed_and_not_the_other_way_round() -> None:
    typed = people.as_administrator(None, code="3", name="  Ngo Cong  Hoang ", personal_id="031190000009", school=SCHOOL)
    assert typed["name"] == "Ngo Cong Hoang"
    listed = merged({"3": typed}, member("3")).changed[0]
    assert (listed["name"], listed["personal_id"]) == ("Nguyễn Văn An", "031190000001")
    again = people.as_administrator(listed, code="3", name="Khác", personal_id="", school=SCHOOL)
    assert again == listed


def test_an_administrator_cannot_be_somebody_of_another_school() -> None:
    with pytest.raises(Refused, match="HB-IDN-012"):
        people.as_administrator(people.blank("3", "An", school="31300002"), code="3", name="An", personal_id="", school=SCHOOL)
    with pytest.raises(Refused, match="HB-IDN-012"):
        people.as_officer(people.blank("3", "An", school="31300002"), code="3", name="An", unit="031")
