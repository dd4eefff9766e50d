"""A forgotten password goes up the chain; a one-time link leads to a new one; nobody learns which names exist."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pymongo import monitoring

from infra.local import Stack
from services.identity.accounts import recovery, sessions
from services.identity.accounts import store as accounts_store
from services.identity.bootstrap import bootstrap
from services.identity.organisations.places import Named
from tests.integration.identity_world import PASSWORD, SCHOOL, STAFF, UNIT, Browser, World, code, school_order, world_of

FORGOTTEN = "/ui/identity/sign-in/forgotten"
RESET = "/ui/identity/sign-in/reset"
DESK = "/ui/identity/recovery"
LINKS = "/api/identity/recoveries/links"
NEW = "một cụm từ khác hẳn"
TEACHER = code(6)


class Commands(monitoring.CommandListener):
    """What is asked of the database, by command and collection, while `counting`."""

    def __init__(self) -> None:
        self.counting = False
        self.seen: Counter[tuple[str, str]] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.counting:
            self.seen[event.command_name, str(event.command.get(event.command_name))] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not counted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not counted."""


COMMANDS = Commands()
monitoring.register(COMMANDS)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


async def ask(world: World, username: str, version: str = "TH") -> httpx.Response:
    return await world.browser().ask("POST", FORGOTTEN, data={"version": version, "username": username})


async def links(dealer: Browser, *persons: str, drop_factors: bool = False) -> dict[str, Any]:
    return dict(await dealer.post(LINKS, {"persons": list(persons), "drop_factors": drop_factors}))


async def token_for(dealer: Browser, person: str, *, drop_factors: bool = False) -> str:
    made = await links(dealer, person, drop_factors=drop_factors)
    assert made["refused"] == []
    address: str = made["links"][0]["address"]
    assert f"{RESET}?t=" in address
    return address.partition("?t=")[2]


async def reset(world: World, token: str, new: str = NEW, repeat: str | None = None) -> httpx.Response:
    return await world.browser().ask("POST", RESET, data={"t": token, "new": new, "repeat": repeat if repeat is not None else new})


async def csrf_of(browser: Browser) -> str:
    return sessions.csrf_of(browser.client.cookies[sessions.COOKIE])


async def officer_of_the_unit(world: World) -> Browser:
    assert world.root is not None
    order = {"code": UNIT, "name": "Phường An Hải", "parent": "031", "officer": {"code": "03101-cb01", "name": "Lê Thị Phường"}}
    made = await world.root.post("/api/identity/units", order)
    officer = world.browser()
    await officer.settle(made["officer"]["username"], made["officer"]["one_time_password"], "OVERSIGHT")
    return officer


async def test_the_whole_chain_from_the_teacher_to_the_unit_above_the_officer(world: World) -> None:
    administrator = await world.school()
    officer = await officer_of_the_unit(world)
    root = world.root
    assert root is not None
    for username, version, dealer in (
        (TEACHER, "TH", administrator),
        (code(3), "TH", officer),
        ("03101-CB01 ", "OVERSIGHT", root),
    ):
        person = username.strip().casefold()
        sent = await ask(world, username, version)
        assert (sent.status_code, sent.headers["Location"]) == (303, f"{FORGOTTEN}/sent")
        waiting = await dealer.get("/api/identity/recoveries")
        assert [r["person"] for r in waiting] == [person]
        assert "Yêu cầu cấp lại mật khẩu" in (await dealer.ask("GET", "/ui/identity/")).text
        assert "1 yêu cầu chờ xử lý" in (await dealer.ask("GET", "/ui/identity/")).text
        token = await token_for(dealer, person)
        assert await dealer.get("/api/identity/recoveries") == []
        done = await reset(world, token, f"{NEW} {person}")
        assert (done.status_code, done.headers["Location"]) == (303, f"{RESET}/done")
        browser = world.browser()
        assert (await browser.sign_in(person, f"{NEW} {person}", version)).json()["must_change_password"] is False
        home = (await browser.ask("GET", "/ui/identity/")).text
        assert "Mật khẩu được đặt lại lúc" in home
    # the administrator's old session ended with the reset, so did the officer's
    assert [(await b.ask("GET", "/api/identity/me")).status_code for b in (administrator, officer, root)] == [401, 401, 200]
    assert {(a["actor"], a["subject"]) for a in await world.audit("recovery link made")} == {
        (code(3), TEACHER),
        ("03101-cb01", code(3)),
        ("031-cb01", "03101-cb01"),
    }
    assert [a["place"] for a in await world.audit("password reset")] == [SCHOOL, SCHOOL, UNIT]


