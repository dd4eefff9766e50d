"""What relay, Kafka and consumers do with events, in the hands of the test: late, twice, side by side, but in order for each subject.

The services' own `Reading` takes them, with inbox and dead letters; what stands in for Kafka is the list of records alone.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, cast

from services.chassis.kafka import Consumer, Producer, Reading
from services.chassis.mongo import Database


@dataclass(frozen=True)
class Record:
    """As much of a Kafka record as a `Reading` looks at."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass
class DeadLetters:
    letters: list[str] = field(default_factory=list)

    async def send_raw(self, name: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        self.letters.append(f"{name}: {dict(headers)} {(value or b'')[:400]!r}")


Box = tuple[str, str]
"""A consumer group and a subject: within it everything comes in order."""


class Mail:
    def __init__(self, dbs: Mapping[str, Database], consumers: Mapping[str, Sequence[Consumer]]) -> None:
        self.dead = DeadLetters()
        producer = cast("Producer", self.dead)
        self._dbs = dbs
        self._readings = {c.group: Reading(c, dbs[service], producer) for service, every in consumers.items() for c in every}
        self._records: dict[Box, list[Record]] = defaultdict(list)
        self._taken: dict[Box, int] = defaultdict(int)

    async def collect(self, outboxes: Mapping[str, Sequence[dict[str, Any]]] | None = None) -> list[dict[str, Any]]:
        """What was told since, as the relay takes it out of the outboxes, which have been looked into already or are now."""
        told = []
        if outboxes is None:
            every = (db["outbox"].find({"published_at": None}).to_list(None) for db in self._dbs.values())
            outboxes = dict(zip(self._dbs, await asyncio.gather(*every), strict=True))
        for service, db in self._dbs.items():
            found = sorted(outboxes[service], key=itemgetter("topic", "subject", "sequence"))
            if not found:
                continue
            await db["outbox"].update_many({"_id": {"$in": [d["_id"] for d in found]}}, [{"$set": {"published_at": "$$NOW"}}])
            for document in found:
                body = json.loads(document["body"])
                told.append({"from": service, **body})
                for group, reading in self._readings.items():
                    if reading.consumer.name != document["topic"]:
                        continue
                    box = self._records[group, document["subject"]]
                    header = (("id", str(document["_id"]).encode()),)
                    value = document["body"].encode()
                    box.append(Record(document["topic"], 0, len(box), document["subject"].encode(), value, header))
        return told

    def waiting(self) -> list[Box]:
        return sorted(box for box, records in self._records.items() if len(records) > self._taken[box])

    async def deliver(self, box: Box, *, most: int = 1, again: int = 0, beside: bool = False) -> list[dict[str, Any]]:
        """The next `most` of a box, in one batch; `again` of those before come once more, as after a consumer that died before it
        committed. `beside`: two consumers take the same batch at once, as while a group is rebalanced. Returns what was new."""
        group, _ = box
        at = self._taken[box]
        fresh = self._records[box][at : at + most]
        batch: Any = self._records[box][max(0, at - again) : at + most]
        reading = self._readings[group]
        takes = [reading.take(batch), reading.take(batch)] if beside else [reading.take(batch)]
        await asyncio.gather(*takes)
        self._taken[box] = at + len(fresh)
        assert not self.dead.letters, self.dead.letters
        return [json.loads(r.value) for r in fresh]
