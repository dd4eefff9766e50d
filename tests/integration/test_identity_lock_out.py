"""Guessing: who is held back, who is not, and that an account tells nobody whether it exists."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from infra.local import Stack
from services.identity.accounts import known_devices
from tests.integration.identity_world import PASSWORD, SCHOOL, STAFF, Browser, World, code, world_of

WRONG = "sai mật khẩu"
WRONG_SIGN_IN, LOCKED, LOCKED_EVERYWHERE = "HB-IDN-001", "HB-IDN-002", "HB-IDN-048"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        await made.administrator()
        yield made


async def owner(world: World) -> Browser:
    """The administrator's own device, signed in once and out again."""
    browser = world.browser()
    assert (await browser.sign_in(code(3), PASSWORD)).status_code == 200
    assert (await browser.ask("DELETE", "/api/identity/sessions/current")).status_code == 204
    assert known_devices.COOKIE in browser.client.cookies
    return browser


async def guess(browser: Browser, password: str = WRONG, person: str = code(3)) -> str:
    """The code of the answer, "" for a sign-in that worked."""
    answer = await browser.sign_in(person, password)
    return "" if answer.is_success else str(answer.json()["code"])


async def later(world: World, **time: float) -> None:
    """As if everything counted had happened earlier by this."""
    by = int(dt.timedelta(**time).total_seconds() * 1000)
    moved = {"$map": {"input": {"$ifNull": ["$marks", []]}, "in": {"mark": "$$this.mark", "at": {"$subtract": ["$$this.at", by]}}}}
    until = {"$cond": [{"$gt": ["$until", None]}, {"$subtract": ["$until", by]}, None]}
    await world.db["guesses"].update_many({}, [{"$set": {"at": {"$subtract": ["$at", by]}, "marks": moved, "until": until}}])


async def test_strangers_lock_strangers_out_and_never_the_device_of_the_owner(world: World) -> None:
    mine = await owner(world)
    stranger = world.browser()
    assert [await guess(stranger) for _ in range(12)] == [WRONG_SIGN_IN] * 10 + [LOCKED] * 2
    assert await guess(world.browser(), PASSWORD) == LOCKED, "a device that the account does not know"
    assert await guess(mine, PASSWORD) == ""


async def test_a_known_device_has_a_counter_of_its_own(world: World) -> None:
    mine, second = await owner(world), await owner(world)
    assert [await guess(mine) for _ in range(11)] == [WRONG_SIGN_IN] * 10 + [LOCKED]
    assert await guess(mine, PASSWORD) == LOCKED
    assert await guess(second, PASSWORD) == ""
    assert await guess(world.browser(), PASSWORD) == ""
    await later(world, minutes=15)
    assert await guess(mine, PASSWORD) == ""


async def test_answers_to_a_known_device_are_held_back_likewise(world: World) -> None:
    mine = await owner(world)
    world.waits.clear()
    for _ in range(10):
        await guess(mine)
    assert world.waits == [0, 0, 0, 0, 0.5, 1, 2, 4, 4, 4]


async def test_a_right_password_ends_the_count_of_its_own_device_only(world: World) -> None:
    mine, stranger = await owner(world), world.browser()
    for _ in range(9):
        await guess(stranger)
    assert await guess(mine, PASSWORD) == ""
    assert [await guess(stranger) for _ in range(2)] == [WRONG_SIGN_IN, LOCKED]


async def test_a_hundred_failures_an_hour_are_the_most_over_all_devices(world: World) -> None:
    devices = [await owner(world) for _ in range(10)]
    for browser in devices:
        assert [await guess(browser) for _ in range(10)] == [WRONG_SIGN_IN] * 10
    await later(world, minutes=16)
    last = await world.browser().sign_in(code(3), PASSWORD)
    assert (last.status_code, last.json()["code"]) == (429, LOCKED_EVERYWHERE)
    assert await guess(devices[0], PASSWORD) == LOCKED_EVERYWHERE
    await later(world, minutes=45)
    assert await guess(devices[0], PASSWORD) == ""


async def test_strangers_alone_do_not_fill_the_hour(world: World) -> None:
    mine, stranger = await owner(world), world.browser()
    said = []
    for _ in range(4):
        said += [await guess(stranger) for _ in range(30)]
        await later(world, minutes=15)
    assert (said.count(WRONG_SIGN_IN), said.count(LOCKED)) == (40, 80)
    assert await guess(mine, PASSWORD) == ""


async def test_many_guesses_at_once_do_not_pass_the_limit(world: World) -> None:
    said = await asyncio.gather(*(guess(world.browser()) for _ in range(25)))
    assert (said.count(WRONG_SIGN_IN), said.count(LOCKED)) == (10, 15)


async def test_a_device_known_to_one_account_is_a_stranger_to_another(world: World) -> None:
    officer = world.browser()
    assert (await officer.sign_in("031-cb01", PASSWORD, "OVERSIGHT")).status_code == 200
    for _ in range(10):
        await guess(world.browser())
    assert await guess(officer, PASSWORD) == LOCKED


