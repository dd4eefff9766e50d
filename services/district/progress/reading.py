"""Reads one school of the branch for a school year, as the officer may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.access import Action, allowed
from services.chassis.access import require
from services.chassis.errors import NOT_FOUND, Refused
from services.district.routes import own_branch, store_of
from services.district.store import place

if TYPE_CHECKING:
    from fastapi import Request

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document


@dataclass(frozen=True)
class SchoolYear:
    """`then` is the school as it was called and stood in the year. `named`: people and pupils are shown by name."""

    db: Database
    unit: str
    school: Document
    then: Document
    year: str
    named: bool


async def read(request: Request, who: Principal, code: str, year: str) -> SchoolYear:
    """Whose unit answered for the school in that year sees its numbers; names only who answers for it now.

    Raises Refused: FORBIDDEN, NOT_FOUND for a school that is not there.
    """
    unit = await own_branch(request, who, Action.VIEW_BRANCH)
    store = store_of(request)
    school = await store.school(code)
    if school is None:
        raise Refused(NOT_FOUND)
    chosen = year or next(iter(await store.years(unit)), "")
    then = place(school, chosen or None)
    named = allowed(who, Action.VIEW_BRANCH, path=tuple(school["path"]))
    if not named:
        require(who, Action.VIEW_BRANCH, path=tuple(then["path"]))
    return SchoolYear(store.db, unit, school, then, chosen, named)