async def test_where_no_officer_is_the_unit_above_deals_with_it_and_the_bootstrap_with_the_root(world: World) -> None:
    await world.school()
    assert world.root is not None
    await ask(world, code(3))
    assert [r["person"] for r in await world.root.get("/api/identity/recoveries")] == [code(3)]
    await ask(world, "031-cb01", "OVERSIGHT")
    assert [r["person"] for r in await world.root.get("/api/identity/recoveries")] == [code(3)]
    kept = await world.db["recoveries"].find_one({"person": "031-cb01"})
    assert kept is not None
    assert kept["desk"] is None
    made = await bootstrap(world.settings, "031", "Sở", Named("031-cb01", "Trần Thị Sở"), reset=True)
    assert (await world.browser().sign_in("031-cb01", made["one_time_password"] or "", "OVERSIGHT")).status_code == 200


async def test_without_an_administrator_the_staff_is_helped_by_the_oversight(world: World) -> None:
    await world.school()
    assert world.root is not None
    await world.db["people"].update_one({"_id": code(3)}, {"$set": {"roles": []}})
    await ask(world, code(1))
    assert [r["person"] for r in await world.root.get("/api/identity/recoveries")] == [code(1)]
    assert (await reset(world, await token_for(world.root, code(1)))).status_code == 303


async def test_a_link_works_once_and_looking_at_it_uses_nothing_up(world: World) -> None:
    administrator = await world.school()
    token = await token_for(administrator, TEACHER)
    for _ in range(3):
        page = await world.browser().ask("GET", f"{RESET}?t={token}")
        assert page.status_code == 200
        assert page.headers["Referrer-Policy"] == "strict-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert TEACHER not in page.text
        assert "Nguyễn Văn" not in page.text
    assert (await reset(world, token)).status_code == 303
    again = await reset(world, token, "một cụm từ thứ ba")
    assert (again.status_code, "HB-IDN-051" in again.text) == (410, True)
    assert (await world.browser().ask("GET", f"{RESET}?t={token}")).status_code == 410
    assert (await world.browser().sign_in(TEACHER, NEW)).status_code == 200
    assert len(await world.audit("password reset")) == 1


async def test_a_link_is_dead_after_a_day(world: World) -> None:
    administrator = await world.school()
    token = await token_for(administrator, TEACHER)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    kept = await world.db["recovery_links"].find_one_and_update({"person": TEACHER}, {"$set": {"until": past}})
    assert kept is not None
    assert kept["until"] - kept["made_at"] == dt.timedelta(hours=24)
    assert (await reset(world, token)).status_code == 410
    assert (await world.browser().ask("GET", f"{RESET}?t={token}")).status_code == 410


async def test_a_new_link_ends_the_earlier_one(world: World) -> None:
    administrator = await world.school()
    first, second = await token_for(administrator, TEACHER), await token_for(administrator, TEACHER)
    assert (await reset(world, first)).status_code == 410
    assert (await reset(world, second)).status_code == 303


async def test_a_password_that_was_changed_meanwhile_ends_the_link(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, TEACHER)
    token = await token_for(administrator, TEACHER)
    changed = await teacher.ask("POST", "/api/identity/password", json={"old": PASSWORD, "new": "một cụm từ của tôi"})
    assert changed.status_code == 200
    assert (await reset(world, token)).status_code == 410


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 5000, "đường-dẫn", "{'$ne': null}"])
async def test_a_made_up_secret_opens_nothing(world: World, token: str) -> None:
    page = await world.browser().client.get(RESET, params={"t": token})
    assert (page.status_code, "HB-IDN-051" in page.text) == (410, True)
    assert (await reset(world, token)).status_code == 410


