"""People whom no import names: entered, corrected, gone and back, and taken over by an import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from contracts.access import Role
from contracts.events.records import StaffMember
from services.chassis.errors import Refused
from services.identity.organisations import people

SCHOOL = "31300001"
TODAY = dt.date(2026, 5, 28)
ACTOR = "admin"


def entered(before: dict[str, Any] | None = None, position: str = "Nhân viên học vụ", **more: str) -> dict[str, Any]:
    given = {"code": "h1", "name": "  Lê  Thị Bình", "personal_id": "031190000777", "school": SCHOOL, "actor": ACTOR, **more}
    return people.entered(before, position=position, **given)


def member(code: str = "h1", **facts: Any) -> StaffMember:
    given = {"administrator": False, "issuer": False, "teaches": True, "homeroom_of": (), "position": "Giáo viên", **facts}
    return StaffMember(code=code, name="Lê Thị Bình An", personal_id="031190000778", **given)


def gone(before: dict[str, Any], on: dt.date | None = TODAY, reason: str = "Chuyển trường", actor: str = ACTOR) -> dict[str, Any]:
    return people.gone(before, on=on, reason=reason, today=TODAY, actor=actor)


@pytest.mark.parametrize(
    ("position", "roles"),
    [("Nhân viên học vụ", ["clerk"]), ("Phó hiệu trưởng", ["manager"]), ("Giáo viên", []), ("Nhân viên bảo vệ", [])],
)
def test_somebody_entered_by_hand_has_the_roles_of_the_position(position: str, roles: list[str]) -> None:
    person = entered(position=position)
    assert (person["name"], person["roles"], person["by_hand"], person["listed"]) == ("Lê Thị Bình", roles, True, False)
    assert people.is_staff(person)


def test_a_code_that_somebody_has_cannot_be_entered_again() -> None:
    there = people.merge(SCHOOL, {}, [member()]).new[0]
    for before in (there, entered(), people.blank("h1", "An", school="31300002"), people.blank("h1", "An", unit="031"), gone(there)):
        with pytest.raises(Refused, match="HB-IDN-012"):
            entered(before)


def test_somebody_whom_the_import_dropped_can_be_entered_and_gets_no_imported_role_back() -> None:
    there = people.merge(SCHOOL, {}, [member(administrator=True, issuer=True)]).new[0]
    dropped = people.merge(SCHOOL, {"h1": there}, []).changed[0]
    assert entered(dropped)["roles"] == ["clerk"]


def test_an_import_takes_somebody_over_by_the_code() -> None:
    after = people.merge(SCHOOL, {"h1": entered()}, [member()])
    [person] = after.changed
    assert (person["name"], person["by_hand"], person["listed"], person["roles"]) == ("Lê Thị Bình An", False, True, ["subject_teacher"])
    assert [p["_id"] for p in after.owners_changed] == ["h1"], "a certificate with the typed personal id ends"


def test_an_import_that_does_not_name_somebody_entered_by_hand_leaves_them_be() -> None:
    assert people.merge(SCHOOL, {"h1": entered()}, []).changed == []


def test_only_people_by_hand_are_corrected() -> None:
    right = people.corrected(entered(), name="Lê Thị Bích", personal_id="", position="Hiệu trưởng", actor=ACTOR)
    assert (right["name"], right["personal_id"], right["roles"]) == ("Lê Thị Bích", "", ["manager"])
    listed = people.merge(SCHOOL, {}, [member()]).new[0]
    with pytest.raises(Refused, match="HB-IDN-055"):
        people.corrected(listed, name="Khác", personal_id="", position="", actor=ACTOR)


def test_whoever_has_left_has_no_role_and_keeps_everything_else() -> None:
    before = people.with_roles({**people.merge(SCHOOL, {}, [member(issuer=True)]).new[0], "administrator_given": True})
    after = gone(before)
    assert after == {**before, "roles": [], "left": {"on": "2026-05-28", "reason": "Chuyển trường"}}
    assert not people.is_staff(after)
    assert people.returned(after, actor=ACTOR) == before


def test_an_import_does_not_bring_back_whoever_has_left() -> None:
    after = people.merge(SCHOOL, {"h1": gone(entered())}, [member(administrator=True)])
    assert [(p["roles"], p["listed"]) for p in after.changed] == [([], True)]
    back = people.returned(after.changed[0], actor=ACTOR)
    assert back["roles"] == ["administrator", "subject_teacher"]


def test_the_oversight_naming_somebody_administrator_brings_them_back() -> None:
    again = people.as_administrator(gone(entered()), code="h1", name="Lê Thị Bình", personal_id="031190000777", school=SCHOOL)
    assert (again["left"], again["roles"]) == (None, ["administrator", "clerk"])


@pytest.mark.parametrize(
    ("on", "reason", "code"),
    [(dt.date(2026, 5, 29), "x", "HB-IDN-057"), (None, "x", "HB-IDN-057"), (TODAY, "  ", "HB-IDN-029")],
)
def test_leaving_needs_a_reason_and_a_day_that_has_come(on: dt.date | None, reason: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        gone(entered(), on, reason)


def test_nobody_leaves_or_returns_twice() -> None:
    with pytest.raises(Refused, match="HB-IDN-054"):
        gone(gone(entered()))
    with pytest.raises(Refused, match="HB-IDN-056"):
        people.returned(entered(), actor=ACTOR)


def test_nobody_does_any_of_this_to_themselves() -> None:
    person = entered()
    acts: list[Callable[[], object]] = [
        lambda: entered(actor="h1"),
        lambda: people.corrected(person, name="Khác", personal_id="", position="", actor="h1"),
        lambda: gone(person, actor="h1"),
        lambda: people.returned(gone(person), actor="h1"),
    ]
    for act in acts:
        with pytest.raises(Refused, match="HB-IDN-031"):
            act()


def test_two_people_of_a_school_never_share_a_personal_id() -> None:
    with pytest.raises(Refused, match="HB-IDN-058"):
        people.check_personal_id(entered(), [entered(code="h2")])
    people.check_personal_id(entered(), [entered()])
    people.check_personal_id(entered(personal_id=""), [entered(code="h2", personal_id="")])


def test_a_record_of_before_there_were_people_by_hand_is_read_as_neither() -> None:
    old = {key: value for key, value in people.merge(SCHOOL, {}, [member()]).new[0].items() if key not in ("by_hand", "left")}
    assert people.with_roles(old)["roles"] == ["subject_teacher"]
    assert (people.by_hand(old), people.has_left(old)) == (False, False)


def test_every_role_that_somebody_holds_has_a_reason() -> None:
    listed = people.merge(SCHOOL, {}, [member(position="Phó hiệu trưởng", administrator=True, issuer=True, homeroom_of=("5A",))]).new[0]
    full = people.with_roles({**listed, "administrator_given": True, "issuer_granted": True})
    for person in (full, entered(), people.with_roles(people.blank("o", "An", unit="031"))):
        assert {reason.role.value for reason in people.reasons(person)} == set(person["roles"])
    assert [r.act for r in people.reasons(full) if r.role is Role.ISSUER] == ["", "issue right set"]
