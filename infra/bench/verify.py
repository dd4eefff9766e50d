"""`verify`: the page that a QR code leads to, over a read model of a million transcripts, beside the bare look-ups in the same store.

One publishing process answers eight readers at a time, each asking for another transcript; what they wait is measured where they are.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import httpx

from infra.bench.figures import Figure, Options
from infra.local import down, up_detached
from infra.stack.instance import Instance, write_json
from infra.stack.processes import service_environment
from services.chassis.mongo import Database, Document, connect
from services.chassis.settings import Settings
from services.publishing.verification import store

DOCUMENTS, SCHOOLS, YEAR = 1_000_000, 500, "2025-2026"
BATCH = 20_000
READERS, ASKED, WARM = 8, 4_000, 400
SEED = 20260822
PROCESSES = ("publishing-web",)
Ask = Callable[[str], Awaitable[None]]


class Failed(RuntimeError):
    """A transcript that is there was not shown."""


def verify(options: Options) -> Figure:
    """Starts the instance anew and stops it. Raises Failed when a page is not what it should be."""
    down(options.instance)
    info = up_detached(options.instance, only=PROCESSES, fresh=True)
    try:
        pages, bare = asyncio.run(_measured(info))
    finally:
        down(options.instance)
    p95, peer = _p95(pages), _p95(bare)
    told = {
        "documents": DOCUMENTS,
        "readers": READERS,
        "page_milliseconds": {"median": statistics.median(pages), "p95": p95, "longest": max(pages)},
        "look_up_milliseconds": {"median": statistics.median(bare), "p95": peer, "longest": max(bare)},
    }
    (options.out / "bench").mkdir(parents=True, exist_ok=True)
    write_json(options.out / "bench" / "verify.json", told)
    print(f"verify: {told}")
    return Figure(
        name="verify",
        value=round(p95, 2),
        unit=f"milliseconds, 95th percentile of {ASKED} verifications by UUID, {DOCUMENTS} transcripts, {READERS} readers at a time",
        peer="the same look-ups through the driver alone, same readers",
        peer_value=round(peer, 2),
        ratio=round(p95 / peer, 2),
        command="make bench NAMES=verify",
    )


async def _measured(info: dict[str, Any]) -> tuple[list[float], list[float]]:
    environment = service_environment(Instance(info["instance"], info["ports"]), "publishing")
    settings = Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})
    chance = random.Random(SEED)  # noqa: S311 - made-up ids, no secrets
    async with connect(settings, "publishing") as db:
        ids = await _seeded(db, chance)
        asked = chance.sample(ids, ASKED + WARM)
        address = f"http://{settings.host}:{settings.port}"
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:

            async def page(code: str) -> None:
                answer = await client.get(f"/ui/publishing/verify/{code}")
                if answer.status_code != httpx.codes.OK or "Đang có hiệu lực" not in answer.text:
                    raise Failed(f"the page answered {answer.status_code}")

            async def look_up(code: str) -> None:
                if await store.by_code(db, code) is None:
                    raise Failed("a transcript is missing")

            await _all(page, asked[:WARM])
            await _all(look_up, asked[:WARM])
            return await _all(page, asked[WARM:]), await _all(look_up, asked[WARM:])


async def _seeded(db: Database, chance: random.Random) -> list[str]:
    """Ids of transcripts in force; one in ten has a cancelled version before it."""
    await db[store.SCHOOLS].insert_many([{"_id": f"313{n:05d}", "name": f"Trường Tiểu học số {n}", "seq": 1} for n in range(SCHOOLS)])
    ids: list[str] = []
    rows: list[Document] = []
    for row in _rows(chance):
        rows.append(row)
        if row["state"] != "CANCELLED":
            ids.append(row["_id"])
        if len(rows) == BATCH:
            await db[store.DOCUMENTS].insert_many(rows, ordered=False)
            rows = []
    return ids


def _rows(chance: random.Random) -> Iterator[Document]:
    made, pupil = 0, 0
    while made < DOCUMENTS:
        pupil += 1
        versions = 2 if pupil % 10 == 0 and made + 2 <= DOCUMENTS else 1
        school = f"313{pupil % SCHOOLS:05d}"
        for version in range(1, versions + 1):
            made += 1
            yield {
                "_id": str(UUID(int=chance.getrandbits(128), version=4)),
                "kind": "transcript",
                "school": school,
                "year": YEAR,
                "version": version,
                "roles": {"subject_teacher": 9, "homeroom": 1, "leader": 1, "school": 1},
                "chain": f"transcript:{school}:{YEAR}:{school}{pupil:07d}:",
                "state": "ACCEPTED" if version == versions else "CANCELLED",
                "moved": 9,
                "files": [f"{chance.getrandbits(256):064x}", f"{chance.getrandbits(256):064x}"],
            }


async def _all(ask: Ask, codes: list[str]) -> list[float]:
    """Milliseconds of each, `READERS` at a time."""
    waiting = iter(codes)
    waits: list[float] = []

    async def reader() -> None:
        for code in waiting:
            began = time.perf_counter()
            await ask(code)
            waits.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(reader() for _ in range(READERS)))
    return waits


def _p95(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=100)[94]
