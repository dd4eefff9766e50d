"""JSON under /api/district."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from contracts.access import Action, Principal
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import FORBIDDEN, Refused
from services.district import statistics

if TYPE_CHECKING:
    from services.district.store import Store

router = APIRouter(prefix="/api/district")


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def own_branch(request: Request, who: Principal, action: Action, *, acting: bool = False) -> str:
    """The unit whose branch the officer sees; `acting` in it may need a confirmation (ConfirmationNeeded)."""
    if who.unit is None:
        raise Refused(FORBIDDEN, action=action.value)
    unit = await store_of(request).unit(who.unit)
    (require_fresh if acting else require)(who, action, path=tuple(unit["path"]) if unit else (who.unit,))
    return who.unit


@router.get("/statistics")
async def statistics_of(
    request: Request, who: Who, year: Annotated[str | None, Query(pattern=r"^20\d\d-20\d\d$")] = None
) -> dict[str, Any]:
    """Menu 6.4: per school and grade, how many transcripts are where."""
    return await numbers(request, who, year)


async def numbers(request: Request, who: Principal, year: str | None) -> dict[str, Any]:
    unit = await own_branch(request, who, Action.VIEW_BRANCH)
    store = store_of(request)
    years = await store.years(unit)
    chosen = year or (years[0] if years else None)
    schools = await store.schools(unit)
    codes = [s["_id"] for s in schools]
    rows = statistics.by_school(schools, await store.pupils(codes, chosen), await store.states(codes, chosen)) if chosen else []
    return {"unit": unit, "year": chosen, "years": years, "schools": rows, "total": statistics.added_up(rows)}
