"""What batches live through: crashes between any two lines, documents that go on without them, people who change their minds."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.access import Role
from infra.local import Stack
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.means.remote import Authorized
from services.means.validation_data import Prover, ValidationDataUnavailable
from services.means.x509 import describe
from services.signing import batches, overdue
from services.signing.runner import Runner
from services.signing.tasks import dropped
from tests.integration.agent_world import until_true
from tests.integration.batch_world import Batches, batches_on
from tests.integration.pages_world import PASSWORD, SCHOOL, staff

QUEUE, LIST = "/ui/signing/subjects", "/ui/signing/batches"


@pytest.fixture
async def here(light_stack: Stack) -> AsyncIterator[Batches]:
    async with batches_on(light_stack) as made:
        yield made


class LosesValues(Runner):
    """Dies, so to speak, between the provider's answer and its being stored."""

    lost = False

    async def _values(self, *arguments: Any, **more: Any) -> list[bytes]:
        values = await super()._values(*arguments, **more)
        if not self.lost:
            self.lost = True
            raise ConnectionError("the database is away")
        return values


class HeldUp(Runner):
    """Its machine stands still between embedding and writing down, for longer than its lease: another run ends the batch meanwhile."""

    stood = False

    async def _record(self, batch: dict[str, Any], *arguments: Any) -> None:
        if not self.stood:
            self.stood = True
            past = clock.now() - dt.timedelta(hours=1)
            await self.store.db["batches"].update_one({"_id": batch["_id"]}, {"$set": {"lease.until": past}})

            async def ended() -> bool:
                await self.round()
                return bool((await self.store.batch(batch["_id"]))["state"] == "finished")

            await until_true(ended)
        await super()._record(batch, *arguments)


class DropsOne(Runner):
    """A document is cancelled while its signature is on the way back."""

    dropped: str = ""

    async def _returned(self, *arguments: Any) -> dict[str, list[bytes]]:
        values = await super()._returned(*arguments)
        if self.dropped:
            task = (await self.store.load_tasks(None, [self.dropped]))[self.dropped]
            await transaction(self.store.db, lambda tx: self.store.save_tasks(tx, [Change(dropped(task))], actor="records"))
            self.dropped = ""
        return values


class StoppedAtTheLastMoment(Runner):
    """Its person stops the batch when the phone has confirmed and nobody has written that down yet."""

    here: Batches
    told: bool | None = None

    async def _asked(self, batch: dict[str, Any], *arguments: Any) -> Any:
        answer = await super()._asked(batch, *arguments)
        if isinstance(answer, Authorized) and self.told is None:
            self.told = await batches.cancel(self.store, self.here.who, batch["_id"])
        return answer


async def test_values_that_were_lost_on_their_way_are_asked_for_again_and_nothing_goes_back_to_the_queue(here: Batches) -> None:
    ids = await here.documents(3)
    started = await here.start(ids)
    batch = await here.ended(here.worker(LosesValues), started["batch"])
    assert await here.outcomes(batch["_id"]) == [("embedded", "")] * 3
    assert batch["asked_again"] == 1
    assert await here.world.db("signing")["signatures"].count_documents({"transcript": {"$in": ids}}) == 3
    assert {"token", "sad", "handle"} & set(batch) == set()


async def test_a_run_that_stood_still_for_longer_than_its_lease_takes_nothing_back_that_another_has_done(here: Batches) -> None:
    ids = await here.documents(3)
    started = await here.start(ids)
    worker = here.worker(HeldUp)
    await here.ended(worker, started["batch"])
    assert isinstance(worker, HeldUp)
    assert worker.stood
    assert await here.outcomes(started["batch"]) == [("embedded", "")] * 3
    acts = [a["act"] async for a in here.world.db("signing")["audit"].find({"subject": started["batch"]})]
    assert sorted(acts) == ["sign", "start batch"]


async def test_what_was_confirmed_in_time_counts_although_nobody_was_here_to_ask(here: Batches) -> None:
    await here.phone("manual")
    ids = await here.documents(2)
    started = await here.start(ids)
    gone = here.worker()
    await here.reaches(gone, started["batch"], lambda b: bool(b.get("handle")))
    for task in gone.running:
        task.cancel()
    await asyncio.gather(*gone.running, return_exceptions=True)
    pending = (await here.provider.get("/control/phone/pending")).json()["pending"]
    [asked] = [each for each in pending if each["user"] == here.who.person]
    assert (await here.provider.post(f"/phone/{asked['handle']}/confirm")).status_code == 303
    past = clock.now() - dt.timedelta(minutes=1)
    await here.world.db("signing")["batches"].update_one({"_id": started["batch"]}, {"$set": {"deadline": past}})
    await here.ended(here.worker(), started["batch"])
    assert await here.outcomes(started["batch"]) == [("embedded", "")] * 2


