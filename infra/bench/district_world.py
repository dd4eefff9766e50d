"""A district of 500 schools with a million transcripts, written straight into the stores; what the benches of oversight stand on."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from contracts.access import Principal, Role
from infra.bench.figures import Options
from infra.local import down, up_detached
from infra.stack.instance import Instance
from infra.stack.processes import service_environment
from services.chassis.access import TokenMaker
from services.chassis.mongo import Database, Document, connect
from services.chassis.settings import Settings
from services.district.lookup.names import searchable
from services.district.model.counting import Tally, shares_of_class, shares_of_transcript
from services.district.store import ensure_indexes

TRANSCRIPTS, SCHOOLS, UNITS, PER_CLASS = 1_000_000, 500, 50, 40
ROOT_UNIT, YEAR, SEED = "073", "2025-2026", 20260820
PAGES = ("district-web",)
FOLLOWING = ("district-web", "district-worker", "records-worker")
"""What has to run for pages alone, and for what records does to reach them."""
OFFICER = Principal(person="073-cb01", name="Cán bộ đo kiểm", roles=frozenset({Role.OFFICER}), unit=ROOT_UNIT)
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý")
SHARES = (38, 12, 10, 7, 5, 5, 4, 4, 3, 2, 2, 2, 2, 2, 1, 1)
"""Per cent of people with the family name, roughly as in the country."""
MIDDLES: tuple[str, ...] = (
    "Thị",
    "Văn",
    "Minh",
    "Ngọc",
    "Hữu",
    "Đức",
    "Thanh",
    "Quang",
    "Thu",
    "Bảo",
    "Gia",
    "Khánh",
    "Anh",
    "Hoàng",
    "Thị Thu",
    "Thị Ngọc",
)
GIVENS: tuple[str, ...] = (
    "An",
    "Anh",
    "Ánh",
    "Bình",
    "Châu",
    "Chi",
    "Cường",
    "Dũng",
    "Duy",
    "Đạt",
    "Giang",
    "Hà",
    "Hải",
    "Hân",
    "Hạnh",
    "Hiếu",
    "Hoa",
    "Hòa",
)
GIVENS += (
    "Hùng",
    "Huy",
    "Hương",
    "Khang",
    "Khôi",
    "Lan",
    "Linh",
    "Long",
    "Mai",
    "Nam",
    "Nga",
    "Ngân",
    "Nhi",
    "Phong",
    "Phúc",
    "Quân",
    "Sơn",
)
GIVENS += ("Tâm", "Thảo", "Thư", "Trang", "Trí", "Tú", "Tuấn", "Uyên", "Vân", "Việt", "Vy", "Yến")
STATES = ("AWAITING_HOMEROOM", "AWAITING_LEADER", "SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "ACCEPTED", "ACCEPTED", "REJECTED")
BEGAN = dt.datetime(2026, 5, 20, 1, 0, tzinfo=dt.UTC)
CHUNK = 2000


class Failed(RuntimeError):
    """What was measured did not answer as it should."""


@dataclass
class District:
    name: str
    info: dict[str, Any]
    documents: int
    db: Database
    records: Database
    kafka: str
    web: httpx.AsyncClient


class _Officer(httpx.Auth):
    """A new token for each request: they live for a minute."""

    def __init__(self, key: Path) -> None:
        self.tokens = TokenMaker(key)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.tokens.make(OFFICER)}"
        yield request


def settings_of(info: dict[str, Any], service: str) -> Settings:
    environment = service_environment(Instance(info["instance"], info["ports"]), service)
    return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})


@asynccontextmanager
async def district(options: Options, processes: Iterable[str]) -> AsyncIterator[District]:
    """The instance keeps what it is seeded with for the next bench of so many; it is stopped at the end."""
    documents = options.documents or TRANSCRIPTS
    name = f"{options.instance}-district-{documents}"
    info = up_detached(name, only=processes)
    try:
        settings = settings_of(info, "district")
        key = Path(Instance(name, info["ports"]).secrets / "token-signing.jwk")
        address = f"http://{settings.host}:{info['ports']['district-web']}"
        async with (
            connect(settings, "district") as db,
            connect(settings_of(info, "records"), "records") as records,
            httpx.AsyncClient(base_url=address, timeout=120, trust_env=False, auth=_Officer(key)) as web,
        ):
            await seed(db, documents)
            yield District(name, info, documents, db, records, settings.kafka, web)
    finally:
        down(name)


async def seed(db: Database, documents: int) -> None:
    """Nothing where it was done already. Indexes are made at the end, which takes a fraction of the time."""
    if (await db["bench"].find_one({"_id": "seeded"}) or {}).get("documents") == documents:
        return
    for collection in ("units", "schools", "classes", "transcripts", "counts", "days", "model", "loads"):
        await db.drop_collection(collection)
    await db["units"].insert_many(
        [_unit(ROOT_UNIT, (ROOT_UNIT,)), *(_unit(_unit_code(n), (ROOT_UNIT, _unit_code(n))) for n in range(UNITS))]
    )
    await db["schools"].insert_many([_school(n) for n in range(SCHOOLS)])
    classes, transcripts = Tally(shares_of_class), Tally(shares_of_transcript)
    seen: dict[str, Document] = {}
    every = rows(documents)
    while chunk := list(islice(every, CHUNK)):
        for row in chunk:
            transcripts.replace(None, row)
            key = f"{row['school']}:{YEAR}:{row['class_code']}"
            seen.setdefault(key, _class(key, row))["pupils"] += 1
        await db["transcripts"].insert_many(chunk, ordered=False)
    for one in seen.values():
        classes.replace(None, one)
    await db["classes"].insert_many(list(seen.values()), ordered=False)
    for tally in (classes, transcripts):
        for collection, writes in tally.writes():
            await db[collection].bulk_write(writes, ordered=False)
    await ensure_indexes(db)
    await db["bench"].replace_one({"_id": "seeded"}, {"documents": documents}, upsert=True)


async def seed_records(db: Database, documents: int) -> None:
    """The owner's documents, with what republishing reads of them."""
    if await db["transcripts"].estimated_document_count() == documents:
        return
    for collection in ("transcripts", "classes", "summaries"):
        await db[collection].delete_many({})
    waiting: list[Document] = []
    classes: dict[str, Document] = {}
    for row in rows(documents):
        key = f"{row['school']}:{YEAR}:{row['class_code']}"
        about = {"school": row["school"], "year": YEAR, "code": row["class_code"]}
        data = {"name": row["class_code"], "grade": row["grade"]}
        one = classes.setdefault(key, {"_id": key, **about, "data": data, "pupils": 0, "refused": 0, "sequence": 1})
        one["pupils"] += 1
        waiting.append(_owned(row))
        if len(waiting) == CHUNK:
            await db["transcripts"].insert_many(waiting, ordered=False)
            waiting = []
    if waiting:
        await db["transcripts"].insert_many(waiting, ordered=False)
    await db["classes"].insert_many(list(classes.values()), ordered=False)


