"""`lookup`, `statistics`, `freshness`, `rebuild`: what an oversight unit waits for, with a million transcripts of 500 schools.

Each stands beside plain use of the same store or broker in the same run. `--documents` makes the district smaller. The units and schools
stand in the model already, so a rebuilding here is of classes and transcripts; the end of the units is told without any.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import statistics as numbers
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.event import Event, Fact
from contracts.events.identity import OrganisationsToldV1, SchoolChangedV1, UnitChangedV1
from contracts.events.records import TranscriptMovedV1
from infra.bench import district_world as made
from infra.bench.district_world import District, district
from infra.bench.figures import Figure, Options
from infra.local import down
from infra.tools.rebuild import run
from services.chassis.mongo import Document
from services.district.lookup.names import places_of
from services.district.model import rebuilding
from services.district.statistics import AWAITING
from services.district.store import ensure_indexes

ASKED = 300
PEERS = 5
PROBES = 30
LOAD_PER_SECOND = 100


class Failed(RuntimeError):
    """What was measured did not answer as it should."""


def lookup(options: Options) -> Figure:
    """Milliseconds of the 95th percentile over names (whole, begun, given; with marks and without), personal ids, UUIDs and schools."""
    return _on_district(options, _lookup)


def statistics(options: Options) -> Figure:
    """Milliseconds of the 95th percentile of the whole branch's numbers, by school and grade."""
    return _on_district(options, _statistics)


def freshness(options: Options) -> Figure:
    """Seconds, median, from an event to the district's open page that shows it, while others keep coming."""
    return _on_district(options, _freshness)


def rebuild(options: Options) -> Figure:
    """Snapshots a second from the first that is loaded until the model is whole; the relay of the same events is not counted."""
    return _on_district(options, _rebuild)


def _on_district(options: Options, measure: Callable[[District, Options], Awaitable[Figure]]) -> Figure:
    async def go() -> Figure:
        async with district(options) as world:
            return await measure(world, options)

    try:
        return asyncio.run(go())
    finally:
        down(options.instance)


def _command(name: str, options: Options) -> str:
    return f"python -m infra.bench {name} --documents {options.documents or made.TRANSCRIPTS}"


def _p95(seconds: list[float]) -> float:
    return numbers.quantiles(seconds, n=100)[94]


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _lookup(world: District, options: Options) -> Figure:
    dice = random.Random(made.SEED)  # noqa: S311 - what is asked for, no secrets
    some = await world.db["transcripts"].aggregate([{"$sample": {"size": ASKED}}]).to_list(None)

    async def ask(asked: dict[str, str]) -> None:
        answer = await world.web.post("/api/district/lookup", json=asked)
        if not answer.is_success or not answer.json()["total"]:
            raise Failed(f"{answer.status_code}: nothing was found")

    questions = [_question(dice.randrange(6), row) for row in some]
    for question in questions[:20]:
        await ask(question)
    took = [await _timed(lambda question=question: ask(question)) for question in questions]  # type: ignore[misc] # bound here
    names = [row["pupil_name"] for row in some[:PEERS]]
    plain = [await _timed(lambda name=name: _plain_name(world, name)) for name in names]  # type: ignore[misc] # bound here
    value, peer = _p95(took) * 1000, numbers.median(plain) * 1000
    return Figure(
        name="lookup",
        value=round(value, 1),
        unit=f"ms, 95th percentile of {len(took)} look-ups by HTTP among {options.documents or made.TRANSCRIPTS} transcripts",
        peer="MongoDB find by the same regular expression on the folded name, without the model's indexes, median",
        peer_value=round(peer, 1),
        ratio=round(value / peer, 4),
        command=_command("lookup", options),
    )


def _question(kind: int, row: Document) -> dict[str, str]:
    words = row["pupil_name"].split()
    return (
        {"name": row["pupil_name"]},
        {"name": row["folded"]},
        {"name": words[-1]},
        {"personal_id": row["personal_id"]},
        {"uuid": row["_id"]},
        {"school": row["school"], "name": " ".join(words[:2]), "year": made.YEAR},
    )[kind]


