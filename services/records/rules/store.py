"""Which levels and school years a school has, for the choice of its rule sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.chassis.mongo import Database


async def levels_and_years(db: Database, school: str) -> tuple[list[str], list[str]]:
    """Levels as identity told and as data were imported; years with imported data, newest first."""
    known = await db["schools"].find_one({"_id": school}, projection={"levels": 1})
    imported = await db["years"].find({"school": school}, projection={"year": 1, "data.level": 1}).to_list(None)
    levels = {*((known or {}).get("levels") or []), *(each["data"]["level"] for each in imported)}
    return sorted(levels, key=["TH", "THCS", "THPT"].index), sorted({each["year"] for each in imported}, reverse=True)
