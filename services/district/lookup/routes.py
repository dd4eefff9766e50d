"""JSON under /api/district: menu 6.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from contracts.access import Action
from services.chassis.access import Who
from services.chassis.errors import FORBIDDEN, Refused
from services.district.lookup import store
from services.district.lookup.finding import Asked, cleaned, row_of
from services.district.routes import own_branch, store_of

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Document

router = APIRouter(prefix="/api/district")
PAGE_SIZE = 50


@router.post("/lookup")
async def lookup(request: Request, who: Who, asked: Asked) -> dict[str, Any]:
    """A search by POST, as what is asked for is personal. `total` stops at 1001: there are more than a thousand."""
    schools = await own_schools(request, who)
    return await found(request, schools, cleaned(asked), size=PAGE_SIZE)


async def own_schools(request: Request, who: Principal) -> list[Document]:
    """The schools whose transcripts the officer may see: those that the unit answers for now, or did last for one that closed."""
    unit = await own_branch(request, who, Action.VIEW_BRANCH)
    return await store_of(request).own_schools(unit)


async def found(request: Request, schools: list[Document], asked: Asked, *, size: int, page: int | None = None) -> dict[str, Any]:
    """Raises Refused(FORBIDDEN) for a school of another branch."""
    names = {s["_id"]: s["name"] for s in schools}
    if asked.school and asked.school not in names:
        raise Refused(FORBIDDEN, action=Action.VIEW_BRANCH.value)
    codes = [asked.school] if asked.school else list(names)
    skip = ((page or asked.page) - 1) * size
    result = await store.find(store_of(request).db, codes, asked, skip=skip, most=size)
    return {"transcripts": [row_of(t, names) for t in result.rows], "total": result.total}
