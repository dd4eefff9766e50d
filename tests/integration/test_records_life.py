"""Return, cancellation, confirmation across services: every event goes to whoever listens, in the order of its topic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.access import Principal, Role
from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.publishing import TranscriptRefusedV1
from contracts.events.signing import StepSignedV1, SubjectSignedV1, TranscriptSealedV1
from infra.local import Stack
from services.chassis import clock
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.chassis.mongo import Document, Session, transaction
from services.district import handlers as district
from services.district.store import Store as DistrictStore
from services.publishing import handlers as publishing
from services.publishing.store import Store as PublishingStore
from services.records import handlers as records
from services.records.cancellation.errors import NOT_RENDERED
from services.records.locks.desk import lock_year
from services.records.store import Store as RecordsStore
from services.signing import batches, returning
from services.signing import handlers as signing
from services.signing.errors import UNPROVABLE
from services.signing.providers import Providers
from services.signing.store import Store as SigningStore
from services.signing.tasks import SEALING, at_step, signed
from tests.integration.pages_world import (
    ADMINISTRATOR,
    PASSWORD,
    SCHOOL,
    YEAR,
    Browser,
    World,
    event_of,
    signature,
    staff,
    world_of,
)
from tests.integration.test_pages import fields, row_of, sound, ticks

CLASS = "5A"
FILE = DocumentRef(bucket="signing", key="x", sha256="0" * 64, size=90_412)
REASON = "Điểm môn Tiếng Việt chưa đúng với sổ điểm."
NO_FAULT = "Đã đối chiếu với sổ điểm, không có sai sót."
PAGE = "/ui/records/cancellation"


@dataclass
class Life:
    """The world with its events on the way, and the pupils of one class."""

    world: World
    ids: list[str] = field(default_factory=list)
    handed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.records = RecordsStore(self.world.db("records"))
        self.signing = SigningStore(self.world.db("signing"))
        self.listeners = [
            *((self.records.db, c) for c in records.consumers(self.records)),
            *((self.signing.db, c) for c in signing.consumers(self.signing)),
            *((self.world.db("publishing"), c) for c in publishing.consumers(PublishingStore(self.world.db("publishing")))),
            *((self.world.db("district"), c) for c in district.consumers(DistrictStore(self.world.db("district")))),
        ]

    async def carry(self) -> None:
        """Hands on what was told until nobody tells anything more."""
        while True:
            fresh = [
                d
                for service in ("records", "signing", "publishing")
                async for d in self.world.db(service)["outbox"].find({"_id": {"$nin": list(self.handed)}}).sort([("sequence", 1)])
            ]
            if not fresh:
                return
            for document in fresh:
                self.handed.add(document["_id"])
                kind = json.loads(document["body"])["type"]
                for db, consumer in self.listeners:
                    if consumer.name == document["topic"] and kind in consumer.handlers:
                        fact, handler = consumer.handlers[kind]
                        event: Event[Any] = Event[fact].model_validate_json(document["body"])  # type: ignore[valid-type]  # chosen at run time

                        async def work(session: Session, event: Event[Any] = event, handler: Any = handler) -> None:
                            await handler(session, [event])

                        await transaction(db, work)

    async def task(self, transcript: str) -> Document:
        return await self.signing.task(transcript)

    async def transcript(self, transcript: str) -> Document:
        return await self.records.transcript(transcript)

    async def states(self) -> dict[str, int]:
        found = [t["state"] async for t in self.records.db["transcripts"].find({}, projection={"state": 1})]
        return {s: found.count(s) for s in set(found)}

    async def signs(self, transcript: str, step: str, person: Principal) -> None:
        """As a batch records it, without a key."""
        told = signature(step, person)
        files = {"xml": FILE.model_dump(mode="json"), "pdf": FILE.model_dump(mode="json")}

        async def work(session: Session) -> None:
            task = (await self.signing.load_tasks(session, [transcript]))[transcript]
            after = signed(task, person.person, step, told, f"{step}-{person.person}", **(files if step != "subjects" else {}))
            fact = (
                SubjectSignedV1(signature=told, remaining=len(after["waiting"]))
                if step == "subjects"
                else StepSignedV1(step=step, signature=told, xml=FILE, pdf=FILE)
            )
            await self.signing.save_tasks(session, [Change(after, fact)], actor=person.person)

        await transaction(self.signing.db, work)

    async def put_at(self, step: str, state: str, ids: list[str]) -> None:
        """As if everybody before had signed; both services know it."""
        for store, collection in ((self.records, "transcripts"), (self.signing, "tasks")):
            async for document in store.db[collection].find({"_id": {"$in": ids}}):
                after = (
                    at_step(document, step) if collection == "tasks" else {**document, "state": state, "pdf": FILE.model_dump(mode="json")}
                )
                await store.db[collection].replace_one({"_id": document["_id"]}, after)

    async def signed_by_all(self, ids: list[str]) -> None:
        await self.put_at("done", "SIGNED", ids)

    async def person(self, code: str, *roles: Role) -> tuple[Principal, str]:
        """One of the staff, with the personal id."""
        found = await self.records.db["staff"].find_one({"data.code": code})
        assert found is not None
        return staff(int(code[-3:]), found["data"]["name"], *roles), found["data"]["personal_id"]

    async def subject_teachers(self) -> list[tuple[Principal, str]]:
        codes = (await self.task(self.ids[0]))["waiting"]
        return [await self.person(c, Role.SUBJECT_TEACHER) for c in codes]


BEGUN: dict[str, dict[str, list[Document]]] = {}
"""By service and collection: how a life begins. Importing and creating are done once, for all tests of this file."""


@pytest.fixture
async def life(light_stack: Stack) -> AsyncIterator[Life]:
    async with world_of(light_stack) as world:
        made = Life(world)
        for service, collections in BEGUN.items():
            for name, documents in collections.items():
                await world.db(service)[name].insert_many(documents)
        if not BEGUN:
            await world.imported()
            await world.browser().send("/ui/records/classes", [("ids", CLASS), ("sure", "1")])
            await world.create_all()
            await made.carry()
            for service in ("records", "signing", "district"):
                db = world.db(service)
                names = [n for n in await db.list_collection_names() if n != "outbox"]
                BEGUN[service] = {n: found for n in names if (found := await db[n].find({}).to_list(None))}
            await world.db("records")["outbox"].delete_many({})
        made.ids = [d["_id"] async for d in world.db("records")["transcripts"].find({}).sort("number", 1)]
        assert len(made.ids) == 32
        yield made


async def sends_back(browser: Browser, step: str, ids: list[str], reason: str = REASON) -> str:
    ask = sound(await browser.send(f"/ui/signing/{step}", [("act", "return"), *(("ids", i) for i in ids)]))
    return (await browser.send(f"/ui/signing/{step}/return", [*fields(ask), ("reason", reason)])).where


async def decides(browser: Browser, act: str, tab: str, ids: list[str], reason: str = "") -> Any:
    ask = sound(await browser.send(PAGE, [("act", act), ("tab", tab), *(("ids", i) for i in ids)]))
    return await browser.send(PAGE, [*fields(ask), *([("reason", reason)] if reason else [])])


async def test_a_signer_sends_back_with_a_reason_and_nobody_can_sign_it_until_the_cancellation_is_refused(life: Life) -> None:
    (first, _), (second, _), *_ = await life.subject_teachers()
    one, other = life.ids[:2]
    await life.signs(one, "subjects", first)
    browser = life.world.browser(second)
    ask = sound(await browser.send("/ui/signing/subjects", [("act", "return"), ("ids", one), ("ids", other)]))
    assert "Trả lại 2 học bạ?" in ask.text
    assert "Lý do trả lại học bạ" in ask.text
    short = sound(await browser.send("/ui/signing/subjects/return", [*fields(ask), ("reason", "\u200bsai\u202e ")]), 422)
    assert "từ 10 đến 500 ký tự" in short.text
    where = (await browser.send("/ui/signing/subjects/return", [*fields(ask), ("reason", REASON)])).where
    assert "2 học bạ đã chuyển sang trạng thái Trả lại." in sound(await browser.get(where)).text
    again = sound(await browser.get((await browser.send("/ui/signing/subjects/return", [*fields(ask), ("reason", REASON)])).where))
    assert "2 mục không thực hiện được. Học bạ đã được trả lại." in again.text
    assert REASON not in where
    # the signature before it and the return come to records in their order
    await life.carry()
    assert [s["person"] for s in (await life.transcript(one))["signatures"]] == [first.person]
    assert (await life.transcript(one))["returned_from"] == "AWAITING_SUBJECT_TEACHERS"
    assert one not in ticks(await life.world.browser(first).get("/ui/signing/subjects"))
    shown = sound(await life.world.browser(first).get("/ui/signing/subjects?tab=signed"))
    assert "Đã ký; học bạ ở trạng thái Trả lại" in shown.text
    seen = sound(await life.world.browser().get(f"/ui/records/transcripts/{one}"))
    assert f"Lý do: {REASON}" in seen.text

    administrator = life.world.browser()
    page = sound(await administrator.get(PAGE))
    assert "2.6. Quản lý hủy duyệt học bạ" in page.text
    assert ticks(page) == sorted([one, other], key=ticks(page).index)
    name = (await life.transcript(one))["pupil_name"]
    assert REASON in row_of(page, name)
    assert f"{second.name} (Giáo viên bộ môn)" in row_of(page, name)
    assert ticks(sound(await administrator.get(f"{PAGE}?class=4A"))) == []
    refused = await decides(administrator, "refuse", "returned", [one], NO_FAULT)
    assert "Đã từ chối hủy 1 học bạ" in sound(await administrator.get(refused.where)).text
    await life.carry()
    assert (await life.transcript(one))["state"] == "AWAITING_SUBJECT_TEACHERS"
    reopened = sound(await browser.get("/ui/signing/subjects"))
    assert f"quản trị viên từ chối hủy: {NO_FAULT}" in reopened.text
    await life.signs(one, "subjects", second)
    await life.carry()
    assert {s["person"] for s in (await life.transcript(one))["signatures"]} == {first.person, second.person}


async def test_what_is_cancelled_is_gone_for_ever_with_its_trail_and_the_pupil_gets_the_next_one(life: Life) -> None:
    (teacher, _), *_ = await life.subject_teachers()
    other, third = life.ids[1:3]
    browser, administrator = life.world.browser(teacher), life.world.browser()
    await sends_back(browser, "subjects", [other])
    await life.carry()
    ask = sound(await administrator.send(PAGE, [("act", "cancel"), ("all", "1"), ("filter", "?tab=returned&class=5A")]))
    assert "Đồng ý xác nhận hủy học bạ?" in ask.text
    assert "không được khôi phục lại" in ask.text
    assert [v for n, v in fields(ask) if n == "ids"] == [other]
    done = (await administrator.send(PAGE, fields(ask))).where
    assert "Đã hủy 1 học bạ." in sound(await administrator.get(done)).text
    await life.carry()
    gone = await life.transcript(other)
    assert (gone["state"], gone["live"], gone["cancelled"]["reason"]) == ("CANCELLED", False, REASON)
    assert gone["xml"]
    assert (await life.task(other))["step"] == "cancelled"
    assert other not in ticks(await browser.get("/ui/signing/subjects"))
    kept = sound(await administrator.get(f"{PAGE}?tab=cancelled"))
    assert gone["pupil_name"] in kept.text
    assert ticks(kept) == []
    assert sound(await administrator.get(f"/ui/records/transcripts/{other}")).text.count(REASON) == 1
    late = await decides(administrator, "cancel", "returned", [other])
    assert "Học bạ đã hủy" in sound(late).text
    acts = [a["act"] async for a in life.records.db["audit"].find({"subject": other, "place": SCHOOL}).sort("at", 1)]
    assert acts == ["cancel transcript"]
    # the pupil has no transcript now and gets the next one
    await life.world.browser().send("/ui/records/classes", [("ids", CLASS), ("sure", "1")])
    assert await life.world.create_all() == 1
    assert await life.records.db["transcripts"].count_documents({"pupil_code": gone["pupil_code"], "live": True}) == 1
    assert (await life.transcript(third))["state"] == "AWAITING_SUBJECT_TEACHERS"


async def test_every_step_returns_what_waits_for_it_and_a_refusal_leads_back_there(life: Life) -> None:
    task = await life.task(life.ids[0])
    people = {s["name"]: s["signers"][0]["person"] for s in task["steps"] if s["signers"]}
    steps = {"homeroom": Role.HOMEROOM_TEACHER, "leader": Role.MANAGER, "issue": Role.ISSUER}
    for (step, role), transcript in zip(steps.items(), life.ids, strict=False):
        state = f"AWAITING_{step.upper()}"
        await life.put_at(step, state, [transcript])
        who, _ = await life.person(people.get(step, f"{SCHOOL}004"), role)
        secondary = life.world.browser(who.model_copy(update={"level": "THCS"}))
        ask = sound(await secondary.send(f"/ui/signing/{step}", [("act", "return"), ("ids", transcript)]))
        assert "Đề xuất hủy học bạ số" in ask.text
        assert "Lý do đề xuất hủy học bạ số" in ask.text
        await secondary.send(f"/ui/signing/{step}/return", [*fields(ask), ("reason", REASON)])
        await life.carry()
        found = await life.transcript(transcript)
        assert (found["state"], found["returned_from"], found["returned"]["by"]) == ("RETURNED", state, who.person)
        await decides(life.world.browser(), "refuse", "returned", [transcript], NO_FAULT)
        await life.carry()
        assert (await life.transcript(transcript))["state"] == state
        assert (await life.task(transcript))["step"] == step
    leader, _ = await life.person(people["leader"], Role.MANAGER)
    await life.signs(life.ids[1], "leader", leader)
    await life.carry()
    assert (await life.transcript(life.ids[1]))["state"] == "AWAITING_ISSUE"


async def test_of_a_batch_and_a_return_at_once_one_wins_and_the_other_hears_why(life: Life) -> None:
    (signer, personal_id), (returner, _), *_ = await life.subject_teachers()
    await life.world.approve(signer, personal_id)
    providers = Providers(life.world.settings["signing"])

    async def batch(transcript: str) -> tuple[int, list[str]]:
        order = batches.Order(step="subjects", transcripts=[transcript], classes=None, user=signer.person, password=PASSWORD)
        try:
            started = await batches.start(life.signing, providers, signer, order, request_id="r")
        except Refused as refused:
            return 0, [refused.code]
        return started["accepted"], [r["code"] for r in started["refused"]]

    async def back(transcript: str) -> tuple[int, list[str]]:
        told = await returning.give_back(life.signing, returner, step="subjects", transcripts=[transcript], reason=REASON, request_id="r")
        return told["returned"], [r["code"] for r in told["refused"]]

    chosen = life.ids[:6]
    outcomes = await asyncio.gather(*(both for t in chosen for both in (batch(t), back(t))))
    for transcript, (started, why_not_signed), (returned, why_not_back) in zip(chosen, outcomes[::2], outcomes[1::2], strict=True):
        task = await life.task(transcript)
        assert started + returned == 1
        assert why_not_back == ([] if returned else ["HB-SIG-007"])
        assert why_not_signed == ([] if started else why_not_signed)
        assert set(why_not_signed) <= {"HB-SIG-018", "HB-SIG-006", "HB-SIG-008"}
        assert bool(task["claims"]) is bool(started)
        assert (task["step"] == "returned") is bool(returned)
    # one after the other, both ways
    for transcript, order in ((life.ids[6], (back, batch)), (life.ids[7], (batch, back))):
        assert (await order[0](transcript))[0] == 1
        count, codes = await order[1](transcript)
        assert (count, codes) == (0, ["HB-SIG-018" if order[0] is back else "HB-SIG-007"])


async def test_signed_ones_are_cancelled_with_a_reason_and_sent_ones_need_a_withdrawal_first(life: Life) -> None:
    ids = life.ids[:8]
    await life.signed_by_all(ids)
    administrator = life.world.browser()
    ask = sound(
        await administrator.send("/ui/records/confirmation", [("view", "pupil"), ("act", "confirm"), *(("ids", i) for i in ids[1:])])
    )
    assert "Bạn có chắc chắn muốn Xác nhận hoàn thành Học bạ số?" in ask.text
    assert (
        "Đã xác nhận hoàn thành 7 học bạ."
        in sound(await administrator.get((await administrator.send("/ui/records/confirmation", fields(ask))).where)).text
    )
    await life.carry()
    page = sound(await administrator.get("/ui/records/confirmation?view=pupil"))
    confirmed = row_of(page, (await life.transcript(ids[1]))["pupil_name"])
    assert "Đã xác nhận" in confirmed
    assert any("+07:00" in cell for cell in confirmed)
    assert "Chưa xác nhận" in row_of(page, (await life.transcript(ids[0]))["pupil_name"])
    sent = [("sure", "1"), *(("ids", i) for i in ids[2:4])]
    assert (await administrator.send("/ui/publishing/submissions", sent)).status == 303
    # cancelled before records could claim it for sending: records says no, publishing lets it go
    assert (await administrator.send("/ui/publishing/submissions", [("sure", "1"), ("ids", ids[1])])).status == 303
    blank = await decides(administrator, "cancel", "signed", [ids[1]])
    assert "Lý do phải có từ 10 đến 500 ký tự." in sound(blank, 422).text
    await decides(administrator, "cancel", "signed", [ids[1]], REASON)
    await life.carry()
    published = {d["_id"]: d["state"] async for d in life.world.db("publishing")["submissions"].find()}
    assert published[ids[1]] == "CANCELLED"
    assert (await life.transcript(ids[2]))["state"] == "SUBMITTED"
    assert (await life.transcript(ids[1]))["pupil_name"] not in sound(await administrator.get("/ui/publishing/submissions")).text
    # a refused one is taken back by class, a submitted one is not
    refusal = TranscriptRefusedV1(submission="s", code="HB-GW-012", reason="Sai số định danh.", refused_at=clock.now())
    [change] = [c for db, c in life.listeners if db is life.records.db and c.name == "publishing.submissions"]
    await transaction(life.records.db, lambda session: change.handlers["TranscriptRefusedV1"][1](session, [event_of(refusal, ids[3])]))
    assert (await life.transcript(ids[3]))["state"] == "REJECTED"
    mixed = sound(await decides(administrator, "cancel", "signed", [ids[0], ids[2]], REASON))
    assert "Học bạ đã gửi lên cấp trên" in mixed.text
    assert "thu hồi" in mixed.text
    assert (await life.transcript(ids[0]))["state"] == "CANCELLED"
    assert (await life.transcript(ids[2]))["state"] == "SUBMITTED"
    where = (await administrator.send("/ui/records/confirmation", [("view", "class"), ("act", "undo"), ("ids", CLASS)])).where
    assert "Đã hủy xác nhận hoàn thành 5 học bạ." in sound(await administrator.get(where)).text
    assert (await life.transcript(ids[3]))["state"] == "SIGNED"
    told = sound(
        await administrator.send("/ui/records/confirmation", [("view", "pupil"), ("act", "undo"), ("ids", ids[2]), ("ids", ids[3])])
    )
    assert "Trạng thái học bạ không cho phép" in told.text
    assert (await life.transcript(ids[2]))["pupil_name"] in told.text
    await life.carry()
    rows = {d["_id"]: d["state"] async for d in life.world.db("district")["transcripts"].find()}
    assert rows[ids[0]] == rows[ids[1]] == "CANCELLED"


async def test_what_stands_still_is_returned_by_the_administrator_and_cancelled_or_tried_again(life: Life) -> None:
    sealing, rendering, plain = life.ids[:3]
    await life.put_at(SEALING, "AWAITING_ISSUE", [sealing])
    await life.signing.set_aside({sealing: Refused(UNPROVABLE, reason="Chứng thư số đã bị thu hồi.", problem="revoked")})
    await life.records.db["renderings"].insert_one({"_id": rendering, "queued_at": clock.now(), "xml": None, "signatures": []})
    await life.records.set_rendering_aside(rendering, "a glyph is missing", Refused(NOT_RENDERED))
    await life.carry()
    administrator = life.world.browser()
    page = sound(await administrator.get(f"{PAGE}?tab=stopped"))
    assert sorted(ticks(page)) == sorted([sealing, rendering])
    assert "HB-SIG-016" in page.text
    assert "HB-REC-026" in page.text
    outcome = sound(await decides(administrator, "return", "stopped", [sealing, rendering, plain], REASON))
    assert "Học bạ vẫn ký tiếp được" in outcome.text
    assert (await life.transcript(sealing))["returned_from"] == "AWAITING_ISSUE"
    await decides(administrator, "refuse", "returned", [sealing], NO_FAULT)
    await decides(administrator, "cancel", "returned", [rendering])
    await life.carry()
    task = await life.task(sealing)
    assert (task["step"], task["stopped"]) == (SEALING, None)
    assert (await life.transcript(sealing))["state"] == "AWAITING_ISSUE"
    assert await life.records.db["renderings"].count_documents({}) == 0
    assert (await life.task(rendering))["step"] == "cancelled"

    async def seal(session: Session) -> None:
        after = (await life.signing.load_tasks(session, [sealing]))[sealing]
        fact = TranscriptSealedV1(signature=signature("issue", ADMINISTRATOR), xml=FILE, pdf=FILE)
        await life.signing.save_tasks(session, [Change(at_step(after, "done"), fact)], actor="signing")

    await transaction(life.signing.db, seal)
    await life.carry()
    assert (await life.transcript(sealing))["state"] == "SIGNED"


async def test_two_administrators_at_once_never_decide_both_and_nothing_is_half_done(life: Life) -> None:
    (first, _), *_ = await life.subject_teachers()
    chosen = life.ids[:10]
    await sends_back(life.world.browser(first), "subjects", chosen)
    await life.carry()
    here, there = life.world.browser(), life.world.browser(staff(5, "Quản trị viên hai", Role.ADMINISTRATOR))
    await asyncio.gather(decides(here, "cancel", "returned", chosen), decides(there, "refuse", "returned", chosen, NO_FAULT))
    await life.carry()
    counted = await life.states()
    assert counted.get("CANCELLED", 0) + counted["AWAITING_SUBJECT_TEACHERS"] == 32
    acts = [a["act"] async for a in life.records.db["audit"].find({"subject": {"$in": chosen}})]
    assert len(acts) == 10
    for transcript in chosen:
        state, step = (await life.transcript(transcript))["state"], (await life.task(transcript))["step"]
        assert (state, step) in {("CANCELLED", "cancelled"), ("AWAITING_SUBJECT_TEACHERS", "subjects")}


async def test_only_the_administrator_decides_anew_confirmed_and_not_in_a_locked_year(life: Life) -> None:
    (teacher, _), *_ = await life.subject_teachers()
    await life.signed_by_all(life.ids[:2])
    for who in (teacher, staff(1, "Hiệu trưởng", Role.MANAGER)):
        assert (await life.world.browser(who).get(PAGE)).status == 403
        assert (await life.world.browser(who).send(PAGE, [("act", "refuse"), ("ids", life.ids[0])])).status == 403
    foreign = life.world.browser(ADMINISTRATOR.model_copy(update={"school": "31300002"}))
    assert (await foreign.send(PAGE, [("act", "cancel"), ("sure", "1"), ("ids", life.ids[0]), ("reason", REASON)])).status == 404
    tired = life.world.browser()
    tired.confirmed_ago = 3600
    assert (await tired.send(PAGE, [("act", "cancel"), ("tab", "signed"), ("ids", life.ids[0])])).status == 403
    await lock_year(life.records, SCHOOL, YEAR, "Kết thúc năm học, khóa học bạ.", actor=f"{SCHOOL}001")
    refused = sound(await decides(life.world.browser(), "cancel", "signed", life.ids[:2], REASON))
    assert "HB-REC-110" in refused.text
    ask = sound(await life.world.browser().send("/ui/records/confirmation", [("view", "class"), ("act", "confirm"), ("ids", CLASS)]))
    assert "HB-REC-110" in sound(await life.world.browser().send("/ui/records/confirmation", fields(ask))).text
    assert await life.states() == {"SIGNED": 2, "AWAITING_SUBJECT_TEACHERS": 30}


async def test_programs_return_refuse_and_cancel_by_the_same_rules_and_hear_of_each_item(life: Life) -> None:
    (teacher, _), *_ = await life.subject_teachers()

    async def post(who: Principal, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        browser = life.world.browser(who)
        answer = await life.world.clients[path.split("/")[2]].post(path, json=body, headers=browser._token())
        return answer.status_code, answer.json()

    one, other, elsewhere = *life.ids[:2], "no-such-transcript"
    status, told = await post(teacher, "/api/signing/returns", {"step": "subjects", "transcripts": [one], "reason": "ngắn"})
    assert (status, told["code"]) == (422, "HB-SIG-020")
    status, told = await post(teacher, "/api/signing/returns", {"step": "subjects", "transcripts": [one, elsewhere], "reason": REASON})
    assert (status, told["returned"], [r["code"] for r in told["refused"]]) == (200, 1, ["HB-SIG-006"])
    assert (await post(ADMINISTRATOR, "/api/signing/returns", {"step": "issue", "all": True, "reason": REASON}))[0] == 403
    await life.carry()
    listed = await life.world.clients["records"].get("/api/records/cancellations", headers=life.world.browser()._token())
    assert [(t["id"], t["reason"], t["returned_from"]) for t in listed.json()["transcripts"]] == [
        (one, REASON, "AWAITING_SUBJECT_TEACHERS")
    ]
    assert (await post(ADMINISTRATOR, "/api/records/cancellations", {}))[1]["code"] == "HB-REC-025"
    status, told = await post(ADMINISTRATOR, "/api/records/cancellations/refusals", {"transcripts": [one, other], "reason": NO_FAULT})
    assert (status, told["done"], [r["code"] for r in told["refused"]]) == (200, 1, ["HB-REC-008"])
    status, told = await post(ADMINISTRATOR, "/api/records/cancellations/returns", {"transcripts": [other], "reason": REASON})
    assert (told["done"], [r["code"] for r in told["refused"]]) == (0, ["HB-REC-023"])
    await life.carry()
    await post(teacher, "/api/signing/returns", {"step": "subjects", "classes": [CLASS], "reason": REASON})
    await life.carry()
    status, told = await post(ADMINISTRATOR, "/api/records/cancellations", {"classes": [CLASS]})
    assert (status, told["done"], told["refused"]) == (200, 32, [])
    await life.carry()
    assert await life.states() == {"CANCELLED": 32}
    assert await life.signing.db["tasks"].count_documents({"step": "cancelled", "waiting": []}) == 32
