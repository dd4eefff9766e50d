"""`lookup` and `statistics`: what an officer of an oversight unit waits for, with a million transcripts of 500 schools.

Each stands beside plain use of the same store in the same run. `--documents` makes the district smaller.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from infra.bench import district_world as made
from infra.bench.asking import Question, asked, keep
from infra.bench.district_world import District, Failed, district
from infra.bench.figures import Figure, Options
from services.chassis.mongo import Document
from services.district.lookup.names import places_of

ASKED, PAGES, PEERS, WARM = 300, 60, 5, 20
NOTHING = "Không tìm thấy học bạ nào"


def lookup(options: Options) -> Figure:
    """Milliseconds of the 95th percentile over names (whole, begun, given; with marks and without), personal ids, UUIDs and schools."""
    return on_district(options, made.PAGES, _lookup)


def statistics(options: Options) -> Figure:
    """Milliseconds of the 95th percentile of the whole branch's numbers, by unit and school."""
    return on_district(options, made.PAGES, _statistics)


def on_district(options: Options, processes: Iterable[str], measure: Callable[[District, Options], Awaitable[Figure]]) -> Figure:
    async def go() -> Figure:
        async with district(options, processes) as world:
            return await measure(world, options)

    return asyncio.run(go())


async def _lookup(world: District, options: Options) -> Figure:
    some = await world.db["transcripts"].aggregate([{"$sample": {"size": ASKED}}]).to_list(None)
    dice = random.Random(made.SEED)  # noqa: S311 - what is asked for, no secrets
    kinds = [_question(dice.randrange(6), row) for row in some]

    async def page(question: dict[str, str]) -> None:
        answer = await world.web.post("/ui/district/lookup", data=question)
        if not answer.is_success or NOTHING in answer.text:
            raise Failed(f"{answer.status_code}: nothing was found")

    def pages(questions: list[dict[str, str]]) -> list[Question]:
        return [partial(page, question) for question in questions]

    await asked(world.name, pages(kinds[:WARM]))
    found = await asked(world.name, pages(kinds))
    plain = await asked(world.name, [partial(_plain_name, world, row["pupil_name"]) for row in some[:PEERS]])
    by_kind = {kind: await asked(world.name, pages([_question(n, row) for row in some[:50]])) for n, kind in enumerate(KINDS)}
    told = {"documents": world.documents, "page": found.told(), "plain": plain.told()}
    keep(options.out, "lookup", {**told, "kinds": {kind: each.told() for kind, each in by_kind.items()}})
    return Figure(
        name="lookup",
        value=round(found.p95, 1),
        unit=f"ms, 95th percentile of {ASKED} pages of what was found among {world.documents} transcripts; {found.cost}",
        peer="MongoDB find by the same regular expression on the folded name, without the model's indexes, median",
        peer_value=round(plain.median, 1),
        ratio=round(found.p95 / plain.median, 4),
        command=f"make bench NAMES=lookup DOCUMENTS={world.documents}",
    )


KINDS = ("name with marks", "name without marks", "given name", "personal id", "UUID", "name in a school")


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
    async def page() -> None:
        answer = await world.web.get("/ui/district/statistics")
        if not answer.is_success:
            raise Failed(f"statistics answered {answer.status_code}")

    group = {"_id": {"school": "$school", "grade": "$grade", "state": "$state"}, "n": {"$sum": 1}}
    pipeline: list[Document] = [{"$match": {"year": made.YEAR}}, {"$group": group}]

    async def plainly() -> None:
        await world.db["transcripts"].aggregate(pipeline, hint={"$natural": 1}).to_list(None)

    await asked(world.name, [page] * 3)
    found, plain = await asked(world.name, [page] * PAGES), await asked(world.name, [plainly] * 3)
    keep(options.out, "statistics", {"documents": world.documents, "page": found.told(), "plain": plain.told()})
    return Figure(
        name="statistics",
        value=round(found.p95, 1),
        unit=f"ms, 95th percentile of {PAGES} pages of the whole branch over {world.documents} transcripts; {found.cost}",
        peer="MongoDB aggregation of the same numbers over the transcripts, median",
        peer_value=round(plain.median, 1),
        ratio=round(found.p95 / plain.median, 4),
        command=f"make bench NAMES=statistics DOCUMENTS={world.documents}",
    )