async def test_what_nobody_confirmed_in_time_ends_and_is_not_asked_for_again(here: Batches) -> None:
    await here.phone("manual")
    started = await here.start(await here.documents(2))
    worker = here.worker()
    await here.reaches(worker, started["batch"], lambda b: bool(b.get("handle")))
    await here.world.db("signing")["batches"].update_one(
        {"_id": started["batch"]}, {"$set": {"deadline": clock.now() - dt.timedelta(minutes=1), "hinted": True}}
    )
    for task in worker.running:
        task.cancel()
    await asyncio.gather(*worker.running, return_exceptions=True)
    await here.ended(here.worker(), started["batch"])
    assert await here.outcomes(started["batch"]) == [("expired", "HB-SIG-010")] * 2


async def test_a_document_that_is_cancelled_meanwhile_stays_cancelled_and_the_others_are_signed(here: Batches) -> None:
    ids = await here.documents(3)
    worker = here.worker(DropsOne)
    assert isinstance(worker, DropsOne)
    worker.dropped = ids[1]
    started = await here.start(ids)
    await here.ended(worker, started["batch"])
    assert await here.outcomes(started["batch"]) == [("embedded", ""), ("stale", "HB-SIG-070"), ("embedded", "")]
    tasks = await here.store.load_tasks(None, ids)
    assert (tasks[ids[1]]["step"], tasks[ids[1]]["signatures"]) == ("cancelled", [])


async def test_who_was_told_that_a_batch_is_stopped_was_told_the_truth(here: Batches) -> None:
    ids = await here.documents(2)
    before = await here.signed_hashes()
    started = await here.start(ids)
    worker = here.worker(StoppedAtTheLastMoment)
    assert isinstance(worker, StoppedAtTheLastMoment)
    worker.here = here
    await here.ended(worker, started["batch"])
    assert worker.told is True
    assert await here.outcomes(started["batch"]) == [("cancelled", "HB-SIG-013")] * 2
    assert await here.signed_hashes() == before
    assert await batches.cancel(here.store, here.who, started["batch"]) is False


async def test_a_batch_waits_for_its_turn_then_for_the_phone_and_says_so_wherever_it_is_looked_at(here: Batches) -> None:
    await here.phone("manual")
    ids = await here.documents(3)
    browser = here.world.browser(here.who)
    order = [("step", "subjects"), *(("ids", i) for i in ids), ("username", here.who.person), ("password", PASSWORD)]
    where = (await browser.send(LIST, order)).where.partition("?")[0]
    assert "Lô của thầy/cô đứng thứ 1 trong hàng chờ ký." in (await browser.get(where)).text
    worker = here.worker()
    batch = where.rpartition("/")[2]
    await here.reaches(worker, batch, lambda b: bool(b.get("handle")))
    assert "Chờ xác nhận ký số" in (await browser.get(where)).text
    told = await browser.get(f"{where}/events?seconds=0")
    assert told.response.headers["content-type"].startswith("text/event-stream")
    [message] = [json.loads(line.removeprefix("data: ")) for line in told.response.text.splitlines() if line.startswith("data: ")]
    assert (message["state"], message["place"]) == ("waiting", None)
    assert sum(message["counts"].values()) == 3
    listed = await browser.get(LIST)
    assert where in listed.page.values("href")
    assert "Chờ xác nhận ký số" in listed.text
    await browser.send(f"{where}/cancel", [])
    await here.ended(worker, batch)
    ended = await browser.get(where)
    assert "Ký lại các hồ sơ lỗi (3)" in ended.text
    assert "Đã kết thúc" in (await browser.get(LIST)).text


async def test_before_the_password_is_asked_for_every_document_that_cannot_be_signed_is_named_with_the_reason(here: Batches) -> None:
    ids = await here.documents(4)
    db = here.world.db("signing")
    missing = {"bucket": "signing", "key": "samples/none.xml", "sha256": "0" * 64, "size": 1}
    await db["tasks"].update_one({"_id": ids[0]}, {"$set": {"content": missing}})
    await db["tasks"].update_one({"_id": ids[1]}, {"$set": {f"claims.{here.who.person}": "another"}})
    await db["tasks"].update_one({"_id": ids[2]}, {"$set": {"year": "2024-2025"}})
    await db["year_locks"].insert_one({"_id": "x", "school": SCHOOL, "year": "2024-2025", "locked": True})
    asked = await here.world.browser(here.who).send(QUEUE, [("act", "sign"), *(("ids", i) for i in ids)])
    assert asked.status == 200
    assert "Bạn có chắc chắn muốn ký 1 học bạ? Đã chọn 4, trong đó 3 học bạ chưa ký được" in asked.text
    for code in ("HB-SIG-014", "HB-SIG-007", "HB-SIG-030"):
        assert code in asked.text
    assert "Chưa kiểm tra được" not in asked.text
    assert [a["value"] for tag, a in asked.page.elements if tag == "input" and a.get("name") == "ids"] == [ids[3]]


