"""Units, schools and school years on the real database: dated changes, who loses and who gets rights, on API and pages."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.local import Stack
from services.identity.accounts import sessions
from services.identity.organisations import planning, spans, store
from tests.integration.identity_world import PASSWORD, SCHOOL, UNIT, YEAR, Browser, World, code, member, school_order, world_of

OTHER_UNIT = "03102"
OLD = "1998-09-05"
CHANGES = "/api/identity/organisations/changes"
PAGES = "/ui/identity/organisations"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    """Sở → two communes, an officer each, a school in the first; all of them there since long ago."""
    async with world_of(light_stack) as made:
        made.root = await made.officer()
        yield made


async def unit(world: World, number: str = UNIT, parent: str = "031", *, officer: bool = False) -> Browser | None:
    assert world.root is not None
    named = {"officer": {"code": f"{number}-cb01", "name": f"Cán bộ {number}"}} if officer else {}
    order = {"code": number, "name": f"Phường {number}", "parent": parent, "valid_from": OLD, **named}
    made = await world.root.post("/api/identity/units", order)
    if not officer:
        return None
    browser = world.browser()
    await browser.settle(made["officer"]["username"], made["officer"]["one_time_password"], "OVERSIGHT")
    return browser


async def school(world: World, number: str = SCHOOL, where: str = UNIT) -> Browser:
    assert world.root is not None
    order = school_order(number, "0231300001", unit=where, valid_from=OLD)
    made = await world.root.post("/api/identity/schools", order)
    browser = world.browser()
    await browser.settle(made["administrator"]["username"], made["administrator"]["one_time_password"])
    return browser


def root_of(world: World) -> Browser:
    assert world.root is not None
    return world.root


def change(kind: str, number: str, day: dt.date | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "code": number, "day": (day or spans.today()).isoformat(), **more}


def in_days(number: int) -> dt.date:
    return spans.today() + dt.timedelta(days=number)


async def refusal(browser: Browser, body: dict[str, Any], path: str = CHANGES) -> str:
    response = await browser.ask("POST", path, json=body)
    assert not response.is_success
    return str(response.json()["code"])


async def days_pass(world: World, change_id: str, number: int) -> None:
    """The planned change's day comes: everything about it is moved into the past, as waiting would."""
    document = await world.db["changes"].find_one({"_id": change_id})
    assert document is not None
    day = dt.date.fromisoformat(document["day"]) - dt.timedelta(days=number)
    await world.db["changes"].update_one({"_id": change_id}, {"$set": {"day": day.isoformat()}})


async def test_a_merge_of_today_passes_schools_and_named_officers_to_the_successor(world: World) -> None:
    first, second = await unit(world, UNIT, officer=True), await unit(world, OTHER_UNIT, officer=True)
    assert first is not None
    assert second is not None
    await school(world)
    done = await root_of(world).post(CHANGES, change("merge_unit", UNIT, target=OTHER_UNIT, basis="Quyết định số 12"))
    assert done["state"] == "DONE"
    assert [s["code"] for s in await second.get("/api/identity/schools")] == [SCHOOL]
    assert (await first.ask("GET", "/api/identity/schools")).status_code == 401, "signed out with the unit"
    told = [f for f in await world.facts("SchoolChangedV1") if f["code"] == SCHOOL]
    assert (told[-1]["path"], told[-1]["valid_from"]) == (["031", OTHER_UNIT], spans.today().isoformat())
    over = [f for f in await world.facts("UnitChangedV1") if f["code"] == UNIT][-1]
    assert (over["abolished_on"], over["successor"]) == (spans.today().isoformat(), OTHER_UNIT)
    assert [e["details"]["passed"] for e in await world.audit("change done")] == [[SCHOOL]]


