"""Whose class it was: rights to a class of an earlier school year follow that year's own assignments, not those of today.

A class of the same name has another homeroom teacher each year; the token of a person knows the newest year alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.access import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.access import Principal
    from services.records.schoolyear import Assignment
    from services.records.store import Store


async def in_year(store: Store, who: Principal, school: str, year: str) -> Principal:
    """The person as they stood in that year of this school; of the newest year as they are."""
    if who.school != school or year in (await store.years(school))[:1]:
        return who
    homerooms = ((c["code"], c["data"]["homeroom"]) for c in await store.classes(school, year))
    return assigned(who, homerooms, await store.assignments(school, year))


def assigned(who: Principal, homerooms: Iterable[tuple[str, str]], assignments: Iterable[Assignment]) -> Principal:
    """`homerooms`: each class with the staff code of its homeroom teacher.

    A role held then is added, since rights ask for it; which classes it is good for, the assignments say.
    """
    own = tuple(code for code, teacher in homerooms if teacher == who.person)
    held = {Role.HOMEROOM_TEACHER} if own else set()
    if any(a.staff == who.person for a in assignments):
        held.add(Role.SUBJECT_TEACHER)
    return who.model_copy(update={"homeroom_of": own, "roles": who.roles | held})


async def still_here(store: Store, school: str, year: str) -> frozenset[str] | None:
    """Of an earlier year, the staff codes of the newest one: who is not among them signs nothing any more. None for the newest itself."""
    newest = (await store.years(school))[:1]
    return None if not newest or year in newest else frozenset(await store.staff(school, newest[0]))
