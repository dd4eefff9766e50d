"""Sessions: when they end, what they tell, and that only their digest is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.access import Role
from services.chassis.origin import Origin
from services.identity.accounts import sessions
from services.identity.accounts.sessions import Factor, Missing
from services.identity.organisations import people

AT = dt.datetime(2026, 5, 28, 1, 0, tzinfo=dt.UTC)
TOKEN = sessions.new_token()
ORIGIN = Origin("Chrome trên Windows", "203.0.113.7")


def person(**facts: Any) -> dict[str, Any]:
    return people.with_roles({**people.blank("31300001006", "Nguyễn Văn An", school="31300001"), "listed": True, **facts})


def read(after: dt.timedelta, seen_after: dt.timedelta = dt.timedelta()) -> sessions.Here | None:
    session = sessions.new_session(TOKEN, "31300001006", "TH", forced=False, factor=Factor.NONE, at=AT, origin=ORIGIN)
    return sessions.read(TOKEN, {**session, "seen_at": AT + seen_after}, person(), AT + after, demanding=True)


def test_a_session_ends_after_half_an_hour_without_use() -> None:
    assert read(dt.timedelta(minutes=29, seconds=59)) is not None
    assert read(dt.timedelta(minutes=30)) is None


def test_a_session_ends_after_twelve_hours_however_much_it_is_used() -> None:
    assert read(dt.timedelta(hours=12, seconds=-1), seen_after=dt.timedelta(hours=11, minutes=59)) is not None
    assert read(dt.timedelta(hours=12), seen_after=dt.timedelta(hours=11, minutes=59)) is None


def test_use_is_written_down_once_a_minute_at_most() -> None:
    soon, later = read(dt.timedelta(seconds=59)), read(dt.timedelta(seconds=60))
    assert soon is not None
    assert later is not None
    assert (soon.touch, later.touch) == (False, True)


def test_the_secret_has_256_bits_and_does_not_stand_in_what_is_kept() -> None:
    assert len(TOKEN) == 43
    session = sessions.new_session(TOKEN, "31300001006", "TH", forced=False, factor=Factor.NONE, at=AT, origin=ORIGIN)
    assert TOKEN not in str(session)
    assert sessions.csrf_of(TOKEN) not in str(session)


def test_forms_of_two_sessions_are_protected_by_different_values() -> None:
    assert sessions.csrf_of(TOKEN) != sessions.csrf_of(sessions.new_token())


def test_a_session_tells_the_roles_that_the_person_has_now() -> None:
    session = sessions.new_session(TOKEN, "31300001006", "TH", forced=False, factor=Factor.NONE, at=AT, origin=ORIGIN)
    here = sessions.read(TOKEN, session, person(teaches=True, homeroom_of=["1A"]), AT, demanding=True)
    assert here is not None
    assert here.who.roles == {Role.SUBJECT_TEACHER, Role.HOMEROOM_TEACHER}
    assert here.who.homeroom_of == ("1A",)


@pytest.mark.parametrize(
    ("facts", "forced", "factor", "demanding", "missing"),
    [
        ({"teaches": True}, False, Factor.NONE, True, None),
        ({"teaches": True}, True, Factor.NONE, True, Missing.PASSWORD),
        ({"teaches": True}, False, Factor.ASKED, True, Missing.SECOND_FACTOR),
        ({"teaches": True}, True, Factor.ASKED, True, Missing.SECOND_FACTOR),
        ({"teaches": True}, True, Factor.GIVEN, True, Missing.PASSWORD),
        ({"administrator_given": True}, False, Factor.NONE, True, Missing.ENROLMENT),
        ({"administrator_given": True}, True, Factor.NONE, True, Missing.PASSWORD),
        ({"administrator_given": True}, False, Factor.GIVEN, True, None),
        ({"administrator_given": True}, False, Factor.NONE, False, None),
        ({"administrator_given": True}, False, Factor.ASKED, False, Missing.SECOND_FACTOR),
    ],
)
def test_a_session_tells_which_step_of_signing_in_comes_next(
    facts: dict[str, Any], forced: bool, factor: Factor, demanding: bool, missing: Missing | None
) -> None:
    session = sessions.new_session(TOKEN, "31300001006", "TH", forced=forced, factor=factor, at=AT, origin=ORIGIN)
    here = sessions.read(TOKEN, session, person(**facts), AT, demanding=demanding)
    assert here is not None
    assert here.missing is missing


def test_a_role_that_needs_a_second_factor_asks_for_it_in_the_session_that_runs() -> None:
    session = sessions.new_session(TOKEN, "31300001006", "TH", forced=False, factor=Factor.NONE, at=AT, origin=ORIGIN)
    before, after = (sessions.read(TOKEN, session, person(teaches=True, administrator_given=n), AT, demanding=True) for n in (False, True))
    assert before is not None
    assert after is not None
    assert (before.missing, after.missing) == (None, Missing.ENROLMENT)


def test_a_session_of_before_the_upgrade_counts_as_confirmed_when_it_began() -> None:
    session = sessions.new_session(TOKEN, "31300001006", "TH", forced=False, factor=Factor.NONE, at=AT, origin=ORIGIN)
    for name in ("factor", "confirmed_at"):
        del session[name]
    here = sessions.read(TOKEN, session, person(teaches=True), AT + dt.timedelta(minutes=10), demanding=True)
    assert here is not None
    assert here.missing is None
    assert here.who.auth_time == int(AT.timestamp())


@pytest.mark.parametrize(
    ("unit", "levels", "version", "fits"),
    [
        (None, ["TH"], "TH", True),
        (None, ["TH", "THCS"], "THCS", True),
        (None, ["TH"], "THPT", False),
        (None, ["TH"], "OVERSIGHT", False),
        ("031", [], "OVERSIGHT", True),
        ("031", [], "TH", False),
    ],
)
def test_the_version_fits_the_levels_of_the_school_or_the_oversight(unit: str | None, levels: list[str], version: str, fits: bool) -> None:
    assert sessions.fits_version({"unit": unit}, levels, version) is fits
