"""Sending to the admissions portal on a real database: a portal that is away, forgets, doubts, and transcripts that fall meanwhile.

The last tests speak with the sandbox's portal itself, over mutual TLS.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from contracts.access import Role
from contracts.events.district import AdmissionsDay, LockDatesSetV1
from contracts.events.identity import SchoolChangedV1, UnitChangedV1
from contracts.events.records import TranscriptCancelledV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.mongo import transaction
from services.chassis.settings import needed
from services.means.judging.recognise import read_roots
from services.publishing.admissions import handlers, rules, sending
from services.publishing.admissions.pushing import Pushing
from services.publishing.gateways.admissions import AdmissionsPortal, Standing
from services.publishing.gateways.service_http import GatewayAway, PackageRefused
from tests.integration.delivery_world import YEAR, DeliveryWorld, delivery_world
from tests.integration.pages_world import ADMINISTRATOR, SCHOOL, event_of, staff

PATH = ("031", "03101")


class Crash(Exception):
    """The process ends here."""


@dataclass
class PlayedPortal:
    """Takes pushes and answers as the test says; `plan` names what happens to the next calls, in order."""

    plan: list[Exception | str] = field(default_factory=list)
    taken: dict[str, bytes] = field(default_factory=dict)
    arrivals: list[str] = field(default_factory=list)
    answers: dict[str, Standing] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)

    async def push(self, push: str, body: bytes) -> Standing:
        step = self._step()
        self.arrivals.append(push)
        self.taken[push] = body
        if step == "lost answer":
            raise GatewayAway("ReadTimeout")
        if step == "crash":
            raise Crash
        return self._of(push)

    async def standing(self, push: str) -> Standing | None:
        self._step()
        return self._of(push) if push in self.taken else None

    async def revoke(self, push: str, body: bytes) -> Standing:
        step = self._step()
        self.revoked.append(push)
        if step == "lost answer":
            raise GatewayAway("ReadTimeout")
        return Standing(push=push, state="REVOKED")

    def _step(self) -> str:
        step = self.plan.pop(0) if self.plan else ""
        if isinstance(step, Exception):
            raise step
        return step

    def _of(self, push: str) -> Standing:
        return self.answers.get(push, Standing(push=push, state="RECEIVED"))


@dataclass
class AdmissionWorld:
    delivery: DeliveryWorld
    portal: PlayedPortal
    pushing: Pushing

    @property
    def db(self) -> Any:
        return self.delivery.db

    async def accepted(self, number: int = 1, *, grade: int = 5) -> list[str]:
        ids = await self.delivery.confirmed(number, grade=grade)
        await self.db["submissions"].update_many({"_id": {"$in": ids}}, {"$set": {"state": "ACCEPTED"}, "$inc": {"sequence": 1}})
        return ids

    async def ask_for(self, ids: Sequence[str] | None = None, **chosen: Any) -> dict[str, Any]:
        selection = {"transcripts": ids, "classes": None, "everything": False, **chosen}
        return await sending.push(self.delivery.store, ADMINISTRATOR, request_id="r", **selection)

    async def on_the_way(self, number: int = 1) -> list[str]:
        ids = await self.accepted(number)
        assert (await self.ask_for(ids))["requested"] == number
        return ids

    async def push_of(self, transcript: str) -> str:
        return str((await self.db["admissions"].find_one({"_id": transcript}))["push"])

    async def states(self, ids: Sequence[str]) -> list[str]:
        found = {a["_id"]: a["state"] async for a in self.db["admissions"].find({"_id": {"$in": list(ids)}})}
        return [found[i] for i in ids]

    async def due(self) -> None:
        """The pauses are over, and whoever died holds nothing any more."""
        await self.db["admission_jobs"].update_many({}, {"$set": {"next_at": clock.now()}, "$unset": {"lease": ""}})

    async def withdraw(self, transcript: str) -> None:
        """As the national gateway has obeyed."""

        async def work(session: Any) -> None:
            await self.db["submissions"].update_one({"_id": transcript}, {"$set": {"state": "WITHDRAWN"}}, session=session)
            await handlers.fallen(self.db, session, [transcript], rules.WITHDRAWN, cause="w")

        await transaction(self.db, work)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[AdmissionWorld]:
    async with delivery_world(light_stack) as made:
        portal = PlayedPortal()
        roots = read_roots(needed(made.parts.settings.trust_dir, "trust_dir"))
        yield AdmissionWorld(made, portal, Pushing(made.parts, portal, roots))  # type: ignore[arg-type]  # plays it


async def test_by_class_or_everything_only_what_the_gateway_accepted_of_final_grades_is_sent(world: AdmissionWorld) -> None:
    final, others = await world.accepted(2), await world.accepted(2, grade=4)
    waiting = await world.delivery.confirmed(1, grade=5)
    assert (await world.ask_for(None, classes=["5A0"]))["requested"] == 2
    assert await world.states(final) == [rules.REQUESTED] * 2
    refused = (await world.ask_for([*others, *waiting, *final, "no-such"]))["refused"]
    assert [r["code"] for r in refused] == ["HB-PUB-110"] * 2 + ["HB-PUB-111"] + ["HB-PUB-112"] * 2 + ["HB-PUB-110"]
    assert await world.db["audit"].count_documents({"act": "send to admissions"}) == 2


async def test_down_for_a_while_the_push_goes_out_once_when_the_portal_is_there_again(world: AdmissionWorld) -> None:
    ids = await world.on_the_way()
    world.portal.plan = [GatewayAway("ConnectError")] * 2
    for _ in range(2):
        await world.due()
        assert await world.pushing.push() == 1
    assert await world.states(ids) == [rules.REQUESTED]
    await world.due()
    await world.pushing.push()
    assert await world.states(ids) == [rules.SENT]
    assert len(world.portal.arrivals) == 1


@pytest.mark.parametrize("end", ["lost answer", "crash"])
async def test_an_answer_lost_or_a_process_killed_after_the_portal_took_it_sends_nothing_twice(world: AdmissionWorld, end: str) -> None:
    (transcript,) = await world.on_the_way()
    world.portal.plan = [end]
    if end == "crash":
        with pytest.raises(Crash):
            await world.pushing.push()
    else:
        await world.pushing.push()
    await world.due()
    await world.pushing.push()
    assert await world.states([transcript]) == [rules.SENT]
    assert world.portal.arrivals == [await world.push_of(transcript)]


async def test_a_portal_that_forgot_the_push_gets_the_same_bytes_again(world: AdmissionWorld) -> None:
    (transcript,) = await world.on_the_way()
    await world.pushing.push()
    push = await world.push_of(transcript)
    before = world.portal.taken.pop(push)
    await world.due()
    await world.pushing.ask()
    await world.due()
    await world.pushing.push()
    assert world.portal.taken[push] == before


async def test_a_refusal_is_shown_with_its_reason_and_the_transcript_can_be_sent_again(world: AdmissionWorld) -> None:
    (transcript,) = await world.on_the_way()
    world.portal.plan = [PackageRefused("TS-009", "Mỗi lần gửi tuyển sinh có đúng một học bạ")]
    await world.pushing.push()
    found = await world.db["admissions"].find_one({"_id": transcript})
    assert (found["state"], found["refusal"]["code"]) == (rules.REFUSED, "TS-009")
    assert (await world.ask_for([transcript]))["requested"] == 1
    assert await world.push_of(transcript) != found["push"]


async def test_damaged_files_do_not_go_out_and_the_school_is_told(world: AdmissionWorld) -> None:
    (transcript,) = await world.on_the_way()
    await world.db["submissions"].update_one({"_id": transcript}, {"$set": {"pdf.sha256": "0" * 64}})
    await world.pushing.push()
    found = await world.db["admissions"].find_one({"_id": transcript})
    assert (found["state"], found["refusal"]["code"], world.portal.arrivals) == (rules.REFUSED, "HB-PUB-116", [])


async def test_a_receipt_that_does_not_stand_is_asked_for_again(world: AdmissionWorld) -> None:
    (transcript,) = await world.on_the_way()
    await world.pushing.push()
    world.portal.answers[await world.push_of(transcript)] = Standing(
        push=await world.push_of(transcript), state="RECEIPTED", receipt="a.b.c"
    )
    for _ in range(2):
        await world.due()
        await world.pushing.ask()
    found = await world.db["admissions"].find_one({"_id": transcript})
    assert (found["state"], found["refusal"]["code"], found["receipt"]) == (rules.SENT, "HB-PUB-117", None)
    assert await world.db["audit"].count_documents({"act": "receipt doubted"}) == 1


@pytest.mark.parametrize("sent", [True, False])
async def test_a_withdrawal_after_the_sending_is_told_to_the_portal_until_it_knows(world: AdmissionWorld, sent: bool) -> None:
    (transcript,) = await world.on_the_way()
    if sent:
        await world.pushing.push()
    await world.withdraw(transcript)
    assert await world.pushing.push() == 0
    world.portal.plan = [GatewayAway("ConnectError"), "lost answer"]
    for _ in range(3):
        await world.due()
        await world.pushing.revoke()
    assert await world.states([transcript]) == [rules.REVOKED]
    assert set(world.portal.revoked) == {await world.push_of(transcript)}
    assert len(world.portal.arrivals) == (1 if sent else 0)


async def test_a_cancelled_transcript_is_revoked_and_its_next_version_has_to_be_sent_again(world: AdmissionWorld) -> None:
    (first,) = await world.on_the_way()
    await world.pushing.push()
    fact = TranscriptCancelledV1(school=SCHOOL, class_code="5A0", version=1, cancelled_at=clock.now())
    await world.delivery.tell([event_of(fact, first, sequence=3)])
    assert await world.states([first]) == [rules.REVOKING]
    (second,) = await world.accepted()
    browser = world.delivery.pages.browser()
    page = await browser.get("/ui/publishing/admissions")
    assert {"Cần gửi lại", "Đang báo thu hồi"} <= set(page.page.texts)
    await world.pushing.revoke()
    assert await world.states([first]) == [rules.REVOKED]
    assert (await world.ask_for([second]))["requested"] == 1


async def test_a_withdrawal_while_the_push_is_on_its_way_is_told_after_it(world: AdmissionWorld) -> None:
    (transcript,) = await world.on_the_way()
    taking = world.portal.push

    async def meanwhile(push: str, body: bytes) -> Standing:
        await world.withdraw(transcript)
        return await taking(push, body)

    world.portal.push = meanwhile  # type: ignore[method-assign]  # something happens in between
    await world.pushing.push()
    await world.due()
    await world.pushing.revoke()
    assert await world.states([transcript]) == [rules.REVOKED]
    assert world.portal.revoked == world.portal.arrivals


async def test_a_deadline_of_the_oversight_unit_is_shown_and_kept(world: AdmissionWorld) -> None:
    (transcript,) = await world.accepted()
    today = clock.in_vietnam(clock.now()).date()
    await world.delivery.tell([event_of(UnitChangedV1(code="03101", name="Phường An Hải", path=PATH), "03101")])
    await world.delivery.tell([event_of(SchoolChangedV1(code=SCHOOL, name="Trường", levels=("TH",), tax_code="1", path=PATH), SCHOOL)])

    async def last_day(on: dt.date, sequence: int) -> None:
        fact = LockDatesSetV1(unit="03101", year=YEAR, school=None, dates=(), admissions=(AdmissionsDay(grade=5, on=on),))
        await world.delivery.tell([event_of(fact, f"03101:{YEAR}:common", sequence=sequence)])

    await last_day(today - dt.timedelta(days=1), 1)
    assert [r["code"] for r in (await world.ask_for([transcript]))["refused"]] == ["HB-PUB-114"]
    page = await world.delivery.pages.browser().get("/ui/publishing/admissions")
    assert "Phường An Hải" in page.text
    assert "Đã khóa gửi tuyển sinh sau ngày" in page.text
    await last_day(today, 2)
    assert (await world.ask_for([transcript]))["requested"] == 1


async def test_only_the_administrator_sends_and_a_teacher_does_not_see_the_page(world: AdmissionWorld) -> None:
    (transcript,) = await world.accepted()
    for role, seen in ((Role.MANAGER, 200), (Role.SUBJECT_TEACHER, 403)):
        browser = world.delivery.pages.browser(staff(77, "Người khác", role))
        assert (await browser.get("/ui/publishing/admissions")).status == seen
        assert (await browser.send("/ui/publishing/admissions", [("ids", transcript)])).status == 403
    sent = await world.delivery.pages.browser().send("/ui/publishing/admissions", [("ids", transcript)])
    assert sent.where == "/ui/publishing/admissions?did=push&n=1&left=0&why="


# --- with the sandbox's portal


@dataclass
class Real:
    world: AdmissionWorld
    pushing: Pushing
    control: httpx.AsyncClient

    async def misbehave(self, **order: Any) -> None:
        (await self.control.post("/control/faults", json=order)).raise_for_status()

    async def until(self, transcript: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The worker's loops go round until it is so."""

        async def so() -> dict[str, Any] | None:
            await self.world.due()
            for loop in (self.pushing.push, self.pushing.ask, self.pushing.revoke):
                while await loop():
                    pass
            found: dict[str, Any] = await self.world.db["admissions"].find_one({"_id": transcript})
            return found if wanted(found) else None

        for _ in range(200):
            if (found := await so()) is not None:
                return found
            await asyncio.sleep(0.05)
        raise TimeoutError(transcript)


