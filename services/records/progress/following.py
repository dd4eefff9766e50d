"""Reads who holds up what, for the classes that the person may follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.access import Action, allowed
from services.chassis.access import require
from services.records.progress import store
from services.records.progress.rules import class_rows, pupil_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.transcripts.reading import Reading


def may_follow(looked_at: Reading, code: str) -> bool:
    return allowed(looked_at.who, Action.FOLLOW_SIGNING, school=looked_at.school, own=code in looked_at.who.homeroom_of)


async def followed(looked_at: Reading) -> list[dict[str, Any]]:
    """A row a class of those that the person follows; see `rules.class_rows`."""
    classes = [c for c in await looked_at.classes() if may_follow(looked_at, c["code"])]
    codes = [c["code"] for c in classes]
    db, school, year = looked_at.store.db, looked_at.school, looked_at.year
    return class_rows(
        classes, await store.waiting(db, school, year, codes), await store.stuck(db, school, year, codes), await names_of(looked_at)
    )


async def followed_class(looked_at: Reading, code: str) -> list[dict[str, Any]]:
    """A row a pupil whose transcript waits or was returned. Raises Refused: NOT_FOUND, FORBIDDEN."""
    db, school, year = looked_at.store.db, looked_at.school, looked_at.year
    await looked_at.store.school_class(school, year, code)
    require(looked_at.who, Action.FOLLOW_SIGNING, school=school, own=code in looked_at.who.homeroom_of)
    found = await store.of_class(db, school, year, code)
    return pupil_rows(found, await store.stuck(db, school, year, [code]), await names_of(looked_at))


async def names_of(looked_at: Reading) -> Mapping[str, str]:
    staff = await looked_at.store.staff(looked_at.school, looked_at.year)
    return {code: person.name for code, person in staff.items()}
