"""Dead letters: what a consumer gave up, with its original bytes and the reason.

`python -m services.chassis.deadletter list GROUP`, `… replay GROUP [--without OFFSET …]`, `… resume GROUP`.

replay sends the dead letters back to their topic, where the consumer lets the events of a parked subject through in order;
other groups pass over them. What arrived meanwhile for a parked subject becomes a letter too, so it is
run again until it sends none. `--without` leaves a letter out for good: its subject goes on without it.
resume lets a consumer go on that has stopped after too many dead letters in a row.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import dead_letter_topic
from services.chassis.kafka import DETAIL, ORIGIN, REASON, REPLAY, Producer, header, name_of, producer
from services.chassis.mongo import Database, connect
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiokafka import ConsumerRecord


async def letters(settings: Settings, group: str) -> list[ConsumerRecord[Any, Any]]:
    """Dead letters of the group that were not replayed yet, oldest first."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, group_id=f"{group}.replay", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await reader.start()
    try:
        partition = TopicPartition(dead_letter_topic(group), 0)
        reader.assign([partition])
        end = (await reader.end_offsets([partition]))[partition]
        found: list[ConsumerRecord[Any, Any]] = []
        while await reader.position(partition) < end:
            for records in (await reader.getmany(partition, timeout_ms=500)).values():
                found.extend(records)
        return found
    finally:
        await reader.stop()


async def replay(settings: Settings, db: Database, sender: Producer, group: str, without: Collection[int] = ()) -> int:
    """Send them back in order. Ended half way, it starts again from the first that was not marked; repeats are harmless."""
    found = await letters(settings, group)
    kept = [record for record in found if record.offset not in without]
    for record in found:
        if record.offset in without:
            await db["parked"].update_many({"group": group}, {"$pull": {"letters": name_of(record)}})
    await db["parked"].delete_many({"group": group, "letters": []})
    for record in kept:
        origin = (header(record, ORIGIN) or b"").decode()
        headers = [h for h in record.headers or () if h[0] not in (REASON, DETAIL)]
        await sender.send_raw(origin.partition("/")[0], record.key, record.value, [*headers, (REPLAY, group.encode())])
    if found:
        await _mark(settings, group, found[-1].offset + 1)
    return len(kept)


async def _mark(settings: Settings, group: str, offset: int) -> None:
    marker = AIOKafkaConsumer(bootstrap_servers=settings.kafka, group_id=f"{group}.replay", enable_auto_commit=False)
    await marker.start()
    try:
        partition = TopicPartition(dead_letter_topic(group), 0)
        marker.assign([partition])
        await marker.commit({partition: offset})
    finally:
        await marker.stop()


async def resume(db: Database, group: str) -> None:
    """Forget how many dead letters in a row there were. The consumer's process sees it when it tries the event again."""
    await db["dead_letters"].delete_one({"_id": group})


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("list", "replay", "resume"))
    parser.add_argument("group", help="<service>.<topic>")
    parser.add_argument("--without", type=int, action="append", default=[], metavar="OFFSET", help="a letter to leave out for good")
    arguments = parser.parse_args()
    settings = Settings()
    service = arguments.group.partition(".")[0]
    if arguments.what == "list":
        for record in await letters(settings, arguments.group):
            line = {"offset": record.offset, "letter": name_of(record), "key": _text(record.key)}
            sys.stdout.write(json.dumps({**line, **{k: _text(v) for k, v in record.headers or ()}}, ensure_ascii=False) + "\n")
        return
    async with connect(settings, service) as db:
        if arguments.what == "resume":
            await resume(db, arguments.group)
            return
        async with producer(settings, service) as sender:
            sys.stdout.write(f"{await replay(settings, db, sender, arguments.group, arguments.without)}\n")


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


if __name__ == "__main__":
    asyncio.run(main())
