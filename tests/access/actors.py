"""Everybody who may come to a route: of school A (class 1A is asked about), of school B, of the oversight, and those without an account.

Codes are those of the sample schools; `world.py` checks that the people there hold exactly these roles.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from contracts.access import Action, Principal, Role, allowed

A, B = "31300001", "31300002"
UNIT_A, UNIT_B, ROOT = "03101", "03102", "031"
CLASS = "1A"


class Manner(Enum):
    """How somebody comes."""

    PERSON = "signed in"
    ANONYMOUS = "without any sign-in"
    INCOMPLETE = "the session's cookie; its one-time password was not changed"
    PROGRAM = "the session and token of a person's signing program"
    GATEWAY = "no account, but the secret that callbacks are signed with"


@dataclass(frozen=True)
class Actor:
    """`in_class`: assigned to class 1A of school A. `inside`: may meet data of school A at all."""

    key: str
    title: str
    principal: Principal | None = None
    manner: Manner = Manner.PERSON
    in_class: bool = False
    inside: bool = False

    @property
    def is_person(self) -> bool:
        return self.manner is Manner.PERSON

    @property
    def sees_class(self) -> bool:
        """Class 1A of school A: its pupils may be met in what this actor gets."""
        return self.is_person and allowed(self.who, Action.VIEW_CLASS, school=A, own=self.in_class)

    @property
    def who(self) -> Principal:
        assert self.principal is not None, self.key
        return self.principal


def _staff(number: int, *roles: Role, school: str = A, homeroom_of: tuple[str, ...] = ()) -> Principal:
    code = f"{school}{number:03d}"
    return Principal(person=code, name=code, roles=frozenset(roles), school=school, level="TH", homeroom_of=homeroom_of)


def _officer(unit: str) -> Principal:
    return Principal(person=f"{unit}-cb01", name=f"{unit}-cb01", roles=frozenset({Role.OFFICER}), unit=unit)


_TEACHER = Role.SUBJECT_TEACHER
_HOMEROOM_1A = _staff(6, Role.HOMEROOM_TEACHER, _TEACHER, homeroom_of=(CLASS,))
_ADMINISTRATOR = _staff(3, Role.ADMINISTRATOR)

ACTORS = (
    Actor("anonymous", "nobody signed in", manner=Manner.ANONYMOUS),
    Actor("incomplete", "administrator of A before the one-time password is changed", _ADMINISTRATOR, Manner.INCOMPLETE, inside=True),
    Actor("administrator_a", "administrator of A", _ADMINISTRATOR, inside=True),
    Actor("manager_a", "manager of A, leader of 1A", _staff(2, Role.MANAGER), inside=True),
    Actor("homeroom_1a", "homeroom teacher of 1A", _HOMEROOM_1A, in_class=True, inside=True),
    Actor(
        "homeroom_1b",
        "homeroom teacher of 1B, not assigned in 1A",
        _staff(7, Role.HOMEROOM_TEACHER, _TEACHER, homeroom_of=("1B",)),
        inside=True,
    ),
    Actor("subject_1a", "subject teacher in 1A", _staff(16, _TEACHER), in_class=True, inside=True),
    Actor("subject_other", "subject teacher of other classes", _staff(19, _TEACHER), inside=True),
    Actor("issuer_a", "issuer of A", _staff(4, Role.ISSUER), inside=True),
    Actor("clerk_a", "clerk of A", _staff(5, Role.CLERK), inside=True),
    Actor("staff_a", "staff of A without any role", _staff(90), inside=True),
    Actor("administrator_b", "administrator of B", _staff(3, Role.ADMINISTRATOR, school=B)),
    Actor("manager_b", "manager of B", _staff(2, Role.MANAGER, school=B)),
    Actor(
        "homeroom_b",
        "homeroom teacher of B's class 1A",
        _staff(6, Role.HOMEROOM_TEACHER, _TEACHER, school=B, homeroom_of=(CLASS,)),
    ),
    Actor("officer_a", "officer of A's unit", _officer(UNIT_A), inside=True),
    Actor("officer_root", "officer of the unit above both", _officer(ROOT), inside=True),
    Actor("officer_other", "officer of another unit", _officer(UNIT_B)),
    Actor("program", "signing program of 1A's homeroom teacher", _HOMEROOM_1A, manner=Manner.PROGRAM, in_class=True, inside=True),
    Actor("gateway", "the national gateway", manner=Manner.GATEWAY),
)
BY_KEY = {actor.key: actor for actor in ACTORS}
