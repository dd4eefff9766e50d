"""JSON under /api/records: the progress of signing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from contracts.access import Action
from services.chassis.access import Who, require
from services.records.at_hand import Year, reading
from services.records.progress.following import followed, followed_class
from services.records.progress.rules import people_rows

router = APIRouter(prefix="/api/records")


@router.get("/progress")
async def progress(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    """By class and step: how many transcripts wait and for whom, what was returned and what stands still."""
    looked_at = await reading(request, who, year)
    require(looked_at.who, Action.FOLLOW_SIGNING, school=looked_at.school, own=bool(looked_at.who.homeroom_of))
    rows = await followed(looked_at)
    return {"school": looked_at.school, "year": looked_at.year, "classes": rows, "people": people_rows(rows)}


@router.get("/progress/{code}")
async def progress_of_class(request: Request, who: Who, code: str, year: Year = None) -> dict[str, Any]:
    looked_at = await reading(request, who, year)
    return {"class": code, "pupils": await followed_class(looked_at, code)}
