"""Delivery on a real database: a gateway that is away, slow, forgetful or talks twice; callbacks that are not what they seem."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.events.district import LockDatesSetV1, LockDay
from contracts.events.identity import SchoolChangedV1, UnitChangedV1
from contracts.events.records import TranscriptCancelledV1
from infra.local import Stack
from services.chassis import clock
from services.publishing.breaker import Breaker
from services.publishing.gateways.national import GatewayAway, PackageRefused, Result
from tests.integration.delivery_world import YEAR, DeliveryWorld, delivery_world, event, result
from tests.integration.pages_world import SCHOOL, event_of

PATH = ("031", "03101")


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[DeliveryWorld]:
    async with delivery_world(light_stack) as made:
        yield made


async def outcomes_told(world: DeliveryWorld) -> int:
    return await world.db["outbox"].count_documents({"body": {"$regex": '"type":"Transcript(Accepted|Refused)V1"'}})


async def test_down_for_a_while_the_package_goes_out_once_when_the_gateway_is_there_again(world: DeliveryWorld) -> None:
    ids = await world.packed(2)
    world.gateway.plan = [GatewayAway("ConnectError")] * 2
    for _ in range(2):
        await world.due()
        assert await world.delivery.send() == 1
    assert await world.states(ids) == ["PACKED", "PACKED"]
    await world.due()
    assert await world.delivery.send() == 1
    assert await world.states(ids) == ["SENT", "SENT"]
    assert len(world.gateway.arrivals) == 1


async def test_after_three_failures_nobody_knocks_any_more_until_the_pause_is_over(world: DeliveryWorld) -> None:
    await world.packed()
    world.gateway.plan = [GatewayAway("ConnectError")] * 3
    for _ in range(3):
        await world.due()
        await world.delivery.send()
    await world.due()
    asked = world.gateway.asked
    assert await world.delivery.send() == 0
    assert await world.delivery.ask() == 0
    assert world.gateway.asked == asked


async def test_when_it_is_there_again_every_package_that_waits_is_due_at_once(world: DeliveryWorld) -> None:
    hours = [0.0]
    world.delivery.breaker = Breaker(now=lambda: hours[0])
    await world.packed()
    await world.packed()
    far = clock.now() + dt.timedelta(hours=1)
    await world.db["packages"].update_one({}, {"$set": {"next_at": far}})
    world.delivery.breaker.failed(retry_after=5.0)
    assert await world.delivery.send() == 0
    hours[0] += 60.0
    assert await world.delivery.send() == 1
    assert await world.db["packages"].count_documents({"next_at": {"$gt": clock.now() + dt.timedelta(minutes=1)}}) == 0


async def test_retry_after_is_waited_for(world: DeliveryWorld) -> None:
    await world.packed()
    world.gateway.plan = [GatewayAway("HTTP 503", retry_after=25)]
    before = clock.now()
    await world.delivery.send()
    (package,) = await world.db["packages"].find().to_list(None)
    assert package["next_at"] >= before + dt.timedelta(seconds=25)
    await world.due()
    assert await world.delivery.send() == 0


async def test_an_answer_lost_after_the_package_was_taken_is_found_out_by_asking(world: DeliveryWorld) -> None:
    ids = await world.packed()
    world.gateway.plan = ["lost answer"]
    await world.delivery.send()
    await world.due()
    await world.delivery.send()
    assert len(world.gateway.arrivals) == 1
    assert await world.states(ids) == ["SENT"]


async def test_a_gateway_that_never_calls_back_is_asked_and_its_word_counts_once(world: DeliveryWorld) -> None:
    (transcript,) = await world.packed()
    await world.delivery.send()
    package = await world.package_of(transcript)
    await world.due()
    await world.delivery.ask()
    assert await world.states([transcript]) == ["SENT"]
    world.gateway.answers[package] = [Result(uuid=transcript, status="ACCEPTED", at=clock.now())]
    await world.due()
    await world.delivery.ask()
    assert (await world.call_back(event(package, result(transcript)))).status_code == 204
    assert await world.states([transcript]) == ["ACCEPTED"]
    assert await outcomes_told(world) == 1


async def test_a_gateway_that_forgot_the_package_gets_it_again(world: DeliveryWorld) -> None:
    (transcript,) = await world.packed()
    await world.delivery.send()
    world.gateway.taken.clear()
    await world.due()
    await world.delivery.ask()
    await world.delivery.send()
    assert await world.package_of(transcript) in world.gateway.taken


@pytest.mark.parametrize("attempts", [0, 1])
async def test_a_package_that_was_altered_in_the_store_never_leaves_and_its_transcripts_go_out_in_another(
    world: DeliveryWorld, attempts: int
) -> None:
    ids = await world.packed(2)
    altered = await world.package_of(ids[0])
    await world.db["packages"].update_one({"_id": altered}, {"$set": {"object.sha256": "0" * 64, "attempts": attempts}})
    assert await world.delivery.send() == 1
    assert await world.states(ids) == ["CLEARED", "CLEARED"]
    assert await world.delivery.pack() == 2
    assert await world.delivery.send() == 1
    assert await world.states(ids) == ["SENT", "SENT"]
    assert world.gateway.arrivals == [await world.package_of(ids[0])] != [altered]
    assert await world.db["packages"].count_documents({"_id": altered, "state": "done"}) == 1


async def test_a_package_that_is_refused_as_a_whole_ends_each_transcript_with_the_reason(world: DeliveryWorld) -> None:
    ids = await world.packed(2)
    world.gateway.plan = [PackageRefused("NG-002", "manifest.xml không đúng lược đồ")]
    await world.delivery.send()
    assert await world.states(ids) == ["REJECTED", "REJECTED"]
    again = await world.submit(ids)
    assert again["requested"] == 2


async def test_a_callback_before_the_gateways_answer_and_the_same_one_again_count_once(world: DeliveryWorld) -> None:
    (transcript,) = await world.packed()
    said = event(await world.package_of(transcript), result(transcript, "REJECTED"))
    for _ in range(2):
        assert (await world.call_back(said)).status_code == 204
    await world.delivery.send()
    assert await world.states([transcript]) == ["REJECTED"]
    assert await outcomes_told(world) == 1
    found = await world.store.submission(transcript)
    assert found is not None
    assert [(h["accepted"], h["code"]) for h in found["history"]] == [(False, "NG-404")]


async def test_another_callback_under_the_same_event_id_is_refused_and_changes_nothing(world: DeliveryWorld) -> None:
    first, second = await world.packed(2)
    package = await world.package_of(first)
    await world.call_back(event(package, result(first)))
    answer = await world.call_back(event(package, result(second, "REJECTED")))
    assert (answer.status_code, answer.json()["code"]) == (409, "HB-PUB-063")
    assert await world.states([first, second]) == ["ACCEPTED", "PACKED"]


async def test_a_forged_an_old_and_a_misshapen_callback_are_refused(world: DeliveryWorld) -> None:
    (transcript,) = await world.packed()
    said = event(await world.package_of(transcript), result(transcript))
    assert (await world.call_back(said, key="khác")).json()["code"] == "HB-PUB-004"
    assert (await world.call_back(said, at=1_700_000_000)).json()["code"] == "HB-PUB-004"
    misshapen: list[Any] = [{**said, "eventId": ""}, {**said, "results": [result(transcript, "MAYBE")]}, {**said, "results": None}, []]
    for wrong in misshapen:
        assert (await world.call_back(wrong)).json()["code"] == "HB-PUB-004"
    assert await world.states([transcript]) == ["PACKED"]


async def test_a_huge_callback_is_not_read_to_its_end(world: DeliveryWorld) -> None:
    answer = await world.call_back(None, body=b" " * 1_000_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "HB-PUB-062")


async def test_a_callback_says_nothing_of_transcripts_that_are_not_in_its_package(world: DeliveryWorld) -> None:
    (mine,) = await world.packed()
    (other,) = await world.packed()
    assert (await world.call_back(event(await world.package_of(mine), result(other)))).status_code == 204
    assert await world.states([mine, other]) == ["PACKED", "PACKED"]


async def test_a_callback_for_an_unknown_package_changes_nothing(world: DeliveryWorld) -> None:
    (transcript,) = await world.packed()
    assert (await world.call_back(event("0b1c2d3e-0000-4000-8000-000000000001", result(transcript)))).status_code == 204
    assert await world.states([transcript]) == ["PACKED"]


async def test_an_unknown_code_and_a_missing_reason_are_shown_as_they_are(world: DeliveryWorld) -> None:
    first, second = await world.packed(2)
    unknown = result(first, "REJECTED", code="XYZ-1", reason="Lý do mới")
    await world.call_back(event(await world.package_of(first), unknown, result(second, "REJECTED", code=None, reason=None)))
    found = [await world.store.submission(t) for t in (first, second)]
    assert [f and f["refusal"]["code"] for f in found] == ["XYZ-1", "NG-000"]


async def test_an_answer_that_comes_after_the_transcript_was_cancelled_is_not_heard(world: DeliveryWorld) -> None:
    (transcript,) = await world.packed()
    await world.delivery.send()
    package = await world.package_of(transcript)
    fact = TranscriptCancelledV1(school=SCHOOL, class_code="1A0", version=1, cancelled_at=clock.now())
    await world.tell([event_of(fact, transcript, sequence=3)])
    assert (await world.call_back(event(package, result(transcript)))).status_code == 204
    assert await world.states([transcript]) == ["CANCELLED"]
    assert await outcomes_told(world) == 0


async def test_a_lock_date_that_has_passed_refuses_at_once_and_a_later_one_opens_again(world: DeliveryWorld) -> None:
    (transcript,) = await world.confirmed(1)
    await world.tell([event_of(UnitChangedV1(code="03101", name="Phường An Hải", path=PATH), "03101")])
    await world.tell([event_of(SchoolChangedV1(code=SCHOOL, name="Trường", levels=("TH",), tax_code="1", path=PATH), SCHOOL)])
    today = clock.in_vietnam(clock.now()).date()

    def dates(on: dt.date, sequence: int) -> LockDatesSetV1:
        return LockDatesSetV1(unit="03101", year=YEAR, school=None, dates=(LockDay(matter="intake", grade=1, on=on),))

    subject = f"03101:{YEAR}:common"
    await world.tell([event_of(dates(today - dt.timedelta(days=1), 1), subject, sequence=1)])
    refused = (await world.submit([transcript]))["refused"]
    assert [r["code"] for r in refused] == ["HB-PUB-060"]
    assert "Phường An Hải" in refused[0]["reason"]
    await world.tell([event_of(dates(today, 2), subject, sequence=2)])
    assert (await world.submit([transcript]))["requested"] == 1


async def test_what_was_asked_for_in_time_goes_out_also_after_the_lock_date(world: DeliveryWorld) -> None:
    ids = await world.packed()
    await world.tell([event_of(SchoolChangedV1(code=SCHOOL, name="Trường", levels=("TH",), tax_code="1", path=PATH), SCHOOL)])
    yesterday = clock.in_vietnam(clock.now()).date() - dt.timedelta(days=1)
    shut = LockDatesSetV1(unit="031", year=YEAR, school=SCHOOL, dates=(LockDay(matter="intake", grade=None, on=yesterday),))
    await world.tell([event_of(shut, f"031:{YEAR}:{SCHOOL}")])
    await world.delivery.send()
    assert await world.states(ids) == ["SENT"]
