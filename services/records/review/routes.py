"""JSON under /api/records: the imported data, part by part, with what is missing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from services.chassis.access import Who
from services.records.at_hand import Year, reading
from services.records.review import looking_through

router = APIRouter(prefix="/api/records")


@router.get("/review")
async def review(request: Request, who: Who, year: Year = None) -> dict[str, Any]:
    """By class of those that the person may see: how many pupils lack what."""
    looked_at = await reading(request, who, year)
    return {"school": looked_at.school, "year": looked_at.year, "classes": await looking_through.overview(looked_at)}


@router.get("/review/{part}")
async def review_part(
    request: Request, who: Who, part: str, class_code: Annotated[str | None, Query(alias="class")] = None, year: Year = None
) -> dict[str, Any]:
    """`part`: pupils, assignments, results, awards, signers or printing; `cells` are in the order of `columns`."""
    looked_at = await reading(request, who, year)
    table = await looking_through.part(looked_at, part, classes=None if class_code is None else [class_code], semesters=True)
    return {"part": part, "columns": table.columns, "rows": [{"cells": r.cells, "missing": r.missing} for r in table.rows]}
