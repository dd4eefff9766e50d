"""500 people who sign in within one minute: how long they wait, beside the bare password check under the same arrivals.

Each is a browser of its own: a new TLS connection, the page, the form. The people and their one-time passwords are made beforehand,
and not counted. The peer is argon2-cffi alone with the same parameters and the same moments of arrival.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import ssl
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from argon2 import PasswordHasher, Type

from contracts.event import Event
from contracts.events.records import StaffImportedV1, StaffMember
from infra.bench.cost import between, cpu_seconds
from infra.bench.figures import Figure, Options
from infra.demo.people import Person
from infra.local import down, load, up_detached
from infra.stack.instance import Instance, write_json
from infra.stack.processes import service_environment
from services.chassis.mongo import connect, transaction
from services.chassis.settings import Settings
from services.identity.bootstrap import bootstrap
from services.identity.organisations.handlers import take_staff
from services.identity.organisations.places import Named

PEOPLE = 500
WITHIN_SECONDS = 60.0
PROCESSES = ("identity-web", "identity-worker", "records-web", "signing-web", "publishing-web", "district-web", "gateway")
SCHOOL, UNIT, YEAR = "31300072", "072", "2025-2026"
SIGN_IN = "/ui/identity/sign-in"
SEED = 20260822


class Failed(RuntimeError):
    """Somebody who should get in did not."""


@dataclass(frozen=True)
class Waits:
    """Seconds, of everybody."""

    page: list[float]
    form: list[float]


def signin(options: Options) -> Figure:
    """Starts the instance anew and stops it. Raises Failed when anybody does not get in."""
    moments = random.Random(SEED)  # noqa: S311 - moments of arrival, no secrets
    arrivals = sorted(moments.uniform(0, WITHIN_SECONDS) for _ in range(PEOPLE))
    down(options.instance)
    info = up_detached(options.instance, only=PROCESSES, fresh=True)
    try:
        people = asyncio.run(_enrolled(info))
        pids = load(options.instance)["pids"]
        before = cpu_seconds(pids)
        waits = asyncio.run(_all_sign_in(info, people, arrivals))
        cost = between(before, cpu_seconds(pids))
    finally:
        down(options.instance)
    bare = asyncio.run(_bare_checks(arrivals))
    p95, peer = _p95(waits.form), _p95(bare)
    detail = {
        "people": PEOPLE,
        "within_seconds": WITHIN_SECONDS,
        "form_seconds": {"median": statistics.median(waits.form), "p95": p95, "longest": max(waits.form)},
        "page_seconds": {"median": statistics.median(waits.page), "p95": _p95(waits.page), "longest": max(waits.page)},
        "cpu_seconds": {name: round(seconds, 1) for name, seconds in sorted(cost.items()) if seconds >= 0.1},
    }
    folder = options.out / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "signin.json", detail)
    return Figure(
        name="signin",
        value=round(p95, 3),
        unit=f"seconds, 95th percentile of {PEOPLE} people signing in within {WITHIN_SECONDS:g} s",
        peer="argon2-cffi alone, same parameters and arrivals",
        peer_value=round(peer, 3),
        ratio=round(p95 / peer, 2),
        command="make bench NAMES=signin",
    )


async def _enrolled(info: dict[str, Any]) -> list[tuple[str, str]]:
    """User name and one-time password of everybody, as the administrator gets them."""
    environment = service_environment(Instance(info["instance"], info["ports"]), "identity")
    settings = Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})
    trust = ssl.create_default_context(cafile=info["ca_file"])

    def person(username: str, version: str, password: str) -> Person:
        return Person.make(info["public_url"], trust, username=username, name="", version=version, one_time_password=password)

    made = await bootstrap(settings, UNIT, "Sở GD&ĐT", Named(f"{UNIT}-cb01", "Cán bộ cấp Sở"), reset=True)
    officer = person(f"{UNIT}-cb01", "OVERSIGHT", made["one_time_password"] or "")
    await officer.first_sign_in()
    administrator = {"code": f"{SCHOOL}000", "name": "Quản trị viên", "personal_id": "031190000000"}
    order = {"code": SCHOOL, "name": "Trường đo kiểm", "levels": ["THCS"], "tax_code": "0231300072", "unit": UNIT}
    school = await officer.post("/api/identity/schools", {**order, "administrator": administrator})
    admin = person(administrator["code"], "THCS", school["administrator"]["one_time_password"])
    await admin.first_sign_in()
    async with connect(settings, "identity") as db:
        await transaction(db, lambda session: take_staff(db, session, _staff()))
    given = await admin.post(f"/api/identity/schools/{SCHOOL}/credentials")
    return [(one["username"], one["one_time_password"]) for one in given if one["one_time_password"]][:PEOPLE]


def _staff() -> Event[StaffImportedV1]:
    members = tuple(
        StaffMember(
            code=f"{SCHOOL}{number:03d}",
            name=f"Nguyễn Văn {number}",
            personal_id=f"031190{number:06d}",
            position="Giáo viên",
            administrator=False,
            issuer=False,
            teaches=True,
            homeroom_of=(),
        )
        for number in range(1, PEOPLE + 1)
    )
    fact = StaffImportedV1(school=SCHOOL, year=YEAR, staff=members)
    now = dt.datetime.now(dt.UTC)
    return Event[StaffImportedV1](type="StaffImportedV1", subject=f"{SCHOOL}:{YEAR}", sequence=1, occurred_at=now, actor="bench", data=fact)


async def _all_sign_in(info: dict[str, Any], people: list[tuple[str, str]], arrivals: list[float]) -> Waits:
    if len(people) != PEOPLE:
        raise Failed(f"{len(people)} of {PEOPLE} people have a password")
    trust = ssl.create_default_context(cafile=info["ca_file"])
    started = time.perf_counter()

    async def one(username: str, password: str, arrival: float) -> tuple[float, float]:
        await asyncio.sleep(max(0.0, started + arrival - time.perf_counter()))
        async with httpx.AsyncClient(base_url=info["public_url"], verify=trust, timeout=60) as browser:
            began = time.perf_counter()
            page = await browser.get(SIGN_IN)
            shown = time.perf_counter()
            form = {"version": "THCS", "username": username, "password": password}
            answer = await browser.post(SIGN_IN, data=form, headers={"Origin": info["public_url"], "Sec-Fetch-Site": "same-origin"})
            done = time.perf_counter()
        if page.status_code != httpx.codes.OK or answer.status_code != httpx.codes.SEE_OTHER:
            raise Failed(f"the page answered {page.status_code}, the form {answer.status_code}")
        return shown - began, done - shown

    waits = await asyncio.gather(*(one(*who, arrival) for who, arrival in zip(people, arrivals, strict=True)))
    return Waits([page for page, _ in waits], [form for _, form in waits])


async def _bare_checks(arrivals: list[float]) -> list[float]:
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
    kept = hasher.hash("một cụm từ dài")
    threads = ThreadPoolExecutor(2)
    started = time.perf_counter()

    async def one(arrival: float) -> float:
        await asyncio.sleep(max(0.0, started + arrival - time.perf_counter()))
        began = time.perf_counter()
        await asyncio.get_running_loop().run_in_executor(threads, hasher.verify, kept, "một cụm từ dài")
        return time.perf_counter() - began

    return await asyncio.gather(*(one(arrival) for arrival in arrivals))


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[94]