async def test_while_the_provider_is_away_no_password_is_asked_for(here: Batches) -> None:
    ids = await here.documents(1)
    await here.faults(endpoint="*", down=True)
    asked = await here.world.browser(here.who).send(QUEUE, [("act", "sign"), ("ids", ids[0])])
    assert "tạm thời không kết nối được" in asked.text
    assert all(a.get("type") != "password" for tag, a in asked.page.elements if tag == "input")


async def test_what_waits_too_long_for_its_turn_is_let_go_and_whatever_is_late_is_counted(here: Batches) -> None:
    started = await here.start(await here.documents(2))
    past = clock.now() - dt.timedelta(hours=1)
    await here.world.db("signing")["batches"].update_one({"_id": started["batch"]}, {"$set": {"deadline": past}})
    assert await overdue.look(here.store) == 1
    await here.ended(here.worker(), started["batch"])
    assert await here.outcomes(started["batch"]) == [("failed", "HB-SIG-071")] * 2
    assert await overdue.look(here.store) == 0


async def test_a_retry_is_a_new_batch_of_exactly_what_failed(here: Batches) -> None:
    ids = await here.documents(4)
    await here.faults(wrong_signature_next=1)
    started = await here.start(ids)
    worker = here.worker()
    await here.ended(worker, started["batch"])
    outcomes = await here.outcomes(started["batch"])
    assert sorted(outcomes) == [("embedded", "")] * 3 + [("failed", "HB-SIG-011")]
    again = await here.world.browser(here.who).send(f"{LIST}/{started['batch']}/retry", [])
    chosen = [str(a["value"]) for tag, a in again.page.elements if tag == "input" and a.get("name") == "ids"]
    items = await here.store.items(started["batch"])
    assert chosen == [i["transcript"] for i in items if i["state"] == "failed"]
    second = await here.start(chosen)
    await here.ended(worker, second["batch"])
    assert await here.outcomes(second["batch"]) == [("embedded", "")]


async def test_a_certificate_that_its_issuer_revoked_starts_no_batch_and_asks_no_phone(here: Batches, light_stack: Stack) -> None:
    await here.phone("manual")
    # the sandbox keeps what was revoked, for all tests
    here.who = staff(921, "Hoàng Thị Oanh", Role.SUBJECT_TEACHER)
    await here.world.approve(here.who, "031190000921")
    ids = await here.documents(2)
    started = await here.start(ids[:1])
    account = await here.store.account("person", here.who.person)
    assert account is not None
    serial = describe(b64decode(account["certificate"])).serial
    async with httpx.AsyncClient(base_url=light_stack.info["sandbox"]["pki"], timeout=60, trust_env=False) as pki:
        (await pki.post("/control/revoke", json={"serial": serial})).raise_for_status()
    asked = await here.world.browser(here.who).send(QUEUE, [("act", "sign"), ("ids", ids[1])])
    assert "Đơn vị cấp chứng thư số trả lời" in asked.text
    assert all(a.get("type") != "password" for tag, a in asked.page.elements if tag == "input")
    with pytest.raises(Refused) as refused:
        await here.start(ids[1:])
    assert refused.value.code == "HB-SIG-072"
    batch = await here.ended(here.worker(), started["batch"])
    assert await here.outcomes(batch["_id"]) == [("failed", "HB-SIG-072")]
    assert not batch.get("asked_again")


async def test_while_nobody_can_say_whether_it_is_revoked_signing_goes_on_and_the_page_says_so(
    here: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> None:
        raise ValidationDataUnavailable("away")

    monkeypatch.setattr(Prover, "prove", nobody)
    ids = await here.documents(1)
    asked = await here.world.browser(here.who).send(QUEUE, [("act", "sign"), ("ids", ids[0])])
    assert "Chưa kiểm tra được chứng thư số có bị thu hồi không" in asked.text
    started = await here.start(ids)
    await here.ended(here.worker(), started["batch"])
    assert await here.outcomes(started["batch"]) == [("embedded", "")]
