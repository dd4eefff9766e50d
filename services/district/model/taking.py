"""What district makes of an event or a snapshot: one row a subject and its share of the counters, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.chassis.mongo import InsertOne, ReplaceOne
from services.district.lookup.names import searchable
from services.district.model import rebuilding
from services.district.model.counting import Tally, no_shares, settled, shares_of_class, shares_of_summary, shares_of_transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.event import Event
    from contracts.events.identity import SchoolChangedV1, UnitChangedV1
    from contracts.events.records import ClassImportedV1, TranscriptMovedV1
    from services.chassis.mongo import Database, Document, Session
    from services.district.model.counting import Share


def row_of_place(fact: UnitChangedV1 | SchoolChangedV1) -> Document:
    """Of a unit or a school."""
    return fact.model_dump(mode="json", exclude={"code", "tax_code"})


def row_of_class(fact: ClassImportedV1) -> Document:
    return fact.model_dump(mode="json")


def row_of_transcript(fact: TranscriptMovedV1) -> Document:
    told = {name: value for name, value in fact if name != "kind"}
    return {**told, "awaited": [a.model_dump() for a in fact.awaited], **searchable(fact.pupil_name)}


def row_of_summary(fact: TranscriptMovedV1) -> Document:
    return fact.model_dump(include={"school", "year", "grade", "class_code", "state"})


@dataclass(frozen=True)
class Kind:
    """Rows of one collection: what an event says of them, and what they add to the counters."""

    collection: str
    row_of: Callable[[Any], Document]
    shares_of: Callable[[Mapping[str, Any]], Iterator[Share]] = no_shares


UNITS = Kind("units", row_of_place)
SCHOOLS = Kind("schools", row_of_place)
CLASSES = Kind("classes", row_of_class, shares_of_class)
TRANSCRIPTS = Kind("transcripts", row_of_transcript, shares_of_transcript)
SUMMARIES = Kind("summaries", row_of_summary, shares_of_summary)


async def take(db: Database, session: Session, kind: Kind, events: Sequence[Event[Any]]) -> None:
    """Class summaries are told of with transcripts and are no pupil's: they have rows and numbers of their own."""
    model = await rebuilding.state(db, session)
    run = model["building"] or model["run"]
    told: dict[Kind, list[Event[Any]]] = {}
    for event in events:
        told.setdefault(SUMMARIES if getattr(event.data, "kind", "") == "class_summary" else kind, []).append(event)
    for each, of_kind in told.items():
        await _keep(db, session, each, of_kind, run)
    await rebuilding.count_loaded(db, session, model["building"], type(events[0].data).topic, events)


async def _keep(db: Database, session: Session, kind: Kind, told: Sequence[Event[Any]], run: str) -> None:
    known = db[kind.collection].find({"_id": {"$in": list({e.subject for e in told})}}, session=session)
    stored: dict[str, Document] = {row["_id"]: row for row in await known.to_list(None)}
    rows = dict(stored)
    tally = Tally(kind.shares_of)
    changed: set[str] = set()
    carried: set[str] = set()
    for event in told:
        before = rows.get(event.subject)
        after = settled(before, {"_id": event.subject, **kind.row_of(event.data)}, event.sequence, run)
        if after is not None:
            tally.replace(before, after)
            rows[event.subject] = after
            (carried if before is not None and before == {**after, "run": before.get("run")} else changed).add(event.subject)
    writes: list[InsertOne[Document] | ReplaceOne[Document]] = [
        ReplaceOne({"_id": subject}, rows[subject]) if subject in stored else InsertOne(rows[subject]) for subject in sorted(changed)
    ]
    if writes:
        await db[kind.collection].bulk_write(writes, ordered=False, session=session)
    if carried - changed:
        # these say what they said, and are only taken over into the building at work
        await db[kind.collection].update_many({"_id": {"$in": sorted(carried - changed)}}, {"$set": {"run": run}}, session=session)
    for counters, increments in tally.writes():
        await db[counters].bulk_write(increments, ordered=False, session=session)