async def test_an_officer_who_was_named_goes_over_and_the_others_lose_the_branch(world: World) -> None:
    first = await unit(world, UNIT, officer=True)
    assert first is not None
    await unit(world, OTHER_UNIT)
    await school(world)
    order = {"code": UNIT, "name": f"Phường {UNIT}", "parent": "031", "officer": {"code": f"{UNIT}-cb02", "name": "Cán bộ hai"}}
    await root_of(world).post("/api/identity/units", order)
    assert await refusal(root_of(world), change("merge_unit", UNIT, target=OTHER_UNIT, officers=["031-cb01"])) == "HB-IDN-014"
    await root_of(world).post(CHANGES, change("merge_unit", UNIT, target=OTHER_UNIT, officers=[f"{UNIT}-cb01"]))
    assert [s["code"] for s in await first.get("/api/identity/schools")] == [SCHOOL]
    people = {p["_id"]: (p["unit"], p["roles"]) async for p in world.db["people"].find({"_id": {"$regex": f"^{UNIT}-"}})}
    assert people == {f"{UNIT}-cb01": (OTHER_UNIT, ["officer"]), f"{UNIT}-cb02": (None, [])}
    again = {"code": OTHER_UNIT, "name": f"Phường {OTHER_UNIT}", "parent": "031", "officer": {"code": f"{UNIT}-cb02", "name": "Cán bộ hai"}}
    await root_of(world).post("/api/identity/units", again)
    assert (await world.db["people"].find_one({"_id": f"{UNIT}-cb02"}) or {})["roles"] == ["officer"]


