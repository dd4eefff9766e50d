"""Hands the outbox to Kafka: per subject in order, one unacknowledged event a subject, sixteen leased buckets.

A relay that lost its lease without noticing can only repeat events; inboxes drop those.
The producer is crash-only: any failure of it ends the process, which is started again. The database is waited for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from services.chassis import clock, failpoints
from services.chassis.leases import hold, owner_token
from services.chassis.metrics import OUTBOX_OLDEST_SECONDS, OUTBOX_PENDING, RELAY_SENT
from services.chassis.mongo import ASCENDING, PyMongoError
from services.chassis.outbox import BUCKETS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.chassis.kafka import Producer
    from services.chassis.mongo import Database, Document

BATCH = 500
RENEW_SECONDS = 5.0
log = logging.getLogger(__name__)


class Relay:
    def __init__(self, db: Database, producer: Producer, lease_seconds: float = 15.0) -> None:
        self.db = db
        self.producer = producer
        self.lease_seconds = lease_seconds
        self.owner = owner_token()
        self.buckets: list[int] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; a relay that ends in order gives its buckets back at once."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self._keep_leases, self._listen, self._measure, self._relay):
                    group.create_task(self._while_the_database_is_away(part))
        finally:
            with suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(2):
                    await self.db["relay_leases"].update_many({"lease.owner": self.owner}, {"$unset": {"lease": ""}})

    async def _while_the_database_is_away(self, part: Callable[[], Awaitable[None]]) -> None:
        """Only the database is waited for: a failure of the producer ends the process."""
        while True:
            try:
                await part()
            except PyMongoError:
                log.warning("the database is away; the relay waits", extra={"part": part.__name__}, exc_info=True)
                await asyncio.sleep(1)

    async def _keep_leases(self) -> None:
        while True:
            await self.take_buckets()
            self._news.set()
            await asyncio.sleep(min(RENEW_SECONDS, self.lease_seconds / 3))

    async def take_buckets(self) -> None:
        leases = self.db["relay_leases"]
        held = [b for b in range(BUCKETS) if await hold(leases, f"bucket-{b:02d}", self.owner, self.lease_seconds)]
        if held != self.buckets:
            log.info("relay holds buckets", extra={"buckets": held})
        self.buckets = held

    async def _listen(self) -> None:
        """The change stream is an alarm clock only: the poll each second is the truth."""
        while True:
            async with self.db["outbox"].watch([{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]) as stream:
                async for _ in stream:
                    self._news.set()

    async def _measure(self) -> None:
        while True:
            pending = {"bucket": {"$gte": 0}, "published_at": None}
            OUTBOX_PENDING.set(await self.db["outbox"].count_documents(pending, hint="pending"))
            oldest = await self.db["outbox"].find_one(pending, sort=[("at", 1)], projection={"at": 1}, hint="pending")
            OUTBOX_OLDEST_SECONDS.set((clock.now() - oldest["at"]).total_seconds() if oldest else 0)
            await asyncio.sleep(5)

    async def _relay(self) -> None:
        while True:
            if await self.publish_pending() < BATCH:
                # not wait_for: before Python 3.12 it swallows a cancellation that comes with the news
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._news.wait()
                self._news.clear()

    async def publish_pending(self) -> int:
        """Publish up to BATCH waiting events; returns how many were seen.

        The longest waiting are looked for by the clocks of their writers, which differ; so each subject's events are read
        again by sequence, from the first that waits.
        """
        if not self.buckets:
            return 0
        waiting = self.db["outbox"].find({"bucket": {"$in": self.buckets}, "published_at": None}, projection={"topic": 1, "subject": 1})
        oldest = await waiting.sort("at", ASCENDING).hint("pending").to_list(BATCH)
        if not oldest:
            return 0
        these = {"topic": {"$in": list({e["topic"] for e in oldest})}, "subject": {"$in": list({e["subject"] for e in oldest})}}
        order = [("topic", ASCENDING), ("subject", ASCENDING), ("sequence", ASCENDING)]
        found: list[Document] = await self.db["outbox"].find({**these, "published_at": None}).sort(order).hint("order").to_list(BATCH)
        by_subject: dict[str, list[Document]] = defaultdict(list)
        for event in found:
            by_subject[f"{event['topic']}/{event['subject']}"].append(event)
        while by_subject:
            wave = [events.pop(0) for events in by_subject.values()]
            by_subject = defaultdict(list, {key: events for key, events in by_subject.items() if events})
            await self.producer.send_all([(e["topic"], e["subject"], e["body"].encode(), str(e["_id"])) for e in wave])
            failpoints.reach("relay.published")
            await self.db["outbox"].update_many({"_id": {"$in": [e["_id"] for e in wave]}}, [{"$set": {"published_at": "$$NOW"}}])
            for e in wave:
                RELAY_SENT.labels(e["topic"]).inc()
        return len(found)