async def test_of_two_who_use_a_link_at_once_one_gets_the_password(world: World) -> None:
    administrator = await world.school()
    token = await token_for(administrator, TEACHER)
    answers = await asyncio.gather(*(reset(world, token, f"một cụm từ số {n}") for n in range(4)))
    assert sorted(a.status_code for a in answers) == [303, 410, 410, 410]
    won = next(n for n, a in enumerate(answers) if a.status_code == 303)
    assert (await world.browser().sign_in(TEACHER, f"một cụm từ số {won}")).status_code == 200


async def test_a_reset_lifts_the_lock_ends_all_sessions_and_checks_the_new_password(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, TEACHER)
    for _ in range(11):
        await world.browser().sign_in(TEACHER, "sai")
    assert (await world.browser().sign_in(TEACHER, PASSWORD)).status_code == 429
    token = await token_for(administrator, TEACHER)
    for bad in ("ngắn", TEACHER, "aaaaaaaaaaaa"):
        refused = await reset(world, token, bad)
        assert (refused.status_code, 'href="#new"' in refused.text) == (422, True)
    assert (await reset(world, token, NEW, "khác")).status_code == 422
    assert (await teacher.ask("GET", "/api/identity/me")).status_code == 200
    assert (await reset(world, token)).status_code == 303
    assert (await teacher.ask("GET", "/api/identity/me")).status_code == 401
    assert (await world.browser().sign_in(TEACHER, PASSWORD)).status_code == 401
    assert (await world.browser().sign_in(TEACHER, NEW)).status_code == 200


async def test_a_second_factor_goes_only_when_the_one_above_said_so_and_the_link_is_used(world: World) -> None:
    administrator = await world.school()
    factor = {"factors": [{"id": "1", "kind": "totp"}], "spare_codes": ["x"]}
    for drop in (False, True):
        await world.db["accounts"].update_one({"_id": TEACHER}, {"$set": factor})
        token = await token_for(administrator, TEACHER, drop_factors=drop)
        before = await world.db["accounts"].find_one({"_id": TEACHER})
        assert before is not None
        assert len(before["factors"]) == 1
        assert (await reset(world, token, f"{NEW} {drop}")).status_code == 303
        after = await world.db["accounts"].find_one({"_id": TEACHER})
        assert after is not None
        assert ("factors" in after, "spare_codes" in after) == (not drop, not drop)
    assert [a["details"]["factors_dropped"] for a in await world.audit("password reset")] == [0, 1]


async def test_nobody_makes_a_link_for_themselves_or_outside_the_chain(world: World) -> None:
    administrator = await world.school()
    other = await world.administrator("31300002", "0231300002")
    await world.db["people"].update_one({"_id": code(1)}, {"$addToSet": {"roles": "administrator"}})

    async def refused(dealer: Browser, *persons: str) -> list[str]:
        made = await links(dealer, *persons)
        assert made["links"] == []
        return [item["code"] for item in made["refused"]]

    assert await refused(administrator, code(3), code(1), "031-cb01", code(3, "31300002"), "nobody") == ["HB-IDN-015", *["HB-IDN-052"] * 4]
    assert await refused(other, TEACHER) == ["HB-IDN-052"]
    assert world.root is not None
    assert await refused(world.root, "031-cb01", TEACHER) == ["HB-IDN-015", "HB-IDN-052"]
    teacher = await world.staff_member(administrator, TEACHER)
    for method, path, body in (
        ("POST", LINKS, {"persons": [code(7)]}),
        ("POST", "/api/identity/recoveries/refuse", {"persons": [code(7)], "reason": "x"}),
        ("GET", "/api/identity/recoveries", None),
    ):
        assert (await teacher.ask(method, path, json=body)).json()["code"] == "HB-ACC-403"
        assert (await world.browser().ask(method, path, json=body)).status_code == 401
    assert await world.db["recovery_links"].count_documents({}) == 0


