"""Read models are rebuilt from snapshots: the owner of a topic tells the present state of all its subjects once more.

`python -m services.<owner> republish` reads every subject and tells it as the event that it would tell now, marked as a snapshot with
the sequence that it stands for. Whoever asked for snapshots (`Consumer.on(…, snapshots=True)`) loads them and follows on with what
is told live; all others skip them. They go past the outbox, since they tell nothing new and may be told as often as one likes: a
snapshot can overtake an event of the same subject or be overtaken by one, so a consumer keeps what has the higher sequence.

At the end of each topic stands how many there were, and only then may a consumer take its model for whole.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.event import Event, Fact
from services.chassis import clock
from services.chassis.kafka import producer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from contracts.snapshots import SnapshotsTold
    from services.chassis.kafka import Producer
    from services.chassis.mongo import Database, Document
    from services.chassis.process import Parts

AT_ONCE = 500
"""Snapshots that are on their way to the broker together."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One collection of aggregates and the fact that tells the whole state of one. `needed`: the fields that `fact` reads (all).

    `together`: an indexed field that never changes; subjects that share it are told after one another, so that whoever counts by it
    changes few counters at a time.
    """

    collection: str
    fact: Callable[[Document], Fact]
    needed: Sequence[str] = ()
    wanted: Mapping[str, object] = field(default_factory=dict)
    together: str = ""


@dataclass(frozen=True)
class Snapshots:
    """What one topic's owner republishes, and what tells its end."""

    sources: tuple[Source, ...]
    told: type[SnapshotsTold]

    @property
    def topic(self) -> str:
        return self.told.topic


def republishing(*all_topics: Snapshots) -> Callable[[Parts], Awaitable[None]]:
    """The command `republish` of a service."""

    async def command(parts: Parts) -> None:
        async with producer(parts.settings, parts.db.name) as sender:
            for snapshots in all_topics:
                subjects = await republish(parts.db, sender, snapshots, actor=parts.db.name)
                log.info("republished", extra={"topic": snapshots.topic, "subjects": subjects})

    return command


async def republish(db: Database, sender: Producer, snapshots: Snapshots, *, actor: str) -> int:
    """Every subject as it is now, then how many there were. Raises what the producer raises; it is then begun anew from the start."""
    run = uuid4().hex
    subjects = 0
    for source in snapshots.sources:
        chunk: list[Event[Fact]] = []
        fields = dict.fromkeys(("sequence", *source.needed), 1) if source.needed else None
        order = [(name, 1) for name in (source.together, "_id") if name]
        async for document in db[source.collection].find(dict(source.wanted), projection=fields).sort(order):
            chunk.append(_event(source.fact(document), str(document["_id"]), document["sequence"], actor, run))
            if len(chunk) == AT_ONCE:
                await _send(sender, chunk)
                subjects += len(chunk)
                chunk = []
        await _send(sender, chunk)
        subjects += len(chunk)
    await _send(sender, [_event(snapshots.told(run=run, subjects=subjects), run, 1, actor, run)])
    return subjects


def _event(fact: Fact, subject: str, sequence: int, actor: str, run: str) -> Event[Fact]:
    now = clock.now()
    return Event[Fact](
        type=type(fact).__name__, subject=subject, sequence=sequence, occurred_at=now, actor=actor, cause=run, data=fact, snapshot=run
    )


async def _send(sender: Producer, events: Iterable[Event[Fact]]) -> None:
    await sender.send_all([(e.data.topic, e.subject, e.model_dump_json(serialize_as_any=True).encode(), str(e.id)) for e in events])
