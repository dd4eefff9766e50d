"""Who may come through, said independently of the services: by the rights table and the thing asked for, or by name with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contracts.access import Action, Principal, Role, allowed
from tests.access.actors import ROOT, UNIT_A, A, Actor, Manner


@dataclass(frozen=True)
class Need:
    """`actions`: the rights that it is said with."""

    words: str
    holds: Callable[[Actor], bool]
    actions: frozenset[Action] = frozenset()

    def __or__(self, other: Need) -> Need:
        return Need(f"{self.words}, or {other.words}", lambda actor: self.holds(actor) or other.holds(actor), self.actions | other.actions)

    def __and__(self, other: Need) -> Need:
        return Need(
            f"{self.words}, and {other.words}", lambda actor: self.holds(actor) and other.holds(actor), self.actions | other.actions
        )


@dataclass(frozen=True)
class Thing:
    """What a right is asked for."""

    words: str
    allows: Callable[[Actor, Action], bool]


def _on(actor: Actor, action: Action, *, school: str | None = None, own: bool = False, path: tuple[str, ...] = ()) -> bool:
    return allowed(actor.who, action, school=school, own=own, path=path)


def _place(who: Principal) -> tuple[str | None, tuple[str, ...]]:
    return who.school, (who.unit,) if who.unit else ()


SCHOOL_A = Thing("school A", lambda actor, action: _on(actor, action, school=A))
CLASS_1A = Thing("class 1A of school A", lambda actor, action: _on(actor, action, school=A, own=actor.in_class))
OWN_SCHOOL = Thing("the own school", lambda actor, action: _on(actor, action, school=_place(actor.who)[0]))
OWN_CLASS = Thing(
    "the own school or class",
    lambda actor, action: _on(
        actor, action, school=actor.who.school, own=bool(actor.who.roles & {Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER})
    ),
)
OWN_PART = Thing("the own part of the own school", lambda actor, action: _on(actor, action, school=actor.who.school, own=True))
BRANCH_OF_A = Thing("the branch that school A is in", lambda actor, action: _on(actor, action, path=(ROOT, UNIT_A)))
ABOVE_A = Thing("the branch that A's unit is in, from above it", lambda actor, action: _on(actor, action, path=(ROOT,)))
OWN_BRANCH = Thing("the own branch", lambda actor, action: _on(actor, action, path=_place(actor.who)[1]))


def right(action: Action, thing: Thing) -> Need:
    return Need(f"`{action.value}` on {thing.words}", lambda actor: actor.is_person and thing.allows(actor, action), frozenset({action}))


def open_to_all(reason: str) -> Need:
    return Need(f"everybody: {reason}", lambda _: True)


def signed_in(reason: str) -> Need:
    return Need(f"whoever is signed in: {reason}", lambda actor: actor.is_person)


def own_account(reason: str = "the own account alone") -> Need:
    return signed_in(reason)


def halfway(reason: str) -> Need:
    """Also while a step of signing in is missing."""
    return Need(
        f"whoever is signed in, also before the one-time password is changed: {reason}",
        lambda actor: actor.manner in (Manner.PERSON, Manner.INCOMPLETE),
    )


def staff_of_a_school(reason: str) -> Need:
    return Need(f"staff of a school: {reason}", lambda actor: actor.is_person and actor.who.school is not None)


def only(*keys: str, reason: str) -> Need:
    return Need(reason, lambda actor: actor.key in keys)


PROGRAM = Need("a person's signing program", lambda actor: actor.manner is Manner.PROGRAM)