@pytest.fixture
async def real(world: AdmissionWorld, light_stack: Stack) -> AsyncIterator[Real]:
    parts = world.delivery.parts
    url = light_stack.info["sandbox"]["admissions"]
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as control:
        made = Real(world, Pushing(parts, AdmissionsPortal(parts.settings), world.pushing.roots), control)
        # these documents bear no signature; tests/unit/sandbox/test_admissions.py has ones that do
        await made.misbehave(skip_validation=True)
        yield made
        (await control.delete("/control/faults")).raise_for_status()


async def test_the_portals_receipt_is_verified_kept_shown_and_handed_out(real: Real) -> None:
    (transcript,) = await real.world.on_the_way()
    found = await real.until(transcript, lambda a: a["state"] == rules.RECEIPTED)
    body = await real.pushing._package(await real.world.db["admission_jobs"].find_one({"_id": found["push"]}))
    assert body is not None
    assert found["receipt"]["sha256"] == hashlib.sha256(body).hexdigest()
    browser = real.world.delivery.pages.browser()
    page = await browser.get(f"/ui/publishing/admissions/{transcript}")
    assert found["receipt"]["number"] in page.text
    download = await browser.get(f"/api/publishing/admissions/{transcript}/receipt")
    assert download.response.text == found["receipt"]["jws"]
    assert download.response.headers["content-type"] == "application/jose"


