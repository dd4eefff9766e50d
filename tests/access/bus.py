"""Carries what the services told to those who read it, as the relay and Kafka do, within this process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from contracts.event import Event
from services.chassis.kafka import Consumer
from services.chassis.mongo import Database, Session, transaction

Handler = Callable[[Session, list[Event[Any]]], Awaitable[None]]


class Bus:
    def __init__(self, dbs: Mapping[str, Database], readers: Mapping[str, Sequence[Consumer]]) -> None:
        self._dbs = dbs
        self._readers = readers
        self._carried: set[Any] = set()

    async def carry(self) -> None:
        """Until nobody has anything new to tell."""
        while fresh := [d for db in self._dbs.values() for d in await self._untold(db)]:
            for document in fresh:
                self._carried.add(document["_id"])
                await self._hand_out(document["topic"], json.loads(document["body"]))

    async def _untold(self, db: Database) -> list[dict[str, Any]]:
        return await db["outbox"].find({"_id": {"$nin": list(self._carried)}}).sort([("at", 1), ("sequence", 1)]).to_list(None)

    async def _hand_out(self, topic: str, body: dict[str, Any]) -> None:
        for service, consumers in self._readers.items():
            for consumer in consumers:
                if consumer.name != topic or body["type"] not in consumer.handlers:
                    continue
                fact, handler = consumer.handlers[body["type"]]
                event = Event[fact].model_validate(body)  # type: ignore[valid-type]  # chosen at run time
                await transaction(self._dbs[service], partial(_handle, handler, event))


async def _handle(handler: Handler, event: Event[Any], session: Session) -> None:
    await handler(session, [event])
