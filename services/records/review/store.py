"""Queries of "Rà soát dữ liệu": of the pupils only what a part shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document

NEEDED: dict[str, tuple[str, ...]] = {
    "overview": (),
    "pupils": ("data",),
    "results": ("result",),
    "awards": ("result",),
    "assignments": (),
    "signers": (),
    "printing": (),
}


async def pupils(db: Database, school: str, year: str, classes: Sequence[str], part: str) -> list[Document]:
    """In the order of the class lists."""
    shown = {"code": 1, "class_code": 1, "name": 1, "missing": 1, **dict.fromkeys(NEEDED[part], 1)}
    wanted = {"school": school, "year": year, "class_code": {"$in": list(classes)}}
    return await db["pupils"].find(wanted, projection=shown).sort([("class_code", 1), ("number", 1)]).to_list(None)
