"""Dead letters: what a consumer gave up, with its original bytes and the reason.

`python -m services.chassis.deadletter list GROUP` and `… replay GROUP`: replay sends every dead letter of the group back
to its topic and lets the parked subjects go on; other groups drop the repeats by their inboxes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import dead_letter_topic
from services.chassis.kafka import Producer, producer
from services.chassis.mongo import Database, connect
from services.chassis.settings import Settings

if TYPE_CHECKING:
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


async def replay(settings: Settings, db: Database, sender: Producer, group: str) -> int:
    """Send them back in order. Ended half way, it starts again from the first that was not marked; repeats are harmless."""
    found = await letters(settings, group)
    await db["parked"].delete_many({"group": group})
    for record in found:
        headers = dict(record.headers or ())
        await sender.send_raw(headers["origin-topic"].decode(), record.key, record.value, [("id", headers.get("id", b""))])
    marker = AIOKafkaConsumer(bootstrap_servers=settings.kafka, group_id=f"{group}.replay", enable_auto_commit=False)
    await marker.start()
    try:
        if found:
            partition = TopicPartition(dead_letter_topic(group), 0)
            marker.assign([partition])
            await marker.commit({partition: found[-1].offset + 1})
    finally:
        await marker.stop()
    return len(found)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("list", "replay"))
    parser.add_argument("group", help="<service>.<topic>")
    arguments = parser.parse_args()
    settings = Settings()
    service = arguments.group.partition(".")[0]
    if arguments.what == "list":
        for record in await letters(settings, arguments.group):
            line = {"offset": record.offset, **{k: v.decode() for k, v in record.headers or ()}}
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        return
    async with connect(settings, service) as db, producer(settings, service) as sender:
        sys.stdout.write(f"{await replay(settings, db, sender, arguments.group)}\n")


if __name__ == "__main__":
    asyncio.run(main())
