"""`freshness` and `rebuild`: how soon district shows what records did, and how fast it is made anew from what the owners republish.

The units and schools stand in the model already; their owner's part of a rebuilding is told by the bench itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import statistics as numbers
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.event import Event, Fact
from contracts.events.identity import OrganisationsToldV1, SchoolChangedV1, UnitChangedV1
from contracts.events.records import TranscriptMovedV1
from infra.bench import district_world as made
from infra.bench.asking import keep, spent
from infra.bench.cost import between
from infra.bench.district import on_district
from infra.bench.district_world import District, Failed
from infra.bench.figures import Figure, Options
from infra.tools.rebuild import run
from services.chassis import outbox
from services.chassis.mongo import Document, Session, transaction
from services.district.model import rebuilding
from services.district.statistics import AWAITING
from services.district.store import ensure_indexes

PROBES = 30
LOAD_PER_SECOND = 100
ROUNDS_PER_SECOND = 10
PLAIN = 50_000
TOPIC = "records.transcripts"


def freshness(options: Options) -> Figure:
    """Seconds, median, from what records did to the district's open page that shows it, while others keep coming."""
    return on_district(options, made.FOLLOWING, _freshness)


def rebuild(options: Options) -> Figure:
    """Snapshots a second from the first that is loaded until all are, in a model that has lost its classes and transcripts."""
    return on_district(options, made.FOLLOWING, _rebuild)


def _event(fact: Fact, subject: str, sequence: int, snapshot: str | None = None) -> Event[Fact]:
    now = dt.datetime.now(dt.UTC)
    return Event[Fact](
        type=type(fact).__name__, subject=subject, sequence=sequence, occurred_at=now, actor="bench", data=fact, snapshot=snapshot
    )


def _moved(row: Document, state: str, sequence: int) -> Event[Fact]:
    about = {k: row[k] for k in TranscriptMovedV1.model_fields if k in row and k != "state"}
    return _event(TranscriptMovedV1(**about, state=state), row["_id"], sequence)


async def _done(world: District, events: Sequence[Event[Fact]]) -> None:
    """As records does it: in its outbox, from where its relay takes them."""

    async def work(session: Session) -> None:
        await outbox.append(world.records, session, events)

    await transaction(world.records, work)


async def _freshness(world: District, options: Options) -> Figure:
    some = await world.db["transcripts"].aggregate([{"$sample": {"size": 2000}}]).to_list(None)
    sender = AIOKafkaProducer(bootstrap_servers=world.kafka, acks="all", enable_idempotence=True, linger_ms=5)
    await sender.start()
    before = spent(world.name)
    began, loading = time.monotonic(), asyncio.create_task(_load(world, some))
    bare: list[float] = []
    waits: list[float] = []
    try:
        for row in some[:PROBES]:
            waits.append(await _until_shown(world, row))
            bare.append(await _bare(world, sender))
    finally:
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await sender.stop()
    lasted, cost = time.monotonic() - began, between(before, spent(world.name))
    value, peer = numbers.median(waits), numbers.median(bare)
    told = {"documents": world.documents, "seconds": sorted(waits), "bare_seconds": sorted(bare), "lasted": lasted, "cpu_seconds": cost}
    keep(options.out, "freshness", told)
    return Figure(
        name="freshness",
        value=round(value, 3),
        unit=f"seconds, median of {PROBES} acts until the open board shows them, beside {LOAD_PER_SECOND} events a second",
        peer="aiokafka alone: from sending to reading, the same broker and load, median",
        peer_value=round(peer, 4),
        ratio=round(value / peer, 1),
        command=f"make bench NAMES=freshness DOCUMENTS={world.documents}",
    )


async def _load(world: District, some: Sequence[Document]) -> None:
    """Others move back and forth, out of the probes' way; an old sequence would change nothing."""
    number = int(time.time() * 1000)
    each_round = LOAD_PER_SECOND // ROUNDS_PER_SECOND
    while True:
        began = time.monotonic()
        rows = [some[PROBES + (number + n) % (len(some) - PROBES)] for n in range(each_round)]
        await _done(world, [_moved(row, AWAITING[number % 4], number) for row in rows])
        number += each_round
        await asyncio.sleep(max(0.0, 1 / ROUNDS_PER_SECOND - (time.monotonic() - began)))


async def _until_shown(world: District, row: Document) -> float:
    """As an open page does it: wait for word, then ask for the panel; the number of withdrawn transcripts tells that it is there."""
    # the load never withdraws anything; whoever acts does so at any moment between two looks
    before, began = None, 0.0
    async with world.web.stream("GET", "/ui/district/board/events?seconds=55") as told:
        async for line in told.aiter_lines():
            if not line.startswith("data:"):
                continue
            shown = json.loads(line.removeprefix("data:")).get("WITHDRAWN", 0)
            if before is None:
                before = shown
                await asyncio.sleep(random.random())  # noqa: S311 - no secret
                began = time.perf_counter()
                await _done(world, [_moved(row, "WITHDRAWN", int(time.time() * 1000))])
            elif shown > before:
                panel = await world.web.get("/ui/district/board", headers={"HX-Request": "true"})
                if panel.is_success:
                    return time.perf_counter() - began
    raise Failed("the page never showed what was told")


