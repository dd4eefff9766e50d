"""Menu 6.2 on a real database: dates in bulk and for one school, previews, history, and what is told of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.events.identity import SchoolChangedV1, UnitChangedV1
from contracts.events.records import ClassImportedV1
from infra.local import Stack
from services.chassis import clock
from tests.integration.pages_world import ADMINISTRATOR, OFFICER, UNIT, World, world_of
from tests.integration.test_district_certificates import tell

PAGE, API, YEAR = "/ui/district/lock-dates", "/api/district/lock-dates", "2025-2026"
PATH = ("031", UNIT)
SCHOOLS = ("31300001", "31300002")


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        await tell(made, UnitChangedV1(code=UNIT, name="Phường An Hải", path=PATH), UNIT)
        for code, name, level in zip(SCHOOLS, ("Trường Tiểu học An Hồng", "Trường THCS Bình Minh"), ("TH", "THCS"), strict=True):
            await tell(made, SchoolChangedV1(code=code, name=name, levels=(level,), tax_code="1", path=PATH), code)
        other = SchoolChangedV1(code="31300009", name="Trường Khác", levels=("TH",), tax_code="1", path=("031", "03102"))
        await tell(made, other, "31300009")
        a_class = ClassImportedV1(school=SCHOOLS[0], year=YEAR, code="5A", name="5A", grade=5, pupils=32, refused=0)
        await tell(made, a_class, "c-1")
        yield made


async def told(world: World) -> list[dict[str, Any]]:
    found = await world.db("district")["outbox"].find({"topic": "district.windows"}).sort([("at", 1), ("sequence", 1)]).to_list(None)
    return [json.loads(d["body"]) for d in found]


def bulk(*more: tuple[str, str], act: str = "intake") -> list[tuple[str, str]]:
    return [("year", YEAR), ("act", act), *more]


async def test_a_common_date_is_previewed_written_down_told_and_listed(world: World) -> None:
    browser = world.browser(OFFICER)
    asked = await browser.send(PAGE, bulk(("scope", "common")))
    assert "Cấu hình khóa tiếp nhận" in asked.text
    assert "Tất cả trường của đơn vị (ngày chung)" in asked.text
    order = bulk(("scope", "common"), ("grades", ""), ("on", "2026-06-30"))
    seen = await browser.send(PAGE, [*order, ("step", "preview")])
    assert "Trường Tiểu học An Hồng – Khối 1–5, khóa tiếp nhận: – → 30/06/2026 (32 học bạ chưa được tiếp nhận)" in seen.text
    assert await told(world) == []
    assert (await browser.send(PAGE, [*order, ("step", "write")])).status == 303
    (event,) = await told(world)
    assert event["subject"] == f"{UNIT}:{YEAR}:common"
    assert event["data"]["dates"] == [{"matter": "intake", "grade": None, "on": "2026-06-30"}]
    page = await browser.get(f"{PAGE}?year={YEAR}")
    assert "Mọi khối: 30/06/2026" in page.text
    assert "20/08/2026" in page.text
    history = await browser.get(f"{PAGE}/history?year={YEAR}")
    for words in (OFFICER.name, "Tất cả trường", "Khóa tiếp nhận", "30/06/2026"):
        assert words in history.text


async def test_ticked_schools_get_dates_for_ticked_grades_and_missing_ones_are_asked_for(world: World) -> None:
    browser = world.browser(OFFICER)
    chosen = bulk(("scope", "schools"), ("ids", SCHOOLS[0]), ("ids", SCHOOLS[1]), act="withdrawal")
    wrong = await browser.send(PAGE, [*chosen, ("step", "preview")])
    assert wrong.status == 422
    assert "Chưa chọn khối học." in wrong.text
    order = [*chosen, ("grades", "5"), ("grades", "9"), ("on", "2026-07-15"), ("step", "write")]
    assert (await browser.send(PAGE, order)).status == 303
    assert {(e["subject"], len(e["data"]["dates"])) for e in await told(world)} == {(f"{UNIT}:{YEAR}:{s}", 2) for s in SCHOOLS}
    listed = (await browser.get(f"{API}?year={YEAR}")).response.json()
    grades = {(s["school"], g["grade"]): g["withdrawal"] for s in listed["schools"] for g in s["grades"]}
    assert grades[SCHOOLS[0], 5] == {"on": "2026-07-15", "set_by": UNIT}
    assert grades[SCHOOLS[0], 4] is None


async def test_one_schools_dates_are_set_grade_by_grade_and_taken_away_again(world: World) -> None:
    browser = world.browser(OFFICER)
    where = f"{PAGE}/{SCHOOLS[0]}"
    order = [("year", YEAR), ("intake-1", "2026-06-15"), ("intake-2", ""), ("withdrawal-1", "2026-07-01")]
    seen = await browser.send(where, order)
    assert "Khối 1, khóa tiếp nhận: – → 15/06/2026" in seen.text
    assert (await browser.send(where, [*order, ("step", "write")])).status == 303
    assert 'value="2026-06-15"' in (await browser.get(f"{where}?year={YEAR}")).response.text
    await browser.send(where, [("year", YEAR), ("step", "write")])
    assert [len(e["data"]["dates"]) for e in await told(world)] == [2, 0]
    assert await world.db("district")["lock_history"].count_documents({"after": None}) == 2
    acts = await world.db("district")["audit"].find({"act": "lock dates set"}).to_list(None)
    assert {a["details"]["kind"] for a in acts} == {"intake", "withdrawal"}


async def test_a_day_that_has_passed_is_named_as_closing_at_once(world: World) -> None:
    yesterday = clock.in_vietnam(clock.now()).date() - dt.timedelta(days=1)
    year = f"{yesterday.year}-{yesterday.year + 1}"
    order = [("year", year), ("act", "intake"), ("scope", "common"), ("grades", ""), ("on", yesterday.isoformat()), ("step", "preview")]
    assert "bị khóa ngay khi ghi" in (await world.browser(OFFICER).send(PAGE, order)).text


async def test_a_school_outside_the_branch_and_people_of_schools_are_refused(world: World) -> None:
    order = bulk(("scope", "schools"), ("ids", "31300009"), ("grades", ""), ("on", "2026-06-30"), ("step", "write"))
    assert (await world.browser(OFFICER).send(PAGE, order)).status == 404
    assert (await world.browser(OFFICER).get(f"{PAGE}/31300009")).status == 403
    assert (await world.browser(ADMINISTRATOR).get(PAGE)).status == 403
    assert await told(world) == []
