"""JSON under /api/records/learners: the learner record of a pupil by sector code (never by personal id)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request

from services.chassis.access import Who
from services.records.at_hand import store_of
from services.records.learners import reading

if TYPE_CHECKING:
    from services.chassis.mongo import Document

router = APIRouter(prefix="/api/records")
Code = Annotated[str, Path(max_length=40)]


@router.get("/learners/{code}")
async def learner(request: Request, who: Who, code: Code) -> dict[str, Any]:
    """Years, versions, links to the year before, transfers."""
    found = await reading.learner(store_of(request), who, code)
    return {
        "code": found.code,
        "name": found.name,
        "years": [asdict(y) for y in found.years],
        "transfers": [_left(t) for t in found.left],
        "arrivals": [_came(a) for a in found.came],
    }


def _left(transfer: Document) -> dict[str, Any]:
    return {k: transfer[k] for k in ("year", "number", "to", "state", "at")}


def _came(arrival: Document) -> dict[str, Any]:
    return {"from": arrival["from"], "at": arrival["taken_at"], "class_code": arrival["class_code"], "year": arrival["year"]}