async def _plain_name(world: District, name: str) -> None:
    await world.db["transcripts"].find(places_of(name)[0].filter).hint([("$natural", 1)]).limit(50).sort("pupil_name", 1).to_list(50)


async def _statistics(world: District, options: Options) -> Figure:
    async def ask() -> None:
        answer = await world.web.get("/ui/district/statistics")
        if not answer.is_success:
            raise Failed(f"statistics answered {answer.status_code}")

    for _ in range(3):
        await ask()
    took = [await _timed(ask) for _ in range(60)]
    group = {"_id": {"school": "$school", "grade": "$grade", "state": "$state"}, "n": {"$sum": 1}}
    pipeline: list[Document] = [{"$match": {"year": made.YEAR}}, {"$group": group}]
    plain = [await _timed(lambda: world.db["transcripts"].aggregate(pipeline).to_list(None)) for _ in range(3)]
    value, peer = _p95(took) * 1000, numbers.median(plain) * 1000
    return Figure(
        name="statistics",
        value=round(value, 1),
        unit=f"ms, 95th percentile of 60 pages of the whole branch over {options.documents or made.TRANSCRIPTS} transcripts",
        peer="MongoDB aggregation of the same numbers over the transcripts, median",
        peer_value=round(peer, 1),
        ratio=round(value / peer, 4),
        command=_command("statistics", options),
    )


def _event(fact: Fact, subject: str, sequence: int, run: str | None = None) -> bytes:
    now = dt.datetime.now(dt.UTC)
    event = Event[Fact](
        type=type(fact).__name__, subject=subject, sequence=sequence, occurred_at=now, actor="bench", data=fact, snapshot=run
    )
    return event.model_dump_json(serialize_as_any=True).encode()


def _moved(row: Document, state: str) -> TranscriptMovedV1:
    return TranscriptMovedV1(**{k: row[k] for k in TranscriptMovedV1.model_fields if k in row and k != "state"}, state=state)


async def _freshness(world: District, options: Options) -> Figure:
    some = await world.db["transcripts"].aggregate([{"$sample": {"size": 2000}}]).to_list(None)
    sender = AIOKafkaProducer(bootstrap_servers=world.kafka, acks="all", enable_idempotence=True, linger_ms=5)
    await sender.start()
    loading = asyncio.create_task(_load(sender, some))
    bare: list[float] = []
    waits: list[float] = []
    try:
        for number in range(PROBES):
            row = some[number]
            waits.append(await _until_shown(world, sender, row, int(time.time())))
            bare.append(await _bare(world, sender))
    finally:
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await sender.stop()
    value, peer = numbers.median(waits), numbers.median(bare)
    return Figure(
        name="freshness",
        value=round(value, 3),
        unit=f"seconds, median of {PROBES} events until the open board shows them, beside {LOAD_PER_SECOND} events a second",
        peer="aiokafka alone: from sending to reading, the same broker and load, median",
        peer_value=round(peer, 4),
        ratio=round(value / peer, 1),
        command=_command("freshness", options),
    )


async def _load(sender: AIOKafkaProducer, some: list[Document]) -> None:
    """Others move back and forth, out of the probes' way; an old sequence would change nothing."""
    number = int(time.time() * 1000)
    while True:
        began = time.monotonic()
        for each in range(LOAD_PER_SECOND // 10):
            row = some[PROBES + (number + each) % (len(some) - PROBES)]
            await sender.send("records.transcripts", _event(_moved(row, AWAITING[number % 4]), row["_id"], number), key=row["_id"].encode())
        number += LOAD_PER_SECOND // 10
        await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - began)))