async def _bare(world: District, sender: AIOKafkaProducer) -> float:
    reader = AIOKafkaConsumer(TOPIC, bootstrap_servers=world.kafka, auto_offset_reset="latest", fetch_max_wait_ms=100)
    await reader.start()
    try:
        await reader.seek_to_end()
        mark = uuid4().hex.encode()
        began = time.perf_counter()
        # of a type that nobody knows: read, counted and skipped by all
        body = json.dumps(
            {"type": "BenchV1", "subject": "bench", "sequence": 1, "occurred_at": "2026-01-01T00:00:00Z", "actor": "b", "data": {}}
        )
        await sender.send_and_wait(TOPIC, body.encode(), key=b"bench", headers=[("mark", mark)])
        async for record in reader:
            if ("mark", mark) in record.headers:
                return time.perf_counter() - began
    finally:
        await reader.stop()
    raise Failed("the broker kept the event")


async def _rebuild(world: District, options: Options) -> Figure:
    await made.seed_records(world.records, world.documents)
    for collection in ("classes", "transcripts", "counts", "days"):
        await world.db.drop_collection(collection)
    # whoever ends this before the model is whole finds it empty, and it is seeded anew
    await world.db["bench"].delete_many({})
    await ensure_indexes(world.db)
    run(world.info, "district", "rebuild")
    building = (await rebuilding.state(world.db))["building"]
    await _tell_places(world)
    before = spent(world.name)
    republishing = asyncio.create_task(asyncio.to_thread(run, world.info, "records", "republish"))
    first = last = 0.0
    at_first = 0
    while (await rebuilding.state(world.db))["building"] is not None:
        there, _ = (await rebuilding.loaded(world.db, building))[TOPIC]
        now = time.monotonic()
        if there and not first:
            first, at_first = now, there
        if there < world.documents:
            last = now
        await asyncio.sleep(0.25)
    await republishing
    cost = between(before, spent(world.name))
    await _check(world)
    await world.db["bench"].replace_one({"_id": "seeded"}, {"documents": world.documents}, upsert=True)
    value = (world.documents - at_first) / max(last - first, 0.001)
    peer = await _plain_insert(world, min(world.documents, PLAIN))
    each = {name: round(seconds * 1e6 / world.documents) for name, seconds in cost.items()}
    keep(options.out, "rebuild", {"documents": world.documents, "a_second": value, "plain_a_second": peer, "cpu_microseconds_each": each})
    ours = {name: each.get(name, 0) for name in ("district-worker", "mongod", "kafka")}
    return Figure(
        name="rebuild",
        value=round(value, 1),
        unit=f"snapshots a second, {world.documents} transcripts by way of Kafka into an empty model, counters kept, while the owner "
        f"republishes; processor time of each: {', '.join(f'{name} {micro} µs' for name, micro in ours.items())}",
        peer="MongoDB insert_many of the same rows by 200 into a collection with the same indexes",
        peer_value=round(peer, 1),
        ratio=round(value / peer, 3),
        command=f"make bench NAMES=rebuild DOCUMENTS={world.documents}",
    )


async def _check(world: District) -> None:
    """Raises Failed when the counters do not say what the rows say."""
    group = {"_id": "$state", "n": {"$sum": 1}}
    rows = {row["_id"]: row["n"] async for row in world.db["transcripts"].aggregate([{"$group": group}])}
    counted: dict[str, int] = {}
    async for one in world.db["counts"].find({}, projection={"states": 1}):
        for state, number in one.get("states", {}).items():
            counted[state] = counted.get(state, 0) + number
    if rows != counted or sum(rows.values()) != world.documents:
        raise Failed(f"the rebuilt model is wrong: {rows} rows, {counted} counted")


async def _tell_places(world: District) -> None:
    """Units and schools as identity would republish them."""
    told = uuid4().hex
    sender = AIOKafkaProducer(bootstrap_servers=world.kafka, acks="all", enable_idempotence=True)
    await sender.start()
    try:
        units, schools = await world.db["units"].find({}).to_list(None), await world.db["schools"].find({}).to_list(None)
        places: list[UnitChangedV1 | SchoolChangedV1] = [
            *(UnitChangedV1(code=row["_id"], name=row["name"], path=tuple(row["path"])) for row in units),
            *(SchoolChangedV1(code=s["_id"], name=s["name"], levels=("TH",), tax_code="", path=tuple(s["path"])) for s in schools),
        ]
        send = partial(sender.send, "identity.organisations")
        for place in places:
            await send(_body(_event(place, place.code, 1, told)), key=place.code.encode())
        end = OrganisationsToldV1(run=told, subjects=len(places))
        await (await send(_body(_event(end, told, 1, told)), key=told.encode()))
    finally:
        await sender.stop()


def _body(event: Event[Fact]) -> bytes:
    return event.model_dump_json(serialize_as_any=True).encode()


async def _plain_insert(world: District, documents: int) -> float:
    """Rows a second."""
    await world.db.drop_collection("plain")
    plain = world.db["plain"]
    for index in (await world.db["transcripts"].index_information()).values():
        await plain.create_index(index["key"])
    every = list(made.rows(documents))
    began = time.perf_counter()
    for start in range(0, documents, 200):
        await plain.insert_many(every[start : start + 200], ordered=False)
    took = time.perf_counter() - began
    await world.db.drop_collection("plain")
    return documents / took
