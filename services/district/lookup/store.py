"""Queries of menu 6.3 over all transcripts of a branch: every search goes by an index, and none counts further than it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.chassis.mongo import ASCENDING, IndexModel
from services.district.lookup.finding import filter_of
from services.district.lookup.names import Place, places_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.chassis.mongo import Database, Document
    from services.district.lookup.finding import Asked

COUNTED = 1000
"""More than so many are "more than so many": nobody looks through them, and to count them would take a while."""
FEW = 40
"""Of so many schools each is looked through by itself. More share one walk over the names of all, in which those of other schools are
passed over: with a million transcripts of 500 schools that is a dozen keys of the index for each hit at most."""
PERSONAL_ID = "personal id"
_INDEX = {
    ("folded", True): "name",
    ("backward", True): "given name",
    ("folded", False): "name of many",
    ("backward", False): "given name of many",
}
SHOWN = dict.fromkeys(
    (
        *("pupil_name", "personal_id", "school", "class_name", "class_code", "grade", "year", "version", "state"),
        *("submitted_at", "decided_at", "refusal"),
    ),
    1,
)


async def ensure_indexes(db: Database) -> None:
    """The walk over all schools reads the index alone until it has a hit, so everything that can be asked for stands in it."""
    await db["transcripts"].create_indexes(
        [
            _index(_INDEX["folded", True], "school", "folded", "spelled"),
            _index(_INDEX["backward", True], "school", "backward", "spelled"),
            _index(_INDEX["folded", False], "folded", "school", "spelled", "year", "grade", "state"),
            _index(_INDEX["backward", False], "backward", "school", "spelled", "year", "grade", "state"),
            _index(PERSONAL_ID, "personal_id"),
        ]
    )


def _index(name: str, *fields: str) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], name=name)


@dataclass(frozen=True)
class Found:
    """`total` counts up to COUNTED + 1."""

    rows: list[Document]
    total: int


async def find(db: Database, schools: Sequence[str], asked: Asked, *, skip: int, most: int) -> Found:
    """Of these schools alone, by name; personal ids and UUIDs newest first."""
    of_schools: Document = {"school": schools[0] if len(schools) == 1 else {"$in": list(schools)}}
    for place in places_of(asked.name) or [Place("backward", {})]:
        wanted = {**of_schools, **place.filter, **filter_of(asked)}
        if asked.uuid or asked.personal_id:
            # a handful at most, found by its own index
            own = "_id_" if asked.uuid else PERSONAL_ID
            rows = db["transcripts"].find(wanted, projection=SHOWN).sort([("year", -1), ("version", -1)]).hint(own)
            every = await rows.to_list(COUNTED)
            found = Found(every[skip : skip + most], len(every))
        else:
            found = await _by_name(db, wanted, place, few=len(schools) <= FEW, skip=skip, most=most)
        if found.total:
            return found
    return Found([], 0)


async def _by_name(db: Database, wanted: Document, place: Place, *, few: bool, skip: int, most: int) -> Found:
    """Nothing is counted when one page shows all."""
    index = _INDEX[place.field, few]
    order = [(place.field, 1)] if few else [(place.field, 1), ("school", 1)]
    rows = await db["transcripts"].find(wanted, projection=SHOWN).sort(order).hint(index).skip(skip).limit(most).to_list(most)
    if len(rows) < most and (rows or not skip):
        return Found(rows, skip + len(rows))
    return Found(rows, await db["transcripts"].count_documents(wanted, limit=COUNTED + 1, hint=index))
