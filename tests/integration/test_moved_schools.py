"""A school that comes to another unit: district and records follow, whatever arrives first."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest

from contracts.event import Event, Fact
from contracts.events.identity import CertificateRequestedV1, SchoolChangedV1, UnitChangedV1
from contracts.events.records import ClassImportedV1
from infra.local import Stack
from infra.stack.processes import service_environment
from services.chassis.kafka import Consumer
from services.chassis.mongo import Database, Session, connect, transaction
from services.chassis.settings import Settings
from services.district import handlers as district_handlers
from services.district import statistics
from services.district.store import Store as DistrictStore
from services.district.store import ensure_indexes as district_indexes
from services.records import handlers as records_handlers
from services.records.store import Store as RecordsStore
from services.records.store import ensure_indexes as records_indexes

SCHOOL, YEAR = "31300001", "2025-2026"
OLD, NEW = ("031", "03101"), ("031", "03102")
F = TypeVar("F", bound=Fact)


def settings_of(light_stack: Stack, service: str) -> Settings:
    environment = service_environment(light_stack.instance, service)
    return Settings.model_validate({key.removeprefix("HOCBA_").lower(): value for key, value in environment.items()})


async def emptied(db: Database) -> Database:
    for name in await db.list_collection_names():
        await db[name].delete_many({})
    return db


@pytest.fixture
async def district(light_stack: Stack) -> AsyncIterator[DistrictStore]:
    async with connect(settings_of(light_stack, "district"), "district") as db:
        await district_indexes(await emptied(db))
        yield DistrictStore(db)


@pytest.fixture
async def records(light_stack: Stack) -> AsyncIterator[RecordsStore]:
    async with connect(settings_of(light_stack, "records"), "records") as db:
        await records_indexes(await emptied(db))
        yield RecordsStore(db)


def event_of(fact: F, subject: str, sequence: int) -> Event[F]:
    moment = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    return Event[Any](type=type(fact).__name__, subject=subject, sequence=sequence, occurred_at=moment, actor="test", data=fact)


async def tell(db: Database, consumers: list[Consumer], *events: Event[Any]) -> None:
    for event in events:
        _, handler = next(c.handlers[event.type] for c in consumers if event.type in c.handlers)

        async def work(session: Session, event: Event[Any] = event, handler: Any = handler) -> None:
            await handler(session, [event])

        await transaction(db, work)


def school(path: tuple[str, ...], sequence: int, **more: Any) -> Event[SchoolChangedV1]:
    fact = SchoolChangedV1(code=SCHOOL, name="Trường Tiểu học An Hồng", levels=("TH",), tax_code="0231300001", path=path, **more)
    return event_of(fact, SCHOOL, sequence)


def request(number: int, path: tuple[str, ...] = OLD) -> Event[CertificateRequestedV1]:
    fact = CertificateRequestedV1(
        kind="school",
        school=SCHOOL,
        school_name="Trường Tiểu học An Hồng",
        path=path,
        person=f"{SCHOOL}003",
        person_name="Ngô Công Hoàng",
        certificate_subject="Trường Tiểu học An Hồng",
        certificate_issuer="CA công cộng thử nghiệm",
        certificate_serial=f"5401020304050607080{number}",
        valid_from=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        valid_to=dt.datetime(2029, 1, 1, tzinfo=dt.UTC),
    )
    return event_of(fact, f"r{number}", 1)


def units() -> list[Event[UnitChangedV1]]:
    return [event_of(UnitChangedV1(code=path[-1], name=f"Phường {path[-1]}", path=path), path[-1], 1) for path in (OLD, NEW)]


async def requests_of(store: DistrictStore, unit: str) -> list[str]:
    return sorted([r["_id"] async for r in store.db["certificates"].find({"path": unit})])


async def test_schools_numbers_and_requests_go_to_the_unit_that_takes_them_over(district: DistrictStore) -> None:
    consumers = district_handlers.consumers(district)
    imported = ClassImportedV1(school=SCHOOL, year=YEAR, code="1A", name="1A", grade=1, pupils=32, refused=0)
    await tell(district.db, consumers, *units(), school(OLD, 1), event_of(imported, f"{SCHOOL}:{YEAR}:1A", 1), request(1), request(2))
    assert await requests_of(district, "03101") == ["r1", "r2"]
    merged = UnitChangedV1(
        code="03101", name="Phường 03101", path=OLD, valid_from=dt.date(2020, 1, 1), abolished_on=dt.date(2025, 7, 1), successor="03102"
    )
    await tell(district.db, consumers, event_of(merged, "03101", 2), school(NEW, 2, valid_from=dt.date(2025, 7, 1)))
    assert [s["_id"] for s in await district.own_schools("03101")] == []
    assert [s["_id"] for s in await district.own_schools("03102")] == [SCHOOL]
    assert (await requests_of(district, "03101"), await requests_of(district, "03102")) == ([], ["r1", "r2"])
    assert await district.years("03102") == [YEAR]
    rows = statistics.by_school(await district.own_schools("03102"), (await district.counts([SCHOOL], YEAR))[0], {})
    assert [(r["unit"], r["pupils"]) for r in rows] == [("03102", 32)]


async def test_a_request_made_before_the_move_and_told_after_it_is_seen_by_the_new_unit(district: DistrictStore) -> None:
    consumers = district_handlers.consumers(district)
    await tell(district.db, consumers, *units(), school(OLD, 1), school(NEW, 2), request(1, OLD))
    assert (await requests_of(district, "03101"), await requests_of(district, "03102")) == ([], ["r1"])


async def test_a_school_does_not_go_back_when_an_older_event_comes_late(district: DistrictStore, records: RecordsStore) -> None:
    consumers = district_handlers.consumers(district)
    await tell(district.db, consumers, school(NEW, 2), request(1, NEW), school(OLD, 1))
    assert [s["_id"] for s in await district.own_schools("03102")] == [SCHOOL]
    assert await requests_of(district, "03102") == ["r1"]
    await tell(records.db, records_handlers.consumers(records), school(NEW, 2), school(OLD, 1))
    assert (await records.db["schools"].find_one({"_id": SCHOOL}) or {})["path"] == list(NEW)


async def test_records_knows_a_school_by_its_new_unit_and_name(records: RecordsStore) -> None:
    consumers = records_handlers.consumers(records)
    await tell(records.db, consumers, school(OLD, 1), school(NEW, 2, valid_from=dt.date(2025, 7, 1)))
    assert (await records.db["schools"].find_one({"_id": SCHOOL}) or {})["path"] == list(NEW)