def rows(documents: int) -> Iterator[Document]:
    """The same every time."""
    dice = random.Random(SEED)  # noqa: S311 - names and states, no secrets
    per_school = max(1, documents // SCHOOLS)
    for number in range(documents):
        school = min(number // per_school, SCHOOLS - 1)
        inside = number - school * per_school
        grade = 1 + (inside // PER_CLASS) % 5
        yield _transcript(dice, number, _school_code(school), grade, f"{grade}A{inside // PER_CLASS}")


def _transcript(dice: random.Random, number: int, school: str, grade: int, class_code: str) -> Document:
    name = f"{dice.choices(FAMILIES, SHARES)[0]} {dice.choice(MIDDLES)} {dice.choice(GIVENS)}"
    state = dice.choice(STATES)
    created = BEGAN + dt.timedelta(minutes=dice.randrange(14 * 24 * 60))
    reached = STATES.index(state)
    moments = [created + dt.timedelta(hours=n) if reached > 1 and n <= reached else None for n in range(1, 5)]
    return {
        "_id": str(UUID(int=dice.getrandbits(128), version=4)),
        "school": school,
        "year": YEAR,
        "class_code": class_code,
        "class_name": class_code,
        "grade": grade,
        "state": state,
        "level": "TH",
        "version": 1,
        "pupil_code": f"{number:012d}",
        "pupil_name": name,
        "personal_id": f"{number:012d}",
        "awaited": [dict(zip(("person", "name"), _signer(school, reached), strict=True))] if reached < 2 else [],
        "since": created if reached < 2 else None,
        "created_at": created,
        "signed_at": moments[0],
        "confirmed_at": moments[1],
        "submitted_at": moments[2],
        "decided_at": moments[3],
        "refusal": "Sai số định danh cá nhân" if state == "REJECTED" else "",
        "problem": "",
        **_searchable(name),
        "seq": 1,
        "run": "",
    }


def _signer(school: str, step: int) -> tuple[str, str]:
    """Homeroom teacher, leader."""
    return f"{school}00{step + 1}", ("Trần Thị Mẫu", "Ngô Văn Mẫu")[step]


def _owned(row: Document) -> Document:
    """The transcript as records keeps it."""
    (homeroom, homeroom_name), (leader, leader_name) = (_signer(row["school"], step) for step in (0, 1))
    kept = ("_id", "school", "year", "class_code", "grade", "state", "version", "pupil_code", "pupil_name", "created_at")
    content = {
        "school": {"level": row["level"]},
        "school_class": {"name": row["class_name"], "homeroom": homeroom, "leader": leader},
        "pupil": {"personal_id": row["personal_id"]},
        "subject_teachers": [],
        "homeroom_name": homeroom_name,
        "leader_name": leader_name,
    }
    moments = {key: row[key] for key in ("confirmed_at", "submitted_at", "decided_at")}
    signatures = [{"role": "issue", "person": leader, "signed_at": row["signed_at"]}] if row["signed_at"] else []
    told = {"content": content, "signatures": signatures, "refusal": {"reason": row["refusal"]}, "sequence": 1}
    return {**{k: row[k] for k in kept}, **moments, **told}


@cache
def _searchable(name: str) -> Document:
    return searchable(name)


def _unit_code(number: int) -> str:
    return f"{ROOT_UNIT}{number:02d}"


def _school_code(number: int) -> str:
    return f"{ROOT_UNIT}{number:05d}"


def _unit(code: str, path: tuple[str, ...]) -> Document:
    return {"_id": code, "name": f"Phường {code}", "path": list(path), "spans": [], "seq": 1, "run": ""}


def _school(number: int) -> Document:
    path = [ROOT_UNIT, _unit_code(number % UNITS)]
    name = f"Trường Tiểu học số {number}"
    return {"_id": _school_code(number), "name": name, "path": path, "levels": ["TH"], "spans": [], "seq": 1, "run": ""}


def _class(key: str, row: Document) -> Document:
    about = {"school": row["school"], "year": YEAR, "code": row["class_code"], "name": row["class_code"], "grade": row["grade"]}
    return {"_id": key, **about, "pupils": 0, "refused": 0, "seq": 1, "run": ""}