async def _until_shown(world: District, sender: AIOKafkaProducer, row: Document, sequence: int) -> float:
    """As an open page does it: wait for word, then ask for the panel; the number of withdrawn transcripts tells that it is there."""
    # the load never withdraws anything
    before = await _withdrawn(world)
    began = 0.0
    async with world.web.stream("GET", "/ui/district/board/events?seconds=55") as told:
        async for line in told.aiter_lines():
            if not line.startswith("data:"):
                continue
            if not began:
                began = time.perf_counter()
                fact = _moved(row, "WITHDRAWN")
                await sender.send_and_wait("records.transcripts", _event(fact, row["_id"], sequence * 1000), key=row["_id"].encode())
                continue
            if json.loads(line.removeprefix("data:")).get("WITHDRAWN", 0) > before:
                panel = await world.web.get("/ui/district/board", headers={"HX-Request": "true"})
                if panel.is_success:
                    return time.perf_counter() - began
    raise Failed("the page never showed what was told")


async def _withdrawn(world: District) -> int:
    total: Document = (await world.web.get("/api/district/statistics")).json()["total"]
    return int(total["withdrawn"])


async def _bare(world: District, sender: AIOKafkaProducer) -> float:
    reader = AIOKafkaConsumer("records.transcripts", bootstrap_servers=world.kafka, auto_offset_reset="latest", fetch_max_wait_ms=100)
    await reader.start()
    try:
        await reader.seek_to_end()
        mark = uuid4().hex.encode()
        began = time.perf_counter()
        # of a type that nobody knows: read, counted and skipped by all
        body = json.dumps(
            {"type": "BenchV1", "subject": "bench", "sequence": 1, "occurred_at": "2026-01-01T00:00:00Z", "actor": "b", "data": {}}
        )
        await sender.send_and_wait("records.transcripts", body.encode(), key=b"bench", headers=[("mark", mark)])
        async for record in reader:
            if ("mark", mark) in record.headers:
                return time.perf_counter() - began
    finally:
        await reader.stop()
    raise Failed("the broker kept the event")


async def _rebuild(world: District, options: Options) -> Figure:
    documents = options.documents or made.TRANSCRIPTS
    await made.seed_records(world.records, documents)
    run(world.info, "district", "rebuild")
    building = (await rebuilding.state(world.db))["building"]
    await _tell_places(world)
    republishing = asyncio.create_task(asyncio.to_thread(run, world.info, "records", "republish"))
    first = last = 0.0
    at_first = 0
    while (await rebuilding.state(world.db))["building"] is not None:
        there, _ = (await rebuilding.loaded(world.db, building))["records.transcripts"]
        now = time.monotonic()
        if there and not first:
            first, at_first = now, there
        if there < documents:
            last = now
        await asyncio.sleep(0.25)
    await republishing
    value = (documents - at_first) / max(last - first, 0.001)
    peer = await _plain_insert(world, min(documents, 50_000))
    return Figure(
        name="rebuild",
        value=round(value, 1),
        unit=f"snapshots a second, {documents} transcripts from Kafka into the model, counters kept, while the owner republishes",
        peer="MongoDB insert_many of the same rows by 200 into a collection with the same indexes, each chunk a transaction's size",
        peer_value=round(peer, 1),
        ratio=round(value / peer, 3),
        command=_command("rebuild", options),
    )


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
        for place in places:
            await sender.send("identity.organisations", _event(place, place.code, 1, told), key=place.code.encode())
        end = OrganisationsToldV1(run=told, subjects=len(places))
        await sender.send_and_wait("identity.organisations", _event(end, told, 1, told), key=told.encode())
    finally:
        await sender.stop()


async def _plain_insert(world: District, documents: int) -> float:
    """Rows a second."""
    await world.db.drop_collection("bench")
    plain = world.db["bench"]
    for index in (await world.db["transcripts"].index_information()).values():
        await plain.create_index(index["key"])
    every = list(made.rows(documents))
    began = time.perf_counter()
    for start in range(0, documents, 200):
        await plain.insert_many(every[start : start + 200], ordered=False)
    took = time.perf_counter() - began
    await world.db.drop_collection("bench")
    await ensure_indexes(world.db)
    return documents / took
