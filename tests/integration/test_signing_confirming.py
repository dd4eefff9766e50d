"""Batches confirmed without a phone, by pages: PIN and one-time password, and the provider's own page with the way back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from bson import json_util

from infra.local import Stack
from infra.sandbox.provider.modes import PIN
from services.chassis.mongo import Document
from services.signing import runner
from services.signing.confirming_pages import BACK
from services.signing.runner import Runner
from tests.integration.batch_world import TEACHER, Batches, batches_on
from tests.integration.pages_world import PASSWORD, Answer, Browser, staff

BATCHES = "/ui/signing/batches"
STRANGER = staff(921, "Người khác", *TEACHER.roles)


@dataclass
class Confirming:
    """One teacher at the pages, and a worker that goes on when it is told to."""

    batches: Batches
    worker: Runner
    browser: Browser

    async def mode(self, confirmation: str) -> None:
        order = {"user": TEACHER.person, "confirmation": confirmation}
        (await self.batches.provider.post("/control/modes", json=order)).raise_for_status()

    async def started(self) -> str:
        """The id of a batch of two documents."""
        documents = await self.batches.documents(2)
        fields = [("step", "subjects"), ("username", TEACHER.person), ("password", PASSWORD), *(("ids", d) for d in documents)]
        return (await self.browser.send(BATCHES, fields)).where.partition("?")[0].rpartition("/")[2]

    async def waiting(self) -> str:
        """The same, when its hashes are there."""
        batch = await self.started()
        await self.batches.reaches(self.worker, batch, lambda kept: kept["state"] == "waiting")
        return batch

    async def ended(self, batch: str) -> set[tuple[str, str]]:
        await self.batches.ended(self.worker, batch)
        return set(await self.batches.outcomes(batch))

    async def typed(self, batch: str, *secrets: str) -> Answer:
        return await self.browser.send(f"{BATCHES}/{batch}/confirmation", [(f"password-{n}", s) for n, s in enumerate(secrets)])

    async def sent_code(self) -> str:
        return str((await self.batches.provider.get("/control/codes")).json()[TEACHER.person])

    async def on_the_page(self, batch: str, **form: str) -> str:
        """As the person's browser goes to the provider's page and is led back; the address of the way back."""
        away = (await self.browser.get(f"{BATCHES}/{batch}/provider")).where
        asked = {key: values[0] for key, values in parse_qs(urlsplit(away).query).items()}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as outside:
            assert "Số chữ ký: 2" in (await outside.get(away)).text
            answer = await outside.post(away.partition("?")[0], data={**asked, "user": TEACHER.person, "password": PASSWORD, **form})
        back = urlsplit(answer.headers["location"])
        assert f"{back.scheme}://{back.netloc}" == self.batches.world.settings["signing"].public_url
        assert back.path == BACK
        return f"{back.path}?{back.query}"

    async def everything_kept(self) -> str:
        db = self.batches.store.db
        found: list[Document] = [d for name in await db.list_collection_names() async for d in db[name].find({})]
        return json.dumps(found, default=json_util.default)


@pytest.fixture
async def confirming(light_stack: Stack) -> AsyncIterator[Confirming]:
    async with batches_on(light_stack) as batches:
        made = Confirming(batches, batches.worker(), batches.world.browser(TEACHER))
        yield made
        await made.mode("push")
        (await batches.provider.delete("/control/modes")).raise_for_status()


async def test_a_pin_and_a_password_that_is_sent_sign_the_batch_and_are_kept_nowhere(confirming: Confirming) -> None:
    await confirming.mode("pin_otp")
    batch = await confirming.waiting()
    assert "Nhập mã PIN và mã OTP để ký cả đợt" in (await confirming.browser.get(f"{BATCHES}/{batch}")).text
    for said in ("Đã gửi mã OTP.", "Mã OTP vừa được gửi"):
        where = (await confirming.browser.send(f"{BATCHES}/{batch}/confirmation/code", [])).where
        assert said in (await confirming.browser.get(where)).text
    code = await confirming.sent_code()
    missing = await confirming.typed(batch, PIN, "")
    assert (missing.status, "Nhập Mã OTP gửi qua tin nhắn." in missing.text) == (422, True)
    wrong = await confirming.typed(batch, PIN, "không")
    assert (wrong.status, "HB-SIG-097" in wrong.text, PIN in wrong.response.text) == (422, True, False)
    assert (await confirming.typed(batch, PIN, code)).where == f"{BATCHES}/{batch}"
    kept = await confirming.everything_kept()
    assert [f'"{secret}"' in kept for secret in (PIN, code, batch)] == [False, False, True]
    assert await confirming.ended(batch) == {("embedded", "")}
    late = await confirming.typed(batch, PIN, code)
    assert (late.status, "HB-SIG-098" in late.text) == (409, True)


async def test_a_locked_credential_ends_the_batch_with_the_reason_in_words(confirming: Confirming) -> None:
    await confirming.mode("pin")
    batch = await confirming.waiting()
    for _ in range(5):
        assert (await confirming.typed(batch, "0")).status == 422
    assert (await confirming.typed(batch, PIN)).status == 303
    assert await confirming.ended(batch) == {("failed", "HB-SIG-012")}
    assert "tài khoản ký đang bị khóa" in (await confirming.browser.get(f"{BATCHES}/{batch}")).text


async def test_what_is_not_confirmed_in_time_waits_to_be_signed_again(confirming: Confirming, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CONFIRM_WITHIN", dt.timedelta(0))
    await confirming.mode("pin")
    batch = await confirming.started()
    await confirming.batches.reaches(confirming.worker, batch, lambda kept: bool(kept["state"] != "preparing"))
    assert await confirming.ended(batch) == {("expired", "HB-SIG-099")}


async def test_an_agreement_on_the_providers_page_comes_back_once_and_to_its_person_alone(confirming: Confirming) -> None:
    await confirming.mode("page")
    batch = await confirming.waiting()
    assert "Đến trang của nhà cung cấp để xác nhận" in (await confirming.browser.get(f"{BATCHES}/{batch}")).text
    back = await confirming.on_the_page(batch)
    assert (await confirming.batches.world.browser(STRANGER).get(back)).status == 409
    assert (await confirming.browser.get(f"{BACK}?state=made-up&code=x")).status == 409
    assert (await confirming.browser.get(back)).where == f"{BATCHES}/{batch}"
    assert await confirming.ended(batch) == {("embedded", "")}
    assert (await confirming.browser.get(back)).status == 409


async def test_a_refusal_on_the_providers_page_ends_the_batch_as_a_refusal_on_the_phone_does(confirming: Confirming) -> None:
    await confirming.mode("page")
    batch = await confirming.waiting()
    assert (await confirming.browser.get(await confirming.on_the_page(batch, answer="refuse"))).where == f"{BATCHES}/{batch}"
    assert await confirming.ended(batch) == {("refused", "HB-SIG-009")}
