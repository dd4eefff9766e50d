"""A district of 500 schools with a million transcripts, written straight into the stores; what the benches of oversight stand on."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from contracts.access import Principal, Role
from infra.bench.figures import Options
from infra.local import up_detached
from infra.stack.instance import Instance
from infra.stack.processes import service_environment
from services.chassis.access import TokenMaker
from services.chassis.mongo import Database, Document, InsertOne, connect
from services.chassis.settings import Settings
from services.district.lookup.names import searchable
from services.district.model.counting import Tally, shares_of_class, shares_of_transcript

TRANSCRIPTS, SCHOOLS, UNITS, PER_CLASS = 1_000_000, 500, 50, 40
ROOT_UNIT, YEAR, SEED = "073", "2025-2026", 20260820
PROCESSES = ("district-web", "district-worker", "mongod", "kafka")
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


@dataclass
class District:
    info: dict[str, Any]
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
async def district(options: Options) -> AsyncIterator[District]:
    """The instance stays as it is seeded for the next bench; whoever called `up_detached` stops it."""
    info = up_detached(options.instance, only=PROCESSES)
    settings = settings_of(info, "district")
    key = Path(Instance(info["instance"], info["ports"]).secrets / "token-signing.jwk")
    address = f"http://{settings.host}:{info['ports']['district-web']}"
    async with (
        connect(settings, "district") as db,
        connect(settings_of(info, "records"), "records") as records,
        httpx.AsyncClient(base_url=address, timeout=60, trust_env=False, auth=_Officer(key)) as web,
    ):
        await seed(db, options.documents or TRANSCRIPTS)
        yield District(info, db, records, settings.kafka, web)


async def seed(db: Database, documents: int) -> None:
    """Nothing where as many are there already."""
    if await db["transcripts"].estimated_document_count() == documents and await db["counts"].find_one({}):
        return
    for collection in ("units", "schools", "classes", "transcripts", "counts", "days", "model", "loads"):
        await db[collection].delete_many({})
    await db["units"].insert_many(
        [_unit(ROOT_UNIT, (ROOT_UNIT,)), *(_unit(_unit_code(n), (ROOT_UNIT, _unit_code(n))) for n in range(UNITS))]
    )
    await db["schools"].insert_many([_school(n) for n in range(SCHOOLS)])
    classes, transcripts = Tally(shares_of_class), Tally(shares_of_transcript)
    waiting: list[Document] = []
    seen: dict[str, Document] = {}
    for row in rows(documents):
        transcripts.replace(None, row)
        key = f"{row['school']}:{YEAR}:{row['class_code']}"
        one = seen.setdefault(key, _class(key, row))
        one["pupils"] += 1
        waiting.append(row)
        if len(waiting) == CHUNK:
            await db["transcripts"].insert_many(waiting, ordered=False)
            waiting = []
    if waiting:
        await db["transcripts"].insert_many(waiting, ordered=False)
    for one in seen.values():
        classes.replace(None, one)
    await db["classes"].insert_many(list(seen.values()), ordered=False)
    for tally in (classes, transcripts):
        for collection, writes in tally.writes():
            await db[collection].bulk_write(writes, ordered=False)


async def seed_records(db: Database, documents: int) -> None:
    """The owner's documents, with what republishing reads of them."""
    if await db["transcripts"].estimated_document_count() == documents:
        return
    for collection in ("transcripts", "classes", "summaries"):
        await db[collection].delete_many({})
    waiting: list[InsertOne[Document]] = []
    classes: dict[str, Document] = {}
    for row in rows(documents):
        key = f"{row['school']}:{YEAR}:{row['class_code']}"
        about = {"school": row["school"], "year": YEAR, "code": row["class_code"]}
        data = {"name": row["class_code"], "grade": row["grade"]}
        one = classes.setdefault(key, {"_id": key, **about, "data": data, "pupils": 0, "refused": 0, "sequence": 1})
        one["pupils"] += 1
        waiting.append(InsertOne(_owned(row)))
        if len(waiting) == CHUNK:
            await db["transcripts"].bulk_write(waiting, ordered=False)
            waiting = []
    if waiting:
        await db["transcripts"].bulk_write(waiting, ordered=False)
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
        "_id": str(UUID(int=(number << 64) + 0x40008000000000000000 + number)),
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
        "awaited": [{"person": f"{school}001", "name": "Trần Thị Mẫu"}] if reached < 2 else [],
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


def _owned(row: Document) -> Document:
    """The transcript as records keeps it."""
    kept = ("_id", "school", "year", "class_code", "grade", "state", "version", "pupil_code", "pupil_name", "created_at")
    content = {
        "school": {"level": row["level"]},
        "school_class": {"name": row["class_name"], "homeroom": f"{row['school']}001", "leader": f"{row['school']}002"},
        "pupil": {"personal_id": row["personal_id"]},
        "subject_teachers": [],
        "homeroom_name": "Trần Thị Mẫu",
        "leader_name": "Ngô Văn Mẫu",
    }
    moments = {key: row[key] for key in ("confirmed_at", "submitted_at", "decided_at")}
    return {**{k: row[k] for k in kept}, **moments, "content": content, "signatures": [], "sequence": 1}


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


async def settle() -> None:
    """Let what was written come to rest before anything is measured."""
    await asyncio.sleep(3)