async def test_one_device_may_be_known_to_several_accounts(world: World) -> None:
    shared = await owner(world)
    cookie = shared.client.cookies[known_devices.COOKIE]
    assert (await shared.sign_in("031-cb01", PASSWORD, "OVERSIGHT")).status_code == 200
    assert shared.client.cookies[known_devices.COOKIE] == cookie
    for person, version in ((code(3), "TH"), ("031-cb01", "OVERSIGHT")):
        for _ in range(10):
            await guess(world.browser(), person=person)
        assert (await shared.sign_in(person, PASSWORD, version)).status_code == 200


@pytest.mark.parametrize("made_up", ["x", "A" * 43, "A" * 5000, "é", '{"$gt":""}'])
async def test_a_made_up_device_is_a_stranger(world: World, made_up: str) -> None:
    for _ in range(10):
        await guess(world.browser())
    browser = world.browser()
    headers = {b"Cookie": f"{known_devices.COOKIE}={made_up}".encode()}
    body = {"version": "TH", "username": code(3), "password": PASSWORD}
    answer = await browser.client.post("/api/identity/sessions", json=body, headers=headers)
    assert answer.json()["code"] == LOCKED


async def test_a_device_is_kept_as_a_digest_and_each_sign_in_renews_it(world: World) -> None:
    mine = await owner(world)
    cookie = mine.client.cookies[known_devices.COOKIE]
    account = await world.db["accounts"].find_one({"_id": code(3)}) or {}
    assert cookie not in str(account)
    assert known_devices.digest_of(cookie) in str(account)
    assert await guess(mine, PASSWORD) == ""
    assert mine.client.cookies[known_devices.COOKIE] == cookie
    after = await world.db["accounts"].find_one({"_id": code(3)}) or {}
    assert len(after["devices"]) == len(account["devices"])
    assert after["devices"][-1]["seen_at"] > account["devices"][-1]["seen_at"]


async def test_ten_devices_are_remembered_for_half_a_year(world: World) -> None:
    first = await owner(world)
    for _ in range(10):
        newest = await owner(world)
    account = await world.db["accounts"].find_one({"_id": code(3)}) or {}
    assert len(account["devices"]) == 10
    for _ in range(10):
        await guess(world.browser())
    assert await guess(first, PASSWORD) == LOCKED, "the eleventh pushed it out"
    assert await guess(newest, PASSWORD) == ""
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=180)
    await world.db["accounts"].update_one({"_id": code(3)}, {"$set": {"devices.$[].seen_at": old}})
    assert await guess(newest, PASSWORD) == LOCKED


async def test_a_device_stays_a_stranger_until_the_second_factor_is_given(light_stack: Stack) -> None:
    async with world_of(light_stack, second_factor="required") as world:
        phone = await world.administrator()
        await world.db["accounts"].update_one({"_id": code(3)}, {"$set": {"factors.$[].last_step": 0}})
        thief = world.browser()
        assert (await thief.sign_in(code(3), PASSWORD)).json()["missing"] == "second_factor"
        assert known_devices.COOKIE not in thief.client.cookies
        assert (await thief.give_code(phone.app_code())).status_code == 200
        assert known_devices.COOKIE in thief.client.cookies


async def test_a_new_one_time_password_lifts_every_lock_of_the_account(world: World) -> None:
    await world.import_staff(STAFF)
    administrator = await owner(world)
    assert await guess(administrator, PASSWORD) == ""
    teacher = await world.staff_member(administrator, code(6))
    for _ in range(11):
        await guess(world.browser(), person=code(6))
        await guess(teacher, person=code(6))
    assert await guess(teacher, PASSWORD, code(6)) == LOCKED
    assert {g["_id"].count(":") for g in await world.db["guesses"].find({}).to_list(None)} == {0, 1}
    [given] = await administrator.post(f"/api/identity/schools/{SCHOOL}/credentials", {"persons": [code(6)]})
    assert await guess(world.browser(), given["one_time_password"], code(6)) == ""


async def test_an_unknown_user_costs_one_verification_like_a_known_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    plain = PasswordHasher.verify

    def counting(self: PasswordHasher, kept: str | bytes, password: str | bytes) -> bool:
        verified.append(str(kept).split("$")[3])
        return plain(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    await world.db["accounts"].update_one({"_id": "031-cb01"}, {"$set": {"one_time_until": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}})
    await world.db["accounts"].insert_one({"_id": "x", "username": "x", "hash": None, "one_time_until": None, "signed_in_at": None})
    for person in (code(3), "khong-co-ai", "031-cb01", "x"):
        verified.clear()
        assert await guess(world.browser(), person=person) == WRONG_SIGN_IN
        assert verified == ["m=19456,t=2,p=1"], person
