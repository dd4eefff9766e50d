"""Who gets in: organisations, accounts, passwords, sessions and what the gateway is told of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import httpx
import pytest

from contracts.access import Role
from infra.local import Stack
from services.chassis.access import TokenVerifier
from services.identity.bootstrap import bootstrap
from services.identity.organisations.places import Named
from tests.integration.identity_world import (
    PASSWORD,
    SCHOOL,
    STAFF,
    UNIT,
    World,
    code,
    member,
    school_order,
    world_of,
)

SIGN_IN = "/api/identity/sessions"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


async def test_the_bootstrap_may_be_repeated_and_gives_a_new_password_only_when_asked(world: World) -> None:
    async def run(*, reset: bool) -> str | None:
        made = await bootstrap(world.settings, "031", "Sở", Named("031-cb01", "Trần Thị Sở"), reset=reset)
        return made["one_time_password"]

    first, second, third = await run(reset=False), await run(reset=False), await run(reset=True)
    assert first is not None
    assert second is None
    assert third not in (None, first)
    assert (await world.browser().sign_in("031-cb01", first, "OVERSIGHT")).status_code == 401
    assert (await world.browser().sign_in("031-cb01", third, "OVERSIGHT")).status_code == 200
    assert [f["path"] for f in await world.facts("UnitChangedV1")] == [["031"]]


async def test_a_school_is_told_to_others_with_the_path_of_its_units(world: World) -> None:
    administrator = await world.administrator()
    assert world.root is not None
    again = await world.root.post("/api/identity/schools", school_order(name="Trường Tiểu học An Hồng"))
    assert again["administrator"]["one_time_password"] is None
    facts = await world.facts("SchoolChangedV1")
    assert [f["name"] for f in facts] == [f"Trường Tiểu học {SCHOOL}", "Trường Tiểu học An Hồng"]
    assert facts[-1]["path"] == ["031", UNIT]
    assert [s["code"] for s in await administrator.get("/api/identity/schools")] == [SCHOOL]


async def test_staff_may_not_make_schools(world: World) -> None:
    administrator = await world.administrator()
    answer = await administrator.ask("POST", "/api/identity/schools", json=school_order("31300002"))
    assert answer.status_code == 403
    assert answer.json()["code"] == "HB-ACC-403"


async def test_a_one_time_password_forces_a_change(world: World) -> None:
    made = await bootstrap(world.settings, "031", "Sở", Named("031-cb01", "Trần Thị Sở"), reset=False)
    one_time = made["one_time_password"] or ""
    browser = world.browser()
    answer = await browser.sign_in("031-cb01", one_time, "OVERSIGHT")
    assert answer.json()["must_change_password"] is True
    assert "X-Internal-Token" not in (await browser.client.get("/internal/session")).headers
    assert (await browser.ask("GET", "/api/identity/schools")).status_code == 401
    page = await browser.ask("GET", "/ui/identity/")
    assert (page.status_code, page.headers["Location"]) == (303, "/ui/identity/password")

    async def change(new: str) -> int:
        return (await browser.ask("POST", "/api/identity/password", json={"old": one_time, "new": new})).status_code

    assert await change("ngắn") == 422
    assert await change(one_time) == 422
    before = browser.client.cookies["__Host-hocba"]
    assert await change(PASSWORD) == 200
    assert browser.client.cookies["__Host-hocba"] != before
    assert (await browser.ask("GET", "/api/identity/schools")).status_code == 200
    stolen = world.browser()
    stolen.client.cookies.set("__Host-hocba", before)
    assert (await stolen.ask("GET", "/api/identity/me")).status_code == 401


async def test_an_unknown_user_is_answered_like_a_known_one(world: World) -> None:
    await world.administrator()
    known = [await world.browser().sign_in(code(3), "sai mật khẩu") for _ in range(11)]
    slowed, world.waits = world.waits, []
    unknown = [await world.browser().sign_in("khong-co-ai", "sai mật khẩu") for _ in range(11)]

    def seen(answer: httpx.Response) -> tuple[int, dict[str, object], list[str]]:
        body = {key: value for key, value in answer.json().items() if key != "request_id"}
        return answer.status_code, body, sorted(answer.headers)

    assert [seen(a) for a in known] == [seen(a) for a in unknown]
    assert slowed == world.waits
    assert [w > 0 for w in slowed] == [False] * 4 + [True] * 6


async def test_ten_failures_lock_the_account_for_fifteen_minutes(world: World) -> None:
    await world.administrator()
    for _ in range(10):
        assert (await world.browser().sign_in(code(3), "sai mật khẩu")).json()["code"] == "HB-IDN-001"
    locked = await world.browser().sign_in(code(3), PASSWORD)
    assert (locked.status_code, locked.json()["code"]) == (429, "HB-IDN-002")
    ends = (await world.db["guesses"].find_one({"until": {"$ne": None}}) or {})["until"] - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=14) < ends <= dt.timedelta(minutes=15)
    await world.db["guesses"].update_many({}, {"$set": {"until": dt.datetime.now(dt.UTC)}})
    assert (await world.browser().sign_in(code(3), PASSWORD)).status_code == 200


async def test_a_right_password_ends_the_count_of_failures(world: World) -> None:
    await world.administrator()
    for _ in range(2):
        for _ in range(9):
            await world.browser().sign_in(code(3), "sai mật khẩu")
        assert (await world.browser().sign_in(code(3).upper(), PASSWORD)).status_code == 200


async def test_the_version_must_be_a_level_of_the_school(world: World) -> None:
    await world.administrator()
    for version in ("THCS", "THPT", "OVERSIGHT"):
        assert (await world.browser().sign_in(code(3), PASSWORD, version)).json()["code"] == "HB-IDN-003"


async def test_the_cookie_is_out_of_reach_and_only_its_digest_is_kept(world: World) -> None:
    await world.administrator()
    browser = world.browser()
    answer = await browser.sign_in(code(3), PASSWORD)
    cookie, device = answer.headers.get_list("Set-Cookie")
    assert cookie.startswith("__Host-hocba=")
    assert device.startswith("__Host-hocba-device=")
    assert {part.strip().lower() for part in device.split(";")[1:]} == {"httponly", "secure", "samesite=lax", "path=/", "max-age=15552000"}
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "secure", "samesite=lax", "path=/"}
    token = browser.client.cookies["__Host-hocba"]
    assert await world.db["sessions"].count_documents({"_id": token}) == 0
    everything = str([document async for document in world.db["sessions"].find({})])
    assert token not in everything


async def test_the_session_check_tells_who_it_is_until_the_session_ends(world: World, light_stack: Stack) -> None:
    administrator = await world.school()
    verifier = TokenVerifier(world.settings.token_keys_file)
    checked = await administrator.client.get("/internal/session")
    who = verifier.verify(checked.headers["X-Internal-Token"])
    assert (who.person, who.school) == (code(3), SCHOOL)
    assert who.roles == {Role.ADMINISTRATOR}
    await world.db["sessions"].update_many({}, {"$set": {"seen_at": dt.datetime.now(dt.UTC) - dt.timedelta(minutes=30)}})
    idle = await administrator.client.get("/internal/session")
    assert idle.status_code == 200
    assert "X-Internal-Token" not in idle.headers


async def test_signing_out_ends_the_session(world: World) -> None:
    administrator = await world.administrator()
    token = administrator.client.cookies["__Host-hocba"]
    assert (await administrator.ask("DELETE", "/api/identity/sessions/current")).status_code == 204
    administrator.client.cookies.set("__Host-hocba", token)
    assert (await administrator.ask("GET", "/api/identity/me")).status_code == 401


async def test_an_import_makes_people_with_roles_and_takes_roles_from_those_who_left(world: World) -> None:
    await world.school()

    async def roles() -> dict[str, list[str]]:
        return {p["_id"]: p["roles"] async for p in world.db["people"].find({"school": SCHOOL})}

    assert await roles() == {
        code(1): ["manager"],
        code(2): ["manager"],
        code(3): ["administrator"],
        code(4): ["issuer"],
        code(6): ["homeroom_teacher", "subject_teacher"],
        code(7): ["subject_teacher"],
    }
    await world.import_staff([member(1, "Hiệu trưởng"), member(6)])
    assert {person: held for person, held in (await roles()).items() if held} == {
        code(1): ["manager"],
        code(3): ["administrator"],
        code(6): ["subject_teacher"],
    }
    await world.import_staff(STAFF, year="2024-2025")
    assert (await roles())[code(7)] == []


async def test_an_import_cannot_take_somebody_of_another_school(world: World) -> None:
    await world.school()
    await world.administrator("31300002", "0231300002")
    await world.import_staff([STAFF[0]], school="31300002")
    person = await world.db["people"].find_one({"_id": code(1)})
    assert person is not None
    assert person["school"] == SCHOOL
    assert [a["details"]["refused"] for a in await world.audit("staff imported")] == [[], [code(1)]]


async def test_credentials_are_given_once_to_those_who_never_signed_in(world: World) -> None:
    administrator = await world.school()
    path = f"/api/identity/schools/{SCHOOL}/credentials"
    given = await administrator.post(path)
    assert [g["person"] for g in given] == [code(n) for n in (1, 2, 4, 6, 7)]
    assert await administrator.post(path) == []
    assert (await world.browser().sign_in(given[0]["username"], given[0]["one_time_password"])).status_code == 200
    again = await administrator.post(path, {"persons": [code(1), code(3), "khong-co"]})
    assert [(g["person"], g["one_time_password"] is None, g["code"]) for g in again] == [
        (code(1), False, None),
        (code(3), True, "HB-IDN-015"),
        ("khong-co", True, "HB-IDN-014"),
    ]
    teacher = await world.staff_member(administrator, code(7))
    assert (await teacher.ask("POST", path)).status_code == 403
    assert len(await world.audit("one-time password issued")) == 1 + 1 + 5 + 1 + 1


async def test_a_page_form_of_another_session_is_refused(world: World) -> None:
    administrator = await world.administrator()
    form = {"csrf": "0" * 64, "current": PASSWORD, "new": "một cụm từ khác", "repeat": "một cụm từ khác"}
    answer = await administrator.ask("POST", "/ui/identity/password", data=form)
    assert answer.status_code == 403
    assert "HB-IDN-006" in answer.text


async def test_signing_in_on_the_page_leads_on_within_the_site_only(world: World) -> None:
    await world.administrator()
    browser = world.browser()
    form = {"version": "TH", "username": code(3), "password": "sai mật khẩu"}
    wrong = await browser.ask("POST", "/ui/identity/sign-in", data=form)
    assert wrong.status_code == 401
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in wrong.text
    for wanted, led in (("/ui/records/classes", "/ui/records/classes"), ("https://evil.example/", "/ui/identity/")):
        right = await browser.ask("POST", "/ui/identity/sign-in", data={**form, "password": PASSWORD, "next": wanted})
        assert (right.status_code, right.headers["Location"]) == (303, led)
    assert "Trang chính" in (await browser.ask("GET", "/ui/identity/")).text
    out = await browser.ask("POST", "/ui/identity/sign-out")
    assert (out.status_code, out.headers["Location"]) == (303, "/ui/identity/sign-in")
    assert (await browser.ask("GET", "/ui/identity/")).headers["Location"] == "/ui/identity/sign-in"


async def test_the_api_page_takes_nothing_from_elsewhere(world: World) -> None:
    browser = world.browser()
    page = await browser.ask("GET", "/openapi/?service=signing")
    assert page.status_code == 200
    assert 'data-url="/api/signing/openapi.json"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert (await browser.ask("GET", f"/openapi/{name}")).status_code == 200
    described = (await browser.get("/api/identity/openapi.json"))["paths"]
    assert "/internal/session" not in described
    assert "/api/identity/signing-accounts" in described
