"""JSON under /api/district."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Action, Principal
from services.chassis.access import Who, require
from services.chassis.errors import FORBIDDEN, Refused
from services.district import approvals, statistics

if TYPE_CHECKING:
    from services.district.store import Store

router = APIRouter(prefix="/api/district")


class Decision(BaseModel):
    """Requests by id, or every pending one of the branch (`all`)."""

    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field(default_factory=list, max_length=1000)
    all: bool = False
    reason: str = Field(default="", max_length=500)


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def own_branch(request: Request, who: Principal, action: Action) -> str:
    """The unit whose branch the officer sees."""
    if who.unit is None:
        raise Refused(FORBIDDEN, action=action.value)
    unit = await store_of(request).unit(who.unit)
    require(who, action, path=tuple(unit["path"]) if unit else (who.unit,))
    return who.unit


@router.get("/certificates")
async def certificates(request: Request, who: Who, state: Literal["pending", "approved", "refused"] | None = None) -> dict[str, Any]:
    """School certificates and managers' signing accounts of the branch (menu 6.1)."""
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    found = await store_of(request).requests(unit, state)
    hidden = ("_id", "sequence", "path")
    return {"certificates": [{"id": r["_id"], **{k: v for k, v in r.items() if k not in hidden}} for r in found]}


@router.post("/certificates/approve")
async def approve(request: Request, who: Who, body: Decision) -> dict[str, Any]:
    return await _decide(request, who, body, approved=True)


@router.post("/certificates/refuse")
async def refuse(request: Request, who: Who, body: Decision) -> dict[str, Any]:
    return await _decide(request, who, body, approved=False)


async def _decide(request: Request, who: Principal, body: Decision, *, approved: bool) -> dict[str, Any]:
    unit = await own_branch(request, who, Action.DECIDE_CERTIFICATE)
    ids = [r["_id"] for r in await store_of(request).requests(unit, "pending")] if body.all else body.ids
    return await approvals.decide_all(
        store_of(request), who, ids, approved=approved, reason=body.reason, request_id=request.state.request_id
    )


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