async def test_a_request_of_another_school_is_neither_seen_nor_refused(world: World) -> None:
    await world.school()
    other = await world.administrator("31300002", "0231300002")
    await ask(world, TEACHER)
    assert await other.get("/api/identity/recoveries") == []
    said = await other.post("/api/identity/recoveries/refuse", {"persons": [TEACHER], "reason": "x"})
    assert [item["code"] for item in said["items"]] == ["HB-IDN-052"]
    assert await world.db["recoveries"].count_documents({"state": "WAITING", "person": TEACHER}) == 1


async def test_an_unknown_name_gets_the_same_answer_after_the_same_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.school()
    hashed: Counter[str] = Counter()
    hashing = world.app.state.door.hashing
    monkeypatch.setattr(hashing, "_verify", lambda *_: hashed.update(["verify"]) or False)
    told = []
    for username, version in ((TEACHER, "TH"), ("khong-co-ai", "TH"), (TEACHER, "THPT"), ("031-cb01", "TH"), ("031-cb01", "OVERSIGHT")):
        browser = world.browser()
        COMMANDS.seen.clear()
        COMMANDS.counting = True
        answer = await browser.client.post(FORGOTTEN, data={"version": version, "username": username})
        COMMANDS.counting = False
        headers = {key: value for key, value in answer.headers.items() if key.lower() != "x-request-id"}
        told.append((answer.status_code, headers, answer.text, dict(COMMANDS.seen), dict(hashed)))
    assert sum(told[0][3].values()) > 5, "the work was counted"
    assert all(each == told[0] for each in told[1:])


async def test_a_name_is_asked_for_five_times_an_hour_whether_it_exists_or_not(world: World) -> None:
    await world.school()
    for username in (TEACHER, "khong-co-ai"):
        assert [(await ask(world, username)).status_code for _ in range(7)] == [303] * 5 + [429] * 2
        refused = await ask(world, f" {username.upper()} ")
        assert (refused.status_code, "đã được yêu cầu cấp lại mật khẩu 5 lần" in refused.text) == (429, True)
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        await world.db["recovery_asks"].update_many({}, {"$set": {"until": past}})
        assert (await ask(world, username)).status_code == 303


async def test_what_was_typed_as_unknown_name_is_kept_as_a_digest_only(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="services")
    await world.school()
    typed = "mat-khau-cua-toi-123"
    await ask(world, typed)
    kept = [d for name in ("recoveries", "recovery_asks", "audit") async for d in world.db[name].find({})]
    assert accounts_store.guess_key(typed) in str(kept)
    assert typed not in str(kept)
    assert typed not in "\n".join(str(vars(record)) for record in caplog.records)
    forgotten = await world.db["recoveries"].find_one({"person": None})
    assert forgotten is not None
    assert forgotten["forget_at"] - forgotten["asked_at"] == recovery.FORGET_NOBODY


async def test_the_secret_of_a_link_stands_nowhere_but_in_the_answer(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="services")
    administrator = await world.school()
    token = await token_for(administrator, TEACHER)
    await world.browser().ask("GET", f"{RESET}?t={token}")
    names = [name for name in await world.db.list_collection_names() if not name.startswith("system.")]
    kept = [d for name in names async for d in world.db[name].find({})]
    assert token not in str(kept)
    assert token not in "\n".join(str(vars(record)) for record in caplog.records)


async def test_a_person_who_did_not_ask_says_so_and_the_link_ends(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, TEACHER)
    await ask(world, TEACHER)
    assert f"{DESK}/own" in (await teacher.ask("GET", "/ui/identity/")).text
    page = await teacher.ask("GET", f"{DESK}/own")
    assert "Không phải tôi yêu cầu" in page.text
    token = await token_for(administrator, TEACHER)
    assert "chưa dùng" in (await teacher.ask("GET", "/ui/identity/")).text
    done = await teacher.ask("POST", f"{DESK}/own", data={"csrf": await csrf_of(teacher)})
    assert done.status_code == 303
    assert "Đã từ chối yêu cầu" in (await teacher.ask("GET", done.headers["Location"])).text
    assert (await reset(world, token)).status_code == 410
    assert (await teacher.ask("POST", f"{DESK}/own", data={"csrf": await csrf_of(teacher)})).status_code == 409
    assert [(a["actor"], a["details"]) for a in await world.audit("password recovery refused")] == [
        (TEACHER, {"reason": "Không phải tôi yêu cầu"})
    ]


