"""Hands the outbox to Kafka: per subject in order, one unacknowledged event a subject, sixteen leased buckets.

A relay that lost its lease without noticing can only repeat events; inboxes drop those.
The producer is crash-only: any failure of it ends the process, which is started again.
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
from services.chassis.mongo import PyMongoError
from services.chassis.outbox import BUCKETS

if TYPE_CHECKING:
    from services.chassis.kafka import Producer
    from services.chassis.mongo import Database, Document

BATCH = 500
LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
SEND_TIMEOUT = 60.0
log = logging.getLogger(__name__)


class Relay:
    def __init__(self, db: Database, producer: Producer) -> None:
        self.db = db
        self.producer = producer
        self.owner = owner_token()
        self.buckets: list[int] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_leases())
            group.create_task(self._listen())
            group.create_task(self._measure())
            group.create_task(self._relay())

    async def _keep_leases(self) -> None:
        while True:
            leases = self.db["relay_leases"]
            held = [b for b in range(BUCKETS) if await hold(leases, f"bucket-{b:02d}", self.owner, LEASE_SECONDS)]
            if held != self.buckets:
                log.info("relay holds buckets", extra={"buckets": held})
            self.buckets = held
            self._news.set()
            await asyncio.sleep(RENEW_SECONDS)

    async def _listen(self) -> None:
        """The change stream is an alarm clock only: the poll each second is the truth."""
        while True:
            try:
                async with self.db["outbox"].watch([{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]) as stream:
                    async for _ in stream:
                        self._news.set()
            except PyMongoError:
                log.warning("change stream ended; polling goes on", exc_info=True)
                await asyncio.sleep(2)

    async def _measure(self) -> None:
        while True:
            pending = {"bucket": {"$gte": 0}, "published_at": None}
            OUTBOX_PENDING.set(await self.db["outbox"].count_documents(pending))
            oldest = await self.db["outbox"].find_one(pending, sort=[("at", 1)], projection={"at": 1})
            OUTBOX_OLDEST_SECONDS.set((clock.now() - oldest["at"]).total_seconds() if oldest else 0)
            await asyncio.sleep(5)

    async def _relay(self) -> None:
        while True:
            if await self.publish_pending() < BATCH:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 1.0)
                self._news.clear()

    async def publish_pending(self) -> int:
        """Publish up to BATCH waiting events; returns how many were seen."""
        if not self.buckets:
            return 0
        found: list[Document] = (
            await self.db["outbox"].find({"bucket": {"$in": self.buckets}, "published_at": None}).sort("at", 1).to_list(BATCH)
        )
        by_subject: dict[str, list[Document]] = defaultdict(list)
        for event in sorted(found, key=lambda e: int(e["sequence"])):
            by_subject[f"{event['topic']}/{event['subject']}"].append(event)
        while by_subject:
            wave = [events.pop(0) for events in by_subject.values()]
            by_subject = defaultdict(list, {key: events for key, events in by_subject.items() if events})
            async with asyncio.timeout(SEND_TIMEOUT):
                await self.producer.send_all([(e["topic"], e["subject"], e["body"].encode(), str(e["_id"])) for e in wave])
            failpoints.reach("relay.published")
            await self.db["outbox"].update_many({"_id": {"$in": [e["_id"] for e in wave]}}, [{"$set": {"published_at": "$$NOW"}}])
            for e in wave:
                RELAY_SENT.labels(e["topic"]).inc()
        return len(found)
