"""`verify`: the page that a QR code leads to, over a read model of a million transcripts, beside the bare look-ups in the same store.

One publishing process answers eight readers at a time, each asking for another transcript; what they wait is measured where they are.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

import httpx

from infra.bench.asking import Asked, Question, asked, keep
from infra.bench.figures import Figure, Options
from infra.local import down, up_detached
from infra.stack.instance import Instance
from infra.stack.processes import service_environment
from services.chassis.mongo import Database, Document, connect
from services.chassis.settings import Settings
from services.publishing.verification import store

DOCUMENTS, SCHOOLS, YEAR = 1_000_000, 500, "2025-2026"
BATCH = 20_000
READERS, ASKED, WARM = 8, 4_000, 400
SEED = 20260822
PROCESSES = ("publishing-web",)
KEPT = "-verify"
"""Its data stay in an instance of their own: to make them takes longer than to measure."""
Ask = Callable[[str], Awaitable[None]]


class Failed(RuntimeError):
    """A transcript that is there was not shown."""


def verify(options: Options) -> Figure:
    """The instance keeps its data for the next time, and is stopped. Raises Failed when a page is not what it should be."""
    instance, documents = f"{options.instance}{KEPT}", options.documents or DOCUMENTS
    info = up_detached(instance, only=PROCESSES)
    try:
        pages, bare = asyncio.run(_measured(info, documents))
    finally:
        down(instance)
    keep(options.out, "verify", {"documents": documents, "readers": READERS, "page": pages.told(), "look_up": bare.told()})
    return Figure(
        name="verify",
        value=round(pages.p95, 2),
        unit=f"milliseconds, 95th percentile of {ASKED} verifications by UUID, {documents} transcripts, {READERS} readers at a time; "
        f"{pages.cost}",
        peer="the same look-ups through the driver alone, same readers",
        peer_value=round(bare.p95, 2),
        ratio=round(pages.p95 / bare.p95, 2),
        command=f"make bench NAMES=verify DOCUMENTS={documents}",
    )


async def _measured(info: dict[str, Any], documents: int) -> tuple[Asked, Asked]:
    environment = service_environment(Instance(info["instance"], info["ports"]), "publishing")
    settings = Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})
    async with connect(settings, "publishing") as db:
        ids = await _seeded(db, documents)
        codes = random.Random(SEED).sample(ids, min(len(ids), ASKED + WARM))  # noqa: S311 - which ones, no secrets
        address = f"http://{settings.host}:{settings.port}"
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:

            async def page(code: str) -> None:
                answer = await client.get(f"/ui/publishing/verify/{code}")
                if answer.status_code != httpx.codes.OK or "Đang có hiệu lực" not in answer.text:
                    raise Failed(f"the page answered {answer.status_code}")

            async def look_up(code: str) -> None:
                if await store.by_code(db, code) is None:
                    raise Failed("a transcript is missing")

            for ask in (page, look_up):
                await asked(info["instance"], _all(ask, codes[:WARM]), at_once=READERS)
            return (
                await asked(info["instance"], _all(page, codes[WARM:]), at_once=READERS),
                await asked(info["instance"], _all(look_up, codes[WARM:]), at_once=READERS),
            )


def _all(ask: Ask, codes: list[str]) -> Iterator[Question]:
    for code in codes:
        yield partial(ask, code)


async def _seeded(db: Database, documents: int) -> list[str]:
    """Ids of transcripts in force; one in ten has a cancelled version before it. Nothing is written where as many are there already."""
    rows = _rows(random.Random(SEED), documents)  # noqa: S311 - made-up ids, no secrets
    if await db[store.DOCUMENTS].estimated_document_count() == documents:
        return [row["_id"] for row in rows if row["state"] != "CANCELLED"]
    for collection in (store.SCHOOLS, store.DOCUMENTS):
        await db.drop_collection(collection)
    await db[store.SCHOOLS].insert_many([{"_id": f"313{n:05d}", "name": f"Trường Tiểu học số {n}", "seq": 1} for n in range(SCHOOLS)])
    ids: list[str] = []
    while batch := list(islice(rows, BATCH)):
        await db[store.DOCUMENTS].insert_many(batch, ordered=False)
        ids += [row["_id"] for row in batch if row["state"] != "CANCELLED"]
    await store.ensure_indexes(db)
    return ids


def _rows(chance: random.Random, documents: int) -> Iterator[Document]:
    made, pupil = 0, 0
    while made < documents:
        pupil += 1
        versions = 2 if pupil % 10 == 0 and made + 2 <= documents else 1
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