async def test_the_page_refuses_with_a_reason_and_makes_links_with_pictures(world: World) -> None:
    administrator = await world.school()
    for person in (TEACHER, code(7)):
        await ask(world, person)
    page = await administrator.ask("GET", DESK)
    assert re.findall(r'name="ids" value="(\d+)"', page.text) == [TEACHER, code(7)]
    form = {"csrf": await csrf_of(administrator), "ids": [code(7)]}
    asked = await administrator.ask("POST", f"{DESK}/refuse", data=form)
    assert (asked.status_code, "Lý do từ chối" in asked.text) == (200, True)
    assert (await administrator.ask("POST", f"{DESK}/refuse", data={**form, "reason": " "})).status_code == 422
    done = await administrator.ask("POST", f"{DESK}/refuse", data={**form, "reason": "Không gặp được người này."})
    assert "Đã từ chối 1 yêu cầu." in (await administrator.ask("GET", done.headers["Location"])).text
    refused = await administrator.get("/api/identity/recoveries?state=REFUSED")
    assert [(r["person"], r["decided_by"], r["reason"]) for r in refused] == [(code(7), "Nguyễn Văn 3", "Không gặp được người này.")]
    made = await administrator.ask("POST", f"{DESK}/links", data={"csrf": form["csrf"], "all": "1", "filter": "?state=WAITING"})
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    [token] = re.findall(r"sign-in/reset\?t=([A-Za-z0-9_-]{43})", made.text)
    assert made.text.count("<svg") == 1
    assert (await reset(world, token)).status_code == 303
    typed = await administrator.ask("POST", f"{DESK}/links", data={"csrf": form["csrf"], "username": f" {code(7)} "})
    assert len(re.findall(r"\?t=[A-Za-z0-9_-]{43}", typed.text)) == 1
    nobody = await administrator.ask("POST", f"{DESK}/links", data={"csrf": form["csrf"], "username": "<b>ai đó</b>"})
    assert (nobody.status_code, "<b>ai" in nobody.text, "?t=" in nobody.text) == (200, False, False)
    assert "Không thuộc phạm vi" in nobody.text or "Không có tài khoản" in nobody.text


@pytest.mark.parametrize("path", [f"{DESK}/links", f"{DESK}/refuse", f"{DESK}/own"])
async def test_a_form_of_recovery_without_the_value_of_the_session_is_refused(world: World, path: str) -> None:
    administrator = await world.school()
    answer = await administrator.ask("POST", path, data={"ids": [TEACHER], "csrf": "0" * 64, "reason": "x"})
    assert (answer.status_code, "HB-IDN-006" in answer.text) == (403, True)
    assert await world.db["recovery_links"].count_documents({}) == 0


async def test_a_form_without_a_name_or_version_says_what_is_missing(world: World) -> None:
    answer = await world.browser().ask("POST", FORGOTTEN, data={"version": "x", "username": " "})
    assert answer.status_code == 422
    assert "Nhập tên đăng nhập" in answer.text
    assert "Chọn phiên bản" in answer.text
    assert "Quên mật khẩu?" in (await world.browser().ask("GET", "/ui/identity/sign-in")).text


async def test_the_same_school_may_be_asked_by_staff_of_any_of_its_levels(world: World) -> None:
    await world.school(STAFF)
    assert world.root is not None
    await world.root.post("/api/identity/schools", school_order(levels=["TH", "THCS"]))
    await ask(world, TEACHER, "THCS")
    kept = await world.db["recoveries"].find_one({"person": TEACHER})
    assert kept is not None
    assert kept["desk"] == SCHOOL