async def test_the_past_tells_which_unit_was_responsible_on_a_day(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    administrator = await school(world)
    reform = dt.date(2025, 7, 1)
    await root_of(world).post(CHANGES, change("move_school", SCHOOL, reform, target=OTHER_UNIT))
    for browser in (root_of(world), administrator):
        asked = [
            await browser.get(f"/api/identity/schools/{SCHOOL}/responsible?day={day}") for day in ("2025-06-30", "2025-07-01", "1990-01-01")
        ]
        assert [found and found["path"] for found in asked] == [["031", UNIT], ["031", OTHER_UNIT], None]
    past = await administrator.get(f"/api/identity/schools/{SCHOOL}/history")
    assert [(s["parent"], s["since"], s["until"]) for s in past["spans"]] == [(UNIT, OLD, "2025-07-01"), (OTHER_UNIT, "2025-07-01", None)]


async def test_a_planned_change_takes_effect_on_its_day_and_only_once(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    await school(world)
    planned = await root_of(world).post(CHANGES, change("merge_unit", UNIT, in_days(10), target=OTHER_UNIT))
    assert planned["state"] == "PLANNED"
    assert await planning.apply_due(world.db) == 0
    assert (await root_of(world).get("/api/identity/schools"))[0]["unit"] == UNIT
    await days_pass(world, planned["id"], 10)
    assert sum(await asyncio.gather(*(planning.apply_due(world.db) for _ in range(4)))) >= 1
    while await planning.apply_due(world.db):
        pass
    assert (await root_of(world).get("/api/identity/schools"))[0]["unit"] == OTHER_UNIT
    assert len(await world.audit("change done")) == 1
    assert len([f for f in await world.facts("UnitChangedV1") if f["code"] == UNIT and f["abolished_on"]]) == 1
    assert (await world.db["changes"].find_one({"_id": planned["id"]}) or {})["state"] == store.DONE


async def test_a_planned_change_is_undone_before_its_day_and_not_after(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    await school(world)
    planned = await root_of(world).post(CHANGES, change("move_school", SCHOOL, in_days(1), target=OTHER_UNIT))
    assert [c["id"] for c in await root_of(world).get(CHANGES)] == [planned["id"]]
    undone = await root_of(world).post(f"{CHANGES}/{planned['id']}/undo")
    assert undone["state"] == "UNDONE"
    assert await refusal(root_of(world), {}, f"{CHANGES}/{planned['id']}/undo") == "HB-IDN-065"
    await days_pass(world, planned["id"], 1)
    assert await planning.apply_due(world.db) == 0
    assert (await root_of(world).get("/api/identity/schools"))[0]["unit"] == UNIT
    due = await root_of(world).post(CHANGES, change("move_school", SCHOOL, in_days(1), target=OTHER_UNIT))
    await days_pass(world, due["id"], 1)
    assert await refusal(root_of(world), {}, f"{CHANGES}/{due['id']}/undo") == "HB-IDN-065", "its day has come"


async def test_a_change_that_became_impossible_is_kept_with_its_reason_and_shown(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    await school(world)
    planned = await root_of(world).post(CHANGES, change("abolish_unit", OTHER_UNIT, in_days(5)))
    await school(world, "31300002", OTHER_UNIT)
    await days_pass(world, planned["id"], 5)
    assert await planning.apply_due(world.db) == 1
    found = (await root_of(world).get(CHANGES))[0]
    assert (found["state"], found["refused"]["code"]) == ("FAILED", "HB-IDN-064")
    home = (await root_of(world).ask("GET", "/ui/identity/")).text
    assert "Thay đổi đơn vị, trường học không thực hiện được" in home
    assert len(await world.audit("change failed")) == 1
    await root_of(world).post(f"{CHANGES}/{planned['id']}/undo")
    assert await root_of(world).get(CHANGES) == []
    assert "Thay đổi đơn vị, trường học không thực hiện được" not in (await root_of(world).ask("GET", "/ui/identity/")).text


async def test_an_order_against_what_is_planned_is_refused(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    await school(world)
    first = await root_of(world).post(CHANGES, change("merge_unit", OTHER_UNIT, in_days(10), target=UNIT))
    assert await refusal(root_of(world), change("abolish_unit", OTHER_UNIT)) == "HB-IDN-066"
    assert await refusal(root_of(world), change("move_school", SCHOOL, in_days(11), target=OTHER_UNIT)) == "HB-IDN-060"
    await root_of(world).post(f"{CHANGES}/{first['id']}/undo")
    await root_of(world).post(CHANGES, change("abolish_unit", OTHER_UNIT))


async def test_a_planned_change_that_a_later_one_needs_is_undone_after_that_one(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    await school(world)
    move = await root_of(world).post(CHANGES, change("move_school", SCHOOL, in_days(5), target=OTHER_UNIT))
    end = await root_of(world).post(CHANGES, change("abolish_unit", UNIT, in_days(6)))
    assert await refusal(root_of(world), {}, f"{CHANGES}/{move['id']}/undo") == "HB-IDN-066"
    for planned in (end, move):
        assert (await root_of(world).post(f"{CHANGES}/{planned['id']}/undo"))["state"] == "UNDONE"


async def test_nobody_changes_what_is_outside_their_branch_nor_their_own_place(world: World) -> None:
    first = await unit(world, UNIT, officer=True)
    await unit(world, OTHER_UNIT)
    await school(world)
    await school(world, "31300002", OTHER_UNIT)
    assert first is not None
    for body in (
        change("move_school", SCHOOL, target=OTHER_UNIT),
        change("move_school", "31300002", target=UNIT),
        change("rename_unit", UNIT, name="Tên khác"),
        change("merge_unit", UNIT, target=OTHER_UNIT),
        change("abolish_unit", OTHER_UNIT),
        change("close_school", SCHOOL, target="31300002"),
        change("rename_unit", "031", name="Tên khác"),
    ):
        for path in (CHANGES, f"{CHANGES}/preview"):
            assert await refusal(first, body, path) == "HB-ACC-403"
    planned = await root_of(world).post(CHANGES, change("move_school", "31300002", in_days(3), target=UNIT))
    assert await refusal(first, {}, f"{CHANGES}/{planned['id']}/undo") == "HB-ACC-403"
    await first.post(CHANGES, change("rename_school", SCHOOL, name="Trường Tiểu học mới"))
    await root_of(world).post(CHANGES, change("rename_unit", "031", name="Sở mới"))


async def test_a_preview_tells_what_would_change_and_changes_nothing(world: World) -> None:
    await unit(world, UNIT, officer=True)
    await unit(world, OTHER_UNIT)
    await unit(world, "0310101", UNIT)
    await school(world)
    before = await world.db["outbox"].count_documents({})
    body = change("merge_unit", UNIT, target=OTHER_UNIT, officers=[f"{UNIT}-cb01"])
    assert await root_of(world).post(f"{CHANGES}/preview", body) == {
        "units": ["0310101"],
        "schools": [SCHOOL],
        "officers_moved": [f"{UNIT}-cb01"],
        "officers_released": [],
        "at_once": True,
    }
    assert await world.db["outbox"].count_documents({}) == before
    assert await world.db["changes"].count_documents({}) == 0


async def test_two_officers_at_once_cannot_order_what_contradicts_itself(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    bodies = [change("merge_unit", UNIT, target=OTHER_UNIT), change("merge_unit", OTHER_UNIT, target=UNIT)]
    answers = await asyncio.gather(*(root_of(world).ask("POST", CHANGES, json=body) for body in bodies))
    assert sorted(a.is_success for a in answers) == [False, True]
    ended = await world.db["units"].count_documents({"ended_on": {"$exists": True}})
    assert ended == 1


async def test_a_closed_school_takes_no_import_and_opens_no_year(world: World) -> None:
    await unit(world)
    administrator = await school(world)
    await school(world, "31300002")
    await root_of(world).post(CHANGES, change("close_school", SCHOOL, target="31300002"))
    await world.import_staff([member(1, "Hiệu trưởng")])
    assert await world.db["people"].find_one({"_id": code(1)}) is None
    assert await refusal(administrator, {"year": YEAR}, f"/api/identity/schools/{SCHOOL}/years") == "HB-IDN-060"
    assert await refusal(root_of(world), change("rename_school", SCHOOL, name="Tên khác")) == "HB-IDN-060"
    assert (await administrator.get("/api/identity/schools"))[0]["closed_on"] == spans.today().isoformat()


async def test_a_school_has_several_administrators_and_each_may_lose_the_right_with_a_reason(world: World) -> None:
    await unit(world)
    first = await school(world)
    named = {"code": code(9), "name": "Lê Thị Chín"}
    made = await root_of(world).post(f"/api/identity/schools/{SCHOOL}/administrators", named)
    second = world.browser()
    await second.settle(made["username"], made["one_time_password"])
    path = f"/api/identity/schools/{SCHOOL}/administrators/{code(3)}/take"
    assert await refusal(root_of(world), {"reason": "  "}, path) == "HB-IDN-029"
    assert (await root_of(world).ask("POST", path, json={"reason": "Chuyển công tác"})).status_code == 204
    await world.import_staff([member(3, administrator=True), member(9)])
    assert (await first.ask("GET", f"/api/identity/schools/{SCHOOL}/years")).status_code == 403, "an import does not give it back"
    assert [y["year"] for y in await second.get(f"/api/identity/schools/{SCHOOL}/years")] == [YEAR]
    assert await refusal(second, {"reason": "x"}, f"/api/identity/schools/{SCHOOL}/administrators/{code(9)}/take") == "HB-ACC-403"
    assert [e["details"]["reason"] for e in await world.audit("administrator taken")] == ["Chuyển công tác"]
    await root_of(world).post("/api/identity/schools", school_order(valid_from=None))
    assert (await first.ask("GET", f"/api/identity/schools/{SCHOOL}/years")).is_success, "named again"


async def test_exactly_one_school_year_is_open_whoever_opens_it(world: World) -> None:
    await unit(world)
    administrator = await school(world)
    years = f"/api/identity/schools/{SCHOOL}/years"
    await world.import_staff([member(1, "Hiệu trưởng")])
    opened = await administrator.post(years, {"year": "2026-2027"})
    assert [(y["year"], y["open"]) for y in opened] == [("2026-2027", True), (YEAR, False)]
    assert await refusal(administrator, {"year": YEAR}, years) == "HB-IDN-029"
    assert await refusal(administrator, {"year": "2028-2029"}, years) == "HB-IDN-067"
    again = await root_of(world).post(years, {"year": YEAR, "reason": "Đính chính học bạ"})
    assert [(y["year"], y["open"]) for y in again] == [("2026-2027", False), (YEAR, True)]
    await world.import_staff([member(1, "Hiệu trưởng")], year="2026-2027")
    assert (await administrator.get("/api/identity/schools"))[0]["year"] == "2026-2027"
    found = {y["year"]: y["open"] for y in await administrator.get(years)}
    assert found == {"2026-2027": True, YEAR: False}
    assert [e["details"]["reason"] for e in await world.audit("school year opened")].count("Đính chính học bạ") == 1


async def test_the_deadline_of_the_open_year_stands_on_the_home_page(world: World) -> None:
    await unit(world)
    administrator = await school(world)
    await world.import_staff([member(1, "Hiệu trưởng")])
    home = (await administrator.ask("GET", "/ui/identity/")).text
    assert "Hạn toàn quốc hoàn thành học bạ số: 20/08/2026" in home
    dates = {"starts_on": "2025-09-05", "ends_on": "2026-05-31", "deadline": "2026-06-30"}
    path = f"/api/identity/schools/{SCHOOL}/years/{YEAR}/dates"
    told = (await administrator.ask("PUT", path, json=dates)).json()
    assert (told["deadline"], told["national_deadline"]) == ("2026-06-30", "2026-08-20")
    home = (await administrator.ask("GET", "/ui/identity/")).text
    assert "Hạn hoàn thành học bạ của nhà trường (hạn toàn quốc 20/08/2026): 30/06/2026" in home
    late = await administrator.ask("PUT", path, json={**dates, "deadline": "2026-08-21"})
    assert late.json()["code"] == "HB-IDN-068"


# pages


async def csrf(browser: Browser) -> str:
    return sessions.csrf_of(browser.client.cookies[sessions.COOKIE])


async def send(browser: Browser, path: str, fields: dict[str, Any]) -> Any:
    return await browser.ask("POST", path, data={"csrf": await csrf(browser), **fields})


async def test_an_officer_makes_a_unit_and_a_school_on_pages_and_sees_the_password_once(world: World) -> None:
    root = root_of(world)
    made = await send(root, f"{PAGES}/units", {"code": UNIT, "name": "Phường An Hải", "parent": "031", "valid_from": OLD})
    assert (made.status_code, made.headers["location"].split("?")[0]) == (303, f"{PAGES}/units/{UNIT}")
    fields = {
        "code": SCHOOL,
        "name": "Trường TH và THCS An Hồng",
        "unit": UNIT,
        "tax_code": "0231300001",
        "valid_from": OLD,
        "levels": ["TH", "THCS"],
        "person_code": code(3),
        "person_name": "Ngô Công Hoàng",
        "personal_id": "",
    }
    page = await send(root, f"{PAGES}/schools", fields)
    assert page.status_code == 200
    found = re.search(r"Mật khẩu dùng một lần</dt>\s*<dd[^>]*>([^<]+)<", page.text)
    assert found is not None
    administrator = world.browser()
    await administrator.settle(code(3), found[1], "THCS")
    again = await send(root, f"{PAGES}/schools", fields)
    assert again.status_code == 422
    assert f"Mã {SCHOOL} đã thuộc về" in again.text
    tree = (await root.ask("GET", PAGES)).text
    assert "Trường TH và THCS An Hồng" in tree
    assert "Tiểu học, THCS" in tree
    own = (await administrator.ask("GET", "/ui/identity/own-school")).text
    assert "Sở Giáo dục và Đào tạo › Phường An Hải" in own
    assert (await administrator.ask("GET", PAGES)).status_code == 403


async def test_missing_fields_are_named_at_the_form_and_nothing_is_made(world: World) -> None:
    page = await send(root_of(world), f"{PAGES}/schools", {"code": "có dấu", "unit": "", "valid_from": "hôm nay"})
    assert page.status_code == 422
    for words in (
        "Nhập mã gồm chữ không dấu",
        "Nhập tên",
        "Chọn đơn vị quản lý",
        "Chọn ít nhất một cấp học",
        "Nhập mã số thuế",
        "Nhập họ và tên",
    ):
        assert words in page.text
    assert await world.db["schools"].count_documents({}) == 0
    assert (await root_of(world).ask("POST", f"{PAGES}/schools", data={"csrf": "wrong"})).status_code == 403


async def test_a_merge_on_pages_shows_what_will_change_before_it_does(world: World) -> None:
    await unit(world, UNIT, officer=True)
    await unit(world, OTHER_UNIT)
    await school(world)
    root = root_of(world)
    form = (await root.ask("GET", f"{PAGES}/change?kind=merge_unit&code={UNIT}")).text
    assert f"Phường {OTHER_UNIT} ({OTHER_UNIT})" in form
    assert "Cán bộ không được chọn không còn quyền" in form
    fields = {"kind": "merge_unit", "code": UNIT, "target": OTHER_UNIT, "day": in_days(2).isoformat(), "officers": [f"{UNIT}-cb01"]}
    wrong = await send(root, f"{PAGES}/change/preview", {**fields, "day": "1990-01-01"})
    assert wrong.status_code == 422
    assert "sớm hơn ngày" in wrong.text
    below = await send(root, f"{PAGES}/change/preview", {**fields, "target": UNIT})
    assert 'href="#target"' in below.text
    assert f"{UNIT} chính là {UNIT} hoặc thuộc {UNIT}." in below.text
    empty = await send(root, f"{PAGES}/change/preview", {**fields, "kind": "abolish_unit", "target": "", "officers": []})
    assert "còn 0 đơn vị và 1 trường đang hoạt động" in empty.text
    assert 'href="#target"' not in empty.text
    preview = (await send(root, f"{PAGES}/change/preview", fields)).text
    assert re.search(r"Trường chuyển theo</dt>\s*<dd[^>]*>1<", preview)
    assert f"Cán bộ {UNIT}" in preview
    assert await world.db["changes"].count_documents({}) == 0
    done = await send(root, f"{PAGES}/change", fields)
    assert done.status_code == 303
    shown = (await root.ask("GET", done.headers["location"])).text
    assert "Thay đổi đã được lên kế hoạch" in shown
    undo = re.search(rf'action="({PAGES}/changes/[0-9a-f-]+/undo)"', shown)
    assert undo is not None
    assert (await send(root, undo[1], {})).status_code == 303
    assert (await world.db["changes"].find_one({}) or {})["state"] == store.UNDONE
    assert "Không có thay đổi nào đang chờ." in (await root.ask("GET", f"{PAGES}/changes")).text


async def test_a_school_changes_hands_on_pages_and_its_past_is_shown(world: World) -> None:
    await unit(world)
    await unit(world, OTHER_UNIT)
    administrator = await school(world)
    root = root_of(world)
    moved = {"kind": "move_school", "code": SCHOOL, "target": OTHER_UNIT, "day": "2025-07-01"}
    assert (await send(root, f"{PAGES}/change", moved)).status_code == 303
    page = (await root.ask("GET", f"{PAGES}/schools/{SCHOOL}")).text
    assert "30/06/2025" in page
    assert "01/07/2025" in page
    assert (await send(root, f"{PAGES}/schools/{SCHOOL}/edit", {"levels": ["TH", "THCS"], "tax_code": "0231300009"})).status_code == 303
    assert (await root.get("/api/identity/schools"))[0]["levels"] == ["TH", "THCS"]
    taking = f"{PAGES}/schools/{SCHOOL}/administrators/{code(3)}"
    assert "Thu hồi quyền quản trị viên của Ngô Công Hoàng" in (await root.ask("GET", taking)).text
    assert (await send(root, taking, {"reason": ""})).status_code == 422
    assert (await send(root, taking, {"reason": "Chuyển công tác"})).status_code == 303
    assert (await administrator.ask("GET", "/ui/identity/own-school")).status_code == 403


async def test_the_administrator_opens_the_next_year_and_sets_its_dates_on_pages(world: World) -> None:
    await unit(world)
    administrator = await school(world)
    await world.import_staff([member(1, "Hiệu trưởng")])
    opening = f"/ui/identity/school-years/{SCHOOL}"
    assert "Năm học 2025-2026 sẽ đóng." in (await administrator.ask("GET", f"{opening}/2026-2027/open")).text
    assert (
        (await send(administrator, f"{opening}/2026-2027/open", {}))
        .headers["location"]
        .startswith("/ui/identity/own-school?did=opened&n=1")
    )
    without = await send(administrator, f"{opening}/{YEAR}/open", {})
    assert without.status_code == 422
    assert "Lý do mở lại" in without.text
    dates = {"starts_on": "2026-09-07", "ends_on": "2027-05-29", "deadline": "2027-06-15"}
    assert (await send(administrator, f"{opening}/2026-2027/dates", {**dates, "ends_on": "2025-01-01"})).status_code == 422
    assert (await send(administrator, f"{opening}/2026-2027/dates", dates)).status_code == 303
    own = (await administrator.ask("GET", "/ui/identity/own-school")).text
    for words in ("07/09/2026", "29/05/2027", "15/06/2027", "20/08/2027"):
        assert words in own


async def test_somebody_whose_unit_is_gone_can_no_longer_sign_in(world: World) -> None:
    first = await unit(world, UNIT, officer=True)
    assert first is not None
    await root_of(world).post(CHANGES, change("abolish_unit", UNIT))
    answer = await world.browser().sign_in(f"{UNIT}-cb01", PASSWORD, "OVERSIGHT")
    assert answer.json()["code"] == "HB-IDN-003"
