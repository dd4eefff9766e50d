"""Signing in with an account of the unit's own: a real OpenID provider, its lies, and the link that somebody has to approve."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from infra.local import Stack
from services.chassis.settings import Settings
from services.identity.openid import client
from tests.integration.identity_world import UNIT, Browser, World, code, personal_id, world_of

ROOT = "/ui/identity/sign-in/oidc/sandbox"
TEACHER, OTHER = 6, 7


@dataclass
class Place:
    """A school with its staff, and the provider that knows them, too."""

    world: World
    administrator: Browser
    idp: httpx.AsyncClient

    async def come(self, browser: Browser, number: int, version: str = "TH") -> httpx.Response:
        """All the way: to the provider, in there as this person, and back."""
        away = await self.leave(browser, version)
        return await browser.ask("GET", await self.let_in(away, number))

    async def leave(self, browser: Browser, version: str = "TH") -> str:
        answer = await browser.ask("GET", f"{ROOT}/begin?version={version}&next=/ui/identity/devices")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def let_in(self, away: str, number: int) -> str:
        """The address back, as the provider says it."""
        page = await self.idp.get(away)
        assert page.status_code == 200, page.text
        asked = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text.replace("&amp;", "&")))
        back = await self.idp.post("/authorize", data={**asked, "sub": f"so-{number}"})
        assert back.status_code == 303, back.text
        return str(back.headers["location"])

    async def lie(self, **fault: int) -> None:
        (await self.idp.post("/control/faults", json={"endpoint": "token", **fault})).raise_for_status()

    async def approved(self, browser: Browser, number: int = TEACHER) -> None:
        assert (await self.come(browser, number)).status_code == 403
        [link] = await self.administrator.get("/api/identity/sign-in-links")
        done = await self.administrator.post("/api/identity/sign-in-links/decisions", {"links": [link["id"]], "approved": True})
        assert done["done"] == 1


@pytest.fixture
async def place(light_stack: Stack) -> AsyncIterator[Place]:
    async with world_of(light_stack) as world, httpx.AsyncClient(base_url=light_stack.info["sandbox"]["idp"], trust_env=False) as idp:
        administrator = await world.school()
        users = [{"sub": f"so-{n}", "name": f"Nguyễn Văn {n}", "personal_id": personal_id(n)} for n in (TEACHER, OTHER, 3, 99)]
        (await idp.post("/control/users", json={"users": users})).raise_for_status()
        (await idp.delete("/control/faults")).raise_for_status()
        yield Place(world, administrator, idp)


def said(answer: httpx.Response) -> str:
    found = re.search(r"HB-[A-Z]{3}-\d{3}", answer.text)
    return found[0] if found else ""


async def test_the_first_time_waits_for_the_one_who_looks_after_the_account_and_later_times_come_in(place: Place) -> None:
    browser = place.world.browser()
    first = await place.come(browser, TEACHER)
    assert (first.status_code, said(first)) == (403, "HB-IDN-125")
    assert (await browser.ask("GET", "/api/identity/me")).status_code == 401
    [link] = await place.administrator.get("/api/identity/sign-in-links")
    assert (link["code"], link["state"]) == (code(TEACHER), "WAITING")
    await place.administrator.post("/api/identity/sign-in-links/decisions", {"links": [link["id"]], "approved": True})
    second = await place.come(browser, TEACHER)
    assert (second.status_code, second.headers["location"]) == (303, "/ui/identity/devices")
    me = await browser.get("/api/identity/me")
    assert (me["person"], me["must_change_password"]) == (code(TEACHER), False)
    assert [a["details"]["by"] for a in await place.world.audit("signed in") if "by" in a["details"]] == ["openid:sandbox"]
    assert len(await place.world.audit("sign-in link decided")) == 1


async def test_a_refused_link_says_why_and_never_comes_in(place: Place) -> None:
    browser = place.world.browser()
    await place.come(browser, TEACHER)
    [link] = await place.administrator.get("/api/identity/sign-in-links")
    order = {"links": [link["id"]], "approved": False, "reason": "Không đúng người"}
    await place.administrator.post("/api/identity/sign-in-links/decisions", order)
    again = await place.come(browser, TEACHER)
    assert (again.status_code, said(again)) == (403, "HB-IDN-126")
    assert "Không đúng người" in again.text


async def test_nobody_decides_about_the_own_link_and_no_teacher_about_anybodys(place: Place) -> None:
    await place.come(place.world.browser(), 3)
    assert place.world.root is not None
    [link] = await place.world.root.get("/api/identity/sign-in-links")
    order = {"links": [link["id"]], "approved": True}
    own = await place.administrator.post("/api/identity/sign-in-links/decisions", order)
    assert [item["code"] for item in own["items"]] == ["HB-IDN-031"]
    teacher = await place.world.staff_member(place.administrator, code(TEACHER))
    assert (await teacher.ask("POST", "/api/identity/sign-in-links/decisions", json=order)).status_code == 403
    above = await place.world.root.post("/api/identity/sign-in-links/decisions", order)
    assert above["done"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        "wrong_nonce_next",
        "wrong_audience_next",
        "wrong_issuer_next",
        "expired_next",
        "other_key_next",
        "unsigned_next",
        "no_personal_id_next",
    ],
)
async def test_an_id_token_that_is_not_right_in_every_way_lets_nobody_in(place: Place, fault: str) -> None:
    browser = place.world.browser()
    await place.approved(browser)
    await place.lie(**{fault: 1})
    answer = await place.come(browser, TEACHER)
    assert (answer.status_code, said(answer)) == (422, "HB-IDN-122")
    assert (await browser.ask("GET", "/api/identity/me")).status_code == 401
    assert (await place.come(browser, TEACHER)).status_code == 303


async def test_the_way_back_is_good_once_and_only_in_the_browser_that_left(place: Place) -> None:
    browser = place.world.browser()
    await place.approved(browser)
    back = await place.let_in(await place.leave(browser), TEACHER)
    stolen = await place.world.browser().ask("GET", back)
    assert (stolen.status_code, said(stolen)) == (422, "HB-IDN-123")
    assert said(await browser.ask("GET", back)) == "HB-IDN-123", "it was used up by the attempt"
    good = await place.let_in(await place.leave(browser), TEACHER)
    assert (await browser.ask("GET", good)).status_code == 303
    assert said(await browser.ask("GET", good)) == "HB-IDN-123"


async def test_somebody_who_turned_back_at_the_provider_is_not_signed_in(place: Place) -> None:
    browser = place.world.browser()
    away = await place.leave(browser)
    page = await place.idp.get(away)
    asked = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text.replace("&amp;", "&")))
    back = await place.idp.post("/authorize", data={**asked, "sub": ""})
    answer = await browser.ask("GET", str(back.headers["location"]))
    assert (answer.status_code, said(answer)) == (422, "HB-IDN-122")


async def test_a_personal_id_that_nobody_here_has_and_a_version_that_does_not_fit_come_to_nobody(place: Place) -> None:
    assert said(await place.come(place.world.browser(), 99)) == "HB-IDN-124"
    assert said(await place.come(place.world.browser(), TEACHER, "THPT")) == "HB-IDN-124"
    assert await place.administrator.get("/api/identity/sign-in-links") == []


async def test_a_provider_of_another_branch_speaks_for_nobody_of_this_school(place: Place) -> None:
    openid = place.world.app.state.openid
    assert place.world.root is not None
    await place.world.root.post("/api/identity/units", {"code": "03102", "name": "Phường khác", "parent": "031"})
    here = openid.providers["sandbox"].model_copy(update={"unit": UNIT})
    openid.providers["sandbox"] = here.model_copy(update={"unit": "03102"})
    assert said(await place.come(place.world.browser(), TEACHER)) == "HB-IDN-124"
    openid.providers["sandbox"] = here
    assert said(await place.come(place.world.browser(), TEACHER)) == "HB-IDN-125"


async def test_a_provider_that_is_down_says_so_and_the_password_still_works(place: Place) -> None:
    (await place.idp.post("/control/faults", json={"down": True})).raise_for_status()
    browser = place.world.browser()
    answer = await browser.ask("GET", f"{ROOT}/begin?version=TH")
    assert (answer.status_code, said(answer)) == (503, "HB-IDN-121")
    assert (await browser.ask("GET", "/ui/identity/sign-in")).status_code == 200


async def test_a_second_factor_is_asked_for_after_the_provider_as_after_a_password(place: Place) -> None:
    browser = place.world.browser()
    await place.approved(browser)
    assert (await place.come(browser, TEACHER)).status_code == 303
    await browser.enrol_app()
    again = place.world.browser()
    again.app_secret = browser.app_secret
    assert (await place.come(again, TEACHER)).status_code == 303
    assert (await again.ask("GET", "/api/identity/sessions")).status_code == 401
    assert (await again.give_code(again.app_code(1))).status_code == 200
    assert (await again.ask("GET", "/api/identity/sessions")).status_code == 200


async def test_the_address_to_the_provider_carries_challenge_state_and_nonce_but_no_secret(place: Place, light_stack: Stack) -> None:
    away = await place.leave(place.world.browser())
    asked = {key: values[0] for key, values in parse_qs(urlsplit(away).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert min(len(asked[key]) for key in ("code_challenge", "state", "nonce")) >= 43
    assert asked["redirect_uri"] == f"{place.world.settings.public_url}{ROOT}/callback"
    secret = (light_stack.instance.secrets / "openid-client").read_text().strip()
    assert secret not in away
    begun = await place.world.db["openid_begun"].find().to_list(None)
    assert asked["state"] not in str(begun), "only its digest is kept"


async def test_the_own_link_can_be_taken_away_and_has_to_be_asked_for_anew(place: Place) -> None:
    browser = place.world.browser()
    await place.approved(browser)
    await place.come(browser, TEACHER)
    page = (await browser.ask("GET", "/ui/identity/sign-in-links")).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    link = re.search(r'name="link" value="([0-9a-f]{64})"', page)
    assert csrf is not None
    assert link is not None
    gone = await browser.ask("POST", "/ui/identity/sign-in-links/remove", data={"csrf": csrf[1], "link": link[1]})
    assert gone.status_code == 303
    assert said(await place.come(place.world.browser(), TEACHER)) == "HB-IDN-125"


def test_without_a_file_nobody_signs_in_elsewhere(light_stack: Stack) -> None:
    assert client.read_providers(None) == {}
    assert Settings.model_fields["sign_in_providers_file"].default is None
