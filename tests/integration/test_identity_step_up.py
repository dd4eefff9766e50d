"""Acts that ask anew who is there: in every service, on pages and in the API, and what confirming takes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from contracts.access import Principal, Role
from infra.local import Stack
from services.chassis import clock
from services.chassis.access import TokenVerifier
from services.identity.accounts import sessions
from tests.integration import pages_world
from tests.integration.identity_world import PASSWORD, Browser, World, code, world_of

CONFIRM = "/ui/identity/confirm"
API = "/api/identity/confirmation"
APPROVE = "/api/identity/signing-accounts/approve"
ACCOUNTS = "/ui/identity/signing-accounts"


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


@pytest.fixture
async def administrator(world: World) -> Browser:
    """Of a school with staff; the last confirmation is six minutes old."""
    browser = await world.school()
    await grow_old(world)
    return browser


async def grow_old(world: World) -> None:
    await world.db["sessions"].update_many({}, [{"$set": {"confirmed_at": {"$subtract": ["$confirmed_at", 360_000]}}}])


def code_of(answer: httpx.Response) -> str:
    return str(answer.json().get("code", ""))


async def approve(browser: Browser) -> httpx.Response:
    return await browser.ask("POST", APPROVE, json={"persons": [code(6)]})


def hidden_in(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page):
        found.setdefault(unescape(name), []).append(unescape(value))
    return found


# --- confirming


async def test_a_stale_act_is_refused_and_works_after_confirming(world: World, administrator: Browser) -> None:
    assert (await administrator.ask("GET", "/api/identity/signing-accounts")).status_code == 200, "viewing needs no confirmation"
    stale = await approve(administrator)
    assert (stale.status_code, code_of(stale)) == (403, "HB-ACC-428")
    assert (await administrator.ask("POST", API, json={"password": PASSWORD})).status_code == 200
    assert (await approve(administrator)).status_code == 200
    [done] = await world.audit("identity confirmed")
    assert (done["actor"], done["details"]["by"]) == (code(3), "password")


async def test_signing_in_counts_as_a_confirmation(world: World) -> None:
    assert (await approve(await world.school())).status_code == 200


async def test_the_internal_token_tells_when_the_person_confirmed(world: World, administrator: Browser) -> None:
    verifier = TokenVerifier(world.settings.token_keys_file)

    async def auth_time() -> int:
        checked = await administrator.client.get("/internal/session")
        return verifier.verify(checked.headers["X-Internal-Token"]).auth_time or 0

    before = await auth_time()
    await administrator.post(API, {"password": PASSWORD})
    assert await auth_time() - before >= 360


async def test_confirming_gives_the_session_another_secret(world: World, administrator: Browser) -> None:
    before = administrator.client.cookies[sessions.COOKIE]
    count = await world.db["sessions"].count_documents({})
    await administrator.post(API, {"password": PASSWORD})
    assert administrator.client.cookies[sessions.COOKIE] != before
    assert await world.db["sessions"].count_documents({}) == count
    stolen = world.browser()
    stolen.client.cookies.set(sessions.COOKIE, before)
    assert (await stolen.ask("GET", "/api/identity/me")).status_code == 401


async def test_a_wrong_password_confirms_nothing_and_counts_as_a_guess(world: World, administrator: Browser) -> None:
    said = [code_of(await administrator.ask("POST", API, json={"password": "sai mật khẩu"})) for _ in range(11)]
    assert said == ["HB-IDN-047"] * 10 + ["HB-IDN-002"]
    assert code_of(await administrator.ask("POST", API, json={"password": PASSWORD})) == "HB-IDN-002"
    assert code_of(await approve(administrator)) == "HB-ACC-428"


async def test_nobody_confirms_without_being_signed_in(world: World, administrator: Browser) -> None:
    assert (await world.browser().ask("POST", API, json={"password": PASSWORD})).status_code == 401
    assert (await world.browser().ask("POST", CONFIRM, data={"password": PASSWORD})).status_code == 303


@pytest.mark.parametrize("body", [{}, {"password": PASSWORD, "code": "123456"}, {"password": ""}, {"passkey": "x"}, {"other": 1}])
async def test_exactly_one_proof_is_taken(administrator: Browser, body: dict[str, object]) -> None:
    assert code_of(await administrator.ask("POST", API, json=body)) == "HB-WEB-422"


async def test_an_account_with_a_second_factor_confirms_by_that(light_stack: Stack) -> None:
    async with world_of(light_stack, second_factor="required") as world:
        administrator = await world.school()
        await world.db["accounts"].update_one({"_id": code(3)}, {"$set": {"factors.$[].last_step": 0}})
        await grow_old(world)
        assert code_of(await administrator.ask("POST", API, json={"password": PASSWORD})) == "HB-IDN-049"
        assert code_of(await administrator.ask("POST", API, json={"code": "000000"})) == "HB-IDN-041"
        used = administrator.app_code()
        assert (await administrator.ask("POST", API, json={"code": used})).status_code == 200
        assert (await approve(administrator)).status_code == 200
        assert code_of(await administrator.ask("POST", API, json={"code": used})) == "HB-IDN-041"


# --- on the pages of identity


async def refused_page(browser: Browser) -> httpx.Response:
    csrf = sessions.csrf_of(browser.client.cookies[sessions.COOKIE])
    form = {"csrf": csrf, "decision": "refuse", "ids": [code(6), code(7)]}
    page = await browser.ask("POST", ACCOUNTS, data=form)
    assert page.status_code == 403
    return page


async def test_a_page_asks_and_then_does_what_was_asked_for(world: World, administrator: Browser) -> None:
    asked = await refused_page(administrator)
    kept = hidden_in(asked.text)
    assert kept["target"] == [ACCOUNTS]
    assert kept["kept.ids"] == [code(6), code(7)]
    assert kept["kept.decision"] == ["refuse"]
    empty = await administrator.ask("POST", CONFIRM, data={**kept, "password": ""})
    assert (empty.status_code, "Nhập mật khẩu" in empty.text) == (422, True)
    wrong = await administrator.ask("POST", CONFIRM, data={**kept, "password": "sai mật khẩu"})
    assert (wrong.status_code, "Mật khẩu vừa nhập không đúng." in wrong.text) == (422, True)
    assert {k: v for k, v in hidden_in(wrong.text).items() if k != "csrf"} == {k: v for k, v in kept.items() if k != "csrf"}
    confirmed = await administrator.ask("POST", CONFIRM, data={**kept, "password": PASSWORD})
    assert (confirmed.status_code, "Đã xác nhận" in confirmed.text) == (200, True)
    assert f'<form method="post" action="{ACCOUNTS}" data-go-on>' in confirmed.text
    onward = hidden_in(confirmed.text[confirmed.text.index("data-go-on") :])
    assert onward == {
        "csrf": [sessions.csrf_of(administrator.client.cookies[sessions.COOKIE])],
        "decision": ["refuse"],
        "ids": [code(6), code(7)],
    }
    done = await administrator.ask("POST", ACCOUNTS, data=onward)
    assert done.status_code == 200, "the page that asks for the reason"


async def test_a_form_that_could_not_be_kept_leads_home(administrator: Browser) -> None:
    for target in ("", "https://example.org/", "/api/identity/me", CONFIRM):
        form = {"target": target, "password": PASSWORD, "kept.ids": "x"}
        answer = await administrator.ask("POST", CONFIRM, data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ui/identity/")


async def test_a_page_of_another_site_cannot_confirm(administrator: Browser) -> None:
    form = {"target": ACCOUNTS, "password": PASSWORD}
    for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await administrator.client.post(CONFIRM, data=form, headers=headers)
        assert (answer.status_code, "HB-WEB-403" in answer.text) == (403, True)


async def test_the_value_of_the_session_goes_to_pages_of_identity_only(administrator: Browser) -> None:
    form = {"target": "/ui/publishing/submissions", "password": PASSWORD, "kept.ids": ["a", "b"], "kept.csrf": "x"}
    answer = await administrator.ask("POST", CONFIRM, data=form)
    assert hidden_in(answer.text)["ids"] == ["a", "b"]
    value = sessions.csrf_of(administrator.client.cookies[sessions.COOKIE])
    continuing = answer.text[answer.text.index("data-go-on") : answer.text.index("Tiếp tục</button>")]
    assert value not in continuing


# --- in the other services


@pytest.mark.parametrize(
    ("who", "path", "fields"),
    [
        (pages_world.ADMINISTRATOR, "/ui/publishing/submissions", [("ids", "x")]),
        (pages_world.OFFICER, "/ui/district/certificates", [("act", "approve"), ("ids", "x")]),
        (pages_world.staff(4, "Lê Văn Thư", Role.ISSUER), "/ui/signing/issue", [("ids", "x")]),
        (
            pages_world.staff(4, "Lê Văn Thư", Role.ISSUER),
            "/ui/signing/batches",
            [("step", "issue"), ("ids", "x"), ("username", "u"), ("password", "1234")],
        ),
    ],
    ids=["submit", "decide", "choose to issue", "issue"],
)
async def test_the_acts_of_other_services_ask_too_and_their_views_do_not(
    light_stack: Stack, who: Principal, path: str, fields: list[tuple[str, str]]
) -> None:
    async with pages_world.world_of(light_stack) as world:
        stale = pages_world.Browser(who, world, confirmed_ago=301)
        asked = await stale.send(path, fields)
        assert asked.status == 403
        kept = hidden_in(asked.response.text)
        assert kept.pop("target") == [path]
        assert kept == {f"kept.{name}": [value] for name, value in fields if name != "password"}
        assert (await pages_world.Browser(who, world, confirmed_ago=290).send(path, fields)).status != 403
        if path != "/ui/signing/batches":
            assert (await stale.get(path)).status == 200


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        (pages_world.ADMINISTRATOR, "/api/publishing/submissions", {"transcripts": ["x"]}),
        (pages_world.OFFICER, "/api/district/certificates/approve", {"ids": ["x"]}),
        (pages_world.OFFICER, "/api/district/certificates/refuse", {"ids": ["x"], "reason": "Sai"}),
        (
            pages_world.staff(4, "Lê Văn Thư", Role.ISSUER),
            "/api/signing/batches",
            {"step": "issue", "all": True, "login": {"user": "u", "password": "1234"}},
        ),
    ],
)
async def test_the_api_of_other_services_asks_too(light_stack: Stack, who: Principal, path: str, body: dict[str, object]) -> None:
    async with pages_world.world_of(light_stack) as world:
        said = {}
        for ago in (301, 290):
            at = int(clock.now().timestamp()) - ago
            headers = {"Authorization": f"Bearer {world.tokens.make(who.model_copy(update={'auth_time': at}))}"}
            said[ago] = (await world.clients[path.split("/")[2]].post(path, json=body, headers=headers)).json().get("code", "")
        assert said[301] == "HB-ACC-428"
        assert said[290] != "HB-ACC-428"


async def test_signing_by_teachers_asks_for_no_confirmation(light_stack: Stack) -> None:
    async with pages_world.world_of(light_stack) as world:
        teacher = pages_world.staff(6, "Nguyễn Văn An", Role.SUBJECT_TEACHER)
        stale = pages_world.Browser(teacher, world, confirmed_ago=10**6)
        assert (await stale.send("/ui/signing/subjects", [("ids", "x")])).status == 303
