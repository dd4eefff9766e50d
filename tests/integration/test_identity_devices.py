"""Where the own account is signed in: listed, ended one by one or all others at once, on page and API."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY, generate_latest

from infra.local import Stack
from services.identity.accounts import sessions
from tests.integration.identity_world import PASSWORD, Browser, World, code, world_of

SESSIONS = "/api/identity/sessions"
PAGE = "/ui/identity/devices"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1"
ADDRESS = "203.0.113.77"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        await made.administrator()
        await made.db["sessions"].delete_many({})
        yield made


async def device(world: World, user_agent: str = WINDOWS, address: str = ADDRESS, *, person: str = code(3), version: str = "TH") -> Browser:
    """Somebody, signed in with this browser."""
    browser = world.browser()
    browser.client.headers.update({"User-Agent": user_agent, "X-Forwarded-For": address})
    assert (await browser.sign_in(person, PASSWORD, version)).status_code == 200
    return browser


async def csrf_of(browser: Browser) -> str:
    return sessions.csrf_of(browser.client.cookies[sessions.COOKIE])


async def status(browser: Browser) -> int:
    return (await browser.ask("GET", "/api/identity/me")).status_code


async def own(browser: Browser) -> dict[str, Any]:
    found = [d for d in await browser.get(SESSIONS) if d["current"]]
    assert len(found) == 1
    return dict(found[0])


async def test_the_list_tells_device_address_and_which_is_this_one(world: World) -> None:
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    desk = await device(world)
    await device(world, PHONE, "2001:db8::7")
    await device(world, person="031-cb01", version="OVERSIGHT")
    listed = await desk.get(SESSIONS)
    assert {(d["device"], d["address"], d["current"]) for d in listed} == {
        ("Chrome trên Windows", ADDRESS, True),
        ("Safari trên iPhone", "2001:db8::7", False),
    }
    for each in listed:
        since, used = dt.datetime.fromisoformat(each["since"]), dt.datetime.fromisoformat(each["last_used"])
        assert before <= since <= used <= dt.datetime.now(dt.UTC)


async def test_no_secret_and_no_digest_stands_in_the_list_or_on_the_page(world: World) -> None:
    desk, phone = await device(world), await device(world, PHONE)
    said = (await desk.ask("GET", SESSIONS)).text + (await desk.ask("GET", PAGE)).text
    for browser in (desk, phone):
        token = browser.client.cookies[sessions.COOKIE]
        assert token not in said
        assert sessions.digest_of(token)[:16] not in said


async def test_a_session_without_use_for_half_an_hour_is_not_listed(world: World) -> None:
    phone = await device(world, PHONE)
    await world.db["sessions"].update_many({}, {"$set": {"seen_at": dt.datetime.now(dt.UTC) - dt.timedelta(minutes=30)}})
    desk = await device(world)
    assert [d["device"] for d in await desk.get(SESSIONS)] == ["Chrome trên Windows"]
    assert await status(phone) == 401


async def test_a_session_of_before_the_upgrade_is_listed_as_another_device(world: World) -> None:
    desk = await device(world)
    await world.db["sessions"].update_many({}, {"$unset": {"device": "", "address": ""}})
    assert [(d["device"], d["address"]) for d in await desk.get(SESSIONS)] == [("Thiết bị khác", "")]
    assert (await desk.ask("GET", PAGE)).status_code == 200


async def test_an_ended_device_loses_access_at_once_and_the_others_keep_it(world: World) -> None:
    desk, phone = await device(world), await device(world, PHONE)
    ended = (await own(phone))["id"]
    assert (await desk.ask("DELETE", f"{SESSIONS}/{ended}")).status_code == 204
    assert (await status(desk), await status(phone)) == (200, 401)
    assert "X-Internal-Token" not in (await phone.client.get("/internal/session")).headers
    assert [(a["actor"], a["subject"], a["details"]) for a in await world.audit("session ended")] == [
        (code(3), code(3), {"session": ended}),
    ]
    assert await world.db["sessions"].count_documents({"device": "Safari trên iPhone"}) == 0
    again = await desk.ask("DELETE", f"{SESSIONS}/{ended}")
    assert (again.status_code, again.json()["code"]) == (404, "HB-IDN-040")
    assert len(await world.audit("session ended")) == 1


async def test_the_session_of_another_person_is_answered_like_an_unknown_one(world: World) -> None:
    desk = await device(world)
    officer = await device(world, person="031-cb01", version="OVERSIGHT")
    theirs = (await own(officer))["id"]
    digest = sessions.digest_of(officer.client.cookies[sessions.COOKIE])

    async def answer(wanted: str) -> tuple[int, dict[str, object]]:
        given = await desk.ask("DELETE", f"{SESSIONS}/{wanted}")
        return given.status_code, {key: value for key, value in given.json().items() if key != "request_id"}

    unknown = await answer("0" * 32)
    assert unknown[0] == 404
    assert [await answer(wanted) for wanted in (theirs, digest, "x" * 5000, "thiết-bị")] == [unknown] * 4
    form = {"csrf": await csrf_of(desk), "session": theirs}
    assert (await desk.ask("POST", f"{PAGE}/end", data=form)).status_code == 404
    assert await status(officer) == 200


async def test_all_others_end_and_this_one_and_other_people_stay(world: World) -> None:
    desk, phone, other = await device(world), await device(world, PHONE), await device(world)
    officer = await device(world, person="031-cb01", version="OVERSIGHT")
    expected = {(await own(phone))["id"], (await own(other))["id"]}
    assert await desk.post(f"{SESSIONS}/end-others") == {"ended": 2}
    assert [await status(b) for b in (desk, phone, other, officer)] == [200, 401, 401, 200]
    assert await desk.post(f"{SESSIONS}/end-others") == {"ended": 0}
    assert [set(a["details"]["sessions"]) for a in await world.audit("other sessions ended")] == [expected, set()]


async def test_ending_the_own_session_by_its_name_is_signing_out(world: World) -> None:
    desk = await device(world)
    answer = await desk.ask("DELETE", f"{SESSIONS}/{(await own(desk))['id']}")
    assert answer.status_code == 204
    assert sessions.COOKIE not in desk.client.cookies
    assert await status(desk) == 401
    desk = await device(world)
    form = {"csrf": await csrf_of(desk), "session": (await own(desk))["id"]}
    page = await desk.ask("POST", f"{PAGE}/end", data=form)
    assert (page.status_code, page.headers["Location"]) == (303, "/ui/identity/sign-in")
    assert sessions.COOKIE not in desk.client.cookies


async def test_the_page_ends_a_device_and_says_so(world: World) -> None:
    desk, phone, other = await device(world), await device(world, PHONE), await device(world, "curl/8.5.0")
    page = await desk.ask("GET", PAGE)
    assert page.status_code == 200
    assert f'<a href="{PAGE}">Thiết bị đăng nhập</a>' in page.text
    assert page.text.count("Thiết bị này</strong>") == 1
    ids = re.findall(r'name="session" value="([0-9a-f]{32})"', page.text)
    wanted = (await own(phone))["id"]
    assert set(ids) == {wanted, (await own(other))["id"]}
    form = {"csrf": await csrf_of(desk), "session": wanted}
    done = await desk.ask("POST", f"{PAGE}/end", data=form)
    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?ended=1")
    assert "Đã đăng xuất 1 thiết bị." in (await desk.ask("GET", done.headers["Location"])).text
    assert (await status(phone), await status(other)) == (401, 200)
    done = await desk.ask("POST", f"{PAGE}/end-others", data={"csrf": await csrf_of(desk)})
    assert done.headers["Location"] == f"{PAGE}?ended=1"
    alone = (await desk.ask("GET", f"{PAGE}?ended=0")).text
    assert "Không có thiết bị nào khác đang đăng nhập." in alone
    assert "Đăng xuất khỏi mọi thiết bị khác" not in alone
    assert await status(other) == 401


@pytest.mark.parametrize("ended", ["-1", "<b>", "²", "9" * 5000])
async def test_a_made_up_notice_says_nothing(world: World, ended: str) -> None:
    page = await (await device(world)).ask("GET", PAGE, params={"ended": ended})
    assert page.status_code == 200
    assert "govuk-notification-banner" not in page.text


@pytest.mark.parametrize("path", [f"{PAGE}/end", f"{PAGE}/end-others"])
@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "không phải của phiên này"])
async def test_a_form_without_the_value_of_the_session_is_refused(world: World, path: str, csrf: str | None) -> None:
    desk, phone = await device(world), await device(world, PHONE)
    form = {"session": (await own(phone))["id"], **({} if csrf is None else {"csrf": csrf})}
    answer = await desk.ask("POST", path, data=form)
    assert (answer.status_code, "HB-IDN-006" in answer.text) == (403, True)
    assert await status(phone) == 200


@pytest.mark.parametrize(("method", "path"), [("GET", SESSIONS), ("DELETE", f"{SESSIONS}/{'0' * 32}"), ("POST", f"{SESSIONS}/end-others")])
async def test_nothing_is_told_or_ended_without_a_session_or_before_the_password_is_changed(world: World, method: str, path: str) -> None:
    assert (await world.browser().ask(method, path)).status_code == 401
    desk = await device(world)
    await world.db["sessions"].update_many({}, {"$set": {"forced": True}})
    assert (await desk.ask(method, path)).json()["code"] == "HB-ACC-401"
    page = await desk.ask("GET", PAGE)
    assert (page.status_code, page.headers["Location"]) == (303, "/ui/identity/password")


async def test_a_page_of_another_site_ends_nothing(world: World) -> None:
    desk, phone = await device(world), await device(world, PHONE)
    desk.client.headers["Sec-Fetch-Site"] = "cross-site"
    assert (await desk.ask("POST", f"{SESSIONS}/end-others")).status_code == 403
    assert await status(phone) == 200


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"x" * 10_240, "Thiết bị khác"),
        (b"<script>alert('Chrome/1 Windows NT')</script>", "Chrome trên Windows"),
        (b"$where\xff\xfe{}", "Thiết bị khác"),
    ],
)
async def test_a_strange_user_agent_is_harmless_and_not_kept(world: World, said: bytes, words: str) -> None:
    desk = world.browser()
    headers = {b"User-Agent": said}
    order = {"version": "TH", "username": code(3), "password": PASSWORD}
    assert (await desk.client.post(SESSIONS, json=order, headers=headers)).status_code == 200
    page = await desk.ask("GET", PAGE)
    assert page.status_code == 200
    assert words in page.text
    assert "alert(" not in page.text
    kept = str([document async for document in world.db["sessions"].find({})])
    assert said[:6].decode("latin-1") not in kept
    assert [d["device"] for d in await desk.get(SESSIONS)] == [words]


async def test_the_address_stands_in_no_log_and_no_metric(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="services")
    desk, phone = await device(world), await device(world, PHONE)
    ended = (await own(phone))["id"]
    await desk.ask("DELETE", f"{SESSIONS}/{ended}")
    told = generate_latest(REGISTRY).decode() + "\n".join(str(vars(record)) for record in caplog.records)
    assert "/api/identity/sessions/{session}" in told
    for secret in (ADDRESS, ended, "iPhone"):
        assert secret not in told


async def test_a_change_of_password_keeps_device_and_address_of_the_one_that_asks(world: World) -> None:
    desk, phone = await device(world), await device(world, PHONE)
    new = "một cụm từ khác hẳn"
    assert (await desk.ask("POST", "/api/identity/password", json={"old": PASSWORD, "new": new})).status_code == 200
    assert [(d["device"], d["address"], d["current"]) for d in await desk.get(SESSIONS)] == [("Chrome trên Windows", ADDRESS, True)]
    assert await status(phone) == 401
