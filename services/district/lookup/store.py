"""Queries of menu 6.3 over all transcripts of a branch: every search goes by an index, and none counts further than it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.district.lookup.finding import filter_of
from services.district.lookup.names import Place, places_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document
    from services.district.lookup.finding import Asked

COUNTED = 1000
"""More than so many are "more than so many": nobody looks through them, and to count them would take a while."""
SHOWN = dict.fromkeys(
    (
        *("pupil_name", "personal_id", "school", "class_name", "class_code", "grade", "year", "version", "state"),
        *("submitted_at", "decided_at", "refusal"),
    ),
    1,
)


@dataclass(frozen=True)
class Found:
    """`total` counts up to COUNTED + 1."""

    rows: list[Document]
    total: int


async def find(db: Database, schools: Sequence[str], asked: Asked, *, skip: int, most: int) -> Found:
    """Of these schools alone, by school and name."""
    places = places_of(asked.name) or [Place("backward", {})]
    for place in places:
        wanted = {"school": {"$in": list(schools)}, **place.filter, **filter_of(asked)}
        if asked.uuid or asked.personal_id:
            # a handful at most, found by its own index
            every = await db["transcripts"].find(wanted, projection=SHOWN).sort([("year", -1), ("version", -1)]).to_list(COUNTED)
            found = Found(every[skip : skip + most], len(every))
        else:
            order = [("school", 1), (place.field, 1)]
            total = await db["transcripts"].count_documents(wanted, limit=COUNTED + 1, hint=_index(place))
            rows = db["transcripts"].find(wanted, projection=SHOWN).sort(order).hint(_index(place)).skip(skip).limit(most)
            found = Found(await rows.to_list(most) if total else [], total)
        if found.total:
            return found
    return Found([], 0)


def _index(place: Place) -> str:
    return "given name" if place.field == "backward" else "name"