async def test_a_forged_receipt_and_one_about_other_bytes_are_not_believed(real: Real) -> None:
    for fault, words in (("forged_receipt", "chữ ký không đúng"), ("wrong_receipt", "mã băm của gói")):
        await real.misbehave(**{fault: 1})
        (transcript,) = await real.world.on_the_way()
        found = await real.until(transcript, lambda a: a["refusal"] is not None)
        assert (found["state"], found["refusal"]["code"]) == (rules.SENT, "HB-PUB-117")
        assert words in found["refusal"]["reason"]


async def test_what_was_receipted_and_then_withdrawn_is_struck_out_at_the_portal(real: Real) -> None:
    (transcript,) = await real.world.on_the_way()
    await real.until(transcript, lambda a: a["state"] == rules.RECEIPTED)
    await real.world.withdraw(transcript)
    found = await real.until(transcript, lambda a: a["state"] == rules.REVOKED)
    ledger = (await real.control.get("/control/ledger", params={"school": SCHOOL})).json()
    assert [(p["state"], p["arrivals"]) for p in ledger["pushes"] if p["id"] == found["push"]] == [("REVOKED", 1)]
    assert [r["why"] for r in ledger["revocations"] if r["push_id"] == found["push"]] == ["WITHDRAWN"]


async def test_a_portal_that_misbehaves_in_every_way_ends_each_transcript_once_in_the_state_it_has_there(real: Real) -> None:
    await real.misbehave(fail_percent=20, lose_answer_percent=20, refuse_next=2)
    ids = await real.world.on_the_way(12)
    for each in ids:
        await real.until(each, lambda a: a["state"] in (rules.RECEIPTED, rules.REFUSED))
    ledger = (await real.control.get("/control/ledger", params={"school": SCHOOL})).json()["pushes"]
    there = {p["uuid"]: p["state"] for p in ledger if p["uuid"] in ids}
    assert there == dict(zip(ids, await real.world.states(ids), strict=True))
    assert sorted(there.values()) == ["RECEIPTED"] * 10 + ["REFUSED"] * 2
    assert len([p for p in ledger if p["uuid"] in ids]) == 12
