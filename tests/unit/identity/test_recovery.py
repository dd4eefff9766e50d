"""Who deals with whose forgotten password, and how long a link is good."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.access import Principal, Role
from services.chassis.errors import Refused
from services.identity.accounts import recovery
from services.identity.accounts.recovery import Surroundings

SCHOOL = "31300001"
PATH = ("031", "03101")
NOW = dt.datetime(2026, 5, 28, 7, tzinfo=dt.UTC)


def staff(code: str, *roles: Role, school: str = SCHOOL, **facts: Any) -> dict[str, Any]:
    return {"_id": code, "school": school, "unit": None, "roles": [r.value for r in roles], "left": None, **facts}


def officer(code: str, unit: str, **facts: Any) -> dict[str, Any]:
    return {"_id": code, "school": None, "unit": unit, "roles": [Role.OFFICER.value], "left": None, **facts}


def who(person: dict[str, Any]) -> Principal:
    return Principal(
        person=person["_id"], name="An", roles=frozenset(Role(r) for r in person["roles"]), school=person["school"], unit=person["unit"]
    )


TEACHER = staff("t1", Role.SUBJECT_TEACHER)
MANAGER = staff("m1", Role.MANAGER)
ADMINISTRATOR = staff("a1", Role.ADMINISTRATOR)
SECOND = staff("a2", Role.ADMINISTRATOR)
OF_UNIT = officer("o1", "03101")
OF_ROOT = officer("o0", "031")
EVERYBODY = (ADMINISTRATOR, OF_UNIT, OF_ROOT)


@pytest.mark.parametrize(
    ("person", "keepers", "desk"),
    [
        (TEACHER, EVERYBODY, SCHOOL),
        (MANAGER, EVERYBODY, SCHOOL),
        (ADMINISTRATOR, EVERYBODY, "03101"),
        (ADMINISTRATOR, (*EVERYBODY, SECOND), "03101"),
        (MANAGER, (OF_UNIT, OF_ROOT), "03101"),
        (TEACHER, (OF_UNIT, OF_ROOT), "03101"),
        (TEACHER, (OF_ROOT,), "031"),
        (TEACHER, (), None),
        (TEACHER, ({**ADMINISTRATOR, "left": {"on": "2026-05-01", "reason": "x"}}, OF_UNIT), "03101"),
        (TEACHER, (staff("x", Role.ADMINISTRATOR, school="31300002"), OF_ROOT), "031"),
    ],
)
def test_a_request_of_staff_waits_for_the_next_in_the_chain(
    person: dict[str, Any], keepers: tuple[dict[str, Any], ...], desk: str | None
) -> None:
    assert recovery.desk(person, Surroundings(PATH, keepers)) == desk


@pytest.mark.parametrize(
    ("person", "path", "keepers", "desk"),
    [
        (OF_UNIT, PATH, (OF_UNIT, OF_ROOT), "031"),
        (OF_UNIT, PATH, (OF_UNIT, officer("o2", "03101")), None),
        (OF_ROOT, ("031",), (OF_ROOT, officer("o9", "031")), None),
        (officer("o3", "0310101"), (*PATH, "0310101"), (OF_ROOT,), "031"),
    ],
)
def test_an_officer_asks_the_unit_above_and_the_first_of_all_nobody(
    person: dict[str, Any], path: tuple[str, ...], keepers: tuple[dict[str, Any], ...], desk: str | None
) -> None:
    assert recovery.desk(person, Surroundings(path, keepers)) == desk


def answer(dealer: dict[str, Any], person: dict[str, Any] | None, around: Surroundings, **more: Any) -> str:
    try:
        recovery.check_dealer(who(dealer), person, person["_id"] if person else "nobody", around, **more)
    except Refused as refused:
        return refused.code
    return "may"


AROUND = Surroundings(PATH, EVERYBODY)
ABOVE_UNIT = Surroundings(PATH, (OF_UNIT, OF_ROOT))


@pytest.mark.parametrize(
    ("dealer", "person", "around", "said"),
    [
        (ADMINISTRATOR, TEACHER, AROUND, "may"),
        (ADMINISTRATOR, MANAGER, AROUND, "may"),
        (ADMINISTRATOR, ADMINISTRATOR, AROUND, "HB-IDN-015"),
        (ADMINISTRATOR, SECOND, AROUND, "HB-IDN-052"),
        (ADMINISTRATOR, staff("t2", school="31300002"), Surroundings(PATH, ()), "HB-IDN-052"),
        (ADMINISTRATOR, OF_UNIT, ABOVE_UNIT, "HB-IDN-052"),
        (ADMINISTRATOR, None, Surroundings(), "HB-IDN-052"),
        (MANAGER, TEACHER, AROUND, "HB-IDN-052"),
        (TEACHER, MANAGER, AROUND, "HB-IDN-052"),
        (OF_UNIT, ADMINISTRATOR, AROUND, "may"),
        (OF_ROOT, ADMINISTRATOR, AROUND, "may"),
        (OF_UNIT, TEACHER, AROUND, "HB-IDN-052"),
        (OF_UNIT, TEACHER, Surroundings(PATH, (OF_UNIT,)), "may"),
        (officer("o5", "03102"), ADMINISTRATOR, AROUND, "HB-IDN-052"),
        (OF_ROOT, OF_UNIT, ABOVE_UNIT, "may"),
        (OF_UNIT, officer("o2", "03101"), ABOVE_UNIT, "HB-IDN-052"),
        (OF_UNIT, OF_ROOT, Surroundings(("031",), (OF_ROOT,)), "HB-IDN-052"),
        (OF_ROOT, officer("o9", "031"), Surroundings(("031",), ()), "HB-IDN-052"),
        (ADMINISTRATOR, {**TEACHER, "left": {"on": "2026-05-01", "reason": "x"}}, AROUND, "HB-IDN-054"),
    ],
)
def test_a_link_is_made_only_by_the_next_in_the_chain_or_above(
    dealer: dict[str, Any], person: dict[str, Any] | None, around: Surroundings, said: str
) -> None:
    assert answer(dealer, person, around) == said


def test_a_request_that_came_to_the_unit_is_dealt_with_there_although_the_school_has_an_administrator_by_now() -> None:
    assert answer(OF_UNIT, TEACHER, AROUND, waits_at="03101") == "may"
    assert answer(OF_UNIT, TEACHER, AROUND, waits_at=SCHOOL) == "HB-IDN-052"
    assert answer(SECOND, ADMINISTRATOR, AROUND, waits_at=SCHOOL) == "HB-IDN-052"


ACCOUNT = {"hash": "$argon2id$old"}


def kept() -> dict[str, Any]:
    return recovery.link("secret", ACCOUNT, "t1", made_by="a1", drop_factors=False, at=NOW)


def test_a_link_keeps_only_the_digest_of_its_secret() -> None:
    token = recovery.new_token()
    document = recovery.link(token, ACCOUNT, "t1", made_by="a1", drop_factors=True, at=NOW)
    assert token not in str(document)
    assert len(token) >= 43
    assert document["_id"] == recovery.digest_of(token)
    assert ACCOUNT["hash"] not in str(document)


@pytest.mark.parametrize(
    ("after", "good"),
    [(dt.timedelta(0), True), (dt.timedelta(hours=23, minutes=59, seconds=59), True), (dt.timedelta(hours=24), False)],
)
def test_a_link_is_good_for_a_day_and_no_longer(after: dt.timedelta, good: bool) -> None:
    assert recovery.is_good(kept(), TEACHER, ACCOUNT, NOW + after) is good


def test_a_link_ends_with_the_password_it_was_made_for_and_with_the_person_leaving() -> None:
    assert not recovery.is_good(kept(), TEACHER, {"hash": "$argon2id$new"}, NOW)
    assert not recovery.is_good(kept(), {**TEACHER, "left": {"on": "2026-05-01", "reason": "x"}}, ACCOUNT, NOW)
    assert not recovery.is_good(None, TEACHER, ACCOUNT, NOW)
    assert not recovery.is_good(kept(), None, ACCOUNT, NOW)


def test_a_reset_is_told_for_two_weeks() -> None:
    account = {"reset": {"at": NOW, "by": "a1"}}
    assert recovery.reset_to_tell(account, NOW + dt.timedelta(days=13)) == {"at": NOW, "by": "a1"}
    assert recovery.reset_to_tell(account, NOW + dt.timedelta(days=14)) is None
    assert recovery.reset_to_tell({}, NOW) is None


def test_a_request_for_an_unknown_name_is_kept_without_a_person_and_forgotten() -> None:
    assert recovery.request("digest", None, None, at=NOW)["forget_at"] == NOW + dt.timedelta(days=30)
    assert recovery.request("digest", "t1", SCHOOL, at=NOW)["forget_at"] is None
