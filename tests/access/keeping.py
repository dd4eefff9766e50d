"""Every request finds the same state: what one wrote is put back before the next, so rows have no order and no aftermath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import monitoring

from services.chassis.mongo import Database, Document

WRITES = frozenset({"insert", "update", "delete", "findAndModify"})


class Writes(monitoring.CommandListener):
    """Which collections were written to since `seen` was emptied, also by transactions that came to nothing."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in WRITES:
            self.seen.add((event.database_name, str(event.command[event.command_name])))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to note."""


@dataclass
class Keeper:
    """`dbs` by name, which is the service's."""

    writes: Writes
    dbs: Mapping[str, Database]
    kept: dict[tuple[str, str], dict[Any, Document]] = field(default_factory=dict)

    async def keep(self) -> None:
        for name, db in self.dbs.items():
            for collection in await db.list_collection_names():
                self.kept[name, collection] = await self._now((name, collection))
        self.writes.seen.clear()

    async def put_back(self) -> list[tuple[str, Document]]:
        """What stood before and was changed or taken away, as it stood: (collection, document)."""
        changed: list[tuple[str, Document]] = []
        for key in [k for k in self.writes.seen if k[0] in self.dbs]:
            before = self.kept.get(key, {})
            collection = self.dbs[key[0]][key[1]]
            now = await self._now(key)
            lost = [d for i, d in before.items() if now.get(i) != d]
            wrong = [i for i in now if now[i] != before.get(i)]
            if wrong:
                await collection.delete_many({"_id": {"$in": wrong}})
            if lost:
                await collection.insert_many(lost)
            changed.extend((key[1], d) for d in lost)
        self.writes.seen.clear()
        return changed

    async def aftermath(self) -> list[str]:
        """Collections that are not as they were kept."""
        names = [(name, collection) for name, db in self.dbs.items() for collection in await db.list_collection_names()]
        return [".".join(key) for key in names if await self._now(key) != self.kept.get(key, {})]

    async def _now(self, key: tuple[str, str]) -> dict[Any, Document]:
        return {d["_id"]: d async for d in self.dbs[key[0]][key[1]].find({})}
