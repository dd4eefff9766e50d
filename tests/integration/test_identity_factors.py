"""Second factors: who must have one, what proves it, what does not, and how they are looked after."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local import Stack
from services.chassis.mongo import transaction
from services.identity.accounts import factors, sessions
from tests.integration.identity_world import PASSWORD, SCHOOL, Browser, World, code, world_of
from tests.integration.software_authenticator import Authenticator

PROCESSES = ("mongod", "sandbox-provider")
FACTORS = "/api/identity/factors"
GIVE = "/api/identity/sessions/current/second-factor"
PAGE = "/ui/identity/factors"
STEP = "/ui/identity/second-factor"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack, second_factor="required") as made:
        yield made


@pytest.fixture
async def administrator(world: World) -> Browser:
    """With an authenticator app, whose codes are all unused."""
    browser = await world.administrator()
    await unused(world)
    return browser


async def unused(world: World) -> None:
    """As if the last code had been used long ago."""
    await world.db["accounts"].update_many({"factors.kind": "totp"}, {"$set": {"factors.$[].last_step": 0}})


async def half_way(world: World, person: str = code(3), *, phone: Browser, version: str = "TH") -> Browser:
    """Somebody else's browser after the right password; it reads the codes from the owner's phone."""
    browser = world.browser()
    assert (await browser.sign_in(person, PASSWORD, version)).status_code == 200
    browser.app_secret = phone.app_secret
    return browser


async def is_in(browser: Browser) -> bool:
    return "X-Internal-Token" in (await browser.client.get("/internal/session")).headers


async def csrf_of(browser: Browser) -> str:
    return sessions.csrf_of(browser.client.cookies[sessions.COOKIE])


def authenticator(world: World, **features: Any) -> Authenticator:
    return Authenticator(world.settings.public_url, **features)


async def add_passkey(browser: Browser, key: Authenticator) -> Any:
    options = await browser.post(f"{FACTORS}/passkeys/options")
    return await browser.post(f"{FACTORS}/passkeys", {"credential": key.create(options), "name": "Khoá của văn thư"})


# --- who must


@pytest.mark.parametrize("number", [1, 2, 3, 4], ids=["principal", "deputy", "administrator", "issuer"])
async def test_a_role_with_power_signs_in_and_finds_nothing_open_but_enrolling(world: World, number: int) -> None:
    administrator = await world.school()
    given = await administrator.post(f"/api/identity/schools/{SCHOOL}/credentials", {"persons": [code(number)]}) if number != 3 else None
    browser = world.browser()
    if given:
        one_time = given[0]["one_time_password"]
        assert (await browser.sign_in(code(number), one_time)).json()["missing"] == "password"
        changed = await browser.ask("POST", "/api/identity/password", json={"old": one_time, "new": PASSWORD})
        assert changed.json()["missing"] == "enrolment"
    else:
        await world.db["accounts"].update_one({"_id": code(3)}, {"$unset": {"factors": ""}})
        assert (await browser.sign_in(code(3), PASSWORD)).json()["missing"] == "enrolment"
    assert not await is_in(browser)
    for path in ("/ui/identity/", "/ui/identity/devices"):
        answer = await browser.ask("GET", path)
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert (await browser.ask("GET", "/api/identity/sessions")).status_code == 401
    page = await browser.ask("GET", PAGE)
    assert page.status_code == 200
    assert "Thầy/cô cần thêm một cách xác thực trước khi sử dụng hệ thống." in page.text
    assert len(await browser.enrol_app()) == 10
    assert await is_in(browser)


async def test_an_officer_must_have_a_second_factor(world: World) -> None:
    officer = await world.officer()
    assert (await officer.get(FACTORS))["required"] is True
    again = await half_way(world, "031-cb01", phone=officer, version="OVERSIGHT")
    assert not await is_in(again)


async def test_a_teacher_signs_in_by_password_alone_and_may_have_a_second_factor(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    assert await is_in(teacher)
    assert await teacher.get(FACTORS) == {"factors": [], "spare_codes": 0, "required": False}
    assert len(await teacher.enrol_app()) == 10
    again = await half_way(world, code(6), phone=teacher)
    assert not await is_in(again)
    assert (await again.give_code(again.app_code(1))).status_code == 200
    assert await is_in(again)


async def test_the_demo_makes_nobody_enrol_and_says_so_on_its_pages(light_stack: Stack) -> None:
    async with world_of(light_stack, second_factor="off-for-demo") as world:
        administrator = await world.administrator()
        assert await is_in(administrator)
        for path in ("/ui/identity/", "/ui/identity/devices", PAGE):
            assert "Bản trình diễn: không bắt buộc xác thực hai lớp." in (await administrator.ask("GET", path)).text
        assert "Bản trình diễn" in (await world.browser().client.get("/ui/identity/sign-in")).text
        await administrator.enrol_app()
        again = await half_way(world, phone=administrator)
        assert not await is_in(again), "whoever enrolled one is asked for it"
    async with world_of(light_stack, second_factor="required") as world:
        assert "Bản trình diễn" not in (await world.browser().client.get("/ui/identity/sign-in")).text


async def test_a_granted_role_asks_for_a_second_factor_at_once(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    assert await is_in(teacher)
    await world.db["people"].update_one({"_id": code(6)}, {"$push": {"roles": "issuer"}})
    assert not await is_in(teacher)
    assert (await teacher.ask("GET", "/ui/identity/")).headers["Location"] == PAGE


# --- codes of an app


async def test_after_the_password_the_code_is_missing_and_opens_everything(world: World, administrator: Browser) -> None:
    browser = await half_way(world, phone=administrator)
    assert (await browser.ask("GET", "/api/identity/me")).json()["missing"] == "second_factor"
    assert not await is_in(browser)
    assert (await browser.ask("GET", "/ui/identity/")).headers["Location"] == STEP
    assert (await browser.ask("GET", FACTORS)).status_code == 401
    before = browser.client.cookies[sessions.COOKIE]
    assert (await browser.give_code(browser.app_code())).json()["missing"] is None
    assert await is_in(browser)
    browser.client.cookies.set(sessions.COOKIE, before)
    assert not await is_in(browser), "the secret of the half-way session is worth nothing any more"
    [given] = await world.audit("second factor given")
    assert (given["actor"], given["details"]["by"]) == (code(3), "totp")


async def test_a_code_used_once_is_not_good_again(world: World, administrator: Browser) -> None:
    used = administrator.app_code()
    assert (await (await half_way(world, phone=administrator)).give_code(used)).status_code == 200
    again = await (await half_way(world, phone=administrator)).give_code(used)
    assert (again.status_code, again.json()["code"]) == (422, "HB-IDN-041")


async def test_an_older_code_is_not_good_after_a_newer_one(world: World, administrator: Browser) -> None:
    older, newer = administrator.app_code(), administrator.app_code(1)
    assert (await (await half_way(world, phone=administrator)).give_code(newer)).status_code == 200
    assert (await (await half_way(world, phone=administrator)).give_code(older)).status_code == 422


@pytest.mark.parametrize("steps", [3, -3, 10])
async def test_a_code_of_another_time_is_refused(world: World, administrator: Browser, steps: int) -> None:
    assert (await (await half_way(world, phone=administrator)).give_code(administrator.app_code(steps))).status_code == 422


async def test_a_code_may_be_typed_in_groups(world: World, administrator: Browser) -> None:
    shown = administrator.app_code()
    assert (await (await half_way(world, phone=administrator)).give_code(f" {shown[:3]} {shown[3:]} ")).status_code == 200


@pytest.mark.parametrize("typed", ["000000x", "１２３４５６", "12345", "1234567", "-12345", "\u0000", "x" * 40])
async def test_what_is_no_code_is_a_wrong_code(world: World, administrator: Browser, typed: str) -> None:
    answer = await (await half_way(world, phone=administrator)).give_code(typed)
    assert (answer.status_code, answer.json()["code"]) == (422, "HB-IDN-041")


async def test_the_secret_of_an_app_is_nowhere_in_clear(world: World, administrator: Browser) -> None:
    kept = str([account async for account in world.db["accounts"].find({})] + [s async for s in world.db["sessions"].find({})])
    audit = str([entry async for entry in world.db["audit"].find({})])
    assert administrator.app_secret not in kept + audit
    assert "'secret': b'gAAAA" in kept


async def test_an_app_is_not_enrolled_before_it_shows_a_code(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    teacher.app_secret = (await teacher.post(f"{FACTORS}/totp"))["secret"]
    wrong = await teacher.ask("POST", f"{FACTORS}/totp/confirm", json={"code": teacher.app_code(5)})
    assert wrong.json()["code"] == "HB-IDN-041"
    assert (await teacher.get(FACTORS))["factors"] == []
    assert (await teacher.ask("POST", f"{FACTORS}/totp/confirm", json={"code": teacher.app_code()})).status_code == 200
    again = await teacher.ask("POST", f"{FACTORS}/totp/confirm", json={"code": teacher.app_code(1)})
    assert again.json()["code"] == "HB-IDN-042", "what was begun is used up"


# --- guessing


async def test_wrong_codes_count_as_guesses_and_a_right_password_between_them_does_not_help(world: World, administrator: Browser) -> None:
    for _ in range(10):
        browser = await half_way(world, phone=administrator)
        assert (await browser.give_code("000000")).json()["code"] == "HB-IDN-041"
    assert [w > 0 for w in world.waits[-10:]] == [False] * 4 + [True] * 6
    locked = await world.browser().sign_in(code(3), PASSWORD)
    assert (locked.status_code, locked.json()["code"]) == (429, "HB-IDN-002")
    also = await browser.give_code(browser.app_code())
    assert also.json()["code"] == "HB-IDN-002", "a right code does not get past the lock either"
    assert len(await world.audit("second factor refused")) == 10


async def test_a_right_code_ends_the_count_of_failures(world: World, administrator: Browser) -> None:
    browser = await half_way(world, phone=administrator)
    for _ in range(9):
        assert (await browser.give_code("000000")).status_code == 422
    assert (await browser.give_code(browser.app_code())).status_code == 200
    for _ in range(9):
        assert (await world.browser().sign_in(code(3), "sai mật khẩu")).status_code == 401


async def test_the_second_factor_comes_before_the_change_of_a_one_time_password(world: World) -> None:
    administrator = await world.school()
    issuer = await world.staff_member(administrator, code(4))
    await unused(world)
    given = await administrator.post(f"/api/identity/schools/{SCHOOL}/credentials", {"persons": [code(4)]})
    thief = world.browser()
    one_time = given[0]["one_time_password"]
    assert (await thief.sign_in(code(4), one_time)).json()["missing"] == "second_factor"
    change = await thief.ask("POST", "/api/identity/password", json={"old": one_time, "new": "một cụm từ dài khác"})
    assert change.status_code == 401
    assert (await thief.ask("GET", "/ui/identity/password")).headers["Location"] == STEP
    assert (await thief.give_code(issuer.app_code())).json()["missing"] == "password"


# --- spare codes


async def test_each_spare_code_is_good_once(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    spare = await teacher.enrol_app()
    assert len(set(spare)) == 10
    used = spare[0].upper().replace("-", " ")
    assert (await (await half_way(world, code(6), phone=teacher)).give_code(used)).status_code == 200
    assert (await teacher.get(FACTORS))["spare_codes"] == 9
    assert (await (await half_way(world, code(6), phone=teacher)).give_code(spare[0])).status_code == 422
    assert (await (await half_way(world, code(6), phone=teacher)).give_code(spare[1])).status_code == 200
    assert [a["details"]["by"] for a in await world.audit("second factor given")] == ["spare code"] * 2


async def test_spare_codes_are_kept_as_digests_and_new_ones_end_the_old(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    old = await teacher.enrol_app()
    kept = str([account async for account in world.db["accounts"].find({})])
    assert [c for c in old if c in kept or c.replace("-", "") in kept] == []
    new = (await teacher.post(f"{FACTORS}/spare-codes"))["spare_codes"]
    assert set(new).isdisjoint(old)
    assert (await (await half_way(world, code(6), phone=teacher)).give_code(old[5])).status_code == 422
    assert (await (await half_way(world, code(6), phone=teacher)).give_code(new[5])).status_code == 200


async def test_spare_codes_of_somebody_else_are_no_good(world: World) -> None:
    administrator = await world.school()
    first, second = await world.staff_member(administrator, code(6)), await world.staff_member(administrator, code(7))
    await first.enrol_app()
    theirs = await second.enrol_app()
    assert (await (await half_way(world, code(6), phone=first)).give_code(theirs[0])).status_code == 422
    assert (await (await half_way(world, code(6), phone=second)).give_code(second.app_code(1))).status_code == 422


# --- passkeys


async def test_a_passkey_is_enrolled_and_opens_the_account(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    key = authenticator(world)
    assert len((await add_passkey(teacher, key))["spare_codes"]) == 10
    [listed] = (await teacher.get(FACTORS))["factors"]
    assert (listed["kind"], listed["name"], listed["used_at"]) == ("passkey", "Khoá của văn thư", None)
    browser = await half_way(world, code(6), phone=teacher)
    options = await browser_challenge(browser)
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    assert [c["id"] for c in options["allowCredentials"]] == [key.create({"rp": {"id": "localhost"}, "challenge": ""})["id"]]
    assert (await browser.ask("POST", GIVE, json={"passkey": key.get(options)})).json()["missing"] is None
    assert await is_in(browser)
    assert (await teacher.get(FACTORS))["factors"][0]["used_at"] is not None


async def browser_challenge(browser: Browser) -> Any:
    answer = await browser.ask("POST", f"{FACTORS}/challenge")
    assert answer.status_code == 200
    return answer.json()


async def test_an_answer_that_proves_nothing_is_refused(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    key, stranger = authenticator(world), authenticator(world)
    await add_passkey(teacher, key)
    browser = await half_way(world, code(6), phone=teacher)

    async def refused(answer: dict[str, Any]) -> bool:
        given = await browser.ask("POST", GIVE, json={"passkey": answer})
        await world.db["guesses"].delete_many({})
        return (given.status_code, given.json()["code"]) == (422, "HB-IDN-043")

    good = key.get(await browser_challenge(browser))
    assert await refused({**good, "response": {**good["response"], "signature": good["response"]["signature"][:-4] + "AAAA"}})
    again = await browser.ask("POST", GIVE, json={"passkey": good})
    assert (again.status_code, again.json()["code"]) == (409, "HB-IDN-042"), "a challenge is answered once"
    assert await refused(key.get(await browser_challenge(browser), challenge="AAAA"))
    assert await refused(key.get(await browser_challenge(browser), rp_id="example.org"))
    assert await refused(key.get(await browser_challenge(browser), key=ec.generate_private_key(ec.SECP256R1())))
    assert await refused(stranger.get(await browser_challenge(browser)))
    for broken in ({}, {"id": good["id"]}, {**good, "rawId": 5}, {**good, "response": []}, {**good, "response": {"signature": "é"}}):
        await browser_challenge(browser)
        assert await refused(broken), broken
    key.origin = "https://hocba.example.org"
    assert await refused(key.get(await browser_challenge(browser))), "a page of another site passed the question on"
    key.origin = world.settings.public_url
    key.verifies = False
    assert await refused(key.get(await browser_challenge(browser))), "the key did not ask its owner"
    key.verifies = True
    key.uses = 0
    assert await refused(key.get(await browser_challenge(browser))), "a copy of the key, which was used less often"
    assert not await is_in(browser)
    key.uses = 100
    assert (await browser.ask("POST", GIVE, json={"passkey": key.get(await browser_challenge(browser))})).status_code == 200


async def test_a_key_that_does_not_count_its_uses_is_taken_again_and_again(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    key = authenticator(world, counts=False)
    await add_passkey(teacher, key)
    for _ in range(2):
        browser = await half_way(world, code(6), phone=teacher)
        assert (await browser.ask("POST", GIVE, json={"passkey": key.get(await browser_challenge(browser))})).status_code == 200


async def test_a_new_passkey_must_answer_this_challenge_of_this_site_by_its_verified_owner(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))

    async def enrol(key: Authenticator, **changed: Any) -> tuple[int, str]:
        answer = key.create(await teacher.post(f"{FACTORS}/passkeys/options"), **changed)
        given = await teacher.ask("POST", f"{FACTORS}/passkeys", json={"credential": answer})
        return given.status_code, given.json().get("code", "")

    refused = (422, "HB-IDN-043")
    assert await enrol(authenticator(world), challenge="AAAA") == refused
    assert await enrol(authenticator(world), rp_id="example.org") == refused
    assert await enrol(authenticator(world, verifies=False)) == refused
    assert await enrol(Authenticator("https://hocba.example.org")) == refused
    assert (await teacher.ask("POST", f"{FACTORS}/passkeys", json={"credential": {}})).json()["code"] == "HB-IDN-042"
    assert (await teacher.get(FACTORS))["factors"] == []


async def test_one_challenge_of_one_person_is_no_good_for_another(world: World) -> None:
    administrator = await world.school()
    first, second = await world.staff_member(administrator, code(6)), await world.staff_member(administrator, code(7))
    key, other = authenticator(world), authenticator(world)
    await add_passkey(first, key)
    await add_passkey(second, other)
    mine, theirs = await half_way(world, code(6), phone=first), await half_way(world, code(7), phone=second)
    asked, _ = await browser_challenge(mine), await browser_challenge(theirs)
    assert (await theirs.ask("POST", GIVE, json={"passkey": other.get(asked)})).status_code == 422
    await browser_challenge(theirs)
    assert (await theirs.ask("POST", GIVE, json={"passkey": key.get(asked)})).status_code == 422


# --- looking after them


async def test_with_the_first_factor_every_other_session_of_the_person_ends(world: World) -> None:
    administrator = await world.school()
    teacher = await world.staff_member(administrator, code(6))
    elsewhere = world.browser()
    assert (await elsewhere.sign_in(code(6), PASSWORD)).status_code == 200
    await teacher.enrol_app()
    assert await is_in(teacher)
    assert not await is_in(elsewhere)
    assert await is_in(administrator)


async def test_the_last_factor_of_somebody_who_must_have_one_stays(world: World, administrator: Browser) -> None:
    [first] = (await administrator.get(FACTORS))["factors"]
    kept = await administrator.ask("DELETE", f"{FACTORS}/{first['id']}")
    assert (kept.status_code, kept.json()["code"]) == (409, "HB-IDN-044")
    assert (await add_passkey(administrator, authenticator(world)))["spare_codes"] is None
    left = await administrator.ask("DELETE", f"{FACTORS}/{first['id']}")
    assert [f["kind"] for f in left.json()["factors"]] == ["passkey"]
    assert (await administrator.ask("DELETE", f"{FACTORS}/{first['id']}")).json()["code"] == "HB-IDN-045"


async def test_a_teacher_takes_the_last_factor_away_and_the_spare_codes_go_with_it(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    await teacher.enrol_app()
    [factor] = (await teacher.get(FACTORS))["factors"]
    assert (await teacher.ask("DELETE", f"{FACTORS}/{factor['id']}")).json() == {"factors": [], "spare_codes": 0, "required": False}
    again = world.browser()
    assert (await again.sign_in(code(6), PASSWORD)).json()["missing"] is None


async def test_a_factor_of_somebody_else_cannot_be_taken_away(world: World) -> None:
    administrator = await world.school()
    first, second = await world.staff_member(administrator, code(6)), await world.staff_member(administrator, code(7))
    await first.enrol_app()
    await second.enrol_app()
    [theirs] = (await second.get(FACTORS))["factors"]
    assert (await first.ask("DELETE", f"{FACTORS}/{theirs['id']}")).json()["code"] == "HB-IDN-045"
    assert len((await second.get(FACTORS))["factors"]) == 1


async def test_ten_factors_are_the_most(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    for _ in range(10):
        await add_passkey(teacher, authenticator(world))
    options = await teacher.post(f"{FACTORS}/passkeys/options")
    more = await teacher.ask("POST", f"{FACTORS}/passkeys", json={"credential": authenticator(world).create(options)})
    assert (more.status_code, more.json()["code"]) == (409, "HB-IDN-046")


async def test_changing_the_own_factors_needs_a_confirmation_that_is_not_old(world: World, administrator: Browser) -> None:
    [factor] = (await administrator.get(FACTORS))["factors"]
    await world.db["sessions"].update_many({}, [{"$set": {"confirmed_at": {"$subtract": ["$confirmed_at", 301_000]}}}])
    for method, path in (
        ("POST", f"{FACTORS}/totp"),
        ("POST", f"{FACTORS}/passkeys/options"),
        ("POST", f"{FACTORS}/spare-codes"),
        ("DELETE", f"{FACTORS}/{factor['id']}"),
    ):
        answer = await administrator.ask(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "HB-ACC-428"), path
    assert (await administrator.ask("GET", FACTORS)).status_code == 200


async def test_whoever_loses_everything_enrols_anew_after_the_reset(world: World, administrator: Browser) -> None:
    dropped = await transaction(world.db, lambda session: factors.drop_factors(world.db, session, code(3)))
    assert dropped == 1
    again = world.browser()
    assert (await again.sign_in(code(3), PASSWORD)).json()["missing"] == "enrolment"
    assert not await is_in(again)
    assert len(await again.enrol_app()) == 10
    assert await is_in(again)
    assert not await is_in(administrator)


# --- pages, without scripts


async def test_signing_in_on_the_pages_asks_for_the_code_and_goes_on_to_where_it_was_going(world: World, administrator: Browser) -> None:
    browser = world.browser()
    form = {"version": "TH", "username": code(3), "password": PASSWORD, "next": "/ui/records/classes"}
    asked = await browser.ask("POST", "/ui/identity/sign-in", data=form)
    assert (asked.status_code, asked.headers["Location"]) == (303, f"{STEP}?next=%2Fui%2Frecords%2Fclasses")
    page = await browser.ask("GET", asked.headers["Location"])
    assert page.status_code == 200
    assert 'autocomplete="one-time-code"' in page.text
    csrf = await csrf_of(browser)
    empty = await browser.ask("POST", STEP, data={"csrf": csrf, "code": " ", "next": "/ui/records/classes"})
    assert (empty.status_code, "Nhập mã xác thực" in empty.text) == (422, True)
    wrong = await browser.ask("POST", STEP, data={"csrf": csrf, "code": "000000", "next": "/ui/records/classes"})
    assert (wrong.status_code, "Mã xác thực không đúng" in wrong.text) == (422, True)
    assert (await browser.ask("POST", STEP, data={"csrf": "0" * 64, "code": administrator.app_code()})).status_code == 403
    good = await browser.ask("POST", STEP, data={"csrf": csrf, "code": administrator.app_code(), "next": "/ui/records/classes"})
    assert (good.status_code, good.headers["Location"]) == (303, "/ui/records/classes")
    assert (await browser.ask("GET", STEP)).headers["Location"] == "/ui/identity/"


@pytest.mark.parametrize("address", ["https://example.org/", "//example.org", "/ui/\\example.org", "javascript:alert(1)"])
async def test_the_second_step_leads_to_pages_of_our_own_only(world: World, administrator: Browser, address: str) -> None:
    browser = await half_way(world, phone=administrator)
    page = await browser.client.get(STEP, params={"next": address})
    assert address not in page.text
    form = {"csrf": await csrf_of(browser), "code": administrator.app_code(), "next": address}
    assert (await browser.ask("POST", STEP, data=form)).headers["Location"] == "/ui/identity/"


async def test_an_app_is_added_on_the_pages_and_the_spare_codes_are_shown_once(world: World) -> None:
    teacher = await world.staff_member(await world.school(), code(6))
    begun = await teacher.ask("POST", f"{PAGE}/totp/begin", data={"csrf": await csrf_of(teacher)})
    assert (begun.status_code, begun.headers["Location"]) == (303, f"{PAGE}/totp")
    page = (await teacher.ask("GET", f"{PAGE}/totp")).text
    assert "<svg" in page
    teacher.app_secret = re.search(r"nhập khoá: <span[^>]*>([A-Z2-7 ]+)<", page)[1].replace(" ", "")  # type: ignore[index]  # the match is the assertion
    wrong = await teacher.ask("POST", f"{PAGE}/totp", data={"csrf": await csrf_of(teacher), "code": "000000"})
    assert (wrong.status_code, "Mã xác thực không đúng" in wrong.text) == (422, True)
    form = {"csrf": await csrf_of(teacher), "code": teacher.app_code(), "name": "Điện thoại của tôi"}
    done = await teacher.ask("POST", f"{PAGE}/totp", data=form)
    assert done.status_code == 200
    codes = re.findall(r"<li><span class=\"look-reference\">([a-z2-9-]{17})</span>", done.text)
    assert len(codes) == 10
    listed = (await teacher.ask("GET", PAGE)).text
    assert "Điện thoại của tôi" in listed
    assert "Còn 10 mã dự phòng chưa dùng." in listed
    assert codes[0] not in listed
    factor = re.search(r'name="factor" value="([0-9a-f]{32})"', listed)
    assert factor is not None
    gone = await teacher.ask("POST", f"{PAGE}/remove", data={"csrf": await csrf_of(teacher), "factor": factor[1]})
    assert (gone.status_code, gone.headers["Location"]) == (303, f"{PAGE}?done=removed")
    assert "Đã xoá cách xác thực." in (await teacher.ask("GET", gone.headers["Location"])).text
