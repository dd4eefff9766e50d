"""JSON under /api/district."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from contracts.access import Action, Principal
from services.chassis.access import Who, require, require_fresh
from services.chassis.errors import FORBIDDEN, NOT_FOUND, Refused
from services.district import statistics
from services.district.store import place

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
    request: Request,
    who: Who,
    year: Annotated[str | None, Query(pattern=r"^20\d\d-20\d\d$")] = None,
    unit: Annotated[str | None, Query(max_length=40)] = None,
) -> dict[str, Any]:
    """Menu 6.4: per school and grade, how many transcripts are where; of the whole branch, or of a unit in it.

    `summaries`: by school, class summaries by state.
    """
    return await numbers(request, who, year, unit)


async def numbers(request: Request, who: Principal, year: str | None, unit: str | None = None, *, known: bool = False) -> dict[str, Any]:
    """`closed` are schools that ended in the course of the year: not among the schools, and not in the total.

    `known`: a year of which nobody has data gives way to the newest.

    Raises Refused: FORBIDDEN, NOT_FOUND for a unit that is not there.
    """
    own = await own_branch(request, who, Action.VIEW_BRANCH)
    store = store_of(request)
    years = await store.years(own)
    asked = year if not known or year in years else None
    chosen = asked or (years[0] if years else None)
    looked_at = unit or own
    if looked_at != own:
        found = await store.unit(looked_at)
        if found is None:
            raise Refused(NOT_FOUND)
        require(who, Action.VIEW_BRANCH, path=tuple(place(found, chosen)["path"]))
    branch = await store.branch(looked_at, chosen)
    rows, closed = [], []
    summaries: dict[str, dict[str, int]] = {}
    if chosen:
        pupils, states = await store.counts([s["_id"] for s in (*branch.schools, *branch.closed)], chosen)
        rows = statistics.by_school(branch.schools, pupils, states)
        summaries = await store.summaries([s["_id"] for s in branch.schools], chosen)
        gone = {s["_id"]: s for s in branch.closed}
        ends = ("abolished_on", "successor")
        closed = [
            {**row, **{key: gone[row["school"]].get(key) for key in ends}} for row in statistics.by_school(branch.closed, pupils, states)
        ]
    return {
        "unit": looked_at,
        "own_unit": own,
        "year": chosen,
        "years": years,
        "units": statistics.by_unit(looked_at, branch.units, rows),
        "schools": rows,
        "closed": closed,
        "total": statistics.added_up(rows),
        "summaries": summaries,
    }
